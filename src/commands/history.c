/*
 * 20261121-025546-3f9a  2026-11-21 02:55:46    4.2s  ok           1 built  1a2b3c4d  mlbuild model
 *   model  C 1.0 -> 0.1  accuracy 0.971 -> 0.98
 * 1a2b3c4d              2026-11-20 18:00:03          commit       2 changed  Ada: try less
 */
#include "commands/history.h"

#include <string.h>

#include "commands/differences.h"
#include "commands/lines.h"
#include "commands/text.h"

enum {
	ID = 20,
	TOOK = 7,
	OUTCOME = 11,
	COUNTS = 21,
	SHORT = 8,
	MOST_LINES = 10,
	MOST_ACROSS = 6,
	LEAST_WORDS = 16
};

/* ---------------------------------------------------------- JSON */

static void
actions_json(struct jsonline *l, const struct mlb_log_entry *e)
{
	mlb_json_key(&l->j, "actions");
	mlb_json_array(&l->j);
	for (size_t i = 0; i < e->n_actions; i++) {
		const struct mlb_log_action *a = &e->action[i];

		mlb_json_object(&l->j);
		jsonline_str(l, "target", a->target);
		jsonline_str(l, "what", a->what);
		jsonline_seconds(l, "seconds", a->duration);
		jsonline_int(l, "commands", a->commands);
		jsonline_str(l, "key", a->key);
		jsonline_raw(l, "metrics", a->metrics);
		differences_json(l, "changes", a->difference, a->n_differences);
		mlb_json_end_object(&l->j);
	}
	mlb_json_end_array(&l->j);
}

static void
run_json(struct jsonline *l, const struct mlb_log_entry *e)
{
	jsonline_str(l, "run", e->id);
	jsonline_time(l, "started", e->time);
	jsonline_seconds(l, "seconds", e->duration);
	jsonline_str(l, "command_line", e->words);
	jsonline_str(l, "commit", e->commit);
	mlb_json_key(&l->j, "exit");
	if (e->status < 0)
		mlb_json_null(&l->j);
	else
		mlb_json_int(&l->j, e->status);
	jsonline_int(l, "built", e->built);
	jsonline_int(l, "restored", e->restored);
	jsonline_int(l, "failed", e->failed);
}

void
history_json(struct out *out, const struct mlb_log_entry *e)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "what", e->what == MLB_LOG_RUN ? "run" : "commit");
	if (e->what == MLB_LOG_RUN) {
		run_json(&l, e);
	} else {
		jsonline_str(&l, "commit", e->commit);
		jsonline_time(&l, "time", e->time);
		jsonline_str(&l, "author", e->author);
		jsonline_str(&l, "subject", e->subject);
	}
	actions_json(&l, e);
	jsonline_end(&l);
}

/* ---------------------------------------------------------- the entry's line */

/* A cell of a fixed width, which may be passed. */
static void
cell(struct out *out, enum paint p, const char *text, unsigned width, bool right)
{
	struct mlb_buf b = MLB_BUF_INIT(4096);
	unsigned used = text_clean(&b, text, strlen(text), 0, out->utf8);

	if (right && used < width)
		text_spaces(&out->buf, width - used);
	paint_adds(&out->buf, out->color, p, mlb_buf_str(&b));
	if (!right && used < width)
		text_spaces(&out->buf, width - used);
	out_adds(out, "  ");
	mlb_buf_release(&b);
}

static void
outcome(struct out *out, const struct mlb_log_entry *e)
{
	if (e->what == MLB_LOG_COMMIT)
		cell(out, PAINT_PLAIN, "commit", OUTCOME, false);
	else if (e->status == 0)
		cell(out, PAINT_GOOD, "ok", OUTCOME, false);
	else if (e->status < 0)
		cell(out, PAINT_WARN, "cut short", OUTCOME, false);
	else if (e->status == 130)
		cell(out, PAINT_WARN, "interrupted", OUTCOME, false);
	else
		cell(out, PAINT_BAD, e->status == 3 ? "check: no" : "failed", OUTCOME, false);
}

