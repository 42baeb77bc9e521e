/* Looking up paths in HEAD. libgit2 keeps no large tree in memory, so the last ones are kept here. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

/* A directory of HEAD. */
struct mlb_head_level {
	const char *name; /* one component */
	git_tree *tree;
};

int
mlb_head_open(struct mlb_head *out, struct mlb_vcs *v, struct mlb_err *err)
{
	bool unborn;
	int rc;

	memset(out, 0, sizeof(*out));
	out->v = v;
	rc = mlb_git_head_id(v, &out->id, &unborn, err);
	if (rc < 0 || unborn)
		return rc;
	if (v->git.commit_lookup(&out->commit, v->repo, &out->id) < 0 ||
	    v->git.commit_tree(&out->tree, out->commit) < 0)
		return mlb_git_fail(v, err, MLB_EINVALID, "cannot read HEAD of '%s'", v->workdir);
	return 0;
}

int
mlb_head_open_as(struct mlb_head *out, struct mlb_vcs *v, const char *parent, const char *tree,
		 struct mlb_err *err)
{
	const struct mlb_git *g = &v->git;
	git_commit *from = NULL;
	git_oid id;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	out->v = v;
	if (parent[0] && (g->oid_fromstr(&out->id, parent) < 0 ||
			  g->commit_lookup(&out->commit, v->repo, &out->id) < 0))
		return mlb_git_fail(v, err, MLB_EINVALID, "cannot read the commit %s", parent);
	if (g->oid_fromstr(&id, tree) < 0 || g->commit_lookup(&from, v->repo, &id) < 0 ||
	    g->commit_tree(&out->tree, from) < 0)
		rc = mlb_git_fail(v, err, MLB_EINVALID, "cannot read the commit %s", tree);
	if (from)
		g->commit_free(from);
	return rc;
}

static void
close_levels(struct mlb_head *h, size_t keep)
{
	while (h->level.n > keep)
		h->v->git.tree_free(h->level.v[--h->level.n].tree);
}

void
mlb_head_close(struct mlb_head *h)
{
	close_levels(h, 0);
	mlb_vec_release(&h->level);
	mlb_arena_release(&h->arena);
	if (h->tree)
		h->v->git.tree_free(h->tree);
	if (h->commit)
		h->v->git.commit_free(h->commit);
}

/* Go down to a directory below the one of the level before. */
static bool
open_level(struct mlb_head *h, size_t depth, const char *name, size_t len)
{
	const struct mlb_git *g = &h->v->git;
	const git_tree *above = depth ? h->level.v[depth - 1].tree : h->tree;
	struct mlb_head_level l = { mlb_arena_strndup(&h->arena, name, len), NULL };
	const git_tree_entry *e = g->tree_entry_byname(above, l.name);

	if (!e || g->tree_entry_filemode(e) != GIT_FILEMODE_TREE ||
	    g->tree_lookup(&l.tree, h->v->repo, g->tree_entry_id(e)) < 0)
		return false;
	mlb_vec_push(&h->level, l);
	return true;
}

unsigned
mlb_head_find(struct mlb_head *h, const char *path, git_oid *id)
{
	const git_tree_entry *e;
	size_t depth = 0;

	if (!h->tree)
		return 0;
	for (const char *slash; (slash = strchr(path, '/')) != NULL; path = slash + 1, depth++) {
		size_t len = (size_t)(slash - path);
		const char *name = depth < h->level.n ? h->level.v[depth].name : "";

		if (strncmp(name, path, len) == 0 && !name[len])
			continue;
		close_levels(h, depth);
		if (!open_level(h, depth, path, len))
			return 0;
	}
	e = h->v->git.tree_entry_byname(depth ? h->level.v[depth - 1].tree : h->tree, path);
	if (!e)
		return 0;
	*id = *h->v->git.tree_entry_id(e);
	return h->v->git.tree_entry_filemode(e);
}

/* What is being listed. */
struct below {
	const struct mlb_git *git;
	struct mlb_strvec *out;
	const char *dir;
};

static int
add_below(const char *root, const git_tree_entry *e, void *ctx)
{
	struct below *b = ctx;

	if (b->git->tree_entry_filemode(e) != GIT_FILEMODE_TREE)
		mlb_vec_push(b->out, mlb_asprintf("%s%s%s%s", b->dir, b->dir[0] ? "/" : "", root,
						  b->git->tree_entry_name(e)));
	return 0;
}

int
mlb_head_list(struct mlb_head *h, const char *dir, struct mlb_strvec *out)
{
	struct below b = { &h->v->git, out, dir };
	git_tree *tree = h->tree;
	git_oid id;
	int rc = 0;

	if (dir[0] && (mlb_head_find(h, dir, &id) != GIT_FILEMODE_TREE ||
		       h->v->git.tree_lookup(&tree, h->v->repo, &id) < 0))
		return 0;
	if (tree)
		rc = h->v->git.tree_walk(tree, GIT_TREEWALK_PRE, add_below, &b);
	if (tree != h->tree)
		h->v->git.tree_free(tree);
	return rc;
}
