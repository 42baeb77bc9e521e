/*
 * What directories hold: walked on all processors, compared with what was known
 * of them, and made into trees.  For the files scan*.c and tree_*.c only.
 *
 * 1. What was seen is one list per directory walked, of everything below it,
 *    sorted bytewise by path, where the path of a directory ends in '/'.  So a
 *    directory comes right before all that is in it.
 * 2. A digest is only used where the entry is marked as known.
 * 3. Links are never followed below the directory; it may be one itself.
 *
 * Ownership: a walk owns its list and the paths in it.
 */
#ifndef STORE_SCAN_WALK_H
#define STORE_SCAN_WALK_H

#include <dirent.h>

#include "base/arena.h"
#include "base/vec.h"
#include "os/fs.h"
#include "os/io.h"
#include "store/tree.h"

#define MLB_RACY_NS 10000000          /* a change this much later shows in the time of change */
#define MLB_RACY_COARSE_NS 2000000000 /* the same where the file system counts in seconds */

enum mlb_seen_flag {
	MLB_SEEN_KNOWN = 1,  /* the digest belongs to the stat */
	MLB_SEEN_RACY = 2,   /* it may have changed since without a trace: hash once more */
	MLB_SEEN_LINKED = 4, /* it had several names: then ctime says nothing */
	MLB_SEEN_STORED = 8, /* the store has the content, or the node and all below it; see struct mlb_walk */
};

struct mlb_seen {
	const char *path;         /* below the walked directory */
	struct mlb_digest digest; /* of content, link text or node */
	uint64_t ino;             /* zero for a directory, like the times */
	uint64_t size;            /* of a directory: its files summed, once it is known */
	int64_t mtime;
	int64_t ctime;
	uint32_t len;             /* of path */
	uint8_t kind;             /* enum mlb_tkind */
	uint8_t flags;            /* enum mlb_seen_flag */
};

struct mlb_walk {
	struct mlb_arena arena;   /* paths */
	MLB_VEC(struct mlb_seen) all;
	struct mlb_digest digest; /* of the tree; zero while unknown */
	uint64_t size;            /* of its files */
	uint64_t generation;      /* of the store (cas.h) in which MLB_SEEN_STORED holds; 0: nowhere */
	uint64_t ticket;          /* when that is durable (cas.h); 0: it is */
	bool stored;              /* the whole tree is there */
};

#define MLB_WALK_INIT { MLB_ARENA_INIT, MLB_VEC_INIT, { { 0 } }, 0, 0, 0, false }

void mlb_walk_release(struct mlb_walk *w);

/* One directory to walk. */
struct mlb_walk_job {
	const char *path;           /* from the descriptor given; "." is that directory itself */
	const struct mlb_walk *old; /* what was known of it; NULL: nothing */
	bool source;                /* without what .mlbuildignore leaves out; the descriptor is the project's directory */
	struct mlb_walk now;        /* what is there; left empty if it is the same */
	bool same;                  /* nothing differs from old, and all of that is known */
	struct mlb_err err;         /* why it could not be walked */
};

/* Walk them all, on so many threads. What is known of an unchanged file is taken over. */
void mlb_walk_run(struct mlb_walk_job *job, size_t n, int root, unsigned threads);

/*
 * Set digest and size of the walk and of every directory in it, from what is
 * below, which must be known. With a store (may be NULL) the nodes are put
 * there, but those of directories that are marked as stored already.
 */
int mlb_walk_nodes(struct mlb_walk *w, struct mlb_cas *cas, struct mlb_err *err);

/* Marks of another generation than this one of a store do not count: remove them. */
void mlb_walk_trust(struct mlb_walk *w, uint64_t generation);

/* Where a directory's list ends, which begins after index i. */
size_t mlb_walk_end(const struct mlb_walk *w, size_t i, size_t hi);

/*
 * Make the directory `to` (which exists) hold exactly this tree; *have is what
 * is there, known or not, and becomes what is there then. Only what differs is
 * written or removed.
 */
int mlb_walk_checkout(struct mlb_walk *have, const struct mlb_placing *p, const struct mlb_digest *tree,
		      const char *to, struct mlb_err *err);

/* The same for a directory that does not exist: made in `nearby` if that is on its file system, and renamed in one go. */
int mlb_walk_checkout_new(struct mlb_walk *have, const struct mlb_placing *p, const struct mlb_digest *tree,
			  const char *to, const char *nearby, struct mlb_err *err);

/* The directory of one path after the other, best in order; however long the paths are. */
struct mlb_dir_at {
	int root;           /* descriptor; borrowed */
	int fd;             /* of dir, or -1 */
	struct mlb_buf dir; /* below root, with its slash; "" is root */
};

