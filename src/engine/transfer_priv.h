/* What the files transfer*.c, push*.c and fetch*.c share. Not for others. */
#ifndef ENGINE_TRANSFER_PRIV_H
#define ENGINE_TRANSFER_PRIV_H

#include "engine/crew.h"
#include "engine/transfer.h"
#include "store/cas_stored.h"
#include "store/remote_meta.h"
#include "store/remote_view.h"

struct mlb_transfer {
	struct mlb_session *session;
	struct mlb_cas *cas;
	struct mlb_results *results;
	unsigned threads;
	struct mlb_remote_meta meta;  /* id "": nobody has made it */
	struct mlb_remote_view *view; /* NULL as long as the id is not known */
	bool refreshed;
	bool missed;                /* this refresh: something that was listed was gone */
	pthread_mutex_t refreshing; /* one at a time */
	mlb_transfer_trusts *trusts;
	void *trusts_ctx;
};

/* An operation with its name and bytes; ended is set under the crew's lock. */
struct mlb_transfer_op {
	struct mlb_remote_op op;
	struct mlb_crew *crew;
	char *name;
	struct mlb_buf data;   /* of a GET what came, of a PUT what goes */
	bool ended;            /* without `then` */
	struct mlb_step *then; /* a step for the crew once it has ended; NULL: none */
	void *ctx;
};

/* most: of the bytes that may come. */
void mlb_transfer_get(struct mlb_transfer_op *o, struct mlb_crew *crew, const char *name,
		      uint64_t offset, uint64_t len, size_t most);
/* Takes data over; sha256 (may be NULL) is borrowed. */
void mlb_transfer_put(struct mlb_transfer_op *o, struct mlb_crew *crew, const char *name,
		      struct mlb_buf *data, const struct mlb_digest *sha256);
void mlb_transfer_op_release(struct mlb_transfer_op *o);
/* Submit it and wait; its error gets the remote's name. */
int mlb_transfer_run(struct mlb_transfer *t, struct mlb_transfer_op *o, enum mlb_session_priority p,
		     struct mlb_err *err);
void mlb_transfer_submit(struct mlb_transfer *t, struct mlb_transfer_op *o,
			 enum mlb_session_priority p);
/* The error of one that failed, moved to err with what the remote is called. */
int mlb_transfer_error(struct mlb_transfer *t, struct mlb_transfer_op *o, struct mlb_err *err);

/* A listing: what is there, by name. */
struct mlb_transfer_entry {
	char *name;
	uint64_t size;
	int64_t mtime;
};
struct mlb_transfer_list {
	struct mlb_transfer_op o;
	MLB_VEC(struct mlb_transfer_entry) entry;
};
void mlb_transfer_list_init(struct mlb_transfer_list *l, struct mlb_crew *crew, const char *dir);
void mlb_transfer_list_release(struct mlb_transfer_list *l);

int mlb_transfer_open_view(struct mlb_transfer *t,
			   struct mlb_err *err); /* of the id that is known */
char *
mlb_transfer_pack_name(const struct mlb_digest *pack); /* "packs/….pack"; owned by the caller */

#endif
