/*
 * The object store: immutable bytes named by their SHA-256.
 *
 * 1. Content of MLB_CAS_SMALL bytes or more rests loose in objects/ab/cdef…,
 *    0444, exactly its bytes; what is smaller rests in packs/.
 * 2. Nothing is named by an index, a result record or a reported success before
 *    it is durable: put, then mlb_cas_sync, then tell.
 * 3. What is read or copied out is hashed on the way; wrong bytes go to
 *    quarantine/, and the object counts as absent.
 * 4. The index in state.db can be made again from the packs (mlb_cas_reindex).
 * 5. put, read, link, has and sync may be called from several threads at once;
 *    open, index, reindex and close from the one that owns the database's
 *    transactions.
 * 6. What is removed or found damaged is told by a new generation first.
 * 7. Several processes may use one directory, each with its own database or not.
 *
 * Ownership: the store borrows the database handle; callers own buffers.
 */
#ifndef STORE_CAS_H
#define STORE_CAS_H

#include "base/buf.h"
#include "base/hash.h"
#include "os/fs.h"
#include "store/db.h"

/*
 * Measured with 1,200 files of 8 KiB to 2 MiB, 460 MB, every third one text;
 * processor time of storing and of checking out, what they take, and in how many files:
 *
 *	 64 KiB  1.07 s  0.82 s  440 MB  752
 *	128 KiB  0.93 s  0.78 s  437 MB  609
 *	256 KiB  0.89 s  1.06 s  430 MB  449
 *	  1 MiB  0.95 s  1.23 s  394 MB  172
 *
 * A larger limit compresses more and makes fewer files, but what is packed is
 * copied twice on its way out, and can be neither reflinked nor linked.
 */
#define MLB_CAS_SMALL (128L * 1024)

enum mlb_link { MLB_LINK_COPY = 0 /* reflink, else copy */, MLB_LINK_HARD /* where it is safe, else as COPY */, MLB_LINK_BYTES /* copy, never reflink */ };

struct mlb_cas;
struct mlb_io;

/*
 * dir is ".../cache/v1"; made if absent. Packs that the database does not know
 * (it was reset, or other projects share the cache) are indexed.
 */
int mlb_cas_open(struct mlb_cas **out, const char *dir, struct mlb_db *db, struct mlb_err *err);
/* The same, writing by way of a table of the caller's (os/io.h). */
int mlb_cas_open_io(struct mlb_cas **out, const char *dir, struct mlb_db *db, const struct mlb_io *io,
		    struct mlb_err *err);
void mlb_cas_close(struct mlb_cas *cas);

/*
 * Content that is there already is not written again. A file that changes while it
 * is read is an error (MLB_ESYSTEM), and MLB_EINTERRUPTED if the store's table of
 * calls wants no more of it (os/io.h).
 */
int mlb_cas_put(struct mlb_cas *cas, struct mlb_digest *out, const void *data, size_t len, struct mlb_err *err);
int mlb_cas_put_file(struct mlb_cas *cas, struct mlb_digest *out, uint64_t *size, const char *path,
		     struct mlb_err *err);
bool mlb_cas_has(struct mlb_cas *cas, const struct mlb_digest *digest);
/*
 * The same, and its bytes are right: to be asked before other bytes of this
 * content are given up. What is packed is read, a file whose stat is not the
 * recorded one too; what is wrong counts as absent from then on. Of a tree it
 * tells about the node alone: mlb_tree_sure tells about all of it.
 */
bool mlb_cas_sure(struct mlb_cas *cas, const struct mlb_digest *digest);

/* Appends the content to out. MLB_ENOTFOUND if absent, MLB_ECORRUPT if it was wrong (now quarantined). */
int mlb_cas_read(struct mlb_cas *cas, struct mlb_buf *out, const struct mlb_digest *digest, struct mlb_err *err);

/*
 * Hand the content to fn, part by part, once all of it was found right: what is
 * handed out is never taken back.  What fn returns below 0 ends it.
 */
typedef int (*mlb_cas_fn)(void *ctx, const void *data, size_t len);
int mlb_cas_stream(struct mlb_cas *cas, const struct mlb_digest *digest, mlb_cas_fn fn, void *ctx, struct mlb_err *err);

/* Make a file of this content at path `to` (temporary name beside it, then rename). */
int mlb_cas_link(struct mlb_cas *cas, const struct mlb_digest *digest, const char *to, bool exec,
		 enum mlb_link how, struct mlb_err *err);

/* A place for a file, relative to a directory that is open (also O_PATH), so that no path is too long. */
struct mlb_spot {
	int dir;
	const char *name; /* there */
	const char *path; /* for messages */
	bool exec;
	bool fresh;       /* nothing is there, and nobody looks before all is done: no temporary name */
	enum mlb_link how;
};

/* The same at a spot; st (may be NULL) is what its file is then. */
int mlb_cas_place(struct mlb_cas *cas, const struct mlb_digest *digest, const struct mlb_spot *spot,
		  struct mlb_stat *st, struct mlb_err *err);

/*
 * Make all that was put so far durable: until then a large object has a temporary
 * name, and other processes see none of them. Safe on a worker while others put. A
 * failure drops the batch: those objects are not there any more; if one that
 * was put meanwhile went with them, the next sync fails too.
 */
int mlb_cas_sync(struct mlb_cas *cas, struct mlb_err *err);

/* Write index rows of what mlb_cas_sync made durable; inside the caller's transaction. */
int mlb_cas_index(struct mlb_cas *cas, struct mlb_err *err);
int mlb_cas_reindex(struct mlb_cas *cas, struct mlb_err *err); /* from the packs, in a transaction of its own */

/*
 * Whoever remembers that an object is here may go by that without looking, as
 * long as the generation is the one of then. 0: unknown, nothing may be
 * remembered. Whatever removes objects or packs, or finds some missing, raises
 * it first, and removes nothing if that fails. Safe on any thread.
 */
uint64_t mlb_cas_generation(struct mlb_cas *cas);
int mlb_cas_raise(struct mlb_cas *cas, struct mlb_err *err);

/* A ticket for all that was put so far: once it is durable, all that is, unless the generation was raised. */
uint64_t mlb_cas_ticket(struct mlb_cas *cas);
bool mlb_cas_durable(struct mlb_cas *cas, uint64_t ticket); /* 0 always is */

/* It turned out to be damaged or gone: it counts as absent, whatever its row says, until it is put again. */
void mlb_cas_mark_bad(struct mlb_cas *cas, const struct mlb_digest *digest);

/* A loose object of this size and mtime was found right: it need not be hashed before its next use. */
void mlb_cas_trust(struct mlb_cas *cas, const struct mlb_digest *digest, uint64_t size, int64_t mtime);

const struct mlb_io *mlb_cas_io(const struct mlb_cas *cas); /* that it was opened with */
const char *mlb_cas_dir(const struct mlb_cas *cas); /* borrowed */
unsigned mlb_cas_umask(struct mlb_cas *cas);        /* of this process */

#endif
