/* Time. Nanoseconds everywhere. */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include "base/buf.h"

uint64_t mlb_clock_mono(void);              /* CLOCK_MONOTONIC: durations and timeouts */
int64_t mlb_clock_wall(void);               /* since 1970: records, never decisions */
void mlb_add_time(struct mlb_buf *b, int64_t wall_ns); /* 2026-11-21T02:55:46Z */

#endif
