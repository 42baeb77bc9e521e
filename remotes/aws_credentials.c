#include "remotes/aws_credentials.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "os/spawn.h"
#include "remotes/iso_time.h"

enum { MAX_ANSWER = 64 * 1024 };

static const uint64_t process_timeout = UINT64_C(60) * 1000000000; /* ns */

void
mlb_secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void
mlb_aws_credentials_release(struct mlb_aws_credentials *c)
{
	free(c->id);
	mlb_secret_free(c->secret);
	mlb_secret_free(c->token);
	memset(c, 0, sizeof(*c));
}

void
mlb_aws_credentials_set(struct mlb_aws_credentials *c, const char *id, const char *secret,
			const char *token)
{
	mlb_aws_credentials_release(c);
	c->id = mlb_strdup(id);
	c->secret = mlb_strdup(secret);
	c->token = token && *token ? mlb_strdup(token) : NULL;
}

/* ---------------------------------------------------------------- JSON */

/* A string that can be in a header, or NULL. */
static const char *
word(const json_t *json, const char *key)
{
	const char *s = json_string_value(json_object_get(json, key));

	if (!s || !*s)
		return NULL;
	for (const char *p = s; *p; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return NULL;
	}
	return s;
}

static int
take_json(struct mlb_aws_credentials *out, const json_t *json, bool process, struct mlb_err *err)
{
	const char *id = word(json, "AccessKeyId"), *secret = word(json, "SecretAccessKey");
	const char *token = word(json, "SessionToken");
	const json_t *expiration = json_object_get(json, "Expiration");
	int64_t expires = 0;

	if (process && json_integer_value(json_object_get(json, "Version")) != 1)
		return mlb_err_set(err, MLB_EINVALID, "the answer has no 'Version' 1");
	if (!id || !secret)
		return mlb_err_set(err, MLB_EINVALID, "the answer has no '%s'",
				   id ? "SecretAccessKey" : "AccessKeyId");
	if (json_is_string(expiration) && !mlb_iso_time(&expires, json_string_value(expiration)))
		return mlb_err_set(err, MLB_EINVALID, "'Expiration' of the answer is no time");
	mlb_aws_credentials_set(out, id, secret, token ? token : word(json, "Token"));
	out->expires = expires;
	return 0;
}

int
mlb_aws_credentials_json(struct mlb_aws_credentials *out, const char *text, size_t len,
			 bool process, struct mlb_err *err)
{
	json_t *json = json_loadb(text, len, 0, NULL);
	int rc;

	if (json_is_object(json))
		rc = take_json(out, json, process, err);
	else
		rc = mlb_err_set(err, MLB_EINVALID, "the answer is no JSON object");
	json_decref(json);
	return rc;
}

/* -------------------------------------------------------------- process */

static int
run(struct mlb_buf *out, struct mlb_exit *status, const char *command, struct mlb_err *err)
{
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct mlb_spawn what = { .argv = argv, .envp = (const char *const *)environ };
	int rc;

	/* What it says beside the answer may hold secrets, and is not shown. */
	what.err_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rc = mlb_spawn_capture(out, status, &what, process_timeout, err);
	if (what.err_fd >= 0)
		close(what.err_fd);
	return rc;
}

int
mlb_aws_credentials_process(struct mlb_aws_credentials *out, const char *command,
			    struct mlb_err *err)
{
	struct mlb_buf answer = MLB_BUF_INIT(MAX_ANSWER);
	struct mlb_exit status = { 0 };
	int rc = run(&answer, &status, command, err);

	if (rc == 0 && status.signal)
		rc = mlb_err_set(err, MLB_EFAILED, "it was ended by signal %d", status.signal);
	else if (rc == 0 && status.code != 0)
		rc = mlb_err_set(err, MLB_EFAILED,
				 "it failed with exit code %d; run it by hand to see why",
				 status.code);
	else if (rc == 0)
		rc = mlb_aws_credentials_json(out, mlb_buf_str(&answer), answer.len, true, err);
	if (answer.data)
		explicit_bzero(answer.data, answer.cap);
	mlb_buf_release(&answer);
	return rc;
}
