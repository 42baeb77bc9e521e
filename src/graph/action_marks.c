/* Markers in commands, arguments and output paths: what stands for them is known when an action is made. */
#include <stdlib.h>
#include <string.h>

#include "graph/action.h"
#include "graph/glob.h"
#include "graph/refs.h"
#include "os/path.h"

#define MAX_TEXT ((size_t)256 * 1024 * 1024)
#define RAW (-1)

/* What is known. */
struct marks {
	const struct mlb_graph *g;
	uint32_t node;
	const char *const *file; /* of `each`; NULL: its markers stay */
	size_t n_files;
	const char *dir;         /* where the command runs */
	const char *scratch;     /* NULL: the marker stays */
	const char *const *list; /* NULL: the markers stay */
	size_t n_lists;
	bool inside_out;        /* this is the path of an output, which names no output */
	struct mlb_arena arena; /* of the words */
	MLB_VEC(const char *) word;
};

/* One marker: \x01NAME[:ARG][/CTX]\x01 */
struct mark {
	const char *text; /* the whole */
	size_t len;
	char name[12];
	char arg[24];
	int ctx; /* enum mlb_ref_ctx, or RAW */
};

/* ------------------------------------------------------------ reading */

static bool
copy_part(char *to, size_t size, const char *from, const char *end)
{
	size_t len = (size_t)(end - from);

	if (len >= size)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* s points to the first \x01; false: not a marker that this program writes. */
static bool
read_mark(struct mark *m, const char *s)
{
	const char *end = strchr(s + 1, MLB_MARK);
	const char *stop, *colon;

	if (!end)
		return false;
	m->text = s;
	m->len = (size_t)(end + 1 - s);
	m->ctx = RAW;
	stop = end;
	if (end - s > 3 && end[-2] == '/') {
		if (end[-1] < '0' || end[-1] > '3')
			return false;
		m->ctx = end[-1] - '0';
		stop = end - 2;
	}
	colon = memchr(s + 1, ':', (size_t)(stop - s - 1));
	m->arg[0] = '\0';
	if (colon && !copy_part(m->arg, sizeof(m->arg), colon + 1, stop))
		return false;
	return copy_part(m->name, sizeof(m->name), s + 1, colon ? colon : stop);
}

/* ------------------------------------------------------------ words */

static void
add_word(struct marks *k, const char *s)
{
	mlb_vec_push(&k->word, mlb_arena_strdup(&k->arena, s));
}

/* A path of the project as the command sees it. */
static void
add_path(struct marks *k, const char *path, bool raw)
{
	struct mlb_buf rel = MLB_BUF_INIT(MAX_TEXT);

	if (raw || !k->dir || strcmp(k->dir, ".") == 0)
		mlb_buf_adds(&rel, path);
	else
		mlb_path_relative(&rel, path, k->dir);
	if (!raw && *mlb_buf_str(&rel) == '-')
		mlb_vec_push(&k->word, mlb_arena_printf(&k->arena, "./%s", mlb_buf_str(&rel)));
	else
		add_word(k, mlb_buf_str(&rel));
	mlb_buf_release(&rel);
}

/* The file below the fixed part of its glob. */
static const char *
below_base(struct marks *k, const char *file)
{
	struct mlb_buf base = MLB_BUF_INIT(MAX_TEXT);
	size_t len;

	mlb_glob_base(&base, mlb_g_str(k->g, k->g->node[k->node].each_glob));
	len = strcmp(mlb_buf_str(&base), ".") == 0 ? 0 : base.len;
	if (len > 0 && strncmp(file, mlb_buf_str(&base), len) == 0 && file[len] == '/')
		file += len + 1;
	mlb_buf_release(&base);
	return file;
}

static void
add_each(struct marks *k, const char *file, const char *part, bool raw)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);

	if (*part == '\0') {
		add_path(k, file, raw);
	} else if (strcmp(part, "name") == 0) {
		add_word(k, mlb_path_base(file));
	} else if (strcmp(part, "stem") == 0) {
		mlb_path_stem(&text, file);
		add_word(k, mlb_buf_str(&text));
	} else if (strcmp(part, "dir") == 0) {
		mlb_path_dir(&text, below_base(k, file));
		add_word(k, mlb_buf_str(&text));
	} else {
		add_word(k, below_base(k, file));
	}
	mlb_buf_release(&text);
}

static void expand(struct mlb_buf *out, struct marks *k, const char *text, struct mlb_err *err,
		   int *rc);

