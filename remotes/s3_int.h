/* Shared by s3*.c. */
#ifndef REMOTES_S3_INT_H
#define REMOTES_S3_INT_H

#include "remotes/aws_chain.h"
#include "remotes/http.h"
#include "remotes/sigv4.h"

/* ------------------------------------------------- where (s3_place.c) */

/* What the URL and the keys of [remote] say; strings are owned. */
struct s3_place {
	bool google;  /* gs: its dialect, and conditions by generation */
	bool own;     /* an endpoint was named: it stays, whatever the region */
	bool virtual; /* the bucket is part of the host */
	char *scheme; /* "https" */
	char *host;   /* with port, without the bucket */
	char *base;   /* of the endpoint's path: "" or "/x" */
	char *bucket;
	char *prefix; /* of all names: "" or "a/b/" */
	char *region;
};

int s3_place_read(struct s3_place *out, const struct mlb_remote_config *c, struct mlb_err *err);
void s3_place_release(struct s3_place *p);
/* Another region, as a server has told it; false: that is none, or it has no other host. */
bool s3_place_move(struct s3_place *p, const char *region);
void s3_place_host(struct mlb_buf *out, const struct s3_place *p);
/* The path, not encoded, of a key below the prefix; NULL: of the bucket. */
void s3_place_path(struct mlb_buf *out, const struct s3_place *p, const char *name);

/* ---------------------------------------------------- answers (s3_answer.c) */

/* What an error's body says; owned. NULL: it does not. */
struct s3_error {
	char *code, *message, *region, *endpoint, *their_time, *our_time;
};

/* What a stranger says, if it can be shown: printable and short; else "?". Borrowed. */
const char *s3_plain(const char *text);

void s3_error_read(struct s3_error *out, const struct mlb_buf *body);
void s3_error_release(struct s3_error *e);

/* The fault that a code of an error means; false: it is not known. */
bool s3_code_fault(enum mlb_remote_fault *out, const char *code);

/* A page of ListObjectsV2: gives entries below dir ("a/packs/") to op->entry. */
struct s3_listing {
	struct mlb_remote_op *op;
	const char *dir;
	char *key, *time; /* of an object that goes on; owned */
	uint64_t size;
	bool truncated;
	char *next; /* continuation token; owned */
};

int s3_listing_read(struct s3_listing *l, const struct mlb_buf *body, struct mlb_err *err);
void s3_listing_release(struct s3_listing *l);

/* The first key that could not be deleted, and why; owned, NULL: all are gone. */
struct s3_deleted {
	char *key, *code, *message; /* of an error that goes on, or of the first one */
	bool failed;
};

int s3_deleted_read(struct s3_deleted *d, const struct mlb_buf *body, struct mlb_err *err);
void s3_deleted_release(struct s3_deleted *d);

/* ------------------------------------------------------- the remote (s3.c) */

struct s3 {
	struct mlb_remote base;
	const struct mlb_remote_config *config;
	struct s3_place place;
	unsigned moves; /* of the region: how often */
	struct mlb_http *http;
	struct mlb_aws_chain *keys;
	struct s3_op *waiting; /* for a key */
	struct s3_op *over;    /* to be ended by the next wait */
	bool no_condition;     /* the server knows no If-None-Match */
	bool no_batch;         /* it cannot delete several at once */
	char *hint;            /* what was told last */
};

enum s3_step {
	S3_ASK,     /* the verb itself */
	S3_EXPLAIN, /* why a HEAD failed: the same as a GET of one byte, whose answer has words */
	S3_LOOK     /* a HEAD before a PUT, where there is no conditional one */
};

struct s3_op {
	struct s3 *s;
	struct mlb_remote_op *op;
	struct s3_op *next; /* of waiting or over */
	enum s3_step step;
	unsigned moves; /* s->moves when it was signed */
	unsigned again; /* how often it was begun again: by region, key, condition */
	bool looked;    /* S3_LOOK is behind it */
	bool renewed;   /* a key that had expired was replaced */
	struct mlb_http_request q;
	char *id;            /* of the key that signed; owned */
	char *dir;           /* LIST: key of the directory; owned */
	char *token;         /* LIST: of the next page; owned */
	size_t at;           /* DELETE one by one: of names */
	struct mlb_buf body; /* DELETE */
};

/* ----------------------------------------------- a request (s3_request.c) */

/* Fill in and sign o->q for the step that is due; its done is s3_ended. */
void s3_request(struct s3_op *o, const struct mlb_aws_credentials *key);
void s3_ended(struct mlb_http_request *q);

/* ------------------------------------------------- failures (s3_fault.c) */

enum s3_verdict {
	S3_FINAL,       /* o->q has what came of it */
	S3_AGAIN,       /* begin it again, with what is known now */
	S3_NO_CONDITION /* the server has no conditional PUT */
};

/* Of an answer that is not 2xx: puts what it means into o->q, or says what to do. */
enum s3_verdict s3_judge(struct s3_op *o);
/* "s3://bucket/prefix/name", or of the bucket. */
void s3_shown(struct mlb_buf *out, const struct s3 *s, const char *name);

#endif
