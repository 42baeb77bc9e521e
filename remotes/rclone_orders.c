/*
 * The orders that rclone is given for an operation (rclone.org/rc, "Supported commands";
 * GET by what --rc-serve offers).
 *
 * 1. Not all that rclone reaches shows a file only when it is whole: bytes go to .tmp/
 *    first (operations/uploadfile, which compares sizes and hashes itself), and are then
 *    moved to their name (operations/movefile, told not to take files of one size and
 *    time for the same).
 * 2. Put if absent looks whether the name is there before the bytes are sent, and again
 *    before they are moved.
 * 3. What others have left in .tmp/ is deleted when it is a day old, once an open remote.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"
#include "fault.h"
#include "rclone_answer.h"
#include "rclone_int.h"
#include "url.h"

#define ANSWER_MAX ((size_t)32 * MLB_MIB) /* a listing of some 150,000 names */
#define DEATH_MAX 200                     /* ms from its last connection to its end */
#define BODY_MAX SIZE_MAX                 /* what is sent is in memory already */

void
rclone_part_init(struct rclone_part *p)
{
	mlb_http_request_init(&p->q);
	mlb_buf_init(&p->body, BODY_MAX);
}

void
rclone_part_release(struct rclone_part *p)
{
	mlb_http_request_release(&p->q);
	mlb_buf_release(&p->body);
}

void
rclone_end(struct rclone_job *j)
{
	struct mlb_remote_op *op = j->op;

	for (size_t i = 0; i < j->n_part; i++)
		rclone_part_release(&j->part[i]);
	j->rclone->ended++;
	free(j);
	op->backend = NULL;
	op->done(op);
}

static void
leave(struct rclone_job *j)
{
	if (--j->going == 0)
		rclone_end(j);
}

/* ---------------------------------------------------------- one order */

static void
send_part(struct rclone *r, struct rclone_part *p)
{
	mlb_http_header(&p->q, "Authorization: %s", mlb_buf_str(&r->rcd.login));
	p->q.flags = MLB_HTTP_DIRECT;
	p->q.body = p->body.len ? p->body.data : NULL;
	p->q.size = p->body.len;
	mlb_http_start(r->http, &p->q);
}

/* Begins {"fs": …, "remote": …; the caller adds to it and calls end_order. */
static void
begin_order(struct mlb_json *json, struct rclone_part *p, const char *fs, const char *remote)
{
	mlb_buf_clear(&p->body);
	mlb_json_init(json, &p->body);
	mlb_json_object(json);
	mlb_json_key(json, "fs");
	mlb_json_str(json, fs);
	if (remote) {
		mlb_json_key(json, "remote");
		mlb_json_str(json, remote);
	}
}

/* "name": {"key": true} */
static void
add_flags(struct mlb_json *json, const char *name, const char *const *key)
{
	mlb_json_key(json, name);
	mlb_json_object(json);
	for (; *key; key++) {
		mlb_json_key(json, *key);
		mlb_json_bool(json, true);
	}
	mlb_json_end_object(json);
}

static void
end_order(struct rclone *r, struct mlb_json *json, struct rclone_part *p, const char *command)
{
	mlb_json_end_object(json);
	p->q.method = "POST";
	p->q.answer_max = ANSWER_MAX;
	mlb_buf_addf(&p->q.url, "%soperations/%s", mlb_buf_str(&r->rcd.url), command);
	mlb_http_header(&p->q, "Content-Type: application/json");
	send_part(r, p);
}

/* The job's next order: as new, with who is told. */
static struct rclone_part *
next_part(struct rclone_job *j, struct rclone_part *p, void (*done)(struct mlb_http_request *q))
{
	mlb_http_request_clear(&p->q);
	p->q.done = done;
	p->q.ctx = j;
	j->going++;
	return p;
}

/* ---------------------------------------------------------- how it fails */

static const char *
verb_text(enum mlb_remote_verb v)
{
	static const char *const text[] = { [MLB_REMOTE_GET] = "read",
					    [MLB_REMOTE_PUT] = "write",
					    [MLB_REMOTE_STAT] = "examine",
					    [MLB_REMOTE_LIST] = "list",
					    [MLB_REMOTE_DELETE] = "delete" };

	return text[v];
}

static const char *
advice(const char *words)
{
	if (strstr(words, "didn't find section in config"))
		return "; see `rclone listremotes`, or make it by `rclone config`";
	if (strstr(words, "couldn't find method"))
		return "; this rclone is too old: 1.57 or newer is needed";
	return "";
}