static void
counts(struct out *out, const struct mlb_log_entry *e)
{
	struct mlb_buf b = MLB_BUF_INIT(256);
	static const char *const words[] = { "added", "changed", "removed" };

	if (e->what == MLB_LOG_RUN) {
		mlb_buf_addf(&b, "%u built, %u restored", e->built, e->restored);
	} else {
		for (size_t w = 0; w < MLB_ARRAY_LEN(words); w++) {
			unsigned n = 0;

			for (size_t i = 0; i < e->n_actions; i++)
				n += strcmp(e->action[i].what, words[w]) == 0;
			if (n)
				mlb_buf_addf(&b, "%s%u %s", b.len ? ", " : "", n, words[w]);
		}
	}
	cell(out, PAINT_PLAIN, mlb_buf_str(&b), COUNTS, false);
	mlb_buf_release(&b);
}

/* The last part of a line: cut where the terminal ends. */
static void
rest(struct out *out, const char *text, unsigned used)
{
	unsigned columns = out_columns(out);

	text_clean(&out->buf, text, strlen(text), columns > used + 8 ? columns - used : 0,
		   out->utf8);
	out_adds(out, "\n");
}

static void
entry_line(struct out *out, const struct mlb_log_entry *e)
{
	const unsigned first = ID + 2 + 19 + 2 + TOOK + 2 + OUTCOME + 2;
	const unsigned second = COUNTS + 2 + SHORT + 2;
	/* Two lines where one has no room for words at its end. */
	bool narrow = out_columns(out) && out_columns(out) < first + second + LEAST_WORDS;
	struct mlb_buf when = MLB_BUF_INIT(64), took = MLB_BUF_INIT(64),
		       what = MLB_BUF_INIT(1 << 20);
	char id[SHORT + 1] = "";

	memcpy(id, e->commit, MLB_MIN(strlen(e->commit), (size_t)SHORT));
	time_here(&when, e->time);
	if (e->what == MLB_LOG_RUN)
		lines_duration(&took, e->duration);
	cell(out, PAINT_BOLD, e->what == MLB_LOG_RUN ? e->id : id, ID, false);
	cell(out, PAINT_PLAIN, mlb_buf_str(&when), 19, false);
	cell(out, PAINT_PLAIN, mlb_buf_str(&took), TOOK, true);
	outcome(out, e);
	if (narrow)
		out_adds(out, "\n  ");
	counts(out, e);
	if (e->what == MLB_LOG_RUN) {
		cell(out, PAINT_DIM, id, SHORT, false);
		mlb_buf_adds(&what, e->words);
	} else {
		mlb_buf_addf(&what, "%s: %s", e->author, e->subject);
	}
	rest(out, mlb_buf_str(&what), (narrow ? 2 : first) + second);
	mlb_buf_release(&what);
	mlb_buf_release(&took);
	mlb_buf_release(&when);
}

/* ---------------------------------------------------------- what was done */

/* Of n instances: "fold@*". */
static void
target_name(struct mlb_buf *b, const struct mlb_log_action *a, size_t n)
{
	if (n > 1)
		mlb_buf_addf(b, "%.*s@*", (int)strcspn(a->target, "@"), a->target);
	else
		mlb_buf_adds(b, a->target);
}

/* "model  C 1.0 -> 0.1  accuracy 0.971 -> 0.98", in one line. */
static void
changes_line(struct out *out, const struct mlb_log_action *a, size_t n, unsigned width)
{
	struct mlb_buf b = MLB_BUF_INIT(1 << 20), name = MLB_BUF_INIT(1 << 16);
	unsigned columns = out_columns(out);
	size_t shown = MLB_MIN(a->n_differences, (size_t)MOST_ACROSS);

	out_adds(out, "  ");
	target_name(&name, a, n);
	cell(out, PAINT_BOLD, mlb_buf_str(&name), width, false);
	for (size_t i = 0; i < shown; i++) {
		mlb_buf_addf(&b, "%s%s ", i ? "  " : "", a->difference[i].name);
		difference_change(&b, &a->difference[i], out->utf8);
	}
	if (shown < a->n_differences)
		mlb_buf_addf(&b, "  and %zu more", a->n_differences - shown);
	text_clean(&out->buf, mlb_buf_str(&b), b.len,
		   columns > width + 12 ? columns - width - 4 : 0, out->utf8);
	out_adds(out, "\n");
	mlb_buf_release(&name);
	mlb_buf_release(&b);
}

