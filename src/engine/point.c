#include "engine/point.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/rev.h"
#include "graph/glob.h"
#include "store/vcs_walk.h"

enum { MOST_COMMITS = 1000 };

void
mlb_points_release(struct mlb_points *s)
{
	mlb_vec_release(&s->all);
	mlb_vec_release(&s->made);
	mlb_arena_release(&s->arena);
}

static void
push(struct mlb_points *s, const struct mlb_point *at, const struct mlb_point_made *made)
{
	const struct mlb_point_made none = { .run = NULL };

	mlb_vec_push(&s->all, *at);
	mlb_vec_push(&s->made, made ? *made : none);
}

void
mlb_points_add_workspace(struct mlb_points *s)
{
	const struct mlb_point here = { MLB_POINT_WORKSPACE, "", "", 0 };

	push(s, &here, NULL);
}

static int
add_commit(struct mlb_points *s, struct mlb_project *p, const char *name, const char *commit,
	   const struct mlb_point_made *made, struct mlb_err *err)
{
	struct mlb_vcs_commit c = { .id = "" };
	int rc = mlb_vcs_commit_info(p->vcs, commit, &c, err);

	if (rc == 0) {
		const struct mlb_point at = {
			.name = mlb_arena_strdup(&s->arena, name),
			.commit = mlb_arena_strdup(&s->arena, commit),
			.subject = mlb_arena_strdup(&s->arena, c.subject),
			.time = c.time * 1000000000,
		};

		push(s, &at, made);
	}
	mlb_vcs_commit_release(&c);
	return rc;
}

static int
add_range(struct mlb_points *s, struct mlb_project *p, const char *word, const char *dots,
	  struct mlb_err *err)
{
	char *from = mlb_strndup(word, (size_t)(dots - word));
	struct mlb_strvec commit = MLB_VEC_INIT;
	struct mlb_rev a, b;
	int rc = mlb_find_rev(&a, p, *from ? from : "HEAD", err);

	memset(&b, 0, sizeof(b));
	if (rc == 0)
		rc = mlb_find_rev(&b, p, dots[2] ? dots + 2 : "HEAD", err);
	if (rc == 0)
		rc = mlb_vcs_range(p->vcs, a.commit, b.commit, MOST_COMMITS, &commit, err);
	for (size_t i = 0; i < commit.n && rc == 0; i++) {
		char *name = mlb_strndup(commit.v[i], 8);

		rc = add_commit(s, p, name, commit.v[i], NULL, err);
		free(name);
	}
	mlb_strvec_release(&commit);
	mlb_rev_release(&a);
	mlb_rev_release(&b);
	free(from);
	return rc;
}

/* What the word was built with by -p, which mlbuild.ini of its commit does not say. */
static int
add_params(struct mlb_points *s, struct mlb_point_made *made, struct mlb_project *p,
	   const struct mlb_rev *rev, const char *word, struct mlb_err *err)
{
	struct mlb_strvec param = MLB_VEC_INIT;
	int rc = mlb_rev_params(&param, p, rev, word, err);
	char **copy = mlb_arena_alloc(&s->arena, (param.n + 1) * sizeof(*copy));

	for (size_t i = 0; i < param.n; i++)
		copy[i] = mlb_arena_strdup(&s->arena, param.v[i]);
	made->param = copy;
	made->n_params = param.n;
	mlb_strvec_release(&param);
	return rc;
}

int
mlb_points_add(struct mlb_points *s, struct mlb_project *p, const char *word, struct mlb_err *err)
{
	const char *dots = strstr(word, "..");
	struct mlb_rev r;
	int rc;

	if (strcmp(word, MLB_POINT_WORKSPACE) == 0) {
		mlb_points_add_workspace(s);
		return 0;
	}
	if (dots && strchr(word, '/') != dots + 2)
		return add_range(s, p, word, dots, err);
	rc = mlb_find_rev(&r, p, word, err);
	if (rc == 0) {
		struct mlb_point_made made = { .run = NULL };

		if (r.what == MLB_REV_RUN)
			made.run = mlb_arena_strdup(&s->arena, word);
		if (r.what == MLB_REV_DIGEST && !r.locked) {
			made.target = mlb_arena_strdup(&s->arena, r.target);
			made.key = r.key;
		}
		rc = add_params(s, &made, p, &r, word, err);
		if (rc == 0)
			rc = add_commit(s, p, word, r.commit, &made, err);
	}
	mlb_rev_release(&r);
	return rc;
}

bool
mlb_is_revision(struct mlb_project *p, const char *word)
{
	struct mlb_points s = { .arena = MLB_ARENA_INIT };
	bool is = mlb_points_add(&s, p, word, NULL) == 0;

	mlb_points_release(&s);
	return is;
}

