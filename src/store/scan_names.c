/* The names in a directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "store/scan_walk.h"
#include "store/tree.h"

static bool
entry_is_dir(int fd, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void
add_name(struct mlb_names *n, const char *name, bool is_dir)
{
	size_t len = strlen(name);

	mlb_vec_push(&n->at, n->text.n);
	mlb_vec_reserve(&n->text, n->text.n + len + 2);
	memcpy(n->text.v + n->text.n, name, len);
	n->text.n += len;
	if (is_dir)
		n->text.v[n->text.n++] = '/';
	n->text.v[n->text.n++] = '\0';
}

int
mlb_names_read(struct mlb_names *names, DIR *stream, const char **bad)
{
	const struct dirent *e;

	while (errno = 0, (e = readdir(stream)) != NULL) {
		const char *name = e->d_name;

		if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
			continue;
		if (mlb_tree_check_name(name, strlen(name), NULL) < 0) {
			*bad = name;
			return 0;
		}
		add_name(names, name, entry_is_dir(dirfd(stream), e));
	}
	return errno;
}
