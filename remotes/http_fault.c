/* What a failure means: whether to try again, and what to tell the user to do. */
#include <string.h>

#include "remotes/http_priv.h"

static const struct {
	unsigned status;
	enum mlb_remote_fault fault;
	const char *reason;
	const char *advice; /* or NULL */
} statuses[] = {
	{ 400, MLB_FAULT_OTHER, "Bad Request", NULL },
	{ 401, MLB_FAULT_DENIED, "Unauthorized", "the credentials are missing or wrong" },
	{ 402, MLB_FAULT_DENIED, "Payment Required", NULL },
	{ 403, MLB_FAULT_DENIED, "Forbidden", "these credentials have no right to do that there" },
	{ 404, MLB_FAULT_ABSENT, "Not Found", NULL },
	{ 405, MLB_FAULT_OTHER, "Method Not Allowed",
	  "the server does not offer that there: is the url right?" },
	{ 407, MLB_FAULT_DENIED, "Proxy Authentication Required",
	  "give user and password in https_proxy" },
	{ 408, MLB_FAULT_TRANSIENT, "Request Timeout", NULL },
	{ 409, MLB_FAULT_OTHER, "Conflict", NULL },
	{ 410, MLB_FAULT_ABSENT, "Gone", NULL },
	{ 412, MLB_FAULT_OTHER, "Precondition Failed", NULL },
	{ 413, MLB_FAULT_OTHER, "Content Too Large",
	  "the server takes no bodies of this size: its administrator can raise the limit" },
	{ 416, MLB_FAULT_OTHER, "Range Not Satisfiable", NULL },
	{ 423, MLB_FAULT_TRANSIENT, "Locked", NULL },
	{ 425, MLB_FAULT_TRANSIENT, "Too Early", NULL },
	{ 429, MLB_FAULT_BUSY, "Too Many Requests", NULL },
	{ 500, MLB_FAULT_TRANSIENT, "Internal Server Error", NULL },
	{ 501, MLB_FAULT_OTHER, "Not Implemented",
	  "the server does not offer that there: is the url right?" },
	{ 502, MLB_FAULT_TRANSIENT, "Bad Gateway", NULL },
	{ 503, MLB_FAULT_BUSY, "Service Unavailable", NULL },
	{ 504, MLB_FAULT_TRANSIENT, "Gateway Timeout", NULL },
	{ 507, MLB_FAULT_FULL, "Insufficient Storage", "no space or quota is left there" },
	{ 509, MLB_FAULT_BUSY, "Bandwidth Limit Exceeded", NULL },
	{ 511, MLB_FAULT_OTHER, "Network Authentication Required",
	  "this network wants a login first" },
};

static size_t
find(unsigned status)
{
	size_t i = 0;

	while (i < MLB_ARRAY_LEN(statuses) && statuses[i].status != status)
		i++;
	return i;
}

enum mlb_remote_fault
mlb_http_fault(unsigned status)
{
	size_t i = find(status);

	return i < MLB_ARRAY_LEN(statuses) ? statuses[i].fault : MLB_FAULT_OTHER;
}

const char *
mlb_http_reason(unsigned status)
{
	size_t i = find(status);

	return i < MLB_ARRAY_LEN(statuses) ? statuses[i].reason : "";
}

const char *
mlb_http_advice(unsigned status)
{
	size_t i = find(status);

	return i < MLB_ARRAY_LEN(statuses) ? statuses[i].advice : NULL;
}

/* ------------------------------------------------------------ libcurl's failures */

/* A TLS alert of the server says that it wants another certificate of ours, or any. */
static bool
wants_certificate(const char *said)
{
	return strstr(said, "alert") && (strstr(said, "certificate") || strstr(said, "unknown ca"));
}

static enum mlb_remote_fault
tls_fault(CURLcode code, const char *said, const char **advice)
{
	if (wants_certificate(said)) {
		*advice = "the server wants a client's certificate that it knows: set cert and key";
		return MLB_FAULT_DENIED;
	}
	if (code != CURLE_SSL_CONNECT_ERROR)
		return MLB_FAULT_TRANSIENT;
	if (strstr(said, "wrong version number")) {
		*advice = "no TLS is spoken there: is the url right?";
		return MLB_FAULT_OTHER;
	}
	return strstr(said, "alert") ? MLB_FAULT_OTHER : MLB_FAULT_TRANSIENT;
}

static enum mlb_remote_fault
trust_fault(const char *said, const char **advice)
{
	if (strstr(said, "not yet valid"))
		*advice = "is the clock of this machine right?";
	else if (strstr(said, "expired"))
		*advice = "its administrator must renew it, unless the clock here is wrong";
	else if (strstr(said, "subject name") || strstr(said, "hostname"))
		*advice = "it was made for another host: is the url right?";
	else
		*advice = "if you trust the server name its CA's file by the key ca";
	return MLB_FAULT_TRUST;
}

enum mlb_remote_fault
mlb_http_curl_fault(CURLcode code, const char *said, const char **advice)
{
	*advice = NULL;
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		*advice = "is the url right, and this machine on line?";
		return MLB_FAULT_PLACE;
	case CURLE_COULDNT_RESOLVE_PROXY:
		*advice = "look at http_proxy and https_proxy in the environment";
		return MLB_FAULT_PLACE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return trust_fault(said, advice);
	case CURLE_SSL_CACERT_BADFILE:
		*advice = "look at ca, or at SSL_CERT_FILE in the environment";
		return MLB_FAULT_TRUST;
	case CURLE_SSL_CERTPROBLEM:
		*advice = "look at cert and key: PEM, and the key without a passphrase";
		return MLB_FAULT_DENIED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return tls_fault(code, said, advice);
	case CURLE_COULDNT_CONNECT:
		*advice = "does the server run, and is the url right?";
		return MLB_FAULT_TRANSIENT;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_UPLOAD_FAILED:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_PROXY:
	case CURLE_AGAIN:
		return MLB_FAULT_TRANSIENT;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
		*advice = "is the url right?";
		return MLB_FAULT_OTHER;
	default:
		return MLB_FAULT_OTHER;
	}
}
