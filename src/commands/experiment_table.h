/*
 * Experiments as a table: a row each, a column for each parameter given and each
 * metric. For `experiments` and for the end of a sweep.
 */
#ifndef COMMANDS_EXPERIMENT_TABLE_H
#define COMMANDS_EXPERIMENT_TABLE_H

#include "base/arena.h"
#include "base/vec.h"
#include "commands/out.h"
#include "mlbuild/sweep.h"

struct xcell {
	const char *text; /* NULL: it has none */
	double number;    /* NaN: it is none */
};

struct xrow {
	struct mlb_experiment x; /* strings in the arena; its params are cells */
	struct xcell *param, *metric; /* one per column at the end; fewer before */
	size_t n_params, n_metrics;
};

struct xcolumn {
	const char *name;   /* of a metric: node and name, "model.accuracy" */
	const char *metric; /* the name alone; NULL: a parameter */
	bool of_several;    /* some of the metrics are of another node */
};

struct xtable {
	struct mlb_arena arena;
	MLB_VEC(struct xrow) row;
	MLB_VEC(struct xcolumn) param;
	MLB_VEC(struct xcolumn) metric;
};

void xtable_init(struct xtable *t);
void xtable_release(struct xtable *t);
void xtable_add(struct xtable *t, const struct mlb_experiment *x); /* copied */

/*
 * By metrics.NAME or params.NAME (or NAME alone, where it is clear), time, duration,
 * status, or id. Of a metric the best comes first: the highest, or, of one that is
 * named loss or error, the lowest; of time the newest.
 */
int xtable_sort(struct xtable *t, const char *key, bool reverse, struct mlb_err *err);
void xtable_top(struct xtable *t, size_t n);

void xtable_print(const struct xtable *t, struct out *out);
void xtable_csv(const struct xtable *t, struct out *out);
void xtable_json(const struct xtable *t, struct out *out);
void experiment_json(const struct mlb_experiment *x, struct out *out);

/* Is less better of a metric of this name? */
bool metric_is_loss(const char *name);

/* A metric's column by what a person calls it; NULL. */
const struct xcolumn *xtable_metric(const struct xtable *t, const char *name, size_t *at);

#endif
