/* The lock that a snapshot holds. */
#ifndef ENGINE_PIN_LOCK_H
#define ENGINE_PIN_LOCK_H

#include "engine/builder.h"

/*
 * Append to out the lock with the wanted sources that git does not keep as they are
 * now; nothing where there are none. *differs: HEAD's lock says other things of them.
 */
int mlb_pin_lock(struct mlb_builder *b, struct mlb_buf *out, bool *differs, struct mlb_err *err);

#endif
