/* A range of a name's bytes, from any server; the header is the one of RFC 9110, section 14. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "remotes/http_priv.h"

/* What Content-Range says: "bytes 0-9/20", where the size of all may be an asterisk. */
struct range {
	uint64_t first, last;
	uint64_t total; /* 0: not told */
};

static bool
parse_range(const char *text, struct range *r)
{
	int end = 0;

	memset(r, 0, sizeof(*r));
	if (!text ||
	    sscanf(text, "bytes %19" SCNu64 "-%19" SCNu64 "/%n", &r->first, &r->last, &end) != 2 ||
	    !end || r->last < r->first)
		return false;
	if (strcmp(text + end, "*") != 0 && !mlb_parse_u64(text + end, &r->total))
		return false;
	return !r->total || r->last < r->total;
}

/* Nothing is there from an offset on, as Go's servers say it: "bytes 20-19/20". */
static bool
is_beyond(const char *range, uint64_t offset, uint64_t *total)
{
	const char *slash = range ? strchr(range, '/') : NULL;

	return slash && mlb_parse_u64(slash + 1, total) && *total <= offset;
}

/* The headers are here: what is to be skipped, and how much must come. */
static int
look(struct mlb_http_request *q, struct mlb_err *err)
{
	struct mlb_remote_op *op = q->op;
	struct range r;
	uint64_t size;

	q->looked = true;
	op->mtime = mlb_http_time(q, "Last-Modified");
	if (q->status == 206 &&
	    is_beyond(mlb_http_answered(q, "Content-Range"), op->offset, &op->total)) {
		q->want = 0;
		return 0;
	}
	if (q->status == 206) {
		if (!parse_range(mlb_http_answered(q, "Content-Range"), &r) ||
		    r.first != op->offset || r.last - r.first >= op->len)
			return mlb_err_set(
				err, MLB_EREMOTE,
				"the server answers with other bytes of '%s' than were asked for",
				op->name);
		op->total = r.total;
		q->want = r.last - r.first + 1;
		return 0;
	}
	if (mlb_http_size(q, &size)) {
		op->total = size;
		q->want = MLB_MIN(size - MLB_MIN(size, op->offset), op->len);
	}
	q->skip = op->offset;
	return 0;
}

static int
give(struct mlb_http_request *q, const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_remote_op *op = q->op;
	const char *bytes = data;
	size_t skip, n;
	int rc = q->looked ? 0 : look(q, err);

	if (rc)
		return rc;
	if (!q->want)
		return MLB_HTTP_ENOUGH;
	skip = (size_t)MLB_MIN(q->skip, len);
	q->skip -= skip;
	n = (size_t)MLB_MIN(len - skip, op->len - op->moved);
	if (n) {
		rc = op->sink(op, bytes + skip, n, err);
		if (rc)
			return rc < 0 ? rc : mlb_err_set(err, MLB_EREMOTE, "the reader gave up");
		op->moved += n;
	}
	return n < len - skip ? MLB_HTTP_ENOUGH : 0;
}

/*
 * Nothing is there from the offset on, which is no failure, unless the server says that
 * something is. Of an empty name some say not even how long it is.
 */
static void
judge_no_range(struct mlb_http_request *q)
{
	struct mlb_remote_op *op = q->op;
	const char *text = mlb_http_answered(q, "Content-Range");
	uint64_t total = 0;

	if (text && (!mlb_str_starts(text, "bytes */") || !mlb_parse_u64(text + 8, &total) ||
		     total > op->offset))
		return;
	op->total = total;
	mlb_http_fail(q, MLB_FAULT_NONE, "%s", "");
}

void
mlb_http_get_judge(struct mlb_http_request *q)
{
	struct mlb_remote_op *op = q->op;
	struct mlb_err err = MLB_ERR_INIT;

	if (q->status == 416)
		judge_no_range(q);
	if (q->rc || q->status == 416 || !op->len)
		return;
	if (!q->looked && look(q, &err))
		mlb_http_fail(q, MLB_FAULT_OTHER, "%s", err.text);
	else if (q->want != UINT64_MAX && op->moved != q->want)
		mlb_http_fail(q, MLB_FAULT_TRANSIENT,
			      "'%s' was cut after %" PRIu64 " of %" PRIu64 " bytes", op->name,
			      op->moved, q->want);
	mlb_err_release(&err);
}

void
mlb_http_get(struct mlb_http_request *q, struct mlb_remote_op *op)
{
	q->op = op;
	q->get = true;
	q->sink = give;
	q->method = op->len ? "GET" : "HEAD";
	op->moved = 0;
	if (op->offset && op->len > UINT64_MAX - op->offset)
		mlb_http_header(q, "Range: bytes=%" PRIu64 "-", op->offset);
	else if (op->len && op->len != MLB_REMOTE_TO_END)
		mlb_http_header(q, "Range: bytes=%" PRIu64 "-%" PRIu64, op->offset,
				op->offset + op->len - 1);
}

/* ------------------------------------------------------------ headers that many want */

bool
mlb_http_size(const struct mlb_http_request *q, uint64_t *out)
{
	const char *text = mlb_http_answered(q, "Content-Length");

	return text && mlb_parse_u64(text, out);
}

int64_t
mlb_http_time(const struct mlb_http_request *q, const char *name)
{
	const char *text = mlb_http_answered(q, name);
	int64_t at;

	return text && mlb_http_date(text, &at) ? at : 0;
}
