/* Jobs: what happens to files, output and processes when a command ends well, badly, late or never. */
#include "job_fixture.h"

#include <sys/stat.h>

#include "base/text.h"

#define S_NS UINT64_C(1000000000)

/* ------------------------------------------------------------------ files */

static void
success_replaces_the_old_output(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output out[] = { { "data/a", MLB_G_FILE, NULL },
					      { "d/e/b", MLB_G_FILE, NULL } };
	struct mlb_job_spec s =
		spec_of(f, "test ! -e data/a; echo new > data/a; echo b > d/e/b; echo said");
	struct mlb_job *j;
	struct mlb_job_end end;
	size_t len;

	put(f, "data/a", "old");
	s.output = out;
	s.n_outputs = 2;
	end = run(f, &s, &j);
	assert_true(end.ok);
	assert_string_equal(end.reason, "");
	assert_string_equal(end.missing, "");
	assert_int_equal(end.exit.code, 0);
	assert_true(end.duration_ns > 0 && end.started_wall > 0);
	assert_string_equal(mlb_job_log(j, &len), "said\n");
	assert_int_equal(len, 5);
	mlb_job_free(j);
	assert_string_equal(get(f, "data/a"), "new\n");
	assert_string_equal(get(f, "d/e/b"), "b\n");
	assert_int_equal(entries(f, ".mlbuild/tmp"), 0);
	assert_int_equal(entries(f, ".mlbuild/failed"), 0);
	assert_int_equal(entries(f, ".mlbuild/logs"), 0);
}

static void
failure_returns_the_old_output(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output out[] = { { "a", MLB_G_FILE, NULL },
					      { "new/deep/b", MLB_G_FILE, NULL },
					      { "dir", MLB_G_DIR, NULL } };
	struct mlb_job_spec s = spec_of(
		f,
		"echo half > a; echo b > new/deep/b; echo c > dir/c; echo oh; echo no >&2; exit 3");
	struct mlb_job *j;
	struct mlb_job_end end;

	put(f, "a", "old");
	put(f, "dir/keep/x", "x");
	put(f, ".mlbuild/failed/my@k=v,_w_x/before", "an earlier failure");
	s.name = "my@k=v,/w/x";
	s.output = out;
	s.n_outputs = 3;
	end = run(f, &s, &j);
	assert_false(end.ok);
	assert_true(end.no);
	assert_int_equal(end.exit.code, 3);
	assert_string_equal(end.reason, "exit code 3");
	assert_string_equal(mlb_job_kept(j), ".mlbuild/failed/my@k=v,_w_x");
	assert_string_equal(mlb_job_log_path(j), ".mlbuild/logs/my@k=v,_w_x.log");
	mlb_job_free(j);
	assert_string_equal(get(f, "a"), "old");
	assert_string_equal(get(f, "dir/keep/x"), "x");
	assert_string_equal(get(f, "dir/c"), "(absent)");
	assert_string_equal(get(f, "new"), "(absent)");
	assert_string_equal(get(f, ".mlbuild/failed/my@k=v,_w_x/before"), "(absent)");
	assert_string_equal(get(f, ".mlbuild/failed/my@k=v,_w_x/a"), "half\n");
	assert_string_equal(get(f, ".mlbuild/failed/my@k=v,_w_x/new/deep/b"), "b\n");
	assert_string_equal(get(f, ".mlbuild/failed/my@k=v,_w_x/dir/c"), "c\n");
	assert_string_equal(get(f, ".mlbuild/logs/my@k=v,_w_x.log"), "oh\nno\n");
	assert_int_equal(entries(f, ".mlbuild/tmp"), 0);
}

