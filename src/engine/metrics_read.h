/*
 * Metrics as targets write them: JSON, YAML or CSV, by the file's name; and their
 * values one by one.
 *
 * A CSV (or TSV) has a header and rows. Two columns of which the first is called
 * metric, name or key (or the second is a number in the first row already) are
 * names and values; of any other the last row counts, as a training log has it.
 */
#ifndef ENGINE_METRICS_READ_H
#define ENGINE_METRICS_READ_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "mlbuild/err.h"

/* NULL if it cannot be read, and why. The caller owns a reference. */
json_t *mlb_metrics_parse(const char *path, const char *text, size_t len, struct mlb_err *err);
bool mlb_metrics_must_parse(const char *path); /* its name says what it should be */

/* Append it as JSON in one line, each number with as many digits as it needs. */
void mlb_metrics_dump(struct mlb_buf *out, const json_t *value);

/* One value: nested ones are named by their path, "val.loss"; a list is one value. */
struct mlb_metric {
	const char *name;
	const char *text; /* for people: a string without quotes, a list as JSON */
	const char *json;
	bool is_number;
	double number;
};
MLB_VEC_NAMED(mlb_metrics, struct mlb_metric);

/* In the order of the file; strings are in the arena. */
void mlb_metrics_flatten(struct mlb_metrics *out, struct mlb_arena *arena, const json_t *value);
const struct mlb_metric *mlb_metrics_find(const struct mlb_metrics *m, const char *name);

#endif
