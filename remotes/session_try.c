/* One operation of a session: its tries, what they bring, and whether there is another. */
#include <string.h>

#include "remotes/fault.h"
#include "remotes/session_int.h"

#define GOOD_WAY MLB_MIB /* a GET that got so much further has all its tries again */
#define ANSWER_PATIENCE 4
#define NS_PER_MS 1000000

/* ---------------------------------------------------------- asked rightly? */

/* The first name of an operation that is none; NULL: they are all right. */
static const char *
wrong_name(const struct mlb_remote_op *op)
{
	if (op->verb != MLB_REMOTE_DELETE) {
		bool root = op->verb == MLB_REMOTE_LIST && !*op->name;

		return root || mlb_remote_name_valid(op->name) ? NULL : op->name;
	}
	for (size_t i = 0; i < op->n_names; i++)
		if (!mlb_remote_name_valid(op->names[i]))
			return op->names[i];
	return NULL;
}

bool
session_job_check(struct session_job *j)
{
	const struct mlb_remote_op *op = j->op;
	const char *name = wrong_name(op);

	if (name)
		j->inner.rc = mlb_err_set(&j->inner.err, MLB_EINVALID,
					  "'%s' is no name of something in a remote", name);
	else if (op->verb == MLB_REMOTE_DELETE && op->n_names > MLB_REMOTE_BATCH)
		j->inner.rc = mlb_err_set(&j->inner.err, MLB_EINVALID,
					  "%zu names are too many to delete at once", op->n_names);
	else if (op->verb == MLB_REMOTE_GET && !op->len)
		j->inner.rc = mlb_err_set(&j->inner.err, MLB_EINVALID,
					  "'%s': no byte of it is asked for", op->name);
	if (j->inner.rc)
		j->inner.fault = MLB_FAULT_OTHER;
	return !j->inner.rc;
}

/* ---------------------------------------------------------- what comes */

static void
count(struct session_job *j, uint64_t sent, uint64_t received)
{
	struct mlb_session *s = j->session;

	session_tune_moved(&s->tune, sent + received);
	pthread_mutex_lock(&s->mutex);
	s->stats.sent += sent;
	s->stats.received += received;
	pthread_mutex_unlock(&s->mutex);
}

static int
take_bytes(struct mlb_remote_op *inner, const void *data, size_t len, struct mlb_err *err)
{
	struct session_job *j = (struct session_job *)inner;
	int rc;

	count(j, 0, len);
	if (j->op->len != MLB_REMOTE_TO_END && len > j->op->len - j->given) {
		j->refused = true;
		return mlb_err_set(err, MLB_EREMOTE,
				   "remote '%s' sends more of '%s' than it was asked for",
				   j->session->name, j->op->name);
	}
	rc = j->op->sink(j->op, data, len, err);
	if (rc) {
		j->refused = true;
		return rc;
	}
	j->given += len;
	j->op->moved = j->given;
	return 0;
}

static int
take_entry(struct mlb_remote_op *inner, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	struct session_job *j = (struct session_job *)inner;
	int rc;

	j->entries++;
	if (!mlb_remote_name_valid(e->name) || strchr(e->name, '/'))
		return 0; /* a stranger's: nobody here has made it, and nobody can ask for it */
	rc = j->op->entry(j->op, e, err);
	j->refused = rc != 0;
	return rc;
}

static int
compare_bytes(struct mlb_remote_op *inner, const void *data, size_t len, struct mlb_err *err)
{
	struct session_job *j = (struct session_job *)inner;

	count(j, 0, len);
	if (len > j->op->size - j->given ||
	    memcmp((const char *)j->op->data + j->given, data, len) != 0) {
		j->differs = true;
		return mlb_err_set(err, MLB_EEXISTS, "remote '%s' has another '%s' already",
				   j->session->name, j->op->name);
	}
	j->given += len;
	return 0;
}

static void
on_done(struct mlb_remote_op *inner)
{
	struct session_job *j = (struct session_job *)inner;
	struct mlb_session *s = j->session;
	unsigned i = 0;

	while (s->going[i] != j)
		i++;
	s->going[i] = s->going[--s->n_going];
	session_push(&s->ended, j);
}

