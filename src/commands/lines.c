#include "commands/lines.h"

#include <string.h>

#include "base/text.h"
#include "commands/text.h"

enum {
	MARK = 9,         /* columns for the word in front */
	NAME = 12,        /* columns that a name is padded to */
	MAX_COMMAND = 12, /* lines of a failed command that are shown */
	MAX_SUBJECT = 1 << 17,
};
#define LEAST_TIME (50ULL * 1000 * 1000) /* what is not told as 0.0s */

void
lines_mark(struct mlb_buf *b, const struct lines *l, enum paint p, const char *word)
{
	size_t len = strlen(word);

	if (len < MARK)
		text_spaces(b, (unsigned)(MARK - len));
	paint_adds(b, l->color, p, word);
	mlb_buf_adds(b, "  ");
}

static void
add_name(struct mlb_buf *b, const struct lines *l, const char *name, bool pad)
{
	unsigned used = text_clean(b, name, strlen(name), 0, l->utf8);

	if (pad && used < NAME)
		text_spaces(b, NAME - used);
}

void
lines_duration(struct mlb_buf *b, uint64_t ns)
{
	const uint64_t second = 1000000000;

	if (ns >= 10 * second && ns < 60 * second)
		mlb_buf_addf(b, "%us", (unsigned)(ns / second));
	else
		mlb_add_duration(b, ns);
}

/* The target; for one of its files that too: "small img/7.jpg", "small img/7.jpg and 255 more". */
void
lines_subject(struct mlb_buf *b, const struct mlb_event *e)
{
	mlb_buf_adds(b, e->node);
	if (e->n_files)
		mlb_buf_addf(b, " %s", e->file);
	if (e->n_files > 1)
		mlb_buf_addf(b, " and %u more", e->n_files - 1);
}

static void
add_subject(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e, bool pad)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_SUBJECT);

	lines_subject(&text, e);
	add_name(b, l, mlb_buf_str(&text), pad);
	mlb_buf_release(&text);
}

static void
mark_and_name(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e, enum paint p,
	      const char *word)
{
	lines_mark(b, l, p, word);
	if (e->node && *e->node)
		add_subject(b, l, e, true);
}

/* A mark, the name, and one line of text. */
static void
said(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e, enum paint p,
     const char *word)
{
	mark_and_name(b, l, e, p, word);
	if (e->node && *e->node)
		mlb_buf_adds(b, "  ");
	text_clean(b, e->text ? e->text : "", e->text ? strlen(e->text) : 0, 0, l->utf8);
	mlb_buf_addc(b, '\n');
}

static void
started(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e)
{
	lines_mark(b, l, PAINT_BUSY, "running");
	add_subject(b, l, e, l->verbose);
	if (l->verbose && e->text) {
		mlb_buf_adds(b, "  ");
		mlb_buf_adds(b, paint_on(l->color, PAINT_DIM));
		text_clean(b, e->text, strlen(e->text), 0, l->utf8);
		mlb_buf_adds(b, paint_off(l->color, PAINT_DIM));
	}
	mlb_buf_addc(b, '\n');
}

static void
built(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e)
{
	const char *word = "built";

	if (strcmp(e->kind, "check") == 0)
		word = "passed";
	else if (strcmp(e->kind, "task") == 0)
		word = "ran";
	mark_and_name(b, l, e, PAINT_GOOD, word);
	mlb_buf_adds(b, "  ");
	mlb_buf_adds(b, paint_on(l->color, PAINT_DIM));
	lines_duration(b, e->duration);
	mlb_buf_adds(b, paint_off(l->color, PAINT_DIM));
	mlb_buf_addc(b, '\n');
}

