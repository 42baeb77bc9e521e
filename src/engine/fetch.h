/* What the files fetch*.c share. Not for others. */
#ifndef ENGINE_FETCH_H
#define ENGINE_FETCH_H

#include "base/strmap.h"
#include "engine/transfer_priv.h"
#include "store/remote_chunks.h"

struct mlb_fetch_file;

/* A blob that is to be got. */
struct mlb_fetch_need {
	struct mlb_remote_place at;
	bool is_node;                /* of a tree: what is below is wanted too */
	struct mlb_fetch_file *file; /* it is a chunk of that; NULL */
	uint32_t chunk;              /* of the file: the first of those that are equal */
};
MLB_VEC_NAMED(mlb_fetch_needs, struct mlb_fetch_need);

struct mlb_fetch_todo {
	struct mlb_digest digest;
	bool is_node;
};
MLB_VEC_NAMED(mlb_fetch_todos, struct mlb_fetch_todo);

/* A large file that is put together from its chunks in parts/. */
struct mlb_fetch_file {
	struct mlb_step step;
	struct mlb_fetching *f;
	struct mlb_chunks list;
	struct mlb_remote_place at; /* of the list */
	uint64_t *offset;           /* per chunk */
	uint32_t *next;             /* per chunk: the next equal one plus one, 0: none */
	uint8_t *have;              /* per chunk, of equal ones the first: it is in its places */
	char *path;
	int fd; /* -1: not open */
	bool failed;
};
MLB_VEC_NAMED(mlb_fetch_files, struct mlb_fetch_file *);

/* A small pack that came as a whole: what else is wanted of it need not be asked for. */
struct mlb_fetch_pack {
	struct mlb_digest name;
	struct mlb_buf data;
};

struct mlb_fetching {
	struct mlb_transfer *t;
	const struct mlb_fetch *fetch;
	struct mlb_fetch_report *report;
	struct mlb_crew *crew;

	/* The owner's. */
	struct mlb_digest_set node, object; /* seen */
	struct mlb_strmap packs;            /* by name: struct mlb_fetch_pack * */
	size_t packs_bytes;
	uint64_t planned, planned_objects;

	/* Under the crew's lock. */
	struct mlb_fetch_todos next;  /* nodes and contents below what came */
	struct mlb_fetch_needs again; /* that were not right, to be got from elsewhere */
	struct mlb_fetch_files files; /* whose lists came */
	struct mlb_digest_set bad, absent, got;
	uint64_t bytes_in_flight;
	unsigned in_flight; /* groups, and steps */
	uint64_t unsynced;  /* bytes put since the last sync */
	int rc;             /* of the first failure */
	struct mlb_err err;
};

/* fetch_group.c: get these, sorted in place, and put them into the cache, or their file. */
int mlb_fetch_blobs(struct mlb_fetching *f, struct mlb_fetch_needs *needs, bool keep_packs,
		    struct mlb_err *err);
/* What was not right, and is elsewhere too. */
int mlb_fetch_again(struct mlb_fetching *f, struct mlb_err *err);
void mlb_fetch_failed(struct mlb_fetching *f, int rc,
		      struct mlb_err *err); /* from any thread; takes err */
void mlb_fetch_end(struct mlb_fetching *f); /* a step is through */
/* Wait until at most so much is in flight; tells progress meanwhile. */
int mlb_fetch_wait(struct mlb_fetching *f, unsigned most, uint64_t most_bytes, struct mlb_err *err);
void mlb_fetch_drain(struct mlb_fetching *f);
/* It is not right there, or not there at all. From any thread. */
void mlb_fetch_damaged(struct mlb_fetching *f, const struct mlb_fetch_need *n, bool whole);

/* fetch_large.c */
int mlb_fetch_large(struct mlb_fetching *f, struct mlb_err *err);
/* A list came; data is its blob's content. From any thread. */
bool mlb_fetch_take_list(struct mlb_fetching *f, const struct mlb_fetch_need *n,
			 const struct mlb_buf *data);
/* A chunk came, and is right. From any thread. */
int mlb_fetch_take_chunk(struct mlb_fetching *f, const struct mlb_fetch_need *n, const void *data,
			 size_t len, struct mlb_err *err);

#endif
