/* What pushing is made of, for mlb_push and for builds that push by themselves (sender.h). */
#ifndef ENGINE_EXCHANGE_PUSH_H
#define ENGINE_EXCHANGE_PUSH_H

#include "engine/keyring.h"
#include "engine/project.h"
#include "engine/remotes.h"
#include "store/remote_segment.h"
#include "store/roots.h"

/* What this clone needs of a remote from now on: what is sent, and the locks of its branches and tags. Release it in any case. */
int mlb_exchange_needs(struct mlb_project *p, const struct mlb_roots *sent, struct mlb_roots *out,
		       struct mlb_err *err);

/* As struct mlb_push's: by the key of the keyring that signs, if there is one. */
bool mlb_exchange_sign(struct mlb_keyring *keys, struct mlb_signature *out, const char *text,
		       size_t len);

#endif
