/* What the files transfer_gc*.c share. Not for others. */
#ifndef ENGINE_TRANSFER_GC_H
#define ENGINE_TRANSFER_GC_H

#include "base/strmap.h"
#include "engine/transfer_care.h"
#include "engine/transfer_priv.h"
#include "store/remote_lease.h"

struct mlb_rgc_pack {
	struct mlb_digest name;
	uint64_t size;
	int64_t mtime;
	uint64_t live; /* bytes of blobs that are needed */
	uint32_t list; /* that condemned it, plus one; 0: none */
	bool is_old;   /* that list is older than the guard */
	bool goes;     /* now */
};
MLB_VEC_NAMED(mlb_rgc_packs, struct mlb_rgc_pack);

/* A list of condemned packs. */
struct mlb_rgc_list {
	char *name; /* with its directory */
	int64_t mtime;
	struct mlb_remote_packs pack;
	bool damaged;
};
MLB_VEC_NAMED(mlb_rgc_lists, struct mlb_rgc_list);

MLB_VEC_NAMED(mlb_rgc_digests, struct mlb_digest);

/* A record that stays. */
struct mlb_rgc_record {
	struct mlb_segment_record r; /* its text is in the arena */
};

struct mlb_rgc {
	struct mlb_transfer *t;
	const struct mlb_remote_gc *opt;
	struct mlb_remote_gc_report *report;
	struct mlb_crew *crew;
	uint64_t guard;
	int64_t now;                    /* s, by the server's clock */
	int64_t first_push;             /* start of the first push that goes on; INT64_MAX: none */
	struct mlb_transfer_list packs; /* as they were when it began */
	struct mlb_strvec dead_leases;
	struct mlb_rgc_lists list;
	struct mlb_rgc_packs pack;
	struct mlb_strmap by_name;       /* of pack: index plus one */
	struct mlb_digest_set condemned; /* packs */
	/* What is needed. */
	struct mlb_digest_set key, object, node, table;
	struct mlb_rgc_digests nodes, tables, lists; /* to be looked into */
	MLB_VEC(struct mlb_rgc_record) record;
	struct mlb_arena arena;
};

/* transfer_gc_need.c: what clones and young results need, and which packs have it. */
int mlb_rgc_mark(struct mlb_rgc *g, struct mlb_err *err);

/* transfer_gc_sweep.c: removes, condemns, merges. */
int mlb_rgc_sweep(struct mlb_rgc *g, struct mlb_err *err);

int mlb_rgc_tick(struct mlb_rgc *g, struct mlb_err *err);
/* Get one file; MLB_ENOTFOUND: it is not there any more. */
int mlb_rgc_get(struct mlb_rgc *g, struct mlb_buf *out, const char *name, size_t most,
		struct mlb_err *err);

#endif
