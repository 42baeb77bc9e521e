/*
 * What a build takes from remotes. Nothing is asked as long as all is known here; once
 * a node would have to run, or lacks bytes, every remote is asked once, while the rest
 * of the build goes on. Then all is known that they have, and a whole graph is decided
 * without waiting for them again. Bytes come in batches: what is wanted when nothing else
 * moves is fetched together, so that latency is paid once and not per target.
 *
 * 1. All calls are made by the thread of the event loop; waiting is done by threads
 *    of this file, which touch no node.
 * 2. A node that waits keeps its phase (WAITING for an answer, PLACING for bytes)
 *    and is counted in b->n_away.
 * 3. A remote that fails is told of once and is not asked again in this build: a build
 *    never fails because of one.
 *
 * Ownership: of a machinery, which frees it when all threads have ended.
 */
#ifndef ENGINE_AWAY_H
#define ENGINE_AWAY_H

#include "engine/machinery.h"

struct mlb_away;
struct mlb_node;

/* n was decided, but a remote may know better: it will be decided again once they have answered. */
bool mlb_away_awaits(struct mlb_builder *b, uint32_t n);

/* Bytes that n's outputs need are not here: they are fetched, and n goes on as DECIDED, or is decided again. */
bool mlb_away_fetches(struct mlb_builder *b, uint32_t n);

/* The cache has n's outputs only in part, as after a fetch that was cut short. True: remotes are asked for the rest, and n is decided again. */
bool mlb_away_mends(struct mlb_builder *b, uint32_t n);

/* For who only wants to know: asks them now, and waits. True: what was decided by then is to be decided again. */
struct mlb_plan;
bool mlb_away_now(struct mlb_plan *plan);

void mlb_away_turn(struct mlb_machinery *m); /* begin what was asked for since */
uint64_t mlb_away_due(const struct mlb_machinery
			      *m); /* monotonic ns at which patience ends; 0: nothing is awaited */
void mlb_away_hear(struct mlb_machinery *m);   /* its descriptor is readable */
void mlb_away_cancel(struct mlb_machinery *m); /* what goes on ends soon */
void mlb_away_free(struct mlb_machinery *m);

#endif
