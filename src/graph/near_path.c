#include "graph/near_path.h"

#include <string.h>

#include "base/nearest.h"
#include "base/vec.h"
#include "os/fs.h"
#include "os/path.h"

#define PATH_BYTES (64 * MLB_KIB)

/* The entry of a directory that is most like a name, and another one; NULL: none is. */
static const char *
near_entry(struct mlb_arena *a, const char *dir, const char *name)
{
	MLB_VEC(const char *) names = MLB_VEC_INIT;
	struct mlb_dirents entries = MLB_VEC_INIT;
	const char *near = NULL;

	if (mlb_fs_list(&entries, dir, NULL) == 0)
		for (size_t i = 0; i < entries.n; i++)
			if (strcmp(entries.v[i].name, name) != 0)
				mlb_vec_push(&names, entries.v[i].name);
	if (names.n > 0)
		near = mlb_nearest(name, names.v, names.n);
	if (near)
		near = mlb_arena_strdup(a, near);
	mlb_vec_release(&names);
	mlb_dirents_release(&entries);
	return near;
}

/* Walk down the path; where a name is not there, its nearest neighbour takes its place. */
static const char *
near_on_disk(struct mlb_arena *a, const char *root, const char *path)
{
	struct mlb_buf full = MLB_BUF_INIT(PATH_BYTES);
	const char *found = ""; /* relative to root */

	for (const char *whole = path; found && *path;) {
		size_t len = strcspn(path, "/");
		const char *name = mlb_arena_strndup(a, path, len);
		const char *sep = *found ? "/" : "";
		bool last = path[len] == '\0';
		const char *next = mlb_arena_printf(a, "%s%s%s", found, sep, name);

		mlb_path_join(&full, root, next);
		if (strcmp(next, whole) == 0 || !mlb_fs_exists(mlb_buf_str(&full))) {
			mlb_path_join(&full, root, found);
			name = near_entry(a, mlb_buf_str(&full), name);
			next = name ? mlb_arena_printf(a, "%s%s%s", found, sep, name) : NULL;
		}
		found = next;
		path += len + !last;
	}
	mlb_buf_release(&full);
	return found && *found ? found : NULL;
}

const char *
mlb_near_path(struct mlb_arena *a, const char *root, const char *path, const char *const *other,
	      size_t n)
{
	MLB_VEC(const char *) names = MLB_VEC_INIT;
	const char *found = near_on_disk(a, root, path);
	const char *near;

	if (found && strcmp(found, path) != 0)
		mlb_vec_push(&names, found);
	for (size_t i = 0; i < n; i++)
		if (strcmp(other[i], path) != 0)
			mlb_vec_push(&names, other[i]);
	near = names.n > 0 ? mlb_nearest(path, names.v, names.n) : NULL;
	mlb_vec_release(&names);
	return near;
}

const char *
mlb_dangling(struct mlb_arena *a, const char *root, const char *path)
{
	struct mlb_buf full = MLB_BUF_INIT(PATH_BYTES);
	struct mlb_buf to = MLB_BUF_INIT(PATH_BYTES);
	const char *found = NULL;
	struct mlb_stat st;

	mlb_path_join(&full, root, path);
	if (mlb_fs_lstat(&st, mlb_buf_str(&full), NULL) == 0 && st.type == MLB_F_SYMLINK &&
	    mlb_fs_stat(&st, mlb_buf_str(&full), NULL) == 0 && st.type == MLB_F_ABSENT &&
	    mlb_fs_readlink(&to, mlb_buf_str(&full), NULL) == 0)
		found = mlb_arena_strdup(a, mlb_buf_str(&to));
	mlb_buf_release(&to);
	mlb_buf_release(&full);
	return found;
}
