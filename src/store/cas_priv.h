/* What the files cas*.c share. Not for others. */
#ifndef STORE_CAS_PRIV_H
#define STORE_CAS_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "os/fs.h"
#include "os/io.h"
#include "store/cas.h"
#include "store/packs.h"
#include "store/pending.h"

MLB_VEC_NAMED(mlb_digests, struct mlb_digest);

struct mlb_rowset {
	uint64_t *slot;  /* the first 8 bytes of digests; 0: empty; a power of two of them */
	size_t n, n_slots;
	unsigned asked;  /* how often */
	bool loaded;     /* all rows are in it */
};

struct mlb_cas {
	const struct mlb_io *io;
	char *dir;
	struct mlb_db *db;
	pthread_mutex_t lock;      /* of everything below but what says otherwise */
	pthread_mutex_t sync_lock; /* one sync at a time; taken before lock */
	struct mlb_packs packs;
	struct mlb_pending pending;
	struct mlb_rowset rows;
	struct mlb_rowset sizes;   /* of large objects that were put or found right by this process */
	struct mlb_digests bad;    /* found damaged: a row, if there is one, does not count */
	struct mlb_digests doomed; /* those of them whose row is to be deleted */
	uint64_t seed;             /* of temporary names; constant */
	atomic_uint_fast64_t count; /* of temporary names; no lock */
	unsigned umask;            /* of this process, once known */
	bool umask_known;
	bool dir_synced[256];      /* of objects/00 to objects/ff: its name is durable; under sync_lock */
	bool relied;               /* someone asked for an object while it was being synced, and was told that it is there */
	atomic_bool distrusted;    /* the generation could not be raised when it had to be; no lock */
	atomic_bool making_room;   /* a thread that puts is sealing full packs; no lock */
	uint64_t syncs;            /* begun */
	uint64_t synced;           /* the last one that succeeded */
	bool astray;               /* a row names a pack that is gone: its object may be in another one */
	bool found_all;            /* that was looked for in all packs */
	bool lost;                 /* a failed sync dropped what belongs to the next one */
};

/* cas.c; under the lock. */
bool mlb_cas_locate(struct mlb_cas *cas, struct mlb_entry *out, const struct mlb_digest *digest);
bool mlb_cas_look_again(struct mlb_cas *cas); /* for whoever misses an object: true if there may be more now */
void mlb_cas_add(struct mlb_cas *cas, const struct mlb_entry *e); /* it is there (again) */

/* cas_read.c: where it is, with its pack's file opened if it is in one; then read_packed must follow. */
int mlb_cas_begin_read(struct mlb_cas *cas, struct mlb_entry *e, bool *is_packed, const struct mlb_digest *digest,
		       struct mlb_err *err);
int mlb_cas_read_packed(struct mlb_cas *cas, struct mlb_buf *out, const struct mlb_entry *e, struct mlb_err *err);
int mlb_cas_absent(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err); /* sets the error */

/* PREFIX followed by 16 hexadecimal digits that no other call gives. Owned by the caller. */
char *mlb_cas_temp(struct mlb_cas *cas, const char *prefix);

/* cas_rows.c; under the lock. Is it sure that there is no row of it? False: look it up. */
bool mlb_cas_is_new(struct mlb_cas *cas, const struct mlb_digest *digest);
void mlb_rowset_add(struct mlb_rowset *s, const struct mlb_digest *digest); /* a row is about to be written */
void mlb_rowset_add_number(struct mlb_rowset *s, uint64_t v); /* other than 0 */
bool mlb_rowset_has_number(const struct mlb_rowset *s, uint64_t v);
void mlb_rowset_release(struct mlb_rowset *s);

/*
 * cas_loose.c: objects that are files.  An entry says what such a file has to be:
 * where size and mtime (offset) are these, its content is known to be right.
 */
char *mlb_loose_path(const struct mlb_cas *cas, const struct mlb_digest *digest); /* owned by the caller */
char *mlb_loose_temp(const struct mlb_cas *cas, const struct mlb_digest *digest); /* until it is synced; owned by the caller */
bool mlb_loose_exists(struct mlb_cas *cas, const struct mlb_digest *digest);
bool mlb_loose_stat(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_stat *out); /* false: it is not there */

void mlb_loose_set_aside(struct mlb_cas *cas, const struct mlb_digest *digest, const char *path); /* what is no file, if it can be */
void mlb_loose_drop(struct mlb_cas *cas); /* remove the files of what is not synced; under the lock */

/* Call fn with where the file is; again if it got its final name meanwhile. */
typedef int (*mlb_loose_fn)(void *ctx, const char *path, struct mlb_err *err);
int mlb_loose_with(struct mlb_cas *cas, const struct mlb_digest *digest, mlb_loose_fn fn, void *ctx, struct mlb_err *err);
bool mlb_loose_trusted(struct mlb_cas *cas, const struct mlb_digest *digest, const struct mlb_stat *st);
int mlb_loose_put(struct mlb_cas *cas, const struct mlb_digest *digest, const void *data, size_t len,
		  struct mlb_err *err);
int mlb_loose_put_file(struct mlb_cas *cas, struct mlb_digest *out, uint64_t *size, const char *path,
		       struct mlb_err *err);
/* A complete temporary file is the object from now on, under its temporary name; after a failure it is gone. */
int mlb_loose_install(struct mlb_cas *cas, const struct mlb_digest *digest, const char *tmp, struct mlb_err *err);
int mlb_loose_verify(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err); /* hashes; quarantines */
bool mlb_loose_sure(struct mlb_cas *cas, const struct mlb_digest *digest); /* it is there, and trusted or found right */
int mlb_loose_quarantine(struct mlb_cas *cas, const struct mlb_digest *digest, struct mlb_err *err); /* returns MLB_ECORRUPT */
/* It was found right, and st is what lstat said before it was read. */
void mlb_loose_record(struct mlb_cas *cas, const struct mlb_digest *digest, const struct mlb_stat *st);

#endif
