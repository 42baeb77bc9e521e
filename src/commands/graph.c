#include <string.h>

#include "base/text.h"
#include "commands/cmd.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "format", "text (default), dot, mermaid or json" },
	{ "json", "the same as --format json" },
	{ "param", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_graph = {
	.name = "graph",
	.summary = "what depends on what",
	.usage = "[TARGET...]",
	.about = "Print the graph of the targets and what they need, as text, for Graphviz (dot),\n"
		 "for Markdown (mermaid), or as JSON. Without a TARGET, all of it.",
	.option = options,
	.words = WORDS_TARGETS,
	.max_words = CMD_ANY,
	.project = true,
	.run = run,
};

static enum mlb_graph_format
format_of(const struct opts *o)
{
	if (o->json || (o->format && strcmp(o->format, "json") == 0))
		return MLB_GRAPH_JSON;
	if (o->format && strcmp(o->format, "dot") == 0)
		return MLB_GRAPH_DOT;
	if (o->format && strcmp(o->format, "mermaid") == 0)
		return MLB_GRAPH_MERMAID;
	return MLB_GRAPH_TEXT;
}

static int
run(struct app *app, struct mlb_err *err)
{
	char *text = NULL;
	int rc = cmd_open(app, err);

	if (!rc)
		rc = mlb_graph_write(app->project, app->word, app->n_words, format_of(&app->opt),
				     &text, err);
	if (rc)
		return rc;
	out_adds(&app->out, text);
	if (*text && !mlb_str_ends(text, "\n"))
		out_adds(&app->out, "\n");
	mlb_free(text);
	return 0;
}
