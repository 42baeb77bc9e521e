/* Shared by webdav*.c. */
#ifndef REMOTES_WEBDAV_INT_H
#define REMOTES_WEBDAV_INT_H

#include "remotes/http.h"
#include "remotes/http_auth.h"

#define DAV_TMP "mlbuild-tmp" /* the directory where a PUT begins, below the remote's */

struct dav_job;

struct dav {
	struct mlb_remote base;
	struct mlb_http *http;
	struct mlb_http_auth auth;
	char *name;          /* of the remote */
	char *url;           /* without a '/' at its end */
	char *dir;           /* the last part of the URL's path, decoded: "" of a server's root */
	bool has_tmp;        /* DAV_TMP was made, or is there */
	bool swept;          /* what others left there was looked at, or is being */
	struct dav_job *own; /* that nobody asked for, and goes on; NULL: nothing does */
};

/* An operation that goes on. */
struct dav_job {
	struct mlb_http_request q;
	struct dav *dav;
	struct mlb_remote_op *op; /* NULL: our own */
	bool cancelled;

	int step;            /* of a PUT, or of a LIST: dav_put.c's, dav_list.c's */
	char *temp;          /* of a PUT: where the bytes go, below the remote's directory */
	size_t part;         /* of a PUT: so much of the name was made as directories */
	bool again;          /* of a PUT: directories were made once; of a GET: it was sent on */

	struct dav_list *list;     /* of a LIST */
	struct dav_delete *delete; /* of a DELETE */
};

/* Make q ask for base/name ("/" behind it for a directory), and be answered to `done`; with credentials. */
void dav_ask(struct dav_job *j, const char *method, const char *name, const char *slash,
	     void (*done)(struct mlb_http_request *q));
/* The same for a request other than the job's own. */
void dav_ask_by(struct dav *d, struct mlb_http_request *q, const char *method, const char *name,
		const char *slash);

/* What came of the job's request is what came of the operation; a failure names the remote. */
void dav_outcome(struct dav_job *j);
void dav_end(struct dav_job *j); /* the job is gone, and done is called */

/*
 * Is the answer to GET or HEAD of a name that of a directory? They are sent on to the same
 * with '/' behind it, or cannot be read (405).
 */
bool dav_is_dir(const struct mlb_http_request *q, const char *name);
bool dav_is_absent(const struct mlb_http_request *q, const char *name); /* or not there */

void dav_put(struct dav_job *j);
void dav_list(struct dav_job *j);
void dav_delete(struct dav_job *j);
void dav_delete_cancel(struct dav_job *j);
void dav_sweep(struct dav *d); /* remove what died PUTs left a day ago */

/* A directory's files, as PROPFIND answers. */
struct dav_list;

/* Ask by j's request for what is in a directory ("" the remote's); entry is called with ctx for each file. */
void dav_list_ask(struct dav_job *j, const char *dir,
		  int (*entry)(void *ctx, const struct mlb_remote_entry *e, struct mlb_err *err),
		  void *ctx, void (*done)(struct mlb_http_request *q));
void dav_list_free(struct dav_list *l); /* NULL is allowed */

#endif
