/*
 * The text of an action, version 1. It is lines of bytes, each ended by \n:
 *
 *   mlbuild-action 1
 *   command TEXT            of `run`; or for a built-in stage
 *   stage NAME VERSION
 *   arg NAME VALUE          of the stage
 *   dir PATH                "." without
 *   shell TEXT              the prefix words; only where `shell` is given
 *   env NAME VALUE          `env NAME` alone: unset
 *   param NAME TEXT
 *   input KIND PATH DIGEST  KIND: file, exec, tree; none and 64 zeros while unknown
 *   fingerprint DIGEST TEXT
 *   output KIND PATH        KIND: file, tree, metrics
 *   stamp TEXT              of a frozen target that was updated
 *   salt TEXT               only where [cache] salt is set
 *
 * Types come in this order. Lines of one type are sorted bytewise and unique. In
 * every field a backslash and bytes below 0x20 are written \xHH, and in every
 * field but the last of its line spaces too; so the text can be cut at spaces
 * and line feeds, and two actions differ exactly if their texts do. A marker that
 * is still in a command (scratch, list) is part of the text.
 */
#include "graph/action.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "base/vec.h"
#include "store/result.h"

/* ------------------------------------------------------------ fields */

static void
add_field(struct mlb_buf *out, const char *s, bool last)
{
	static const char hex[] = "0123456789abcdef";

	for (;;) {
		size_t n = 0;

		while ((unsigned char)s[n] > 0x20 && s[n] != '\\')
			n++;
		mlb_buf_add(out, s, n);
		s += n;
		if (*s == '\0')
			return;
		if (*s == ' ' && last) {
			mlb_buf_addc(out, ' ');
		} else {
			char text[4] = { '\\', 'x', hex[(unsigned char)*s >> 4],
					 hex[(unsigned char)*s & 15] };

			mlb_buf_add(out, text, sizeof(text));
		}
		s++;
	}
}

static void
add_digest(struct mlb_buf *out, const struct mlb_digest *d)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, d);
	mlb_buf_add(out, hex, MLB_HEX_LEN);
}

static void
add_line(struct mlb_buf *out, const char *type, const char *text)
{
	mlb_buf_adds(out, type);
	mlb_buf_addc(out, ' ');
	add_field(out, text, true);
	mlb_buf_addc(out, '\n');
}

/* ------------------------------------------------------------ sorted lines */

/* Lines of one type, which were just added from `from` on. */
struct lines {
	struct mlb_buf *out;
	size_t from;
	size_t line; /* start of the last one */
	bool sorted; /* strictly, so far */
	size_t n;
};

static void
lines_begin(struct lines *l, struct mlb_buf *out)
{
	l->out = out;
	l->from = l->line = out->len;
	l->sorted = true;
	l->n = 0;
}

static int
compare_lines(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] == b[i] && a[i] != '\n')
		i++;
	if (a[i] == b[i])
		return 0;
	if (a[i] == '\n')
		return -1;
	if (b[i] == '\n')
		return 1;
	return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

/* A line that begins at `start` was ended. */
static void
lines_end_one(struct lines *l, size_t start)
{
	mlb_buf_addc(l->out, '\n');
	if (l->out->full)
		return;
	if (l->n++ > 0 && compare_lines(l->out->data + l->line, l->out->data + start) >= 0)
		l->sorted = false;
	l->line = start;
}

static int
compare_pointers(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return compare_lines(*x, *y);
}

static void
lines_finish(struct lines *l)
{
	MLB_VEC(const char *) line = MLB_VEC_INIT;
	char *copy;
	size_t len;

	if (l->sorted || l->out->full)
		return;
	len = l->out->len - l->from;
	copy = mlb_strndup(l->out->data + l->from, len);
	for (const char *p = copy; *p != '\0'; p = strchr(p, '\n') + 1)
		mlb_vec_push(&line, p);
	if (line.n > 1)
		qsort(line.v, line.n, sizeof(*line.v), compare_pointers);
	mlb_buf_truncate(l->out, l->from);
	for (size_t i = 0; i < line.n; i++)
		if (i == 0 || compare_lines(line.v[i - 1], line.v[i]) != 0)
			mlb_buf_add(l->out, line.v[i], strcspn(line.v[i], "\n") + 1);
	mlb_vec_release(&line);
	free(copy);
}

/* ------------------------------------------------------------ the text */

static void
add_pairs(struct mlb_buf *out, const struct mlb_graph *g, const char *type,
	  const struct mlb_g_pair *v, uint32_t n)
{
	struct lines l;

	lines_begin(&l, out);
	for (uint32_t i = 0; i < n; i++) {
		size_t start = out->len;

		mlb_buf_adds(out, type);
		mlb_buf_addc(out, ' ');
		add_field(out, mlb_g_str(g, v[i].name), v[i].value == MLB_NONE);
		if (v[i].value != MLB_NONE) {
			mlb_buf_addc(out, ' ');
			add_field(out, mlb_g_str(g, v[i].value), true);
		}
		lines_end_one(&l, start);
	}
	lines_finish(&l);
}

static void
add_args(struct mlb_buf *out, const struct mlb_action *a)
{
	struct lines l;

	lines_begin(&l, out);
	for (uint32_t i = 0; i < a->n_args; i++) {
		size_t start = out->len;

		mlb_buf_adds(out, "arg ");
		add_field(out, a->arg[i].name, false);
		mlb_buf_addc(out, ' ');
		add_field(out, a->arg[i].value, true);
		lines_end_one(&l, start);
	}
	lines_finish(&l);
}

static const char *
input_kind(uint8_t kind)
{
	switch (kind) {
	case MLB_O_FILE:
	case MLB_O_METRICS:
		return "file";
	case MLB_O_EXEC:
		return "exec";
	case MLB_O_TREE:
		return "tree";
	default:
		return "none";
	}
}