/* There was no answer: most likely it was killed. */
static void
fail_unheard(struct rclone_job *j, const struct mlb_http_request *q)
{
	struct mlb_rcd *rcd = &j->rclone->rcd;
	struct mlb_err err = MLB_ERR_INIT;
	bool ended = rcd->running && mlb_rcd_look(rcd, DEATH_MAX, &err) != 0;

	mlb_remote_fail(j->op, MLB_FAULT_TRANSIENT, "cannot %s '%s' of remote '%s': %s",
			verb_text(j->op->verb), j->op->name ? j->op->name : "names",
			j->rclone->name, ended ? err.text : q->err.text);
	mlb_err_release(&err);
}

/* Does what came of an order end the operation? */
static bool
failed(struct rclone_job *j, struct mlb_http_request *q, const char *name)
{
	struct mlb_buf words = MLB_BUF_INIT(4096);
	enum mlb_remote_fault fault;

	if (!q->rc || j->op->rc)
		return j->op->rc != 0;
	if (q->status < 300) {
		if (q->status)
			mlb_http_outcome(q, j->op); /* cut, or ended by who reads */
		else
			fail_unheard(j, q);
		return true;
	}
	if (mlb_rclone_words(&words, mlb_buf_str(&q->answer), q->answer.len))
		fault = mlb_rclone_fault(mlb_buf_str(&words));
	else
		fault = mlb_http_fault(q->status);
	if (fault == MLB_FAULT_ABSENT && j->op->verb == MLB_REMOTE_PUT)
		fault = MLB_FAULT_TRANSIENT; /* what was sent to .tmp/ */
	mlb_remote_fail(j->op, fault, "cannot %s '%s' of remote '%s': rclone says: %s%s",
			verb_text(j->op->verb), name, j->rclone->name,
			words.len ? mlb_buf_str(&words) : q->err.text, advice(mlb_buf_str(&words)));
	mlb_buf_release(&words);
	return true;
}

/* ---------------------------------------------------------- reading */

static void
ask_item(struct rclone_job *j, void (*done)(struct mlb_http_request *q))
{
	static const char *const opt[] = { "filesOnly", "noMimeType", NULL };
	static const char *const config[] = { "UseServerModTime", NULL };
	struct rclone_part *p = next_part(j, &j->part[0], done);
	struct mlb_json json;

	begin_order(&json, p, j->rclone->fs, j->op->name);
	add_flags(&json, "opt", opt);
	add_flags(&json, "_config", config);
	end_order(j->rclone, &json, p, "stat");
}

/* A range was not there: is it because the file ends before it? */
static void
looked_for_end(struct mlb_http_request *q)
{
	struct rclone_job *j = q->ctx;
	struct mlb_remote_op *op = j->op;
	uint64_t size;
	int64_t mtime;
	bool there = false;

	if (!q->rc &&
	    !mlb_rclone_item(&there, &size, &mtime, mlb_buf_str(&q->answer), q->answer.len, NULL) &&
	    there && size <= op->offset) {
		mlb_err_release(&op->err);
		op->rc = 0;
		op->fault = MLB_FAULT_NONE;
		op->total = size;
	}
	leave(j);
}

static void
got(struct mlb_http_request *q)
{
	struct rclone_job *j = q->ctx;
	struct mlb_remote_op *op = j->op;

	/* Nothing is there from there on; of files that are not plain rclone says that badly. */
	if (q->status == 416)
		;
	else if (failed(j, q, op->name) && q->status == 404 && op->offset)
		ask_item(j, looked_for_end);
	leave(j);
}

static void
begin_get(struct rclone_job *j)
{
	struct rclone *r = j->rclone;
	struct rclone_part *p = next_part(j, &j->part[0], got);

	mlb_http_get(&p->q, j->op);
	mlb_buf_addf(&p->q.url, "%s%%5B", mlb_buf_str(&r->rcd.url));
	mlb_url_encode(&p->q.url, r->fs, "/:");
	mlb_buf_addf(&p->q.url, "%%5D/%s", j->op->name);
	send_part(r, p);
}

/* Is the file there? False too where that failed. */
static bool
take_item(struct rclone_job *j, struct mlb_http_request *q, uint64_t *size, int64_t *mtime)
{
	struct mlb_remote_op *op = j->op;
	bool there = false;

	if (failed(j, q, op->name))
		return false;
	if (mlb_rclone_item(&there, size, mtime, mlb_buf_str(&q->answer), q->answer.len, &op->err)) {
		op->rc = op->err.code;
		op->fault = MLB_FAULT_OTHER;
	}
	return there;
}

