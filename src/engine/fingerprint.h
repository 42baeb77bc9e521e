/* Fingerprints: commands whose output is in keys. Each different one is run once per invocation. */
#ifndef ENGINE_FINGERPRINT_H
#define ENGINE_FINGERPRINT_H

#include "engine/project.h"

/* Run those of the wanted nodes; fills plan->fp, and plan->fp_error for those that fail. */
void mlb_plan_fingerprints(struct mlb_plan *plan);

#endif
