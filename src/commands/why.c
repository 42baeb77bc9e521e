#include "commands/jsonline.h"
#include "commands/plan.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	{ "param", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_why = {
	.name = "why",
	.summary = "why one target is stale, in full",
	.usage = "TARGET",
	.about = "Explain what differs between the result at hand and what the target would be\n"
		 "made from now: commands, parameters, inputs and who brought them in.",
	.option = options,
	.words = WORDS_TARGETS,
	.min_words = 1,
	.max_words = 1,
	.project = true,
	.run = run,
};

struct view {
	struct app *app;
	bool any;
};

static void
add_differences(struct jsonline *l, const struct mlb_explanation *e)
{
	mlb_json_key(&l->j, "differences");
	mlb_json_array(&l->j);
	for (size_t i = 0; i < e->n_differences; i++) {
		const struct mlb_difference *d = &e->difference[i];

		mlb_json_object(&l->j);
		jsonline_str(l, "what", d->what);
		jsonline_str(l, "name", d->name);
		jsonline_str(l, "change", d->change);
		if (*d->old_kind)
			jsonline_str(l, "old_kind", d->old_kind);
		if (*d->new_kind)
			jsonline_str(l, "new_kind", d->new_kind);
		jsonline_str(l, "old", d->old_value);
		jsonline_str(l, "new", d->new_value);
		jsonline_str(l, "text", d->text);
		mlb_json_end_object(&l->j);
	}
	mlb_json_end_array(&l->j);
}

static void
add_inputs(struct jsonline *l, const struct mlb_explanation *e)
{
	mlb_json_key(&l->j, "inputs");
	mlb_json_array(&l->j);
	for (size_t i = 0; i < e->n_inputs; i++) {
		const struct mlb_why_input *in = &e->input[i];

		mlb_json_object(&l->j);
		jsonline_str(l, "path", in->path);
		jsonline_str(l, "from", in->from);
		jsonline_str(l, "by", in->by);
		jsonline_str(l, "target", in->target);
		mlb_json_end_object(&l->j);
	}
	mlb_json_end_array(&l->j);
}

static void
print_json(struct out *out, const struct mlb_explanation *e)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "target", e->target);
	jsonline_str(&l, "kind", e->kind);
	jsonline_str(&l, "fate", plan_fate_json(e->fate));
	jsonline_str(&l, "reason", e->reason);
	plan_add_failure(&l, e->failed);
	add_differences(&l, e);
	add_inputs(&l, e);
	jsonline_str(&l, "why", e->text);
	jsonline_end(&l);
}

static int
take(void *ctx, const struct mlb_explanation *e)
{
	struct view *v = ctx;

	if (v->app->opt.json) {
		print_json(&v->app->out, e);
	} else {
		if (v->any)
			out_adds(&v->app->out, "\n");
		out_clean(&v->app->out, e->text);
	}
	v->any = true;
	return out_closed(&v->app->out);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct view v = { app, false };
	int rc = cmd_open(app, err);

	return rc ? rc : mlb_why(app->project, app->word[0], take, &v, err);
}
