/* Answers of S3 servers: only names that are allowed come out of a listing. */
#include <stdlib.h>
#include <string.h>

#include "remotes/s3_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
check_entry(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	(void)op;
	(void)err;
	if (!mlb_remote_name_valid(e->name) || strchr(e->name, '/'))
		abort();
	return 0;
}

static void
listing(const struct mlb_buf *body)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_LIST, .entry = check_entry };
	struct s3_listing l = { .op = &op, .dir = "pre fix/packs/" };

	if (s3_listing_read(&l, body, NULL) == 0 && l.truncated && !*l.next)
		abort();
	s3_listing_release(&l);
}

static void
deleted(const struct mlb_buf *body)
{
	struct s3_deleted d;

	if (s3_deleted_read(&d, body, NULL) == 0 && d.failed && d.code &&
	    strcmp(d.code, "NoSuchKey") == 0)
		abort();
	s3_deleted_release(&d);
}

static void
error(const struct mlb_buf *body)
{
	struct s3_error e;
	enum mlb_remote_fault fault = MLB_FAULT_NONE;

	s3_error_read(&e, body);
	if (e.code && s3_code_fault(&fault, e.code) && fault == MLB_FAULT_NONE)
		abort();
	if (strpbrk(s3_plain(e.region), "\n\033"))
		abort();
	s3_error_release(&e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_buf body = MLB_BUF_INIT(16 * MLB_MIB);

	mlb_buf_add(&body, data, size);
	listing(&body);
	deleted(&body);
	error(&body);
	mlb_buf_release(&body);
	return 0;
}