static void
an_output_must_be_there_and_of_its_kind(void **state)
{
	static const struct {
		const char *command, *reason;
		uint8_t kind;
	} row[] = {
		{ "true", "did not make 'o/x'", MLB_G_FILE },
		{ "rmdir o/x", "did not make 'o/x'", MLB_G_DIR },
		{ "mkdir o/x; touch o/x/y",
		  "made a directory 'o/x' where a file is declared; write 'out = o/x/' for a directory",
		  MLB_G_FILE },
		{ "mkdir o/x", "made a directory 'o/x' where a file is declared", MLB_G_METRICS },
		{ "rmdir o/x; echo > o/x", "made a file 'o/x' where a directory is declared",
		  MLB_G_DIR },
		{ "ln -s /etc/passwd o/x", "made a symbolic link 'o/x' where a file is declared",
		  MLB_G_FILE },
		{ "mkfifo o/x", "made a named pipe 'o/x' where a file is declared", MLB_G_FILE },
		{ "rm -r o", "did not make 'o/x'", MLB_G_FILE },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MLB_ARRAY_LEN(row); i++) {
		const struct mlb_job_output out = { "o/x", row[i].kind, NULL };
		struct mlb_job_spec s = spec_of(f, row[i].command);
		struct mlb_job *j;
		struct mlb_job_end end;

		s.output = &out;
		s.n_outputs = 1;
		for (int old = 0; old < 2; old++) {
			if (old)
				put(f, row[i].kind == MLB_G_DIR ? "o/x/z" : "o/x", "old");
			end = run(f, &s, &j);
			assert_false(end.ok);
			assert_false(end.no);
			assert_int_equal(end.exit.code, 0);
			assert_string_equal(end.reason, row[i].reason);
			assert_string_equal(end.missing, "o/x");
			mlb_job_free(j);
			if (old)
				assert_string_equal(
					get(f, row[i].kind == MLB_G_DIR ? "o/x/z" : "o/x"), "old");
			else
				assert_string_equal(get(f, "o"), "(absent)");
		}
		char *o = at(f, "o");
		assert_int_equal(mlb_fs_remove_tree(o, NULL), 0);
		free(o);
	}
}

static void
parents_stay_while_another_job_needs_them(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output one = { "m/p/one", MLB_G_FILE, NULL },
				    two = { "m/p/two", MLB_G_FILE, NULL };
	struct mlb_job_spec s1 = spec_of(f, "exit 1"),
			    s2 = spec_of(
				    f, "while ! test -e go; do sleep 0.01; done; echo 2 > m/p/two");
	struct mlb_job *j1, *j2;

	s1.output = &one;
	s2.output = &two;
	s1.n_outputs = s2.n_outputs = 1;
	j1 = start(f, &s1);
	j2 = start(f, &s2);
	finish(f, j1);
	assert_int_equal(mlb_job_reject(j1, false, NULL), 0);
	put(f, "go", "");
	assert_true(finish(f, j2).ok);
	assert_int_equal(mlb_job_accept(j2, NULL), 0);
	assert_string_equal(get(f, "m/p/two"), "2\n");
	mlb_job_free(j1);
	mlb_job_free(j2);
}

/* A time that it was stopped for is neither in its timeout nor in its duration. */
static void
skipped_time(void **state)
{
	const uint64_t minute = UINT64_C(60000000000);
	struct fixture *f = *state;
	struct mlb_job_spec s = spec_of(f, "true");
	struct mlb_job *j;
	uint64_t deadline;

	s.timeout_ns = minute;
	j = start(f, &s);
	deadline = mlb_job_deadline(j);
	mlb_job_skip(j, minute);
	assert_true(mlb_job_deadline(j) == deadline + minute);
	/* It began after that: it cannot have taken less than no time. */
	assert_true(finish(f, j).duration_ns < minute);
	mlb_job_free(j);
}

static void
a_no_keeps_its_reports(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output out = { "report", MLB_G_FILE, NULL };
	struct mlb_job_spec s = spec_of(f, "echo bad > report; exit 1");
	struct mlb_job *j;

	put(f, "report", "good");
	s.output = &out;
	s.n_outputs = 1;
	j = start(f, &s);
	assert_true(finish(f, j).no);
	assert_int_equal(mlb_job_reject(j, true, NULL), 0);
	mlb_job_free(j);
	assert_string_equal(get(f, "report"), "bad\n");
	assert_int_equal(entries(f, ".mlbuild/tmp"), 0);
	assert_int_equal(entries(f, ".mlbuild/failed"), 0);
}

static void
a_rejected_success_is_kept_too(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output out = { "a", MLB_G_FILE, NULL };
	struct mlb_job_spec s = spec_of(f, "echo new > a");
	struct mlb_job *j;

	put(f, "a", "old");
	s.output = &out;
	s.n_outputs = 1;
	j = start(f, &s);
	assert_true(finish(f, j).ok);
	mlb_job_free(j); /* neither accepted nor rejected */
	assert_string_equal(get(f, "a"), "old");
	assert_string_equal(get(f, ".mlbuild/failed/t/a"), "new\n");
}

