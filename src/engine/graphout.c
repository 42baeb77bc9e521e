/* The graph as text, Graphviz dot, Mermaid or JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/project.h"

enum { MAX_OUT = 1 << 30 };

struct writer {
	const struct mlb_graph *g;
	const uint8_t *shown;
	struct mlb_buf out;
};

static const char *
name(const struct writer *w, uint32_t n)
{
	return mlb_g_str(w->g, w->g->node[n].name);
}

/* Calls fn for the shown nodes of a range. */
static void
each_in(struct writer *w, struct mlb_range r, void (*fn)(struct writer *w, uint32_t n, uint32_t of),
	uint32_t of)
{
	for (uint32_t i = 0; i < r.n; i++)
		if (w->shown[w->g->index[r.first + i]])
			fn(w, w->g->index[r.first + i], of);
}

static void
text_word(struct writer *w, uint32_t n, uint32_t of)
{
	(void)of;
	mlb_buf_addf(&w->out, " %s", name(w, n));
}

static void
text_node(struct writer *w, uint32_t n)
{
	const struct mlb_g_node *node = &w->g->node[n];

	mlb_buf_addf(&w->out, "%s (%s)", name(w, n), mlb_kind_names[node->kind]);
	if (node->dep.n)
		mlb_buf_adds(&w->out, " <-");
	each_in(w, node->dep, text_word, n);
	if (node->gate.n)
		mlb_buf_adds(&w->out, " | gated by");
	each_in(w, node->gate, text_word, n);
	mlb_buf_addc(&w->out, '\n');
}

/* A string in double quotes, as dot and Mermaid both take it. */
static void
quoted(struct mlb_buf *out, const char *s)
{
	mlb_buf_addc(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			mlb_buf_addc(out, '\\');
		mlb_buf_addc(out, *s);
	}
	mlb_buf_addc(out, '"');
}

static void
dot_edge(struct writer *w, uint32_t from, uint32_t to)
{
	mlb_buf_adds(&w->out, "  ");
	quoted(&w->out, name(w, from));
	mlb_buf_adds(&w->out, " -> ");
	quoted(&w->out, name(w, to));
	mlb_buf_adds(&w->out, ";\n");
}

static void
dot_gate(struct writer *w, uint32_t from, uint32_t to)
{
	dot_edge(w, from, to);
	mlb_buf_truncate(&w->out, w->out.len - 2);
	mlb_buf_adds(&w->out, " [style=dashed];\n");
}

static void
dot_node(struct writer *w, uint32_t n)
{
	static const char *const shape[] = { "cylinder", "box", "box3d", "note", "diamond", "cds" };

	mlb_buf_adds(&w->out, "  ");
	quoted(&w->out, name(w, n));
	mlb_buf_addf(&w->out, " [shape=%s];\n", shape[w->g->node[n].kind]);
	each_in(w, w->g->node[n].dep, dot_edge, n);
	each_in(w, w->g->node[n].gate, dot_gate, n);
}

static void
mermaid_edge(struct writer *w, uint32_t from, uint32_t to)
{
	mlb_buf_addf(&w->out, "  n%u --> n%u\n", from, to);
}

static void
mermaid_gate(struct writer *w, uint32_t from, uint32_t to)
{
	mlb_buf_addf(&w->out, "  n%u -.-> n%u\n", from, to);
}

static void
mermaid_node(struct writer *w, uint32_t n)
{
	static const char *const left[] = { "[(", "[", "[[", ">", "{", "([" };
	static const char *const right[] = { ")]", "]", "]]", "]", "}", "])" };

	mlb_buf_addf(&w->out, "  n%u%s", n, left[w->g->node[n].kind]);
	quoted(&w->out, name(w, n));
	mlb_buf_addf(&w->out, "%s\n", right[w->g->node[n].kind]);
	each_in(w, w->g->node[n].dep, mermaid_edge, n);
	each_in(w, w->g->node[n].gate, mermaid_gate, n);
}

