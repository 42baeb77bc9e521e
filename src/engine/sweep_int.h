/* Shared by sweep.c (the loop), sweep_open.c (a combination, from its values to its end) and sweep_load.c (before). */
#ifndef ENGINE_SWEEP_INT_H
#define ENGINE_SWEEP_INT_H

#include "engine/builder.h"
#include "engine/experiment.h"
#include "engine/grid.h"
#include "mlbuild/sweep.h"
#include "store/roots.h"

struct mlb_sweeping;

struct mlb_combination {
	struct mlb_sweeping *s;
	struct mlb_project *p;
	struct mlb_builder b;
	struct mlb_build opt;
	struct mlb_report report;
	char *label;
	char *why; /* the first thing that failed: "train: exit code 1"; NULL */
	uint32_t place;
	unsigned passes;
	bool entered; /* into the loop */
};

struct mlb_sweeping {
	const struct mlb_sweep *opt;
	struct mlb_project *p;
	struct mlb_machinery m;
	struct mlb_builder base; /* of the project as it is: it builds nothing */
	struct mlb_build base_opt;
	struct mlb_report base_report;
	struct mlb_sweep_report *report;
	struct mlb_grid grid;
	uint64_t *number;       /* of the combinations to build */
	size_t n, next;         /* how many, and which comes next */
	struct mlb_strmap told; /* notes */
	struct mlb_arena arena; /* their texts */
	MLB_VEC(struct mlb_combination *) open;
	struct mlb_roots needs; /* what the experiments need of the cache */
	bool stopping;          /* a fault ends the sweep */
};

/* sweep.c */
void mlb_sweep_tell(struct mlb_sweeping *s, const struct mlb_combination *c, enum mlb_sweep_event_type type,
		    const struct mlb_event *event, const struct mlb_experiment *x);
void mlb_sweep_of_combination(void *ctx, const struct mlb_event *e); /* an mlb_event_fn; of a combination */

/* sweep_open.c: the next combination enters the loop, or has failed already. */
int mlb_sweep_open_next(struct mlb_sweeping *s, struct mlb_err *err);
/* Nothing of it is left to wait for: it is planned once more, or becomes an experiment and leaves. */
int mlb_sweep_end(struct mlb_combination *c, struct mlb_err *err);
void mlb_sweep_free(struct mlb_combination *c);

/* sweep_load.c: which combinations there are; the project, with its sources stored. */
int mlb_sweep_begin(struct mlb_sweeping *s, struct mlb_err *err);
int mlb_sweep_load(struct mlb_sweeping *s, struct mlb_err *err);

#endif
