/*
 * Keys of roles, by AWS's Security Token Service.
 *
 * Source: AWS STS API reference, "AssumeRole" and "AssumeRoleWithWebIdentity". STS is the
 * one of AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL, else that of the region.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/fs.h"
#include "remotes/aws_chain_priv.h"
#include "remotes/iso_time.h"
#include "remotes/sigv4.h"
#include "remotes/xml.h"

enum { TIMEOUT = 15000 /* ms */, MAX_TOKEN = 64 * 1024 };

#define VERSION "2011-06-15"

/* ------------------------------------------------------------ the answer */

struct answer {
	char *id, *secret, *token;
	int64_t expires;
};

static int
element(void *ctx, const char *path, const char *text, struct mlb_err *err)
{
	struct answer *a = ctx;
	char **into = NULL;

	(void)err;
	if (mlb_str_ends(path, "/Credentials/AccessKeyId"))
		into = &a->id;
	else if (mlb_str_ends(path, "/Credentials/SecretAccessKey"))
		into = &a->secret;
	else if (mlb_str_ends(path, "/Credentials/SessionToken"))
		into = &a->token;
	else if (mlb_str_ends(path, "/Credentials/Expiration") && !mlb_iso_time(&a->expires, text))
		a->expires = 0;
	if (into) {
		mlb_secret_free(*into);
		*into = mlb_strdup(text);
	}
	return 0;
}

static int
read_answer(struct mlb_aws_credentials *out, const struct mlb_buf *text, struct mlb_err *err)
{
	struct answer a = { NULL, NULL, NULL, 0 };
	struct mlb_xml x;
	int rc;

	mlb_xml_init(&x, element, &a);
	rc = mlb_xml_feed(&x, mlb_buf_str(text), text->len, err);
	if (rc == 0)
		rc = mlb_xml_finish(&x, err);
	mlb_xml_release(&x);
	if (rc == 0 && (!a.id || !*a.id || !a.secret || !*a.secret || !a.token || !*a.token))
		rc = mlb_err_set(err, MLB_EREMOTE, "its answer has no credentials");
	if (rc == 0 && strpbrk(a.token, "\r\n"))
		rc = mlb_err_set(err, MLB_EREMOTE, "its answer has a token of several lines");
	if (rc == 0) {
		mlb_aws_credentials_set(out, a.id, a.secret, a.token);
		out->expires = a.expires;
	}
	free(a.id);
	mlb_secret_free(a.secret);
	mlb_secret_free(a.token);
	return rc;
}

static void
ended(struct mlb_http_request *q)
{
	struct mlb_aws_chain *k = q->ctx;
	struct mlb_err err = MLB_ERR_INIT;
	enum mlb_remote_fault fault = MLB_FAULT_DENIED;
	int rc;

	if (q->rc) {
		err = q->err;
		q->err = (struct mlb_err)MLB_ERR_INIT;
		rc = q->rc;
		if (q->fault == MLB_FAULT_TRANSIENT || q->fault == MLB_FAULT_BUSY ||
		    q->fault == MLB_FAULT_TRUST)
			fault = q->fault;
	} else {
		rc = read_answer(&k->next, &q->answer, &err);
	}
	if (q->answer.data)
		explicit_bzero(q->answer.data, q->answer.len);
	if (rc) {
		mlb_err_wrap(&err, "cannot get credentials of %s", k->sts_role);
		mlb_aws_go_on(k, MLB_EREMOTE, fault, &err);
		return;
	}
	k->next_fetched = true;
	mlb_aws_go_on(k, mlb_aws_has(k, mlb_strdup(k->sts_role)), MLB_FAULT_NONE, &err);
}

/* ----------------------------------------------------------- the request */

static void
add_field(struct mlb_buf *form, const char *name, const char *value)
{
	mlb_buf_addf(form, "%s%s=", form->len ? "&" : "", name);
	mlb_sigv4_encode(form, value, false);
}

static int
region_of(char **out, struct mlb_aws_chain *k, struct mlb_err *err)
{
	static const char *const variables[] = { "AWS_REGION", "AWS_DEFAULT_REGION", NULL };

	return mlb_aws_setting(out, k->config, variables, "region", err);
}

static void
add_url(struct mlb_aws_chain *k, const char *region)
{
	const char *own = mlb_aws_env(k, "AWS_ENDPOINT_URL_STS");

	if (!own)
		own = mlb_aws_env(k, "AWS_ENDPOINT_URL");
	if (own)
		mlb_buf_addf(&k->q.url, "%.*s/", (int)(strlen(own) - mlb_str_ends(own, "/")), own);
	else if (region)
		mlb_buf_addf(&k->q.url, "https://sts.%s.amazonaws.com%s/", region,
			     mlb_str_starts(region, "cn-") ? ".cn" : "");
	else
		mlb_buf_adds(&k->q.url, "https://sts.amazonaws.com/");
}

