/*
 * The commit with some changes of HEAD, and its reference.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

/* Whether a path is below one of these. */
static bool
is_below(const struct mlb_strmap *paths, const char *path)
{
	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/'))
		if (mlb_strmap_find(paths, path, (size_t)(s - path)))
			return true;
	return false;
}

/*
 * What is below something dropped goes with it.  Where nothing is set in the
 * place of what is dropped, all is one list: no tree is written in between.
 */
static void
unite(struct mlb_git_changes *p)
{
	struct mlb_strmap dropped = MLB_STRMAP_INIT;
	bool apart = false;
	size_t kept = 0;

	for (size_t i = 0; i < p->drop.n; i++)
		mlb_strmap_add(&dropped, p->drop.v[i].path, strlen(p->drop.v[i].path), NULL);
	for (size_t i = 0; i < p->drop.n; i++)
		if (!is_below(&dropped, p->drop.v[i].path))
			p->drop.v[kept++] = p->drop.v[i];
	p->drop.n = kept;
	for (size_t i = 0; i < p->set.n && !apart; i++)
		apart = is_below(&dropped, p->set.v[i].path) ||
			mlb_strmap_find(&dropped, p->set.v[i].path, strlen(p->set.v[i].path));
	for (; !apart && p->drop.n; p->drop.n--)
		mlb_vec_push(&p->set, p->drop.v[p->drop.n - 1]);
	mlb_strmap_release(&dropped);
}

/* The tree with these changes; *tree is replaced. */
static int
change_tree(struct mlb_head *h, git_tree **tree, const struct mlb_git_updates *list,
	    struct mlb_err *err)
{
	const struct mlb_git *g = &h->v->git;
	git_tree *changed;
	git_oid id;

	if (g->tree_create_updated(&id, h->v->repo, *tree, list->n, list->v) < 0 ||
	    g->tree_lookup(&changed, h->v->repo, &id) < 0)
		return mlb_git_fail(h->v, err, MLB_ESYSTEM, "cannot write a tree to git");
	if (*tree && *tree != h->tree)
		g->tree_free(*tree);
	*tree = changed;
	return 0;
}

/* The whole text of a commit's message. */
static char *
message_of(const struct mlb_pin_spec *spec)
{
	const char *trailers = spec->trailers ? spec->trailers : "";
	size_t len = strlen(trailers);

	return mlb_asprintf("%s\n%s%s%s", spec->subject ? spec->subject : MLB_PIN_SUBJECT,
			    len ? "\n" : "", trailers,
			    len && trailers[len - 1] != '\n' ? "\n" : "");
}

static int
write_commit(struct mlb_head *h, const git_tree *tree, const char *message, git_oid *out,
	     struct mlb_err *err)
{
	const struct mlb_git *g = &h->v->git;
	const git_commit *parents[] = { h->commit };
	git_signature *nobody = NULL;
	git_buf text = { NULL, 0, 0 };
	git_odb *odb = NULL;
	int rc = h->commit ? 0 : g->signature_new(&nobody, "mlbuild", "mlbuild@localhost", 0, 0);

	if (rc == 0)
		rc = g->commit_create_buffer(&text, h->v->repo,
					     nobody ? nobody : g->commit_author(h->commit),
					     nobody ? nobody : g->commit_committer(h->commit), NULL,
					     message, tree, h->commit ? 1 : 0, parents);
	if (rc == 0)
		rc = g->repository_odb(&odb, h->v->repo);
	if (rc == 0)
		rc = g->odb_write(out, odb, text.ptr, text.size, GIT_OBJECT_COMMIT);
	if (rc < 0)
		rc = mlb_git_fail(h->v, err, MLB_ESYSTEM, "cannot write a snapshot to git");
	if (odb)
		g->odb_free(odb);
	if (nobody)
		g->signature_free(nobody);
	g->buf_dispose(&text);
	return rc;
}

int
mlb_git_snapshot(struct mlb_head *h, struct mlb_git_changes *changes,
		 const struct mlb_pin_spec *spec, char out[MLB_OID_HEX + 1], struct mlb_err *err)
{
	char *message = message_of(spec);
	git_tree *tree = h->tree;
	git_oid id;
	int rc = 0;

	unite(changes);
	if (changes->drop.n)
		rc = change_tree(h, &tree, &changes->drop, err);
	if (rc == 0 && (changes->set.n || !tree))
		rc = change_tree(h, &tree, &changes->set, err);
	if (rc == 0)
		rc = write_commit(h, tree, message, &id, err);
	if (rc == 0) {
		h->v->git.oid_tostr(out, MLB_OID_HEX + 1, &id);
		rc = mlb_git_keep_ref(h->v, spec->refs ? spec->refs : MLB_PINS, out, err);
	}
	if (tree && tree != h->tree)
		h->v->git.tree_free(tree);
	free(message);
	return rc;
}
