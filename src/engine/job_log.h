/*
 * What a command wrote: secrets masked, bounded, and cut into lines.
 *
 * 1. A secret never leaves this file: it is found across the borders of what was
 *    read at once, and what may be its beginning is held back.
 * 2. At most `max` bytes of the text are kept: the first and the last half.
 *
 * Ownership: the log owns its texts and copies the secrets.
 */
#ifndef ENGINE_JOB_LOG_H
#define ENGINE_JOB_LOG_H

#include "base/buf.h"
#include "base/vec.h"

struct mlb_joblog {
	size_t half;          /* bytes kept at either end */
	struct mlb_buf head;  /* the first half */
	struct mlb_buf tail;  /* what came after it; cut to the last half when it is twice that */
	uint64_t left_out;    /* bytes cut from between them */
	struct mlb_buf whole; /* head, a note and tail, when someone asks */
	struct mlb_buf line;  /* masked text that was given to nobody yet */
	struct mlb_buf held;  /* what may be the beginning of a secret */
	size_t covered;       /* first bytes of held that a mask stands for already */
	struct mlb_strvec secret; /* longest first */
	bool first[256];          /* a secret begins with this byte */
};

/* secret: NULL or NULL-terminated; of one with several lines each long line is a secret too. */
void mlb_joblog_init(struct mlb_joblog *log, size_t max, const char *const *secret);
void mlb_joblog_release(struct mlb_joblog *log);

void mlb_joblog_add(struct mlb_joblog *log, const char *data, size_t len);
void mlb_joblog_end(struct mlb_joblog *log); /* nothing follows: what was held back is added */

/* Give whole lines (last: also an unfinished one) to fn, without line feed; fn may be NULL. */
void mlb_joblog_lines(struct mlb_joblog *log, bool last,
		      void (*fn)(void *ctx, const char *text, size_t len), void *ctx);

/* The last state of a line that has no end yet; borrowed until the next add; *len is 0 if there is none. */
const char *mlb_joblog_unended(const struct mlb_joblog *log, size_t *len);

const char *mlb_joblog_text(struct mlb_joblog *log, size_t *len); /* borrowed until the next add */

#endif
