/*
 * Threads that take steps, and one that waits until something has changed. Unlike
 * os/pool.h any thread may add a step: a transfer's come from the session's too.
 *
 * 1. Steps are taken in order, without the lock.
 * 2. What owner and steps share is changed under the lock; whoever changes what the
 *    owner may wait for calls mlb_crew_changed.
 *
 * Ownership: a step is its maker's, untouched once its work began.
 */
#ifndef ENGINE_CREW_H
#define ENGINE_CREW_H

#include <pthread.h>

#include "base/compat.h"

struct mlb_step {
	void (*work)(struct mlb_step *s);
	struct mlb_step *next; /* the crew's */
};

struct mlb_crew;

struct mlb_crew *mlb_crew_new(unsigned threads); /* at least one */
void mlb_crew_free(struct mlb_crew *c);          /* takes all steps first; NULL is allowed */
void mlb_crew_add(struct mlb_crew *c, struct mlb_step *s); /* without the lock */
void mlb_crew_lock(struct mlb_crew *c);
void mlb_crew_unlock(struct mlb_crew *c);
void mlb_crew_changed(struct mlb_crew *c);
/* With the lock: until something changed, or a part of a second has passed. */
void mlb_crew_wait(struct mlb_crew *c);

#endif
