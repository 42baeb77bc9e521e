#include "remotes/aws_chain_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "os/clock.h"
#include "remotes/fault.h"

enum {
	EARLY = 300,      /* s before a key expires: fetch another */
	MAX_TEXT = 16384, /* of what was looked at */
	MAX_FORM = 256 * 1024
};

/* ns that what came of a round stands: also a key that lives shorter than EARLY. */
static const uint64_t stands_for = UINT64_C(10) * 1000000000;

static int (*const of_aws[])(struct mlb_aws_chain *k, struct mlb_err *err) = {
	mlb_aws_from_environment, mlb_aws_from_web_identity, mlb_aws_from_profile,
	mlb_aws_from_container,   mlb_aws_from_instance,     NULL,
};
static int (*const of_google[])(struct mlb_aws_chain *k, struct mlb_err *err) = {
	mlb_aws_from_google,
	mlb_aws_from_boto,
	NULL,
};
static int (*const of_profile[])(struct mlb_aws_chain *k, struct mlb_err *err) = {
	mlb_aws_from_profile,
	NULL,
};

struct mlb_aws_chain *
mlb_aws_chain_new(const struct mlb_remote_config *c, struct mlb_http *http,
		  enum mlb_aws_cloud cloud, void (*ready)(void *ctx), void *ctx)
{
	struct mlb_aws_chain *k = mlb_calloc(1, sizeof(*k));

	k->config = c;
	k->http = http;
	k->ready = ready;
	k->ctx = ctx;
	k->source = c->get(c, "profile")        ? of_profile
		    : cloud == MLB_CLOUD_GOOGLE ? of_google
						: of_aws;
	k->looked = (struct mlb_buf)MLB_BUF_INIT(MAX_TEXT);
	k->sts_form = (struct mlb_buf)MLB_BUF_INIT(MAX_FORM);
	mlb_http_request_init(&k->q);
	return k;
}

/* What is only there while a key is put together. */
static void
clear(struct mlb_aws_chain *k)
{
	mlb_aws_credentials_release(&k->next);
	free(k->next_origin);
	k->next_origin = NULL;
	k->next_fetched = false;
	for (size_t i = 0; i < k->role.n; i++)
		free(k->role.v[i]);
	k->role.n = 0;
	mlb_aws_files_free(k->files);
	k->files = NULL;
	mlb_secret_free(k->imds_token);
	free(k->imds_role);
	free(k->sts_role);
	k->imds_token = k->imds_role = k->sts_role = NULL;
	if (k->sts_form.data)
		explicit_bzero(k->sts_form.data, k->sts_form.cap);
	mlb_buf_clear(&k->sts_form);
	mlb_buf_clear(&k->looked);
	mlb_http_request_clear(&k->q);
}

void
mlb_aws_chain_free(struct mlb_aws_chain *k)
{
	if (!k)
		return;
	k->ready = NULL;
	if (k->state == MLB_KEY_ASKED)
		mlb_http_cancel(k->http, &k->q);
	clear(k);
	mlb_aws_credentials_release(&k->now);
	free(k->origin);
	mlb_vec_release(&k->role);
	mlb_buf_release(&k->looked);
	mlb_buf_release(&k->sts_form);
	mlb_http_request_release(&k->q);
	mlb_err_release(&k->err);
	free(k);
}

const char *
mlb_aws_env(const struct mlb_aws_chain *k, const char *name)
{
	const char *value = k->config->env(k->config, name);

	return value && *value ? value : NULL;
}

int
mlb_aws_has(struct mlb_aws_chain *k, char *origin)
{
	free(k->next_origin);
	k->next_origin = origin;
	return MLB_SOURCE_HAS;
}

int
mlb_aws_looked(struct mlb_aws_chain *k, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	mlb_vasprintf(&text, fmt, ap);
	va_end(ap);
	mlb_buf_addf(&k->looked, "%s%s", k->looked.len ? "; " : "", text);
	free(text);
	return MLB_SOURCE_NONE;
}

/* ------------------------------------------------------------ one round */

static void
take_over(struct mlb_aws_chain *k)
{
	mlb_aws_credentials_release(&k->now);
	free(k->origin);
	k->now = k->next;
	memset(&k->next, 0, sizeof(k->next));
	k->origin = k->next_origin;
	k->next_origin = NULL;
	k->fetched = k->next_fetched || k->now.expires != 0;
	k->state = MLB_KEY_HAS;
	k->tried = mlb_clock_mono();
	mlb_http_secret(k->http, k->now.secret);
	mlb_http_secret(k->http, k->now.token);
	clear(k);
}

static void
fail(struct mlb_aws_chain *k, enum mlb_remote_fault fault)
{
	k->state = MLB_KEY_FAILED;
	k->fault = fault;
	k->tried = mlb_clock_mono();
	clear(k);
}

static void
fail_with_nothing(struct mlb_aws_chain *k)
{
	bool google = k->source == of_google;

	mlb_err_set(&k->err, MLB_EREMOTE,
		    "no credentials were found; looked at: %s; set %s and %s, or name a profile "
		    "of ~/.aws/credentials by `profile` in [remote %s]",
		    mlb_buf_str(&k->looked), google ? "GS_ACCESS_KEY_ID" : "AWS_ACCESS_KEY_ID",
		    google ? "GS_SECRET_ACCESS_KEY" : "AWS_SECRET_ACCESS_KEY", k->config->name);
	fail(k, MLB_FAULT_DENIED);
}

