/*
 * Shared Key, by which Azure Storage knows who sent a request.
 *
 * Source: Microsoft, "Authorize with Shared Key" (Azure Storage REST API reference), for
 * the Blob service from version 2015-02-21 on.
 *
 * 1. What is signed is what is sent: the headers are those of the request, less
 *    Authorization, and the path is as it stands in the URL.
 * 2. x-ms-date is among the headers, so that there is no Date.
 *
 * Ownership: everything that is given is borrowed.
 */
#ifndef REMOTES_AZURE_SIGN_H
#define REMOTES_AZURE_SIGN_H

#include "base/buf.h"
#include "base/vec.h"

/* A parameter of the query before it is encoded; each name is there once, in lower case. */
struct mlb_azure_pair {
	const char *name;
	const char *value;
};

struct mlb_azure_request {
	const char *account;
	const char *method;
	const char *path; /* of the URL, percent-encoded, with '/' in front */
	const struct mlb_azure_pair *query;
	size_t n_query;
	const struct mlb_strvec *header; /* "Name: value", in any order */
	uint64_t size;                   /* bytes of the body */
};

enum { MLB_AZURE_DATE_LEN = 29 };

/* The value of x-ms-date: "Fri, 26 Jun 2015 23:39:12 GMT" of seconds since 1970. */
void mlb_azure_date(char out[MLB_AZURE_DATE_LEN + 1], int64_t seconds);

/* What is signed: for tests, and for comparing with a server's words. */
void mlb_azure_string_to_sign(struct mlb_buf *out, const struct mlb_azure_request *r);

/* The value of the header Authorization; key: as decoded. */
void mlb_azure_sign(struct mlb_buf *out, const struct mlb_azure_request *r, const void *key,
		    size_t key_len);

#endif
