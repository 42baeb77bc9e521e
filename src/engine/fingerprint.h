/* Fingerprints: commands whose output is in keys. Each different one is run once per invocation. */
#ifndef ENGINE_FINGERPRINT_H
#define ENGINE_FINGERPRINT_H

#include "engine/project.h"

/* Run those of the wanted nodes; fills plan->fp, and plan->fp_error for those that fail. */
void mlb_plan_fingerprints(struct mlb_plan *plan);

/* One digest over what those of the wanted nodes said. */
void mlb_fingerprints_digest(struct mlb_digest *out, const struct mlb_plan *plan);

/*
 * The same before there is a plan: those that these words want are run, and what they
 * said is kept for the plan that is made next of this graph, with the same words.
 */
int mlb_fingerprints_ahead(struct mlb_digest *out, struct mlb_project *p,
			   const struct mlb_plan_options *o, struct mlb_err *err);
void mlb_fingerprints_forget(struct mlb_project *p);

/* Has any node one? */
bool mlb_fingerprints_any(const struct mlb_graph *g);

#endif
