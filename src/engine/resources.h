/*
 * What running jobs hold: job slots, processors, memory, graphics processors by
 * id, pools, jobserver tokens. A job gets all it asks for at once, or waits.
 * The oldest waiting job is reserved for: others pass it only while enough
 * stays free for it. A demand above the machine's whole is cut to the whole.
 */
#ifndef ENGINE_RESOURCES_H
#define ENGINE_RESOURCES_H

#include "base/buf.h"
#include "graph/graph.h"

struct mlb_resources;
struct mlb_demand {
	const struct mlb_graph *graph; /* has the pools of the first one, in the same order */
	const struct mlb_g_exec *exec; /* of it */
};
struct mlb_grant {
	double cpus;
	uint64_t mem;
	uint32_t *gpu; /* ids; owned by the grant */
	uint32_t n_gpus;
	bool held;
	struct mlb_demand want;
	int token; /* jobserver token held, -1: the implicit one or none */
};

int mlb_resources_new(struct mlb_resources **out, const struct mlb_graph *g, unsigned jobs,
		      double cpus, uint64_t mem, unsigned gpus, struct mlb_err *err);
void mlb_resources_free(struct mlb_resources *r);

/*
 * True: granted. `reserved` (may be NULL) is the demand of the oldest job that
 * waits (was refused first): name it with every other demand until it is granted.
 */
bool mlb_resources_take(struct mlb_resources *r, struct mlb_grant *out, struct mlb_demand want,
			const struct mlb_demand *reserved);
void mlb_resources_give(struct mlb_resources *r,
			struct mlb_grant *grant); /* leaves grant->token as it is */

/*
 * CUDA_VISIBLE_DEVICES for a grant: its ids are positions in the list that
 * mlbuild itself was given (visible, NULL without). "" for none. Replaces out.
 */
void mlb_grant_gpus(struct mlb_buf *out, const struct mlb_grant *grant, const char *visible);

#endif
