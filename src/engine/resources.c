/*
 * Nothing is ever taken in part: a demand is granted whole or not at all.
 *
 * How the oldest that waits is reserved for. What it is short of when it begins
 * to wait is held for it: nobody takes of it but what is left over once the
 * reserved one has all it wants. The other dimensions stay open, so that a job
 * that waits hours for a graphics processor does not idle the machine. If what
 * it was short of has come, but others have taken something else meanwhile, it
 * has missed its chance: then everything it wants is held, until it is granted.
 * While it would fit, who goes first is for the caller's order to say, unless
 * others were refused for its sake: then it is its turn. So it misses one chance
 * at most, and waits for nothing but jobs that run already.
 */
#include "engine/resources.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define EPSILON 1e-9 /* sums of tenths of processors are not exact */

enum dim { DIM_SLOTS = 0, DIM_CPUS, DIM_MEM, DIM_GPUS, DIM_POOLS };

struct mlb_resources {
	unsigned n_dims;      /* DIM_POOLS and one for each pool */
	double *total, *have; /* per dimension: of the machine, and free now */
	double *want, *rest;  /* scratch: demands of two jobs */
	bool *gpu_busy;
	unsigned gpus;
	const struct mlb_g_exec *reserved; /* for whom `hold` is */
	bool *hold;                        /* dimensions that are held for it */
	bool missed;                       /* it missed its chance: all are */
	bool refused;                      /* another was refused for its sake */
};

int
mlb_resources_new(struct mlb_resources **out, const struct mlb_graph *g, unsigned jobs, double cpus,
		  uint64_t mem, unsigned gpus, struct mlb_err *err)
{
	struct mlb_resources *r;

	if (jobs == 0 || !(cpus > 0))
		return mlb_err_set(err, MLB_EINVALID,
				   "at least one job and one processor are needed");
	r = mlb_calloc(1, sizeof(*r));
	r->n_dims = DIM_POOLS + g->n_pools;
	r->total = mlb_calloc(r->n_dims, sizeof(double));
	r->have = mlb_calloc(r->n_dims, sizeof(double));
	r->want = mlb_calloc(r->n_dims, sizeof(double));
	r->rest = mlb_calloc(r->n_dims, sizeof(double));
	r->hold = mlb_calloc(r->n_dims, sizeof(bool));
	r->gpu_busy = mlb_calloc(gpus + 1, sizeof(bool));
	r->gpus = gpus;
	r->total[DIM_SLOTS] = jobs;
	r->total[DIM_CPUS] = cpus;
	r->total[DIM_MEM] = (double)mem;
	r->total[DIM_GPUS] = gpus;
	for (uint32_t i = 0; i < g->n_pools; i++)
		r->total[DIM_POOLS + i] = g->pool[i].slots;
	memcpy(r->have, r->total, r->n_dims * sizeof(double));
	*out = r;
	return 0;
}

void
mlb_resources_free(struct mlb_resources *r)
{
	if (!r)
		return;
	free(r->total);
	free(r->have);
	free(r->want);
	free(r->rest);
	free(r->hold);
	free(r->gpu_busy);
	free(r);
}

/* What a job wants in each dimension, cut to the whole of it. */
static void
demand(const struct mlb_resources *r, double *want, struct mlb_demand of)
{
	const struct mlb_g_exec *exec = of.exec;

	memset(want, 0, r->n_dims * sizeof(double));
	want[DIM_SLOTS] = 1;
	want[DIM_CPUS] = exec->cpus;
	want[DIM_MEM] = (double)exec->mem;
	want[DIM_GPUS] = exec->gpus;
	for (uint32_t i = 0; i < exec->pool.n; i++) {
		const struct mlb_g_pool_use *use = &of.graph->pool_use[exec->pool.first + i];
		want[DIM_POOLS + use->pool] += use->slots;
	}
	for (unsigned d = 0; d < r->n_dims; d++)
		want[d] = MLB_MIN(want[d], r->total[d]);
}

/* Is so much free, after `taken` of it? */
static bool
enough(const struct mlb_resources *r, unsigned d, double want, double taken)
{
	return want <= 0 || want + taken <= r->have[d] + EPSILON;
}

