/* What Azure Storage's error codes mean (REST API reference, "Blob service error codes"). */
#include <stdio.h>
#include <string.h>

#include "azure_int.h"
#include "base/text.h"
#include "iso_time.h"
#include "os/clock.h"
#include "url.h"

#define SKEW_MAX 600 /* s: the service takes 15 minutes */
#define NS_PER_S 1000000000

/* In alphabetical order; a code that is not here means what its status means. */
static const struct {
	const char *code;
	enum mlb_remote_fault fault;
} codes[] = {
	{ "AccountBeingCreated", MLB_FAULT_TRANSIENT },
	{ "BlobAlreadyExists", MLB_FAULT_EXISTS },
	{ "BlobImmutableDueToPolicy", MLB_FAULT_DENIED },
	{ "BlobNotFound", MLB_FAULT_ABSENT },
	{ "ContainerBeingDeleted", MLB_FAULT_TRANSIENT },
	{ "ContainerDisabled", MLB_FAULT_DENIED },
	{ "ContainerNotFound", MLB_FAULT_PLACE },
	{ "InternalError", MLB_FAULT_TRANSIENT },
	{ "Md5Mismatch", MLB_FAULT_TRANSIENT }, /* of what arrived there */
	{ "OperationTimedOut", MLB_FAULT_TRANSIENT },
	{ "PublicAccessNotPermitted", MLB_FAULT_DENIED },
	{ "ServerBusy", MLB_FAULT_BUSY },
};

static bool
has_code(const struct mlb_http_request *q, const char *code)
{
	const char *said = mlb_http_answered(q, "x-ms-error-code");
	char element[64];

	if (said)
		return !strcmp(said, code);
	snprintf(element, sizeof(element), "<Code>%s</Code>", code);
	return strstr(mlb_buf_str(&q->answer), element) != NULL;
}

static enum mlb_remote_fault
fault_of(const struct mlb_remote_op *op, const struct mlb_http_request *q)
{
	/* 412 is what a lost race may answer; the last one, who may create but not replace. */
	if (op->if_absent && (q->status == 412 || has_code(q, "UnauthorizedBlobOverwrite")))
		return MLB_FAULT_EXISTS;
	for (size_t i = 0; i < MLB_ARRAY_LEN(codes); i++)
		if (has_code(q, codes[i].code))
			return codes[i].fault;
	return q->fault;
}

/* Seconds by which the server's clock is ahead of ours; 0: it did not say. */
static int64_t
ahead(const struct mlb_http_request *q)
{
	int64_t theirs = mlb_http_time(q, "Date");

	return theirs ? theirs - mlb_clock_wall() / NS_PER_S : 0;
}

/* The time that a parameter of a SAS token names; 0: none. */
static int64_t
time_in(const char *sas, const char *name)
{
	struct mlb_buf value = MLB_BUF_INIT(64);
	size_t n = strlen(name);
	int64_t time = 0;

	for (const char *s = sas; s; s = strchr(s, '&')) {
		s += *s == '&';
		if (strncmp(s, name, n) != 0 || s[n] != '=')
			continue;
		if (!mlb_url_decode(&value, s + n + 1, strcspn(s + n + 1, "&")) ||
		    !mlb_iso_time(&time, mlb_buf_str(&value)))
			time = 0;
		break;
	}
	mlb_buf_release(&value);
	return time;
}

/* A SAS token is for some time only. False: that is not why it was refused. */
static bool
judge_times(const struct azure *a, struct mlb_http_request *q)
{
	const char *sas = a->credentials.sas;
	int64_t now = mlb_http_time(q, "Date");
	int64_t from = time_in(sas, "st"), until = time_in(sas, "se");
	struct mlb_buf text = MLB_BUF_INIT(128);

	if (!now)
		now = mlb_clock_wall() / NS_PER_S;
	if (until && until <= now) {
		mlb_add_time(&text, until * NS_PER_S);
		mlb_http_fail(q, MLB_FAULT_DENIED,
			      "the SAS token for container '%s' has expired at %s: have a new one "
			      "made",
			      a->container, mlb_buf_str(&text));
	} else if (from > now) {
		mlb_add_time(&text, from * NS_PER_S);
		mlb_http_fail(q, MLB_FAULT_DENIED,
			      "the SAS token for container '%s' is valid from %s on: whoever made "
			      "it should leave out its start, as clocks differ",
			      a->container, mlb_buf_str(&text));
	}
	mlb_buf_release(&text);
	return (until && until <= now) || from > now;
}

static void
judge_signature(const struct azure *a, struct mlb_http_request *q)
{
	int64_t by = ahead(q);
	bool skewed = by > SKEW_MAX || by < -SKEW_MAX;
	struct mlb_buf much = MLB_BUF_INIT(64);

	mlb_add_duration(&much, (uint64_t)(by < 0 ? -by : by) * NS_PER_S);
	if (a->credentials.sas)
		mlb_http_fail(q, MLB_FAULT_DENIED,
			      "account '%s' does not accept the SAS token: is it complete, and of "
			      "this account?",
			      a->account);
	else if (skewed || strstr(mlb_buf_str(&q->answer), "date header too old"))
		mlb_http_fail(q, MLB_FAULT_CLOCK,
			      "the clock of this machine is %s %s that of account '%s', which "
			      "therefore refuses: set it (timedatectl set-ntp true)",
			      mlb_buf_str(&much), by < 0 ? "ahead of" : "behind", a->account);
	else
		mlb_http_fail(q, MLB_FAULT_DENIED,
			      "account '%s' does not accept the account key: is it of this "
			      "account, and was it changed since?",
			      a->account);
	mlb_buf_release(&much);
}

void
azure_judge(const struct azure *a, const struct mlb_remote_op *op, struct mlb_http_request *q)
{
	bool none = !a->credentials.sas && !a->credentials.key.len;
	bool refused = q->status == 401 || q->status == 403;

	if (!q->rc || q->status < 300)
		return;
	mlb_http_fail(q, fault_of(op, q), "%s", q->err.text);
	if (q->fault == MLB_FAULT_PLACE)
		mlb_http_fail(q, MLB_FAULT_PLACE,
			      "account '%s' has no container '%s': make it, or mend the url",
			      a->account, a->container);
	else if (q->fault == MLB_FAULT_EXISTS)
		mlb_http_fail(q, MLB_FAULT_EXISTS, "container '%s' has '%s%s' already",
			      a->container, a->prefix, op->name);
	else if (none &&
		 (refused || has_code(q, "ResourceNotFound") || q->fault == MLB_FAULT_DENIED))
		mlb_http_fail(q, MLB_FAULT_DENIED,
			      "container '%s' of account '%s' is not for everybody, and there are "
			      "no credentials: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN",
			      a->container, a->account);
	else if (refused && !(a->credentials.sas && judge_times(a, q)) &&
		 (has_code(q, "AuthenticationFailed") ||
		  strstr(mlb_buf_str(&q->answer), "failed to authenticate")))
		judge_signature(a, q);
}
