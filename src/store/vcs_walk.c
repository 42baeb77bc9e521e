#include "store/vcs_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "store/vcs_git.h"

/* A commit that was seen; found by its id. */
struct seen {
	git_oid id;
	git_oid file; /* id of the file in it */
	bool has_file;
	bool looked;  /* the two above are known */
	bool hidden;  /* it belongs to what is left out */
	bool done;    /* it was taken out of the queue */
	int64_t time; /* s */
};

struct waiting {
	struct seen *s;
	git_commit *commit; /* owned until it is taken */
};

struct walk {
	struct mlb_vcs *v;
	const char *path; /* of the repository */
	struct mlb_arena arena;
	struct mlb_strmap seen;        /* by binary id */
	MLB_VEC(struct waiting) queue; /* in the order in which they were met */
};

static void
walk_init(struct walk *w, struct mlb_vcs *v)
{
	*w = (struct walk){ .v = v, .arena = MLB_ARENA_INIT, .seen = MLB_STRMAP_INIT };
}

static void
walk_release(struct walk *w)
{
	for (size_t i = 0; i < w->queue.n; i++)
		w->v->git.commit_free(w->queue.v[i].commit);
	mlb_vec_release(&w->queue);
	mlb_strmap_release(&w->seen);
	mlb_arena_release(&w->arena);
}

static struct seen *
seen_of(struct walk *w, const git_oid *id, bool *is_new)
{
	struct mlb_strmap_entry *e;
	struct seen *s;

	e = mlb_strmap_find(&w->seen, (const char *)id->id, sizeof(id->id));
	*is_new = !e;
	if (e)
		return e->u.ptr;
	s = mlb_arena_alloc(&w->arena, sizeof(*s));
	s->id = *id;
	mlb_strmap_add(&w->seen, (const char *)s->id.id, sizeof(s->id.id), NULL)->u.ptr = s;
	return s;
}

/* What is not there is beyond the end of a shallow clone. */
static struct seen *
push(struct walk *w, const git_oid *id)
{
	struct waiting next = { NULL, NULL };
	bool is_new;

	next.s = seen_of(w, id, &is_new);
	if (!is_new)
		return next.s;
	if (w->v->git.commit_lookup(&next.commit, w->v->repo, id) == 0) {
		next.s->time = w->v->git.commit_time(next.commit);
		mlb_vec_push(&w->queue, next);
	}
	return next.s;
}

/* The latest, of equal ones the first that was met. */
static bool
take(struct walk *w, struct waiting *out)
{
	size_t best = 0;

	if (!w->queue.n)
		return false;
	for (size_t i = 1; i < w->queue.n; i++)
		if (w->queue.v[i].s->time > w->queue.v[best].s->time)
			best = i;
	*out = w->queue.v[best];
	w->queue.n--;
	memmove(&w->queue.v[best], &w->queue.v[best + 1],
		(w->queue.n - best) * sizeof(*w->queue.v));
	out->s->done = true;
	return true;
}

static int
push_rev(struct walk *w, const char *rev, struct seen **out, struct mlb_err *err)
{
	char hex[MLB_OID_HEX + 1];
	git_oid id;
	int rc = mlb_vcs_resolve(w->v, rev, hex, err);

	if (rc == 0 && w->v->git.oid_fromstr(&id, hex) < 0)
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' is no commit", rev);
	if (rc == 0)
		*out = push(w, &id);
	return rc;
}

/* ------------------------------------------------------------ one file */