/* Signed by the key in k->next; the path is "/". */
static void
sign(struct mlb_aws_chain *k, const char *region)
{
	const char *url = mlb_buf_str(&k->q.url), *at = strstr(url, "://") + 3;
	char *host = mlb_strndup(at, strcspn(at, "/"));
	char now[MLB_SIGV4_TIME_LEN + 1], hex[MLB_HEX_LEN + 1];
	struct mlb_sigv4_pair header[4] = { { "host", host }, { "x-amz-date", now } };
	struct mlb_sigv4_request r = { "POST", "/", NULL, 0, header, 2, hex };
	const struct mlb_sigv4_key key = { &mlb_sigv4_aws, k->next.id, k->next.secret,
					   region ? region : "us-east-1", "sts" };
	struct mlb_buf text = MLB_BUF_INIT(MAX_TOKEN);
	struct mlb_digest d;

	mlb_sha256_of(&d, mlb_buf_str(&k->sts_form), k->sts_form.len);
	mlb_digest_hex(hex, &d);
	mlb_sigv4_time(now, mlb_clock_wall());
	if (k->next.token)
		header[r.n_header++] =
			(struct mlb_sigv4_pair){ "x-amz-security-token", k->next.token };
	mlb_sigv4_sign(&text, &key, &r, now);
	for (size_t i = 1; i < r.n_header; i++)
		mlb_http_header(&k->q, "%s: %s", header[i].name, header[i].value);
	mlb_http_header(&k->q, "Authorization: %s", mlb_buf_str(&text));
	mlb_buf_release(&text);
	free(host);
}

static int
check_url(const char *url, struct mlb_err *err)
{
	const char *path = mlb_str_starts(url, "https://")  ? url + 8
			   : mlb_str_starts(url, "http://") ? url + 7
							    : NULL;

	if (path && strcmp(path + strcspn(path, "/"), "/") == 0 && !strpbrk(path, "@?#"))
		return 0;
	return mlb_err_set(err, MLB_EREMOTE,
			   "AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL is no URL of a server: it is "
			   "written https://HOST");
}

/* role is what is asked for, in words; the form is k->sts_form. */
static int
ask(struct mlb_aws_chain *k, char *role, bool signs, struct mlb_err *err)
{
	char *region = NULL;
	int rc = region_of(&region, k, err);

	free(k->sts_role);
	k->sts_role = role;
	mlb_http_request_clear(&k->q);
	add_url(k, region);
	if (rc == 0)
		rc = check_url(mlb_buf_str(&k->q.url), err);
	if (rc == 0) {
		k->q.method = "POST";
		k->q.timeout = TIMEOUT;
		k->q.ctx = k;
		k->q.done = ended;
		k->q.body = mlb_buf_str(&k->sts_form);
		k->q.size = k->sts_form.len;
		mlb_http_header(&k->q, "Content-Type: application/x-www-form-urlencoded");
		if (signs)
			sign(k, region);
		mlb_http_start(k->http, &k->q);
	}
	free(region);
	return rc ? rc : MLB_SOURCE_ASKED;
}

/* --------------------------------------------------------- what is asked */

static void
begin_form(struct mlb_aws_chain *k, const char *action, const char *role, const char *session)
{
	mlb_buf_clear(&k->sts_form);
	add_field(&k->sts_form, "Action", action);
	add_field(&k->sts_form, "Version", VERSION);
	add_field(&k->sts_form, "RoleArn", role);
	add_field(&k->sts_form, "RoleSessionName", session && *session ? session : "mlbuild");
}

int
mlb_aws_ask_web_identity(struct mlb_aws_chain *k, const char *role, const char *session,
			 const char *file, struct mlb_err *err)
{
	struct mlb_buf token = MLB_BUF_INIT(MAX_TOKEN);
	int rc = mlb_fs_read(&token, file, err);

	if (rc == 0) {
		while (token.len && strchr(" \t\r\n", token.data[token.len - 1]))
			mlb_buf_truncate(&token, token.len - 1);
		mlb_http_secret(k->http, mlb_buf_str(&token));
		begin_form(k, "AssumeRoleWithWebIdentity", role, session);
		add_field(&k->sts_form, "WebIdentityToken", mlb_buf_str(&token));
		rc = ask(k, mlb_asprintf("role '%s' by the web identity in '%s'", role, file),
			 false, err);
	}
	if (token.data)
		explicit_bzero(token.data, token.cap);
	mlb_buf_release(&token);
	return rc;
}

int
mlb_aws_from_web_identity(struct mlb_aws_chain *k, struct mlb_err *err)
{
	const char *file = mlb_aws_env(k, "AWS_WEB_IDENTITY_TOKEN_FILE");
	const char *role = mlb_aws_env(k, "AWS_ROLE_ARN");

	if (!file)
		return mlb_aws_looked(k, "AWS_WEB_IDENTITY_TOKEN_FILE (not set)");
	if (!role)
		return mlb_err_set(err, MLB_EREMOTE,
				   "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
	return mlb_aws_ask_web_identity(k, role, mlb_aws_env(k, "AWS_ROLE_SESSION_NAME"), file,
					err);
}

int
mlb_aws_ask_role(struct mlb_aws_chain *k, const char *profile, struct mlb_err *err)
{
	const char *role = mlb_aws_files_get(k->files, MLB_AWS_EITHER, profile, "role_arn");
	const char *session =
		mlb_aws_files_get(k->files, MLB_AWS_EITHER, profile, "role_session_name");
	const char *external = mlb_aws_files_get(k->files, MLB_AWS_EITHER, profile, "external_id");
	const char *duration =
		mlb_aws_files_get(k->files, MLB_AWS_EITHER, profile, "duration_seconds");

	begin_form(k, "AssumeRole", role, session);
	if (external)
		add_field(&k->sts_form, "ExternalId", external);
	if (duration)
		add_field(&k->sts_form, "DurationSeconds", duration);
	return ask(k, mlb_asprintf("role '%s' of profile '%s'", role, profile), true, err);
}
