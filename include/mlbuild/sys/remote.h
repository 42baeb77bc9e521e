/*
 * Remotes: places that a team shares, where objects of a name are kept.
 *
 * A backend is one file of remotes/ with one const entry; remotes/registry.c lists
 * them, and chooses by the URL's scheme. It moves bytes and knows nothing of what
 * they mean: tries, resuming and how much goes on at once are the session's
 * (mlbuild/sys/session.h), formats and trust those of the library.
 *
 * 1. One thread owns an open remote and makes all calls but wake. Operations go on
 *    side by side; nothing blocks but wait.
 * 2. Names are relative, of the letters A-Z a-z 0-9 . _ -, parts divided by '/', no
 *    part empty or beginning with '.', at most 240 bytes. A backend escapes nothing,
 *    and need not look at them again.
 * 3. A name that is there has all of its bytes: nobody sees half a PUT. Where a
 *    server cannot promise that, the backend writes to another name first.
 * 4. An answer that was not asked for, or not understood, is a failure with a clear
 *    text, never a guess. What a server says is data of a stranger: bounded, checked.
 * 5. No secret is in a text: no password, token, signature or signed URL.
 *
 * 6. A range that goes beyond the end is cut there; one that begins at or beyond it
 *    has no bytes, and is no failure.
 *
 * Ownership: whoever starts an operation keeps it, with all it points to, until done.
 */
#ifndef MLBUILD_SYS_REMOTE_H
#define MLBUILD_SYS_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mlbuild/err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MLB_REMOTE_ABI 1
#define MLB_REMOTE_NAME_MAX 240
#define MLB_REMOTE_BATCH 1000 /* most names of one MLB_REMOTE_DELETE */
#define MLB_REMOTE_TO_END UINT64_MAX

/* What [remote NAME] says. */
struct mlb_remote_config {
	const char *name; /* of the remote, for messages */
	const char *url;  /* as written; a path of the file system has no scheme and is absolute */
	/* The value of another key of the section as written, or NULL. */
	const char *(*get)(const struct mlb_remote_config *c, const char *key);
	/* The user's environment, as getenv(3): credentials, HOME. */
	const char *(*env)(const struct mlb_remote_config *c, const char *name);
	const void *ctx; /* of these two */
};

enum mlb_remote_verb {
	MLB_REMOTE_GET,   /* the bytes of a name, or a range of them */
	MLB_REMOTE_PUT,   /* bytes for a name, which replace what it had */
	MLB_REMOTE_STAT,  /* size and time of a name */
	MLB_REMOTE_LIST,  /* the names directly below a directory, no directories; one that is not there is empty */
	MLB_REMOTE_DELETE /* names; it is no failure that one is not there */
};

/* Why an operation failed: decides whether it is tried again, and what the user is told to do. */
enum mlb_remote_fault {
	MLB_FAULT_NONE,
	MLB_FAULT_ABSENT,    /* MLB_ENOTFOUND: no such name */
	MLB_FAULT_EXISTS,    /* MLB_EEXISTS: put if absent, and it is there */
	MLB_FAULT_TRANSIENT, /* may succeed if tried again: cut, reset, 500 */
	MLB_FAULT_BUSY,      /* the same, and the server wants less: 429, 503 */
	MLB_FAULT_DENIED,    /* credentials are missing, wrong, expired, or lack the right */
	MLB_FAULT_CLOCK,     /* the server says that our clock is wrong */
	MLB_FAULT_TRUST,     /* the server's certificate or host key is not trusted */
	MLB_FAULT_FULL,      /* no space or quota left there */
	MLB_FAULT_PLACE,     /* there is no such bucket, container, share, host, directory */
	MLB_FAULT_OTHER,     /* anything else: not tried again */
	MLB_FAULT_CANCELLED  /* MLB_EINTERRUPTED */
};

struct mlb_remote_entry {
	const char *name; /* below the directory that was asked for, without it; borrowed */
	uint64_t size;    /* bytes */
	int64_t mtime;    /* by the server's clock, seconds since 1970; 0: it does not tell */
};

struct mlb_remote_op;
struct mlb_remote;

