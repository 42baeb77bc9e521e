/* Objects in the form in which they rest, for whoever moves them to and from remotes. */
#ifndef STORE_CAS_STORED_H
#define STORE_CAS_STORED_H

#include "store/cas.h"
#include "store/pack.h"

struct mlb_cas_where {
	bool packed;
	uint64_t size;   /* of the content */
	uint64_t stored; /* bytes that it takes, without header */
};

/* False: it is not here. */
bool mlb_cas_look(struct mlb_cas *cas, struct mlb_cas_where *out, const struct mlb_digest *digest);

/*
 * Append what is stored of an object, which was found right: compressed as it is in its
 * pack, or a loose one's content. b tells what it is; its offset is of no use.
 * MLB_ENOTFOUND, MLB_ECORRUPT, MLB_ETOOBIG.
 */
int mlb_cas_copy(struct mlb_cas *cas, struct mlb_buf *out, struct mlb_blob *b,
		 const struct mlb_digest *digest, struct mlb_err *err);

/* A descriptor of a loose object, to be read; nothing is checked. The caller closes it. */
int mlb_cas_open_large(struct mlb_cas *cas, int *fd, const struct mlb_digest *digest,
		       struct mlb_err *err);

/* mlb_cas_put of bytes that the caller found to be of this digest. */
int mlb_cas_put_right(struct mlb_cas *cas, const struct mlb_digest *digest, const void *data,
		      size_t len, struct mlb_err *err);

/*
 * The same of a file of MLB_CAS_SMALL bytes or more, on the file system of the cache and
 * read-only, which is the cache's from then on; after a failure it is gone.
 */
int mlb_cas_put_temp(struct mlb_cas *cas, const struct mlb_digest *digest, const char *path,
		     struct mlb_err *err);

#endif
