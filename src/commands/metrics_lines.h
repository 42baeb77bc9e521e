/* Metrics one by one. */
#ifndef COMMANDS_METRICS_LINES_H
#define COMMANDS_METRICS_LINES_H

/* name: nested ones by their path (val.loss); number: NaN where it is none. Strings are borrowed for the call. */
typedef void metrics_fn(void *ctx, const char *node, const char *name, const char *text,
			double number);

/* Every single value in an object "node -> metrics", in its order; lists are left out. */
void metrics_each(const char *json, metrics_fn *fn, void *ctx);

#endif
