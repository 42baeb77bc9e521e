/* `needs`: targets, files, directories, globs, params:, env: and checks. */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "graph/compile.h"
#include "graph/glob.h"
#include "graph/near_path.h"
#include "os/path.h"
#include "store/scan.h"

/* One word of `needs`. */
struct need {
	struct mlb_comp *c;
	struct mlb_c_work *w;
	const struct mlb_text *where;
	const char *word;
};

static const char *
instance_name(const struct need *n)
{
	return n->c->inst.v[n->w->inst].name;
}

static void
fail(struct need *n)
{
	n->w->failed = true;
}

/* Does the word stand in [defaults]? A target's own come after its header, in the same file. */
static bool
is_default(const struct mlb_target *t, const struct mlb_text *word)
{
	return word->line < t->line || !word->file || !t->file || strcmp(word->file, t->file) != 0;
}

/* Does the word name this instance, or something that it makes? */
static bool
names_itself(struct need *n, const char *word)
{
	struct mlb_ref ref;
	uint32_t path, owner;

	if (mlb_ref_target(&ref, &n->c->tmp, word) && mlb_c_find(n->c, ref.name))
		return mlb_c_find(n->c, ref.name) == n->w->ct;
	if (mlb_path_normalize(&n->c->scratch, word, NULL) < 0)
		return false;
	path = mlb_c_path_find(n->c, mlb_buf_str(&n->c->scratch), n->c->scratch.len);
	owner = path == MLB_NONE ? MLB_NONE : mlb_c_owner(n->c, path);
	return owner != MLB_NONE && n->c->path_info.v[owner].producer == n->w->inst;
}

/* What [defaults] says that every target needs does not need itself, nor its fellows there. */
static bool
is_exempt(struct need *n)
{
	const struct mlb_target *t = n->w->ct->t;

	if (!is_default(t, n->where))
		return false;
	for (size_t i = 0; i < t->needs.n; i++)
		if (is_default(t, &t->needs.v[i]) && names_itself(n, t->needs.v[i].s))
			return true;
	return false;
}

/* ------------------------------------------------------------ params and env */

static void
need_params(struct need *n, const char *pattern)
{
	const struct mlb_params *params = &n->c->config->params;
	struct mlb_strvec names = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_params_match(params, pattern, &names, &err) < 0) {
		if (!n->c->config->lost_params)
			mlb_c_take(n->c, n->where, &n->c->inst.v[n->w->inst], &err);
		mlb_err_release(&err);
		fail(n);
	}
	for (size_t i = 0; i < names.n; i++)
		mlb_c_param(n->c, n->w, mlb_params_get(params, names.v[i]));
	mlb_strvec_release(&names);
}

static bool
is_variable(const char *s)
{
	if (*s == '\0' || (*s >= '0' && *s <= '9'))
		return false;
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || *s == '_'))
			return false;
	return true;
}

static void
need_env(struct need *n, const char *name)
{
	const struct mlb_target *t = n->w->ct->t;
	const char *value = getenv(name);
	struct mlb_g_pair pair;

	for (size_t i = 0; i < t->secret.n; i++)
		if (strcmp(t->secret.v[i].s, name) == 0) {
			mlb_c_error(
				n->c, n->where,
				"in '%s': '%s' is a secret, and a secret is in no key: it cannot be needed",
				instance_name(n), name);
			fail(n);
			return;
		}
	if (!is_variable(name)) {
		mlb_c_error(n->c, n->where,
			    "in '%s': '%s' is not the name of an environment variable",
			    instance_name(n), name);
		fail(n);
		return;
	}
	pair.name = mlb_c_str(n->c, name);
	pair.value = value ? mlb_c_str(n->c, value) : MLB_NONE;
	for (size_t i = 0; i < n->w->env.n; i++)
		if (n->w->env.v[i].name == pair.name)
			return; /* env.NAME sets it */
	mlb_c_env_fact(n->c, name);
	mlb_vec_push(&n->w->env, pair);
}

/* ------------------------------------------------------------ targets */

static void
need_check(struct need *n, const struct mlb_c_target *to, const struct mlb_ref *ref)
{
	if (!mlb_c_bind(n->c, n->w->inst, to, ref, n->where)) {
		fail(n);
		return;
	}
	for (size_t i = 0; i < n->c->bound.n; i++) {
		struct mlb_c_edge edge = { n->c->bound.v[i], n->w->inst };

		mlb_vec_push(&n->c->gate, edge);
	}
}

