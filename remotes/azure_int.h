/* What the files of the Azure backend share. Not for others. */
#ifndef REMOTES_AZURE_INT_H
#define REMOTES_AZURE_INT_H

#include "azure_credentials.h"
#include "http.h"

/* Of the REST API: from 2019-12-12 on a single PUT may have 5,000 MiB. */
#define AZURE_VERSION "2020-10-02"

struct azure_job;

struct azure {
	struct mlb_remote base; /* first */
	struct mlb_http *http;
	struct mlb_azure_credentials credentials;
	struct mlb_buf hint;
	char *account;
	char *container;
	char *url;      /* of the container, without '/' at its end */
	size_t path_at; /* where the path of url begins */
	char *prefix;   /* of all names: "" or "a/b/"; not encoded */
	struct azure_job *idle; /* operations that have nothing to ask */
};

/* Finds credentials, and fills account, container, url and prefix. */
int azure_place(struct azure *a, const struct mlb_remote_config *c, struct mlb_err *err);

/* What the failure of a request means for op: its fault, and a clearer text where there is one. */
void azure_judge(const struct azure *a, const struct mlb_remote_op *op, struct mlb_http_request *q);

#endif