static void
add_inputs(struct mlb_buf *out, const struct mlb_action *a)
{
	struct lines l;

	lines_begin(&l, out);
	for (uint32_t i = 0; i < a->n_inputs; i++) {
		size_t start = out->len;

		mlb_buf_adds(out, "input ");
		mlb_buf_adds(out, input_kind(a->input[i].kind));
		mlb_buf_addc(out, ' ');
		add_field(out, a->input[i].path, false);
		mlb_buf_addc(out, ' ');
		add_digest(out, &a->input[i].digest);
		lines_end_one(&l, start);
	}
	lines_finish(&l);
}

static void
add_fingerprints(struct mlb_buf *out, const struct mlb_action *a)
{
	static const struct mlb_digest none;
	struct lines l;

	lines_begin(&l, out);
	for (uint32_t i = 0; i < a->n_fps; i++) {
		size_t start = out->len;

		mlb_buf_adds(out, "fingerprint ");
		add_digest(out, a->fp_digest ? &a->fp_digest[i] : &none);
		mlb_buf_addc(out, ' ');
		add_field(out, a->fp[i], true);
		lines_end_one(&l, start);
	}
	lines_finish(&l);
}

static void
add_outputs(struct mlb_buf *out, const struct mlb_action *a)
{
	static const char *const kinds[] = {
		[MLB_G_FILE] = "file", [MLB_G_DIR] = "tree", [MLB_G_METRICS] = "metrics"
	};
	struct lines l;

	lines_begin(&l, out);
	for (uint32_t i = 0; i < a->n_outputs; i++) {
		size_t start = out->len;

		mlb_buf_adds(out, "output ");
		mlb_buf_adds(out, kinds[a->output[i].kind]);
		mlb_buf_addc(out, ' ');
		add_field(out, a->output[i].path, true);
		lines_end_one(&l, start);
	}
	lines_finish(&l);
}

void
mlb_action_text(struct mlb_buf *out, const struct mlb_graph *g, const struct mlb_action *a)
{
	mlb_buf_adds(out, "mlbuild-action 1\n");
	add_line(out, a->use ? "stage" : "command", a->command);
	add_args(out, a);
	add_line(out, "dir", a->dir);
	if (*a->shell != '\0')
		add_line(out, "shell", a->shell);
	add_pairs(out, g, "env", a->env, a->n_env);
	add_pairs(out, g, "param", a->param, a->n_params);
	add_inputs(out, a);
	add_fingerprints(out, a);
	add_outputs(out, a);
	if (a->stamp && *a->stamp != '\0')
		add_line(out, "stamp", a->stamp);
	if (a->salt && *a->salt != '\0')
		add_line(out, "salt", a->salt);
}

/* ------------------------------------------------------------ from the graph */

static void
fill_lists(struct mlb_action *out, struct mlb_arena *arena, const struct mlb_graph *g,
	   const struct mlb_g_node *n)
{
	const char **fp = mlb_arena_alloc(arena, ((size_t)n->fp.n + 1) * sizeof(*fp));

	out->param = n->param.n > 0 ? g->pair + n->param.first : NULL;
	out->n_params = n->param.n;
	out->env = n->env.n > 0 ? g->pair + n->env.first : NULL;
	out->n_env = n->env.n;
	out->arg = mlb_arena_alloc(arena, ((size_t)n->arg.n + 1) * sizeof(*out->arg));
	out->n_args = n->arg.n;
	for (uint32_t i = 0; i < n->arg.n; i++) {
		out->arg[i].name = mlb_g_str(g, g->pair[n->arg.first + i].name);
		out->arg[i].value = mlb_g_str(g, g->pair[n->arg.first + i].value);
	}
	for (uint32_t i = 0; i < n->fp.n; i++)
		fp[i] = mlb_g_str(g, g->strs[n->fp.first + i]);
	out->fp = fp;
	out->n_fps = n->fp.n;
}

static int
by_path(const void *a, const void *b)
{
	const struct mlb_a_output *x = a;
	const struct mlb_a_output *y = b;

	return strcmp(x->path, y->path);
}

void
mlb_action_from_node(struct mlb_action *out, struct mlb_arena *arena, const struct mlb_graph *g,
		     uint32_t node)
{
	const struct mlb_g_node *n = &g->node[node];

	memset(out, 0, sizeof(*out));
	out->command = mlb_g_str(g, n->command);
	out->dir = mlb_g_str(g, n->dir);
	out->shell = mlb_g_str(g, n->shell);
	out->salt = mlb_g_str(g, g->salt);
	out->use = (n->flags & MLB_G_USE) != 0;
	out->stamp = "";
	fill_lists(out, arena, g, n);
	out->input = mlb_arena_alloc(arena, ((size_t)n->in.n + 1) * sizeof(*out->input));
	out->n_inputs = n->in.n;
	for (uint32_t i = 0; i < n->in.n; i++)
		out->input[i].path = mlb_g_path(g, g->input[n->in.first + i].path);
	out->output = mlb_arena_alloc(arena, ((size_t)n->out.n + 1) * sizeof(*out->output));
	out->n_outputs = n->out.n;
	for (uint32_t i = 0; i < n->out.n; i++) {
		const struct mlb_g_output *o = &g->output[n->out.first + i];

		out->output[i].name = mlb_g_str(g, o->name);
		out->output[i].path = o->each_out ? mlb_g_str(g, o->each_out)
						  : mlb_g_path(g, o->path);
		out->output[i].kind = o->kind;
	}
	if (out->n_outputs > 1)
		qsort(out->output, out->n_outputs, sizeof(*out->output), by_path);
}