/* ---------------------------------------------------------- a try */

/* What the backend sees: all that was asked, from where the last try came to. */
static void
fill_inner(struct session_job *j)
{
	const struct mlb_remote_op *op = j->op;

	j->inner = (struct mlb_remote_op){
		.verb = j->compares ? MLB_REMOTE_GET : op->verb,
		.name = op->name,
		.len = MLB_REMOTE_TO_END,
		.data = op->data,
		.size = op->size,
		.sha256 = op->sha256,
		.if_absent = op->if_absent,
		.names = op->names,
		.n_names = op->n_names,
		.sink = j->compares ? compare_bytes : take_bytes,
		.entry = take_entry,
		.done = on_done,
	};
	if (j->inner.verb != MLB_REMOTE_GET)
		return;
	j->inner.offset = (j->compares ? 0 : op->offset) + j->given;
	if (!j->compares && op->len != MLB_REMOTE_TO_END)
		j->inner.len = op->len - j->given;
}

void
session_job_begin(struct session_job *j, uint64_t now)
{
	struct mlb_session *s = j->session;

	fill_inner(j);
	j->cut = false;
	j->from = j->given;
	j->began = now;
	j->since = now;
	j->told = 0;
	j->progress = j->given + j->entries;
	pthread_mutex_lock(&s->mutex);
	s->stats.requests++;
	s->stats.retries += j->tries > 0;
	pthread_mutex_unlock(&s->mutex);
	j->tries++;
	j->counted++;
	s->going[s->n_going++] = j;
	s->backend->start(s->remote, &j->inner);
}

/* Bytes of a PUT that have gone since we looked last. */
static void
tell_sent(struct session_job *j)
{
	if (j->inner.verb != MLB_REMOTE_PUT || j->inner.moved <= j->told)
		return;
	count(j, j->inner.moved - j->told, 0);
	j->told = j->inner.moved;
}

uint64_t
session_job_patience(const struct session_job *j)
{
	bool sent = j->inner.verb == MLB_REMOTE_PUT && j->inner.moved >= j->inner.size;

	return j->since +
	       (uint64_t)j->session->stall * NS_PER_MS * (uint64_t)(sent ? ANSWER_PATIENCE : 1);
}

void
session_job_watch(struct session_job *j, uint64_t now)
{
	struct mlb_session *s = j->session;
	uint64_t progress = j->given + j->entries + j->inner.moved;

	tell_sent(j);
	if (progress != j->progress) {
		j->progress = progress;
		j->since = now;
	} else if (now >= session_job_patience(j)) {
		j->cut = true;
		s->backend->cancel(s->remote, &j->inner);
	}
}

/* ---------------------------------------------------------- and what came of it */

static void
fail_again(struct session_job *j, enum mlb_remote_fault fault, const char *what)
{
	mlb_err_release(&j->inner.err);
	j->inner.rc = MLB_OK;
	mlb_remote_fail(&j->inner, fault, "remote '%s': '%s': %s", j->session->name,
			j->op->name ? j->op->name : "", what);
}

static void
succeed(struct session_job *j)
{
	mlb_err_release(&j->inner.err);
	j->inner.rc = MLB_OK;
	j->inner.fault = MLB_FAULT_NONE;
}

/* Of a GET: the bytes that there are to come, if that is known. */
static bool
expected(uint64_t *out, const struct session_job *j)
{
	uint64_t total = j->inner.total ? j->inner.total : j->total;
	uint64_t offset = j->compares ? 0 : j->op->offset;
	uint64_t len = j->compares ? MLB_REMOTE_TO_END : j->op->len;

	if (!total) {
		*out = len;
		return false;
	}
	*out = MLB_MIN(len, total - MLB_MIN(offset, total));
	return true;
}

