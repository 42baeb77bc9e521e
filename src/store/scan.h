/*
 * What is on disk: the state and digest of many paths at once, by the stat cache.
 *
 * 1. A scan is made over a sorted array of unique project paths. The rows of the
 *    stat cache are read in one ordered pass and merged with it; everything is
 *    lstat-ed once, on all processors.
 * 2. A row holds only if inode, size, mtime, ctime, type and executable bit are
 *    the recorded ones and the row is not racy: its ctime was at least 10 ms (2 s
 *    where nanoseconds are zero) before the file system's clock when recorded.
 *    Anything else means: hash again. It never means: rebuild.
 * 3. A directory is walked; its files have rows of their own, its digest is that
 *    of the tree object (store/tree.h).
 * 4. Absent is a state like any other. A symbolic link is followed (a source may
 *    leave the project). What can be no input (a dangling link, a socket, what
 *    may not be read) is MLB_P_BAD, and mlb_scan_problem tells why: it fails
 *    nobody but those who need it.
 * 5. A file that is a hard link when recorded and when examined may differ in
 *    ctime: linking and unlinking a cache object changes that.
 *
 * Ownership: the scan borrows paths and database; digests are plain values.
 */
#ifndef STORE_SCAN_H
#define STORE_SCAN_H

#include "os/fs.h"
#include "store/cas.h"
#include "store/db.h"

enum mlb_pkind { MLB_P_UNKNOWN = 0, MLB_P_ABSENT, MLB_P_FILE, MLB_P_EXEC, MLB_P_TREE, MLB_P_LISTING, MLB_P_BAD };

/* What a path is wanted for, by the caller. */
enum mlb_want {
	MLB_WANT_CONTENT = 0, /* digest of file or tree */
	MLB_WANT_EXISTS = 1,  /* only whether it is there: kind, no digest */
	MLB_WANT_LISTING = 2  /* a directory's entry names and types: digest over them, kind MLB_P_LISTING */
};

/* Whether a later change may leave the stat as it is (rule 2). */
enum mlb_racy { MLB_RACY_NO = 0, MLB_RACY_YES, MLB_RACY_AT_SAVE /* set by mlb_scan_set: told when saved */ };

struct mlb_path_state {
	struct mlb_stat st;       /* as last seen; of the target for a symbolic link */
	struct mlb_digest digest; /* zero while unknown, absent or only MLB_WANT_EXISTS */
	uint64_t size;            /* bytes; a tree's files summed */
	struct mlb_walk *walk;    /* what is in a directory (scan_walk.h); NULL: not known */
	uint8_t kind;             /* enum mlb_pkind */
	uint8_t want;             /* enum mlb_want */
	bool source;              /* the caller's: a directory is without what .mlbuildignore leaves out */
	uint8_t racy;             /* enum mlb_racy; of a file or listing */
	bool changed;             /* digest or kind differs from the stat cache's row */
	bool dirty;               /* the row must be written (new, racy, other stat) */
	bool lent;                /* to a worker (mlb_scan_lend): nobody else may look at the rest of this */
};

struct mlb_scan_own;

/* How far reading has come. */
struct mlb_scan_progress {
	uint64_t files, bytes; /* read */
	uint64_t total_files, total_bytes;
};

struct mlb_scan {
	const char *root;             /* absolute project directory; borrowed */
	const char *const *path;      /* sorted bytewise, unique; borrowed */
	size_t n;
	struct mlb_path_state *state; /* n of them; owned */
	struct mlb_db *db;            /* NULL: no cache, everything is read */
	unsigned threads;
	/*
	 * For mlb_scan_run, may be NULL: what must be read of path i (a directory, or
	 * a file) is put into this store while it is read; NULL: it is not. What
	 * cannot be put there is left to mlb_scan_store. On the caller's thread.
	 */
	struct mlb_cas *(*store)(void *ctx, size_t i, bool tree);
	void *store_ctx;
	/*
	 * May be NULL. Called where much must be read: when that begins, ten times a
	 * second at most, and when it ends; on the thread that called mlb_scan_run.
	 * False: mlb_scan_run stops as soon as it can, and is MLB_EINTERRUPTED.
	 */
	bool (*progress)(void *ctx, const struct mlb_scan_progress *p);
	void *progress_ctx;
	const struct mlb_io *unless;  /* asked within large files whether to go on; borrowed; NULL: it is not asked */
	struct mlb_digest rows;       /* mlb_scan_digest of what the stat cache had of them before the last run */
	struct mlb_scan_own *own;     /* scan*.c's */
};

