/* What failures of Azure Storage mean, from answers as its documentation shows them. */
#include "unit.h"

#include "os/clock.h"
#include "remotes/azure_int.h"
#include "remotes/azure_sign.h"
#include "remotes/fault.h"

static struct azure place = { .account = (char[]){ "acc" },
			      .container = (char[]){ "con" },
			      .prefix = (char[]){ "p/" } };

/* The answer of a server whose clock is ahead of ours by this many seconds. */
static void
check(unsigned status, const char *code, const char *body, int64_t ahead, bool if_absent,
      enum mlb_remote_fault fault, const char *words)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_PUT, .name = "x", .if_absent = if_absent };
	struct mlb_http_request q;
	char date[MLB_AZURE_DATE_LEN + 1];

	mlb_azure_date(date, mlb_clock_wall() / 1000000000 + ahead);
	mlb_http_request_init(&q);
	q.status = status;
	if (code)
		mlb_buf_addf(&q.head, "x-ms-error-code%c%s%c", '\0', code, '\0');
	mlb_buf_addf(&q.head, "Date%c%s%c", '\0', date, '\0');
	mlb_buf_adds(&q.answer, body);
	mlb_http_fail(&q, mlb_http_fault(status), "as it was");
	azure_judge(&place, &op, &q);
	if (!strstr(q.err.text, words))
		print_error("no '%s' in: %s\n", words, q.err.text);
	assert_non_null(strstr(q.err.text, words));
	assert_int_equal(q.fault, fault);
	assert_int_equal(q.rc, mlb_remote_fault_code(fault));
	assert_int_equal(q.err.code, q.rc);
	mlb_http_request_release(&q);
}

static void
with_key(void)
{
	mlb_azure_credentials_init(&place.credentials);
	mlb_buf_adds(&place.credentials.key, "key");
}

static void
with_sas(const char *sas)
{
	mlb_azure_credentials_init(&place.credentials);
	place.credentials.sas = mlb_strdup(sas);
}

#define REFUSED                                                                                    \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthenticationFailed</Code>"       \
	"<Message>Server failed to authenticate the request. Make sure the value of "              \
	"Authorization header is formed correctly including the signature.</Message>"

static void
names_and_places(void **state)
{
	(void)state;
	with_key();
	check(404, "BlobNotFound", "", 0, false, MLB_FAULT_ABSENT, "as it was");
	check(404, NULL, "<Error><Code>ContainerNotFound</Code></Error>", 0, false, MLB_FAULT_PLACE,
	      "account 'acc' has no container 'con'");
	check(409, "BlobAlreadyExists", "", 0, true, MLB_FAULT_EXISTS, "has 'p/x' already");
	check(412, "ConditionNotMet", "", 0, true, MLB_FAULT_EXISTS, "has 'p/x' already");
	check(403, "UnauthorizedBlobOverwrite", "", 0, true, MLB_FAULT_EXISTS, "already");
	check(403, "UnauthorizedBlobOverwrite", "", 0, false, MLB_FAULT_DENIED, "as it was");
	check(412, "ConditionNotMet", "", 0, false, MLB_FAULT_OTHER, "as it was");
	check(409, "ContainerBeingDeleted", "", 0, false, MLB_FAULT_TRANSIENT, "as it was");
	mlb_azure_credentials_release(&place.credentials);
}

static void
what_may_be_tried_again(void **state)
{
	(void)state;
	with_key();
	check(503, "ServerBusy", "", 0, false, MLB_FAULT_BUSY, "as it was");
	check(500, "OperationTimedOut", "", 0, false, MLB_FAULT_TRANSIENT, "as it was");
	check(400, "Md5Mismatch", "", 0, false, MLB_FAULT_TRANSIENT, "as it was");
	check(400, "InvalidHeaderValue", "", 0, false, MLB_FAULT_OTHER, "as it was");
	mlb_azure_credentials_release(&place.credentials);
}

static void
keys_and_clocks(void **state)
{
	(void)state;
	with_key();
	check(403, "AuthenticationFailed", REFUSED "</Error>", 0, false, MLB_FAULT_DENIED,
	      "does not accept the account key");
	check(403, "AuthenticationFailed", REFUSED "</Error>", 3600, false, MLB_FAULT_CLOCK,
	      "behind that of account 'acc'");
	check(403, "AuthenticationFailed", REFUSED "</Error>", -3600, false, MLB_FAULT_CLOCK,
	      "ahead of that of account 'acc'");
	check(403, NULL,
	      REFUSED "<AuthenticationErrorDetail>Request date header too old: 'Fri, 26 Jun 2015 "
		      "23:39:12 GMT'</AuthenticationErrorDetail></Error>",
	      0, false, MLB_FAULT_CLOCK, "set it");
	check(403, "AuthorizationPermissionMismatch", "", 3600, false, MLB_FAULT_DENIED,
	      "as it was");
	mlb_azure_credentials_release(&place.credentials);
}

static void
tokens(void **state)
{
	(void)state;
	with_sas("sv=2021-12-02&se=2020-02-03T04%3A05%3A06Z&sp=r&sig=x");
	check(403, "AuthenticationFailed", REFUSED "</Error>", 0, false, MLB_FAULT_DENIED,
	      "has expired at 2020-02-03T04:05:06Z");
	mlb_azure_credentials_release(&place.credentials);
	with_sas("se=2099-01-01T00:00:00Z&st=2098-01-01T00:00:00Z&sig=x");
	check(403, "AuthorizationFailure", "", 0, false, MLB_FAULT_DENIED,
	      "valid from 2098-01-01T00:00:00Z on");
	mlb_azure_credentials_release(&place.credentials);
	with_sas("sig=x&nose=2020-02-03T04:05:06Z&se=never");
	check(403, "AuthenticationFailed", REFUSED "</Error>", 3600, false, MLB_FAULT_DENIED,
	      "does not accept the SAS token");
	check(403, "AuthorizationPermissionMismatch", "", 0, false, MLB_FAULT_DENIED, "as it was");
	mlb_azure_credentials_release(&place.credentials);
}

static void
nothing_to_show(void **state)
{
	(void)state;
	mlb_azure_credentials_init(&place.credentials);
	check(404, "ResourceNotFound", "", 0, false, MLB_FAULT_DENIED, "there are no credentials");
	check(401, "NoAuthenticationInformation", "", 0, false, MLB_FAULT_DENIED, "no credentials");
	check(409, "PublicAccessNotPermitted", "", 0, false, MLB_FAULT_DENIED, "no credentials");
	check(404, "BlobNotFound", "", 0, false, MLB_FAULT_ABSENT, "as it was");
	mlb_azure_credentials_release(&place.credentials);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_places), cmocka_unit_test(what_may_be_tried_again),
		cmocka_unit_test(keys_and_clocks),  cmocka_unit_test(tokens),
		cmocka_unit_test(nothing_to_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
