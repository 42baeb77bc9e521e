/*
 * What a word names as a point of history: anything git understands, an
 * experiment's id, a run's id, or an artifact's digest (sha256:…, or at least eight
 * digits of it), in this order.
 *
 * Ownership: the revision owns its strings; release it in any case.
 */
#ifndef ENGINE_REV_H
#define ENGINE_REV_H

#include "engine/project.h"

enum mlb_rev_what {
	MLB_REV_GIT = 0,    /* a commit, branch, tag, … */
	MLB_REV_EXPERIMENT, /* a commit below refs/mlbuild/experiments/ */
	MLB_REV_RUN,        /* the pin of its results; HEAD at that time where it has none */
	MLB_REV_DIGEST      /* the newest commit whose lock names it; else the pin of a result */
};

struct mlb_rev {
	char commit[MLB_OID_HEX + 1];
	enum mlb_rev_what what;
	struct mlb_digest digest; /* DIGEST: all of it */
	char *target;             /* DIGEST: the target it is an output of; "" unknown */
	char *path;               /* DIGEST: the path of that output; "" */
	struct mlb_digest key;    /* DIGEST: of the action that made it; zero: a source */
	bool locked;              /* DIGEST: the commit's lock names it */
};

/* MLB_ENOTFOUND if it is nothing of all this, or there is no repository. */
int mlb_find_rev(struct mlb_rev *out, struct mlb_project *p, const char *word, struct mlb_err *err);
/* The parameters that it was built with by -p, "NAME=VALUE" each, appended; word: what it was found by. */
int mlb_rev_params(struct mlb_strvec *out, struct mlb_project *p, const struct mlb_rev *rev,
		   const char *word, struct mlb_err *err);
void mlb_rev_release(struct mlb_rev *r);

#endif
