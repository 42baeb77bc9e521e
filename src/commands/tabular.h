/*
 * Rows of cells, printed with aligned columns. Cells are made harmless for a
 * terminal; the last column is cut where the terminal ends.
 */
#ifndef COMMANDS_TABULAR_H
#define COMMANDS_TABULAR_H

#include "base/arena.h"
#include "base/vec.h"
#include "commands/out.h"

enum { TABULAR_MAX = 16 }; /* columns */

struct tabular_cell {
	const char *text; /* in the arena */
	uint32_t len;
	uint32_t width;
	enum paint paint;
	bool ends_row;
};

struct tabular {
	struct mlb_arena arena;
	MLB_VEC(struct tabular_cell) cell;
	unsigned width[TABULAR_MAX];
	size_t column; /* where the next cell goes */
	bool utf8;
};

void tabular_init(struct tabular *t, const struct out *out);
void tabular_release(struct tabular *t);
void tabular_add(struct tabular *t, enum paint p, const char *text);
void tabular_addf(struct tabular *t, enum paint p, const char *fmt, ...) MLB_PRINTF(3, 4);
void tabular_end_row(struct tabular *t);
void tabular_print(const struct tabular *t, struct out *out, const char *margin);

#endif
