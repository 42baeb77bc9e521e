/*
 * Objects and results between the cache here and one remote.
 *
 * What a remote has is known from a copy of its index (store/remote_view.h), which
 * mlb_transfer_refresh brings up to date: by one listing of index/ and one of
 * actions/, side by side, and a get for each file that is new. Whether something is
 * there is never asked of the server.
 *
 * 1. open and close from the thread that owns the cache's database. Everything else
 *    may be called from any thread; push and fetch block, and several fetches may go
 *    on at once, beside one push or refresh.
 * 2. What a remote says is data of a stranger: each byte that is kept was found to be
 *    what its digest says. What is damaged or missing there counts as absent, is told
 *    once a transfer, and is remembered, so that a push which has it sends it again.
 * 3. fetch tells of what it got when that is durable. The rows of state.db are
 *    written by whoever commits next (mlb_cas_index).
 * 4. push writes packs, then their index, then records, then what the clone needs:
 *    whatever ends it, nothing on the remote names what is not there, and what
 *    arrived is not sent again.
 *
 * Ownership: a transfer borrows session, objects and records until it is closed.
 */
#ifndef ENGINE_TRANSFER_H
#define ENGINE_TRANSFER_H

#include "base/digest_set.h"
#include "mlbuild/sys/session.h"
#include "store/remote_segment.h"
#include "store/result.h"
#include "store/roots.h"

struct mlb_transfer;

/* How far a push or fetch is. Called on the calling thread a few times a second. */
struct mlb_transfer_progress {
	uint64_t bytes, all_bytes;     /* moved, and to be moved as far as that is known */
	uint64_t objects, all_objects; /* the same in objects */
};
/* Not 0 ends the transfer with MLB_EINTERRUPTED; what arrived counts. */
typedef int mlb_transfer_tick(void *ctx, const struct mlb_transfer_progress *p);

/* The remote's files are gone through by `threads`; 0: as many as there are processors. */
int mlb_transfer_open(struct mlb_transfer **out, struct mlb_session *s, struct mlb_cas *cas,
		      struct mlb_results *results, unsigned threads, struct mlb_err *err);
void mlb_transfer_close(struct mlb_transfer *t); /* NULL is allowed */

/*
 * Learn what the remote has. One that nobody has pushed to yet has nothing.
 * MLB_EINVALID: it is no remote of ours (something else is there), or one of a later
 * version. MLB_EREMOTE and others: the server; fault (may be NULL) tells why.
 */
int mlb_transfer_refresh(struct mlb_transfer *t, enum mlb_remote_fault *fault, struct mlb_err *err);
/* The id of the remote, 32 hexadecimal digits; "" before refresh, or if it has none yet. Borrowed. */
const char *mlb_transfer_id(const struct mlb_transfer *t);

/*
 * From now on a result counts only if this says of one of its signatures that it is
 * of a trusted key, and right. Before refresh; fn is called from any thread.
 */
typedef bool mlb_transfer_trusts(void *ctx, const struct mlb_signature *s, const char *text,
				 size_t len);
void mlb_transfer_require(struct mlb_transfer *t, mlb_transfer_trusts *fn, void *ctx);

/* As of the last refresh, and of what was pushed since. */
bool mlb_transfer_has(const struct mlb_transfer *t, const struct mlb_digest *digest);
/* The result of a key that counts; strings live in the arena. MLB_ENOTFOUND. */
int mlb_transfer_find(const struct mlb_transfer *t, struct mlb_result *out, struct mlb_arena *arena,
		      const struct mlb_digest *key, struct mlb_err *err);

/* Name the remote in an error, unless it does so already. err may be NULL. */
void mlb_transfer_wrap(struct mlb_err *err, const char *remote);

/* ---------------------------------------------------------- fetching */

enum mlb_fetch_state {
	MLB_FETCH_WAITING = 0,
	MLB_FETCH_HAD,     /* all of it was here */
	MLB_FETCH_GOT,     /* all of it is here now, and durable */
	MLB_FETCH_ABSENT,  /* the remote lacks it, or a part of it */
	MLB_FETCH_DAMAGED, /* so is what the remote has */
	MLB_FETCH_FAILED   /* the transfer ended before */
};

