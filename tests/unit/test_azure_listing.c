/* What List Blobs answers, whole and in pieces of one byte, and what is no such answer. */
#include "unit.h"

#include "remotes/azure_listing.h"

static struct mlb_buf seen;

static int
entry(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	if (op->ctx)
		return mlb_err_set(err, MLB_EINTERRUPTED, "enough");
	mlb_buf_addf(&seen, "%s %llu %lld\n", e->name, (unsigned long long)e->size,
		     (long long)e->mtime);
	return 0;
}

/* The marker is left in seen, behind the entries. */
static int
read_listing(const char *prefix, const char *text, size_t piece, void *ctx, struct mlb_err *err)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_LIST, .entry = entry, .ctx = ctx };
	struct mlb_azure_listing l;
	size_t len = strlen(text);
	int rc = 0;

	mlb_buf_release(&seen);
	mlb_buf_init(&seen, 4096);
	mlb_azure_listing_init(&l, &op, prefix);
	for (size_t at = 0; !rc && at < len; at += piece)
		rc = mlb_azure_listing_feed(&l, text + at, MLB_MIN(piece, len - at), err);
	if (!rc)
		rc = mlb_azure_listing_finish(&l, err);
	mlb_buf_addf(&seen, "next '%s'", mlb_buf_str(&l.marker));
	mlb_azure_listing_release(&l);
	return rc;
}

#define HEAD                                                                                       \
	"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults "               \
	"ServiceEndpoint=\"https://a.blob.core.windows.net/\" ContainerName=\"con\">"
#define PROPERTIES                                                                                 \
	"<Properties><Creation-Time>Thu, 01 Jan 1970 00:00:00 GMT</Creation-Time>"                 \
	"<Last-Modified>Fri, 26 Jun 2015 23:39:12 GMT</Last-Modified><Etag>0x8D</Etag>"            \
	"<Content-Length>7</Content-Length></Properties>"

static const char full[] = HEAD
	"<Prefix>p/packs/</Prefix><MaxResults>5000</MaxResults><Delimiter>/</Delimiter><Blobs>"
	"<Blob><Name>p/packs/a1</Name>" PROPERTIES "<OrMetadata /></Blob>"
	"<BlobPrefix><Name>p/packs/deeper/</Name></BlobPrefix>"
	"<Blob><Name>p/packs/no name</Name>" PROPERTIES "</Blob>"
	"<Blob><Name>p/packs/deeper/x</Name>" PROPERTIES "</Blob>"
	"<Blob><Name>p/packs/.hidden</Name>" PROPERTIES "</Blob>"
	"<Blob><Name>p/packs/</Name>" PROPERTIES "</Blob>"
	"<Blob><Name>p/packs/b2</Name><Properties><Last-Modified>yesterday</Last-Modified>"
	"<Content-Length>0</Content-Length></Properties></Blob>"
	"</Blobs><NextMarker>2!92!MDAw&amp;</NextMarker></EnumerationResults>";

static void
blobs_and_the_marker(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(read_listing("p/packs/", full, sizeof(full), NULL, &err));
	assert_string_equal(mlb_buf_str(&seen), "a1 7 1435361952\nb2 0 0\nnext '2!92!MDAw&'");
	assert_ok(read_listing("p/packs/", full, 1, NULL, &err));
	assert_string_equal(mlb_buf_str(&seen), "a1 7 1435361952\nb2 0 0\nnext '2!92!MDAw&'");
	assert_ok(read_listing("", HEAD "<Blobs /><NextMarker /></EnumerationResults>", 7, NULL,
			       &err));
	assert_string_equal(mlb_buf_str(&seen), "next ''");
}

static void
what_was_not_asked_for(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_err(read_listing("q/", full, 64, NULL, &err), MLB_EREMOTE, "is not below 'q/'");
	assert_err(read_listing("p/packs/", full, 64, &err, &err), MLB_EINTERRUPTED, "enough");
}

static void
what_is_no_listing(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_err(read_listing("", "<html><body /></html>", 64, NULL, &err), MLB_EREMOTE,
		   "no listing");
	assert_err(read_listing("", HEAD "<Blobs><Blob><Name>a</Name></Blob></Blobs>", 64, NULL,
				&err),
		   MLB_EREMOTE, "lists 'a' without its size");
	assert_int_equal(read_listing("", HEAD "<Blobs>", 64, NULL, NULL), MLB_EREMOTE);
	assert_int_equal(read_listing("", "", 64, NULL, NULL), MLB_EREMOTE);
}

static int
teardown(void **state)
{
	(void)state;
	mlb_buf_release(&seen);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_and_the_marker),
		cmocka_unit_test(what_was_not_asked_for),
		cmocka_unit_test(what_is_no_listing),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
