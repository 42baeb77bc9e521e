/*
 * [remote] push = yes: what a build makes is sent while the build goes on.
 *
 * 1. Only what is durable here is sent. A thread sends; one at a time, and not more often
 *    than every half minute, because each time is an object of index and one of records.
 *    What is left then, with what the lock says, is sent at the end, for which is waited.
 * 2. A remote that fails costs a note, never the build.
 *
 * Ownership: of a machinery.
 */
#ifndef ENGINE_SENDER_H
#define ENGINE_SENDER_H

#include "engine/machinery.h"

struct mlb_digest;

/* The result of this key is durable. */
void mlb_sender_add(struct mlb_machinery *m, const struct mlb_digest *key);
void mlb_sender_turn(struct mlb_machinery *m);
/* The build is written down: all of it that is new goes there now. Tells what was sent. */
void mlb_sender_finish(struct mlb_machinery *m);
void mlb_sender_free(struct mlb_machinery *m);

#endif
