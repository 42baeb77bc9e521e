/* `each`: the pattern, and whose files it is about. */
#include <string.h>

#include "graph/compile.h"
#include "graph/glob.h"
#include "os/path.h"

/* Neither what targets make nor what .mlbuildignore names. A directory's path ends in '/'. */
static bool
keep_made(void *ctx, const char *path)
{
	struct mlb_comp *c = ctx;
	size_t len = strlen(path);
	uint32_t p = mlb_c_path(c, mlb_arena_strndup(&c->tmp, path,
						     path[len - 1] == '/' ? len - 1 : len));
	uint32_t owner = mlb_c_owner(c, p);

	if (owner != MLB_NONE)
		return (c->inst.v[c->path_info.v[owner].producer].node.flags & MLB_G_SOURCE) != 0;
	return !mlb_c_left_out(c, path);
}

static bool
each_fail(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value, const char *why)
{
	mlb_c_error(c, value, "in '%s': `each` %s: '%s'", c->inst.v[w->inst].name, why, value->s);
	w->failed = true;
	return false;
}

/* The pattern, relative to the project, in c->scratch. */
static bool
each_pattern(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value)
{
	size_t before = c->input.n;
	bool ok;

	mlb_buf_clear(&c->text);
	w->glob = true;
	w->many = false;
	ok = mlb_c_subst(c, w, value, MLB_C_CONST | MLB_C_FORM(MLB_REF_TARGET), false, &c->text);
	w->glob = false;
	if (!ok) {
		w->failed = true;
		return false;
	}
	if (w->many)
		return each_fail(c, w, value, "names more than one directory");
	mlb_c_drop_inputs(c, before); /* the whole is not an input of each file's action */
	if (mlb_path_normalize(&c->scratch, mlb_buf_str(&c->text), NULL) < 0)
		return each_fail(c, w, value, "looks outside the project");
	if (!mlb_glob_is(mlb_buf_str(&c->scratch)))
		return each_fail(c, w, value, "needs a glob, such as ${images}/*.jpg");
	return true;
}

static void
each_nothing(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value,
	     const char *pattern)
{
	mlb_c_error(
		c, value,
		"in '%s': no file matches '%s' (outputs and what .mlbuildignore names are not looked at)%s",
		c->inst.v[w->inst].name, value->s, mlb_c_glob_outputs(c, w->inst, pattern));
	w->failed = true;
}

/* The project's own files, those that git ignores too: data often is. */
static void
each_files(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value)
{
	struct mlb_strvec files = MLB_VEC_INIT;
	struct mlb_strvec dirs = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	const char *pattern =
		mlb_arena_strdup(&c->tmp, mlb_buf_str(&c->str) + c->inst.v[w->inst].node.each_glob);

	if (mlb_glob_files(&files, &dirs, c->in->root, pattern, keep_made, c, &err) < 0)
		mlb_c_take(c, value, &c->inst.v[w->inst], &err);
	else if (files.n == 0)
		each_nothing(c, w, value, pattern);
	else
		mlb_c_glob_used(c, w->inst, pattern, value);
	mlb_c_left_out_check(c, value, &c->inst.v[w->inst]);
	for (size_t i = 0; i < files.n; i++) {
		uint32_t p = mlb_c_path(c, files.v[i]);

		mlb_c_exists_fact(c, p);
		mlb_c_add_input(c, w, p, MLB_IN_EACH, MLB_NONE);
	}
	for (size_t i = 0; i < dirs.n; i++)
		mlb_c_searched(c, dirs.v[i]);
	mlb_strvec_release(&files);
	mlb_strvec_release(&dirs);
}

void
mlb_c_each(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value)
{
	struct mlb_g_node *node = &c->inst.v[w->inst].node;
	struct mlb_buf dir = MLB_BUF_INIT(SIZE_MAX / 2);
	uint32_t owner;

	if (!each_pattern(c, w, value))
		return;
	node->each_glob = mlb_c_str(c, mlb_buf_str(&c->scratch));
	node->batch = w->ct->t->batch > 0 ? w->ct->t->batch : 1;
	mlb_glob_base(&dir, mlb_buf_str(&c->scratch));
	owner = mlb_c_owner(c, mlb_c_path(c, mlb_buf_str(&dir)));
	mlb_buf_release(&dir);
	if (owner == MLB_NONE) {
		each_files(c, w, value);
		return;
	}
	node->each_source = c->path_info.v[owner].producer;
	if (node->each_source == w->inst)
		each_fail(c, w, value, "looks into its own outputs");
	else
		mlb_c_add_input(c, w, owner, MLB_IN_EACH, MLB_NONE);
}