/* Note who is reserved for, and what is held. True if it would fit now. */
static bool
reserve(struct mlb_resources *r, const struct mlb_demand *reserved)
{
	bool is_new = r->reserved != reserved->exec, is_short = false, short_of_held = false;

	demand(r, r->rest, *reserved);
	if (is_new) {
		r->reserved = reserved->exec;
		r->missed = r->refused = false;
	}
	for (unsigned d = 0; d < r->n_dims; d++) {
		bool lacks = !enough(r, d, r->rest[d], 0);
		if (is_new)
			r->hold[d] = lacks;
		is_short = is_short || lacks;
		short_of_held = short_of_held || (lacks && r->hold[d]);
	}
	if (is_new && !is_short)
		r->reserved = NULL; /* it is not waiting for anything yet */
	else if (is_short && !short_of_held)
		r->missed = true;
	return !is_short;
}

/* May the job that wants r->want go before the reserved one? */
static bool
passes(struct mlb_resources *r, const struct mlb_demand *reserved)
{
	if (reserve(r, reserved))
		return !r->refused;
	for (unsigned d = 0; d < r->n_dims; d++) {
		if ((r->hold[d] || r->missed) && r->want[d] > 0 && r->rest[d] > 0 &&
		    !enough(r, d, r->want[d], r->rest[d])) {
			r->refused = true;
			return false;
		}
	}
	return true;
}

static void
take_gpus(struct mlb_resources *r, struct mlb_grant *out, unsigned n)
{
	if (n == 0)
		return;
	out->gpu = mlb_calloc(n, sizeof(*out->gpu));
	for (unsigned id = 0; id < r->gpus && out->n_gpus < n; id++) {
		if (r->gpu_busy[id])
			continue;
		r->gpu_busy[id] = true;
		out->gpu[out->n_gpus++] = id;
	}
}

bool
mlb_resources_take(struct mlb_resources *r, struct mlb_grant *out, struct mlb_demand want,
		   const struct mlb_demand *reserved)
{
	memset(out, 0, sizeof(*out));
	out->token = -1;
	demand(r, r->want, want);
	for (unsigned d = 0; d < r->n_dims; d++)
		if (!enough(r, d, r->want[d], 0))
			return false;
	if (reserved && reserved->exec != want.exec && !passes(r, reserved))
		return false;
	for (unsigned d = 0; d < r->n_dims; d++)
		r->have[d] -= r->want[d];
	take_gpus(r, out, (unsigned)r->want[DIM_GPUS]);
	out->cpus = r->want[DIM_CPUS];
	out->mem = (uint64_t)r->want[DIM_MEM];
	out->want = want;
	out->held = true;
	if (r->reserved == want.exec)
		r->reserved = NULL;
	return true;
}

void
mlb_resources_give(struct mlb_resources *r, struct mlb_grant *grant)
{
	if (!grant->held)
		return;
	demand(r, r->want, grant->want);
	for (unsigned d = 0; d < r->n_dims; d++)
		r->have[d] = MLB_MIN(r->have[d] + r->want[d], r->total[d]);
	for (uint32_t i = 0; i < grant->n_gpus; i++)
		r->gpu_busy[grant->gpu[i]] = false;
	free(grant->gpu);
	grant->gpu = NULL;
	grant->n_gpus = 0;
	grant->cpus = 0;
	grant->mem = 0;
	grant->held = false; /* the token is not ours: it goes back to the jobserver */
}

void
mlb_grant_gpus(struct mlb_buf *out, const struct mlb_grant *grant, const char *visible)
{
	mlb_buf_clear(out);
	for (uint32_t i = 0; i < grant->n_gpus; i++) {
		const char *word = visible;
		if (i)
			mlb_buf_addc(out, ',');
		for (uint32_t skip = grant->gpu[i]; word && skip; skip--) {
			word = strchr(word, ',');
			word = word ? word + 1 : NULL;
		}
		if (word)
			mlb_buf_add(out, word, strcspn(word, ","));
		else
			mlb_buf_addf(out, "%u", grant->gpu[i]);
	}
}