static void
examined(struct mlb_http_request *q)
{
	struct rclone_job *j = q->ctx;
	bool there = take_item(j, q, &j->op->total, &j->op->mtime);

	if (!there)
		mlb_remote_fail(j->op, MLB_FAULT_ABSENT, "remote '%s' has no '%s'", j->rclone->name,
				j->op->name);
	leave(j);
}

static void
listed(struct mlb_http_request *q)
{
	struct rclone_job *j = q->ctx;
	struct mlb_remote_op *op = j->op;
	bool none = q->status == 404 && strstr(mlb_buf_str(&q->answer), "directory not found");

	if (!none && !failed(j, q, op->name) &&
	    mlb_rclone_list(op, mlb_buf_str(&q->answer), q->answer.len, &op->err)) {
		op->rc = op->err.code;
		op->fault = MLB_FAULT_OTHER;
	}
	leave(j);
}

static void
begin_list(struct rclone_job *j)
{
	static const char *const opt[] = { "filesOnly", "noMimeType", NULL };
	static const char *const config[] = { "UseServerModTime", NULL };
	struct rclone_part *p = next_part(j, &j->part[0], listed);
	struct mlb_json json;

	begin_order(&json, p, j->rclone->fs, j->op->name);
	add_flags(&json, "opt", opt);
	add_flags(&json, "_config", config);
	end_order(j->rclone, &json, p, "list");
}

/* ---------------------------------------------------------- deleting */

static void delete_next(struct rclone_job *j, struct rclone_part *p);

/* It, or the directory it would be in. */
static bool
is_absent(const struct mlb_http_request *q)
{
	struct mlb_buf words = MLB_BUF_INIT(4096);
	bool absent = mlb_rclone_words(&words, mlb_buf_str(&q->answer), q->answer.len) &&
		      (mlb_rclone_fault(mlb_buf_str(&words)) == MLB_FAULT_ABSENT ||
		       strstr(mlb_buf_str(&words), "directory not found"));

	mlb_buf_release(&words);
	return absent;
}

static void
one_deleted(struct mlb_http_request *q)
{
	struct rclone_job *j = q->ctx;
	struct rclone_part *p = (struct rclone_part *)q;

	if (q->status < 300 || !is_absent(q))
		failed(j, q, p->name);
	delete_next(j, p);
	leave(j);
}

static void
delete_next(struct rclone_job *j, struct rclone_part *p)
{
	struct mlb_json json;

	if (j->op->rc || j->next == j->op->n_names)
		return;
	next_part(j, p, one_deleted);
	p->name = j->op->names[j->next++];
	begin_order(&json, p, j->rclone->fs, p->name);
	end_order(j->rclone, &json, p, "deletefile");
}

/* ---------------------------------------------------------- writing */

static void put_step(struct rclone_job *j);

static void
swept(struct mlb_http_request *q)
{
	(void)q; /* that there is nothing to delete is a failure, too */
}

static void
sweep(struct rclone *r)
{
	struct rclone_part *p = &r->sweep;
	size_t n = strlen(r->fs);
	char *fs = mlb_asprintf("%s%s" RCLONE_TMP, r->fs, strchr(":/", r->fs[n - 1]) ? "" : "/");
	struct mlb_json json;

	r->swept = true;
	mlb_http_request_clear(&p->q);
	p->q.done = swept;
	begin_order(&json, p, fs, NULL);
	mlb_json_key(&json, "_filter");
	mlb_json_object(&json);
	mlb_json_key(&json, "MinAge");
	mlb_json_str(&json, "24h");
	mlb_json_end_object(&json);
	end_order(r, &json, p, "delete");
	free(fs);
}

/* Failures are cleaned up after, unless rclone itself is gone. */
static void
put_ended(struct mlb_http_request *q)
{
	struct rclone_job *j = q->ctx;
	struct mlb_remote_op *op = j->op;
	uint64_t size;
	int64_t mtime;

	if (j->step == RCLONE_LOOK || j->step == RCLONE_LOOK_AGAIN) {
		if (take_item(j, q, &size, &mtime))
			mlb_remote_fail(op, MLB_FAULT_EXISTS, "remote '%s' has '%s' already",
					j->rclone->name, op->name);
	} else if (j->step != RCLONE_CLEAN) {
		failed(j, q, op->name);
	}
	if (j->step == RCLONE_MOVE && !op->rc) {
		op->moved = op->size;
		if (!j->rclone->swept)
			sweep(j->rclone);
	} else if (op->rc && (!*j->temp || j->step == RCLONE_CLEAN || !q->status)) {
		op->moved = MLB_MIN(op->moved, (uint64_t)op->size);
	} else {
		j->step = op->rc ? RCLONE_CLEAN : j->step + 1;
		if (j->step == RCLONE_LOOK_AGAIN && !op->if_absent)
			j->step = RCLONE_MOVE;
		put_step(j);
	}
	leave(j);
}

