/*
 * The combinations of a sweep: "seed=1..5", "model.C=0.1,1" and "@FILE" as they are
 * given, and which of the combinations are to be built.
 *
 * 1. A combination has a number; the first parameter varies slowest.
 * 2. What --random chooses is a function of the grid, the number and the seed alone.
 *
 * Ownership: the grid owns its strings.
 */
#ifndef ENGINE_GRID_H
#define ENGINE_GRID_H

#include "base/buf.h"
#include "base/vec.h"
#include "mlbuild/err.h"

struct mlb_axis {
	char *name;
	struct mlb_strvec value; /* unique, in the order given */
};

struct mlb_grid {
	MLB_VEC(struct mlb_axis) axis;
	struct mlb_strvec file; /* "@FILE" each: what every combination has */
	uint64_t total;         /* combinations */
};

/*
 * NAME=VALUE,VALUE: values are separated by commas; '…' and "…" keep a comma, and an
 * unquoted 1..5 or 2024-01-01..2024-01-31 stands for all of its values.
 */
int mlb_grid_parse(struct mlb_grid *out, const char *const *param, size_t n, struct mlb_err *err);
void mlb_grid_release(struct mlb_grid *g);

/* The numbers to build, in order: all (random 0), or so many of them, drawn by the seed. Free *out. */
int mlb_grid_choose(const struct mlb_grid *g, uint64_t random, uint64_t seed, uint64_t **out,
		    size_t *n, struct mlb_err *err);

/* Which value of axis i a combination has; borrowed. */
const char *mlb_grid_value(const struct mlb_grid *g, uint64_t number, size_t i);

/* What a combination gives to mlb_project_open, appended to out; and as one line: "model.C=0.1 seed=3". */
void mlb_grid_params(const struct mlb_grid *g, uint64_t number, struct mlb_strvec *out);
void mlb_grid_label(const struct mlb_grid *g, uint64_t number, struct mlb_buf *out);

#endif