/* A source has a key: assume the roles that it is for, or use it. */
static int
next_role(struct mlb_aws_chain *k, struct mlb_err *err)
{
	char *profile;
	int said;

	if (k->role.n == 0) {
		take_over(k);
		return MLB_SOURCE_HAS;
	}
	profile = k->role.v[--k->role.n];
	said = mlb_aws_ask_role(k, profile, err);
	free(profile);
	return said;
}

/* Until there is a key, none is to be had, or a request goes on. */
static void
look(struct mlb_aws_chain *k, int said, enum mlb_remote_fault fault)
{
	for (;;) {
		if (said == MLB_SOURCE_HAS) {
			said = next_role(k, &k->err);
			fault = MLB_FAULT_DENIED;
		}
		if (said < 0) {
			fail(k, fault);
			return;
		}
		if (said != MLB_SOURCE_NONE) {
			if (said == MLB_SOURCE_ASKED)
				k->state = MLB_KEY_ASKED;
			return;
		}
		if (k->only || !k->source[k->at]) {
			fail_with_nothing(k);
			return;
		}
		said = k->source[k->at++](k, &k->err);
		fault = MLB_FAULT_DENIED;
	}
}

void
mlb_aws_go_on(struct mlb_aws_chain *k, int said, enum mlb_remote_fault fault, struct mlb_err *err)
{
	if (said < 0) {
		mlb_err_release(&k->err);
		k->err = *err;
		*err = (struct mlb_err)MLB_ERR_INIT;
	}
	k->state = MLB_KEY_NONE;
	look(k, said, fault);
	if (k->state != MLB_KEY_ASKED && k->ready)
		k->ready(k->ctx);
}

/* ------------------------------------------------------------ the caller */

static int64_t
seconds(void)
{
	return mlb_clock_wall() / 1000000000;
}

static bool
lives(const struct mlb_aws_chain *k, int64_t early)
{
	return k->now.id && (k->now.expires == 0 || k->now.expires - early > seconds());
}

static bool
is_due(const struct mlb_aws_chain *k)
{
	if (k->state == MLB_KEY_HAS && lives(k, EARLY))
		return false;
	if (k->state == MLB_KEY_HAS || k->state == MLB_KEY_FAILED)
		return mlb_clock_mono() - k->tried >= stands_for;
	return k->state == MLB_KEY_NONE;
}

int
mlb_aws_chain_get(struct mlb_aws_chain *k, const struct mlb_aws_credentials **out,
		  enum mlb_remote_fault *fault, struct mlb_err *err)
{
	*out = NULL;
	*fault = MLB_FAULT_NONE;
	if (is_due(k)) {
		mlb_err_release(&k->err);
		k->at = 0;
		k->only = false;
		k->state = MLB_KEY_NONE;
		look(k, MLB_SOURCE_NONE, MLB_FAULT_DENIED);
	}
	if (lives(k, 0)) {
		*out = &k->now;
		return 0;
	}
	if (k->state == MLB_KEY_FAILED) {
		*fault = k->fault;
		return mlb_err_set(err, (enum mlb_code)mlb_remote_fault_code(k->fault), "%s",
				   k->err.text);
	}
	if (k->state == MLB_KEY_HAS) {
		*fault = MLB_FAULT_DENIED;
		return mlb_err_set(
			err, MLB_EREMOTE,
			"the credentials have expired; get new ones where they are from: %s",
			k->origin);
	}
	return 0;
}

bool
mlb_aws_chain_renew(struct mlb_aws_chain *k, const char *id)
{
	if (k->state != MLB_KEY_HAS || strcmp(k->now.id, id) != 0)
		return k->state != MLB_KEY_FAILED; /* another one is there, or on its way */
	if (!k->fetched)
		return false;
	mlb_aws_credentials_release(&k->now);
	k->state = MLB_KEY_NONE;
	return true;
}

const char *
mlb_aws_chain_origin(const struct mlb_aws_chain *k)
{
	return k->origin ? k->origin : "";
}

/* ---------------------------------------------------- the environment */

static int
from_pair(struct mlb_aws_chain *k, const char *id_name, const char *secret_name,
	  const char *token_name, struct mlb_err *err)
{
	const char *id = mlb_aws_env(k, id_name), *secret = mlb_aws_env(k, secret_name);

	if (!id && !secret)
		return mlb_aws_looked(k, "%s (not set)", id_name);
	if (!id || !secret)
		return mlb_err_set(err, MLB_EREMOTE, "%s is set, but %s is not; set or unset both",
				   id ? id_name : secret_name, id ? secret_name : id_name);
	mlb_aws_credentials_set(&k->next, id, secret,
				token_name ? mlb_aws_env(k, token_name) : NULL);
	return mlb_aws_has(k, mlb_strdup(id_name));
}

int
mlb_aws_from_environment(struct mlb_aws_chain *k, struct mlb_err *err)
{
	return from_pair(k, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", err);
}

int
mlb_aws_from_google(struct mlb_aws_chain *k, struct mlb_err *err)
{
	const char *id = mlb_aws_env(k, "AWS_ACCESS_KEY_ID");
	int said = from_pair(k, "GS_ACCESS_KEY_ID", "GS_SECRET_ACCESS_KEY", NULL, err);

	if (said != MLB_SOURCE_NONE)
		return said;
	if (!id || !mlb_str_starts(id, "GOOG"))
		return mlb_aws_looked(k, "AWS_ACCESS_KEY_ID (%s)",
				      id ? "not one of Google's" : "not set");
	return from_pair(k, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", NULL, err);
}