struct mlb_fetch_want {
	struct mlb_digest digest;
	bool is_tree; /* with all that is below */
	void *ctx;    /* the caller's */
	/* Set by fetch: */
	uint8_t state; /* enum mlb_fetch_state */
};

struct mlb_fetch {
	struct mlb_fetch_want *want; /* all of them are fetched together, level by level */
	size_t n_wants;
	/* MAY; on the calling thread, as soon as the state of one is known, in any order. */
	void (*on_want)(void *ctx, const struct mlb_fetch_want *w);
	mlb_transfer_tick *tick; /* MAY */
	void *ctx;               /* of both */
};

struct mlb_fetch_report {
	uint64_t objects, bytes;     /* that are here now and were not; bytes of their content */
	uint64_t received;           /* bytes that came over the wire */
	uint64_t reused;             /* bytes of large files that other files here had */
	uint64_t had;                /* objects that were here */
	uint64_t absent, damaged;    /* objects that the remote lacks, or has wrong */
	struct mlb_digest first_bad; /* one of the damaged; zero: none */
};

/*
 * 0 also where some of it is absent or damaged: want[].state says so. Else the server
 * (MLB_EREMOTE), the cache (MLB_ESYSTEM) or tick ended it; what came before stays.
 */
int mlb_transfer_fetch(struct mlb_transfer *t, const struct mlb_fetch *f,
		       struct mlb_fetch_report *report, struct mlb_err *err);

/* ---------------------------------------------------------- pushing */

/*
 * s, by the server's clock: nothing that is younger is collected there, and a push that
 * takes half as long looks anew at what is (transfer_gc.c).
 */
#define MLB_REMOTE_GUARD ((uint64_t)24 * 60 * 60)

struct mlb_push {
	/*
	 * What is to be there afterwards, with all that belongs to it: of a key the action
	 * text, and the latest result here with outputs and log; of a table its rows.
	 */
	const struct mlb_need *root;
	size_t n_roots;
	/* What this clone needs of the remote from now on, sorted; NULL: it stays as it is. */
	const struct mlb_roots *needs;
	const char *clone; /* then: the name of its file, by mlb_transfer_clone_name */
	/* MAY: sign a record's text, which fills out; false: it is sent unsigned. */
	bool (*sign)(void *ctx, struct mlb_signature *out, const char *text, size_t len);
	/* MAY; of an object that is needed and that the cache lacks, or has wrong. */
	void (*on_missing)(void *ctx, const struct mlb_digest *digest);
	mlb_transfer_tick *tick; /* MAY */
	void *ctx;               /* of these */
	bool dry_run;            /* count only */
	uint64_t guard;          /* s; 0: MLB_REMOTE_GUARD. Tests have less */
};

struct mlb_push_report {
	uint64_t objects,
		bytes; /* that belong to the roots; bytes of their content, as far as known */
	uint64_t sent_objects; /* blobs that were sent */
	uint64_t sent;         /* bytes that went over the wire, or would */
	uint64_t there;        /* objects that were there already */
	uint64_t saved_chunks; /* bytes of large files not sent because their chunks were there */
	uint64_t saved_zstd;   /* bytes not sent because of compression */
	uint64_t resumed;      /* objects that an interrupted push had sent */
	uint64_t records;      /* sent */
	uint64_t missing;      /* objects that could not be sent: the cache lacks them */
	uint64_t packs;        /* sent */
};

/*
 * Refreshes, and makes the remote if there is none. 0 also where objects were
 * missing here (report->missing).
 */
int mlb_transfer_push(struct mlb_transfer *t, const struct mlb_push *push,
		      struct mlb_push_report *report, struct mlb_err *err);

/* The name of a clone's file of roots: what tells projects of a name, hosts and directories apart. Owned by the caller. */
char *mlb_transfer_clone_name(const char *project, const char *host, const char *dir);

#endif
