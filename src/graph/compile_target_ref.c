/* ${NAME}, ${NAME:OUT}, ${NAME@k=v}, ${NAME:list}: the words they stand for, and the inputs they are. */
#include <string.h>

#include "base/nearest.h"
#include "graph/compile.h"
#include "os/path.h"

const char *
mlb_c_shown_path(struct mlb_comp *c, const char *path, const char *dir)
{
	if (strcmp(dir, ".") != 0) {
		mlb_path_relative(&c->full, path, dir);
		path = mlb_arena_strdup(&c->tmp, mlb_buf_str(&c->full));
	}
	return *path == '-' ? mlb_arena_printf(&c->tmp, "./%s", path) : path;
}

/* ------------------------------------------------------------ which output */

static uint32_t
n_plain(const struct mlb_target *t)
{
	return (uint32_t)t->out.n + (t->path.s != NULL);
}

static void
list_outs(struct mlb_comp *c, const struct mlb_target *t, const char *ref_text,
	  const struct mlb_text *where)
{
	mlb_buf_clear(&c->full);
	for (size_t i = 0; i < t->out.n; i++)
		mlb_buf_addf(&c->full, "%s${%s:%s}", i > 0 ? ", " : "", t->name, t->out.v[i].name);
	mlb_c_error(c, where, "%s: '%s' has several outputs; write one of %s", ref_text, t->name,
		    mlb_buf_str(&c->full));
}

static int
plain_out(struct mlb_comp *c, const struct mlb_target *t, const char *ref_text,
	  const struct mlb_text *where)
{
	if (n_plain(t) == 1)
		return 0;
	for (size_t i = 0; i < t->out.n; i++)
		if (*t->out.v[i].name == '\0')
			return (int)i;
	if (t->out.n > 0)
		list_outs(c, t, ref_text, where);
	else if (t->metrics.s)
		mlb_c_error(c, where, "%s: '%s' has no `out`; its metrics are ${%s:metrics}",
			    ref_text, t->name, t->name);
	else
		mlb_c_error(c, where, "%s: '%s' has no output", ref_text, t->name);
	return -1;
}

int
mlb_c_which_out(struct mlb_comp *c, const struct mlb_c_target *ct, const char *out,
		const char *ref_text, const struct mlb_text *where)
{
	const struct mlb_target *t = ct->t;
	const char **names;
	const char *near;

	if (*out == '\0' || strcmp(out, "list") == 0)
		return plain_out(c, t, ref_text, where);
	if (strcmp(out, "metrics") == 0 && t->metrics.s)
		return (int)n_plain(t);
	for (size_t i = 0; i < t->out.n; i++)
		if (strcmp(t->out.v[i].name, out) == 0)
			return (int)i;
	names = mlb_arena_alloc(&c->tmp, (t->out.n + 1) * sizeof(*names));
	for (size_t i = 0; i < t->out.n; i++)
		names[i] = t->out.v[i].name;
	near = mlb_nearest(out, names, t->out.n);
	mlb_c_error(c, where, "%s: '%s' has no output '%s'%s%s", ref_text, t->name, out,
		    near ? "; nearest: " : "", near ? near : "");
	return -1;
}

/* ------------------------------------------------------------ which target */

/* Other tools write params.lr, or ${output}: what that is here, without its braces; NULL: no idea. */
static const char *
our_form(struct mlb_comp *c, const char *name)
{
	static const char *const reserved[] = { "each",   "env", "matrix", "metrics",
						"params", "out", "scratch" };
	const char *dot = strchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : strlen(name);
	const char *head = mlb_arena_strndup(&c->tmp, name, len);
	const char *near;

	if (strcmp(name, "output") == 0 || strcmp(name, "outputs") == 0)
		return "out";
	if (dot && (mlb_name_reserved(head) || mlb_c_find(c, head)))
		return mlb_arena_printf(&c->tmp, "%s:%s", head, dot + 1);
	near = dot ? NULL : mlb_nearest(name, reserved, MLB_ARRAY_LEN(reserved));
	return near;
}

static void
report_unknown(struct mlb_comp *c, const struct mlb_c_work *w, const struct mlb_ref *ref,
	       const struct mlb_text *where)
{
	const char *near = mlb_c_nearest_target(c, ref->name);
	const char *form = near ? NULL : our_form(c, ref->name);
	const char *inst = c->inst.v[w->inst].name;

	if (near)
		mlb_c_error(c, where, "in '%s': %s: there is no target '%s'; nearest: %s", inst,
			    ref->text, ref->name, near);
	else if (form)
		mlb_c_error(c, where,
			    "in '%s': %s: there is no target '%s'; did you mean ${%s%s%s}?", inst,
			    ref->text, ref->name, form, *ref->out ? ":" : "", ref->out);
	else
		mlb_c_error(
			c, where,
			"in '%s': %s: there is no target '%s'; the shell's own variable is $%s or $%s",
			inst, ref->text, ref->name, ref->name, ref->text);
}

static bool
may_read(struct mlb_comp *c, const struct mlb_c_work *w, const struct mlb_c_target *to,
	 const struct mlb_ref *ref, const struct mlb_text *where)
{
	const char *inst = c->inst.v[w->inst].name;

	if (to->t->kind == MLB_K_CHECK) {
		mlb_c_error(
			c, where,
			"in '%s': %s: the check '%s' is never an input; to wait for it, name it in `needs`",
			inst, ref->text, ref->name);
		return false;
	}
	if (to->t->kind == MLB_K_TASK) {
		mlb_c_error(c, where, "in '%s': %s: the task '%s' has no outputs", inst, ref->text,
			    ref->name);
		return false;
	}
	if (w->sources_only && !to->t->path.s) {
		mlb_c_error(
			c, where,
			"in '%s': %s: a fingerprint is taken before anything is made, so it cannot read '%s'",
			inst, ref->text, ref->name);
		return false;
	}
	return true;
}

static void
add_list(struct mlb_comp *c, struct mlb_c_work *w)
{
	w->last_list = (uint32_t)w->list.n;
	for (size_t i = 0; i < c->bound.n; i++)
		mlb_vec_push(&w->list, c->bound.v[i]);
}

bool
mlb_c_target_ref(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_ref *ref,
		 enum mlb_in_why why, const struct mlb_text *where)
{
	const struct mlb_c_target *to = mlb_c_find(c, ref->name);
	uint32_t last = MLB_NONE;
	int k;

	if (!to) {
		if (!mlb_c_lost_target(c, ref->name))
			report_unknown(c, w, ref, where);
		return false;
	}
	if (!may_read(c, w, to, ref, where) || !mlb_c_bind(c, w->inst, to, ref, where))
		return false;
	k = mlb_c_which_out(c, to, ref->out, ref->text, where);
	if (k < 0)
		return false;
	if (strcmp(ref->out, "list") == 0)
		add_list(c, w);
	for (size_t i = 0; i < c->bound.n; i++) {
		uint32_t ord = c->inst.v[c->bound.v[i]].ord;
		uint32_t path = c->out.v[to->out + ord * to->n_outs + (uint32_t)k].path;

		if (!w->sources_only)
			mlb_c_add_input(c, w, path, why, MLB_NONE);
		if (path != last)
			mlb_vec_push(&c->words,
				     mlb_c_shown_path(c, mlb_c_path_text(c, path), w->dir));
		last = path;
	}
	return true;
}
