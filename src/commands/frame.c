/*
 * Drawing the live display. The region's lines are at least a column shorter than
 * the terminal, so that they never wrap; the cursor rests at the end of the last
 * one. A drawing is one write: up to the region's first line, what scrolls by, and
 * the lines anew, each of which erases what is left of the old one behind it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/text.h"
#include "commands/live.h"
#include "commands/signals.h"
#include "commands/text.h"

enum {
	MARK_WIDTH = 60, /* from so many columns on, lines have a mark in front */
	MAX_TASKS = 16,  /* lines for what runs */
	BAR = 20,        /* columns */
	MAX_FRAME = 1 << 20,
};
#define SECOND UINT64_C(1000000000)

/* One drawing. */
struct frame {
	struct live *l;
	struct mlb_buf *b;
	unsigned room; /* columns that a line may use */
	unsigned rows;
	unsigned used; /* columns of the line being written */
	uint64_t now;
};

static void
add(struct frame *f, enum paint p, const char *text)
{
	paint_adds(f->b, f->l->lines.color, p, text);
	f->used += text_columns(text, strlen(text));
}

static void
end_line(struct frame *f)
{
	mlb_buf_adds(f->b, "\x1b[K\n");
	mlb_vec_push(&f->l->width, f->used);
	f->used = 0;
}

static void
mark(struct frame *f, enum paint p, const char *word)
{
	struct mlb_buf text = MLB_BUF_INIT(256);

	if (f->room >= MARK_WIDTH) {
		lines_mark(&text, &f->l->lines, PAINT_PLAIN, word);
		add(f, p, mlb_buf_str(&text));
	}
	mlb_buf_release(&text);
}

/* "12s of 40s" */
static void
task_time(const struct frame *f, const struct live_task *t, struct mlb_buf *b)
{
	lines_duration(b, (f->now - t->started) / (SECOND / 10) * (SECOND / 10));
	if (t->expected >= SECOND) {
		mlb_buf_adds(b, " of ~");
		lines_duration(b, t->expected);
	}
}

/* Columns that the shown tasks' names and times take. */
struct layout {
	size_t shown;
	unsigned name, time;
};

static void
measure(const struct frame *f, struct layout *a)
{
	struct mlb_buf b = MLB_BUF_INIT(256);
	unsigned most = MLB_MAX(f->room / 3, 8U);

	for (size_t i = 0; i < a->shown; i++) {
		const struct live_task *t = &f->l->task.v[i];
		unsigned name = text_columns(t->name, strlen(t->name));

		mlb_buf_clear(&b);
		task_time(f, t, &b);
		a->time = MLB_MAX(a->time, (unsigned)b.len);
		a->name = MLB_MAX(a->name, MLB_MIN(name, most));
	}
	mlb_buf_release(&b);
}

static void
task_line(struct frame *f, const struct live_task *t, const struct layout *a)
{
	const struct lines *l = &f->l->lines;
	struct mlb_buf time = MLB_BUF_INIT(256);
	unsigned name;

	mark(f, PAINT_BUSY, "running");
	name = text_clean(f->b, t->name, strlen(t->name), MLB_MIN(a->name, f->room - f->used),
			  l->utf8);
	f->used += name;
	task_time(f, t, &time);
	if (f->used + a->name - name + 2 + a->time <= f->room) {
		text_spaces(f->b, a->name - name + 2);
		f->used += a->name - name + 2;
		add(f, PAINT_PLAIN, mlb_buf_str(&time));
		if (t->line_len && f->used + a->time - time.len + 2 + 8 <= f->room) {
			unsigned gap = a->time - (unsigned)time.len + 2;

			text_spaces(f->b, gap);
			f->used += gap;
			mlb_buf_adds(f->b, paint_on(l->color, PAINT_DIM));
			f->used +=
				text_clean(f->b, t->line, t->line_len, f->room - f->used, l->utf8);
			mlb_buf_adds(f->b, paint_off(l->color, PAINT_DIM));
		}
	}
	end_line(f);
	mlb_buf_release(&time);
}

