/* Which files a private root holds, and how it is made to hold them again. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/root_int.h"
#include "os/path.h"

/* ---------------------------------------------------------------- listing */

static uint32_t
find_path(const struct mlb_graph *g, const char *path, size_t len)
{
	uint32_t lo = 0, hi = g->n_paths;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const char *have = mlb_g_path(g, mid);
		int c = strncmp(have, path, len);

		if (c == 0 && have[len] == '\0')
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return MLB_NONE;
}

/* Is the path, or a directory that it is in, what a target makes? */
static bool
is_output(const struct mlb_root_stock *r, const char *path)
{
	const struct mlb_graph *g = r->graph;

	for (size_t len = 1;; len++) {
		if (path[len] != '/' && path[len] != '\0')
			continue;
		uint32_t p = find_path(g, path, len);
		uint32_t n = p == MLB_NONE ? MLB_NONE : g->path_producer[p];
		/* Outputs of `each` lie among other files; those that git lists are sources. */
		uint32_t not_ours = MLB_G_SOURCE | (r->vcs ? MLB_G_EACH : 0);
		if (n != MLB_NONE && !(g->node[n].flags & not_ours))
			return true;
		if (path[len] == '\0')
			return false;
	}
}

bool
mlb_root_stock_exposes(const struct mlb_root_stock *r, const char *path)
{
	for (size_t i = 0; i < r->expose.n; i++)
		if (mlb_path_inside(path, r->expose.v[i]))
			return true;
	return false;
}

static int
read_expose(struct mlb_root_stock *r, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	int rc = 0;

	for (uint32_t i = 0; i < r->graph->n_expose && rc == 0; i++) {
		const char *text = mlb_g_str(r->graph, r->graph->expose[i]);

		mlb_buf_clear(&path);
		rc = mlb_path_normalize(&path, text, err);
		if (rc == 0 && strcmp(mlb_buf_str(&path), ".") == 0)
			rc = mlb_err_set(err, MLB_EINVALID, "it is the whole project");
		if (rc)
			mlb_err_wrap(err, "[project] expose: '%s'", text);
		else
			mlb_strvec_push(&r->expose, mlb_buf_str(&path));
	}
	mlb_buf_release(&path);
	return rc;
}

static void
add_entry(struct mlb_root_stock *r, const char *path, uint8_t how)
{
	struct mlb_root_entry e = { .path = mlb_arena_strdup(&r->arena, path), .how = how };
	struct mlb_strmap_entry *slot;
	bool is_new;

	slot = mlb_strmap_add(&r->known, e.path, strlen(e.path), &is_new);
	if (!is_new && slot->u.num != MLB_ROOT_PARENT) {
		r->entry.v[slot->u.num].how = how;
		return;
	}
	slot->u.num = r->entry.n;
	mlb_vec_push(&r->entry, e);
	for (size_t len = strlen(e.path); len > 0; len--) {
		if (e.path[len] != '/')
			continue;
		slot = mlb_strmap_add(&r->known, e.path, len, &is_new);
		if (!is_new)
			break;
		slot->u.num = MLB_ROOT_PARENT;
	}
}

/* Files below dir ("" for the project) on disk, where git cannot tell. */
static int
walk(struct mlb_root_stock *r, const char *dir, struct mlb_err *err)
{
	struct mlb_buf full = MLB_BUF_INIT(PATH_MAX);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc;

	mlb_path_join(&full, r->project, dir);
	rc = mlb_fs_list(&list, mlb_buf_str(&full), err);
	for (size_t i = 0; i < list.n && rc == 0; i++) {
		const char *name = list.v[i].name;
		char *path = dir[0] ? mlb_asprintf("%s/%s", dir, name) : mlb_strdup(name);

		if (strcasecmp(name, ".git") == 0 || strcasecmp(name, ".mlbuild") == 0 ||
		    is_output(r, path) || mlb_root_stock_exposes(r, path))
			; /* not a file of the project */
		else if (list.v[i].type == MLB_F_DIR)
			rc = walk(r, path, err);
		else if (list.v[i].type == MLB_F_FILE || list.v[i].type == MLB_F_SYMLINK)
			add_entry(r, path, MLB_ROOT_COPY);
		free(path);
	}
	mlb_dirents_release(&list);
	mlb_buf_release(&full);
	return rc;
}

static int
list_tracked(struct mlb_root_stock *r, struct mlb_err *err)
{
	struct mlb_strvec files = MLB_VEC_INIT;
	int rc = mlb_vcs_files(r->vcs, ".", &files, err);

	for (size_t i = 0; i < files.n && rc == 0; i++)
		if (!is_output(r, files.v[i]) && !mlb_root_stock_exposes(r, files.v[i]))
			add_entry(r, files.v[i], MLB_ROOT_COPY);
	mlb_strvec_release(&files);
	return rc;
}

