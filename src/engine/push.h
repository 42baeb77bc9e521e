/* What the files push*.c share. Not for others. */
#ifndef ENGINE_PUSH_H
#define ENGINE_PUSH_H

#include "engine/transfer_priv.h"
#include "store/remote_chunks.h"
#include "store/remote_lease.h"
#include "store/remote_pack.h"

#define MLB_PUSH_PACK (32 * MLB_MIB) /* bytes at which a pack is sent: it may have as many again */
#define MLB_PUSH_PACK_OBJECTS 20000 /* and objects: so that small ones are read on all processors */
#define MLB_PUSH_INDEX_PACKS 64     /* packs after which an index tells of them */
#define MLB_PUSH_WINDOW (32 * MLB_MIB) /* bytes of a large file that are cut into chunks at once */

struct mlb_push_item {
	struct mlb_digest digest;
	uint64_t size; /* of the content, as far as somebody said so */
};
MLB_VEC_NAMED(mlb_push_items, struct mlb_push_item);
MLB_VEC_NAMED(mlb_push_digests, struct mlb_digest);

struct mlb_pushing {
	struct mlb_transfer *t;
	const struct mlb_push *push;
	struct mlb_push_report *report;
	struct mlb_crew *crew;

	/* Gathered; the owner's. */
	struct mlb_digest_set node, object, key; /* seen */
	struct mlb_push_items nodes, files, large;
	struct mlb_push_digests keys; /* whose records are to be sent */
	uint64_t planned;             /* bytes of what is to be sent */

	/* Sending; under the crew's lock. */
	unsigned in_flight, most;      /* packs that are made or sent, and how many may be */
	struct mlb_digest_set claimed; /* chunks that some pack has, or will have */
	struct mlb_push_digests missing;
	struct mlb_remote_index_writer index; /* what arrived and no index tells of */
	struct mlb_push_window *emptied; /* windows whose few new chunks wait to be put together */
	uint64_t done_objects;
	int rc; /* of the first failure */
	struct mlb_err err;

	struct mlb_remote_packing rest; /* the owner's: lists, and chunks of such windows */
	bool has_rest;
	/* push_lease.c */
	char *lease;                          /* name of ours; NULL: none yet */
	int64_t lease_start, renewed, looked; /* s by the server's clock; ns by ours */
	uint64_t guard;                       /* s */
	struct mlb_digest_set condemned;      /* packs: what is in them counts as absent */
	uint64_t sent_before;                 /* bytes, by the session when this began */
};

/* push_gather.c: all that belongs to the roots; what the remote lacks of it is in nodes, files, large. */
int mlb_push_gather(struct mlb_pushing *p, struct mlb_err *err);
void mlb_push_missing(struct mlb_pushing *p, const struct mlb_digest *digest); /* from any thread */

/* push_lease.c: takes or renews the lease, then reads what is condemned; before a refresh. */
int mlb_push_look(struct mlb_pushing *p, struct mlb_err *err);
int mlb_push_renew(struct mlb_pushing *p, struct mlb_err *err); /* if it is time */
bool
mlb_push_took_long(const struct mlb_pushing *p); /* since it looked: then it has to look again */
void mlb_push_leave(struct mlb_pushing *p);
bool mlb_push_is_there(const struct mlb_pushing *p, const struct mlb_digest *digest);

/* push_pack.c */
int mlb_push_small(struct mlb_pushing *p, struct mlb_err *err);
/* Finish a pack and send it; it counts as in flight already. From any thread; takes packing. */
void mlb_push_send(struct mlb_pushing *p, struct mlb_remote_packing *packing);
int mlb_push_send_rest(struct mlb_pushing *p, struct mlb_err *err); /* by the owner */
/* Wait until another pack may be begun, and count it; tells progress and writes indexes meanwhile. */
int mlb_push_begin(struct mlb_pushing *p, struct mlb_err *err);
int mlb_push_wait(struct mlb_pushing *p, struct mlb_err *err); /* until nothing is in flight */
void mlb_push_drain(struct mlb_pushing *p);                    /* the same, whatever failed */
void mlb_push_failed(struct mlb_pushing *p, int rc,
		     struct mlb_err *err); /* from any thread; takes err */
void mlb_push_end(struct mlb_pushing *p);  /* one is no more in flight */

/* push_large.c */
int mlb_push_large(struct mlb_pushing *p, struct mlb_err *err);

/* push_tell.c: what arrived becomes known there. */
int mlb_push_index(struct mlb_pushing *p, struct mlb_err *err);
int mlb_push_records(struct mlb_pushing *p, struct mlb_err *err);
int mlb_push_needs(struct mlb_pushing *p, struct mlb_err *err);

/* push.c: is it there by now, and (a tree) all that is below? */
bool mlb_push_has_all(struct mlb_pushing *p, const struct mlb_digest *digest, bool is_tree);

#endif
