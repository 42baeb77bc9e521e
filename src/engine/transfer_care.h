/*
 * What a remote takes, whether it is right, and what of it may go.
 *
 * Each needs a refresh before; none may go on beside another call of the same transfer.
 */
#ifndef ENGINE_TRANSFER_CARE_H
#define ENGINE_TRANSFER_CARE_H

#include "base/vec.h"
#include "engine/transfer.h"

/* ---------------------------------------------------------- what it takes */

/* A clone that pushed, by its file of roots. */
struct mlb_remote_clone {
	char *name; /* of the file */
	char *host; /* NULL: it cannot be read */
	char *dir;
	int64_t when;   /* of its last push, s since 1970 by the server's clock */
	uint64_t needs; /* roots */
};

struct mlb_remote_du {
	uint64_t packs, packs_bytes;
	uint64_t objects, objects_bytes; /* in them, and of their content */
	uint64_t unlisted;               /* packs that no index tells of */
	uint64_t indexes, indexes_bytes;
	uint64_t segments, segments_bytes, records;
	uint64_t pushes;          /* that go on */
	uint64_t condemned_bytes; /* in packs that a collection set apart */
	MLB_VEC(struct mlb_remote_clone) clone;
};

/* Three listings, and a get for each clone. */
int mlb_transfer_du(struct mlb_transfer *t, struct mlb_remote_du *out, struct mlb_err *err);
void mlb_remote_du_release(struct mlb_remote_du *du);

/* ---------------------------------------------------------- whether it is right */

struct mlb_remote_verify {
	unsigned percent; /* of the packs, chosen at random; 0 and 100: all */
	/* MAY; what is wrong: an object, or (whole) a pack that is not there or not of its name. */
	void (*on_bad)(void *ctx, const struct mlb_digest *digest, const struct mlb_digest *pack,
		       bool whole);
	mlb_transfer_tick *tick; /* MAY */
	void *ctx;
};

struct mlb_remote_verify_report {
	uint64_t packs, objects, bytes; /* that were read */
	uint64_t bad_packs, bad_objects;
};

/* 0 also where something is wrong: the next push that has it sends it again. */
int mlb_transfer_verify(struct mlb_transfer *t, const struct mlb_remote_verify *opt,
			struct mlb_remote_verify_report *report, struct mlb_err *err);

/* ---------------------------------------------------------- what may go */

struct mlb_remote_gc {
	unsigned keep_days; /* results that came later stay, whether or not a clone needs them */
	uint64_t guard;     /* s, by the server's clock; 0: 24 hours. Tests have less */
	bool dry_run;
	mlb_transfer_tick *tick; /* MAY */
	void *ctx;
};

struct mlb_remote_gc_report {
	uint64_t packs, bytes;               /* that were there */
	uint64_t condemned, condemned_bytes; /* now: a later gc removes them */
	uint64_t waiting, waiting_bytes;     /* condemned before, not long enough ago */
	uint64_t removed, removed_bytes;     /* packs */
	uint64_t rescued;                    /* condemned before, and needed after all */
	uint64_t young;                      /* packs that nothing needs, and that are too young */
	uint64_t dead_bytes; /* that nothing needs, in packs of which something is */
	uint64_t records_kept, records_removed;
	uint64_t merged; /* index objects and segments that became fewer */
	uint64_t pushes; /* that go on */
	int64_t next;    /* s since 1970: from then on another gc removes more; 0: nothing waits */
};

/*
 * Collect, as described at the top of transfer_gc.c. MLB_EREMOTE and others; MLB_ECORRUPT:
 * something that says what is needed cannot be read, and nothing was removed.
 */
int mlb_transfer_gc(struct mlb_transfer *t, const struct mlb_remote_gc *gc,
		    struct mlb_remote_gc_report *report, struct mlb_err *err);

#endif