#define MLB_DIR_AT_INIT(root_fd) { (root_fd), -1, MLB_BUF_INIT(MLB_TREE_PATH_MAX) }

/* A descriptor (O_PATH) of the directory that the path is in, good until the next call; -1 and errno. *name is in path. */
int mlb_dir_at(struct mlb_dir_at *d, const char *path, const char **name);
void mlb_dir_at_close(struct mlb_dir_at *d);

/* mkdir -p of a path below root: 0 or an errno. A slash at its end is allowed. */
int mlb_mkdirs_at(int root, const char *path, const struct mlb_io *io);

/* The names in a directory, as they come. */
struct mlb_names {
	MLB_VEC(char) text; /* one after the other, each with its NUL; a directory's ends in '/' */
	MLB_VEC(size_t) at; /* where each begins */
};

/* 0 or errno. *bad is set (borrowed from the stream) to a name that cannot be in a tree, and the rest not read. */
int mlb_names_read(struct mlb_names *names, DIR *stream, const char **bad);

/* A file to read. */
struct mlb_place {
	int root;             /* descriptor of a directory */
	const char *root_dir; /* its path, absolute; may be NULL without a store */
	const char *dir;      /* below it; NULL or "": none */
	const char *path;     /* below dir */
	bool follow;          /* follow a link at the end of the path */
	/* As it was seen last, of a regular file: then it need not be looked at before it is read. NULL: not known. */
	const struct mlb_stat *seen;
	const struct mlb_io *unless; /* it wants no more of a large file: MLB_EINTERRUPTED; NULL: it is not asked */
};

/* openat(root, "dir/path"), however long the path is; dir may be NULL. A descriptor, or -1 with errno. */
int mlb_open_at(int root, const char *dir, const char *path, int flags);

/* lstat (or stat) by descriptor: 0 or errno. Absent is success. */
int mlb_stat_at(struct mlb_stat *out, int dir, const char *path, bool follow);
int mlb_stat_fd(struct mlb_stat *out, int fd); /* fstat */

/*
 * Digest of a regular file, and its stat while it had this content. With a
 * store (may be NULL) the content is put there. What goes on changing is an error.
 */
int mlb_place_read(struct mlb_digest *out, struct mlb_stat *st, const struct mlb_place *p, struct mlb_cas *cas,
		   struct mlb_err *err);

/* Make one entry known: digest of file or link text, stat; refuses links that leave. */
int mlb_seen_read(struct mlb_seen *seen, const struct mlb_place *p, struct mlb_cas *cas, struct mlb_err *err);
void mlb_seen_stat(struct mlb_seen *seen, const struct mlb_stat *st); /* sets all but path, digest and known */

struct mlb_scan_progress; /* scan.h */

/* Many entries to read. */
struct mlb_reading {
	struct mlb_seen *seen; /* made known */
	const char *dir;       /* as in struct mlb_place */
	const char *path;
	bool follow;
	bool may_fail;         /* to be stored; then it is only read */
	struct mlb_cas *cas;   /* it is stored there; NULL: only the digest is wanted */
	struct mlb_err *err;   /* set if it could not be read; several may share one */
};

struct mlb_readings {
	MLB_VEC(struct mlb_reading) todo;
	int root;
	const char *root_dir;
	int64_t now;         /* the file system's time before anything is read */
	bool (*progress)(void *ctx, const struct mlb_scan_progress *p); /* as in struct mlb_scan; NULL: nobody asks */
	void *progress_ctx;
	const struct mlb_io *unless; /* as in struct mlb_place */
};

/* Which files of a walk are read, and what for. */
enum mlb_reach {
	MLB_READ_NEW = 0, /* what is not known; with a store it is put there, if that can be done */
	MLB_READ_ALL = 1  /* and what is not marked as stored: after that all is there */
};
void mlb_readings_add(struct mlb_readings *all, struct mlb_walk *w, const char *dir, struct mlb_cas *cas,
		      enum mlb_reach reach, struct mlb_err *err);

/* Set now from the clock of directory `dir`, which is made. Waits 15 ms if else much would be hashed once more. */
int mlb_readings_clock(struct mlb_readings *all, const char *dir, struct mlb_err *err);

/* Read them, the largest first, and forget them. False: progress or `unless` said to stop, and not all were read. */
bool mlb_readings_run(struct mlb_readings *all, unsigned threads);

/* The file system's clock by way of a directory, which is made if it is absent. */
int mlb_clock_in(int64_t *out, const char *dir, struct mlb_err *err);

/*
 * Whether a file of this ctime may change without a trace, after it was read at
 * time `now` of the file system. INT64_MIN is an unknown time: it may.
 */
bool mlb_racy(int64_t ctime, int64_t now);

#endif