/* Bytes of two versions of a name are not one object. */
static bool
has_changed(const struct session_job *j)
{
	return j->from && ((j->total && j->inner.total && j->total != j->inner.total) ||
			   (j->mtime && j->inner.mtime && j->mtime != j->inner.mtime));
}

static void
judge_get(struct session_job *j)
{
	bool again = j->inner.fault == MLB_FAULT_TRANSIENT || j->inner.fault == MLB_FAULT_BUSY;
	uint64_t want;
	bool known = expected(&want, j);

	if (j->refused || j->differs)
		return;
	if (has_changed(j)) {
		fail_again(j, MLB_FAULT_OTHER, "it was replaced while it was read: try again");
	} else if (again && j->given && j->given == want) {
		succeed(j); /* cut after the last byte */
	} else if (!j->inner.rc && known && j->given < want) {
		fail_again(j, MLB_FAULT_TRANSIENT, "it ended early");
	} else {
		j->total = j->inner.total ? j->inner.total : j->total;
		j->mtime = j->inner.mtime ? j->inner.mtime : j->mtime;
	}
	if (j->given - j->from >= GOOD_WAY)
		j->counted = 0;
}

/* An answer that was lost may have been that our bytes are there: these are compared. */
static void
judge_doubt(struct session_job *j)
{
	if (j->session->stopping) {
		fail_again(j, MLB_FAULT_CANCELLED, "cancelled");
	} else if (!j->compares) {
		j->compares = true;
		j->given = 0;
		j->counted = 0;
		fail_again(j, MLB_FAULT_TRANSIENT, "is it what was sent?");
	} else if (!j->inner.rc && j->given == j->op->size) {
		succeed(j);
		j->inner.moved = j->op->size;
	} else if (!j->inner.rc || j->differs) {
		fail_again(j, MLB_FAULT_EXISTS, "there is another one already");
	} else if (j->inner.fault == MLB_FAULT_ABSENT) {
		j->compares = false; /* it has been deleted meanwhile */
		fail_again(j, MLB_FAULT_TRANSIENT, "it comes and goes");
	}
}

static bool
may_try_again(const struct session_job *j)
{
	return (j->inner.fault == MLB_FAULT_TRANSIENT || j->inner.fault == MLB_FAULT_BUSY) &&
	       j->counted < SESSION_TRIES && !j->refused && !j->session->stopping;
}

static uint64_t
next_random(struct mlb_session *s)
{
	/* xorshift64 (Marsaglia, "Xorshift RNGs", 2003) */
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

static void
plan_again(struct session_job *j, uint64_t now)
{
	struct mlb_session *s = j->session;
	uint32_t ms =
		session_backoff(s->first_wait, j->counted, j->inner.retry_after, next_random(s));

	j->due = now + (uint64_t)ms * NS_PER_MS;
	if (j->inner.fault == MLB_FAULT_BUSY && j->inner.retry_after)
		s->quiet = MLB_MAX(s->quiet, j->due);
	mlb_err_release(&j->inner.err);
}

bool
session_job_judge(struct session_job *j, uint64_t now)
{
	struct mlb_session *s = j->session;
	bool doubt = j->op->verb == MLB_REMOTE_PUT && j->op->if_absent && j->doubtful;

	tell_sent(j);
	if (j->cut && j->inner.fault == MLB_FAULT_CANCELLED) {
		fail_again(j, MLB_FAULT_TRANSIENT, "nothing moved any more");
		pthread_mutex_lock(&s->mutex);
		s->stats.stalls++;
		pthread_mutex_unlock(&s->mutex);
	}
	if (j->inner.fault == MLB_FAULT_BUSY)
		session_tune_busy(&s->tune, j->began, now);
	if (j->inner.verb == MLB_REMOTE_GET)
		judge_get(j);
	if (doubt && (j->compares || j->inner.fault == MLB_FAULT_EXISTS))
		judge_doubt(j);
	if (!may_try_again(j)) {
		if (j->inner.rc && j->tries > 1)
			mlb_err_wrap(&j->inner.err, "after %u tries", j->tries);
		return true;
	}
	j->doubtful = true;
	plan_again(j, now);
	return false;
}
