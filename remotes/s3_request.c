/* Requests of an S3 server: what is asked, and the signature. */
#include <stdlib.h>
#include <string.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/hex.h"
#include "os/clock.h"
#include "remotes/s3_int.h"

enum {
	MAX_TEXT = 64 * 1024,
	MAX_QUERY = 8,
	MAX_HEADER = 8,
	MAX_PAGE = 8 << 20 /* bytes of an answer with 1000 keys */
};

/* A request as it is put together. */
struct draft {
	struct mlb_sigv4_pair query[MAX_QUERY], header[MAX_HEADER];
	size_t n_query, n_header;
	const char *name; /* below the prefix; NULL: of the bucket */
	char payload[MLB_HEX_LEN + 1];
	char md5[32];
};

static void
add_query(struct draft *d, const char *name, const char *value)
{
	d->query[d->n_query++] = (struct mlb_sigv4_pair){ name, value };
}

static void
add_header(struct draft *d, const char *name, const char *value)
{
	d->header[d->n_header++] = (struct mlb_sigv4_pair){ name, value };
}

/* ---------------------------------------------------------- what is asked */

static void
put(struct s3_op *o, struct draft *d)
{
	const struct mlb_remote_op *op = o->op;

	o->q.method = "PUT";
	o->q.body = op->data;
	o->q.size = op->size;
	o->q.op = o->op;
	o->q.flags |= MLB_HTTP_EXPECT;
	if (op->sha256)
		mlb_hex_encode(d->payload, op->sha256, MLB_DIGEST_LEN);
	if (!op->if_absent || o->s->no_condition)
		return;
	if (o->s->place.google)
		add_header(d, "x-goog-if-generation-match", "0");
	else
		add_header(d, "if-none-match", "*");
}

static void
list(struct s3_op *o, struct draft *d)
{
	o->q.method = "GET";
	o->q.answer_max = MAX_PAGE;
	d->name = NULL;
	add_query(d, "list-type", "2");
	add_query(d, "delimiter", "/");
	add_query(d, "encoding-type", "url");
	add_query(d, "max-keys", "1000");
	add_query(d, "prefix", o->dir);
	if (o->token)
		add_query(d, "continuation-token", o->token);
}

static void
add_escaped(struct mlb_buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			mlb_buf_adds(out, "&amp;");
		else if (*s == '<')
			mlb_buf_adds(out, "&lt;");
		else if (*s == '>')
			mlb_buf_adds(out, "&gt;");
		else
			mlb_buf_addc(out, *s);
	}
}

static void
delete_batch(struct s3_op *o, struct draft *d)
{
	struct mlb_buf digest = MLB_BUF_INIT(sizeof(d->md5) - 1);
	uint8_t md5[MD5_DIGEST_LENGTH];

	mlb_buf_clear(&o->body);
	mlb_buf_adds(&o->body, "<Delete><Quiet>true</Quiet>");
	for (size_t i = 0; i < o->op->n_names; i++) {
		mlb_buf_adds(&o->body, "<Object><Key>");
		add_escaped(&o->body, o->s->place.prefix);
		mlb_buf_addf(&o->body, "%s</Key></Object>", o->op->names[i]);
	}
	mlb_buf_adds(&o->body, "</Delete>");
	/* Servers of all ages take it; newer checksums only some do. */
	MD5((const unsigned char *)o->body.data, o->body.len, md5);
	mlb_base64_add(&digest, md5, sizeof(md5));
	memcpy(d->md5, mlb_buf_str(&digest), digest.len + 1);
	mlb_buf_release(&digest);

	o->q.method = "POST";
	o->q.body = o->body.data;
	o->q.size = o->body.len;
	o->q.answer_max = MAX_PAGE;
	d->name = NULL;
	add_query(d, "delete", "");
	add_header(d, "content-md5", d->md5);
}

