/*
 * A growable byte buffer, always NUL-terminated once anything was added.
 *
 * Its maker chooses the maximum.  An addition that would pass it adds nothing
 * and marks the buffer `full`; later additions are ignored too, so that a run
 * of them is checked once, at the end, with mlb_buf_check.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/compat.h"
#include "mlbuild/err.h"

struct mlb_buf {
	char *data; /* NULL while empty; use mlb_buf_str for a string */
	size_t len; /* bytes in use, without the NUL */
	size_t cap; /* bytes allocated */
	size_t max; /* most bytes it may ever hold */
	bool full;  /* an addition was refused */
};

#define MLB_BUF_INIT(maximum) { NULL, 0, 0, (maximum), false }

void mlb_buf_init(struct mlb_buf *b, size_t max);
void mlb_buf_release(struct mlb_buf *b);  /* frees; the buffer may be used again */
void mlb_buf_clear(struct mlb_buf *b);    /* len = 0, full = false; keeps memory */
void mlb_buf_add(struct mlb_buf *b, const void *data, size_t len);
void mlb_buf_adds(struct mlb_buf *b, const char *s);
void mlb_buf_addc(struct mlb_buf *b, char c);
void mlb_buf_addf(struct mlb_buf *b, const char *fmt, ...) MLB_PRINTF(2, 3);
bool mlb_buf_reserve(struct mlb_buf *b, size_t extra); /* room for extra more; false: full */
void mlb_buf_truncate(struct mlb_buf *b, size_t len);
const char *mlb_buf_str(const struct mlb_buf *b);      /* "" while empty; borrowed */
char *mlb_buf_detach(struct mlb_buf *b);               /* owned by the caller; never NULL */

/* 0, or MLB_ETOOBIG naming `what` and the maximum if an addition was refused. */
int mlb_buf_check(const struct mlb_buf *b, const char *what, struct mlb_err *err);

#endif