/* Allocate states for n paths; want (may be NULL: all content) has one byte a path; borrowed. */
int mlb_scan_init(struct mlb_scan *s, const char *root, const char *const *path, const uint8_t *want,
		  size_t n, struct mlb_db *db, unsigned threads, struct mlb_err *err);
void mlb_scan_release(struct mlb_scan *s);

/*
 * What all paths are now, links followed, one after the other; type MLB_F_OTHER is
 * what can be no input. The next mlb_scan_run goes by it and takes it away.
 */
const struct mlb_stat *mlb_scan_stats(struct mlb_scan *s);

/* Examine all paths: rows, lstat, hash what changed. */
int mlb_scan_run(struct mlb_scan *s, struct mlb_err *err);

/*
 * A digest of kind and content of all paths as known now. Where it was the same
 * before, nothing differs; where s->rows was, only what has `changed` set does.
 */
void mlb_scan_digest(struct mlb_digest *out, const struct mlb_scan *s);

/* Why path i is MLB_P_BAD: "'data/raw.csv' is a link to nothing". Borrowed until path i is looked at again; "" for others. */
const char *mlb_scan_problem(const struct mlb_scan *s, size_t i);

/* Examine one path again: *changed tells whether content or kind differ from the state before. */
int mlb_scan_again(struct mlb_scan *s, size_t i, bool *changed, struct mlb_err *err);

/* A quick look: has the stat of path i moved since it was examined? Trees: only the directory itself. */
bool mlb_scan_moved(const struct mlb_scan *s, size_t i);

/* How many entries the tree at path i had when it was examined; 0: not known. */
size_t mlb_scan_entries(const struct mlb_scan *s, size_t i);

/* The same for one file (a project path) of the tree at path i; true where the tree is not known to have it. */
bool mlb_scan_file_moved(const struct mlb_scan *s, size_t i, const char *file);

/* A file (a project path) of the tree at path i, as it was examined last; false: there is none, or it is not known. */
bool mlb_scan_file(const struct mlb_scan *s, size_t i, const char *file, struct mlb_digest *digest, bool *exec,
		   uint64_t *size);

/* Tell what we ourselves just put at path i, so that it need not be hashed: lstat now, digest given. */
int mlb_scan_set(struct mlb_scan *s, size_t i, uint8_t kind, const struct mlb_digest *digest, uint64_t size,
		 struct mlb_err *err);

/*
 * Make the directory at path i hold exactly this tree (mlb_tree_checkout), by
 * what is known of it: unchanged files are neither read nor written.  Sets state i.
 */
struct mlb_placing;
int mlb_scan_checkout(struct mlb_scan *s, size_t i, const struct mlb_placing *p, const struct mlb_digest *tree,
		      struct mlb_err *err);

/*
 * Store the content of one path: a file, or a tree with all its files and nodes, into cas.
 * Uses known digests where the stat still fits, hashes the rest; updates state i.
 * Self-contained for a worker: touches only state i, never the database.
 * MLB_EINTERRUPTED if s->unless wanted no more.
 */
int mlb_scan_store(struct mlb_scan *s, size_t i, struct mlb_cas *cas, struct mlb_err *err);

/* Whether the store is known to have all of the tree at path i: mlb_scan_store has nothing to do. */
bool mlb_scan_stored(const struct mlb_scan *s, size_t i, struct mlb_cas *cas);

/*
 * While a worker changes state i (mlb_scan_checkout) and others go on, the state is lent: mlb_scan_save leaves it out,
 * and it is saved the next time. Set and taken back by the thread that owns the scan, around the task.
 */
void mlb_scan_lend(struct mlb_scan *s, size_t i, bool lent);

/* The digest of MLB_WANT_LISTING (listing.c): of sorted entries, as mlb_fs_list gives them. */
void mlb_listing_digest(const struct mlb_dirents *entries, struct mlb_digest *out);

/*
 * Write dirty rows; inside the caller's transaction. Others may have written the
 * table since it was read. What cas (may be NULL) made durable is marked as stored.
 */
int mlb_scan_save(struct mlb_scan *s, struct mlb_cas *cas, struct mlb_err *err);

#endif
