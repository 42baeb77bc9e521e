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

/* A directory that is an output. */
struct mlb_lineage_tree {
	const struct mlb_version *version;
	const struct mlb_lock_output *output;
};

struct mlb_lineages {
	struct mlb_project *p;
	const struct mlb_versions *versions; /* who made what; NULL */
	const char *commit;                  /* of the artifact at hand */
	struct mlb_arena arena; /* of what is kept from one artifact to the next: */
	struct mlb_strmap made; /* digest -> who made it, by versions, then by results */
	struct mlb_strmap held; /* path, digest and commit -> whether the commit has that */
	struct mlb_strmap named; /* key -> target, by runs */
	MLB_VEC(struct mlb_lineage_tree) tree;
	bool by_results; /* results were added to `made` */
	bool by_runs;    /* they were read */
	struct mlb_arena own; /* of the artifact at hand: */
	struct mlb_strmap seen; /* keys */
	MLB_VEC(struct mlb_lineage_step) queue;
	MLB_VEC(struct mlb_lineage) all; /* the artifact first, then what it was made from */
};

/* For artifacts of one commit or the workspace. Opens nothing: cache and git are open, or NULL. Release it in any case. */
void mlb_lineage_init(struct mlb_lineages *l, struct mlb_project *p, const struct mlb_versions *versions);
/*
 * Fill l->all, which is good until the next call. key: of the action that made the artifact;
 * commit: where sources are looked for besides the pins; NULL.
 */
void mlb_lineage_find(struct mlb_lineages *l, const char *commit, const char *target, const char *kind,
		      const struct mlb_digest *key);
void mlb_lineage_release(struct mlb_lineages *l); /* of zero bytes too */

#endif
