#include "commands/sides.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "commands/differences.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

enum { MOST_COLUMNS = 8, MAX_CELL = 1 << 20 };

int
sides_check(const struct app *app, struct mlb_err *err)
{
	if (app->opt.csv + app->opt.json + app->opt.md > 1)
		return mlb_err_set(err, MLB_EINVALID,
				   "'--csv', '--json' and '--md' exclude each other");
	return 0;
}

static bool
picked(const struct sides *s, const struct mlb_table_line *l)
{
	char *full = mlb_asprintf("%s.%s", l->target, l->name);
	bool is = s->n_only == 0;

	for (size_t i = 0; i < s->n_only && !is; i++)
		is = fnmatch(s->only[i], l->name, 0) == 0 ||
		     (s->metrics && (fnmatch(s->only[i], l->target, 0) == 0 ||
				     fnmatch(s->only[i], full, 0) == 0));
	free(full);
	return is;
}

/* A metric in short, a parameter as written. */
static void
short_value(struct mlb_buf *b, const struct sides *s, const struct mlb_cell *c)
{
	if (!c->text)
		mlb_buf_adds(b, "-");
	else if (s->metrics && !isnan(c->number) && strpbrk(c->json, ".eE"))
		number_short(b, c->number);
	else
		mlb_buf_adds(b, c->text);
}

/* ---------------------------------------------------------- JSON, CSV */

static void
point_json(const struct sides *s, const struct mlb_side_by_side *t, size_t column)
{
	const struct mlb_point *at = &t->point[column];
	const char *target = NULL;
	struct jsonline l;

	jsonline_begin(&l, &s->app->out);
	jsonline_str(&l, "rev", at->name);
	jsonline_str(&l, "commit", at->commit);
	if (*at->commit)
		jsonline_time(&l, "time", at->time);
	else
		jsonline_raw(&l, "time", "");
	jsonline_str(&l, "subject", at->subject);
	mlb_json_key(&l.j, s->metrics ? "metrics" : "params");
	mlb_json_object(&l.j);
	for (size_t i = 0; i < t->n_lines; i++) {
		const struct mlb_table_line *line = &t->line[i];

		if (!line->cell[column].text || !picked(s, line))
			continue;
		if (s->metrics && (!target || strcmp(target, line->target) != 0)) {
			if (target)
				mlb_json_end_object(&l.j);
			target = line->target;
			mlb_json_key(&l.j, target);
			mlb_json_object(&l.j);
		}
		jsonline_raw(&l, line->name, line->cell[column].json);
	}
	if (target)
		mlb_json_end_object(&l.j);
	mlb_json_end_object(&l.j);
	jsonline_end(&l);
}

/* RFC 4180. */
static void
csv_cell(struct out *out, const char *text, bool first)
{
	if (!first)
		out_adds(out, ",");
	if (!strpbrk(text, ",\"\r\n")) {
		out_adds(out, text);
		return;
	}
	out_adds(out, "\"");
	for (; *text; text++) {
		if (*text == '"')
			out_adds(out, "\"");
		out_add(out, text, 1);
	}
	out_adds(out, "\"");
}

static void
print_csv(struct sides *s, const struct mlb_side_by_side *t)
{
	struct out *out = &s->app->out;

	if (s->metrics)
		csv_cell(out, "target", true);
	csv_cell(out, s->metrics ? "metric" : "parameter", !s->metrics);
	for (size_t k = 0; k < t->n_points; k++)
		csv_cell(out, t->point[k].name, false);
	out_adds(out, "\n");
	for (size_t i = 0; i < t->n_lines; i++) {
		const struct mlb_table_line *l = &t->line[i];

		if (!picked(s, l))
			continue;
		s->n_shown++;
		if (s->metrics)
			csv_cell(out, l->target, true);
		csv_cell(out, l->name, !s->metrics);
		for (size_t k = 0; k < t->n_points; k++)
			csv_cell(out, l->cell[k].text ? l->cell[k].text : "", false);
		out_adds(out, "\n");
	}
}

/* ---------------------------------------------------------- rows and columns of text */

/* Where the cells of a table go: aligned text, or markdown. */
struct sheet {
	struct sides *s;
	struct tabular table;
	bool md;
	size_t column, columns; /* of the row at hand; of the first row */
	bool headed;
};

static void
add(struct sheet *h, enum paint p, const char *text)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CELL);

	if (!h->md) {
		tabular_add(&h->table, p, text);
		return;
	}
	markdown_cell(&b, text);
	out_adds(&h->s->app->out, h->column++ ? " | " : "| ");
	out_add(&h->s->app->out, mlb_buf_str(&b), b.len);
	mlb_buf_release(&b);
}

static void
end_row(struct sheet *h)
{
	struct out *out = &h->s->app->out;

	if (!h->md) {
		tabular_end_row(&h->table);
		return;
	}
	out_adds(out, " |\n");
	for (size_t i = 0; !h->headed && i < h->column; i++)
		out_adds(out, i + 1 == h->column ? "|---|\n" : "|---");
	h->headed = true;
	h->column = 0;
}

