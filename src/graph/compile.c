#include "graph/compile.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"

#define MAX_SUGGESTIONS 20

/* ------------------------------------------------------------ messages */

void
mlb_c_error(struct mlb_comp *c, const struct mlb_text *where, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	mlb_diag_add(&c->diag, where->file ? where->file : "", where->line, "%s", text);
	free(text);
}

void
mlb_c_take(struct mlb_comp *c, const struct mlb_text *where, const struct mlb_c_inst *inst,
	   struct mlb_err *err)
{
	mlb_c_error(c, where, "in '%s': %s", inst->name, err->text ? err->text : "unknown error");
	mlb_err_release(err);
}

const char *
mlb_c_nearest_target(struct mlb_comp *c, const char *name)
{
	if (c->suggestions++ >= MAX_SUGGESTIONS)
		return NULL;
	if (!c->names) {
		c->names = mlb_arena_alloc(&c->arena, (c->n_targets + 1) * sizeof(*c->names));
		for (uint32_t i = 0; i < c->n_targets; i++)
			c->names[i] = c->target[i].t->name;
	}
	return mlb_nearest(name, c->names, c->n_targets);
}

const char *
mlb_c_some(struct mlb_comp *c, const char *const *words, uint32_t n)
{
	mlb_buf_clear(&c->full);
	mlb_add_some(&c->full, words, n);
	return mlb_arena_strdup(&c->tmp, mlb_buf_str(&c->full));
}

bool
mlb_c_lost_target(const struct mlb_comp *c, const char *name)
{
	return c->config->lost_targets || mlb_strmap_find(&c->config->lost, name, strlen(name));
}

bool
mlb_c_lost_outputs(const struct mlb_comp *c)
{
	if (c->config->lost_targets || c->config->lost.n)
		return true;
	for (uint32_t i = 0; i < c->n_targets; i++) {
		const struct mlb_target *t = c->target[i].t;

		if (t->broken && !t->out.n && !t->path.s)
			return true;
	}
	return false;
}

const char *
mlb_c_target_name(const struct mlb_comp *c, uint32_t inst)
{
	return c->target[c->inst.v[inst].target].t->name;
}

void
mlb_c_place(const struct mlb_comp *c, uint32_t inst, struct mlb_text *out)
{
	const struct mlb_target *t = c->target[c->inst.v[inst].target].t;

	out->s = t->name;
	out->file = t->file;
	out->line = t->line;
}

/* ------------------------------------------------------------ names, paths, texts */

struct mlb_c_target *
mlb_c_find(struct mlb_comp *c, const char *name)
{
	const struct mlb_strmap_entry *e = mlb_strmap_find(&c->by_name, name, strlen(name));

	return e ? &c->target[e->u.num] : NULL;
}

uint32_t
mlb_c_path_find(const struct mlb_comp *c, const char *path, size_t len)
{
	const struct mlb_strmap_entry *e = mlb_strmap_find(&c->path, path, len);

	return e ? (uint32_t)(e - c->path.entry) : MLB_NONE;
}

uint32_t
mlb_c_path(struct mlb_comp *c, const char *path)
{
	size_t len = strlen(path);
	bool is_new;
	struct mlb_strmap_entry *e = mlb_strmap_add(&c->path, path, len, &is_new);

	if (is_new) {
		struct mlb_c_path info = { .producer = MLB_NONE, .owner = MLB_NONE };

		e->key = mlb_arena_strndup(&c->arena, path, len);
		mlb_vec_push(&c->path_info, info);
	}
	return (uint32_t)(e - c->path.entry);
}

const char *
mlb_c_path_text(const struct mlb_comp *c, uint32_t path)
{
	return c->path.entry[path].key;
}

mlb_str
mlb_c_str_new(struct mlb_comp *c, const char *s, size_t len)
{
	size_t at = c->str.len;

	if (len == 0)
		return 0;
	mlb_buf_add(&c->str, s, len);
	mlb_buf_add(&c->str, "", 1);
	return (mlb_str)at;
}

mlb_str
mlb_c_str(struct mlb_comp *c, const char *s)
{
	size_t len = strlen(s);
	bool is_new;
	struct mlb_strmap_entry *e;

	if (len == 0)
		return 0;
	e = mlb_strmap_add(&c->str_map, s, len, &is_new);
	if (is_new) {
		e->key = mlb_arena_strndup(&c->arena, s, len);
		e->u.num = mlb_c_str_new(c, s, len);
	}
	return (mlb_str)e->u.num;
}