static void
need_target(struct need *n, const struct mlb_c_target *to, struct mlb_ref *ref)
{
	const struct mlb_target *t = to->t;

	if (is_exempt(n))
		return;
	if (t->kind == MLB_K_CHECK) {
		need_check(n, to, ref);
		return;
	}
	if (t->kind == MLB_K_TASK) {
		mlb_c_error(n->c, n->where,
			    "in '%s': '%s' is a task, which runs only when it is named",
			    instance_name(n), t->name);
		fail(n);
		return;
	}
	if (*ref->out != '\0' || t->out.n <= 1) {
		if (*ref->out == '\0' && t->out.n == 0 && !t->path.s)
			ref->out = "metrics";
		if (!mlb_c_target_ref(n->c, n->w, ref, MLB_IN_NEEDS, n->where))
			fail(n);
		return;
	}
	for (size_t i = 0; i < t->out.n && !n->w->failed; i++) {
		ref->out = t->out.v[i].name;
		if (!mlb_c_target_ref(n->c, n->w, ref, MLB_IN_NEEDS, n->where))
			fail(n);
	}
}

/* ------------------------------------------------------------ globs and directories */

/* Sources only: neither outputs nor what git or .mlbuildignore ignores. A directory's path ends in '/'. */
static bool
keep_source(void *ctx, const char *path)
{
	struct mlb_comp *c = ctx;
	size_t len = strlen(path);
	uint32_t p = mlb_c_path(c, mlb_arena_strndup(&c->tmp, path,
						     path[len - 1] == '/' ? len - 1 : len));
	uint32_t owner = mlb_c_owner(c, p);

	if (owner != MLB_NONE)
		return (c->inst.v[c->path_info.v[owner].producer].node.flags & MLB_G_SOURCE) != 0;
	return !mlb_c_ignored(c, p) && !mlb_c_left_out(c, path);
}

static struct mlb_c_u32s *
expand_glob(struct need *n, const char *pattern)
{
	struct mlb_comp *c = n->c;
	struct mlb_c_u32s *found = mlb_strmap_get(&c->glob, pattern);
	struct mlb_strvec files = MLB_VEC_INIT;
	struct mlb_strvec dirs = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	if (found)
		return found;
	found = mlb_arena_alloc(&c->arena, sizeof(*found));
	mlb_strmap_set(&c->glob, mlb_arena_strdup(&c->arena, pattern), found);
	if (mlb_glob_files(&files, &dirs, c->in->root, pattern, keep_source, c, &err) < 0)
		mlb_c_take(c, n->where, &c->inst.v[n->w->inst], &err);
	mlb_c_left_out_check(c, n->where, &c->inst.v[n->w->inst]);
	for (size_t i = 0; i < files.n; i++) {
		uint32_t p = mlb_c_path(c, files.v[i]);

		mlb_c_exists_fact(c, p);
		mlb_vec_push(found, p);
	}
	for (size_t i = 0; i < dirs.n; i++)
		mlb_c_searched(c, dirs.v[i]);
	mlb_strvec_release(&files);
	mlb_strvec_release(&dirs);
	return found;
}

static void
need_glob(struct need *n, const char *pattern)
{
	const struct mlb_c_u32s *found = expand_glob(n, pattern);

	if (found->n == 0) {
		mlb_c_error(
			n->c, n->where,
			n->c->in->vcs
				? "in '%s': no file matches '%s' (outputs and what git or .mlbuildignore ignores are not looked at)%s"
				: "in '%s': no file matches '%s' (outputs and what .mlbuildignore names are not looked at)%s",
			instance_name(n), n->word, mlb_c_glob_outputs(n->c, n->w->inst, pattern));
		fail(n);
	}
	for (size_t i = 0; i < found->n; i++) {
		uint32_t owner = mlb_c_owner(n->c, found->v[i]);

		mlb_c_add_input(n->c, n->w, owner != MLB_NONE ? owner : found->v[i], MLB_IN_NEEDS,
				MLB_NONE);
	}
}

/* The files of a directory that git would keep; all of it, as one tree, where git ignores it. */
static void
need_dir(struct need *n, uint32_t path)
{
	const char *text = mlb_c_path_text(n->c, path);
	struct mlb_c_dir dir = { path, n->where, n->w->inst };
	struct mlb_buf pattern = MLB_BUF_INIT(SIZE_MAX / 2);

	mlb_vec_push(&n->c->dir, dir);
	if (mlb_c_ignored(n->c, path)) {
		mlb_c_add_input(n->c, n->w, path, MLB_IN_NEEDS, MLB_NONE);
		return;
	}
	if (strcmp(text, ".") != 0) {
		mlb_glob_escape(&pattern, text);
		mlb_buf_addc(&pattern, '/');
	}
	mlb_buf_adds(&pattern, "**");
	need_glob(n, mlb_arena_strdup(&n->c->tmp, mlb_buf_str(&pattern)));
	mlb_buf_release(&pattern);
}

/* ------------------------------------------------------------ paths */

/* The nearest output, source or neighbour of a path that is not there. */
static const char *
nearest_path(struct mlb_comp *c, const char *path)
{
	const char *param = mlb_str_starts(path, "params.") ? path + strlen("params.") : NULL;
	MLB_VEC(const char *) names = MLB_VEC_INIT;
	const char *target = mlb_c_nearest_target(c, path);
	const char *near;

	if (param && mlb_params_get(&c->config->params, param))
		return mlb_arena_printf(&c->tmp, "params:%s", param);
	for (uint32_t p = 0; p < c->path.n && c->suggestions < 20; p++)
		if (c->path_info.v[p].producer != MLB_NONE)
			mlb_vec_push(&names, mlb_c_path_text(c, p));
	near = mlb_near_path(&c->tmp, c->in->root, path, names.v, names.n);
	mlb_vec_release(&names);
	return near ? near : target;
}

