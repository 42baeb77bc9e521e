/* Not a terminal: one line per event, and the commands' output behind their names. */
#include "commands/ui.h"

static void
plain_event(struct ui *ui, const struct mlb_event *e)
{
	struct out *err = &ui->app->err;

	lines_event(&err->buf, &ui->lines, e);
	out_flush(err);
}

static void
plain_line(struct ui *ui, const char *text)
{
	out_adds(&ui->app->err, text);
	out_flush(&ui->app->err);
}

const struct ui_display ui_plain = { .event = plain_event, .line = plain_line };

static void
quiet_event(struct ui *ui, const struct mlb_event *e)
{
	bool cause = e->type == MLB_EV_BLOCKED &&
		     !*e->by; /* what only follows from it is left out */

	if (e->type == MLB_EV_FAILED || e->type == MLB_EV_NO || cause)
		plain_event(ui, e);
}

const struct ui_display ui_quiet = { .event = quiet_event };