/* Where the N-th output of the file goes. */
static void
add_out(struct marks *k, const char *file, const char *number, bool raw)
{
	const struct mlb_g_node *n = &k->g->node[k->node];
	unsigned long i = strtoul(number, NULL, 10);
	struct marks one = {
		.g = k->g, .node = k->node, .file = &file, .n_files = 1, .inside_out = true
	};
	struct mlb_buf path = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_buf normal = MLB_BUF_INIT(MAX_TEXT);
	int rc = 0;

	if (i >= n->out.n)
		return;
	expand(&path, &one, mlb_g_str(k->g, k->g->output[n->out.first + i].each_out), NULL, &rc);
	if (mlb_path_normalize(&normal, mlb_buf_str(&path), NULL) < 0)
		mlb_buf_clear(&normal);
	add_path(k, mlb_buf_str(&normal), raw);
	mlb_arena_release(&one.arena);
	mlb_vec_release(&one.word);
	mlb_buf_release(&path);
	mlb_buf_release(&normal);
}

/* Fill k->word; false: it stays for later. */
static bool
mark_words(struct marks *k, const struct mark *m)
{
	bool each = strcmp(m->name, "each") == 0;
	bool out = strcmp(m->name, "out") == 0 && !k->inside_out;

	k->word.n = 0;
	if (each || out) {
		for (size_t i = 0; i < k->n_files; i++) {
			if (each)
				add_each(k, k->file[i], m->arg, m->ctx == RAW);
			else
				add_out(k, k->file[i], m->arg, m->ctx == RAW);
		}
		return k->file != NULL;
	}
	if (strcmp(m->name, "scratch") == 0) {
		if (k->scratch)
			add_word(k, k->scratch);
		return k->scratch != NULL;
	}
	if (strcmp(m->name, "list") == 0 && k->list) {
		char *plus;
		unsigned long first = strtoul(m->arg, &plus, 10);
		unsigned long n = *plus == '+' ? strtoul(plus + 1, NULL, 10) : 0;

		for (unsigned long i = 0; i < n && first + i < k->n_lists; i++)
			if (k->list[first + i])
				add_word(k, k->list[first + i]);
		return true;
	}
	return false;
}

static void
add_raw(struct mlb_buf *out, const struct marks *k)
{
	for (size_t i = 0; i < k->word.n; i++) {
		if (i > 0)
			mlb_buf_addc(out, ' ');
		mlb_buf_adds(out, k->word.v[i]);
	}
}

static void
expand(struct mlb_buf *out, struct marks *k, const char *text, struct mlb_err *err, int *rc)
{
	while (*rc == 0) {
		const char *mark = strchr(text, MLB_MARK);
		struct mark m;

		if (!mark)
			break;
		mlb_buf_add(out, text, (size_t)(mark - text));
		if (!read_mark(&m, mark)) {
			mlb_buf_addc(out, *mark);
			text = mark + 1;
			continue;
		}
		text = mark + m.len;
		if (!mark_words(k, &m)) {
			mlb_buf_add(out, m.text, m.len);
			continue;
		}
		for (size_t i = 0; i < k->word.n && *rc == 0; i++)
			if (strchr(k->word.v[i], MLB_MARK))
				*rc = mlb_err_set(
					err, MLB_EINVALID,
					"the control character 0x01 cannot be in a file's name: '%s'",
					k->word.v[i]);
		if (*rc < 0)
			break;
		if (m.ctx == RAW)
			add_raw(out, k);
		else
			*rc = mlb_refs_quote(out, (enum mlb_ref_ctx)m.ctx, k->word.v, k->word.n,
					     err);
	}
	mlb_buf_adds(out, text);
}

static int
run(struct mlb_buf *out, struct marks *k, const char *text, struct mlb_err *err)
{
	int rc = 0;

	expand(out, k, text, err, &rc);
	mlb_arena_release(&k->arena);
	mlb_vec_release(&k->word);
	return rc < 0 ? rc : mlb_buf_check(out, "a command", err);
}

/* ------------------------------------------------------------ each */

/* The text for one file, in the arena; quoting that fails leaves what was there, mlb_action_each_command reports it. */
static const char *
for_file(struct mlb_arena *arena, const struct mlb_graph *g, uint32_t node, const char *file,
	 const char *text)
{
	struct marks k = { .g = g,
			   .node = node,
			   .file = &file,
			   .n_files = 1,
			   .dir = mlb_g_str(g, g->node[node].dir) };
	struct mlb_buf out = MLB_BUF_INIT(MAX_TEXT);
	const char *copy;

	if (!strchr(text, MLB_MARK))
		return text;
	run(&out, &k, text, NULL);
	copy = mlb_arena_strndup(arena, mlb_buf_str(&out), out.len);
	mlb_buf_release(&out);
	return copy;
}

static int
by_path(const void *a, const void *b)
{
	const struct mlb_a_output *x = a;
	const struct mlb_a_output *y = b;

	return strcmp(x->path, y->path);
}