static void
json_names(struct mlb_json *j, const struct writer *w, const char *key, struct mlb_range r)
{
	mlb_json_key(j, key);
	mlb_json_array(j);
	for (uint32_t i = 0; i < r.n; i++)
		if (w->shown[w->g->index[r.first + i]])
			mlb_json_str(j, name(w, w->g->index[r.first + i]));
	mlb_json_end_array(j);
}

static void
json_node(struct writer *w, uint32_t n)
{
	const struct mlb_g_node *node = &w->g->node[n];
	struct mlb_json j;

	mlb_json_init(&j, &w->out);
	mlb_json_object(&j);
	mlb_json_key(&j, "target");
	mlb_json_str(&j, name(w, n));
	/* What earlier versions called it. */
	mlb_json_key(&j, "name");
	mlb_json_str(&j, name(w, n));
	mlb_json_key(&j, "kind");
	mlb_json_str(&j, mlb_kind_names[node->kind]);
	json_names(&j, w, "deps", node->dep);
	json_names(&j, w, "gates", node->gate);
	mlb_json_key(&j, "inputs");
	mlb_json_array(&j);
	for (uint32_t i = 0; i < node->in.n; i++)
		mlb_json_str(&j, mlb_g_path(w->g, w->g->input[node->in.first + i].path));
	mlb_json_end_array(&j);
	mlb_json_key(&j, "outputs");
	mlb_json_array(&j);
	for (uint32_t i = 0; i < node->out.n; i++)
		mlb_json_str(&j, mlb_g_path(w->g, w->g->output[node->out.first + i].path));
	mlb_json_end_array(&j);
	mlb_json_end_object(&j);
	mlb_buf_addc(&w->out, '\n');
}

/* The words' closure; everything without words. */
static int
choose(struct mlb_project *p, const char *const *word, size_t n_words, uint8_t *shown,
       struct mlb_err *err)
{
	const struct mlb_graph *g = p->graph;
	int rc = 0;

	if (n_words)
		rc = mlb_select_words(p, word, n_words, shown, err);
	else
		memset(shown, 1, g->n_nodes);
	for (uint32_t i = g->n_nodes; i-- > 0;) {
		if (!shown[i])
			continue;
		for (uint32_t k = 0; k < g->node[i].dep.n; k++)
			shown[g->index[g->node[i].dep.first + k]] = 1;
		for (uint32_t k = 0; k < g->node[i].gate.n; k++)
			shown[g->index[g->node[i].gate.first + k]] = 1;
	}
	return rc;
}

int
mlb_graph_write(struct mlb_project *p, const char *const *word, size_t n_words,
		enum mlb_graph_format format, char **out, struct mlb_err *err)
{
	static const struct {
		const char *head, *tail;
		void (*node)(struct writer *w, uint32_t n);
	} form[] = {
		[MLB_GRAPH_TEXT] = { "", "", text_node },
		[MLB_GRAPH_DOT] = { "digraph mlbuild {\n  rankdir=LR;\n", "}\n", dot_node },
		[MLB_GRAPH_MERMAID] = { "graph LR\n", "", mermaid_node },
		[MLB_GRAPH_JSON] = { "", "", json_node },
	};
	struct writer w = { .out = MLB_BUF_INIT(MAX_OUT) };
	uint8_t *shown;
	int rc = mlb_project_load(p, err);

	if (rc)
		return rc;
	w.g = p->graph;
	w.shown = shown = mlb_calloc(w.g->n_nodes + 1, 1);
	rc = choose(p, word, n_words, shown, err);
	if (rc == 0) {
		mlb_buf_adds(&w.out, form[format].head);
		for (uint32_t i = 0; i < w.g->n_nodes; i++)
			if (shown[i])
				form[format].node(&w, i);
		mlb_buf_adds(&w.out, form[format].tail);
		rc = mlb_buf_check(&w.out, "the graph", err);
	}
	if (rc == 0)
		*out = mlb_buf_detach(&w.out);
	mlb_buf_release(&w.out);
	free(shown);
	return rc;
}
