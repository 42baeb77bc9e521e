/* Targets that are no more. */
#ifndef ENGINE_GONE_H
#define ENGINE_GONE_H

#include "graph/graph.h"
#include "store/db.h"

/* Rows of state.db that are about nodes which the graph has not; inside a transaction. */
int mlb_forget_gone(struct mlb_db *db, const struct mlb_graph *g, struct mlb_err *err);

#endif
