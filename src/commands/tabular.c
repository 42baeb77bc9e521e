#include "commands/tabular.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/text.h"

enum { GAP = 2, MAX_CELL = 1 << 20 };

void
tabular_init(struct tabular *t, const struct out *out)
{
	memset(t, 0, sizeof(*t));
	t->utf8 = out->utf8;
}

void
tabular_release(struct tabular *t)
{
	mlb_arena_release(&t->arena);
	mlb_vec_release(&t->cell);
}

void
tabular_add(struct tabular *t, enum paint p, const char *text)
{
	struct mlb_buf clean = MLB_BUF_INIT(MAX_CELL);
	struct tabular_cell cell = { .paint = p };

	cell.width = text_clean(&clean, text, strlen(text), 0, t->utf8);
	cell.len = (uint32_t)clean.len;
	cell.text = mlb_arena_strndup(&t->arena, mlb_buf_str(&clean), clean.len);
	mlb_buf_release(&clean);
	if (t->column < TABULAR_MAX && t->width[t->column] < cell.width)
		t->width[t->column] = cell.width;
	t->column++;
	mlb_vec_push(&t->cell, cell);
}

void
tabular_addf(struct tabular *t, enum paint p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	tabular_add(t, p, text);
}

void
tabular_end_row(struct tabular *t)
{
	if (t->cell.n)
		t->cell.v[t->cell.n - 1].ends_row = true;
	t->column = 0;
}

/* Is everything behind this cell in its row empty? */
static bool
is_last(const struct tabular *t, size_t i)
{
	while (!t->cell.v[i].ends_row)
		if (t->cell.v[++i].len)
			return false;
	return true;
}

static void
print_cell(const struct tabular_cell *c, struct out *out, unsigned room)
{
	out_adds(out, paint_on(out->color && c->len, c->paint));
	if (room)
		text_clean(&out->buf, c->text, c->len, room, out->utf8);
	else
		out_add(out, c->text, c->len);
	out_adds(out, paint_off(out->color && c->len, c->paint));
}

void
tabular_print(const struct tabular *t, struct out *out, const char *margin)
{
	unsigned columns = out_columns(out);
	unsigned begin = (unsigned)strlen(margin), used = begin;
	size_t column = 0;

	for (size_t i = 0; i < t->cell.n; i++) {
		const struct tabular_cell *c = &t->cell.v[i];
		bool last = is_last(t, i);
		unsigned room = columns > used + 8 ? columns - used : 0;

		if (column == 0)
			out_adds(out, margin);
		print_cell(c, out, last ? room : 0);
		if (last) {
			out_adds(out, "\n");
			while (!t->cell.v[i].ends_row)
				i++;
			column = 0;
			used = begin;
			continue;
		}
		text_spaces(&out->buf, t->width[column] - c->width + GAP);
		used += t->width[column] + GAP;
		column++;
	}
}
