/* Variants: builds with -p, in private roots, that leave the workspace alone. */
#ifndef ENGINE_VARIANT_H
#define ENGINE_VARIANT_H

#include "engine/builder.h"

/* The private roots of this build. */
int mlb_variant_roots(struct mlb_builder *b, struct mlb_err *err);

/* Put what was asked for where the user finds it (--into, or .mlbuild/variants/ID) and fill report->artifacts. */
int mlb_variant_artifacts(struct mlb_builder *b, struct mlb_err *err);

#endif
