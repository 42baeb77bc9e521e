/*
 * Remotes in a bucket: s3://BUCKET/PREFIX of Amazon and of whoever speaks its protocol,
 * gs://BUCKET/PREFIX of Google by its XML API.
 *
 * 1. An object becomes visible when its PUT has ended, whole; nothing is written to
 *    another name first.
 * 2. A PUT if absent is one with If-None-Match: * (Google: x-goog-if-generation-match: 0).
 *    A server that answers that it has not implemented this is asked whether the object is
 *    there before each PUT; then two that write one name in the same moment may both
 *    succeed, which hint says. One that ignores the condition in silence cannot be told
 *    from one that has it.
 * 3. The payload's hash is part of each signature, so the server verifies what it gets.
 * 4. Redirects are not followed, since a signature is for one host; a region that the
 *    server tells is taken, once it is a region's name, and remembered.
 * 5. An operation waits for credentials where they have to be fetched; of a key that has
 *    expired it tries once to get another.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "remotes/backends.h"
#include "remotes/fault.h"
#include "remotes/s3_int.h"

enum { MOST = 64, MAX_BODY = 8 << 20, MAX_TEXT = 8192 };

static void
end(struct s3_op *o)
{
	struct mlb_remote_op *op = o->op;

	mlb_http_request_release(&o->q);
	mlb_buf_release(&o->body);
	free(o->id);
	free(o->dir);
	free(o->token);
	free(o);
	op->backend = NULL;
	op->done(op);
}

/* ------------------------------------------------------------- beginning */

static void
add_over(struct s3_op *o)
{
	o->next = o->s->over;
	o->s->over = o;
}

/* Ask, wait for a key, or be over. Calls no done. */
static void
begin(struct s3_op *o)
{
	struct mlb_remote_op *op = o->op;
	const struct mlb_aws_credentials *key;
	enum mlb_remote_fault fault;
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_aws_chain_get(o->s->keys, &key, &fault, &err)) {
		mlb_remote_fail(op, fault, "%s", err.text);
		mlb_err_release(&err);
		add_over(o);
		return;
	}
	if (!key) {
		o->next = o->s->waiting;
		o->s->waiting = o;
		return;
	}
	if (op->verb == MLB_REMOTE_PUT && op->if_absent && o->s->no_condition && !o->looked)
		o->step = S3_LOOK;
	s3_request(o, key);
	mlb_http_start(o->s->http, &o->q);
}

static void
again(struct s3_op *o)
{
	o->again++;
	begin(o);
}

static void
start(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct s3 *s = (struct s3 *)r;
	struct s3_op *o = mlb_calloc(1, sizeof(*o));

	mlb_remote_begin(op);
	op->backend = o;
	o->s = s;
	o->op = op;
	o->body = (struct mlb_buf)MLB_BUF_INIT(MAX_BODY);
	mlb_http_request_init(&o->q);
	if (op->verb == MLB_REMOTE_LIST)
		o->dir = mlb_asprintf("%s%s%s", s->place.prefix, op->name, *op->name ? "/" : "");
	if (op->verb == MLB_REMOTE_DELETE && op->n_names == 0)
		add_over(o);
	else
		begin(o);
}

/* The keys have ended looking. */
static void
ready(void *ctx)
{
	struct s3 *s = ctx;
	struct s3_op *o = s->waiting, *next;

	s->waiting = NULL;
	for (; o; o = next) {
		next = o->next;
		begin(o);
	}
}

/* --------------------------------------------------------------- success */

/* The next page, or the end. True: it goes on. */
static bool
list_page(struct s3_op *o)
{
	struct s3_listing l = { .op = o->op, .dir = o->dir };
	struct mlb_err err = MLB_ERR_INIT;
	int rc = s3_listing_read(&l, &o->q.answer, &err);
	bool more = rc == 0 && l.truncated;

	if (rc) {
		mlb_remote_fail_caller(o->op, rc);
		o->op->err = err;
	} else if (more) {
		free(o->token);
		o->token = l.next;
		l.next = NULL;
	}
	s3_listing_release(&l);
	if (more)
		begin(o);
	return more;
}

