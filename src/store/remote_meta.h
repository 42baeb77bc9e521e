/*
 * mlbuild-remote.json, which says that a place is a remote, and which one. The format
 * stands at the top of remote_meta.c.
 */
#ifndef STORE_REMOTE_META_H
#define STORE_REMOTE_META_H

#include "base/buf.h"

#define MLB_REMOTE_META "mlbuild-remote.json"
#define MLB_REMOTE_META_MAX (64 * MLB_KIB)
#define MLB_REMOTE_ID_LEN 32 /* characters */

struct mlb_remote_meta {
	char id[MLB_REMOTE_ID_LEN + 1];
};

int mlb_remote_meta_new(struct mlb_remote_meta *out, struct mlb_err *err);
void mlb_remote_meta_format(struct mlb_buf *out, const struct mlb_remote_meta *m); /* appends */
/* MLB_EINVALID: it is of a later format, or something else. */
int mlb_remote_meta_parse(struct mlb_remote_meta *out, const char *text, size_t len,
			  struct mlb_err *err);

#endif
