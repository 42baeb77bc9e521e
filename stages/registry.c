#include "mlbuild/sys/stage.h"

#include <stddef.h>
#include <string.h>

/* In alphabetical order; stages/README.md says how to add one. */
static const struct mlb_stage *const stages[] = {
	NULL,
};

const struct mlb_stage *const *
mlb_stages(void)
{
	return stages;
}

const struct mlb_stage *
mlb_stage_find(const char *name)
{
	for (const struct mlb_stage *const *s = stages; *s; s++)
		if (strcmp((*s)->name, name) == 0)
			return *s;
	return NULL;
}
