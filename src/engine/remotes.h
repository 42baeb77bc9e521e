/*
 * The remotes of a project, in the order of mlbuild.ini, which is that in which they are
 * asked.
 *
 * 1. Opening asks no server; mlb_remotes_ask does, once.
 * 2. After that have and result may be called from any thread.
 *
 * Ownership: the project owns them, and closes them before its cache.
 */
#ifndef ENGINE_REMOTES_H
#define ENGINE_REMOTES_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/vec.h"
#include "engine/keyring.h"
#include "engine/transfer.h"

struct mlb_project;

struct mlb_remote_use {
	struct mlb_remote_config config; /* its strings live in the arena */
	const char *name;
	const char *url; /* as it may be shown */
	struct mlb_session *session;
	struct mlb_transfer *transfer;
	bool read, write; /* may it be? */
	bool push;        /* what is built is sent */
	bool asked;
	bool told;                   /* the user, that it fails */
	atomic_bool ready;           /* it answered, and has not failed since */
	enum mlb_remote_fault fault; /* else: why, with err */
	struct mlb_err err;
};

struct mlb_remotes {
	struct mlb_arena arena;
	struct mlb_keyring keys; /* where [trust] requires signatures: whose count */
	MLB_VEC(struct mlb_remote_use *) use;
};

/*
 * Into p->remotes, with the cache open; also where there are none. MLB_EINVALID says
 * what is wrong with a section.
 */
int mlb_project_remotes(struct mlb_project *p, struct mlb_err *err);
void mlb_remotes_free(struct mlb_remotes *r); /* NULL is allowed */

/* The one of a name; MLB_ENOTFOUND names those there are. */
int mlb_remotes_named(struct mlb_remote_use **out, const struct mlb_remotes *r, const char *name,
		      struct mlb_err *err);

/* Ask all that may be read, or with `write` written to, side by side; each tells whether it is ready. Blocks. */
void mlb_remotes_ask(struct mlb_remotes *r, bool write);
void mlb_remotes_cancel(
	struct mlb_remotes *r); /* from any thread: whatever goes on ends, and nothing begins */

/* Of those that may be read and are ready: does one have it? r may be NULL. */
bool mlb_remotes_have(const struct mlb_remotes *r, const struct mlb_digest *digest);
/* The result of a key by the first that has one; MLB_ENOTFOUND. */
int mlb_remotes_result(const struct mlb_remotes *r, struct mlb_result *out, struct mlb_arena *arena,
		       const struct mlb_digest *key);

#endif
