/*
 * Remotes in Azure Blob Storage: azure://ACCOUNT/CONTAINER[/PREFIX].
 *
 * Source: Microsoft, "Blob service REST API": Put Blob, Get Blob, Get Blob Properties,
 * List Blobs, Delete Blob.
 *
 * 1. A name is a block blob, put by one request: it is there when all of it arrived, and
 *    the service checks Content-MD5.
 * 2. Put if absent is If-None-Match: *, which of several at once lets one succeed.
 * 3. Deleting is one request a name, side by side: a batch would want each signed all the
 *    same, and rights that a SAS token for a container has only in newer versions.
 * 4. A SAS token is part of the URLs that are asked; those that are shown have no query.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "azure_int.h"
#include "azure_listing.h"
#include "azure_sign.h"
#include "backends.h"
#include "base/alloc.h"
#include "base/base64.h"
#include "fault.h"
#include "os/clock.h"
#include "url.h"

#define MOST 64
#define DELETES 16 /* requests of one operation at once */
#define NS_PER_S 1000000000

/* An operation that goes on. */
struct azure_job {
	struct azure *azure;
	struct mlb_remote_op *op;
	struct mlb_azure_listing listing;
	char *prefix;           /* LIST: of the blobs that are asked for */
	char *marker;           /* LIST: of the part that was read last; NULL: the first */
	size_t next;            /* DELETE: of op->names */
	size_t going;           /* requests, and whoever works on the job */
	struct azure_job *idle; /* the next that has nothing to ask */
	size_t n_part;
	struct mlb_http_request part[]; /* DELETE has several */
};

/* ---------------------------------------------------------- asking */

static void
add_query(struct mlb_buf *url, const struct mlb_azure_pair *query, size_t n, const char *sas)
{
	char sep = '?';

	for (size_t i = 0; i < n; i++, sep = '&') {
		mlb_buf_addf(url, "%c%s=", sep, query[i].name);
		mlb_url_encode(url, query[i].value, "");
	}
	if (sas)
		mlb_buf_addf(url, "%c%s", sep, sas);
}

static void
sign(const struct azure *a, struct mlb_http_request *q, const struct mlb_azure_pair *query,
     size_t n)
{
	const struct mlb_buf *key = &a->credentials.key;
	struct mlb_buf value = MLB_BUF_INIT(1024);
	char date[MLB_AZURE_DATE_LEN + 1];
	struct mlb_azure_request r = { .account = a->account,
				       .method = q->method,
				       .path = mlb_buf_str(&q->url) + a->path_at,
				       .query = query,
				       .n_query = n,
				       .header = &q->header,
				       .size = q->body ? q->size : 0 };

	mlb_azure_date(date, mlb_clock_wall() / NS_PER_S);
	mlb_http_header(q, "x-ms-date: %s", date);
	mlb_azure_sign(&value, &r, key->data, key->len);
	mlb_http_header(q, "Authorization: %s", mlb_buf_str(&value));
	mlb_buf_release(&value);
}

/* Method, headers and body are there; blob NULL: of the container itself. */
static void
ask(struct azure_job *j, struct mlb_http_request *q, const char *blob,
    const struct mlb_azure_pair *query, size_t n)
{
	struct azure *a = j->azure;

	mlb_http_header(q, "x-ms-version: " AZURE_VERSION);
	mlb_buf_adds(&q->url, a->url);
	if (blob) {
		mlb_buf_addc(&q->url, '/');
		mlb_url_encode(&q->url, a->prefix, "/");
		mlb_url_encode(&q->url, blob, "/");
	}
	if (a->credentials.key.len)
		sign(a, q, query, n);
	add_query(&q->url, query, n, a->credentials.sas);
	q->ctx = j;
	j->going++;
	mlb_http_start(a->http, q);
}

/* ---------------------------------------------------------- how it ends */

static void
end(struct azure_job *j)
{
	struct mlb_remote_op *op = j->op;

	for (size_t i = 0; i < j->n_part; i++)
		mlb_http_request_release(&j->part[i]);
	if (op->verb == MLB_REMOTE_LIST)
		mlb_azure_listing_release(&j->listing);
	free(j->prefix);
	free(j->marker);
	free(j);
	op->backend = NULL;
	op->done(op);
}

static void
leave(struct azure_job *j)
{
	if (--j->going == 0)
		end(j);
}

/* What came of a request becomes what came of the operation, unless another one failed before. */
static void
settle(struct azure_job *j, struct mlb_http_request *q)
{
	azure_judge(j->azure, j->op, q);
	if (!j->op->rc)
		mlb_http_outcome(q, j->op);
}

/* ---------------------------------------------------------- one blob */