static void
task_lines(struct frame *f)
{
	struct layout a = { 0, 0, 0 };
	size_t most = MLB_MIN((size_t)MAX_TASKS, f->rows / 2);
	char text[64];

	a.shown = f->l->task.n;
	if (a.shown > most)
		a.shown = most ? most - 1 : 0; /* the last line is for the rest */
	measure(f, &a);
	for (size_t i = 0; i < a.shown; i++)
		task_line(f, &f->l->task.v[i], &a);
	if (f->l->task.n > a.shown && most) {
		mark(f, PAINT_DIM, "");
		(void)snprintf(text, sizeof(text), "and %zu more", f->l->task.n - a.shown);
		if (f->used + strlen(text) <= f->room)
			add(f, PAINT_DIM, text);
		end_line(f);
	}
}

/* What is left of the time that everything was expected to take; 0: unknown. */
static uint64_t
time_left(const struct frame *f)
{
	const struct live *l = f->l;
	uint64_t left = 0;

	if (l->planned && l->planned + l->expected > f->now)
		left = l->planned + l->expected - f->now;
	for (size_t i = 0; i < l->task.n; i++) {
		uint64_t end = l->task.v[i].started + l->task.v[i].expected;

		if (end > f->now)
			left = MLB_MAX(left, end - f->now);
	}
	return left;
}

static void
bar(struct frame *f)
{
	const struct live *l = f->l;
	unsigned full =
		l->total ? (unsigned)((uint64_t)MLB_MIN(l->finished, l->total) * BAR / l->total)
			 : 0;
	bool fine = l->lines.utf8 && l->lines.color;

	if (!fine)
		add(f, PAINT_PLAIN, "[");
	mlb_buf_adds(f->b, paint_on(l->lines.color, PAINT_GOOD));
	for (unsigned i = 0; i < BAR; i++) {
		if (i == full) {
			mlb_buf_adds(f->b, paint_off(l->lines.color, PAINT_GOOD));
			mlb_buf_adds(f->b, paint_on(l->lines.color, PAINT_DIM));
		}
		mlb_buf_adds(f->b, fine ? (i < full ? "\xe2\x94\x81" : "\xe2\x94\x80")
					: (i < full ? "#" : "."));
	}
	mlb_buf_adds(f->b, paint_off(l->lines.color, PAINT_DIM));
	f->used += BAR;
	add(f, PAINT_PLAIN, fine ? "  " : "]  ");
}

/* One more fact on the status line, if there is room. */
static void
fact(struct frame *f, enum paint p, const char *text, bool first)
{
	if (f->used + (first ? 0 : 2) + text_columns(text, strlen(text)) > f->room)
		return;
	if (!first)
		add(f, PAINT_PLAIN, "  ");
	add(f, p, text);
}

static void
add_left(struct mlb_buf *b, uint64_t left)
{
	mlb_buf_addc(b, '~');
	if (left < 60 * SECOND)
		mlb_buf_addf(b, "%us", (unsigned)(left / SECOND));
	else
		mlb_add_duration(b, left);
}

static void
status_facts(struct frame *f)
{
	const struct live *l = f->l;
	struct mlb_buf text = MLB_BUF_INIT(256);
	uint64_t left = time_left(f);

	mlb_buf_addf(&text, "%u/%u", l->finished, l->total);
	fact(f, PAINT_BOLD, mlb_buf_str(&text), true);
	if (left >= SECOND) {
		mlb_buf_clear(&text);
		add_left(&text, left);
		mlb_buf_adds(&text, " left");
		fact(f, PAINT_PLAIN, mlb_buf_str(&text), false);
	}
	if (l->task.n) {
		mlb_buf_clear(&text);
		mlb_buf_addf(&text, "%zu running", l->task.n);
		fact(f, PAINT_DIM, mlb_buf_str(&text), false);
	}
	if (l->fact)
		fact(f, PAINT_PLAIN, l->fact, false);
	if (l->restored) {
		mlb_buf_clear(&text);
		mlb_buf_addf(&text, "%u restored", l->restored);
		fact(f, PAINT_DIM, mlb_buf_str(&text), false);
	}
	mlb_buf_release(&text);
}

