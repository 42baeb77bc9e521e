#include "commands/diffmd.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "commands/differences.h"

enum { MAX_ROWS = 256 << 20, MAX_CELL = 1 << 20, MOST_NAMED = 4 };

static char *
headline(const struct mlb_point *at)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CELL);
	char *text;

	markdown_cell(&b, at->name);
	if (*at->commit && strncmp(at->commit, at->name, 8) != 0)
		mlb_buf_addf(&b, " (%.8s)", at->commit);
	text = mlb_strdup(mlb_buf_str(&b));
	mlb_buf_release(&b);
	return text;
}

void
diffmd_begin(struct diffmd *m, struct out *out, const struct mlb_point *from,
	     const struct mlb_point *to)
{
	m->out = out;
	m->from = headline(from);
	m->to = headline(to);
	mlb_buf_init(&m->params, MAX_ROWS);
	mlb_buf_init(&m->metrics, MAX_ROWS);
	mlb_buf_init(&m->targets, MAX_ROWS);
}

static void
add_cell(struct mlb_buf *rows, const char *text)
{
	mlb_buf_adds(rows, "| ");
	markdown_cell(rows, text);
	mlb_buf_addc(rows, ' ');
}

/* Name, before, after and the difference. */
static void
add_values(struct mlb_buf *rows, const struct mlb_change *d)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CELL);

	add_cell(rows, d->name);
	for (int after = 0; after < 2; after++) {
		mlb_buf_clear(&b);
		difference_value(&b, d, after == 1);
		add_cell(rows, mlb_buf_str(&b));
	}
	mlb_buf_clear(&b);
	difference_delta(&b, d);
	add_cell(rows, mlb_buf_str(&b));
	mlb_buf_adds(rows, "|\n");
	mlb_buf_release(&b);
}

void
diffmd_param(struct diffmd *m, const struct mlb_change *d)
{
	add_values(&m->params, d);
}

/* "input src/train.py, command" */
static void
add_causes(struct mlb_buf *b, const struct mlb_target_change *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_differences; i++) {
		const struct mlb_change *d = &t->difference[i];

		if (d->what == MLB_DIFF_METRIC || d->what == MLB_DIFF_OUTPUT)
			continue;
		if (n++ < MOST_NAMED)
			mlb_buf_addf(b, "%s%s%s%s", n > 1 ? ", " : "",
				     d->what == MLB_DIFF_ACTION ? "" : difference_what(d),
				     d->what == MLB_DIFF_ACTION ? "" : " ", d->name);
	}
	if (n > MOST_NAMED)
		mlb_buf_addf(b, " and %zu more", n - MOST_NAMED);
	if (t->files_added || t->files_removed || t->files_changed)
		mlb_buf_addf(b, "%sfiles: %u added, %u removed, %u changed", n ? ", " : "",
			     t->files_added, t->files_removed, t->files_changed);
}

void
diffmd_target(struct diffmd *m, const struct mlb_target_change *t)
{
	struct mlb_buf causes = MLB_BUF_INIT(MAX_CELL);

	for (size_t i = 0; i < t->n_differences; i++) {
		if (t->difference[i].what != MLB_DIFF_METRIC)
			continue;
		add_cell(&m->metrics, t->target);
		add_values(&m->metrics, &t->difference[i]);
	}
	add_causes(&causes, t);
	add_cell(&m->targets, t->target);
	add_cell(&m->targets, t->kind);
	add_cell(&m->targets, t->what);
	add_cell(&m->targets, mlb_buf_str(&causes));
	mlb_buf_adds(&m->targets, "|\n");
	mlb_buf_release(&causes);
}

static void
print(struct diffmd *m, const char *title, const char *columns, size_t n,
      const struct mlb_buf *rows)
{
	if (!rows->len)
		return;
	out_addf(m->out, "\n**%s**\n\n%s\n|", title, columns);
	while (n--)
		out_adds(m->out, "---|");
	out_adds(m->out, "\n");
	out_add(m->out, rows->data, rows->len);
}

void
diffmd_end(struct diffmd *m, bool any)
{
	char *columns = mlb_asprintf("| metric | %s | %s | change |", m->from, m->to);
	char *with_target = mlb_asprintf("| target %s", columns);
	char *params = mlb_asprintf("| parameter%s", columns + strlen("| metric"));

	out_addf(m->out, "### %s and %s\n", m->from, m->to);
	if (!any)
		out_adds(m->out, "\nNothing differs.\n");
	print(m, "Metrics", with_target, 5, &m->metrics);
	print(m, "Parameters", params, 4, &m->params);
	print(m, "Targets", "| target | kind | change | by |", 4, &m->targets);
	free(params);
	free(with_target);
	free(columns);
}

void
diffmd_release(struct diffmd *m)
{
	free(m->from);
	free(m->to);
	mlb_buf_release(&m->params);
	mlb_buf_release(&m->metrics);
	mlb_buf_release(&m->targets);
}