/* Each line of text behind a margin; at most max (0: all). */
static void
indented(struct mlb_buf *b, const struct lines *l, const char *text, const char *margin,
	 unsigned max)
{
	unsigned n = 0;

	while (text && *text) {
		size_t len = strcspn(text, "\n"), shown = len;
		const char *line = text_after_returns(text, &shown);

		if (max && n++ == max) {
			text_spaces(b, MARK + 2);
			mlb_buf_adds(b, "... ('mlbuild show --command' prints all of it)\n");
			return;
		}
		text_spaces(b, MARK);
		paint_adds(b, l->color, PAINT_DIM, margin);
		text_clean(b, line, shown, 0, l->utf8);
		mlb_buf_addc(b, '\n');
		text += len + (text[len] == '\n');
	}
}

static void
place(struct mlb_buf *b, const struct lines *l, const char *what, const char *path)
{
	const char *quote;

	if (!path || !*path)
		return;
	text_spaces(b, MARK + 2);
	paint_adds(b, l->color, PAINT_DIM, what);
	/* As a shell takes it: a blank would end it. */
	quote = strpbrk(path, " \t") ? "'" : "";
	mlb_buf_adds(b, quote);
	text_clean(b, path, strlen(path), 0, l->utf8);
	mlb_buf_addf(b, "%s\n", quote);
}

static void
failed(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e, enum paint p,
       const char *word)
{
	const struct mlb_failure *f = e->failure;
	const char *reason = f && f->reason && *f->reason ? f->reason : e->text;

	mark_and_name(b, l, e, p, word);
	mlb_buf_adds(b, "  ");
	text_clean(b, reason ? reason : "", reason ? strlen(reason) : 0, 0, l->utf8);
	/* A reason may tell the time itself: "timed out after 2h". No time to speak of is not worth a word. */
	if (e->duration >= LEAST_TIME && !(reason && strstr(reason, " after "))) {
		mlb_buf_adds(b, " (after ");
		lines_duration(b, e->duration);
		mlb_buf_addc(b, ')');
	}
	mlb_buf_addc(b, '\n');
	if (!f)
		return;
	indented(b, l, f->command, "  ", MAX_COMMAND);
	indented(b, l, f->log_tail, "| ", 0);
	place(b, l, "log   ", f->log_path);
	place(b, l, "kept  ", f->kept);
}

static void
output(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e)
{
	const char *text = e->text, *end = text + e->len;

	while (text < end) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((feed ? feed : end) - text);
		const char *line = text_after_returns(text, &len);

		mlb_buf_adds(b, paint_on(l->color, PAINT_DIM));
		add_subject(b, l, e, false);
		mlb_buf_adds(b, " |");
		mlb_buf_adds(b, paint_off(l->color, PAINT_DIM));
		mlb_buf_addc(b, ' ');
		text_clean(b, line, len, 0, l->utf8);
		mlb_buf_addc(b, '\n');
		if (!feed)
			break;
		text = feed + 1;
	}
}

void
lines_event(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e)
{
	if (l->fold && e->n_files && (e->type == MLB_EV_START || e->type == MLB_EV_BUILT))
		return;
	switch (e->type) {
	case MLB_EV_PLAN:
	case MLB_EV_PROGRESS:
	case MLB_EV_UNENDED:
		break;
	case MLB_EV_WAIT:
		said(b, l, e, PAINT_WARN, "waiting");
		break;
	case MLB_EV_START:
		started(b, l, e);
		break;
	case MLB_EV_OUTPUT:
		output(b, l, e);
		break;
	case MLB_EV_BUILT:
		built(b, l, e);
		break;
	case MLB_EV_RESTORED:
		lines_mark(b, l, PAINT_GOOD, "restored");
		add_name(b, l, e->node, false);
		mlb_buf_addc(b, '\n');
		break;
	case MLB_EV_RETRY:
		said(b, l, e, PAINT_WARN, "retrying");
		break;
	case MLB_EV_FAILED:
		failed(b, l, e, PAINT_BAD, "failed");
		break;
	case MLB_EV_NO:
		failed(b, l, e, PAINT_BAD, "says no");
		break;
	case MLB_EV_BLOCKED:
		said(b, l, e, PAINT_WARN, "blocked");
		break;
	case MLB_EV_NOTE:
		said(b, l, e, PAINT_WARN, "note");
		break;
	}
}
