/*
 * Keys that an endpoint close by hands out: of a container (ECS, EKS), and of an EC2
 * instance (IMDS version 2, whose token a process elsewhere cannot get, since its answer
 * lives for one hop).
 *
 * Source: AWS SDKs and Tools reference guide, "Container credential provider" and "IMDS
 * credential provider"; EC2 user guide, "Use the Instance Metadata Service".
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"
#include "os/fs.h"
#include "remotes/aws_chain_priv.h"

enum {
	IMDS_TIMEOUT = 1000, /* ms: elsewhere than on EC2 nobody answers */
	CONTAINER_TIMEOUT = 5000,
	MAX_TOKEN = 64 * 1024,
	MAX_ROLE = 128
};

static void
begin(struct mlb_aws_chain *k, const char *method, uint32_t timeout,
      void (*done)(struct mlb_http_request *q))
{
	mlb_http_request_clear(&k->q);
	k->q.method = method;
	k->q.flags = MLB_HTTP_DIRECT;
	k->q.timeout = timeout;
	k->q.ctx = k;
	k->q.done = done;
}

/* What went wrong with a request of which that cannot be. */
static void
fail(struct mlb_aws_chain *k, const char *who)
{
	struct mlb_err err = k->q.err;
	enum mlb_remote_fault fault = k->q.fault;

	k->q.err = (struct mlb_err)MLB_ERR_INIT;
	mlb_err_wrap(&err, "cannot get credentials from %s", who);
	mlb_aws_go_on(k, MLB_EREMOTE, fault == MLB_FAULT_ABSENT ? MLB_FAULT_DENIED : fault, &err);
}

/* The key in an answer. */
static void
take(struct mlb_aws_chain *k, const char *who)
{
	struct mlb_err err = MLB_ERR_INIT;
	int rc = mlb_aws_credentials_json(&k->next, mlb_buf_str(&k->q.answer), k->q.answer.len,
					  false, &err);

	if (k->q.answer.data)
		explicit_bzero(k->q.answer.data, k->q.answer.len);
	if (rc) {
		mlb_err_wrap(&err, "cannot get credentials from %s", who);
		mlb_aws_go_on(k, MLB_EREMOTE, MLB_FAULT_DENIED, &err);
		return;
	}
	k->next_fetched = true;
	mlb_aws_go_on(k, mlb_aws_has(k, mlb_strdup(who)), MLB_FAULT_NONE, &err);
}

/* ------------------------------------------------------------ container */

static const char of_container[] = "the container's credentials endpoint";

static void
container_ended(struct mlb_http_request *q)
{
	struct mlb_aws_chain *k = q->ctx;

	if (q->rc)
		fail(k, of_container);
	else
		take(k, of_container);
}

/* Without encryption a secret is only told where nobody can listen. */
static bool
is_close(const char *url)
{
	static const char *const hosts[] = { "127.0.0.1",     "localhost",      "[::1]",
					     "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]" };

	if (mlb_str_starts(url, "https://"))
		return true;
	if (!mlb_str_starts(url, "http://"))
		return false;
	url += strlen("http://");
	for (size_t i = 0; i < MLB_ARRAY_LEN(hosts); i++) {
		size_t n = strlen(hosts[i]);

		if (strncmp(url, hosts[i], n) == 0 && strchr(":/", url[n]))
			return true;
	}
	return false;
}

static int
container_url(struct mlb_aws_chain *k, const char *relative, const char *full, struct mlb_err *err)
{
	if (relative && *relative != '/')
		return mlb_err_set(err, MLB_EREMOTE,
				   "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with '/'");
	if (!relative && !is_close(full))
		return mlb_err_set(err, MLB_EREMOTE,
				   "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https: nor an "
				   "address of this machine or its container service");
	mlb_buf_adds(&k->q.url, relative ? "http://169.254.170.2" : full);
	if (relative)
		mlb_buf_adds(&k->q.url, relative);
	return 0;
}

static int
add_authorization(struct mlb_aws_chain *k, const char *token, struct mlb_err *err)
{
	if (strpbrk(token, "\r\n"))
		return mlb_err_set(err, MLB_EREMOTE,
				   "AWS_CONTAINER_AUTHORIZATION_TOKEN has more than one line");
	mlb_http_header(&k->q, "Authorization: %s", token);
	return 0;
}