static void
look(struct walk *w, struct seen *s, const git_commit *commit)
{
	const struct mlb_git *g = &w->v->git;
	git_commit *own = NULL;
	git_tree *tree = NULL;
	git_tree_entry *entry = NULL;

	if (s->looked)
		return;
	s->looked = true;
	if (!commit && g->commit_lookup(&own, w->v->repo, &s->id) < 0)
		return;
	if (g->commit_tree(&tree, commit ? commit : own) == 0 &&
	    g->tree_entry_bypath(&entry, tree, w->path) == 0 &&
	    (g->tree_entry_filemode(entry) & 0170000) == (GIT_FILEMODE_BLOB & 0170000)) {
		s->file = *g->tree_entry_id(entry);
		s->has_file = true;
	}
	if (entry)
		g->tree_entry_free(entry);
	if (tree)
		g->tree_free(tree);
	if (own)
		g->commit_free(own);
}

static bool
same_file(const struct seen *a, const struct seen *b)
{
	return a->has_file == b->has_file &&
	       (!a->has_file || memcmp(&a->file, &b->file, sizeof(a->file)) == 0);
}

static void
file_hex(const struct walk *w, const struct seen *s, char out[MLB_OID_HEX + 1])
{
	out[0] = '\0';
	if (s->has_file)
		w->v->git.oid_tostr(out, MLB_OID_HEX + 1, &s->file);
}

/* Of the commit that was taken; its parents are pushed. */
static int
tell(struct walk *w, const struct waiting *at, mlb_vcs_step_fn *fn, void *ctx, struct mlb_err *err)
{
	const struct mlb_git *g = &w->v->git;
	unsigned n = g->commit_parentcount(at->commit);
	char commit[MLB_OID_HEX + 1], file[MLB_OID_HEX + 1];
	char(*hex)[MLB_OID_HEX + 1] = mlb_calloc(n + 1, sizeof(*hex));
	char(*id)[MLB_OID_HEX + 1] = mlb_calloc(n + 1, sizeof(*id));
	const char **before = mlb_calloc(n + 1, sizeof(*before));
	const char **above = mlb_calloc(n + 1, sizeof(*above));
	const git_signature *author = g->commit_author(at->commit);
	const char *subject = g->commit_summary(at->commit);
	struct mlb_vcs_step step = {
		.commit = commit,
		.author = author && author->name ? author->name : "",
		.subject = subject ? subject : "",
		.time = at->s->time * 1000000000,
		.file = file,
		.parent = above,
		.before = before,
	};
	int rc;

	look(w, at->s, at->commit);
	step.changed = true;
	for (unsigned i = 0; i < n; i++) {
		struct seen *parent = push(w, g->commit_parent_id(at->commit, i));

		look(w, parent, NULL);
		file_hex(w, parent, hex[i]);
		g->oid_tostr(id[i], MLB_OID_HEX + 1, &parent->id);
		above[i] = id[i];
		before[step.n_before++] = hex[i];
		step.changed = step.changed && !same_file(at->s, parent);
	}
	if (n == 0)
		step.changed = at->s->has_file;
	g->oid_tostr(commit, sizeof(commit), &at->s->id);
	file_hex(w, at->s, file);
	rc = fn(ctx, &step, err);
	free(above);
	free(before);
	free(id);
	free(hex);
	return rc;
}

/* HEAD, branches, and tags; what is no commit is passed over. */
static int
push_all(struct walk *w, struct mlb_err *err)
{
	static const char *const kinds[] = { "refs/heads/", "refs/remotes/", "refs/tags/" };
	struct mlb_strvec ref = MLB_VEC_INIT;
	struct seen *ignored;
	git_oid id;
	bool unborn;
	int rc = mlb_git_head_id(w->v, &id, &unborn, err);

	if (rc == 0 && !unborn)
		push(w, &id);
	for (size_t i = 0; i < MLB_ARRAY_LEN(kinds) && rc == 0; i++)
		rc = mlb_vcs_refs(w->v, kinds[i], &ref, err);
	for (size_t i = 0; i < ref.n && rc == 0; i++)
		push_rev(w, ref.v[i], &ignored, NULL);
	mlb_strvec_release(&ref);
	return rc;
}

