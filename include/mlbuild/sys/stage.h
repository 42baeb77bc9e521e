/*
 * Built-in stages: what `use = NAME` runs. Each lives in one file of stages/
 * with one const entry; stages/registry.c lists them in alphabetical order.
 */
#ifndef MLBUILD_SYS_STAGE_H
#define MLBUILD_SYS_STAGE_H

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MLB_STAGE_ABI 1

struct mlb_stage {
	int abi;          /* MUST be MLB_STAGE_ABI */
	const char *name; /* MUST: the word after `use =` */
	int version; /* MUST: raised whenever the same inputs give other outputs; it is in every key */
	const char *summary;          /* MUST: one line */
	const char *const *arguments; /* MUST: names it understands, sorted, NULL-terminated */
	/*
	 * MUST: run as `mlbuild stage NAME NAME=VALUE…` in the project's directory, in a
	 * process of its own. 0 done or yes; 1 to 125 no or failure, said on stderr.
	 */
	int (*run)(int argc, char *const *argv);
};

/* The stage of a name, or NULL. */
const struct mlb_stage *mlb_stage_find(const char *name);

/* All stages, sorted by name, NULL-terminated. */
const struct mlb_stage *const *mlb_stages(void);

#ifdef __cplusplus
}
#endif

#endif
