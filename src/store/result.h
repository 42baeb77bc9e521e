/*
 * Result records: what an action with a given key produced.  The text format
 * stands at the top of result.c; records rest in segments (pack framing) under
 * cache/v1/actions/, and state.db indexes them.
 */
#ifndef STORE_RESULT_H
#define STORE_RESULT_H

#include "base/arena.h"
#include "store/cas.h"

enum mlb_okind { MLB_O_FILE = 'f', MLB_O_EXEC = 'x', MLB_O_TREE = 't', MLB_O_METRICS = 'm' };

struct mlb_output {
	const char *path;         /* relative to the project */
	uint8_t kind;             /* enum mlb_okind */
	struct mlb_digest digest; /* zero: digest only is impossible; always set */
	uint64_t size;            /* bytes of content, a tree's files summed */
};

struct mlb_result {
	struct mlb_digest key;
	struct mlb_output *output; /* in the action text's order */
	uint32_t n_outputs;
	struct mlb_digest log;     /* captured output, zero if there was none */
	bool verdict_no;           /* a check that said no */
	int64_t started;           /* wall clock, ns */
	uint64_t duration;         /* ns, of the command alone */
	uint64_t max_rss;          /* bytes */
	const char *platform;      /* "" if unknown */
	const char *pin;           /* commit id in hex, "" without git */
	const char *params;        /* "k=v" lines given by -p, "" normally */
	const char *run;           /* run id */
};

/* Text of a record (canonical) and back. Strings of a parsed one live in the arena. */
void mlb_result_format(struct mlb_buf *out, const struct mlb_result *r);
int mlb_result_parse(struct mlb_result *out, struct mlb_arena *arena, const char *text, size_t len,
		     struct mlb_err *err);

/*
 * The records of a cache. All calls may come from several threads; index, forget
 * and reindex from the one that owns the database's transactions.
 */
struct mlb_results;
struct mlb_io;

int mlb_results_open(struct mlb_results **out, const char *cache_dir, struct mlb_db *db, struct mlb_err *err);
/* The same, writing by way of a table of the caller's (os/io.h). */
int mlb_results_open_io(struct mlb_results **out, const char *cache_dir, struct mlb_db *db,
			const struct mlb_io *io, struct mlb_err *err);
void mlb_results_close(struct mlb_results *r);

/* The latest record of a key; MLB_ENOTFOUND. Includes what was added and not yet committed. */
int mlb_results_find(struct mlb_results *r, struct mlb_result *out, struct mlb_arena *arena,
		     const struct mlb_digest *key, struct mlb_err *err);
/*
 * Every record that can be read, also those that later ones of their keys
 * replaced, in no order; what fn gets is borrowed. Not 0 stops and is returned.
 */
int mlb_results_each(struct mlb_results *r,
		     int (*fn)(void *ctx, const struct mlb_result *rec, struct mlb_err *err), void *ctx,
		     struct mlb_err *err);
int mlb_results_add(struct mlb_results *r, const struct mlb_result *rec, struct mlb_err *err);
/*
 * Make records durable: all that were added so far, or (after mlb_results_mark)
 * those that were added before the mark.  A record must not be durable before
 * the objects that it names.  So where records are added while a worker syncs:
 * mark on the thread that adds, then mlb_cas_sync and this on the worker.
 */
int mlb_results_sync(struct mlb_results *r, struct mlb_err *err);
void mlb_results_mark(struct mlb_results *r);

/*
 * The objects, then the records: mlb_cas_sync, then mlb_results_sync.  Where the
 * objects fail, no record of the batch becomes durable either: all that are not
 * yet are dropped.
 */
int mlb_store_sync(struct mlb_cas *cas, struct mlb_results *r, struct mlb_err *err);
int mlb_results_index(struct mlb_results *r, struct mlb_err *err); /* rows; inside the caller's transaction */
int mlb_results_reindex(struct mlb_results *r, struct mlb_err *err); /* from the segments, in a transaction of its own */

/* Drop a key's results (their bytes are lost or disowned). Best inside a transaction. */
int mlb_results_forget(struct mlb_results *r, const struct mlb_digest *key, struct mlb_err *err);

#endif