int
mlb_vcs_walk(struct mlb_vcs *v, const char *const *rev, size_t n, const char *path,
	     mlb_vcs_step_fn *fn, void *ctx, struct mlb_err *err)
{
	struct walk w;
	struct waiting at;
	struct seen *ignored;
	int rc = 0;

	walk_init(&w, v);
	w.path = mlb_arena_strdup(&w.arena, mlb_git_path(v, path));
	if (n == 0)
		rc = push_all(&w, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = push_rev(&w, rev[i], &ignored, err);
	while (rc == 0 && take(&w, &at)) {
		rc = tell(&w, &at, fn, ctx, err);
		v->git.commit_free(at.commit);
	}
	walk_release(&w);
	return rc;
}

/* ------------------------------------------------------------ FROM..TO */

struct range {
	struct walk w;
	MLB_VEC(struct seen *) found; /* that `to` reaches, as far as we know */
	int64_t oldest;               /* of them, s */
};

/* Can something that waits still show that a commit found belongs to `from`? */
static bool
undecided(const struct range *r)
{
	for (size_t i = 0; i < r->w.queue.n; i++)
		if (!r->w.queue.v[i].s->hidden || r->w.queue.v[i].s->time >= r->oldest)
			return true;
	return false;
}

/* It belongs to `from`, and so does all that it was already found to reach. */
static void
hide(struct range *r, struct seen *s)
{
	MLB_VEC(struct seen *) todo = MLB_VEC_INIT;

	mlb_vec_push(&todo, s);
	while (todo.n) {
		git_commit *commit;

		s = todo.v[--todo.n];
		if (s->hidden)
			continue;
		s->hidden = true;
		if (!s->done || r->w.v->git.commit_lookup(&commit, r->w.v->repo, &s->id) < 0)
			continue;
		for (unsigned i = 0; i < r->w.v->git.commit_parentcount(commit); i++) {
			bool is_new;

			mlb_vec_push(&todo, seen_of(&r->w, r->w.v->git.commit_parent_id(commit, i),
						    &is_new));
		}
		r->w.v->git.commit_free(commit);
	}
	mlb_vec_release(&todo);
}

static void
visit(struct range *r, const struct waiting *at)
{
	const struct mlb_git *g = &r->w.v->git;

	if (!at->s->hidden) {
		mlb_vec_push(&r->found, at->s);
		r->oldest = MLB_MIN(r->oldest, at->s->time);
	}
	for (unsigned i = 0; i < g->commit_parentcount(at->commit); i++) {
		struct seen *parent = push(&r->w, g->commit_parent_id(at->commit, i));

		if (at->s->hidden)
			hide(r, parent);
	}
}

int
mlb_vcs_range(struct mlb_vcs *v, const char *from, const char *to, size_t max,
	      struct mlb_strvec *out, struct mlb_err *err)
{
	struct range r = { .found = MLB_VEC_INIT, .oldest = INT64_MAX };
	struct waiting at;
	struct seen *first, *last;
	size_t shown = 0;
	int rc;

	walk_init(&r.w, v);
	rc = push_rev(&r.w, from, &first, err);
	if (rc == 0)
		rc = push_rev(&r.w, to, &last, err);
	if (rc == 0)
		first->hidden = true;
	while (rc == 0 && undecided(&r) && take(&r.w, &at)) {
		visit(&r, &at);
		v->git.commit_free(at.commit);
	}
	for (size_t i = r.found.n; rc == 0 && i-- > 0;) {
		char hex[MLB_OID_HEX + 1];

		if (r.found.v[i]->hidden)
			continue;
		if (++shown > max)
			rc = mlb_err_set(err, MLB_ETOOBIG, "'%s..%s' has more than %zu commits",
					 from, to, max);
		v->git.oid_tostr(hex, sizeof(hex), &r.found.v[i]->id);
		mlb_strvec_push(out, hex);
	}
	mlb_vec_release(&r.found);
	walk_release(&r.w);
	return rc;
}