/* multipart/form-data (RFC 7578) with one file in it. */
static void
send_bytes(struct rclone_job *j, struct rclone_part *p)
{
	struct rclone *r = j->rclone;
	char edge[33];
	uint8_t random[16];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		memset(random, 0, sizeof(random));
	mlb_hex_encode(edge, random, sizeof(random));
	mlb_buf_clear(&p->body);
	mlb_buf_reserve(&p->body, j->op->size + 512);
	mlb_buf_addf(&p->body,
		     "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\n"
		     "Content-Type: application/octet-stream\r\n\r\n",
		     edge, j->temp);
	mlb_buf_add(&p->body, j->op->data, j->op->size);
	mlb_buf_addf(&p->body, "\r\n--%s--\r\n", edge);
	p->q.method = "POST";
	p->q.op = j->op;
	mlb_buf_addf(&p->q.url,
		     "%soperations/uploadfile?remote=" RCLONE_TMP "&fs=", mlb_buf_str(&r->rcd.url));
	mlb_url_encode(&p->q.url, r->fs, "");
	mlb_http_header(&p->q, "Content-Type: multipart/form-data; boundary=%s", edge);
	send_part(r, p);
}

static void
move_bytes(struct rclone_job *j, struct rclone_part *p)
{
	static const char *const config[] = { "IgnoreTimes", NULL };
	struct rclone *r = j->rclone;
	const char *const pair[][2] = { { "srcFs", r->fs },
					{ "dstFs", r->fs },
					{ "dstRemote", j->op->name } };
	char temp[sizeof(RCLONE_TMP "/") + sizeof(j->temp)];
	struct mlb_json json;

	snprintf(temp, sizeof(temp), RCLONE_TMP "/%s", j->temp);
	mlb_buf_release(&p->body); /* the bytes */
	mlb_json_init(&json, &p->body);
	mlb_json_object(&json);
	for (size_t i = 0; i < MLB_ARRAY_LEN(pair); i++) {
		mlb_json_key(&json, pair[i][0]);
		mlb_json_str(&json, pair[i][1]);
	}
	mlb_json_key(&json, "srcRemote");
	mlb_json_str(&json, temp);
	add_flags(&json, "_config", config);
	end_order(r, &json, p, "movefile");
}

static void
clean(struct rclone_job *j, struct rclone_part *p)
{
	char temp[sizeof(RCLONE_TMP "/") + sizeof(j->temp)];
	struct mlb_json json;

	snprintf(temp, sizeof(temp), RCLONE_TMP "/%s", j->temp);
	mlb_buf_release(&p->body);
	begin_order(&json, p, j->rclone->fs, temp);
	end_order(j->rclone, &json, p, "deletefile");
}

static void
put_step(struct rclone_job *j)
{
	struct rclone_part *p = &j->part[0];
	uint8_t random[16];

	if (j->step == RCLONE_LOOK || j->step == RCLONE_LOOK_AGAIN) {
		ask_item(j, put_ended);
		return;
	}
	next_part(j, p, put_ended);
	if (j->step == RCLONE_MOVE) {
		move_bytes(j, p);
	} else if (j->step == RCLONE_CLEAN) {
		clean(j, p);
	} else {
		if (getrandom(random, sizeof(random), 0) == (ssize_t)sizeof(random))
			mlb_hex_encode(j->temp, random, sizeof(random));
		send_bytes(j, p);
	}
}

void
rclone_begin(struct rclone_job *j)
{
	switch (j->op->verb) {
	case MLB_REMOTE_GET:
		begin_get(j);
		break;
	case MLB_REMOTE_STAT:
		ask_item(j, examined);
		break;
	case MLB_REMOTE_LIST:
		begin_list(j);
		break;
	case MLB_REMOTE_DELETE:
		j->going++;
		for (size_t i = 0; i < j->n_part; i++)
			delete_next(j, &j->part[i]);
		leave(j);
		break;
	case MLB_REMOTE_PUT:
		j->step = j->op->if_absent ? RCLONE_LOOK : RCLONE_SEND;
		put_step(j);
		break;
	}
}
