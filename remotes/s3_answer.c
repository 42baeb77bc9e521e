/*
 * What S3 servers answer in XML: errors, pages of ListObjectsV2, results of DeleteObjects.
 *
 * Source: Amazon S3 API reference, "Error responses", "ListObjectsV2", "DeleteObjects".
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "remotes/iso_time.h"
#include "remotes/s3_int.h"
#include "remotes/url.h"
#include "remotes/xml.h"

enum { MAX_KEY = 4096, MAX_SHOWN = 300 };

const char *
s3_plain(const char *text)
{
	if (!text || strlen(text) > MAX_SHOWN)
		return "?";
	for (const char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~')
			return "?";
	}
	return text;
}

static void
replace(char **into, const char *text)
{
	free(*into);
	*into = mlb_strdup(text);
}

static int
read_xml(mlb_xml_element *element, void *ctx, const struct mlb_buf *body, struct mlb_err *err)
{
	struct mlb_xml x;
	int rc;

	mlb_xml_init(&x, element, ctx);
	rc = mlb_xml_feed(&x, mlb_buf_str(body), body->len, err);
	if (rc == 0)
		rc = mlb_xml_finish(&x, err);
	mlb_xml_release(&x);
	return rc;
}

/* ---------------------------------------------------------------- errors */

static int
error_element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	struct s3_error *e = ctx;

	(void)err;
	if (strcmp(path, "Error/Code") == 0)
		replace(&e->code, text);
	else if (strcmp(path, "Error/Message") == 0)
		replace(&e->message, text);
	else if (strcmp(path, "Error/Region") == 0)
		replace(&e->region, text);
	else if (strcmp(path, "Error/Endpoint") == 0)
		replace(&e->endpoint, text);
	else if (strcmp(path, "Error/ServerTime") == 0)
		replace(&e->their_time, text);
	else if (strcmp(path, "Error/RequestTime") == 0)
		replace(&e->our_time, text);
	return 0;
}

void
s3_error_read(struct s3_error *out, const struct mlb_buf *body)
{
	memset(out, 0, sizeof(*out));
	/* What could be read of something cut short is good enough. */
	read_xml(error_element, out, body, NULL);
}

void
s3_error_release(struct s3_error *e)
{
	free(e->code);
	free(e->message);
	free(e->region);
	free(e->endpoint);
	free(e->their_time);
	free(e->our_time);
	memset(e, 0, sizeof(*e));
}

bool
s3_code_fault(enum mlb_remote_fault *out, const char *code)
{
	static const struct {
		const char *code;
		enum mlb_remote_fault fault;
	} known[] = {
		{ "AccessDenied", MLB_FAULT_DENIED },
		{ "AccountProblem", MLB_FAULT_DENIED },
		{ "AllAccessDisabled", MLB_FAULT_DENIED },
		{ "BadDigest", MLB_FAULT_TRANSIENT },
		{ "BucketQuotaExceeded", MLB_FAULT_FULL },
		{ "ConditionalRequestConflict", MLB_FAULT_TRANSIENT },
		{ "ExpiredToken", MLB_FAULT_DENIED },
		{ "IncompleteBody", MLB_FAULT_TRANSIENT },
		{ "InsufficientStorage", MLB_FAULT_FULL },
		{ "InternalError", MLB_FAULT_TRANSIENT },
		{ "InvalidAccessKeyId", MLB_FAULT_DENIED },
		{ "InvalidBucketName", MLB_FAULT_PLACE },
		{ "InvalidObjectState", MLB_FAULT_OTHER },
		{ "InvalidSecurity", MLB_FAULT_DENIED },
		{ "InvalidToken", MLB_FAULT_DENIED },
		{ "NoSuchBucket", MLB_FAULT_PLACE },
		{ "NoSuchKey", MLB_FAULT_ABSENT },
		{ "NotSignedUp", MLB_FAULT_DENIED },
		{ "OperationAborted", MLB_FAULT_TRANSIENT },
		{ "PreconditionFailed", MLB_FAULT_EXISTS },
		{ "QuotaExceeded", MLB_FAULT_FULL },
		{ "RequestExpired", MLB_FAULT_CLOCK },
		{ "RequestTimeTooSkewed", MLB_FAULT_CLOCK },
		{ "RequestTimeout", MLB_FAULT_TRANSIENT },
		{ "ServiceUnavailable", MLB_FAULT_BUSY },
		{ "SignatureDoesNotMatch", MLB_FAULT_DENIED },
		{ "SlowDown", MLB_FAULT_BUSY },
		{ "SlowDownRead", MLB_FAULT_BUSY },
		{ "SlowDownWrite", MLB_FAULT_BUSY },
		{ "StorageFull", MLB_FAULT_FULL },
		{ "Throttling", MLB_FAULT_BUSY },
		{ "TokenRefreshRequired", MLB_FAULT_DENIED },
		{ "TooManyRequests", MLB_FAULT_BUSY },
		{ "XAmzContentSHA256Mismatch", MLB_FAULT_TRANSIENT },
		{ "XMinioStorageFull", MLB_FAULT_FULL },
	};

	for (size_t i = 0; i < MLB_ARRAY_LEN(known); i++) {
		if (strcmp(known[i].code, code) == 0) {
			*out = known[i].fault;
			return true;
		}
	}
	return false;
}

