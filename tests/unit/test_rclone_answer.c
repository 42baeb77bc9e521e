/* What rclone answers, and what its words mean. */
#include "unit.h"

#include "remotes/rclone_answer.h"

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

static int
list(const char *text, void *ctx, struct mlb_err *err)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_LIST, .entry = entry, .ctx = ctx };

	mlb_buf_release(&seen);
	mlb_buf_init(&seen, 4096);
	return mlb_rclone_list(&op, text, strlen(text), err);
}

#define FILE_X                                                                                     \
	"{\"Path\":\"packs/x\",\"Name\":\"x\",\"Size\":7,"                                         \
	"\"ModTime\":\"2026-12-01T13:14:27.281130469Z\",\"IsDir\":false}"

static void
files_of_a_listing(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(list("{\"list\":[" FILE_X ","
		       "{\"Name\":\"deep\",\"Size\":-1,\"ModTime\":\"\",\"IsDir\":true},"
		       "{\"Name\":\"no name\",\"Size\":1,\"IsDir\":false},"
		       "{\"Name\":\"../up\",\"Size\":1,\"IsDir\":false},"
		       "{\"Name\":\"a/b\",\"Size\":1,\"IsDir\":false},"
		       "{\"Name\":\"sizeless\",\"Size\":-1,\"IsDir\":false},"
		       "{\"Name\":7,\"Size\":1,\"IsDir\":false}, 5, null,"
		       "{\"Name\":\"y\",\"Size\":0,\"ModTime\":\"soon\",\"IsDir\":false}]}",
		       NULL, &err));
	assert_string_equal(mlb_buf_str(&seen), "x 7 1796130867\ny 0 0\n");
	assert_ok(list("{\"list\":[]}", NULL, &err));
	assert_string_equal(mlb_buf_str(&seen), "");
	assert_err(list("{\"list\":[" FILE_X "]}", &err, &err), MLB_EINTERRUPTED, "enough");
}

static void
what_is_no_listing(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_err(list("{\"list\":null}", NULL, &err), MLB_EREMOTE, "no list");
	assert_err(list("{\"list\":[", NULL, &err), MLB_EREMOTE, "no JSON object");
	assert_err(list("[]", NULL, &err), MLB_EREMOTE, "no JSON object");
	assert_err(list("", NULL, &err), MLB_EREMOTE, "no JSON object");
}

static void
one_file(void **state)
{
	static const char file[] = "{\"item\":" FILE_X "}";
	static const char none[] = "{\"item\":null}";
	static const char directory[] = "{\"item\":{\"Name\":\"x\",\"Size\":-1,\"IsDir\":true}}";
	struct mlb_err err = MLB_ERR_INIT;
	uint64_t size;
	int64_t mtime;
	bool there;

	(void)state;
	assert_ok(mlb_rclone_item(&there, &size, &mtime, file, strlen(file), &err));
	assert_true(there && size == 7 && mtime == 1796130867);
	assert_ok(mlb_rclone_item(&there, &size, &mtime, none, strlen(none), &err));
	assert_false(there);
	assert_ok(mlb_rclone_item(&there, &size, &mtime, directory, strlen(directory), &err));
	assert_false(there);
	assert_err(mlb_rclone_item(&there, &size, &mtime, "{}", 2, &err), MLB_EREMOTE, "no item");
}

static void
expect_words(const char *text, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(4096);

	assert_int_equal(mlb_rclone_words(&got, text, strlen(text)), want != NULL);
	assert_string_equal(mlb_buf_str(&got), want ? want : "");
	mlb_buf_release(&got);
}

static void
words_without_secrets(void **state)
{
	(void)state;
	expect_words("{\"error\":\"object not found\",\"status\":404}", "object not found");
	expect_words("{\"error\":\"Get \\\"https://me:pw@a.net/c/x?sv=1&sig=s3cret\\\": EOF\"}",
		     "Get \"https://a.net/c/x?...\": EOF");
	expect_words("{\"error\":\"two\\nlines http://h/p?q#f\"}", "two lines http://h/p?...");
	expect_words("{\"error\":\"\"}", NULL);
	expect_words("{\"status\":500}", NULL);
	expect_words("<html>", NULL);
}

static void
meanings(void **state)
{
	(void)state;
	assert_int_equal(mlb_rclone_fault("failed to find object: object not found"),
			 MLB_FAULT_ABSENT);
	assert_int_equal(mlb_rclone_fault("didn't find section in config file"), MLB_FAULT_PLACE);
	assert_int_equal(mlb_rclone_fault("open /x: permission denied"), MLB_FAULT_DENIED);
	assert_int_equal(mlb_rclone_fault("write /x: no space left on device"), MLB_FAULT_FULL);
	assert_int_equal(mlb_rclone_fault("googleapi: Error 403: Quota exceeded, "
					  "userRateLimitExceeded"),
			 MLB_FAULT_BUSY);
	assert_int_equal(mlb_rclone_fault("x509: certificate signed by unknown authority"),
			 MLB_FAULT_TRUST);
	assert_int_equal(mlb_rclone_fault("couldn't find method \"operations/stat\""),
			 MLB_FAULT_OTHER);
	assert_int_equal(mlb_rclone_fault("read tcp: connection reset by peer"),
			 MLB_FAULT_TRANSIENT);
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
		cmocka_unit_test(files_of_a_listing), cmocka_unit_test(what_is_no_listing),
		cmocka_unit_test(one_file),           cmocka_unit_test(words_without_secrets),
		cmocka_unit_test(meanings),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
