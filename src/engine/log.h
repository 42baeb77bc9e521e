/* What the files log*.c share. Not for others. */
#ifndef ENGINE_LOG_H
#define ENGINE_LOG_H

#include "engine/versions.h"

/* Of a lock's blob; the last ones are kept, because a commit's is that of its child's parent. */
struct mlb_log_lock {
	char id[MLB_OID_HEX + 1];
	struct mlb_versions versions;
	struct mlb_buf text;
	bool parsed;
	uint64_t used;
};
enum { MLB_LOG_LOCKS = 4 };

struct mlb_log {
	struct mlb_project *p;
	bool cache;              /* it is open: versions can be compared */
	const char *word;        /* NULL: all */
	struct mlb_strmap name;  /* instances and targets that it means */
	bool exact;              /* one target's name */
	unsigned left;           /* entries that may still be told */
	unsigned told;
	mlb_log_fn *fn;
	void *ctx;
	struct mlb_arena arena;  /* of the names */
	struct mlb_arena entry;  /* of the entry at hand */
	MLB_VEC(struct mlb_log_action) action; /* of the entry at hand */
	struct mlb_log_lock lock[MLB_LOG_LOCKS];
	uint64_t clock;
	MLB_VEC(struct mlb_run) run; /* to be told, newest first */
	size_t next_run;
};

/* Does the word mean this version? */
bool mlb_log_means(const struct mlb_log *l, const char *name, const char *base, const char *kind);
/* Fill in how it differs from the version before; NULL: there is none. */
void mlb_log_compare(struct mlb_log *l, struct mlb_log_action *a, const struct mlb_version *before,
		     const struct mlb_version *now);
/* Tell the entry with the actions at hand; not 0 ends the log. */
int mlb_log_tell(struct mlb_log *l, struct mlb_log_entry *e);

/* log_commits.c: commits, and between them the runs that are younger. */
int mlb_log_commits(struct mlb_log *l, struct mlb_err *err);
/* log_runs.c; a run of which only results tell is told by their outputs */
int mlb_log_lost_run(struct mlb_log *l, const char *id, struct mlb_run *out, bool *found, struct mlb_err *err);
int mlb_log_find_runs(struct mlb_log *l, struct mlb_err *err);
int mlb_log_runs_until(struct mlb_log *l, int64_t time, struct mlb_err *err); /* those not older */

#endif