static void
report_missing(struct need *n, const char *path)
{
	const char *link = mlb_dangling(&n->c->tmp, n->c->in->root, path);
	const char *near = nearest_path(n->c, path);

	fail(n);
	if (link)
		mlb_c_error(n->c, n->where,
			    "in '%s': '%s' in needs is a symbolic link to '%s', which is not there",
			    instance_name(n), n->word, link);
	else if (!mlb_c_lost_outputs(n->c))
		mlb_c_error(n->c, n->where,
			    "in '%s': '%s' in needs is neither a file nor an output of a target%s%s",
			    instance_name(n), n->word, near ? "; nearest: " : "", near ? near : "");
}

static void
need_owned(struct need *n, uint32_t owner)
{
	uint32_t producer = n->c->path_info.v[owner].producer;

	if (is_exempt(n))
		return;
	if (producer == n->w->inst) {
		mlb_c_error(n->c, n->where, "in '%s': '%s' in needs is its own output",
			    instance_name(n), n->word);
		fail(n);
	} else if (n->c->inst.v[producer].node.kind == MLB_K_CHECK) {
		mlb_c_error(
			n->c, n->where,
			"in '%s': '%s' is an output of the check '%s', and a check is never an input; name the check itself",
			instance_name(n), n->word, n->c->inst.v[producer].name);
		fail(n);
	} else {
		mlb_c_add_input(n->c, n->w, owner, MLB_IN_NEEDS, MLB_NONE);
	}
}

static void
need_path(struct need *n)
{
	struct mlb_comp *c = n->c;
	uint32_t path;

	if (mlb_path_normalize(&c->scratch, n->word, NULL) < 0) {
		mlb_c_error(c, n->where, "in '%s': '%s' in needs lies outside the project",
			    instance_name(n), n->word);
		fail(n);
		return;
	}
	path = mlb_c_path(c, mlb_buf_str(&c->scratch));
	if (mlb_c_owner(c, path) != MLB_NONE) {
		need_owned(n, mlb_c_owner(c, path));
		return;
	}
	mlb_c_exists_fact(c, path);
	switch (mlb_c_look(c, path)) {
	case MLB_P_FILE:
	case MLB_P_EXEC:
		mlb_c_add_input(c, n->w, path, MLB_IN_NEEDS, MLB_NONE);
		break;
	case MLB_P_TREE:
		need_dir(n, path);
		break;
	default:
		report_missing(n, mlb_c_path_text(c, path));
	}
}

/* ------------------------------------------------------------ one word */

/* A file whose name has a glob character in it. */
static bool
is_there(struct mlb_comp *c, const char *word)
{
	return mlb_path_normalize(&c->scratch, word, NULL) == 0 &&
	       mlb_c_look(c, mlb_c_path(c, mlb_buf_str(&c->scratch))) != MLB_P_ABSENT;
}

static void
need_word(struct need *n)
{
	struct mlb_ref ref;
	const struct mlb_c_target *to = NULL;

	if (mlb_str_starts(n->word, "params:")) {
		need_params(n, n->word + strlen("params:"));
		return;
	}
	if (mlb_str_starts(n->word, "env:")) {
		need_env(n, n->word + strlen("env:"));
		return;
	}
	if (mlb_ref_target(&ref, &n->c->tmp, n->word))
		to = mlb_c_find(n->c, ref.name);
	if (to)
		need_target(n, to, &ref);
	else if (mlb_glob_is(n->word) && !is_there(n->c, n->word))
		need_glob(n, n->word), mlb_c_glob_used(n->c, n->w->inst, n->word, n->where);
	else
		need_path(n);
}

void
mlb_c_needs(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_text_vec *needs = &w->ct->t->needs;

	for (size_t i = 0; i < needs->n; i++) {
		struct need n = { c, w, &needs->v[i], needs->v[i].s };
		size_t before = c->input.n;

		if (strstr(n.word, "${")) {
			mlb_buf_clear(&c->text);
			if (!mlb_c_subst(c, w, &needs->v[i],
					 MLB_C_CONST | MLB_C_FORM(MLB_REF_TARGET), false,
					 &c->text)) {
				fail(&n);
				continue;
			}
			n.word = mlb_arena_strdup(&c->tmp, mlb_buf_str(&c->text));
			for (size_t k = before; k < c->input.n; k++)
				if (c->input.v[k].why == MLB_IN_REF)
					c->input.v[k].why = MLB_IN_NEEDS;
			if (c->input.n > before)
				continue; /* it named a target */
		}
		need_word(&n);
	}
}
