/* The environment of a command, and the values in it that must not be shown. */
#ifndef ENGINE_ENVIRONMENT_H
#define ENGINE_ENVIRONMENT_H

#include "engine/builder.h"

/* NAME=VALUE to set, NAME to unset, NULL at the end; from the work's arena. */
const char *const *mlb_work_environment(struct mlb_work *w);
/* Values of the target's secrets; NULL at the end; from the work's arena. */
const char *const *mlb_work_secrets(struct mlb_work *w);
/* The first secret of the target that is not set (an empty value is one); NULL. */
const char *mlb_work_missing_secret(const struct mlb_work *w);

#endif
