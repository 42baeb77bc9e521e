/* Each instance's command, arguments, environment and resources, and with them its inputs. */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "graph/compile.h"
#include "graph/shell_lex.h"
#include "mlbuild/sys/stage.h"
#include "os/path.h"

/* ------------------------------------------------------------ small values */

static struct mlb_range
add_pairs(struct mlb_comp *c, const struct mlb_g_pair *v, size_t n)
{
	struct mlb_range r = { (uint32_t)c->pair.n, (uint32_t)n };

	for (size_t i = 0; i < n; i++)
		mlb_vec_push(&c->pair, v[i]);
	return r;
}

static struct mlb_range
add_index(struct mlb_comp *c, const struct mlb_c_u32s *v)
{
	struct mlb_range r = { (uint32_t)c->index.n, (uint32_t)v->n };

	for (size_t i = 0; i < v->n; i++)
		mlb_vec_push(&c->index, v->v[i]);
	return r;
}

static int
by_name(const void *a, const void *b, void *ctx)
{
	const struct mlb_g_pair *x = a;
	const struct mlb_g_pair *y = b;
	const struct mlb_comp *c = ctx;

	return strcmp(mlb_buf_str(&c->str) + x->name, mlb_buf_str(&c->str) + y->name);
}

static void
sort_pairs(struct mlb_comp *c, struct mlb_g_pair *v, size_t n)
{
	if (n > 1)
		qsort_r(v, n, sizeof(*v), by_name, c);
}

/* The value with its references replaced, from the string table; `ok` is cleared after an error. */
static mlb_str
value_of(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value, unsigned forms,
	 bool shell)
{
	mlb_buf_clear(&c->text);
	if (!value->s)
		return 0;
	if (!mlb_c_subst(c, w, value, forms, shell, &c->text)) {
		w->failed = true;
		return 0;
	}
	return mlb_c_str(c, mlb_buf_str(&c->text));
}

/* ------------------------------------------------------------ parts */

/* Its words are what is started, so each reference stays within one of them. */
static void
resolve_shell(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_text *value = &w->ct->t->shell;
	mlb_str shell = value_of(c, w, value, MLB_C_CONST, true);
	struct mlb_strvec argv = MLB_VEC_INIT;

	c->inst.v[w->inst].node.shell = shell;
	if (value->s && strstr(value->s, "${") && !w->failed &&
	    !mlb_shell_simple(&argv, mlb_buf_str(&c->text))) {
		mlb_c_error(c, value, "in '%s': `shell` is not plain words: %s",
			    c->inst.v[w->inst].name, mlb_buf_str(&c->text));
		w->failed = true;
	}
	mlb_strvec_release(&argv);
}

static void
resolve_dir(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_text *value = &w->ct->t->dir;
	struct mlb_g_node *node = &c->inst.v[w->inst].node;

	w->dir = ".";
	if (value->s) {
		value_of(c, w, value, MLB_C_CONST | MLB_C_FORM(MLB_REF_TARGET), false);
		if (w->failed)
			return;
		if (mlb_path_normalize(&c->scratch, mlb_buf_str(&c->text), NULL) < 0) {
			mlb_c_error(c, value, "in '%s': `dir` lies outside the project: '%s'",
				    c->inst.v[w->inst].name, mlb_buf_str(&c->text));
			w->failed = true;
			return;
		}
		w->dir = mlb_arena_strdup(&c->tmp, mlb_buf_str(&c->scratch));
	}
	node->dir = mlb_c_str(c, w->dir);
	resolve_shell(c, w);
}

static bool
is_secret(const struct mlb_target *t, const char *name)
{
	for (size_t i = 0; i < t->secret.n; i++)
		if (strcmp(t->secret.v[i].s, name) == 0)
			return true;
	return false;
}

static void
resolve_env(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_target *t = w->ct->t;
	const unsigned forms = MLB_C_ALL &
			       ~(MLB_C_FORM(MLB_REF_EACH) | MLB_C_FORM(MLB_REF_SCRATCH));

	for (size_t i = 0; i < t->env.n; i++) {
		struct mlb_g_pair pair = { mlb_c_str(c, t->env.v[i].name), 0 };

		if (is_secret(t, t->env.v[i].name)) {
			mlb_c_error(
				c, &t->env.v[i].value,
				"in '%s': env.%s is in the key and in this file, so it cannot be a secret",
				c->inst.v[w->inst].name, t->env.v[i].name);
			w->failed = true;
		}
		if (t->each.s && strstr(t->env.v[i].value.s, "${out")) {
			mlb_c_error(c, &t->env.v[i].value,
				    "in '%s': the environment is the same for every file of `each`",
				    c->inst.v[w->inst].name);
			w->failed = true;
			continue;
		}
		pair.value = value_of(c, w, &t->env.v[i].value, forms, false);
		mlb_vec_push(&w->env, pair);
	}
}