static void
judge_deleted(struct s3_op *o)
{
	struct s3_deleted d;
	struct mlb_err err = MLB_ERR_INIT;
	enum mlb_remote_fault fault = MLB_FAULT_OTHER;

	if (s3_deleted_read(&d, &o->q.answer, &err)) {
		mlb_remote_fail(o->op, fault, "%s", err.text);
	} else if (d.failed) {
		s3_code_fault(&fault, s3_plain(d.code));
		mlb_remote_fail(o->op, fault, "'%s' of bucket '%s' cannot be deleted: %s %s",
				s3_plain(d.key), o->s->place.bucket, s3_plain(d.code),
				s3_plain(d.message));
	}
	mlb_err_release(&err);
	s3_deleted_release(&d);
}

/* What a 2xx answer brings. True: the operation goes on. */
static bool
succeeded(struct s3_op *o)
{
	struct mlb_remote_op *op = o->op;

	if (o->step == S3_LOOK) {
		mlb_remote_fail(op, MLB_FAULT_EXISTS, "remote '%s' has '%s' already",
				o->s->config->name, op->name);
		return false;
	}
	switch (op->verb) {
	case MLB_REMOTE_GET:
		break;
	case MLB_REMOTE_PUT:
		op->moved = op->size;
		break;
	case MLB_REMOTE_STAT:
		if (o->step == S3_EXPLAIN || !mlb_http_size(&o->q, &op->total))
			mlb_remote_fail(op, MLB_FAULT_TRANSIENT,
					"the server does not tell the size of '%s'", op->name);
		op->mtime = mlb_http_time(&o->q, "Last-Modified");
		break;
	case MLB_REMOTE_LIST:
		return list_page(o);
	case MLB_REMOTE_DELETE:
		if (!o->s->no_batch) {
			judge_deleted(o);
		} else if (++o->at < op->n_names) {
			begin(o);
			return true;
		}
		break;
	}
	return false;
}

/* --------------------------------------------------------------- failure */

/* A server that has no DeleteObjects. */
static bool
knows_no_batch(const struct s3_op *o)
{
	return o->op->verb == MLB_REMOTE_DELETE && !o->s->no_batch &&
	       (o->q.status == 405 || o->q.status == 501);
}

/* True: the operation goes on. */
static bool
failed(struct s3_op *o)
{
	struct s3 *s = o->s;

	if (o->step == S3_LOOK) {
		/* Not there; if it is something else, the PUT says so in words. */
		o->looked = true;
		o->step = S3_ASK;
		again(o);
		return true;
	}
	if (o->step == S3_ASK && o->q.status < 500 && strcmp(o->q.method, "HEAD") == 0) {
		o->step = S3_EXPLAIN;
		again(o);
		return true;
	}
	if (knows_no_batch(o)) {
		s->no_batch = true;
		again(o);
		return true;
	}
	if (o->op->verb == MLB_REMOTE_DELETE && s->no_batch && o->q.fault == MLB_FAULT_ABSENT) {
		struct s3_error e;
		bool gone;

		s3_error_read(&e, &o->q.answer);
		gone = !e.code || strcmp(e.code, "NoSuchBucket") != 0;
		s3_error_release(&e);
		if (gone)
			return succeeded(o);
	}
	switch (s3_judge(o)) {
	case S3_FINAL:
		mlb_http_outcome(&o->q, o->op);
		return false;
	case S3_NO_CONDITION:
		s->no_condition = true;
		break;
	case S3_AGAIN:
		break;
	}
	o->step = S3_ASK;
	again(o);
	return true;
}

void
s3_ended(struct mlb_http_request *q)
{
	struct s3_op *o = q->ctx;
	bool answered = q->status >= 300 && q->fault != MLB_FAULT_CANCELLED;

	if (q->rc == 0 ? succeeded(o) : answered && failed(o))
		return;
	if (q->rc && !answered)
		mlb_http_outcome(q, o->op);
	end(o);
}

