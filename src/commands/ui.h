/*
 * What a person, a log file or a program sees of a build. The library's events go
 * to one of four displays: live (a terminal), plain, quiet, json.
 */
#ifndef COMMANDS_UI_H
#define COMMANDS_UI_H

#include "commands/cmd.h"
#include "commands/lines.h"

struct ui;

struct ui_display {
	void (*begin)(struct ui *ui);                          /* MAY be NULL */
	void (*event)(struct ui *ui, const struct mlb_event *e); /* MUST */
	void (*line)(struct ui *ui, const char *text);         /* MAY be NULL: a line, with its line feed, that stays */
	void (*fact)(struct ui *ui, const char *text);         /* MAY be NULL: what the status line tells too; copied */
	void (*end)(struct ui *ui);                            /* MAY be NULL; after it everything is written */
};

struct ui {
	const struct ui_display *display;
	struct app *app;          /* borrowed */
	struct lines lines;
	const char *label;        /* of a sweep's combination, for JSON; NULL */
	struct mlb_strvec failed; /* names, in the order in which they failed; checks that say no too */
	void *state;              /* the display's; owned by it */
};

void ui_begin(struct ui *ui, struct app *app);
void ui_event(void *ctx, const struct mlb_event *e); /* an mlb_event_fn; ctx is the struct ui */
void ui_line(struct ui *ui, const char *text);
void ui_fact(struct ui *ui, const char *text);
void ui_end(struct ui *ui);
void ui_release(struct ui *ui);

/* The last lines: what was done, what to commit, metrics and artifacts. code is mlb_build's. */
void ui_summary(struct ui *ui, const struct mlb_report *r, int code);

/* Metrics of an object "node -> metrics", as an aligned table on stdout. */
void metrics_print(struct out *out, const char *json);
/* The metrics of one target, behind a label. */
void metrics_print_one(struct out *out, const char *margin, const char *label, const char *json);

extern const struct ui_display ui_live, ui_plain, ui_quiet, ui_json;

#endif