static unsigned
widest(const struct mlb_log_entry *e, bool all)
{
	unsigned width = 0;

	for (size_t i = 0; i < e->n_actions; i++)
		if (all || e->action[i].n_differences)
			width = MLB_MAX(width, text_columns(e->action[i].target,
							    strlen(e->action[i].target)));
	return MLB_MIN(width, 40U);
}

static bool
same_text(const char *a, const char *b)
{
	return !a || !b ? a == b : strcmp(a, b) == 0;
}

static bool
same_changes(const struct mlb_log_action *a, const struct mlb_log_action *b)
{
	bool same = a->n_differences == b->n_differences;

	for (size_t i = 0; i < a->n_differences && same; i++)
		same = strcmp(a->difference[i].name, b->difference[i].name) == 0 &&
		       same_text(a->difference[i].before, b->difference[i].before) &&
		       same_text(a->difference[i].after, b->difference[i].after);
	return same;
}

/* How many actions from here on are those of instances of one target that changed alike. */
static size_t
changed_alike(const struct mlb_log_entry *e, size_t i)
{
	const struct mlb_log_action *a = &e->action[i];
	size_t base = strcspn(a->target, "@"), n = 1;

	while (a->target[base] == '@' && i + n < e->n_actions &&
	       strncmp(e->action[i + n].target, a->target, base + 1) == 0 &&
	       same_changes(a, &e->action[i + n]))
		n++;
	return n;
}

static void
changed(struct out *out, const struct mlb_log_entry *e)
{
	unsigned width = widest(e, false);
	size_t shown = 0, more = 0;

	for (size_t i = 0, n; i < e->n_actions; i += n) {
		n = changed_alike(e, i);
		if (!e->action[i].n_differences)
			continue;
		if (shown++ < MOST_LINES)
			changes_line(out, &e->action[i], n, width);
		else
			more += n;
	}
	if (more)
		out_addf(out, "  and %zu more targets: '--verbose' shows all\n", more);
}

/* How many actions from here on are those of instances of one target, done alike. */
static size_t
alike(const struct mlb_log_entry *e, size_t i)
{
	size_t base = strcspn(e->action[i].target, "@"), n = 1;

	while (e->action[i].target[base] == '@' && i + n < e->n_actions &&
	       strncmp(e->action[i + n].target, e->action[i].target, base + 1) == 0 &&
	       strcmp(e->action[i + n].what, e->action[i].what) == 0)
		n++;
	return n > 3 ? n : 1;
}

static void
action_line(struct out *out, const struct mlb_log_action *a, size_t n, unsigned width)
{
	struct mlb_buf took = MLB_BUF_INIT(64), name = MLB_BUF_INIT(1 << 16);

	target_name(&name, a, n);
	/* The durations of several overlap: their sum would be no time that passed. */
	if (a->duration && n == 1)
		lines_duration(&took, a->duration);
	out_adds(out, "  ");
	cell(out, PAINT_BOLD, mlb_buf_str(&name), width, false);
	cell(out, PAINT_PLAIN, a->what, 8, false);
	out_adds(out, mlb_buf_str(&took));
	if (n > 1)
		out_addf(out, "%zu instances", n);
	if (a->commands > 1)
		out_addf(out, "  %u commands", a->commands);
	out_adds(out, "\n");
	mlb_buf_release(&name);
	mlb_buf_release(&took);
}

static void
all_done(struct out *out, const struct mlb_log_entry *e)
{
	unsigned width = widest(e, true);

	for (size_t i = 0, n; i < e->n_actions; i += n) {
		const struct mlb_log_action *a = &e->action[i];

		n = alike(e, i);
		action_line(out, a, n, width);
		for (size_t k = 0; n == 1 && k < a->n_differences; k++) {
			struct mlb_buf b = MLB_BUF_INIT(1 << 20);

			mlb_buf_addf(&b, "%s ", a->difference[k].name);
			difference_change(&b, &a->difference[k], out->utf8);
			if (a->difference[k].numeric)
				mlb_buf_adds(&b, "  ");
			difference_delta(&b, &a->difference[k]);
			out_adds(out, "    ");
			out_clean(out, mlb_buf_str(&b));
			out_adds(out, "\n");
			mlb_buf_release(&b);
		}
	}
}

void
history_print(struct out *out, const struct mlb_log_entry *e, bool verbose)
{
	entry_line(out, e);
	if (verbose)
		all_done(out, e);
	else
		changed(out, e);
}
