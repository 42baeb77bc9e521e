#include "engine/by_hand.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#include "engine/each.h"
#include "graph/refs.h"

enum { MAX_LIST = 64 << 20 };

static void
add_word(struct mlb_buf *out, const char *word, size_t len)
{
	mlb_buf_addc(out, '\'');
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\'')
			mlb_buf_adds(out, "'\\''");
		else
			mlb_buf_addc(out, word[i]);
	}
	mlb_buf_addc(out, '\'');
}

static void
add_str(struct mlb_buf *out, const char *word)
{
	if (mlb_refs_plain(word) && word[0])
		mlb_buf_adds(out, word);
	else
		add_word(out, word, strlen(word));
}

static void
add_directory(struct mlb_buf *out, const struct mlb_project *p, const char *dir)
{
	char *path = strcmp(dir, ".") == 0 ? mlb_strdup(p->root) : mlb_project_path(p, dir);

	mlb_buf_adds(out, "cd ");
	add_str(out, path);
	mlb_buf_addc(out, '\n');
	free(path);
}

/* A variable without a value is kept from the command. */
static void
add_environment(struct mlb_buf *out, const struct mlb_graph *g, uint32_t n)
{
	for (uint32_t i = 0; i < g->node[n].env.n; i++) {
		const struct mlb_g_pair *v = &g->pair[g->node[n].env.first + i];

		mlb_buf_addf(out, "%s %s", v->value == MLB_NONE ? "unset" : "export",
			     mlb_g_str(g, v->name));
		if (v->value != MLB_NONE) {
			mlb_buf_addc(out, '=');
			add_str(out, mlb_g_str(g, v->value));
		}
		mlb_buf_addc(out, '\n');
	}
}

/* One path a line, as a build writes them; what cannot be told is left out. */
static void
add_list(struct mlb_buf *out, struct mlb_plan *plan, uint32_t n, uint32_t i, const char *dir,
	 const char *file)
{
	const struct mlb_graph *g = plan->g;
	struct mlb_buf text = MLB_BUF_INIT(MAX_LIST);
	uint32_t group = mlb_action_list_group(g, n, i);

	for (uint32_t k = 0; k < group; k++)
		mlb_each_list(plan, g->index[g->node[n].list.first + i + k], dir, &text, NULL);
	mlb_buf_adds(out, text.len ? "printf '%s\\n'" : ":");
	for (const char *line = mlb_buf_str(&text); *line;) {
		size_t len = strcspn(line, "\n");

		mlb_buf_addc(out, ' ');
		add_word(out, line, len);
		line += len + (line[len] == '\n');
	}
	mlb_buf_adds(out, " >");
	add_str(out, file);
	mlb_buf_addc(out, '\n');
	mlb_buf_release(&text);
}

static void
add_files(struct mlb_buf *out, struct mlb_plan *plan, uint32_t n, const char *dir,
	  const char *const *list)
{
	const struct mlb_g_node *node = &plan->g->node[n];
	char *scratch;

	if (node->list.n == 0 && !(node->flags & MLB_G_SCRATCH))
		return;
	scratch = mlb_project_path(plan->p, MLB_BY_HAND_DIR);
	mlb_buf_adds(out, "mkdir -p ");
	add_str(out, scratch);
	mlb_buf_addc(out, '\n');
	free(scratch);
	for (uint32_t i = 0; i < node->list.n; i++)
		if (list[i])
			add_list(out, plan, n, i, dir, list[i]);
}

void
mlb_by_hand(struct mlb_buf *out, struct mlb_plan *plan, uint32_t n, const struct mlb_action *a,
	    const char *command, const char *const *list)
{
	add_directory(out, plan->p, a->dir);
	add_environment(out, plan->g, n);
	add_files(out, plan, n, a->dir, list);
	if (a->shell[0]) {
		mlb_buf_addf(out, "%s ", a->shell);
		add_word(out, command, strlen(command));
	} else {
		mlb_buf_adds(out, command);
	}
	mlb_buf_addc(out, '\n');
}
