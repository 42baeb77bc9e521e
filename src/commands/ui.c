#include "commands/ui.h"

#include <stdlib.h>
#include <string.h>

#include "commands/signals.h"

static bool
can_redraw(const struct out *err)
{
	const char *term = getenv("TERM");

	return err->tty && term && *term && strcmp(term, "dumb") != 0;
}

static const struct ui_display *
choose(const struct app *app)
{
	if (app->opt.json)
		return &ui_json;
	if (app->opt.quiet)
		return &ui_quiet;
	return can_redraw(&app->err) ? &ui_live : &ui_plain;
}

void
ui_begin(struct ui *ui, struct app *app)
{
	memset(ui, 0, sizeof(*ui));
	ui->app = app;
	ui->lines.color = app->err.color;
	ui->lines.utf8 = app->err.utf8;
	ui->lines.verbose = app->opt.verbose;
	ui->lines.fold = app->cmd->folds_files && !app->opt.verbose;
	ui->display = choose(app);
	out_flush(&app->err);
	signals_begin(app->project, ui->display == &ui_plain);
	if (ui->display->begin)
		ui->display->begin(ui);
}

void
ui_event(void *ctx, const struct mlb_event *e)
{
	struct ui *ui = ctx;

	if (e->type == MLB_EV_FAILED || e->type == MLB_EV_NO)
		mlb_strvec_push(&ui->failed, e->node);
	ui->display->event(ui, e);
}

void
ui_line(struct ui *ui, const char *text)
{
	if (ui->display->line)
		ui->display->line(ui, text);
}

void
ui_fact(struct ui *ui, const char *text)
{
	if (ui->display->fact)
		ui->display->fact(ui, text);
}

void
ui_end(struct ui *ui)
{
	if (ui->display->end)
		ui->display->end(ui);
	signals_end();
}

void
ui_release(struct ui *ui)
{
	mlb_strvec_release(&ui->failed);
}
