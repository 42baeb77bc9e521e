#include "engine/root.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/root_int.h"
#include "os/path.h"
#include "store/result.h"
#include "store/tree.h"

/*
 * The time that inputs carry, 2000-01-01: far from now, so that whoever writes to
 * one changes it, however soon after we put it there.
 */
#define INPUT_TIME 946684800

static void
free_inputs(struct mlb_root_inputs *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i].path);
	mlb_vec_release(v);
}

static void
free_root(struct mlb_root *r)
{
	free_inputs(&r->input);
	free_inputs(&r->kept);
	free(r->placed);
	free(r->origin);
	free(r->text);
	free(r->seen);
	free(r);
}

/* ------------------------------------------------------------- all of them */

int
mlb_root_stock_new(struct mlb_root_stock **out, const struct mlb_root_stock_spec *spec,
		   struct mlb_err *err)
{
	struct mlb_root_stock *r = mlb_calloc(1, sizeof(*r));
	const char *link = mlb_g_str(spec->graph, spec->graph->cache_link);
	int rc;

	r->project = mlb_arena_strdup(&r->arena, spec->project);
	r->dir = mlb_arena_printf(&r->arena, "%s/roots", spec->state_dir);
	r->graph = spec->graph;
	r->vcs = spec->vcs;
	r->cas = spec->cas;
	r->file = spec->file;
	r->n_files = spec->n_files;
	r->how = strcmp(link, "hardlink") == 0 ? MLB_LINK_HARD : MLB_LINK_COPY;
	rc = mlb_root_stock_list(r, spec, err);
	if (rc == 0)
		rc = mlb_fs_remove_tree(r->dir, err); /* what a killed mlbuild left */
	if (rc) {
		mlb_root_stock_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void
mlb_root_stock_free(struct mlb_root_stock *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->root.n; i++)
		free_root(r->root.v[i]);
	mlb_vec_release(&r->root);
	(void)mlb_fs_remove_tree(r->dir, NULL);
	mlb_vec_release(&r->entry);
	mlb_strvec_release(&r->expose);
	mlb_strmap_release(&r->known);
	mlb_arena_release(&r->arena);
	free(r);
}

/* ------------------------------------------------------------ one of them */

static int
new_root(struct mlb_root **out, struct mlb_root_stock *rs, const struct mlb_root_file *file,
	 size_t n_files, struct mlb_err *err)
{
	struct mlb_root *r = mlb_calloc(1, sizeof(*r));
	int rc;

	r->roots = rs;
	r->dir = mlb_arena_printf(&rs->arena, "%s/%u", rs->dir, rs->made);
	r->store = mlb_arena_printf(&rs->arena, "%s/%u.inputs", rs->dir, rs->made);
	rs->made++;
	r->file = file;
	r->n_files = n_files;
	r->placed = mlb_calloc(rs->entry.n + 1, sizeof(*r->placed));
	r->origin = mlb_calloc(rs->entry.n + 1, sizeof(*r->origin));
	r->text = mlb_calloc(rs->entry.n + 1, sizeof(*r->text));
	r->seen = mlb_calloc(rs->entry.n + 1, sizeof(*r->seen));
	rc = mlb_fs_mkdirs(r->dir, err);
	if (rc == 0)
		rc = mlb_fs_mkdirs(r->store, err);
	for (size_t i = 0; i < rs->entry.n && rc == 0; i++)
		rc = mlb_root_place(r, i, err);
	if (rc) {
		(void)mlb_fs_remove_tree(r->dir, NULL);
		(void)mlb_fs_remove_tree(r->store, NULL);
		free_root(r);
		return rc;
	}
	mlb_vec_push(&rs->root, r);
	*out = r;
	return 0;
}

/* A root that had other texts gets these. */
static int
retext(struct mlb_root *r, const struct mlb_root_file *file, size_t n_files, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	int rc = 0;

	r->file = file;
	r->n_files = n_files;
	for (size_t i = 0; i < r->roots->entry.n && rc == 0; i++) {
		const struct mlb_root_file *text = mlb_root_text(r, i);
		struct mlb_digest want;

		memset(&want, 0, sizeof(want));
		if (text)
			mlb_sha256_of(&want, text->text, text->len);
		if (mlb_digest_equal(&want, &r->text[i]))
			continue;
		mlb_path_join(&path, r->dir, r->roots->entry.v[i].path);
		rc = mlb_fs_remove_tree(mlb_buf_str(&path), err);
		if (rc == 0)
			rc = mlb_root_place(r, i, err);
	}
	mlb_buf_release(&path);
	return rc;
}

int
mlb_root_take_as(struct mlb_root **out, struct mlb_root_stock *rs, const struct mlb_root_file *file,
		 size_t n_files, struct mlb_err *err)
{
	struct mlb_root *r = NULL;
	int rc = 0;

	for (size_t i = 0; i < rs->root.n && !r; i++)
		if (!rs->root.v[i]->busy)
			r = rs->root.v[i];
	if (r)
		rc = retext(r, file, n_files, err);
	else
		rc = new_root(&r, rs, file, n_files, err);
	if (rc == 0) {
		r->busy = true;
		*out = r;
	}
	return rc;
}

int
mlb_root_take(struct mlb_root **out, struct mlb_root_stock *rs, struct mlb_err *err)
{
	return mlb_root_take_as(out, rs, rs->file, rs->n_files, err);
}

bool
mlb_root_holds(const struct mlb_root *r, const char *path, const struct mlb_stat *st)
{
	const struct mlb_strmap_entry *known =
		mlb_strmap_find(&r->roots->known, path, strlen(path));

	return known && known->u.num != MLB_ROOT_PARENT &&
	       r->origin[known->u.num].type != MLB_F_ABSENT &&
	       (r->origin[known->u.num].type == MLB_F_SYMLINK ||
		mlb_stat_same(&r->origin[known->u.num], st));
}

bool
mlb_root_links(const struct mlb_root *r, const char *path)
{
	char *full = mlb_asprintf("%s/%s", r->dir, path);
	bool links = false;

	for (char *s = strchr(full + strlen(r->dir) + 1, '/'); s && !links;
	     s = strchr(s + 1, '/')) {
		struct mlb_stat st;

		*s = '\0';
		links = mlb_fs_lstat(&st, full, NULL) == 0 && st.type == MLB_F_SYMLINK;
		*s = '/';
	}
	links = links && mlb_fs_exists(full);
	free(full);
	return links;
}

const char *
mlb_root_dir(const struct mlb_root *r)
{
	return r->dir;
}

/* ------------------------------------------------------------------ inputs */

static void
store_path(struct mlb_buf *out, const struct mlb_root *r, unsigned number)
{
	mlb_buf_clear(out);
	mlb_buf_addf(out, "%s/%u", r->store, number);
}

/* Move the same bytes here if an earlier action had them. */
static bool
from_store(struct mlb_root *r, const struct mlb_root_placed *want, const char *to)
{
	struct mlb_buf from = MLB_BUF_INIT(PATH_MAX);
	bool found = false;

	for (size_t i = 0; i < r->kept.n && !found; i++) {
		struct mlb_root_placed *k = &r->kept.v[i];

		if (k->kind != want->kind || !mlb_digest_equal(&k->digest, &want->digest))
			continue;
		store_path(&from, r, k->number);
		if (rename(mlb_buf_str(&from), to) != 0)
			break;
		free(k->path);
		*k = r->kept.v[--r->kept.n];
		found = true;
	}
	mlb_buf_release(&from);
	return found;
}

static int
put_file(struct mlb_root *r, const struct mlb_root_placed *in, const char *to, struct mlb_err *err)
{
	const struct timespec times[2] = { { INPUT_TIME, 0 }, { INPUT_TIME, 0 } };
	struct stat st;
	int rc = mlb_cas_link(r->roots->cas, &in->digest, to, in->kind == MLB_O_EXEC, r->roots->how,
			      err);

	/* An object that is shared by hard link has the store's times, and nobody may write to it. */
	if (rc == 0 && lstat(to, &st) == 0 && st.st_nlink == 1)
		(void)utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW);
	return rc;
}

