/* A comparison as markdown: one table of parameters, one of metrics, one of targets. */
#ifndef COMMANDS_DIFFMD_H
#define COMMANDS_DIFFMD_H

#include "commands/out.h"
#include "mlbuild.h"

struct diffmd {
	struct out *out;
	char *from, *to;        /* headlines of the columns; owned */
	struct mlb_buf params;  /* rows */
	struct mlb_buf metrics;
	struct mlb_buf targets;
};

void diffmd_begin(struct diffmd *m, struct out *out, const struct mlb_point *from, const struct mlb_point *to);
void diffmd_param(struct diffmd *m, const struct mlb_change *d);
void diffmd_target(struct diffmd *m, const struct mlb_target_change *t);
void diffmd_end(struct diffmd *m, bool any); /* prints it */
void diffmd_release(struct diffmd *m);       /* of zero bytes too */

#endif
