/*
 * A directory of packs (cache/v1/packs, cache/v1/actions): which files there
 * are, which of them state.db knows, and the one that is appended to.  For cas*.c
 * and results.c only.
 *
 * 1. All calls are made under the owner's lock, but mlb_packs_sync_run.
 *    mlb_packs_append lets go of it while it copies and writes.
 * 2. A pack that is ours (we hold its lock) is read by a descriptor of its own,
 *    so that its renaming disturbs no reader.
 * 3. Blobs that others wrote are given to `found` once they are durable: those of
 *    sealed packs, and those of open ones that nobody holds.
 *
 * Ownership: the struct owns its files and writers, and borrows the database.
 */
#ifndef STORE_PACKS_H
#define STORE_PACKS_H

#include <pthread.h>

#include "base/vec.h"
#include "os/io.h"
#include "store/db.h"
#include "store/pack.h"

struct mlb_packfile {
	int64_t id;           /* of its row, 0: not known to have one */
	char *name;           /* in the directory */
	char *old_name;       /* before we sealed it, or NULL */
	int fd;               /* to read from, -1: not open */
	unsigned readers;     /* of fd, now */
	uint64_t synced;      /* of an open one: bytes that are durable and whose blobs are known */
	struct mlb_pack_writer *writer; /* it is ours, or NULL */
	bool busy;            /* ours: a thread appends to it, without the lock */
	bool full;            /* ours: to be sealed by the next sync */
	bool stuck;           /* ours: a sync failed, and the end could not be cut off; only held */
	bool gone;            /* the file is not there any more */
	bool again;           /* it was gone once: where it is there its blobs are to be found again */
	uint8_t row;          /* whether its row is up to date: enum in packs.c */
};

typedef int (*mlb_packs_found)(void *ctx, struct mlb_packfile *f, const struct mlb_blob *b, struct mlb_err *err);

struct mlb_packs {
	const struct mlb_io *io; /* mlb_io_os after mlb_packs_init; the owner may put another in its place */
	char *dir;
	const char *prefix;   /* of names in the table: "packs/" */
	uint8_t type;         /* enum mlb_blob_type of what it holds */
	struct mlb_db *db;
	mlb_packs_found found;
	void *ctx;            /* of found */
	MLB_VEC(struct mlb_packfile *) file;
	struct mlb_packfile *last;    /* that was looked up */
	MLB_VEC(struct mlb_packfile *) current; /* that are appended to: more than one where threads would wait for each other */
	uint64_t appended;    /* bytes, by this process */
	unsigned n_full;      /* files that wait to be sealed, each with two descriptors */
	pthread_mutex_t *lock; /* the owner's; NULL: it is never let go of */
	bool settling;        /* nobody begins to append now */
	pthread_cond_t idle;  /* a file is no more busy */
	unsigned n_open;      /* descriptors to read from */
	bool loaded;          /* the table was read */
	bool skipped;         /* a file could not be looked into when the directory was listed last */
	bool dir_dirty;       /* a name was made that is not synced */
	bool racy;            /* it was listed so soon after it changed that it may have changed again unseen */
	int64_t listed;       /* mtime of the directory before it was listed last, 0: never */
	uint64_t commits, rollbacks;
};

void mlb_packs_init(struct mlb_packs *p, const char *dir, const char *prefix, uint8_t type, struct mlb_db *db,
		    mlb_packs_found found, void *ctx);
void mlb_packs_release(struct mlb_packs *p);

/* Look for files and blobs that the tables do not know, if something changed since they were written. */
int mlb_packs_open(struct mlb_packs *p, struct mlb_err *err);
int mlb_packs_refresh(struct mlb_packs *p, struct mlb_err *err); /* in any case */

/* In any case, and all blobs of all files are found again: rows may name files that are gone, of what is elsewhere too. */
int mlb_packs_find_all(struct mlb_packs *p, struct mlb_err *err);

/* The same if another process may have finished something since. For whoever misses a blob; true: it was done. */
bool mlb_packs_look_again(struct mlb_packs *p);

/* Forget all that is known of files, delete their rows, and give all their blobs to `found` again. In a transaction. */
int mlb_packs_again(struct mlb_packs *p, struct mlb_err *err);

/* Is the file there? One that gc set aside is moved back: whoever asks wants something of it. */
bool mlb_packs_alive(const struct mlb_packs *p, struct mlb_packfile *f);
bool mlb_packs_lost(const struct mlb_packs *p, const struct mlb_packfile *f); /* it is gone, and not set aside */

struct mlb_packfile *mlb_packs_by_id(struct mlb_packs *p, int64_t id); /* NULL if there is none, or it is gone */

/* Others may append, and the same content, meanwhile; only what is told after this call is in a sync that begins then. */
int mlb_packs_append(struct mlb_packs *p, struct mlb_packfile **file, struct mlb_blob *out,
		     const struct mlb_digest *digest, const void *data, size_t len, struct mlb_err *err);

/* Make f->fd good for reading a blob at this offset, until mlb_packs_end_read. MLB_ENOTFOUND: the file is not there. */
int mlb_packs_begin_read(struct mlb_packs *p, struct mlb_packfile *f, uint64_t offset, struct mlb_err *err);
void mlb_packs_end_read(struct mlb_packs *p, struct mlb_packfile *f);

/*
 * Wait until every blob that was appended has been taken note of.  Before what a
 * sync is to make durable is chosen, without giving up the lock in between: a pack
 * that counts as known up to a blob that nobody knows of would lose it by a death.
 */
void mlb_packs_settle(struct mlb_packs *p);

/* Syncing: begin and end under the lock, run without it. One at a time. */
struct mlb_packs_item {
	struct mlb_packfile *file;
	uint64_t size;    /* bytes to be made durable */
	bool seal;
	char *sealed;     /* new name once it is sealed */
};
struct mlb_packs_sync {
	MLB_VEC(struct mlb_packs_item) item;
	bool dir;
};
int mlb_packs_sync_begin(struct mlb_packs *p, struct mlb_packs_sync *s, struct mlb_err *err);
int mlb_packs_sync_run(struct mlb_packs *p, struct mlb_packs_sync *s, struct mlb_err *err);
void mlb_packs_sync_end(struct mlb_packs *p, struct mlb_packs_sync *s, bool synced); /* releases s */

/* Write rows of packs and what the directory was when it was listed; in a transaction, before rows that name packs. */
int mlb_packs_write_rows(struct mlb_packs *p, struct mlb_err *err);

#endif