static const char *
stopping_text(unsigned stops, unsigned room)
{
	if (room < MARK_WIDTH)
		return "stopping";
	return stops > 1 ? "still restoring outputs" : "commands are ended, outputs restored";
}

static void
status_line(struct frame *f)
{
	unsigned stops = signals_stops();

	if (stops) {
		mark(f, PAINT_WARN, "stopping");
		fact(f, PAINT_WARN, stopping_text(stops, f->room), true);
	} else if (!f->l->total) {
		mark(f, PAINT_BUSY, "planning");
		fact(f, PAINT_PLAIN, "looking for what changed", true);
	} else {
		mark(f, PAINT_BUSY, "building");
		if (f->room >= MARK_WIDTH)
			bar(f);
		status_facts(f);
	}
	mlb_buf_adds(f->b, "\x1b[K");
	mlb_vec_push(&f->l->width, f->used);
}

/* Rows that the region takes now: a terminal that became narrower has wrapped its lines. */
static unsigned
rows_of_region(const struct live *l, unsigned columns)
{
	unsigned rows = 0;

	for (size_t i = 0; i < l->width.n; i++)
		rows += l->width.v[i] > columns ? (l->width.v[i] + columns - 1) / columns : 1;
	return rows;
}

static void
size_of_terminal(const struct live *l, unsigned *columns, unsigned *rows)
{
	struct winsize w = { 0 };

	(void)ioctl(l->out->fd, TIOCGWINSZ, &w);
	*columns = w.ws_col ? MLB_MAX(w.ws_col, 2) : 80;
	*rows = w.ws_row ? w.ws_row : 24;
}

/* To the first column of the region's first row. */
static void
rewind_region(struct live *l, struct mlb_buf *b, unsigned columns, unsigned rows)
{
	unsigned region;

	if (l->continues != signals_continues()) {
		/*
		 * The shell has written since: begin below. So many spaces end at the
		 * first column of a line that is ours: this one if nothing stands in
		 * it, else the next.
		 */
		l->continues = signals_continues();
		text_spaces(b, columns);
		mlb_buf_addc(b, '\r');
		l->width.n = 0;
		mlb_buf_clear(&l->region);
	}
	region = MLB_MIN(rows_of_region(l, columns), rows);
	if (region)
		mlb_buf_addc(b, '\r');
	if (region > 1)
		mlb_buf_addf(b, "\x1b[%uA", region - 1);
}

void
frame_draw(struct live *l, bool last)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_FRAME), region = MLB_BUF_INIT(MAX_FRAME);
	struct frame f = { .l = l, .b = &region, .now = live_now() };
	unsigned columns;

	if (signals_suspended() && !last) {
		l->drawn = f.now;
		goto done;
	}
	size_of_terminal(l, &columns, &f.rows);
	f.room = columns - 1;
	rewind_region(l, &text, columns, f.rows);
	if (l->pending.len || last)
		mlb_buf_adds(&text, l->width.n ? "\x1b[J" : "");
	l->width.n = 0;
	if (!last) {
		task_lines(&f);
		status_line(&f);
		mlb_buf_adds(&region, "\x1b[J");
	}
	if (last || l->pending.len || region.len != l->region.len ||
	    memcmp(region.data, l->region.data, region.len) != 0) {
		out_add(l->out, mlb_buf_str(&text), text.len);
		out_add(l->out, mlb_buf_str(&l->pending), l->pending.len);
		out_add(l->out, mlb_buf_str(&region), region.len);
		out_flush(l->out);
	}
	mlb_buf_clear(&l->pending);
	mlb_buf_clear(&l->region);
	mlb_buf_add(&l->region, mlb_buf_str(&region), region.len);
	l->dirty = false;
	l->drawn = f.now;
done:
	mlb_buf_release(&text);
	mlb_buf_release(&region);
}
