/* Words of a command that name files, and what Python scripts import. */
#include <string.h>

#include "base/text.h"
#include "graph/compile.h"
#include "graph/shell_words.h"
#include "os/path.h"
#include "store/scan.h"

/* What the callback for each word needs. */
struct words {
	struct mlb_comp *c;
	struct mlb_c_work *w;
	const struct mlb_text *where;
};

/* ------------------------------------------------------------ imports */

static void
add_search(struct mlb_comp *c, struct mlb_c_work *w, const char *dir, const char *rel)
{
	const char *path;

	mlb_path_join(&c->full, dir, rel);
	if (mlb_path_normalize(&c->scratch, mlb_buf_str(&c->full), NULL) < 0)
		return;
	path = mlb_buf_str(&c->scratch);
	for (size_t i = 1; i < w->search.n; i++)
		if (strcmp(w->search.v[i], path) == 0)
			return;
	mlb_vec_push(&w->search, mlb_arena_strdup(&c->tmp, path));
}

void
mlb_c_search_path(struct mlb_comp *c, struct mlb_c_work *w)
{
	w->search.n = 0;
	mlb_vec_push(&w->search, "."); /* stands for the script's directory */
	add_search(c, w, w->dir, ".");
	for (size_t i = 0; i < w->env.n; i++) {
		const char *value = mlb_buf_str(&c->str) + w->env.v[i].value;

		if (strcmp(mlb_buf_str(&c->str) + w->env.v[i].name, "PYTHONPATH") != 0 ||
		    w->env.v[i].value == MLB_NONE)
			continue;
		while (*value != '\0') {
			size_t len = strcspn(value, ":");

			if (len > 0)
				add_search(c, w, w->dir, mlb_arena_strndup(&c->tmp, value, len));
			value += len;
			value += *value == ':';
		}
	}
	add_search(c, w, ".", ".");
	add_search(c, w, w->dir, "src");
	add_search(c, w, ".", "src");
}

static void
add_hits(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_py_hits *hits)
{
	for (uint32_t i = 0; i < hits->n; i++) {
		uint32_t path = mlb_c_path(c, hits->v[i].path);
		uint32_t by = hits->v[i].by ? mlb_c_path(c, hits->v[i].by) : MLB_NONE;
		uint32_t owner = mlb_c_owner(c, path);
		uint32_t producer = owner == MLB_NONE ? MLB_NONE : c->path_info.v[owner].producer;

		if (producer == w->inst ||
		    (producer != MLB_NONE && c->inst.v[producer].node.kind == MLB_K_CHECK))
			continue;
		if (owner == MLB_NONE && mlb_c_ignored(c, path))
			continue;
		mlb_c_add_input(c, w, owner != MLB_NONE ? owner : path,
				by == MLB_NONE ? MLB_IN_WORD : MLB_IN_IMPORT, by);
	}
}

void
mlb_c_imports(struct mlb_comp *c, struct mlb_c_work *w, uint32_t script)
{
	const char *path = mlb_c_path_text(c, script);
	const struct mlb_py_hits *hits;

	mlb_path_dir(&c->full, path);
	w->search.v[0] = mlb_arena_strdup(&c->tmp, mlb_buf_str(&c->full));
	if (mlb_py_script(&hits, &c->py, path, w->search.v, w->search.n, NULL) == 0)
		add_hits(c, w, hits);
}

static void
add_module(struct words *ws, const char *module)
{
	const struct mlb_py_hits *hits;

	if (mlb_py_module(&hits, &ws->c->py, module, ws->w->search.v + 1, ws->w->search.n - 1,
			  NULL) < 0)
		return;
	for (uint32_t i = 0; i < hits->n; i++) {
		struct mlb_py_hits one = { &hits->v[i], 1 };

		add_hits(ws->c, ws->w, &one);
	}
}

/* ------------------------------------------------------------ words */

static void
report_check(struct words *ws, const char *word, uint32_t producer)
{
	mlb_c_error(ws->c, ws->where,
		    "in '%s': '%s' is an output of the check '%s', and a check is never an input",
		    ws->c->inst.v[ws->w->inst].name, word, ws->c->inst.v[producer].name);
	ws->w->failed = true;
}

/* A word that means an output or source; false: it is in none. */
static bool
add_owned(struct words *ws, const char *word, uint32_t path)
{
	struct mlb_comp *c = ws->c;
	uint32_t owner = mlb_c_owner(c, path);
	uint32_t producer;

	if (owner == MLB_NONE)
		return false;
	producer = c->path_info.v[owner].producer;
	if (producer == ws->w->inst)
		return true; /* its own */
	if (c->inst.v[producer].node.kind == MLB_K_CHECK)
		report_check(ws, word, producer);
	else
		mlb_c_add_input(c, ws->w, owner, MLB_IN_WORD, MLB_NONE);
	return true;
}

/* A word that may name a file: true if it does. */
static bool
add_word(struct words *ws, const char *word)
{
	struct mlb_comp *c = ws->c;
	uint32_t path;
	uint8_t kind;

	if (*word == '/' || *word == '\0' || strstr(word, "://"))
		return false;
	mlb_path_join(&c->full, ws->w->dir, word);
	if (mlb_path_normalize(&c->scratch, mlb_buf_str(&c->full), NULL) < 0)
		return false;
	if (strcmp(mlb_buf_str(&c->scratch), ".") == 0)
		return false;
	path = mlb_c_path(c, mlb_buf_str(&c->scratch));
	if (add_owned(ws, word, path))
		return true;
	if (mlb_c_holds_outputs(c, mlb_c_path_text(c, path)))
		return false; /* a directory that comes and goes with them */
	kind = mlb_c_look(c, path);
	mlb_c_exists_fact(c, path);
	if ((kind != MLB_P_FILE && kind != MLB_P_EXEC) || mlb_c_ignored(c, path))
		return false;
	mlb_c_add_input(c, ws->w, path, MLB_IN_WORD, MLB_NONE);
	return true;
}

static void
on_word(void *ctx, const char *word, enum mlb_word_kind kind)
{
	struct words *ws = ctx;

	if (kind == MLB_WORD_MODULE)
		add_module(ws, word);
	else if (kind == MLB_WORD_PATH)
		add_word(ws, word);
}

void
mlb_c_words(struct mlb_comp *c, struct mlb_c_work *w, const char *command,
	    const struct mlb_text *where)
{
	struct words ws = { c, w, where };

	mlb_shell_scan(command, on_word, &ws);
}

void
mlb_c_arg_words(struct mlb_comp *c, struct mlb_c_work *w, const char *value,
		const struct mlb_text *where)
{
	struct words ws = { c, w, where };
	const char *p = value;

	if (strchr(value, MLB_MARK) || add_word(&ws, value))
		return;
	while (*p != '\0') {
		size_t len = strcspn(p, " \t\n");

		if (len > 0 && p[len] != '\0')
			add_word(&ws, mlb_arena_strndup(&c->tmp, p, len));
		else if (len > 0 && p != value)
			add_word(&ws, p);
		p += len;
		p += strspn(p, " \t\n");
	}
}