static void
a_failed_start_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output out[] = { { "a", MLB_G_FILE, NULL },
					      { "n/b", MLB_G_FILE, NULL },
					      { "d", MLB_G_DIR, NULL } };
	struct mlb_job_spec s = spec_of(f, "true");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_job *j = NULL;

	put(f, "a", "old");
	put(f, ".mlbuild/failed/t/x", "kept from before");
	s.output = out;
	s.n_outputs = 3;
	s.shell = "/no/such/shell -c";
	assert_int_equal(mlb_job_start(&j, &s, f->journal, &err), MLB_ENOTFOUND);
	assert_null(j);
	assert_non_null(strstr(err.text, "/no/such/shell"));
	mlb_err_release(&err);
	s.shell = "";
	s.dir = "no/such/dir";
	assert_true(mlb_job_start(&j, &s, f->journal, &err) < 0);
	assert_non_null(strstr(err.text, "no/such/dir"));
	mlb_err_release(&err);
	s.dir = ".";
	put(f, "n", "a file where a directory must be");
	assert_true(mlb_job_start(&j, &s, f->journal, &err) < 0);
	mlb_err_release(&err);
	assert_string_equal(get(f, "a"), "old");
	assert_string_equal(get(f, "n"), "a file where a directory must be");
	assert_string_equal(get(f, "d"), "(absent)");
	assert_string_equal(get(f, ".mlbuild/failed/t/x"), "kept from before");
	assert_int_equal(entries(f, ".mlbuild/tmp"), 0);
}

static void
scratch_survives_failure(void **state)
{
	struct fixture *f = *state;
	char *scratch = at(f, ".mlbuild/scratch/k");
	struct mlb_job_spec s =
		spec_of(f, "cd .mlbuild/scratch/k; test -e ckpt || { echo 1 > ckpt; exit 9; }");
	struct mlb_job *j;

	s.scratch = scratch;
	assert_false(run(f, &s, &j).ok);
	mlb_job_free(j);
	assert_string_equal(get(f, ".mlbuild/scratch/k/ckpt"), "1\n");
	assert_true(run(f, &s, &j).ok);
	mlb_job_free(j);
	assert_string_equal(get(f, ".mlbuild/scratch/k"), "(absent)");
	free(scratch);
}

/* --------------------------------------------------------------- commands */

static void
what_a_command_is_started_with(void **state)
{
	struct fixture *f = *state;
	const char *env[] = { "SET=a b=c", "HOME", "EMPTY=", "MLBUILD_JOB=mine", NULL };
	struct mlb_job_spec s = spec_of(
		f,
		"echo \"$SET|${HOME-unset}|$EMPTY|$PATH\" | cut -c 1-12; pwd; echo $PWD; cat; echo ${#MLBUILD_JOB}");
	char *sub = at(f, "sub/dir");
	char *want;
	struct mlb_job *j;
	size_t len;

	assert_int_equal(mlb_fs_mkdirs(sub, NULL), 0);
	s.env = env;
	s.dir = "sub/dir";
	assert_true(run(f, &s, &j).ok);
	want = mlb_asprintf("a b=c|unset|\n%s\n%s\n32\n", sub, sub);
	assert_string_equal(mlb_job_log(j, &len), want);
	mlb_job_free(j);
	free(want);
	free(sub);
}

static void
an_outer_job_comes_first(void **state)
{
	struct fixture *f = *state;
	static const char outer[] = "0123456789abcdef0123456789abcdef";
	struct mlb_job_spec s = spec_of(f, "echo $MLBUILD_JOB");
	struct mlb_job *j;
	const char *log;
	size_t len;

	assert_int_equal(setenv("MLBUILD_JOB", outer, 1), 0);
	assert_true(run(f, &s, &j).ok);
	log = mlb_job_log(j, &len);
	assert_int_equal(len, 66);
	assert_memory_equal(log, outer, 32);
	assert_int_equal(log[32], '/');
	mlb_job_free(j);
	assert_int_equal(setenv("MLBUILD_JOB", "../../etc", 1), 0);
	assert_true(run(f, &s, &j).ok);
	mlb_job_log(j, &len);
	assert_int_equal(len, 33);
	mlb_job_free(j);
	unsetenv("MLBUILD_JOB");
}