void
mlb_action_each_shared(struct mlb_action *a, const struct mlb_graph *g, uint32_t node)
{
	const struct mlb_range *in = &g->node[node].in;
	uint32_t n = 0;

	for (uint32_t i = 0; i < in->n; i++)
		if (g->input[in->first + i].why != MLB_IN_EACH)
			a->input[n++] = a->input[i];
	a->n_inputs = n;
}

/* Sorted by path; one that is the file itself is there once. */
static void
add_file(struct mlb_action *a, struct mlb_arena *arena, const struct mlb_a_input *file)
{
	struct mlb_a_input *input =
		mlb_arena_alloc(arena, ((size_t)a->n_inputs + 1) * sizeof(*input));
	uint32_t n = 0, i = 0;

	while (i < a->n_inputs && strcmp(a->input[i].path, file->path) < 0)
		input[n++] = a->input[i++];
	input[n++] = *file;
	if (i < a->n_inputs && strcmp(a->input[i].path, file->path) == 0)
		i++;
	while (i < a->n_inputs)
		input[n++] = a->input[i++];
	a->input = input;
	a->n_inputs = n;
}

static void
set_outputs(struct mlb_action *a, struct mlb_arena *arena, const struct mlb_graph *g, uint32_t node,
	    const char *file)
{
	struct mlb_a_output *output =
		mlb_arena_alloc(arena, ((size_t)a->n_outputs + 1) * sizeof(*output));

	for (uint32_t i = 0; i < a->n_outputs; i++) {
		const char *path = for_file(arena, g, node, file, a->output[i].path);
		struct mlb_buf normal = MLB_BUF_INIT(MAX_TEXT);

		if (mlb_path_normalize(&normal, path, NULL) == 0)
			path = mlb_arena_strdup(arena, mlb_buf_str(&normal));
		output[i] = a->output[i];
		output[i].path = path;
		mlb_buf_release(&normal);
	}
	if (a->n_outputs > 1)
		qsort(output, a->n_outputs, sizeof(*output), by_path);
	a->output = output;
}

void
mlb_action_for_each(struct mlb_action *out, struct mlb_arena *arena, const struct mlb_graph *g,
		    uint32_t node, const struct mlb_action *shared, const struct mlb_a_input *file)
{
	struct mlb_a_arg *arg = mlb_arena_alloc(arena, ((size_t)shared->n_args + 1) * sizeof(*arg));

	*out = *shared;
	out->command = for_file(arena, g, node, file->path, shared->command);
	for (uint32_t i = 0; i < out->n_args; i++) {
		arg[i].name = shared->arg[i].name;
		arg[i].value = for_file(arena, g, node, file->path, shared->arg[i].value);
	}
	out->arg = arg;
	set_outputs(out, arena, g, node, file->path);
	add_file(out, arena, file);
}

int
mlb_action_each_command(struct mlb_buf *out, const struct mlb_graph *g, uint32_t node,
			const char *const *file, size_t n, struct mlb_err *err)
{
	struct marks k = { .g = g,
			   .node = node,
			   .file = file,
			   .n_files = n,
			   .dir = mlb_g_str(g, g->node[node].dir) };

	return run(out, &k, mlb_g_str(g, g->node[node].command), err);
}

/* ------------------------------------------------------------ starting */

int
mlb_action_command(struct mlb_buf *out, const struct mlb_action *a, const char *scratch,
		   const char *const *list, size_t n_lists, struct mlb_err *err)
{
	return mlb_action_arg(out, a->command, scratch, list, n_lists, err);
}

int
mlb_action_arg(struct mlb_buf *out, const char *value, const char *scratch, const char *const *list,
	       size_t n_lists, struct mlb_err *err)
{
	static const char *const none[] = { NULL };
	struct marks k = { .scratch = scratch ? scratch : "",
			   .list = list ? list : none,
			   .n_lists = n_lists };

	return run(out, &k, value, err);
}

/* How many nodes the text's list marker that begins with entry i names; 0: there is none. */
static uint32_t
group_in(const char *text, uint32_t i)
{
	for (const char *p = strstr(text, "\x01list:"); p; p = strstr(p + 1, "\x01list:")) {
		struct mark m;
		char *plus;

		if (read_mark(&m, p) && strtoul(m.arg, &plus, 10) == i && *plus == '+')
			return (uint32_t)strtoul(plus + 1, NULL, 10);
	}
	return 0;
}

uint32_t
mlb_action_list_group(const struct mlb_graph *g, uint32_t node, uint32_t i)
{
	const struct mlb_g_node *n = &g->node[node];
	uint32_t group = group_in(mlb_g_str(g, n->command), i);

	for (uint32_t k = 0; k < n->arg.n && group == 0; k++)
		group = group_in(mlb_g_str(g, g->pair[n->arg.first + k].value), i);
	return i < n->list.n ? MLB_MIN(group, n->list.n - i) : 0;
}
