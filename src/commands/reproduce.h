/* What is told of a reproduction: one target after the other, for people or as JSON. */
#ifndef COMMANDS_REPRODUCE_H
#define COMMANDS_REPRODUCE_H

#include "commands/out.h"
#include "mlbuild.h"

struct reproduce_view {
	struct out *out;     /* stdout */
	bool json;
	bool quiet;          /* tell only what is not as it was */
	bool verbose;        /* and all values and files, digests too */
	struct mlb_buf text; /* lines that are printed when the display has ended */
};

void reproduce_view_init(struct reproduce_view *v, struct out *out);
void reproduce_view_release(struct reproduce_view *v);
void reproduce_view_take(struct reproduce_view *v, const struct mlb_reproduced *r);

#endif