int
mlb_root_input(struct mlb_root *r, const char *path, uint8_t kind, const struct mlb_digest *digest,
	       struct mlb_err *err)
{
	struct mlb_root_placed in = { .kind = kind == MLB_O_METRICS ? MLB_O_FILE : kind,
				      .digest = *digest };
	struct mlb_buf to = MLB_BUF_INIT(PATH_MAX);
	struct mlb_stat there;
	bool moved;
	int rc;

	if (mlb_root_stock_exposes(r->roots, path))
		return 0; /* it is the workspace's: there already, and not ours to write */
	mlb_path_join(&to, r->dir, path);
	rc = mlb_fs_lstat(&there, mlb_buf_str(&to), err);
	if (rc == 0 && there.type != MLB_F_ABSENT && (kind != MLB_O_TREE || there.type != MLB_F_DIR))
		rc = mlb_fs_remove_tree(mlb_buf_str(&to), err);
	if (rc == 0)
		rc = mlb_fs_mkparents(mlb_buf_str(&to), err);
	if (rc)
		goto out;
	moved = from_store(r, &in, mlb_buf_str(&to));
	if (kind == MLB_O_TREE) /* what was moved is compared: an action may have changed it */
		rc = mlb_tree_checkout(r->roots->cas, digest, mlb_buf_str(&to), r->roots->how, err);
	else if (!moved)
		rc = put_file(r, &in, mlb_buf_str(&to), err);
	if (rc == 0)
		rc = mlb_fs_lstat(&in.stat, mlb_buf_str(&to), err);
	if (rc == 0) {
		in.path = mlb_strdup(path);
		mlb_vec_push(&r->input, in);
	}
out:
	mlb_buf_release(&to);
	return rc;
}