static const char *
nearest_stage(const char *name)
{
	MLB_VEC(const char *) names = MLB_VEC_INIT;
	const char *near;

	for (const struct mlb_stage *const *s = mlb_stages(); *s; s++)
		mlb_vec_push(&names, (*s)->name);
	near = mlb_nearest(name, names.v, names.n);
	mlb_vec_release(&names);
	return near;
}

static const struct mlb_stage *
find_stage(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_text *use = &w->ct->t->use;
	const struct mlb_stage *stage = mlb_stage_find(use->s);
	const char *near;

	if (stage)
		return stage;
	w->failed = true;
	near = nearest_stage(use->s);
	if (!*mlb_stages())
		mlb_c_error(
			c, use,
			"in '%s': there is no stage '%s': this mlbuild has no built-in stages; use `run`",
			c->inst.v[w->inst].name, use->s);
	else
		mlb_c_error(c, use, "in '%s': there is no stage '%s'%s%s", c->inst.v[w->inst].name,
			    use->s, near ? "; nearest: " : "", near ? near : "");
	return NULL;
}

/* Is it an argument that the stage understands? */
static void
check_arg(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_stage *stage,
	  const struct mlb_named *arg)
{
	const char *near;
	size_t n = 0;

	for (; stage->arguments[n]; n++)
		if (strcmp(stage->arguments[n], arg->name) == 0)
			return;
	near = mlb_nearest(arg->name, stage->arguments, n);
	mlb_c_error(c, &arg->value, "in '%s': the stage '%s' has no argument '%s'%s%s",
		    c->inst.v[w->inst].name, stage->name, arg->name, near ? "; nearest: " : "",
		    near ? near : "");
	w->failed = true;
}

static void
resolve_args(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_target *t = w->ct->t;
	struct mlb_g_node *node = &c->inst.v[w->inst].node;
	const struct mlb_stage *stage = find_stage(c, w);
	MLB_VEC(struct mlb_g_pair) args = MLB_VEC_INIT;

	node->flags |= MLB_G_USE;
	if (!stage)
		return;
	node->command =
		mlb_c_str(c, mlb_arena_printf(&c->tmp, "%s %d", stage->name, stage->version));
	for (size_t i = 0; i < t->arg.n; i++) {
		struct mlb_g_pair pair = { mlb_c_str(c, t->arg.v[i].name), 0 };

		check_arg(c, w, stage, &t->arg.v[i]);
		pair.value = value_of(c, w, &t->arg.v[i].value, MLB_C_ALL, false);
		mlb_c_arg_words(c, w, mlb_arena_strdup(&c->tmp, mlb_buf_str(&c->text)),
				&t->arg.v[i].value);
		mlb_vec_push(&args, pair);
	}
	sort_pairs(c, args.v, args.n);
	c->inst.v[w->inst].node.arg = add_pairs(c, args.v, args.n);
	mlb_vec_release(&args);
}

static void
resolve_command(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_target *t = w->ct->t;
	const char *command;

	if (t->use.s) {
		resolve_args(c, w);
		return;
	}
	if (!t->run.s)
		return;
	mlb_buf_clear(&c->text);
	if (!mlb_c_subst(c, w, &t->run, MLB_C_ALL, true, &c->text)) {
		w->failed = true;
		return;
	}
	command = mlb_arena_strndup(&c->tmp, mlb_buf_str(&c->text), c->text.len);
	if (w->ct->posix && strstr(command, "\\\n")) {
		mlb_buf_clear(&c->text);
		mlb_shell_join(&c->text, command);
	}
	c->inst.v[w->inst].node.command = mlb_c_str_new(c, mlb_buf_str(&c->text), c->text.len);
	if (w->ct->posix)
		mlb_c_words(c, w, command, &t->run);
}

static void
resolve_fingerprints(struct mlb_comp *c, struct mlb_c_work *w)
{
	const struct mlb_target *t = w->ct->t;
	struct mlb_range *r = &c->inst.v[w->inst].node.fp;
	mlb_str *v;

	r->first = (uint32_t)c->strs.n;
	if (t->fingerprint.n == 0)
		return;
	w->sources_only = true;
	for (size_t i = 0; i < t->fingerprint.n; i++)
		mlb_vec_push(&c->strs, value_of(c, w, &t->fingerprint.v[i],
						MLB_C_CONST | MLB_C_FORM(MLB_REF_TARGET), true));
	w->sources_only = false;
	r->n = (uint32_t)(c->strs.n - r->first);
	v = c->strs.v + r->first;
	for (uint32_t i = 1; i < r->n; i++)
		for (uint32_t k = i; k > 0; k--) {
			mlb_str low = v[k - 1];

			if (strcmp(mlb_buf_str(&c->str) + low, mlb_buf_str(&c->str) + v[k]) <= 0)
				break;
			v[k - 1] = v[k];
			v[k] = low;
		}
}

/* ------------------------------------------------------------ resources */

