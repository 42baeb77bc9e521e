/*
 * The tables of state.db, and the small ones' accessors. The schema stands at
 * the top of state.c; db.c creates it. Everything here can be deleted.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "base/arena.h"
#include "store/db.h"

extern const char *const mlb_state_schema; /* SQL text that makes all tables; its version is in user_version */
#define MLB_STATE_VERSION 1

/* meta: small named values. Absent gives an empty buffer. */
int mlb_meta_get(struct mlb_db *db, const char *name, struct mlb_buf *out, struct mlb_err *err);
int mlb_meta_has(struct mlb_db *db, const char *name, bool *has, struct mlb_err *err);
int mlb_meta_set(struct mlb_db *db, const char *name, const void *v, size_t len, struct mlb_err *err);
int mlb_meta_remove(struct mlb_db *db, const char *name, struct mlb_err *err);
/* Those whose names begin with the prefix, sorted; fn may not change meta. */
int mlb_meta_each(struct mlb_db *db, const char *prefix,
		  int (*fn)(void *ctx, const char *name, const void *v, size_t len, struct mlb_err *err),
		  void *ctx, struct mlb_err *err);

/*
 * memo: what is known of a node from earlier runs. The signature stands for the
 * node's static text and all its input digests: where it is the same, so is the key.
 */
struct mlb_memo {
	const char *node;         /* name of the target instance */
	struct mlb_digest sig;
	struct mlb_digest key;
	struct mlb_digest outs;   /* SHA-256 over kind byte and digest of each output, in order */
	uint64_t duration;        /* ns of the last run, 0 if never run here */
	uint8_t kind;             /* target kind: the mean duration of a kind stands in for an unknown one */
	uint8_t flags;            /* MLB_MEMO_* */
};
enum {
	MLB_MEMO_NO = 1,     /* a check that said no */
	MLB_MEMO_DOUBTED = 2 /* recorded with a lock that was replaced by another one since */
};

/* All rows in bytewise order of node, in one pass. */
int mlb_memo_each(struct mlb_db *db, int (*fn)(void *ctx, const struct mlb_memo *m, struct mlb_err *err),
		  void *ctx, struct mlb_err *err);
/* One row; its name is the caller's own. */
int mlb_memo_get(struct mlb_db *db, const char *node, struct mlb_memo *out, bool *found,
		 struct mlb_err *err);
int mlb_memo_set(struct mlb_db *db, const struct mlb_memo *m, struct mlb_err *err);
int mlb_memo_remove(struct mlb_db *db, const char *node, struct mlb_err *err);
int mlb_memo_doubt(struct mlb_db *db, const char *node, struct mlb_err *err); /* if there is one */

/* runs: one row per invocation that built something, and one per action of it. */
struct mlb_run {
	const char *id;       /* "20261121-025546-3f9a" */
	int64_t started;      /* wall, ns */
	uint64_t duration;    /* ns */
	const char *words;    /* the command line's words */
	const char *commit;   /* HEAD at that time, "" without */
	int status;           /* exit code; -1 while it runs */
	uint32_t built, restored, failed;
};
struct mlb_run_action {
	const char *run;
	const char *node;
	int64_t seq;          /* grows with each that is added; read only */
	struct mlb_digest key;
	const char *what;     /* "built", "restored", "failed", "no" */
	uint64_t duration;    /* ns */
	const char *metrics;  /* JSON text, "" without */
	struct mlb_digest log;
};
int mlb_run_set(struct mlb_db *db, const struct mlb_run *r, struct mlb_err *err); /* insert or replace */
int mlb_run_add_action(struct mlb_db *db, const struct mlb_run_action *a, struct mlb_err *err);
int mlb_run_each(struct mlb_db *db, unsigned limit, int (*fn)(void *ctx, const struct mlb_run *r, struct mlb_err *err),
		 void *ctx, struct mlb_err *err); /* newest first */
/* One run; its strings are in the arena. */
int mlb_run_get(struct mlb_db *db, const char *id, struct mlb_run *out, bool *found, struct mlb_arena *arena,
		struct mlb_err *err);
/* Newest first, what was built or restored of a node before an action of it. */
int mlb_run_before(struct mlb_db *db, const char *node, int64_t seq,
		   int (*fn)(void *ctx, const struct mlb_run_action *a, struct mlb_err *err), void *ctx,
		   struct mlb_err *err);
/* Newest first, the actions of one key: whose it is. */
int mlb_run_by_key(struct mlb_db *db, const struct mlb_digest *key,
		   int (*fn)(void *ctx, const struct mlb_run_action *a, struct mlb_err *err), void *ctx,
		   struct mlb_err *err);
int mlb_run_actions(struct mlb_db *db, const char *run, const char *node, unsigned limit,
		    int (*fn)(void *ctx, const struct mlb_run_action *a, struct mlb_err *err), void *ctx,
		    struct mlb_err *err); /* run or node may be NULL: any; newest first */

#endif
