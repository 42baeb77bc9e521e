/* What a command writes: whole lines, bounded, and without secrets. */
#include "job_fixture.h"

#include "base/text.h"
#include "engine/job_files.h"
#include "engine/job_log.h"

static void
lines_are_given_whole(void **state)
{
	struct fixture *f = *state;
	struct mlb_job_spec s = spec_of(
		f, "printf 'a\\nb'; sleep 0.05; printf 'c\\r\\n10%%\\r50%%\\r100%%\\n\\nlast'");
	struct mlb_job *j;

	assert_true(run(f, &s, &j).ok);
	assert_string_equal(mlb_buf_str(&f->lines), "a\nbc\n100%\n\nlast\n");
	mlb_job_free(j);
}

static void
much_output_is_read_to_the_end(void **state)
{
	struct fixture *f = *state;
	struct mlb_job_spec s = spec_of(f, "seq 1 300000");
	struct mlb_job *j;
	size_t len;
	const char *log, *gap;

	s.max_log = 100000;
	assert_true(run(f, &s, &j).ok);
	assert_int_equal(f->lines.len, 1988895);
	log = mlb_job_log(j, &len);
	assert_true(len > 90000 && len < 100100);
	assert_true(mlb_str_starts(log, "1\n2\n3\n"));
	assert_true(mlb_str_ends(log, "\n299999\n300000\n"));
	gap = strstr(log, "\n[... ");
	assert_non_null(gap);
	assert_non_null(strstr(gap, " bytes left out ...]\n2"));
	mlb_job_free(j);
}

/* The masked text of an input that arrives in pieces of n bytes. */
static char *
masked(const char *text, size_t n, const char *const *secret)
{
	struct mlb_joblog log;
	size_t len = strlen(text);
	char *out;

	mlb_joblog_init(&log, 1 << 20, secret);
	for (size_t i = 0; i < len; i += n)
		mlb_joblog_add(&log, text + i, MLB_MIN(n, len - i));
	mlb_joblog_end(&log);
	out = mlb_strdup(mlb_joblog_text(&log, &len));
	mlb_joblog_release(&log);
	return out;
}

static void
secrets_are_masked_wherever_they_are_cut(void **state)
{
	static const char *const secret[] = {
		"hunter2", "hunter", "abab", "", "first line\nsecond line\nok\n", "x", NULL
	};
	static const struct {
		const char *text, *want;
	} row[] = {
		{ "pw=hunter2!", "pw=******!" },
		{ "hunter", "******" },
		{ "hunte", "hunte" },
		{ "hunthunter3", "hunt******3" },
		{ "ababab c", "****** c" },
		{ "abaabab", "aba******" },
		{ "first line\nsecond line\nok", "******" },
		{ "| first line\n| second line\n| ok\n", "| ******\n| ******\n| ok\n" },
		{ "xx.x", "************.******" },
		{ "nothing", "nothing" },
		{ "hunter2hunter2", "************" },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(row); i++) {
		for (size_t n = 1; n < 40; n++) {
			char *got = masked(row[i].text, n, secret);
			assert_string_equal(got, row[i].want);
			free(got);
		}
	}
}

static void
secrets_stay_out_of_log_and_lines(void **state)
{
	struct fixture *f = *state;
	const char *const secret[] = { "s3cr3t", NULL };
	const char *const env[] = { "TOKEN=s3cr3t", NULL };
	struct mlb_job_spec s =
		spec_of(f, "printf s3c; sleep 0.05; printf 'r3t\\n'; echo $TOKEN; $TOKEN");
	struct mlb_job *j;
	struct mlb_job_end end;

	s.secret = secret;
	s.env = env;
	end = run(f, &s, &j);
	assert_int_equal(end.exit.code, 127);
	assert_null(strstr(end.reason, "s3cr3t"));
	assert_null(strstr(mlb_buf_str(&f->lines), "s3cr3t"));
	assert_null(strstr(get(f, ".mlbuild/logs/t.log"), "s3cr3t"));
	assert_true(mlb_str_starts(get(f, ".mlbuild/logs/t.log"), "******\n******\n"));
	mlb_job_free(j);
}

static void
bounds_of_the_log(void **state)
{
	struct mlb_joblog log;
	size_t len;

	(void)state;
	for (size_t max = 0; max < 40; max++) {
		for (size_t n = 0; n < 200; n += 7) {
			mlb_joblog_init(&log, max, NULL);
			for (size_t i = 0; i < n; i++)
				mlb_joblog_add(&log, &"ab\n"[i % 3], 1);
			const char *text = mlb_joblog_text(&log, &len);
			assert_int_equal(strlen(text), len);
			assert_true(len <= max + 64);
			if (n <= max / 2 * 2)
				assert_int_equal(len, n);
			mlb_joblog_release(&log);
		}
	}
}

static void
names_become_file_names(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(4096);
	char longer[600];

	(void)state;
	mlb_jobfiles_name(&b, "a/b@k=v,w");
	assert_string_equal(mlb_buf_str(&b), "a_b@k=v,w");
	mlb_jobfiles_name(&b, "..");
	assert_string_equal(mlb_buf_str(&b), "_..");
	memset(longer, 'n', sizeof(longer) - 1);
	longer[599] = '\0';
	mlb_jobfiles_name(&b, longer);
	assert_true(b.len < 230);
	mlb_buf_release(&b);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up_journal, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(lines_are_given_whole),
		TEST(much_output_is_read_to_the_end),
		cmocka_unit_test(secrets_are_masked_wherever_they_are_cut),
		TEST(secrets_stay_out_of_log_and_lines),
		cmocka_unit_test(bounds_of_the_log),
		cmocka_unit_test(names_become_file_names),
	};

	return cmocka_run_group_tests_name("job output", tests, NULL, NULL);
}
