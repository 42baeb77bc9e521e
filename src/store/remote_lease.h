/*
 * What rests below leases/ of a remote: who pushes, and which packs a collection has set
 * apart. The formats stand at the top of remote_lease.c, the reason for both at the top
 * of engine/remote_gc.c.
 *
 * Ownership: the struct owns its array.
 */
#ifndef STORE_REMOTE_LEASE_H
#define STORE_REMOTE_LEASE_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#define MLB_REMOTE_LEASE_MAX (64 * MLB_MIB) /* bytes of one such file */

/* Appends. start: s since 1970 by the server's clock, 0: when it was written. */
void mlb_remote_lease_format(struct mlb_buf *out, int64_t start);
int mlb_remote_lease_parse(int64_t *start, const char *text, size_t len, struct mlb_err *err);

MLB_VEC_NAMED(mlb_remote_packs, struct mlb_digest);
void mlb_remote_condemned_format(struct mlb_buf *out, const struct mlb_remote_packs *packs);
int mlb_remote_condemned_parse(struct mlb_remote_packs *out, const char *text, size_t len,
			       struct mlb_err *err);

/* Names without their directory. */
enum mlb_remote_lease { MLB_LEASE_NONE, MLB_LEASE_PUSH, MLB_LEASE_CONDEMNED };
enum mlb_remote_lease mlb_remote_lease_kind(const char *name);
/* "leases/KIND-HEX.txt" with 16 random digits; owned by the caller. */
int mlb_remote_lease_name(char **out, enum mlb_remote_lease kind, struct mlb_err *err);

#endif