static struct mlb_range
pools_of(struct mlb_comp *c, const struct mlb_target *t)
{
	struct mlb_range r = { (uint32_t)c->pool_use.n, 0 };

	for (size_t i = 0; i < t->pool.n; i++) {
		struct mlb_g_pool_use use = { MLB_NONE, 0 };

		use.slots = (uint32_t)strtoul(t->pool.v[i].value.s, NULL, 10);
		for (size_t k = 0; k < c->config->pool.n; k++)
			if (strcmp(c->config->pool.v[k].name, t->pool.v[i].name) == 0)
				use.pool = (uint32_t)k;
		if (use.pool == MLB_NONE)
			continue; /* said where the file was read */
		mlb_vec_push(&c->pool_use, use);
		r.n++;
	}
	return r;
}

/* Equal demands share a record: most targets have the default ones. */
static uint32_t
exec_of(struct mlb_comp *c, const struct mlb_target *t)
{
	struct mlb_g_exec e;
	struct mlb_strmap_entry *known;
	bool is_new;

	memset(&e, 0, sizeof(e));
	e.cpus = t->cpus;
	e.mem = t->mem;
	e.timeout = t->timeout_ns;
	e.retry_delay = t->retry_delay_ns;
	e.gpus = t->gpus;
	e.retries = t->retries;
	if (t->pool.n > 0)
		e.pool = pools_of(c, t);
	known = mlb_strmap_add(&c->exec_map, (const char *)&e, sizeof(e), &is_new);
	if (is_new) {
		known->key = mlb_arena_strndup(&c->arena, (const char *)&e, sizeof(e));
		known->u.num = c->exec.n;
		mlb_vec_push(&c->exec, e);
	}
	return (uint32_t)known->u.num;
}

static unsigned
flags_of(const struct mlb_target *t)
{
	unsigned flags = 0;

	if (t->frozen)
		flags |= MLB_G_FROZEN;
	if (!t->store)
		flags |= MLB_G_NO_STORE;
	if (!t->deterministic)
		flags |= MLB_G_NONDET;
	return flags;
}

/* ------------------------------------------------------------ one instance */

static void
finish(struct mlb_comp *c, struct mlb_c_work *w)
{
	struct mlb_g_node *node;
	const struct mlb_target *t = w->ct->t;
	uint32_t first;

	mlb_c_finish_inputs(c, w);
	node = &c->inst.v[w->inst].node;
	sort_pairs(c, w->param.v, w->param.n);
	sort_pairs(c, w->env.v, w->env.n);
	node->param = add_pairs(c, w->param.v, w->param.n);
	node->env = add_pairs(c, w->env.v, w->env.n);
	first = (uint32_t)c->pair.n;
	for (size_t i = 0; i < t->secret.n; i++) {
		struct mlb_g_pair pair = { mlb_c_str(c, t->secret.v[i].s), MLB_NONE };

		mlb_vec_push(&c->pair, pair);
	}
	node->secret.first = first;
	node->secret.n = (uint32_t)t->secret.n;
	node->list = add_index(c, &w->list);
	node->flags |= w->flags | flags_of(t);
	node->unset = mlb_c_str(c, w->unset);
}

static void
resolve_instance(struct mlb_comp *c, struct mlb_c_work *w, uint32_t inst, uint32_t exec)
{
	const struct mlb_target *t = w->ct->t;
	const char *dir;

	w->inst = inst;
	w->first_input = (uint32_t)c->input.n;
	w->list.n = w->param.n = w->env.n = w->search.n = 0;
	w->flags = 0;
	w->unset = "";
	w->failed = false;
	c->inst.v[inst].node.exec = exec;
	c->inst.v[inst].node.batch = 1;
	w->dir = ".";
	mlb_c_search_path(c, w);
	resolve_dir(c, w);
	if (!t->path.s && !w->failed) {
		resolve_env(c, w);
		if (t->dir.s || w->env.n > 0)
			mlb_c_search_path(c, w);
		resolve_command(c, w);
		resolve_fingerprints(c, w);
		dir = w->dir;
		w->dir = "."; /* needs and each are seen from the project's root */
		mlb_c_needs(c, w);
		if (t->each.s)
			mlb_c_each(c, w, &t->each);
		w->dir = dir;
	}
	finish(c, w);
	mlb_arena_release(&c->tmp);
}

static void
release_work(struct mlb_c_work *w)
{
	mlb_vec_release(&w->list);
	mlb_vec_release(&w->param);
	mlb_vec_release(&w->env);
	mlb_vec_release(&w->search);
}

void
mlb_c_resolve(struct mlb_comp *c)
{
	struct mlb_c_work w;

	memset(&w, 0, sizeof(w));
	for (uint32_t i = 0; i < c->n_targets; i++) {
		struct mlb_c_target *ct = &c->target[i];
		uint32_t exec = exec_of(c, ct->t);

		w.ct = ct;
		for (uint32_t k = 0; k < ct->n && !ct->failed; k++) {
			resolve_instance(c, &w, ct->first + k, exec);
			ct->failed = w.failed;
		}
	}
	c->n_explicit_gates = (uint32_t)c->gate.n;
	release_work(&w);
}
