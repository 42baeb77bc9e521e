/*
 * The worked examples of Microsoft's page "Authorize with Shared Key", with signatures
 * that Python's hmac makes of them and the key below.
 */
#include "unit.h"

#include "remotes/azure_sign.h"

#define KEY "a key of 33 bytes, as it is known"

static void
check(const struct mlb_azure_request *r, const char *text, const char *authorization)
{
	struct mlb_buf got = MLB_BUF_INIT(4096);

	mlb_azure_string_to_sign(&got, r);
	assert_string_equal(mlb_buf_str(&got), text);
	mlb_buf_clear(&got);
	mlb_azure_sign(&got, r, KEY, strlen(KEY));
	assert_string_equal(mlb_buf_str(&got), authorization);
	mlb_buf_release(&got);
}

static void
metadata_of_a_container(void **state)
{
	static const struct mlb_azure_pair query[] = { { "restype", "container" },
						       { "comp", "metadata" },
						       { "timeout", "20" } };
	char *line[] = { (char[]){ "x-ms-version: 2015-02-21" },
			 (char[]){ "x-ms-date: Fri, 26 Jun 2015 23:39:12 GMT" } };
	const struct mlb_strvec header = { line, 2, 2 };
	const struct mlb_azure_request r = { "myaccount", "GET", "/mycontainer", query, 3,
					     &header,     0 };

	(void)state;
	check(&r,
	      "GET\n\n\n\n\n\n\n\n\n\n\n\n"
	      "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
	      "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20",
	      "SharedKey myaccount:cW6sJGznTiekpObVB67PA0Uo7ADu1Lt8JxnAQjGoNpY=");
}

/* As the page tells of 2015-02-21: a length of zero is no text; of others it is one. */
static void
put_of_bytes(void **state)
{
	char *line[] = { (char[]){ "X-MS-Date: Sun, 11 Oct 2009 19:52:39 GMT" },
			 (char[]){ "Content-Type: text/plain; charset=UTF-8" },
			 (char[]){ "If-None-Match: *" },
			 (char[]){ "content-md5: XrY7u+Ae7tCTyyK7j1rNww==" },
			 (char[]){ "x-ms-blob-type:\t BlockBlob" },
			 (char[]){ "x-ms-version: 2021-12-02" } };
	const struct mlb_strvec header = { line, 6, 6 };
	struct mlb_azure_request r = { "acc", "PUT", "/acc/con/a%20b/x", NULL, 0, &header, 11 };

	(void)state;
	check(&r,
	      "PUT\n\n\n11\nXrY7u+Ae7tCTyyK7j1rNww==\ntext/plain; charset=UTF-8\n\n\n\n*\n\n\n"
	      "x-ms-blob-type:BlockBlob\nx-ms-date:Sun, 11 Oct 2009 19:52:39 GMT\n"
	      "x-ms-version:2021-12-02\n/acc/acc/con/a%20b/x",
	      "SharedKey acc:ZpHB5LmImtMM+dMegTX18i5tR5EBfjdiV3cFqXiaT3w=");
	r.size = 0;
	check(&r,
	      "PUT\n\n\n\nXrY7u+Ae7tCTyyK7j1rNww==\ntext/plain; charset=UTF-8\n\n\n\n*\n\n\n"
	      "x-ms-blob-type:BlockBlob\nx-ms-date:Sun, 11 Oct 2009 19:52:39 GMT\n"
	      "x-ms-version:2021-12-02\n/acc/acc/con/a%20b/x",
	      "SharedKey acc:LlcSLKWJzPnBzTu31tt5BkduWNbqt1JQpVgTqAPu4Ls=");
}

static void
get_of_a_range(void **state)
{
	char *line[] = { (char[]){ "Range: bytes=10-19" },
			 (char[]){ "x-ms-date: Fri, 26 Jun 2015 23:39:12 GMT" } };
	const struct mlb_strvec header = { line, 2, 2 };
	const struct mlb_azure_request r = { "acc", "GET", "/con/packs/1", NULL, 0, &header, 0 };

	(void)state;
	check(&r,
	      "GET\n\n\n\n\n\n\n\n\n\n\nbytes=10-19\n"
	      "x-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n/acc/con/packs/1",
	      "SharedKey acc:2mlXBcrWtAfIu6hxD8e2aMtBSk5+W7EKqxQlIcbdWuw=");
}

static void
dates(void **state)
{
	char text[MLB_AZURE_DATE_LEN + 1];

	(void)state;
	mlb_azure_date(text, 1435361952);
	assert_string_equal(text, "Fri, 26 Jun 2015 23:39:12 GMT");
	mlb_azure_date(text, 0);
	assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	mlb_azure_date(text, 253402300800); /* the year 10000 */
	assert_string_equal(text, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_of_a_container),
		cmocka_unit_test(put_of_bytes),
		cmocka_unit_test(get_of_a_range),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
