/*
 * --into DIR. The directory is the user's, and so is everything in it that the
 * cache does not have: such bytes are moved aside, never deleted. The workspace,
 * what the project reads, and the cache are no place for artifacts.
 */
#include "engine/into.h"

#include <stdlib.h>
#include <string.h>

#include "os/fs.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_PATH_BYTES = 64 * 1024 };

/* ------------------------------------------------------------ where to */

/* Is it a path of the graph, or a directory in which `needs` looks? Every project has its root listed. */
static bool
in_graph(const struct mlb_project *p, const char *rel)
{
	char *listing = mlb_asprintf("./%s", rel);
	bool is = mlb_project_path_index(p, rel) != MLB_NONE ||
		  mlb_project_path_index(p, listing) != MLB_NONE;

	free(listing);
	return is;
}

/* What of the project a path (relative to the workspace) is, is in, or has inside, into out; "" if nothing. */
static void
owner_of(struct mlb_buf *out, const struct mlb_project *p, const char *rel)
{
	struct mlb_buf up = MLB_BUF_INIT(MAX_PATH_BYTES), below = MLB_BUF_INIT(MAX_PATH_BYTES);
	uint32_t next;

	mlb_buf_clear(out);
	mlb_buf_adds(&below, rel);
	mlb_buf_addc(&below, '/');
	next = mlb_graph_path_from(p->graph, mlb_buf_str(&below));
	if (next < p->graph->n_paths && mlb_path_inside(mlb_g_path(p->graph, next), rel))
		mlb_buf_adds(out, mlb_g_path(p->graph, next));
	mlb_buf_adds(&up, rel);
	while (!out->len && strcmp(mlb_buf_str(&up), ".") != 0) {
		if (in_graph(p, mlb_buf_str(&up)))
			mlb_buf_adds(out, mlb_buf_str(&up));
		mlb_path_dir(&below, mlb_buf_str(&up));
		mlb_buf_clear(&up);
		mlb_buf_adds(&up, mlb_buf_str(&below));
	}
	mlb_buf_release(&below);
	mlb_buf_release(&up);
}

static bool
is_gits_own(const char *path)
{
	for (const char *s = path; (s = strstr(s, "/.git")) != NULL; s++)
		if (s[5] == '/' || s[5] == '\0')
			return true;
	return false;
}

/* A place, absolute and without links, where nothing of the workspace or the cache may be. */
static int
check_place(struct mlb_project *p, const char *into, const char *place, struct mlb_err *err)
{
	struct mlb_buf root = MLB_BUF_INIT(MAX_PATH_BYTES), owner = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_buf cache = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = mlb_fs_real(&root, p->root, err);

	if (rc == 0)
		rc = mlb_fs_real(&cache, mlb_cas_dir(p->cas), err);
	if (rc == 0 && (is_gits_own(place) || mlb_path_inside(place, mlb_buf_str(&cache))))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'--into %s' leads into the cache or into git's own directory: "
				 "name another directory",
				 into);
	if (rc == 0 && strcmp(place, mlb_buf_str(&root)) == 0)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'--into %s' is the workspace, which a variant leaves alone: "
				 "name another directory",
				 into);
	if (rc == 0 && mlb_path_inside(place, mlb_buf_str(&root))) {
		const char *rel = place + root.len + (root.len > 1);

		if (mlb_path_inside(rel, ".mlbuild"))
			mlb_buf_adds(&owner, ".mlbuild");
		else
			owner_of(&owner, p, rel);
		if (owner.len)
			rc = mlb_err_set(err, MLB_EINVALID,
					 "'--into %s' would change the workspace, where '%s' is the "
					 "project's: name another directory",
					 into, mlb_buf_str(&owner));
	}
	mlb_buf_release(&cache);
	mlb_buf_release(&owner);
	mlb_buf_release(&root);
	return rc;
}

/*
 * The directory itself: something in it stands for the artifacts, because it
 * may hold files of the project that no artifact takes the place of.
 */
static int
check_dir(struct mlb_project *p, const char *into, const char *dir, struct mlb_err *err)
{
	struct mlb_buf real = MLB_BUF_INIT(MAX_PATH_BYTES), in = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_buf root = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = mlb_fs_real(&real, dir, err);

	if (rc)
		mlb_err_wrap(err, "--into %s", into);
	if (rc == 0)
		rc = mlb_fs_real(&root, p->root, err);
	if (rc == 0 && strcmp(mlb_buf_str(&real), mlb_buf_str(&root)) == 0)
		rc = check_place(p, into, mlb_buf_str(&root), err);
	mlb_path_join(&in, mlb_buf_str(&real), "an artifact");
	if (rc == 0)
		rc = check_place(p, into, mlb_buf_str(&in), err);
	mlb_buf_release(&root);
	mlb_buf_release(&in);
	mlb_buf_release(&real);
	return rc;
}