static void
ask(struct s3_op *o, struct draft *d)
{
	switch (o->op->verb) {
	case MLB_REMOTE_GET:
		mlb_http_get(&o->q, o->op);
		break;
	case MLB_REMOTE_PUT:
		put(o, d);
		break;
	case MLB_REMOTE_STAT:
		o->q.method = "HEAD";
		break;
	case MLB_REMOTE_LIST:
		list(o, d);
		break;
	case MLB_REMOTE_DELETE:
		if (o->s->no_batch) {
			o->q.method = "DELETE";
			d->name = o->op->names[o->at];
		} else {
			delete_batch(o, d);
		}
		break;
	}
}

/* -------------------------------------------------------------- signing */

static void
hash_payload(struct s3_op *o, struct draft *d)
{
	struct mlb_digest digest;

	if (*d->payload)
		return;
	mlb_sha256_of(&digest, o->q.body, o->q.body ? o->q.size : 0);
	mlb_digest_hex(d->payload, &digest);
}

/* The headers that were signed, but Host, which libcurl makes of the URL. */
static void
send_headers(struct s3_op *o, const struct draft *d)
{
	for (size_t i = 0; i < d->n_header; i++) {
		if (strcmp(d->header[i].name, "host") != 0)
			mlb_http_header(&o->q, "%s: %s", d->header[i].name, d->header[i].value);
	}
}

static void
add_url(struct s3_op *o, const char *host, const char *path, const struct draft *d)
{
	mlb_buf_clear(&o->q.url);
	mlb_buf_addf(&o->q.url, "%s://%s", o->s->place.scheme, host);
	mlb_sigv4_path(&o->q.url, path);
	if (d->n_query)
		mlb_buf_addc(&o->q.url, '?');
	mlb_sigv4_query(&o->q.url, d->query, d->n_query);
}

static void
sign(struct s3_op *o, struct draft *d, const struct mlb_aws_credentials *key)
{
	const struct s3_place *place = &o->s->place;
	const struct mlb_sigv4_dialect *dialect = place->google ? &mlb_sigv4_goog : &mlb_sigv4_aws;
	const struct mlb_sigv4_key k = { dialect, key->id, key->secret, place->region,
					 place->google ? "storage" : "s3" };
	struct mlb_buf host = MLB_BUF_INIT(MAX_TEXT), path = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_buf signature = MLB_BUF_INIT(MAX_TEXT);
	char now[MLB_SIGV4_TIME_LEN + 1];

	s3_place_host(&host, place);
	s3_place_path(&path, place, d->name);
	mlb_sigv4_time(now, mlb_clock_wall());
	add_header(d, "host", mlb_buf_str(&host));
	add_header(d, dialect->date, now);
	add_header(d, dialect->payload, d->payload);
	if (key->token && dialect->token)
		add_header(d, dialect->token, key->token);

	struct mlb_sigv4_request r = { o->q.method, mlb_buf_str(&path), d->query,  d->n_query,
				       d->header,   d->n_header,        d->payload };

	mlb_sigv4_sign(&signature, &k, &r, now);
	add_url(o, mlb_buf_str(&host), mlb_buf_str(&path), d);
	send_headers(o, d);
	mlb_http_header(&o->q, "Authorization: %s", mlb_buf_str(&signature));
	mlb_buf_release(&signature);
	mlb_buf_release(&path);
	mlb_buf_release(&host);
}

void
s3_request(struct s3_op *o, const struct mlb_aws_credentials *key)
{
	struct draft d = { .name = o->op->name };

	mlb_http_request_clear(&o->q);
	o->q.op = NULL;
	if (o->step == S3_LOOK) {
		o->q.method = "HEAD";
	} else if (o->step == S3_EXPLAIN) {
		o->q.method = "GET";
		mlb_http_header(&o->q, "Range: bytes=0-0");
	} else {
		ask(o, &d);
	}
	hash_payload(o, &d);
	sign(o, &d, key);
	free(o->id);
	o->id = mlb_strdup(key->id);
	o->moves = o->s->moves;
	o->q.ctx = o;
	o->q.done = s3_ended;
}
