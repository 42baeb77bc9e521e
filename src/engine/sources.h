/* Which sources are stored while they are scanned. For load.c only. */
#ifndef ENGINE_SOURCES_H
#define ENGINE_SOURCES_H

#include "engine/project.h"

struct mlb_sources {
	struct mlb_project *p; /* its p->storing says for what words */
	bool *wanted;          /* per path; NULL: nobody has asked yet */
};

/* For struct mlb_scan: the store of what is to be kept there, or NULL. */
struct mlb_cas *mlb_sources_store(void *ctx, size_t path, bool tree);
void mlb_sources_release(struct mlb_sources *s);

#endif
