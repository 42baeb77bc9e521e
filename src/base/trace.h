/*
 * Chrome trace events ("Trace Event Format", JSON array form), for --trace.
 * Collected in memory, written by the caller; times in nanoseconds.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "base/buf.h"

struct mlb_trace {
	struct mlb_buf out;
	bool any; /* an event was written */
};

void mlb_trace_init(struct mlb_trace *t);
void mlb_trace_complete(struct mlb_trace *t, const char *name, const char *category, unsigned lane,
			uint64_t start_ns, uint64_t end_ns);
void mlb_trace_instant(struct mlb_trace *t, const char *name, unsigned lane, uint64_t at_ns);
const char *mlb_trace_finish(struct mlb_trace *t); /* the whole document; borrowed */
void mlb_trace_release(struct mlb_trace *t);

#endif