/* ------------------------------------------------------------ the members */

static void
end_over(struct s3 *s)
{
	struct s3_op *o = s->over, *next;

	s->over = NULL;
	for (; o; o = next) {
		next = o->next;
		end(o);
	}
}

static int
wait_for(struct mlb_remote *r, int timeout, struct mlb_err *err)
{
	struct s3 *s = (struct s3 *)r;
	int rc;

	if (s->over) {
		end_over(s);
		timeout = 0;
	}
	rc = mlb_http_wait(s->http, timeout, err);
	end_over(s);
	return rc;
}

static void
wake(struct mlb_remote *r)
{
	mlb_http_wake(((struct s3 *)r)->http);
}

static bool
take_out(struct s3_op **list, struct s3_op *o)
{
	for (; *list; list = &(*list)->next) {
		if (*list == o) {
			*list = o->next;
			return true;
		}
	}
	return false;
}

static void
cancel(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct s3 *s = (struct s3 *)r;
	struct s3_op *o = op->backend;

	if (!o)
		return;
	if (take_out(&s->waiting, o) || take_out(&s->over, o)) {
		mlb_remote_fail(op, MLB_FAULT_CANCELLED, "interrupted");
		end(o);
	} else {
		mlb_http_cancel(s->http, &o->q);
	}
}

static void
close_remote(struct mlb_remote *r)
{
	struct s3 *s = (struct s3 *)r;

	if (!s)
		return;
	mlb_aws_chain_free(s->keys);
	mlb_http_free(s->http);
	s3_place_release(&s->place);
	free(s->hint);
	free(s);
}

static int
open_remote(struct mlb_remote **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct s3 *s = mlb_calloc(1, sizeof(*s));
	int rc = s3_place_read(&s->place, c, err);

	s->base.backend = &mlb_remote_s3;
	s->config = c;
	if (rc == 0)
		rc = mlb_http_new(&s->http, c, MOST, err);
	if (rc) {
		close_remote(&s->base);
		return rc;
	}
	s->no_batch = s->place.google;
	s->keys = mlb_aws_chain_new(c, s->http, s->place.google ? MLB_CLOUD_GOOGLE : MLB_CLOUD_AWS,
				    ready, s);
	*out = &s->base;
	return 0;
}

static const char *
hint(struct mlb_remote *r, enum mlb_remote_fault fault)
{
	struct s3 *s = (struct s3 *)r;
	const char *origin = mlb_aws_chain_origin(s->keys);

	free(s->hint);
	s->hint = NULL;
	if (fault == MLB_FAULT_NONE && s->no_condition)
		s->hint = mlb_strdup("this server has no conditional PUT: of two that write one "
				     "name in the same moment, both may believe to be the first");
	else if ((fault == MLB_FAULT_DENIED || fault == MLB_FAULT_PLACE) && *origin)
		s->hint = mlb_asprintf("server '%s', region '%s', credentials from %s",
				       s->place.host, s->place.region, origin);
	else if (fault == MLB_FAULT_PLACE || fault == MLB_FAULT_TRUST)
		s->hint = mlb_asprintf("server '%s', region '%s'", s->place.host, s->place.region);
	return s->hint;
}

static const char *const schemes[] = { "s3", "gs", NULL };
static const char *const keys[] = { "ca",      "cert",   "endpoint", "key",
				    "profile", "region", "style",    NULL };

const struct mlb_remote_backend mlb_remote_s3 = {
	.abi = MLB_REMOTE_ABI,
	.name = "s3",
	.summary = "a bucket of S3 or of what speaks its protocol, s3://BUCKET/PREFIX; of Google, "
		   "gs://BUCKET/PREFIX",
	.schemes = schemes,
	.keys = keys,
	.most = MOST,
	.open = open_remote,
	.start = start,
	.wait = wait_for,
	.wake = wake,
	.cancel = cancel,
	.close = close_remote,
	.hint = hint,
};
