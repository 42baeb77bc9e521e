/* Shared by http*.c. */
#ifndef REMOTES_HTTP_PRIV_H
#define REMOTES_HTTP_PRIV_H

#include "remotes/curl_load.h"
#include "remotes/http.h"

/* A request that goes on. */
struct mlb_http_work {
	struct mlb_http_work *next, *prev;
	struct mlb_http *http;
	struct mlb_http_request *q;
	CURL *easy;                  /* NULL: it could not begin */
	struct curl_slist *headers;
	size_t sent;                 /* of the body */
	int stop;                    /* what the sink said, if not 0 */
	bool too_big;                /* a 2xx body did not fit into answer */
	bool begun;                  /* it went out, once */
	bool headers_ended;          /* of an answer, by an empty line */
	char said[CURL_ERROR_SIZE];  /* by libcurl, when it failed */
};

struct mlb_http {
	struct mlb_curl curl;
	bool loaded;
	CURLM *multi;                /* NULL until the first request */
	int wake_fd;                 /* eventfd: also before there is a multi handle */
	unsigned most;
	char *cert, *key;            /* files; NULL: none */
	char *ca_file, *ca_dir;
	struct mlb_strvec secret;
	MLB_VEC(CURL *) idle;        /* handles to be used again */
	struct mlb_http_work *going; /* begun, last first */
	struct mlb_http_work *lost;  /* could not begin: ended by the next wait */
};

/* Tell the handle of w all that its request and h say. false: libcurl refused, and why is in q->err. */
bool mlb_http_setup(struct mlb_http *h, struct mlb_http_work *w);

/* Fill in what came of it: libcurl's result, and the status. */
void mlb_http_judge(struct mlb_http *h, struct mlb_http_work *w, CURLcode result);

/* The same of a GET by mlb_http_get: is it what was asked for? */
void mlb_http_get_judge(struct mlb_http_request *q);

/* Words for a status: its name, "" for others; what to do, or NULL. */
const char *mlb_http_reason(unsigned status);
const char *mlb_http_advice(unsigned status);

/* Does the header ("Name: value") hold a secret? Its value, else NULL. */
const char *mlb_http_secret_value(const char *header);

/* What libcurl's failure means, and what to do, or NULL. */
enum mlb_remote_fault mlb_http_curl_fault(CURLcode code, const char *said, const char **advice);

#endif