static int
authorize(struct mlb_aws_chain *k, struct mlb_err *err)
{
	const char *path = mlb_aws_env(k, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = mlb_aws_env(k, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct mlb_buf text = MLB_BUF_INIT(MAX_TOKEN);
	int rc = 0;

	if (path) {
		rc = mlb_fs_read(&text, path, err);
		while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
			mlb_buf_truncate(&text, text.len - 1);
		token = mlb_buf_str(&text);
	}
	if (rc == 0 && token)
		rc = add_authorization(k, token, err);
	if (text.data)
		explicit_bzero(text.data, text.cap);
	mlb_buf_release(&text);
	return rc;
}

int
mlb_aws_from_container(struct mlb_aws_chain *k, struct mlb_err *err)
{
	const char *relative = mlb_aws_env(k, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = mlb_aws_env(k, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	int rc;

	if (!relative && !full)
		return mlb_aws_looked(k, "AWS_CONTAINER_CREDENTIALS_FULL_URI (not set)");
	begin(k, "GET", CONTAINER_TIMEOUT, container_ended);
	rc = container_url(k, relative, full, err);
	if (rc == 0)
		rc = authorize(k, err);
	if (rc)
		return rc;
	mlb_http_header(&k->q, "Accept: application/json");
	mlb_http_start(k->http, &k->q);
	return MLB_SOURCE_ASKED;
}

/* ------------------------------------------------------------- instance */

static const char service[] = "the metadata service of the instance";
static const char roles[] = "/latest/meta-data/iam/security-credentials/";

static void
imds_url(struct mlb_aws_chain *k, const char *path)
{
	const char *own = mlb_aws_env(k, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = mlb_aws_env(k, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

	if (own)
		mlb_buf_addf(&k->q.url, "%.*s", (int)(strlen(own) - mlb_str_ends(own, "/")), own);
	else if (mode && strcasecmp(mode, "IPv6") == 0)
		mlb_buf_adds(&k->q.url, "http://[fd00:ec2::254]");
	else
		mlb_buf_adds(&k->q.url, "http://169.254.169.254");
	mlb_buf_adds(&k->q.url, path);
}

/* Nobody is there: this is no instance of EC2, or it has no role. */
static void
not_there(struct mlb_aws_chain *k, const char *why)
{
	struct mlb_err err = MLB_ERR_INIT;

	mlb_aws_go_on(k, mlb_aws_looked(k, "the metadata service of EC2 (%s)", why), MLB_FAULT_NONE,
		      &err);
}

static void
key_ended(struct mlb_http_request *q)
{
	struct mlb_aws_chain *k = q->ctx;
	char *who;

	if (q->rc) {
		fail(k, service);
		return;
	}
	who = mlb_asprintf("the role '%s' of the instance", k->imds_role);
	take(k, who);
	free(who);
}

static void
ask(struct mlb_aws_chain *k, const char *role, void (*done)(struct mlb_http_request *q))
{
	char *path = mlb_asprintf("%s%s", roles, role);

	begin(k, "GET", IMDS_TIMEOUT, done);
	imds_url(k, path);
	mlb_http_header(&k->q, "X-aws-ec2-metadata-token: %s", k->imds_token);
	mlb_http_start(k->http, &k->q);
	free(path);
}

/* The first line of an answer, if it can be part of a path or a header; owned by the caller. */
static char *
first_line(const struct mlb_buf *answer, size_t most)
{
	const char *s = mlb_buf_str(answer);
	size_t n = strcspn(s, "\r\n");

	if (n == 0 || n > most)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7f ||
		    strchr("/?#%", s[i]))
			return NULL;
	}
	return mlb_strndup(s, n);
}

static void
roles_ended(struct mlb_http_request *q)
{
	struct mlb_aws_chain *k = q->ctx;

	if (q->status == 404) {
		not_there(k, "the instance has no role");
		return;
	}
	if (q->rc) {
		fail(k, service);
		return;
	}
	free(k->imds_role);
	k->imds_role = first_line(&q->answer, MAX_ROLE);
	if (k->imds_role)
		ask(k, k->imds_role, key_ended);
	else
		not_there(k, "its answer names no role");
}

/* A token is base64 with '=' and perhaps '/'. */
static char *
token_of(const struct mlb_buf *answer)
{
	const char *s = mlb_buf_str(answer);

	if (!*s || answer->len > MAX_TOKEN || strlen(s) != answer->len)
		return NULL;
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
			return NULL;
	}
	return mlb_strdup(mlb_buf_str(answer));
}

static void
token_ended(struct mlb_http_request *q)
{
	struct mlb_aws_chain *k = q->ctx;

	if (q->rc && q->status == 0) {
		not_there(k, "no answer");
		return;
	}
	mlb_secret_free(k->imds_token);
	k->imds_token = q->rc ? NULL : token_of(&q->answer);
	if (!k->imds_token) {
		not_there(k, "it gave no token");
		return;
	}
	mlb_http_secret(k->http, k->imds_token);
	ask(k, "", roles_ended);
}

int
mlb_aws_from_instance(struct mlb_aws_chain *k, struct mlb_err *err)
{
	const char *disabled = mlb_aws_env(k, "AWS_EC2_METADATA_DISABLED");

	(void)err;
	if (disabled && strcasecmp(disabled, "true") == 0)
		return mlb_aws_looked(k, "the metadata service of EC2 (switched off by "
					 "AWS_EC2_METADATA_DISABLED)");
	begin(k, "PUT", IMDS_TIMEOUT, token_ended);
	imds_url(k, "/latest/api/token");
	mlb_http_header(&k->q, "X-aws-ec2-metadata-token-ttl-seconds: 21600");
	mlb_http_start(k->http, &k->q);
	return MLB_SOURCE_ASKED;
}