/* ------------------------------------------------------------ the whole */

static bool
is_made(void *ctx, const char *path)
{
	const struct mlb_comp *c = ctx;
	uint32_t p = mlb_c_path_find(c, path, strlen(path));
	uint32_t by = p == MLB_NONE ? MLB_NONE : c->path_info.v[p].producer;

	return by != MLB_NONE && !(c->inst.v[by].node.flags & MLB_G_SOURCE);
}

static void
init(struct mlb_comp *c, const struct mlb_compile *in)
{
	memset(c, 0, sizeof(*c));
	c->in = in;
	c->config = in->config;
	mlb_buf_init(&c->str, UINT32_MAX - 1);
	mlb_buf_add(&c->str, "", 1);
	mlb_buf_init(&c->text, MLB_C_TEXT);
	mlb_buf_init(&c->scratch, MLB_C_TEXT);
	mlb_buf_init(&c->full, MLB_C_TEXT);
	mlb_left_outs_init(&c->left_outs, open(in->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	mlb_py_init(&c->py, in->root);
	mlb_diag_append(&c->diag, &in->config->diag);
	c->py.made = is_made;
	c->py.ctx = c;
}

static void
release(struct mlb_comp *c)
{
	for (uint32_t i = 0; i < c->n_targets; i++)
		for (uint32_t k = 0; k < c->target[i].n_keys; k++)
			mlb_strmap_release(&c->target[i].key[k].index);
	for (uint32_t i = 0; i < c->glob.n; i++)
		mlb_vec_release((struct mlb_c_u32s *)c->glob.entry[i].u.ptr);
	for (uint32_t i = 0; i < c->reached.n; i++)
		mlb_vec_release((struct mlb_c_u32s *)c->reached.entry[i].u.ptr);
	mlb_diag_release(&c->diag);
	mlb_strmap_release(&c->by_name);
	mlb_vec_release(&c->inst);
	mlb_vec_release(&c->out);
	mlb_strmap_release(&c->path);
	mlb_vec_release(&c->path_info);
	mlb_vec_release(&c->input);
	mlb_vec_release(&c->index);
	mlb_vec_release(&c->gate);
	mlb_vec_release(&c->guard);
	mlb_vec_release(&c->dir);
	mlb_vec_release(&c->fact);
	mlb_strmap_release(&c->env);
	mlb_strmap_release(&c->ignore_dir);
	if (c->left_outs.root >= 0)
		close(c->left_outs.root);
	mlb_left_outs_release(&c->left_outs);
	mlb_strmap_release(&c->out_dir);
	mlb_strmap_release(&c->glob);
	mlb_strmap_release(&c->reached);
	mlb_vec_release(&c->glob_used);
	mlb_py_release(&c->py);
	mlb_buf_release(&c->str);
	mlb_strmap_release(&c->str_map);
	mlb_vec_release(&c->pair);
	mlb_vec_release(&c->exec);
	mlb_strmap_release(&c->exec_map);
	mlb_vec_release(&c->pool_use);
	mlb_vec_release(&c->output);
	mlb_vec_release(&c->strs);
	mlb_vec_release(&c->order);
	free(c->defaults);
	mlb_buf_release(&c->text);
	mlb_buf_release(&c->scratch);
	mlb_buf_release(&c->full);
	mlb_vec_release(&c->words);
	mlb_vec_release(&c->bound);
	mlb_arena_release(&c->tmp);
	mlb_arena_release(&c->arena);
}

int
mlb_graph_compile(struct mlb_graph **out, const struct mlb_compile *in, struct mlb_err *err)
{
	struct mlb_comp c;
	int rc;

	init(&c, in);
	mlb_c_expand(&c);
	mlb_c_outputs(&c);
	mlb_c_resolve(&c);
	mlb_c_check_dirs(&c);
	mlb_c_glob_notes(&c);
	if (mlb_c_order(&c, false)) {
		mlb_c_gates(&c);
		mlb_c_order(&c, true);
	}
	c.defaults = mlb_c_defaults(&c);
	rc = mlb_diag_finish(&c.diag, err);
	if (rc == 0) {
		mlb_c_facts(&c);
		rc = mlb_c_flatten(&c, out, err);
	}
	release(&c);
	return rc;
}