/* -------------------------------------------------------------- listings */

/* The rest of a key below the directory; NULL: it is none that mlbuild has made. */
static const char *
below(const struct s3_listing *l, const char *key)
{
	size_t n = strlen(l->dir);

	if (strncmp(key, l->dir, n) != 0)
		return NULL;
	return mlb_remote_name_valid(key + n) && !strchr(key + n, '/') ? key + n : NULL;
}

/*
 * Keys are asked for in percent-encoding, since not all of them can be written in XML. A
 * server that does not know that leaves them, and where it says which it did differs. As
 * names need no encoding, whichever fits is meant.
 */
static const char *
name_of(const struct s3_listing *l, struct mlb_buf *room)
{
	const char *name = below(l, l->key);

	if (name)
		return name;
	for (char *c = l->key; *c; c++) {
		if (*c == '+')
			*c = ' ';
	}
	return mlb_url_decode(room, l->key, strlen(l->key)) ? below(l, mlb_buf_str(room)) : NULL;
}

static int
give_object(struct s3_listing *l, struct mlb_err *err)
{
	struct mlb_remote_entry e = { NULL, l->size, 0 };
	struct mlb_buf key = MLB_BUF_INIT(MAX_KEY);
	int rc = 0;

	if (!l->key)
		return mlb_err_set(err, MLB_EREMOTE, "an object in the listing has no key");
	e.name = name_of(l, &key);
	if (l->time && !mlb_iso_time(&e.mtime, l->time))
		e.mtime = 0;
	if (e.name)
		rc = l->op->entry(l->op, &e, err);
	mlb_buf_release(&key);
	free(l->key);
	free(l->time);
	l->key = l->time = NULL;
	l->size = 0;
	return rc;
}

#define LIST "ListBucketResult/"

static int
listing_element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	struct s3_listing *l = ctx;

	if (!mlb_str_starts(path, LIST))
		return strcmp(path, "ListBucketResult") == 0
			       ? 0
			       : mlb_err_set(err, MLB_EREMOTE, "the answer is no listing");
	path += strlen(LIST);
	if (strcmp(path, "Contents/Key") == 0)
		replace(&l->key, text);
	else if (strcmp(path, "Contents/LastModified") == 0)
		replace(&l->time, text);
	else if (strcmp(path, "Contents/Size") == 0 && !mlb_parse_u64(text, &l->size))
		return mlb_err_set(err, MLB_EREMOTE, "a size in the listing is no number");
	else if (strcmp(path, "Contents") == 0)
		return give_object(l, err);
	else if (strcmp(path, "IsTruncated") == 0)
		l->truncated = strcmp(text, "true") == 0;
	else if (strcmp(path, "NextContinuationToken") == 0)
		replace(&l->next, text);
	return 0;
}

int
s3_listing_read(struct s3_listing *l, const struct mlb_buf *body, struct mlb_err *err)
{
	int rc;

	l->truncated = false;
	rc = read_xml(listing_element, l, body, err);
	if (rc == 0 && l->truncated && !(l->next && *l->next))
		return mlb_err_set(err, MLB_EREMOTE,
				   "the listing says that it goes on, but not where");
	return rc;
}

void
s3_listing_release(struct s3_listing *l)
{
	free(l->key);
	free(l->time);
	free(l->next);
	l->key = l->time = l->next = NULL;
}

/* -------------------------------------------------------------- deleting */

static int
deleted_element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	struct s3_deleted *d = ctx;

	if (!mlb_str_starts(path, "DeleteResult"))
		return mlb_err_set(err, MLB_EREMOTE, "the answer is no result of deleting");
	if (d->failed)
		return 0;
	if (strcmp(path, "DeleteResult/Error/Key") == 0)
		replace(&d->key, text);
	else if (strcmp(path, "DeleteResult/Error/Code") == 0)
		replace(&d->code, text);
	else if (strcmp(path, "DeleteResult/Error/Message") == 0)
		replace(&d->message, text);
	else if (strcmp(path, "DeleteResult/Error") == 0)
		d->failed = !d->code || strcmp(d->code, "NoSuchKey") != 0;
	return 0;
}

int
s3_deleted_read(struct s3_deleted *d, const struct mlb_buf *body, struct mlb_err *err)
{
	memset(d, 0, sizeof(*d));
	return read_xml(deleted_element, d, body, err);
}

void
s3_deleted_release(struct s3_deleted *d)
{
	free(d->key);
	free(d->code);
	free(d->message);
	memset(d, 0, sizeof(*d));
}
