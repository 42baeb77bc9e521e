/*
 * Keys: who signed a result. With `mode = required` in [trust], results from a remote
 * count only if one of the keys there signed them.
 */
#ifndef MLBUILD_KEYS_H
#define MLBUILD_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct mlb_project;

/*
 * Make an Ed25519 key pair (RFC 8032) of this name (as of a target) for the user:
 * NAME.key, which only they can read, and NAME.pub in $XDG_CONFIG_HOME/mlbuild/keys
 * (~/.config/mlbuild/keys). *file is the path of the latter, *line its text without the
 * line feed; both are the caller's, to be freed with free(3). MLB_EEXISTS if there is
 * one of this name: no key is ever replaced.
 */
MLB_API int mlb_key_new(char **file, char **line, const char *name, struct mlb_err *err);

/* One key; borrowed for the call. */
struct mlb_key_info {
	const char *name;
	const char *id;   /* 16 hexadecimal digits: of the SHA-256 of the public key */
	const char *file; /* the public one of [trust], else the private one */
	bool own;         /* the user has the private key */
	bool trusted;     /* [trust] keys lists it */
	bool signs;       /* what the user pushes from this project is signed with it */
};

/* The user's keys and those that a project trusts (NULL: no project). Not 0 ends it, which is no failure. */
MLB_API int mlb_keys(struct mlb_project *p, int (*fn)(void *ctx, const struct mlb_key_info *key),
		     void *ctx, struct mlb_err *err);

#ifdef __cplusplus
}
#endif

#endif