int
mlb_root_stock_list(struct mlb_root_stock *r, const struct mlb_root_stock_spec *spec,
		    struct mlb_err *err)
{
	int rc = read_expose(r, err);

	if (rc == 0)
		rc = r->vcs ? list_tracked(r, err) : walk(r, "", err);
	if (rc)
		return rc;
	for (size_t i = 0; i < spec->n_files; i++) {
		if (mlb_root_stock_exposes(r, spec->file[i].path))
			return mlb_err_set(
				err, MLB_EINVALID,
				"'%s' cannot have other values in a variant: [project] expose "
				"shows the workspace's to every variant",
				spec->file[i].path);
		add_entry(r, spec->file[i].path, MLB_ROOT_TEXT);
	}
	for (size_t i = 0; i < r->expose.n; i++)
		add_entry(r, r->expose.v[i], MLB_ROOT_EXPOSE);
	return 0;
}

/* ---------------------------------------------------------------- placing */

/* The first path of the graph that is not before `path` bytewise. */
static uint32_t
first_from(const struct mlb_graph *g, const char *path)
{
	uint32_t lo = 0, hi = g->n_paths;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (strcmp(mlb_g_path(g, mid), path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * Is something that a target makes below this path? A link there would have it
 * written to where it leads, which is the user's.
 */
static bool
leads_to_output(const struct mlb_root_stock *r, const char *path)
{
	char *below = mlb_asprintf("%s/", path);
	size_t len = strlen(below);
	bool leads = false;

	for (uint32_t i = first_from(r->graph, below);
	     i < r->graph->n_paths && strncmp(mlb_g_path(r->graph, i), below, len) == 0 && !leads;
	     i++) {
		uint32_t n = r->graph->path_producer[i];

		leads = n != MLB_NONE && !(r->graph->node[n].flags & MLB_G_SOURCE);
	}
	free(below);
	return leads;
}

/* A link that stays inside is copied; one that leaves means what it means in the workspace. */
static int
place_link(struct mlb_root *r, const char *path, const char *from, const char *to,
	   struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(PATH_MAX), place = MLB_BUF_INIT(PATH_MAX),
		       normal = MLB_BUF_INIT(PATH_MAX), full = MLB_BUF_INIT(PATH_MAX);
	int rc = mlb_fs_readlink(&text, from, err);

	if (rc == 0 && mlb_buf_str(&text)[0] != '/') {
		mlb_path_dir(&place, path);
		mlb_buf_addf(&place, "/%s", mlb_buf_str(&text));
		if (mlb_path_normalize(&normal, mlb_buf_str(&place), NULL) != 0) {
			mlb_buf_addf(&full, "%s/%s", r->roots->project, mlb_buf_str(&place));
			mlb_buf_clear(&text);
			mlb_buf_adds(&text, mlb_buf_str(&full));
		}
	}
	if (rc == 0 && symlink(mlb_buf_str(&text), to) != 0)
		rc = mlb_err_errno(err, errno, "cannot make the link '%s'", to);
	mlb_buf_release(&full);
	mlb_buf_release(&normal);
	mlb_buf_release(&place);
	mlb_buf_release(&text);
	return rc;
}

const struct mlb_root_file *
mlb_root_text(const struct mlb_root *r, size_t i)
{
	const struct mlb_root_entry *e = &r->roots->entry.v[i];

	for (size_t k = 0; e->how == MLB_ROOT_TEXT && k < r->n_files; k++)
		if (strcmp(r->file[k].path, e->path) == 0)
			return &r->file[k];
	return NULL;
}

static int
place_text(struct mlb_root *r, size_t i, const struct mlb_root_file *f, const char *to,
	   struct mlb_err *err)
{
	mlb_sha256_of(&r->text[i], f->text, f->len);
	return mlb_fs_write(to, f->text, f->len, false, err);
}

/* What was there when it was copied, unless that changed while it was. */
static void
keep_origin(struct mlb_root *r, size_t i, const char *from, const struct mlb_stat *before)
{
	struct mlb_stat after;

	if (mlb_fs_lstat(&after, from, NULL) == 0 && mlb_stat_same(before, &after))
		r->origin[i] = *before;
}

/* With the times of the original: what is compiled from it (__pycache__) stays valid. */
static int
place_file(const char *from, const char *to, struct mlb_err *err)
{
	struct timespec times[2];
	struct stat st;
	int rc;

	if (stat(from, &st) != 0)
		return mlb_err_errno(err, errno, "cannot look at '%s'", from);
	rc = mlb_fs_copy(from, to, st.st_mode & 0777 ? st.st_mode & 0777 : 0644, NULL, NULL, err);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (rc == 0)
		(void)utimensat(AT_FDCWD, to, times, 0);
	return rc;
}

int
mlb_root_place(struct mlb_root *r, size_t i, struct mlb_err *err)
{
	const struct mlb_root_entry *e = &r->roots->entry.v[i];
	const struct mlb_root_file *text = mlb_root_text(r, i);
	struct mlb_buf from = MLB_BUF_INIT(PATH_MAX), to = MLB_BUF_INIT(PATH_MAX);
	struct mlb_stat there;
	int rc;

	mlb_path_join(&from, r->roots->project, e->path);
	mlb_path_join(&to, r->dir, e->path);
	memset(&r->placed[i], 0, sizeof(r->placed[i]));
	memset(&r->origin[i], 0, sizeof(r->origin[i]));
	memset(&r->text[i], 0, sizeof(r->text[i]));
	rc = mlb_fs_lstat(&there, mlb_buf_str(&from), err);
	if (rc == 0)
		rc = mlb_fs_mkparents(mlb_buf_str(&to), err);
	if (rc)
		goto out;
	if (text)
		rc = place_text(r, i, text, mlb_buf_str(&to), err);
	else if (there.type == MLB_F_ABSENT)
		goto out; /* gone since it was listed, or nothing to expose */
	else if (e->how == MLB_ROOT_EXPOSE && symlink(mlb_buf_str(&from), mlb_buf_str(&to)) != 0)
		rc = mlb_err_errno(err, errno, "cannot make the link '%s'", mlb_buf_str(&to));
	else if (e->how != MLB_ROOT_EXPOSE && there.type == MLB_F_SYMLINK &&
		 leads_to_output(r->roots, e->path))
		goto out; /* a directory is made there when it is needed */
	else if (e->how != MLB_ROOT_EXPOSE && there.type == MLB_F_SYMLINK)
		rc = place_link(r, e->path, mlb_buf_str(&from), mlb_buf_str(&to), err);
	else if (e->how != MLB_ROOT_EXPOSE && there.type == MLB_F_FILE)
		rc = place_file(mlb_buf_str(&from), mlb_buf_str(&to), err);
	if (rc == 0)
		rc = mlb_fs_lstat(&r->placed[i], mlb_buf_str(&to), err);
	if (rc == 0 && e->how == MLB_ROOT_COPY)
		keep_origin(r, i, mlb_buf_str(&from), &there);
out:
	mlb_buf_release(&to);
	mlb_buf_release(&from);
	return rc;
}

/* --------------------------------------------------------------- cleaning */

/* What stands at `path` of the root (full: absolute) and is no directory of ours: keep it or remove it. */
static int
clean_entry(struct mlb_root *r, uint64_t i, const char *full, struct mlb_err *err)
{
	struct mlb_stat now;
	int rc = mlb_fs_lstat(&now, full, err);

	if (rc)
		return rc;
	if (mlb_stat_same(&now, &r->placed[i])) {
		r->seen[i] = true;
		return 0;
	}
	return mlb_fs_remove_tree(full, err);
}

static int
clean_dir(struct mlb_root *r, const char *dir, struct mlb_err *err)
{
	struct mlb_buf full = MLB_BUF_INIT(PATH_MAX);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc;

	mlb_path_join(&full, r->dir, dir);
	rc = mlb_fs_list(&list, mlb_buf_str(&full), err);
	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = dir[0] ? mlb_asprintf("%s/%s", dir, list.v[i].name)
				    : mlb_strdup(list.v[i].name);
		const struct mlb_strmap_entry *known =
			mlb_strmap_find(&r->roots->known, path, strlen(path));

		mlb_path_join(&full, r->dir, path);
		if (!known || (known->u.num == MLB_ROOT_PARENT && list.v[i].type != MLB_F_DIR))
			rc = mlb_fs_remove_tree(mlb_buf_str(&full), err);
		else if (known->u.num == MLB_ROOT_PARENT)
			rc = clean_dir(r, path, err);
		else
			rc = clean_entry(r, known->u.num, mlb_buf_str(&full), err);
		free(path);
	}
	mlb_dirents_release(&list);
	mlb_buf_release(&full);
	return rc;
}

int
mlb_root_clean(struct mlb_root *r, struct mlb_err *err)
{
	size_t n = r->roots->entry.n;
	int rc;

	memset(r->seen, 0, n * sizeof(*r->seen));
	rc = clean_dir(r, "", err);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (!r->seen[i] && r->placed[i].type != MLB_F_ABSENT)
			rc = mlb_root_place(r, i, err);
	return rc;
}