/* ---------------------------------------------------------- versions */

struct overlay {
	struct mlb_versions *out;
	struct mlb_project *p;
	const char *run;
	bool any;
};

/* The latest result of a key takes the place of what the lock says of the target. */
static void
put_result(struct mlb_versions *out, struct mlb_project *p, const char *target,
	   const struct mlb_digest *key)
{
	struct mlb_result *r = mlb_arena_alloc(&out->arena, sizeof(*r));

	if (mlb_results_find(p->results, r, &out->arena, key, NULL) == 0) {
		struct mlb_version v = mlb_version_of_result(
			r, mlb_arena_strdup(&out->arena, target), &out->arena);

		mlb_versions_put(out, &v);
	}
}

static int
put_action(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct overlay *o = ctx;

	(void)err;
	if (strcmp(a->what, "failed") != 0)
		put_result(o->out, o->p, a->node, &a->key);
	o->any = true;
	return 0;
}

/* Records name no targets: the lock does, by the paths of its outputs. */
static int
put_record(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct overlay *o = ctx;
	const char *target = NULL;

	(void)err;
	if (strcmp(r->run, o->run) != 0 || !r->n_outputs)
		return 0;
	for (size_t i = 0; i < o->out->all.n && !target; i++)
		if (o->out->all.v[i].n_outputs && !o->out->all.v[i].row &&
		    strcmp(o->out->all.v[i].output[0].path, r->output[0].path) == 0)
			target = o->out->all.v[i].name;
	put_result(o->out, o->p, target ? target : r->output[0].path, &r->key);
	return 0;
}

int
mlb_point_versions(struct mlb_versions *out, struct mlb_project *p, const struct mlb_points *s,
		   size_t i, struct mlb_err *err)
{
	const struct mlb_point_made *made = &s->made.v[i];
	struct overlay o = { out, p, made->run, false };
	const char *commit = s->all.v[i].commit;
	int rc = mlb_versions_at(out, p, commit[0] ? commit : NULL, err);

	if (rc == 0 && made->run)
		rc = mlb_run_actions(p->db, made->run, NULL, UINT32_MAX, put_action, &o, err);
	if (rc == 0 && made->run && !o.any) /* state.db was lost since */
		rc = mlb_results_each(p->results, put_record, &o, err);
	if (rc == 0 && !mlb_digest_is_zero(&made->key) && *made->target)
		put_result(out, p, made->target, &made->key);
	return rc;
}

/* ---------------------------------------------------------- mlbuild.ini of a commit */

struct reader {
	struct mlb_project *p;
	const char *commit;
	const char *pattern;
	struct mlb_strvec *out;
};

static int
read_file(void *ctx, const char *path, struct mlb_buf *out, struct mlb_err *err)
{
	const struct reader *r = ctx;

	return mlb_vcs_read(r->p->vcs, r->commit, path, out, err);
}

static int
match(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	const struct reader *r = ctx;

	(void)err;
	if (e->kind != MLB_VCS_SUBMODULE && mlb_glob_match(r->pattern, e->path))
		mlb_strvec_push(r->out, e->path);
	return 0;
}

static int
find_files(void *ctx, const char *pattern, struct mlb_strvec *out, struct mlb_err *err)
{
	struct reader *r = ctx;
	int rc;

	r->pattern = pattern;
	r->out = out;
	rc = mlb_vcs_tree_each(r->p->vcs, r->commit, ".", match, r, err);
	mlb_strvec_sort(out, true);
	return rc;
}

static int
set_params(struct mlb_config *c, const struct mlb_point_made *made, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < made->n_params && rc == 0; i++) {
		const char *value = strchr(made->param[i], '=');
		char *name = mlb_strndup(made->param[i], strcspn(made->param[i], "="));

		if (value)
			rc = mlb_params_set(&c->params, name, value + 1, "-p", 0, true, err);
		free(name);
	}
	return rc;
}

int
mlb_point_config(struct mlb_config **out, bool *own, struct mlb_project *p,
		 const struct mlb_points *s, size_t i, struct mlb_err *err)
{
	const struct mlb_point *at = &s->all.v[i];
	struct reader r = { .p = p, .commit = at->commit };
	const struct mlb_config_files files = { read_file, find_files, &r };
	int rc;

	*own = at->commit[0] != '\0';
	*out = NULL;
	if (!*own) {
		rc = mlb_project_config(p, err);
		*out = p->config;
		return rc;
	}
	rc = mlb_config_load_from(out, p->root, &files, err);
	if (rc < 0 && rc != MLB_ENOTFOUND)
		return mlb_err_wrap(err, "%s", at->name);
	if (rc < 0)
		mlb_err_release(err);
	return rc < 0 || !*out ? 0 : set_params(*out, &s->made.v[i], err);
}
