/*
 * `each` targets: one node of the graph, one action per file, known once the
 * directory or glob that feeds it is known.
 *
 * 1. Keys stay per file: one file more runs one command more, whatever the batch.
 * 2. Elsewhere the node is one directory, the collection of all its files, made of
 *    the actions' results; files of inputs that are gone leave it.
 * 3. Where the node's signature and its collection are what the memo says, nothing
 *    is asked of the files one by one: `each` of the node stays NULL.
 */
#ifndef ENGINE_EACH_H
#define ENGINE_EACH_H

#include "engine/builder.h"

struct mlb_each_item {
	const char *file;         /* project path of the input */
	uint32_t in_path;         /* its index, or that of the tree it is in */
	uint8_t kind;             /* of the input: enum mlb_okind */
	struct mlb_digest digest; /* of the input */
	struct mlb_digest key;
	const char *const *path; /* project paths of its outputs, as many as the node has outputs */
	struct mlb_now *out;     /* kind 0 while unknown */
	bool has_key;            /* and paths; with what `out` was when they were remembered */
	bool known;
};

struct mlb_each {
	struct mlb_each_item *item; /* sorted by file; in the plan's arena */
	uint32_t n;
	uint32_t stale;     /* items without a result */
	uint32_t in_flight; /* works made and not yet ended */
	uint32_t made;      /* items whose commands ran */
	uint64_t spent;     /* ns that these took */
	bool again;         /* an input changed: decide anew when nothing is in flight */
	bool recalled; /* the memo is of this command: what it does not know the lock of that time has not either */
	struct mlb_action shared; /* by the actions of all files, with digests; in the plan's arena */
	uint32_t *reads;          /* its inputs, into g->input; in the plan\'s arena */
};

void mlb_each_free(struct mlb_each *e);

/* each_list.c: the files with what their actions share, and the collection as one tree. */
int mlb_each_expand(struct mlb_plan *plan, uint32_t n, struct mlb_err *err);
int mlb_each_collect(struct mlb_plan *plan, uint32_t n, struct mlb_cas *cas,
		     struct mlb_err *err); /* fills plan->out */

/* each_memo.c: keys and results of the files, remembered in state.db. */
#define MLB_EACH_META "each " /* and the node's name */
int mlb_each_recall(struct mlb_plan *plan, uint32_t n,
		    struct mlb_err *err); /* of files that are the same */
int mlb_each_remember(struct mlb_plan *plan, uint32_t n,
		      struct mlb_err *err); /* inside a transaction */

/* each.c: deciding and what the lock says. */
/* The action of one file with all digests; from the arena. */
void mlb_each_item_action(const struct mlb_plan *plan, uint32_t n, const struct mlb_each_item *it,
			  struct mlb_arena *arena, struct mlb_action *out);
int mlb_each_decide(struct mlb_plan *plan, uint32_t n, struct mlb_err *err);
/* What is at the path of output k of one file; kind 0: nothing that is known. */
struct mlb_now mlb_each_on_disk(const struct mlb_plan *plan, uint32_t n,
				const struct mlb_each_item *it, uint32_t k);
bool mlb_each_only_places(const struct mlb_plan *plan, uint32_t n); /* every file has a result */
uint64_t
mlb_each_expected(const struct mlb_plan *plan,
		  uint32_t n); /* ns that the files without a result will take; 0: unknown */
const struct mlb_digest *mlb_each_key(const struct mlb_plan *plan, uint32_t n, uint32_t item);
void mlb_each_table(struct mlb_plan *plan, uint32_t n, struct mlb_table_row **row, size_t *n_rows);
/* The paths of a target's outputs (or of the files of a collection), one a line, relative to dir. */
int mlb_each_list(struct mlb_plan *plan, uint32_t n, const char *dir, struct mlb_buf *out,
		  struct mlb_err *err);

/* each_run.c: its commands. */
void mlb_each_ready(struct mlb_builder *b, uint32_t n);
int mlb_each_action(struct mlb_work *w, struct mlb_err *err); /* of the work's files */
bool mlb_each_is_unknown(struct mlb_builder *b,
			 const char *path);                 /* a file there that no cache has */
int mlb_each_made(struct mlb_work *w, struct mlb_err *err); /* its outputs are stored */
int mlb_each_record(struct mlb_work *w, struct mlb_result *r, struct mlb_err *err);
void mlb_each_next(struct mlb_builder *b, uint32_t n); /* a command of it ended well */
void mlb_each_again(struct mlb_builder *b,
		    uint32_t n); /* a work of it cannot start: its inputs moved */
void mlb_each_place(struct mlb_builder *b,
		    uint32_t n); /* the collection into the workspace, then done */

#endif
