/*
 * One line at the bottom of a terminal while bytes are worked off: how many of
 * how many, how fast, and how long it will take. Nothing where stderr is none.
 */
#ifndef COMMANDS_PROGRESS_H
#define COMMANDS_PROGRESS_H

#include "commands/out.h"

struct progress {
	struct out *out;
	const char *verb; /* borrowed: "checking" */
	uint64_t began;   /* monotonic ns of the first showing, 0: none yet */
	bool shown;       /* a line is on the screen */
	bool on;
};

void progress_begin(struct progress *p, struct out *out, const char *verb, bool on);
void progress_show(struct progress *p, uint64_t done, uint64_t total);
void progress_clear(struct progress *p); /* before anything else is printed */

#endif
