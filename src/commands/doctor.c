#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/lines.h"

static int run(struct app *app, struct mlb_err *err);

static const struct cmd_option options[] = {
	{ "json", NULL },
	CMD_OPTIONS_END,
};

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "what is wrong here, and how to mend it",
	.usage = "[DIR]",
	.about = "Examine the machine and the project (of DIR, default: here) and say what is\n"
		 "right, what is wrong, and how to mend it. The exit code is 1 if there is a\n"
		 "problem.",
	.option = options,
	.words = WORDS_DIRS,
	.max_words = 1,
	.run = run,
};

static const struct {
	const char *mark, *json;
	enum paint paint;
} levels[] = {
	[MLB_FINDING_OK] = { "ok", "ok", PAINT_GOOD },
	[MLB_FINDING_NOTE] = { "note", "note", PAINT_WARN },
	[MLB_FINDING_PROBLEM] = { "problem", "problem", PAINT_BAD },
};

struct findings {
	struct app *app;
	uint32_t problems;
};

static int
take(void *ctx, const struct mlb_finding_info *f)
{
	struct findings *all = ctx;
	struct out *out = &all->app->out;
	const struct lines lines = { .color = out->color, .utf8 = out->utf8 };
	struct jsonline l;

	all->problems += f->level == MLB_FINDING_PROBLEM;
	if (all->app->opt.json) {
		jsonline_begin(&l, out);
		jsonline_str(&l, "level", levels[f->level].json);
		jsonline_str(&l, "what", f->what);
		jsonline_str(&l, "mend", f->mend);
		jsonline_end(&l);
		return out_closed(out);
	}
	lines_mark(&out->buf, &lines, levels[f->level].paint, levels[f->level].mark);
	out_clean(out, f->what);
	out_adds(out, "\n");
	if (f->mend && *f->mend) {
		lines_mark(&out->buf, &lines, PAINT_PLAIN, "");
		out_clean(out, f->mend);
		out_adds(out, "\n");
	}
	return out_closed(out);
}

static int
run(struct app *app, struct mlb_err *err)
{
	struct findings all = { .app = app };
	int rc = mlb_doctor(app->n_words ? app->word[0] : ".", take, &all, err);

	if (rc < 0)
		return rc;
	/* No text: the findings have said it. */
	return all.problems ? MLB_EFAILED : 0;
}