static void
blob_ended(struct mlb_http_request *q)
{
	struct azure_job *j = q->ctx;
	struct mlb_remote_op *op = j->op;

	if (op->verb == MLB_REMOTE_GET && q->status == 416)
		mlb_http_fail(q, MLB_FAULT_NONE, "%s", ""); /* nothing is there from there on */
	settle(j, q);
	if (!op->rc && op->verb != MLB_REMOTE_GET)
		op->mtime = mlb_http_time(q, "Last-Modified");
	if (!op->rc && op->verb == MLB_REMOTE_STAT && !mlb_http_size(q, &op->total))
		mlb_remote_fail(op, MLB_FAULT_OTHER, "the server does not tell the size of '%s'",
				op->name);
	leave(j);
}

/* MD5 is no protection from people, but from cables; where it may not be used, without. */
static void
add_md5(struct mlb_http_request *q)
{
	unsigned char md5[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct mlb_buf text = MLB_BUF_INIT(128);

	if (EVP_Digest(q->size ? q->body : "", q->size, md5, &len, EVP_md5(), NULL)) {
		mlb_base64_add(&text, md5, len);
		mlb_http_header(q, "Content-MD5: %s", mlb_buf_str(&text));
	}
	mlb_buf_release(&text);
}

static void
start_blob(struct azure_job *j)
{
	struct mlb_http_request *q = &j->part[0];
	struct mlb_remote_op *op = j->op;

	q->done = blob_ended;
	q->op = op;
	if (op->verb == MLB_REMOTE_GET) {
		mlb_http_get(q, op);
	} else if (op->verb == MLB_REMOTE_STAT) {
		q->method = "HEAD";
	} else {
		q->method = "PUT";
		q->flags = MLB_HTTP_EXPECT;
		q->body = op->data;
		q->size = op->size;
		mlb_http_header(q, "Content-Type: application/octet-stream");
		mlb_http_header(q, "x-ms-blob-type: BlockBlob");
		if (op->if_absent)
			mlb_http_header(q, "If-None-Match: *");
		add_md5(q);
	}
	ask(j, q, op->name, NULL, 0);
}

/* ---------------------------------------------------------- listing */

static int
feed(struct mlb_http_request *q, const void *data, size_t len, struct mlb_err *err)
{
	return mlb_azure_listing_feed(&((struct azure_job *)q->ctx)->listing, data, len, err);
}

static void start_part(struct azure_job *j);

/* Is there another part of the listing? A server that names the same again would never end. */
static bool
takes_marker(struct azure_job *j)
{
	char *marker = mlb_buf_detach(&j->listing.marker);
	bool same = j->marker && !strcmp(marker, j->marker);
	bool more = *marker && !same;

	if (*marker && same)
		mlb_remote_fail(j->op, MLB_FAULT_OTHER,
				"the server lists the same part of '%s' again and again",
				j->op->name);
	free(j->marker);
	j->marker = marker;
	return more;
}

static void
part_ended(struct mlb_http_request *q)
{
	struct azure_job *j = q->ctx;
	struct mlb_remote_op *op = j->op;

	settle(j, q);
	if (!op->rc && mlb_azure_listing_finish(&j->listing, &op->err)) {
		op->rc = op->err.code;
		op->fault = MLB_FAULT_OTHER;
	}
	if (!op->rc && takes_marker(j)) {
		mlb_azure_listing_release(&j->listing);
		mlb_http_request_clear(q);
		start_part(j);
	}
	leave(j);
}

static void
start_part(struct azure_job *j)
{
	struct mlb_http_request *q = &j->part[0];
	const struct mlb_azure_pair query[] = { { "restype", "container" },
						{ "comp", "list" },
						{ "delimiter", "/" },
						{ "prefix", j->prefix },
						{ "marker", j->marker ? j->marker : "" } };

	mlb_azure_listing_init(&j->listing, j->op, j->prefix);
	q->method = "GET";
	q->sink = feed;
	q->done = part_ended;
	ask(j, q, NULL, query, j->marker ? 5 : 4);
}

static void
start_list(struct azure_job *j)
{
	j->prefix = mlb_asprintf("%s%s%s", j->azure->prefix, j->op->name, *j->op->name ? "/" : "");
	start_part(j);
}

/* ---------------------------------------------------------- deleting */

static void delete_next(struct azure_job *j, struct mlb_http_request *q);

static void
one_deleted(struct mlb_http_request *q)
{
	struct azure_job *j = q->ctx;

	azure_judge(j->azure, j->op, q);
	if (q->rc && q->fault != MLB_FAULT_ABSENT && !j->op->rc)
		mlb_http_outcome(q, j->op);
	delete_next(j, q);
	leave(j);
}

static void
delete_next(struct azure_job *j, struct mlb_http_request *q)
{
	if (j->op->rc || j->next == j->op->n_names)
		return;
	mlb_http_request_clear(q);
	q->method = "DELETE";
	q->done = one_deleted;
	ask(j, q, j->op->names[j->next++], NULL, 0);
}

static void
start_delete(struct azure_job *j)
{
	struct azure *a = j->azure;

	for (size_t i = 0; i < j->n_part; i++)
		delete_next(j, &j->part[i]);
	if (!j->going) {
		j->idle = a->idle;
		a->idle = j;
	}
}

static void
leave_idle(struct azure *a, const struct azure_job *j)
{
	struct azure_job **at = &a->idle;

	while (*at && *at != j)
		at = &(*at)->idle;
	if (*at)
		*at = j->idle;
}

/* ---------------------------------------------------------- the backend */

static void
azure_close(struct mlb_remote *r)
{
	struct azure *a = (struct azure *)r;

	if (!a)
		return;
	mlb_http_free(a->http);
	mlb_azure_credentials_release(&a->credentials);
	mlb_buf_release(&a->hint);
	free(a->account);
	free(a->container);
	free(a->url);
	free(a->prefix);
	free(a);
}

static int
azure_open(struct mlb_remote **out, const struct mlb_remote_config *c, struct mlb_err *err)
{
	struct azure *a = mlb_calloc(1, sizeof(*a));
	int rc;

	a->base.backend = &mlb_remote_azure;
	mlb_azure_credentials_init(&a->credentials);
	mlb_buf_init(&a->hint, 1024);
	rc = azure_place(a, c, err);
	if (rc)
		mlb_err_wrap(err, "remote '%s'", c->name);
	else
		rc = mlb_http_new(&a->http, c, MOST, err);
	if (rc) {
		azure_close(&a->base);
		return rc;
	}
	mlb_http_secret(a->http, a->credentials.sas);
	mlb_buf_addf(&a->hint, "credentials: %s", a->credentials.from);
	*out = &a->base;
	return 0;
}

static void
azure_start(struct mlb_remote *r, struct mlb_remote_op *op)
{
	size_t n = op->verb == MLB_REMOTE_DELETE ? MLB_MIN(op->n_names, (size_t)DELETES) : 1;
	struct azure_job *j = mlb_calloc(1, sizeof(*j) + n * sizeof(j->part[0]));

	mlb_remote_begin(op);
	op->backend = j;
	j->azure = (struct azure *)r;
	j->op = op;
	j->n_part = n;
	for (size_t i = 0; i < n; i++)
		mlb_http_request_init(&j->part[i]);
	if (op->verb == MLB_REMOTE_LIST)
		start_list(j);
	else if (op->verb != MLB_REMOTE_DELETE)
		start_blob(j);
	else
		start_delete(j);
}

static int
azure_wait(struct mlb_remote *r, int timeout, struct mlb_err *err)
{
	struct azure *a = (struct azure *)r;
	bool ended = a->idle != NULL;

	while (a->idle) {
		struct azure_job *j = a->idle;

		a->idle = j->idle;
		end(j);
	}
	return mlb_http_wait(a->http, ended ? 0 : timeout, err);
}

static void
azure_wake(struct mlb_remote *r)
{
	mlb_http_wake(((struct azure *)r)->http);
}

static void
azure_cancel(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct azure *a = (struct azure *)r;
	struct azure_job *j = op->backend;

	mlb_remote_fail(op, MLB_FAULT_CANCELLED, "interrupted");
	leave_idle(a, j);
	j->going++; /* until all of them were told */
	for (size_t i = 0; i < j->n_part; i++)
		mlb_http_cancel(a->http, &j->part[i]);
	leave(j);
}

static const char *
azure_hint(struct mlb_remote *r, enum mlb_remote_fault fault)
{
	return fault == MLB_FAULT_DENIED ? mlb_buf_str(&((struct azure *)r)->hint) : NULL;
}

static const char *const schemes[] = { "azure", NULL };
static const char *const keys[] = { "ca",           "cert",      "endpoint", "key",
				    "password_env", "token_env", NULL };

const struct mlb_remote_backend mlb_remote_azure = {
	.abi = MLB_REMOTE_ABI,
	.name = "azure",
	.summary = "Azure Blob Storage: azure://ACCOUNT/CONTAINER[/PREFIX]",
	.schemes = schemes,
	.keys = keys,
	.most = MOST,
	.open = azure_open,
	.start = azure_start,
	.wait = azure_wait,
	.wake = azure_wake,
	.cancel = azure_cancel,
	.close = azure_close,
	.hint = azure_hint,
};
