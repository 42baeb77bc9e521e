/* What the files of the rclone backend share. Not for others. */
#ifndef REMOTES_RCLONE_INT_H
#define REMOTES_RCLONE_INT_H

#include <stdatomic.h>

#include "http.h"
#include "rclone_rcd.h"

#define RCLONE_TMP ".tmp" /* no name can be in it, as their parts do not begin with '.' */

/* A request, and the order in it. */
struct rclone_part {
	struct mlb_http_request q; /* first */
	struct mlb_buf body;
	const char *name; /* DELETE: what it is about */
};

struct rclone {
	struct mlb_remote base; /* first */
	struct mlb_http *http;
	struct mlb_rcd rcd;
	char *name;                      /* of the remote */
	char *fs;                        /* "NAME:path" */
	struct rclone_job *first, *last; /* that wait until rclone listens */
	size_t ended;                    /* operations so far */
	atomic_bool woken;
	bool swept;
	struct rclone_part sweep; /* deletes what was left in RCLONE_TMP */
};

/* What a PUT is at. */
enum rclone_step { RCLONE_LOOK, RCLONE_SEND, RCLONE_LOOK_AGAIN, RCLONE_MOVE, RCLONE_CLEAN };

/* An operation that goes on. */
struct rclone_job {
	struct rclone *rclone;
	struct mlb_remote_op *op;
	struct rclone_job *after; /* the next that waits */
	bool waits;
	enum rclone_step step;     /* PUT */
	char temp[33];             /* PUT: the name in RCLONE_TMP; "" until it is sent */
	size_t next;               /* DELETE: of op->names */
	size_t going;              /* requests, and cancel */
	size_t n_part;
	struct rclone_part part[]; /* DELETE has several */
};

/* Give the orders that a job needs; rclone listens. */
void rclone_begin(struct rclone_job *j);

void rclone_part_init(struct rclone_part *p);
void rclone_part_release(struct rclone_part *p);

/* Ends a job: nothing of it goes on. */
void rclone_end(struct rclone_job *j);

#endif
