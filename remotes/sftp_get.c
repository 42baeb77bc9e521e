/*
 * GET: OPEN; then at once FSTAT, for the size, and a READ, which is all where the name is
 * small. What is left is read in pieces as large as the server takes, many at once.
 */
#include <stdlib.h>
#include <string.h>

#include "remotes/sftp_int.h"

enum step { STEP_OPEN, STEP_SIZE, STEP_READ };

/* Of the first piece, before the size is known. */
#define FIRST_READ (32U * 1024)

static void
begin(struct mlb_sftp_job *j)
{
	const struct mlb_remote_op *op = j->op;

	j->at = j->given = op->offset;
	j->until = UINT64_MAX;
	if (op->len != MLB_REMOTE_TO_END && op->len < UINT64_MAX - op->offset)
		j->until = op->offset + op->len;
	mlb_sftp_ask_open(j, STEP_OPEN, j->path, MLB_SFTP_FOR_READ);
}

static void
ask_read(struct mlb_sftp_job *j, uint64_t offset, uint32_t len)
{
	const struct mlb_sftp_bytes handle = { j->handle, j->handle_len };

	mlb_sftp_add_read(&j->ssh->link.out, mlb_sftp_ask(j, STEP_READ, offset, len), handle,
			  offset, len);
}

/* The next piece that nobody asked for yet. */
static bool
ask_next(struct mlb_sftp_job *j, uint32_t most)
{
	uint64_t left = j->until - j->at;

	if (j->finished || left == 0)
		return false;
	ask_read(j, j->at, (uint32_t)MLB_MIN(left, most));
	j->at += MLB_MIN(left, most);
	return true;
}

static bool
more(struct mlb_sftp_job *j)
{
	/* Until the size is known one piece is enough: most names are smaller. */
	return j->open && (j->sized || !j->pending) && ask_next(j, j->ssh->read_max);
}

static void
check_end(struct mlb_sftp_job *j)
{
	if (!j->ended && j->looked && j->given == j->until)
		mlb_sftp_job_ok(j);
}

static void
opened(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	if (p->type == MLB_SFTP_IS_STATUS) {
		mlb_sftp_job_refused(j, "read", p);
		return;
	}
	if (!mlb_sftp_keep_handle(j, p))
		return;
	mlb_sftp_ask_handle(j, STEP_SIZE, MLB_SFTP_FSTAT);
	ask_next(j, MLB_MIN(FIRST_READ, j->ssh->read_max));
}

static void
sized(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_attrs a;

	if (p->type == MLB_SFTP_IS_STATUS) {
		mlb_sftp_job_refused(j, "look at", p);
		return;
	}
	if (!mlb_sftp_get_attrs(&a, p)) {
		mlb_sftp_job_odd(j, "attributes that are none");
		return;
	}
	if (!mlb_sftp_is_file(&a)) {
		mlb_sftp_job_fail(j, MLB_FAULT_ABSENT, "'%s' on '%s' is not a file", j->path,
				  j->ssh->who);
		return;
	}
	j->op->mtime = a.mtime;
	j->looked = true;
	if (a.has_size) { /* else EOF tells */
		j->op->total = a.size;
		j->until = MLB_MIN(j->until, MLB_MAX(a.size, j->op->offset));
		j->sized = true;
	}
	check_end(j);
}

/* false: the job has ended. */
static bool
give(struct mlb_sftp_job *j, const void *data, size_t len)
{
	struct mlb_remote_op *op = j->op;
	int rc = op->sink(op, data, len, &op->err);

	if (rc < 0) {
		mlb_sftp_job_stopped(j, rc);
		return false;
	}
	op->moved += len;
	j->given += len;
	return true;
}

/* Keep what came too early. */
static void
hold(struct mlb_sftp_job *j, uint64_t offset, struct mlb_sftp_bytes data)
{
	struct mlb_sftp_held **at = &j->held, *h = mlb_alloc(sizeof(*h) + data.len);

	while (*at && (*at)->offset < offset)
		at = &(*at)->next;
	h->offset = offset;
	h->len = data.len;
	memcpy(h->data, data.at, data.len);
	h->next = *at;
	*at = h;
	j->ssh->held += data.len;
}

static struct mlb_sftp_held *
take_held(struct mlb_sftp_job *j)
{
	struct mlb_sftp_held *h = j->held;

	j->held = h->next;
	j->ssh->held -= h->len;
	return h;
}

static void
give_held(struct mlb_sftp_job *j)
{
	bool ok = true;

	while (ok && j->held && j->held->offset == j->given) {
		struct mlb_sftp_held *h = take_held(j);

		ok = give(j, h->data, h->len);
		free(h);
	}
}

/* There is nothing at an offset: the end, where nobody said another one. */
static void
at_eof(struct mlb_sftp_job *j, uint64_t offset)
{
	if (j->sized && offset < j->until) {
		mlb_sftp_job_fail(j, MLB_FAULT_TRANSIENT,
				  "'%s' on '%s' became shorter while it was read", j->path,
				  j->ssh->who);
		return;
	}
	j->finished = true;
	j->until = MLB_MIN(j->until, MLB_MAX(offset, j->op->offset));
	check_end(j);
}

static void
got_data(struct mlb_sftp_job *j, const struct mlb_sftp_request *q, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_bytes data;

	if (!mlb_sftp_get_bytes(&data, p) || data.len == 0 || data.len > q->len) {
		mlb_sftp_job_odd(j, "other bytes than were asked for");
		return;
	}
	if (data.len < q->len && (!j->sized || q->offset + data.len < j->until))
		ask_read(j, q->offset + data.len, q->len - (uint32_t)data.len);
	if (q->offset != j->given)
		hold(j, q->offset, data);
	else if (give(j, data.at, data.len))
		give_held(j);
	check_end(j);
}

static void
answer(struct mlb_sftp_job *j, const struct mlb_sftp_request *q, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_status status;

	switch ((enum step)q->step) {
	case STEP_OPEN:
		opened(j, p);
		return;
	case STEP_SIZE:
		sized(j, p);
		return;
	case STEP_READ:
		if (p->type == MLB_SFTP_IS_DATA)
			got_data(j, q, p);
		else if (mlb_sftp_get_status(&status, p) && status.code == MLB_SFTP_EOF)
			at_eof(j, q->offset);
		else
			mlb_sftp_job_refused(j, "read", p);
		return;
	}
}

static void
end(struct mlb_sftp_job *j, bool up)
{
	(void)up; /* the handle is closed by whoever calls */
	while (j->held)
		free(take_held(j));
}

const struct mlb_sftp_verb mlb_sftp_get = {
	.begin = begin, .more = more, .answer = answer, .end = end
};
