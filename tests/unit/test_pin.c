/* Pins: which commit stands for what a build read. */
#include "engine_fixture.h"

static void
make_project(void)
{
	sh("git init -q . && git config user.name Ada && git config user.email ada@example.org");
	put_file("raw.txt", "1\n");
	put_file("other.txt", "1\n");
	put_file("mlbuild.ini", "[dataset raw]\npath = raw.txt\n"
				"[feature a]\nrun = cp ${raw} ${out}\nout = a.txt\n"
				"[feature z]\nrun = cp other.txt ${out}\nout = z.txt\n");
	/* The lock and .gitignore as a build leaves them. */
	build_ok("");
	sh("git add -A && git commit -qm one");
}

static int
take_commit(void *ctx, const struct mlb_artifact *a)
{
	snprintf(ctx, 64, "%s", a->commit);
	return 0;
}

/* The pin of a target's result. */
static void
pin_of(const char *word, char out[64])
{
	struct mlb_project *p = open_project();
	struct mlb_err err = MLB_ERR_INIT;

	out[0] = '\0';
	assert_ok(mlb_show(p, word, take_commit, out, &err));
	mlb_project_close(p);
}

static void
git_says(const char *command, char out[64])
{
	char *text = run_shell(command);

	snprintf(out, 64, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
}

static void
clean_tree(void **state)
{
	char head[64], pin[64];

	(void)state;
	make_project();
	git_says("git rev-parse HEAD", head);
	assert_int_equal(build_opt("a", .force = true), 0);
	pin_of("a", pin);
	assert_string_equal(pin, head);
	/* An edit that this target does not read. */
	put_file("other.txt", "2\n");
	assert_int_equal(build_opt("a", .force = true), 0);
	pin_of("a", pin);
	assert_string_equal(pin, head);
}

static void
snapshots(void **state)
{
	char head[64], first[64], second[64], text[64];
	char *command;

	(void)state;
	make_project();
	git_says("git rev-parse HEAD", head);
	put_file("raw.txt", "2\n");
	build_ok("a");
	expect_ran("a");
	pin_of("a", first);
	assert_string_not_equal(first, head);
	assert_int_equal(strlen(first), 40);
	command = mlb_asprintf("git show %s:raw.txt", first);
	git_says(command, text);
	free(command);
	assert_string_equal(text, "2");
	command = mlb_asprintf("git rev-parse %s^", first);
	git_says(command, text);
	free(command);
	assert_string_equal(text, head);
	/* Another content, another id; nothing of the user's moved. */
	put_file("raw.txt", "3\n");
	build_ok("a");
	pin_of("a", second);
	assert_string_not_equal(second, first);
	git_says("git rev-parse HEAD", text);
	assert_string_equal(text, head);
	git_says("git diff --cached --name-only | wc -l", text);
	assert_string_equal(text, "0");
	git_says("git for-each-ref refs/mlbuild/pins | wc -l", text);
	assert_true(atol(text) >= 2);
}

/* The same content, built twice from the same state, has the same id. */
static void
equal_content_equal_id(void **state)
{
	char first[64], second[64];
	char *lock;

	(void)state;
	make_project();
	lock = file_text("mlbuild.lock");
	put_file("raw.txt", "2\n");
	build_ok("a");
	pin_of("a", first);
	put_file("mlbuild.lock", lock);
	assert_int_equal(build_opt("a", .force = true), 0);
	pin_of("a", second);
	assert_string_equal(first, second);
	free(lock);
}

/* An edited ini is part of what was built from. */
static void
edited_ini(void **state)
{
	char head[64], pin[64];

	(void)state;
	make_project();
	git_says("git rev-parse HEAD", head);
	put_file("mlbuild.ini", "[dataset raw]\npath = raw.txt\n"
				"[feature a]\nrun = cat ${raw} ${raw} > ${out}\nout = a.txt\n");
	build_ok("a");
	pin_of("a", pin);
	assert_string_not_equal(pin, head);
	assert_int_equal(strlen(pin), 40);
}

static void
before_the_first_commit(void **state)
{
	char pin[64];

	(void)state;
	sh("git init -q .");
	put_file("raw.txt", "1\n");
	put_file(
		"mlbuild.ini",
		"[dataset raw]\npath = raw.txt\n[feature a]\nrun = cp ${raw} ${out}\nout = a.txt\n");
	build_ok("a");
	pin_of("a", pin);
	assert_true(strlen(pin) == 40 || strlen(pin) == 0);
}

static void
no_repository_is_said_once(void **state)
{
	char pin[64];

	(void)state;
	put_file("mlbuild.ini", "[feature a]\nrun = echo a > ${out}\nout = a.txt\n");
	build_ok("a");
	assert_true(noted("no pins: "));
	pin_of("a", pin);
	assert_string_equal(pin, "");
	assert_int_equal(build_opt("a", .force = true), 0);
	assert_false(noted("no pins: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(clean_tree),
		engine_test(snapshots),
		engine_test(equal_content_equal_id),
		engine_test(edited_ini),
		engine_test(before_the_first_commit),
		engine_test(no_repository_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
