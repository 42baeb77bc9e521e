/*
 * Buffered writing to stdout or stderr. The first write error is remembered and
 * everything after it is dropped; a closed pipe is no error, it just means that
 * nobody reads any more.
 *
 * What is written belongs to nobody's trust: text that comes from files, names or
 * commands goes through out_clean (or text.h), never through out_add.
 */
#ifndef COMMANDS_OUT_H
#define COMMANDS_OUT_H

#include "base/buf.h"

struct out {
	int fd;
	int error;          /* errno of the first failed write, 0 */
	bool tty;
	bool color;
	bool utf8;          /* decorations may be other than ASCII */
	struct mlb_buf buf; /* not written yet */
};

/* Colours, by what they say. */
enum paint { PAINT_PLAIN, PAINT_BOLD, PAINT_DIM, PAINT_GOOD, PAINT_BAD, PAINT_WARN, PAINT_BUSY };

/* color: "auto", "always" or "never". */
void out_init(struct out *o, int fd, const char *color);
void out_release(struct out *o);
void out_add(struct out *o, const char *text, size_t len);
void out_adds(struct out *o, const char *text);
void out_addf(struct out *o, const char *fmt, ...) MLB_PRINTF(2, 3);
void out_clean(struct out *o, const char *text); /* neutralised, line feeds kept */
void out_flush(struct out *o);
bool out_closed(const struct out *o);            /* nobody reads any more, or writing fails */

/* 0, or an error if something could not be written (a closed pipe excepted). */
int out_finish(struct out *o, const char *name, struct mlb_err *err);

unsigned out_columns(const struct out *o);       /* of the terminal; 0 if it is none */

/* Text in a colour, if color is true. */
const char *paint_on(bool color, enum paint p);
const char *paint_off(bool color, enum paint p);
void paint_adds(struct mlb_buf *b, bool color, enum paint p, const char *text);

#endif