static void
drop_store(struct mlb_root *r)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);

	for (size_t i = 0; i < r->kept.n; i++) {
		store_path(&path, r, r->kept.v[i].number);
		(void)mlb_fs_remove_tree(mlb_buf_str(&path), NULL);
		free(r->kept.v[i].path);
	}
	r->kept.n = 0;
	mlb_buf_release(&path);
}

/* Inputs that are as they were go into the store; what is left of the others goes with the rest. */
static void
keep_inputs(struct mlb_root *r)
{
	struct mlb_buf from = MLB_BUF_INIT(PATH_MAX), to = MLB_BUF_INIT(PATH_MAX);

	for (size_t i = 0; i < r->input.n; i++) {
		struct mlb_root_placed *in = &r->input.v[i];
		const struct mlb_strmap_entry *known =
			mlb_strmap_find(&r->roots->known, in->path, strlen(in->path));
		struct mlb_stat now;
		bool same;

		mlb_path_join(&from, r->dir, in->path);
		same = mlb_fs_lstat(&now, mlb_buf_str(&from), NULL) == 0 &&
		       (in->kind == MLB_O_TREE
				? now.type == MLB_F_DIR && now.ino == in->stat.ino && !known
				: mlb_stat_same(&now, &in->stat));
		in->number = r->numbers++;
		store_path(&to, r, in->number);
		if (same && rename(mlb_buf_str(&from), mlb_buf_str(&to)) == 0)
			mlb_vec_push(&r->kept, *in);
		else
			free(in->path);
	}
	r->input.n = 0;
	mlb_buf_release(&to);
	mlb_buf_release(&from);
}

void
mlb_root_give(struct mlb_root_stock *rs, struct mlb_root *r)
{
	drop_store(r); /* what this action did not want again */
	keep_inputs(r);
	r->busy = false;
	if (mlb_root_clean(r, NULL) == 0)
		return;
	/* It cannot be trusted: the next action gets another one. */
	(void)mlb_fs_remove_tree(r->dir, NULL);
	(void)mlb_fs_remove_tree(r->store, NULL);
	for (size_t i = 0; i < rs->root.n; i++)
		if (rs->root.v[i] == r)
			rs->root.v[i] = rs->root.v[--rs->root.n];
	free_root(r);
}
