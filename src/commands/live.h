/*
 * The live display of a build on a terminal: lines about what is done scroll by;
 * below them stand what runs now and, last, how far the build is. The thread that
 * builds changes the state; a second one draws it, at most ten times a second.
 */
#ifndef COMMANDS_LIVE_H
#define COMMANDS_LIVE_H

#include <pthread.h>

#include "commands/ui.h"

struct live_task {
	char *name;        /* owned */
	char *line;        /* the last line it printed, NULL: none; owned */
	size_t line_len;
	uint64_t started;  /* monotonic ns */
	uint64_t expected; /* ns it is likely to take; 0: unknown */
};

struct live {
	struct out *out;          /* stderr; borrowed; while the thread runs only the drawing code uses it */
	struct lines lines;
	pthread_mutex_t lock;     /* guards all below */
	pthread_cond_t wake;
	pthread_t thread;
	bool threaded;
	bool stop;
	bool dirty;               /* something changed since the last drawing */
	MLB_VEC(struct live_task) task; /* oldest first */
	uint32_t finished, total, restored;
	uint64_t planned;         /* when the estimate below was made; 0: there is none */
	uint64_t expected;        /* ns that everything will take from then on */
	char *fact;               /* what the status line tells too; NULL; owned */
	unsigned kept;            /* lines left behind so far */
	struct mlb_buf pending;   /* lines to leave behind at the next drawing */
	struct mlb_buf region;    /* what stands at the bottom of the terminal now */
	MLB_VEC(unsigned) width;  /* columns of its lines */
	unsigned continues;       /* of signals.h, at the last drawing */
	uint64_t drawn;           /* when */
};

uint64_t live_now(void);

/* Draw: pending lines, then the region (unless last). Call with the lock held. */
void frame_draw(struct live *l, bool last);

#endif