struct mlb_remote_op {
	/* What is asked; unchanged by backends. */
	enum mlb_remote_verb verb;
	const char *name;         /* LIST: a directory, "packs"; "" is the remote itself */
	uint64_t offset, len;     /* GET: bytes from offset on, len of them (not 0) or MLB_REMOTE_TO_END */
	const void *data;         /* PUT: borrowed */
	size_t size;              /* PUT */
	const uint8_t *sha256;    /* PUT: 32 bytes, of data; NULL: not known */
	bool if_absent;           /* PUT: of several at once one succeeds, the others get EXISTS */
	const char *const *names; /* DELETE, at most MLB_REMOTE_BATCH */
	size_t n_names;
	/* GET: bytes in order. Below 0 (with err set) ends the operation with that. */
	int (*sink)(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err);
	/* LIST: each name, in any order. The same. */
	int (*entry)(struct mlb_remote_op *op, const struct mlb_remote_entry *e,
		     struct mlb_err *err);
	/* Called once, from wait or cancel; the operation may be freed or started again there. */
	void (*done)(struct mlb_remote_op *op);
	void *ctx; /* the caller's */

	/* What came of it; set before done. */
	int rc; /* 0 or enum mlb_code, with err set (MLB_EREMOTE where no other code fits) */
	enum mlb_remote_fault fault;
	struct mlb_err err; /* the caller releases it */
	/* Kept up to date meanwhile. GET: bytes given to sink; PUT: sent; DELETE: names dealt with. */
	uint64_t moved;
	uint64_t total; /* STAT: size; GET: size of all of the name, if the server said so, else 0 */
	int64_t mtime;  /* STAT, and PUT and GET where the server said so: as of an entry; else 0 */
	uint32_t retry_after; /* ms that the server asked to be left alone for, 0: it did not say */

	void *backend;              /* the backend's while it goes on */
	struct mlb_remote_op *next; /* whoever holds it may chain it */
};

struct mlb_remote_backend {
	int abi;                    /* MUST be MLB_REMOTE_ABI */
	const char *name;           /* MUST: one word: "s3" */
	const char *summary;        /* MUST: one line: what it reaches and how its URLs look */
	const char *const *schemes; /* MUST: without ':', NULL-terminated; "" is a path */
	const char *const *
		keys; /* MUST: of [remote] that mean something to it, besides those all have; sorted, NULL-terminated */
	unsigned most; /* MUST: operations that make sense at once, at most 64 */
	/*
	 * MUST: check URL and keys and make ready, without asking the server: MLB_EINVALID
	 * says what is wrong with them. Programs and libraries it needs are started when
	 * the first operation needs them.
	 */
	int (*open)(struct mlb_remote **out, const struct mlb_remote_config *c,
		    struct mlb_err *err);
	/* MUST: begin; cannot fail but by done, and does not call done itself. */
	void (*start)(struct mlb_remote *r, struct mlb_remote_op *op);
	/*
	 * MUST: move what goes on, and call done for what ended. Returns when something
	 * ended, was woken, or after timeout ms (-1: none). Not 0: nothing works any more
	 * (all that went on has ended with that).
	 */
	int (*wait)(struct mlb_remote *r, int timeout, struct mlb_err *err);
	void (*wake)(struct mlb_remote *
			     r); /* MUST: from any thread; wait returns soon, or the next at once */
	void (*cancel)(
		struct mlb_remote *r,
		struct mlb_remote_op *op);   /* MUST: ends it, done is called before it returns */
	void (*close)(struct mlb_remote *r); /* MUST: when nothing goes on; NULL is allowed */
	/*
	 * MAY: what a user should look at for a fault, one line, appended to a message
	 * (credentials used: from where, never what). NULL: nothing to add. Borrowed.
	 */
	const char *(*hint)(struct mlb_remote *r, enum mlb_remote_fault fault);
};

/* An open remote: the first member of each backend's own struct. */
struct mlb_remote {
	const struct mlb_remote_backend *backend;
};

/* The backend of a URL; MLB_EINVALID names the schemes there are. */
int mlb_remote_backend(const struct mlb_remote_backend **out, const char *url, struct mlb_err *err);

/* All backends, sorted by name, NULL-terminated. */
const struct mlb_remote_backend *const *mlb_remote_backends(void);

/* Is this a name that the rules above allow? */
bool mlb_remote_name_valid(const char *name);

/*
 * The URL as it may be shown: without user information (but the user of ssh), query
 * and fragment. Put into out, cut to size bytes with the NUL; returns out.
 */
const char *mlb_remote_url_shown(char *out, size_t size, const char *url);

#ifdef __cplusplus
}
#endif

#endif
