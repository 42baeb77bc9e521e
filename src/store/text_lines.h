/*
 * Texts of lines that are written and read byte for byte: result records, roots.
 * In a text `\` and bytes below 0x20 are written \xHH, lower case.
 *
 * Ownership: a reader borrows what it reads.
 */
#ifndef STORE_TEXT_LINES_H
#define STORE_TEXT_LINES_H

#include "base/buf.h"
#include "base/hash.h"

struct mlb_text_reader {
	const char *start, *at, *end;
};

/* Each takes what comes next, or leaves it and is false. */
bool mlb_text_take(struct mlb_text_reader *r, const char *word);
bool mlb_text_take_digest(struct mlb_text_reader *r, struct mlb_digest *out);
/* The rest of the line, and its end; out has room for mlb_text_line bytes and a NUL. After false it is anywhere. */
bool mlb_text_take_rest(struct mlb_text_reader *r, char *out);
/* Bytes up to the end of the line; SIZE_MAX: it has none. */
size_t mlb_text_line(const struct mlb_text_reader *r);

void mlb_text_escape(struct mlb_buf *out, const char *s);

#endif
