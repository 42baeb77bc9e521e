/*
 * Actions that run, by key: another builder of the same loop that wants the same one
 * waits for its end, and then takes the result from the cache. An action that failed
 * stays here, so that it is not run once for each who wants it.
 *
 * Nothing is in flight where one builder is alone: equal keys of one graph are settled
 * there.
 *
 * Ownership: the table owns its entries; builders are borrowed, and leave before they end.
 */
#ifndef ENGINE_FLIGHT_H
#define ENGINE_FLIGHT_H

#include "base/strmap.h"

struct mlb_builder;
struct mlb_failure;

struct mlb_flights {
	struct mlb_strmap map;
};

/*
 * Node n of b is about to be run. True: it is not to be run here; it waits
 * (MLB_PH_ELSEWHERE) for another builder's try, or has failed as that did.
 */
bool mlb_flight_taken(struct mlb_builder *b, uint32_t n);

/* What was told of its failure, for those who wait. Before mlb_flight_end. */
void mlb_flight_failure(struct mlb_builder *b, uint32_t n, const struct mlb_failure *f);

/* It ended (done, refused, or not run at all), or failed: who waited goes on. */
void mlb_flight_end(struct mlb_builder *b, uint32_t n, bool failed);

/* All of a builder's: what it had in flight is given up, what it waits for is forgotten. */
void mlb_flight_leave(struct mlb_flights *f, struct mlb_builder *b);
void mlb_flights_release(struct mlb_flights *f);

#endif
