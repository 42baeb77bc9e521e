/*
 * Pins: the commits that artifacts were built from.
 */
#ifndef MLBUILD_PINS_H
#define MLBUILD_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_project;

/* What a pin is. */
enum mlb_pin_kind {
	MLB_PIN_COMMIT = 0, /* a commit that the user made: the inputs were as it has them */
	MLB_PIN_SNAPSHOT,   /* a commit that mlbuild made, on top of the one that was checked out */
	MLB_PIN_MISSING     /* this repository does not have it: it is another's, or was collected */
};

/* One pin; all of it is borrowed for the call. */
struct mlb_pin {
	const char *commit; /* its id in hex */
	const char *parent; /* of a snapshot: the commit that was checked out; else "" */
	enum mlb_pin_kind kind;
	int64_t when;              /* wall clock, ns: the latest result that names it, else its author's time */
	uint32_t results;          /* of the cache, that name it; 0: gc drops a snapshot */
	const char *const *target; /* that those are of, sorted; names that runs gave to keys */
	size_t n_targets;
	const char *params;  /* "NAME=VALUE" per line: what -p set; "" normally */
	const char *subject; /* first line of the message; "" where the commit is missing */
};

/* Not 0 ends the listing, which then is no failure. */
typedef int mlb_pin_fn(void *ctx, const struct mlb_pin *pin);

/*
 * Every commit that a result in the cache names as what it was built from, and every
 * snapshot that the repository holds; newest first. word (may be NULL) picks those
 * of a target, or of an instance. Fails with MLB_EINVALID outside of a git
 * repository that can be read, and with MLB_ENOTFOUND if word names no target that
 * is there or has a pin.
 */
MLB_API int mlb_pins(struct mlb_project *p, const char *word, mlb_pin_fn *fn, void *ctx,
		     struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#endif
