/*
 * Text for people's eyes: what a terminal would obey is made harmless, and lines
 * are cut to a width in columns. Text is UTF-8; bytes that are not become '?'.
 */
#ifndef COMMANDS_TEXT_H
#define COMMANDS_TEXT_H

#include "base/buf.h"

/* Columns of a code point: 0 to 2, never less than what a terminal takes. */
unsigned text_char_columns(uint32_t c);

/* Columns of a string that holds no control characters. */
unsigned text_columns(const char *s, size_t len);

/*
 * Append s with escape sequences dropped, tabs and line feeds as spaces, and
 * other control characters (and marks that reorder text) as \xHH or \u{HHHH}.
 * At most max columns (0: no limit); if it is cut its last character is an
 * ellipsis. Returns the columns used.
 */
unsigned text_clean(struct mlb_buf *b, const char *s, size_t len, unsigned max, bool utf8);

void text_spaces(struct mlb_buf *b, unsigned n);

/* The last non-empty line of text that overwrites itself with carriage returns. */
const char *text_after_returns(const char *s, size_t *len);

#endif