static void
add_value(struct sheet *h, const struct mlb_cell *c)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CELL);

	short_value(&b, h->s, c);
	add(h, c->text ? PAINT_PLAIN : PAINT_DIM, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

/* Of two columns, what changed between them. */
static void
add_delta(struct sheet *h, const struct mlb_cell *c)
{
	struct mlb_change d = { .numeric = !isnan(c[0].number) && !isnan(c[1].number) };
	struct mlb_buf b = MLB_BUF_INIT(256);

	d.delta = c[1].number - c[0].number;
	d.relative = fabs(c[0].number) > 0 ? d.delta / fabs(c[0].number) : (double)NAN;
	if (d.numeric && fabs(d.delta) > 0)
		difference_delta(&b, &d);
	add(h, PAINT_BOLD, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

/* One line for each value. */
static void
lines_of_values(struct sheet *h, const struct mlb_side_by_side *t)
{
	const char *target = "";
	bool head = t->n_points > 1 || h->md;

	if (head) {
		if (h->s->metrics)
			add(h, PAINT_DIM, h->md ? "target" : "");
		add(h, PAINT_DIM, h->md ? h->s->metrics ? "metric" : "parameter" : "");
		for (size_t k = 0; k < t->n_points; k++)
			add(h, PAINT_DIM, t->point[k].name);
		if (t->n_points == 2)
			add(h, PAINT_DIM, h->md ? "change" : "");
		end_row(h);
	}
	for (size_t i = 0; i < t->n_lines; i++) {
		const struct mlb_table_line *l = &t->line[i];

		if (!picked(h->s, l))
			continue;
		h->s->n_shown++;
		if (h->s->metrics)
			add(h, PAINT_BOLD,
			    !h->md && strcmp(target, l->target) == 0 ? "" : l->target);
		target = l->target;
		add(h, h->s->metrics ? PAINT_PLAIN : PAINT_BOLD, l->name);
		for (size_t k = 0; k < t->n_points; k++)
			add_value(h, &l->cell[k]);
		if (t->n_points == 2)
			add_delta(h, l->cell);
		end_row(h);
	}
}

static void
headline(struct sheet *h, const struct mlb_table_line *l, bool with_target)
{
	char *full = mlb_asprintf("%s%s%s", with_target ? l->target : "", with_target ? " " : "",
				  l->name);

	add(h, PAINT_DIM, full);
	free(full);
}

static bool
several_targets(const struct sides *s, const struct mlb_side_by_side *t)
{
	const char *first = NULL;

	for (size_t i = 0; i < t->n_lines; i++) {
		if (!picked(s, &t->line[i]))
			continue;
		if (first && strcmp(first, t->line[i].target) != 0)
			return true;
		first = t->line[i].target;
	}
	return false;
}

/* One line for each revision; what does not fit beside the others is left out, and said so. */
static void
lines_of_points(struct sheet *h, const struct mlb_side_by_side *t)
{
	const struct mlb_table_line *shown[TABULAR_MAX];
	size_t n = 0, left_out = 0;

	for (size_t i = 0; i < t->n_lines; i++) {
		if (!picked(h->s, &t->line[i]))
			continue;
		if (n + 2 < TABULAR_MAX)
			shown[n++] = &t->line[i];
		else
			left_out++;
	}
	h->s->n_shown = n;
	add(h, PAINT_DIM, h->md ? "revision" : "");
	for (size_t k = 0; k < n; k++)
		headline(h, shown[k], several_targets(h->s, t));
	add(h, PAINT_DIM, h->md ? "subject" : "");
	end_row(h);
	for (size_t i = 0; i < t->n_points; i++) {
		add(h, PAINT_BOLD, t->point[i].name);
		for (size_t k = 0; k < n; k++)
			add_value(h, &shown[k]->cell[i]);
		add(h, PAINT_DIM, t->point[i].subject);
		end_row(h);
	}
	if (left_out)
		out_addf(&h->s->app->err,
			 "%zu more have no room: name some behind '--', or use '--csv'\n",
			 left_out);
}

int
sides_print(void *ctx, const struct mlb_side_by_side *t)
{
	struct sides *s = ctx;
	struct sheet h = { .s = s, .md = s->app->opt.md };

	if (s->app->opt.json) {
		for (size_t i = 0; i < t->n_lines; i++)
			s->n_shown += picked(s, &t->line[i]);
		for (size_t k = 0; k < t->n_points; k++)
			point_json(s, t, k);
		return 0;
	}
	if (s->app->opt.csv) {
		print_csv(s, t);
		return 0;
	}
	tabular_init(&h.table, &s->app->out);
	if (t->n_points > MOST_COLUMNS)
		lines_of_points(&h, t);
	else
		lines_of_values(&h, t);
	if (!h.md && s->n_shown)
		tabular_print(&h.table, &s->app->out, "");
	tabular_release(&h.table);
	return 0;
}
