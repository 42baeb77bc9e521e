/*
 * What an artifact was made from, down to its sources: the text of its action
 * names the digests of its inputs, which are outputs of others, and so on.
 *
 * Ownership: the lineage owns all it holds and borrows the versions it was given.
 */
#ifndef ENGINE_LINEAGE_H
#define ENGINE_LINEAGE_H

#include "engine/versions.h"

struct mlb_lineage_step {
	struct mlb_digest key;
	const char *target, *kind;
};

struct mlb_lineages {
	struct mlb_project *p;
	const struct mlb_versions *versions; /* who made what: of the same commit; NULL */
	const char *commit;                  /* where sources are looked for besides the pins; NULL */
	struct mlb_arena arena;
	struct mlb_strmap made;  /* digest -> struct of who made it, by versions, then by results */
	struct mlb_strmap held;  /* path, digest and commit -> whether the commit has that */
	struct mlb_strmap seen;  /* keys */
	bool by_results;         /* results were added to `made` */
	MLB_VEC(struct mlb_lineage_step) queue;
	MLB_VEC(struct mlb_lineage) all; /* the artifact first, then what it was made from */
};

/* key: of the action that made it. Opens nothing: cache and git are open, or NULL. Release it in any case. */
int mlb_lineage_find(struct mlb_lineages *out, struct mlb_project *p, const struct mlb_versions *versions,
		     const char *commit, const char *target, const char *kind, const struct mlb_digest *key,
		     struct mlb_err *err);
void mlb_lineage_release(struct mlb_lineages *l);

#endif
