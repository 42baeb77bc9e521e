/*
 * A PUT by WebDAV: bytes to DAV_TMP/TOKEN, a question for the size, MOVE to the name.
 * Directories that are missing are made, once, when the server says so (409; some say
 * 404 or 403).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/machine.h"
#include "remotes/webdav_int.h"

#define HOST_MAX 32

enum step {
	MAKE_TMP,  /* the directory of temporary names */
	SEND,      /* the bytes */
	CHECK,     /* are they all there? */
	NAME,      /* their name */
	MAKE_PART, /* a directory of the name */
	DROP       /* the temporary name, for nothing came of it */
};

static void take(struct dav_job *j, enum step step);

static void
finish(struct dav_job *j)
{
	dav_outcome(j);
	dav_end(j);
}

/* It failed. What was sent is removed, unless the server is not to be reached. */
static void
give_up(struct dav_job *j)
{
	if ((j->step == CHECK || j->step == NAME || j->step == MAKE_PART) && j->q.status &&
	    !j->cancelled) {
		dav_outcome(j);
		take(j, DROP);
	} else {
		finish(j);
	}
}

static bool
no_parent(const struct mlb_http_request *q)
{
	return q->status == 409 || q->status == 404;
}

static void
made(struct dav_job *j)
{
	struct mlb_http_request *q = &j->q;

	if (no_parent(q)) {
		mlb_http_fail(
			q, MLB_FAULT_PLACE,
			"there is no directory '%s' on the server, or it is no WebDAV: look at "
			"url, or make the directory",
			j->dav->url);
		give_up(j);
	} else if (q->rc && q->status != 405 && q->status / 100 != 3) {
		give_up(j);
	} else if (j->step == MAKE_TMP) {
		if (q->rc)
			dav_sweep(j->dav);
		j->dav->has_tmp = true;
		take(j, SEND);
	} else {
		take(j, strchr(j->op->name + j->part, '/') ? MAKE_PART : NAME);
	}
}

static void
sent(struct dav_job *j)
{
	if (!j->q.rc) {
		take(j, CHECK);
	} else if (no_parent(&j->q) && !j->again) {
		j->again = true;
		take(j, MAKE_TMP);
	} else {
		if (no_parent(&j->q))
			mlb_http_fail(&j->q, MLB_FAULT_PLACE,
				      "the server takes no files in '%s/" DAV_TMP
				      "': is the url right?",
				      j->dav->url);
		give_up(j);
	}
}

static void
checked(struct dav_job *j)
{
	struct mlb_http_request *q = &j->q;
	uint64_t size = 0;

	if (q->status == 404 || (!q->rc && (!mlb_http_size(q, &size) || size != j->op->size)))
		mlb_http_fail(q, MLB_FAULT_TRANSIENT,
			      "of '%s' the server has %" PRIu64 " of %zu bytes", j->op->name, size,
			      j->op->size);
	if (q->rc) {
		give_up(j);
		return;
	}
	j->op->mtime = mlb_http_time(q, "Last-Modified");
	j->again = false;
	take(j, NAME);
}

static void
named(struct dav_job *j)
{
	struct mlb_http_request *q = &j->q;

	/* 403: so says the library that rclone is made of */
	if ((no_parent(q) || q->status == 403) && !j->again && strchr(j->op->name, '/')) {
		j->again = true;
		take(j, MAKE_PART);
		return;
	}
	if (no_parent(q)) /* what was sent is not there any more, or a directory is gone again */
		mlb_http_fail(q, MLB_FAULT_TRANSIENT, "what was sent cannot be named '%s': %s",
			      j->op->name, q->err.text);
	else if (q->status == 412 && j->op->if_absent)
		mlb_http_fail(q, MLB_FAULT_EXISTS, "'%s' is there already", j->op->name);
	if (q->rc)
		give_up(j);
	else
		finish(j);
}

static void
step_ended(struct mlb_http_request *q)
{
	struct dav_job *j = q->ctx;

	if (j->cancelled) {
		finish(j);
		return;
	}
	switch ((enum step)j->step) {
	case MAKE_TMP:
	case MAKE_PART:
		made(j);
		break;
	case SEND:
		sent(j);
		break;
	case CHECK:
		checked(j);
		break;
	case NAME:
		named(j);
		break;
	case DROP:
		dav_end(j); /* what came of it was said before */
		break;
	}
}

/* The next directory of the name. */
static void
ask_part(struct dav_job *j)
{
	const char *name = j->op->name;
	char *dir;

	j->part += strcspn(name + j->part, "/");
	dir = mlb_strndup(name, j->part++);
	dav_ask(j, "MKCOL", dir, "/", step_ended);
	free(dir);
}

static void
take(struct dav_job *j, enum step step)
{
	struct mlb_remote_op *op = j->op;

	j->step = (int)step;
	switch (step) {
	case MAKE_TMP:
		dav_ask(j, "MKCOL", DAV_TMP, "/", step_ended);
		break;
	case SEND:
		dav_ask(j, "PUT", j->temp, "", step_ended);
		j->q.body = op->data;
		j->q.size = op->size;
		j->q.op = op;
		mlb_http_header(&j->q, "Content-Type: application/octet-stream");
		break;
	case CHECK:
		dav_ask(j, "HEAD", j->temp, "", step_ended);
		break;
	case NAME:
		dav_ask(j, "MOVE", j->temp, "", step_ended);
		mlb_http_header(&j->q, "Destination: %s/%s", j->dav->url, op->name);
		mlb_http_header(&j->q, "Overwrite: %s", op->if_absent ? "F" : "T");
		break;
	case MAKE_PART:
		ask_part(j);
		break;
	case DROP:
		dav_ask(j, "DELETE", j->temp, "", step_ended);
		break;
	}
	mlb_http_start(j->dav->http, &j->q);
}

/* HOST-PID-RANDOM: tells a person who left it. */
static char *
temp_name(void)
{
	char host[HOST_MAX + 1] = "", hex[17];
	uint64_t r = 0;

	if (gethostname(host, HOST_MAX) != 0)
		host[0] = '\0';
	for (char *c = host; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", *c))
			*c = '_';
	mlb_machine_random(&r, sizeof(r), NULL);
	mlb_hex_encode(hex, &r, sizeof(r));
	return mlb_asprintf(DAV_TMP "/%s-%ld-%s", host, (long)getpid(), hex);
}

void
dav_put(struct dav_job *j)
{
	j->temp = temp_name();
	take(j, j->dav->has_tmp ? SEND : MAKE_TMP);
}
