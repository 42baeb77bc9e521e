/*
 * Signature Version 4, by which AWS and Google know who sent a request.
 *
 * Source: AWS, "Authenticating Requests: Using the Authorization Header" (Amazon S3 API
 * reference) and "Signing AWS API requests" (IAM user guide); Google, "V4 signing
 * process with your own program" and "Canonical requests" (Cloud Storage).
 *
 * 1. A path is encoded once and not normalised, as S3 and Google want it. (Other
 *    services of AWS encode twice, which is the same for the path "/".)
 * 2. What is signed is what is sent: whoever sends uses mlb_sigv4_path and
 *    mlb_sigv4_query for the URL, and all headers that were given here.
 * 3. The payload's hash is always that of the real payload.
 *
 * Ownership: everything that is given is borrowed.
 */
#ifndef REMOTES_SIGV4_H
#define REMOTES_SIGV4_H

#include "base/buf.h"
#include "base/hash.h"

/* How one of the two providers spells it. */
struct mlb_sigv4_dialect {
	const char *algorithm;  /* "AWS4-HMAC-SHA256" */
	const char *key_prefix; /* "AWS4" */
	const char *terminator; /* "aws4_request" */
	const char *date;       /* name of the header, "x-amz-date" */
	const char *payload;    /* "x-amz-content-sha256" */
	const char *token;      /* "x-amz-security-token", NULL: there is none */
};

extern const struct mlb_sigv4_dialect mlb_sigv4_aws, mlb_sigv4_goog;

struct mlb_sigv4_key {
	const struct mlb_sigv4_dialect *dialect;
	const char *id;
	const char *secret;
	const char *region;
	const char *service; /* "s3", "sts", "storage" */
};

/* A header with its name in lower case, or a parameter of the query before it is encoded. */
struct mlb_sigv4_pair {
	const char *name;
	const char *value;
};

struct mlb_sigv4_request {
	const char *method;
	const char *path; /* not encoded, with '/' in front */
	const struct mlb_sigv4_pair *query;
	size_t n_query;
	const struct mlb_sigv4_pair *header; /* with host, date and payload's hash, in any order */
	size_t n_header;
	const char *payload; /* SHA-256, hexadecimal */
};

enum { MLB_SIGV4_TIME_LEN = 16 };

/* "20130524T000000Z" of nanoseconds since 1970. */
void mlb_sigv4_time(char out[MLB_SIGV4_TIME_LEN + 1], int64_t wall_ns);

/* Everything but A-Z a-z 0-9 - . _ ~ (and '/', where it is kept) as %XX. */
void mlb_sigv4_encode(struct mlb_buf *out, const char *s, bool keep_slash);
void mlb_sigv4_path(struct mlb_buf *out, const char *path);
/* name=value, sorted by name and then value as encoded, with '&' between. */
void mlb_sigv4_query(struct mlb_buf *out, const struct mlb_sigv4_pair *query, size_t n);

/* What is hashed into the signature: for tests, and for comparing with a server's words. */
void mlb_sigv4_canonical(struct mlb_buf *out, const struct mlb_sigv4_request *r);

/* The value of the header "authorization"; time as in the date's header. */
void mlb_sigv4_sign(struct mlb_buf *out, const struct mlb_sigv4_key *key,
		    const struct mlb_sigv4_request *r, const char *time);

#endif
