/* How a difference between two versions is shown: in a line, in a table, and as JSON. */
#ifndef COMMANDS_DIFFERENCES_H
#define COMMANDS_DIFFERENCES_H

#include "commands/jsonline.h"
#include "commands/tabular.h"
#include "mlbuild.h"

/* A value in short: numbers with six digits, digests with twelve; "-" where there is none. */
void difference_value(struct mlb_buf *b, const struct mlb_change *d, bool after);
/* "1.0 -> 0.1" */
void difference_change(struct mlb_buf *b, const struct mlb_change *d, bool utf8);
/* "+0.009 (+0.9%)"; nothing where they are no numbers. */
void difference_delta(struct mlb_buf *b, const struct mlb_change *d);
const char *difference_what(const struct mlb_change *d); /* param metric input output action */

/* Fields name, before, after, delta and relative (null where they are no numbers), into an open object. */
void difference_json(struct jsonline *l, const struct mlb_change *d);
/* An array of such objects, each with `what` too. */
void differences_json(struct jsonline *l, const char *key, const struct mlb_change *d, size_t n);

/* A number in short. */
void number_short(struct mlb_buf *b, double v);
/* 2026-11-21 02:55:46 here; "" for 0. */
void time_here(struct mlb_buf *b, int64_t ns);
/* Text for a cell of a markdown table. */
void markdown_cell(struct mlb_buf *b, const char *text);

#endif
