/* The marked block in .gitignore: what is in it, and that lines around it are the user's. */
#include "engine_fixture.h"

#define BEGIN "# outputs of mlbuild: this block is kept by 'mlbuild build'\n"
#define END "# end of mlbuild's block\n"

static void
make_project(const char *more)
{
	char *ini = mlb_asprintf(
		"[feature a]\nrun = echo a > ${out}; echo 1 > ${metrics}\nout = data/a.txt\nmetrics = a.json\n"
		"%s",
		more);

	sh("git init -q . && git config user.name Ada && git config user.email ada@example.org");
	put_file("mlbuild.ini", ini);
	free(ini);
}

static void
new_file(void **state)
{
	(void)state;
	make_project("[feature d]\nrun = touch ${out}/x\nout = data/dir/\n");
	build_ok("a");
	assert_string_equal(last.report.changed, "mlbuild.lock .gitignore");
	assert_file(".gitignore", BEGIN "/data/a.txt\n/data/dir/\n" END);
	build_ok("");
	assert_string_equal(last.report.changed, "mlbuild.lock");
	free(run_shell("git check-ignore data/a.txt data/dir/x"));
}

static void
lines_around_it(void **state)
{
	(void)state;
	make_project("");
	put_file(".gitignore", "*.pyc\r\n# mine"); /* CRLF, and no newline at the end */
	build_ok("");
	assert_file(".gitignore", "*.pyc\r\n# mine\n" BEGIN "/data/a.txt\n" END);
	put_file(".gitignore", "*.pyc\r\n" BEGIN "/old\n" END "below\r\nlast");
	sh("rm -r data");
	build_ok("a");
	assert_file(".gitignore", "*.pyc\r\n" BEGIN "/data/a.txt\n" END "below\r\nlast");
	/* A begin without its end is the user's; a whole block follows. */
	put_file(".gitignore", BEGIN "/old\n");
	assert_int_equal(build_opt("a", .force = true), 0);
	assert_file(".gitignore", BEGIN "/old\n" BEGIN "/data/a.txt\n" END);
}

/* An editor or git itself may have turned the whole file's line ends. */
static void
crlf_block(void **state)
{
	char *text;

	(void)state;
	make_project("");
	build_ok("");
	sh("sed -i 's/$/\\r/' .gitignore");
	assert_int_equal(build_opt("a", .force = true), 0);
	text = file_text(".gitignore");
	assert_int_equal(count_in(text, "# outputs of mlbuild"), 1);
	assert_int_equal(count_in(text, "/data/a.txt"), 1);
	free(text);
}

static void
tracked_outputs_are_left_out(void **state)
{
	(void)state;
	make_project("[report r]\nrun = echo r > ${out}\nout = r.txt\n");
	put_file("r.txt", "committed\n");
	sh("git add r.txt && git commit -qm r");
	build_ok("");
	assert_file(".gitignore", BEGIN "/data/a.txt\n" END);
}

static void
special_characters(void **state)
{
	(void)state;
	make_project("[report r]\nrun = echo r > ${out}\nout = \"odd [x] *#.txt\"\n");
	build_ok("");
	assert_true(mlb_fs_exists("odd [x] *#.txt"));
	free(run_shell("git check-ignore 'odd [x] *#.txt'"));
	free(run_shell("! git check-ignore 'odd x b#.txt'"));
}

static void
no_repository(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[feature a]\nrun = echo a > ${out}\nout = a.txt\n");
	build_ok("");
	assert_false(mlb_fs_exists(".gitignore"));
	assert_string_equal(last.report.changed, "mlbuild.lock");
}

static void
a_target_that_is_gone(void **state)
{
	(void)state;
	make_project("[report r]\nrun = echo r > ${out}\nout = r.txt\n");
	build_ok("");
	make_project("");
	build_ok("");
	assert_file(".gitignore", BEGIN "/data/a.txt\n" END);
	put_file("mlbuild.ini", "[task t]\nrun = true\n");
	put_file(".gitignore", "mine\n" BEGIN "/data/a.txt\n" END);
	build_ok("t");
	assert_file(".gitignore", "mine\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(new_file),
		engine_test(lines_around_it),
		engine_test(crlf_block),
		engine_test(tracked_outputs_are_left_out),
		engine_test(special_characters),
		engine_test(no_repository),
		engine_test(a_target_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