/* Where an output goes: its parents may be links. */
static int
check_output(struct mlb_project *p, const char *into, const char *dir, const char *output,
	     struct mlb_err *err)
{
	struct mlb_buf to = MLB_BUF_INIT(MAX_PATH_BYTES), parent = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_buf real = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc;

	mlb_path_join(&to, dir, output);
	mlb_path_dir(&parent, mlb_buf_str(&to));
	rc = mlb_fs_real(&real, mlb_buf_str(&parent), err);
	if (rc) {
		mlb_err_wrap(err, "--into %s", into);
	} else {
		mlb_path_join(&parent, mlb_buf_str(&real), mlb_path_base(output));
		rc = check_place(p, into, mlb_buf_str(&parent), err);
	}
	mlb_buf_release(&real);
	mlb_buf_release(&parent);
	mlb_buf_release(&to);
	return rc;
}

int
mlb_into_check(struct mlb_plan *plan, const char *into, struct mlb_err *err)
{
	const struct mlb_graph *g = plan->g;
	struct mlb_buf dir = MLB_BUF_INIT(MAX_PATH_BYTES);
	int rc = mlb_path_absolute(&dir, into, err);

	if (rc == 0)
		rc = mlb_project_cache(plan->p, err);
	if (rc == 0)
		rc = check_dir(plan->p, into, mlb_buf_str(&dir), err);
	for (uint32_t n = 0; n < g->n_nodes && rc == 0; n++) {
		if (!plan->node[n].asked || g->node[n].flags & MLB_G_SOURCE)
			continue;
		for (uint32_t i = 0; i < g->node[n].out.n && rc == 0; i++)
			rc = check_output(plan->p, into, mlb_buf_str(&dir),
					  mlb_g_path(g, g->output[g->node[n].out.first + i].path),
					  err);
	}
	mlb_buf_release(&dir);
	return rc;
}

/* ------------------------------------------------------------ putting */

/* What is at the place of an artifact; kind 0 where that can be no artifact of ours. */
static struct mlb_now
what_is_there(const char *to, const struct mlb_stat *st)
{
	struct mlb_now now = { .kind = 0 };

	if (st->type == MLB_F_FILE && mlb_fs_hash(&now.digest, &now.size, to, NULL) == 0)
		now.kind = st->exec ? MLB_O_EXEC : MLB_O_FILE;
	else if (st->type == MLB_F_DIR &&
		 mlb_tree_store(&now.digest, &now.size, to, NULL, NULL) == 0)
		now.kind = MLB_O_TREE;
	return now;
}

static int
keep(struct mlb_builder *b, const char *to, struct mlb_err *err)
{
	char *name = mlb_asprintf("into%s", to);
	char *kept = mlb_aside_for(b, name);
	int rc = mlb_fs_mkparents(kept, err);

	if (rc == 0)
		rc = mlb_fs_move(to, kept, err);
	if (rc == 0)
		mlb_note_kept(b, to, kept);
	free(kept);
	free(name);
	return rc;
}

/* Make room; *same where the artifact is there already. */
static int
clear(struct mlb_builder *b, const struct mlb_now *want, const char *to, bool *same,
      struct mlb_err *err)
{
	uint8_t kind = want->kind == MLB_O_METRICS ? MLB_O_FILE : want->kind;
	struct mlb_stat st;
	struct mlb_now there;
	bool sure = false;
	int rc = mlb_fs_lstat(&st, to, err);

	*same = false;
	if (rc || st.type == MLB_F_ABSENT)
		return rc;
	there = what_is_there(to, &st);
	*same = there.kind == kind && mlb_digest_equal(&there.digest, &want->digest);
	if (*same)
		return 0;
	if (there.kind == MLB_O_TREE)
		sure = mlb_tree_sure(b->p->cas, &there.digest);
	else if (there.kind)
		sure = mlb_cas_sure(b->p->cas, &there.digest);
	if (!sure)
		return keep(b, to, err);
	if ((there.kind == MLB_O_TREE) != (kind == MLB_O_TREE))
		return mlb_fs_remove_tree(to, err);
	return 0;
}

int
mlb_into_put(struct mlb_builder *b, uint32_t output, const char *to, struct mlb_err *err)
{
	const struct mlb_now *now = &b->plan->out[output];
	bool same = false;
	int rc = mlb_fs_mkparents(to, err);

	if (rc == 0)
		rc = clear(b, now, to, &same, err);
	if (rc || same)
		return rc;
	if (now->kind == MLB_O_TREE)
		return mlb_tree_checkout(b->p->cas, &now->digest, to, MLB_LINK_COPY, err);
	return mlb_cas_link(b->p->cas, &now->digest, to, now->kind == MLB_O_EXEC, MLB_LINK_COPY,
			    err);
}