static void
how_a_command_failed(void **state)
{
	static const struct {
		const char *shell, *command, *reason;
		int code;
	} row[] = {
		{ "", "no-such-command-here --flag",
		  "exit code 127: command not found: no-such-command-here", 127 },
		{ "", "true; no-such-command-here | cat", "", 0 },
		{ "", "true && no-such-command-here",
		  "exit code 127: command not found: no-such-command-here", 127 },
		{ "bash -eo pipefail -c", "no-such-command-here | cat",
		  "exit code 127: command not found: no-such-command-here", 127 },
		{ "", "exit 127", "exit code 127: command not found", 127 },
		{ "", "/etc/passwd", "exit code 126: a command could not be executed", 126 },
		{ "", "false | true", "", 0 },
		{ "bash -eo pipefail -c", "false | true", "exit code 1", 1 },
		{ "", "false\ntrue", "exit code 1", 1 },
		{ "", "kill -TERM $$", "killed by signal 15 (Terminated)", -1 },
		{ "", "sh -c 'kill -SEGV $$'; exit $?",
		  "exit code 139 (signal 11, Segmentation fault)", 139 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < MLB_ARRAY_LEN(row); i++) {
		struct mlb_job_spec s = spec_of(f, row[i].command);
		struct mlb_job *j;
		struct mlb_job_end end;

		s.shell = row[i].shell;
		end = run(f, &s, &j);
		assert_string_equal(end.reason, row[i].reason);
		assert_int_equal(end.exit.code, row[i].code);
		assert_int_equal(end.ok, row[i].code == 0);
		assert_int_equal(end.no, row[i].code >= 1 && row[i].code <= 125);
		mlb_job_free(j);
	}
}

static void
check_argv(const char *shell, const char *command, const char *script, const char *want)
{
	struct mlb_strvec v = MLB_VEC_INIT;
	struct mlb_buf b = MLB_BUF_INIT(1 << 20);

	mlb_job_argv(&v, shell, command, script);
	for (size_t i = 0; i < v.n; i++)
		mlb_buf_addf(&b, "%s[%.40s]", i ? " " : "", v.v[i]);
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
	mlb_strvec_release(&v);
}

static void
argument_vectors(void **state)
{
	char *big = mlb_alloc(200001);

	(void)state;
	memset(big, 'x', 200000);
	big[200000] = '\0';
	check_argv("", "cp 'a b' c", NULL, "[cp] [a b] [c]");
	check_argv("", "cp a b; ls", NULL, "[/bin/sh] [-ec] [cp a b; ls]");
	check_argv("bash -eo pipefail -c", "cp a b", NULL, "[bash] [-eo] [pipefail] [-c] [cp a b]");
	check_argv("'/my shell/sh' -c", "cp a b", NULL, "[/my shell/sh] [-c] [cp a b]");
	check_argv("", "cp a b", "/s", "[cp] [a] [b]");
	check_argv("", big, "/s", "[/bin/sh] [-e] [/s]");
	check_argv("bash -eo pipefail -c", big, "/s", "[bash] [-eo] [pipefail] [/s]");
	check_argv("bash -lc", big, "/s", "[bash] [-l] [/s]");
	check_argv("python3 -u -c", big, "/s", "[python3] [-u] [/s]");
	check_argv("pwsh --command", big, "/s", "[pwsh] [/s]");
	check_argv("interpreter", big, "/s", "[interpreter] [/s]");
	free(big);
}

static void
long_commands_run_from_a_script(void **state)
{
	struct fixture *f = *state;
	struct mlb_buf c = MLB_BUF_INIT(1 << 20);
	const char *const shells[] = { "", "bash -eo pipefail -c" };

	mlb_buf_adds(&c, "n=0\n");
	while (c.len < 200000)
		mlb_buf_adds(&c, "n=$((n+1)); : 'some words to make it long'\n");
	mlb_buf_adds(&c, "echo $n\nfalse\necho not reached\n");
	for (size_t i = 0; i < 2; i++) {
		struct mlb_job_spec s = spec_of(f, mlb_buf_str(&c));
		struct mlb_job *j;
		size_t len;

		s.shell = shells[i];
		assert_int_equal(run(f, &s, &j).exit.code, 1);
		assert_true(atol(mlb_job_log(j, &len)) > 4000);
		assert_null(strstr(mlb_job_log(j, &len), "not reached"));
		mlb_job_free(j);
		assert_int_equal(entries(f, ".mlbuild/tmp"), 0);
	}
	mlb_buf_release(&c);
}

/* -------------------------------------------------------------- processes */

static void
timeouts_end_it(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output out = { "a", MLB_G_FILE, NULL };
	/* It refuses to end when asked; a daemon of its refuses to stay in the group. */
	struct mlb_job_spec s =
		spec_of(f, "trap '' TERM; setsid sleep 1234.5 & echo half > a; sleep 1234.5");
	struct mlb_job *j;
	struct mlb_job_end end;
	uint64_t began = mlb_clock_mono();

	put(f, "a", "old");
	s.output = &out;
	s.n_outputs = 1;
	s.timeout_ns = S_NS / 5;
	end = run(f, &s, &j);
	assert_true(end.timed_out);
	assert_false(end.ok || end.cancelled || end.no);
	assert_true(mlb_str_starts(end.reason, "timed out after "));
	assert_string_equal(get(f, "a"), "old");
	assert_true(mlb_clock_mono() - began < 10 * S_NS);
	assert_false(runs("1234.5"));
	mlb_job_free(j);
}

static void
cancelling_ends_it(void **state)
{
	struct fixture *f = *state;
	struct mlb_job_spec s = spec_of(f, "sleep 1234.25 & wait");
	struct mlb_job *j = start(f, &s);
	struct mlb_job_end end;

	mlb_job_stop(j, false);
	end = finish(f, j);
	assert_true(end.cancelled);
	assert_false(end.timed_out || end.ok || end.no);
	assert_string_equal(end.reason, "interrupted");
	assert_int_equal(mlb_job_reject(j, false, NULL), 0);
	mlb_job_free(j);
	assert_false(runs("1234.25"));
}

static void
freeing_ends_it(void **state)
{
	struct fixture *f = *state;
	const struct mlb_job_output out = { "a", MLB_G_FILE, NULL };
	struct mlb_job_spec s = spec_of(f, "echo x > a; setsid sleep 1234.75 & sleep 1234.75");

	put(f, "a", "old");
	s.output = &out;
	s.n_outputs = 1;
	mlb_job_free(start(f, &s));
	assert_string_equal(get(f, "a"), "old");
	assert_false(runs("1234.75"));
}

static void
background_children_do_not_hold_it_up(void **state)
{
	struct fixture *f = *state;
	struct mlb_job_spec s =
		spec_of(f, "echo before; (setsid sleep 1234.125; echo after) & echo main");
	struct mlb_job *j;
	size_t len;
	uint64_t began = mlb_clock_mono();

	assert_true(run(f, &s, &j).ok);
	assert_true(mlb_clock_mono() - began < 5 * S_NS);
	assert_string_equal(mlb_job_log(j, &len), "before\nmain\n");
	mlb_job_free(j);
	assert_false(runs("1234.125"));
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up_journal, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(success_replaces_the_old_output),
		TEST(failure_returns_the_old_output),
		TEST(an_output_must_be_there_and_of_its_kind),
		TEST(parents_stay_while_another_job_needs_them),
		TEST(skipped_time),
		TEST(a_no_keeps_its_reports),
		TEST(a_rejected_success_is_kept_too),
		TEST(a_failed_start_changes_nothing),
		TEST(scratch_survives_failure),
		TEST(what_a_command_is_started_with),
		TEST(an_outer_job_comes_first),
		TEST(how_a_command_failed),
		cmocka_unit_test(argument_vectors),
		TEST(long_commands_run_from_a_script),
		TEST(timeouts_end_it),
		TEST(cancelling_ends_it),
		TEST(freeing_ends_it),
		TEST(background_children_do_not_hold_it_up),
	};

	return cmocka_run_group_tests_name("job", tests, NULL, NULL);
}
