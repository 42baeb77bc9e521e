/* The word that nothing is to be done, by which a build does not open state.db. */
#include "engine/steady_file.h"
#include "engine_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#define FILE_OF_IT ".mlbuild/steady"

/* Whether a build of these words would end by the file alone. */
static bool
rests(const char *words)
{
	struct mlb_project *p = open_project();
	struct mlb_build opt = { .jobs = 1 };
	struct mlb_plan_options o = { 0 };
	const char *word[MAX_WORDS];
	struct mlb_steady said;
	char copy[512];
	bool is;

	o.word = word;
	o.n_words = split_words(words, copy, word);
	is = mlb_steady_file_there(p, &opt) && mlb_steady_file_holds(&said, p, &o);
	assert_null(p->db);
	mlb_project_close(p);
	return is;
}

#define expect_rests(words, want) assert_int_equal(rests(words), want)

/* a.txt is read and changed as soon as it is there: what is young is in no such file. */
static void
make_project(void)
{
	put_file("mlbuild.ini",
		 "[feature a]\nrun = cat s > ${out}\nout = a.txt\nneeds = env:V x/*.txt\n"
		 "[model b]\nrun = cat ${a} > ${out}\nout = b.txt\n"
		 "[model c]\nrun = cat s > ${out}\nout = c.txt\n");
	put_file("s", "one");
	sh("mkdir x && echo 1 > x/1.txt");
	setenv("V", "1", 1);
	build_ok("");
}

/* Twice: the first looks once more at what is young, and both find nothing. */
static void
settle(const char *words)
{
	usleep(15000);
	build_ok(words);
	build_ok(words);
	expect_ran("");
	expect_rests(words, true);
}

static void
says_what_the_database_says(void **state)
{
	(void)state;
	make_project();
	expect_rests("", false);
	settle("");
	assert_int_equal(last.report.current, 3);
	expect_rests("b", false);
	build_ok("b");
	assert_int_equal(last.report.current, 2);
	settle("b");
	expect_rests("", true); /* both are said of this state */
	expect_rests("nothing", false);
	assert_int_equal(build("nothing"), MLB_ENOTFOUND);
}

static void
ends_with_any_change(void **state)
{
	static const char *const change[] = {
		"printf ONE > s",
		"rm b.txt",
		"chmod +x b.txt",
		"echo 2 > x/2.txt",
		"mv x/1.txt x/3.txt",
		"echo '# more' >> mlbuild.ini",
		"rm mlbuild.lock",
		"rm .mlbuild/graph",
		"rm .mlbuild/state.db*",
		"printf ONE > new && touch -r s new && mv new s", /* the same size and time */
	};

	(void)state;
	make_project();
	for (size_t i = 0; i < MLB_ARRAY_LEN(change); i++) {
		settle("");
		sh(change[i]);
		expect_rests("", false);
		build_ok("");
	}
	settle("");
	setenv("V", "2", 1);
	expect_rests("", false);
	build_ok("");
	expect_ran("a");
	settle("");
}

/* Touching makes it look again, and then it is said again. */
static void
is_written_again(void **state)
{
	(void)state;
	make_project();
	settle("");
	usleep(15000);
	sh("touch s b.txt");
	expect_rests("", false);
	settle("");
}

static void
goes_before_anything_is_recorded(void **state)
{
	(void)state;
	make_project();
	settle("");
	assert_int_equal(build_opt("c", .force = true), 0);
	expect_ran("c");
	assert_int_not_equal(access(FILE_OF_IT, F_OK), 0);
	settle("");
	/* Nothing of what decides is in a path: only the record ends it. */
	put_file("mlbuild.ini", "[dataset d]\npath = s\n"
				"[check k]\nguards = d\nrun = test ! -e \"$HOME/no\" && cat ${d}\n"
				"[model m]\nrun = cat ${d} > ${out}\nout = m.txt\n");
	build_ok("");
	settle("");
	sh("touch \"$HOME/no\"");
	expect_rests("", true);
	assert_int_equal(build_opt("k", .force = true), MLB_ECHECK);
	expect_rests("", false);
	assert_int_equal(build(""), MLB_ECHECK);
}

/* Of directories that have to be walked, and of what cannot rest, there is none. */
static void
is_not_for_all(void **state)
{
	(void)state;
	put_file("mlbuild.ini",
		 "[dataset d]\npath = x\n[model m]\nrun = cat ${d}/1.txt > ${out}\nout = m.txt\n");
	sh("mkdir x && echo 1 > x/1.txt");
	for (int i = 0; i < 3; i++) {
		build_ok("");
		usleep(15000);
	}
	assert_int_not_equal(access(FILE_OF_IT, F_OK), 0);
	sh("echo 2 > x/1.txt");
	build_ok("");
	expect_ran("m");
}

static void
fingerprints_are_heard(void **state)
{
	(void)state;
	put_file("mlbuild.ini", "[feature f]\nrun = echo f > ${out}\nout = f.txt\n"
				"fingerprint = cat \"$HOME/version\"\n");
	sh("echo 1 > \"$HOME/version\"");
	build_ok("");
	settle("");
	sh("echo 2 > \"$HOME/version\"");
	expect_rests("", false);
	build_ok("");
	expect_ran("f");
	settle("");
	sh("rm \"$HOME/version\"");
	expect_rests("", false);
	assert_int_equal(build(""), MLB_EFAILED);
}

static void
damage_ends_it(void **state)
{
	char *text;
	struct stat st;
	FILE *f;

	(void)state;
	make_project();
	settle("");
	assert_int_equal(stat(FILE_OF_IT, &st), 0);
	text = mlb_alloc((size_t)st.st_size);
	f = fopen(FILE_OF_IT, "r");
	assert_int_equal(fread(text, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	for (off_t i = 0; i < st.st_size; i++) {
		int fd = open(FILE_OF_IT, O_WRONLY);
		char flipped = (char)(text[i] ^ 0x10);

		assert_int_equal(pwrite(fd, &flipped, 1, i), 1);
		/* Its marks of two files have no sum of their own: other ones do not fit. */
		expect_rests("", false);
		assert_int_equal(pwrite(fd, &text[i], 1, i), 1);
		close(fd);
	}
	expect_rests("", true);
	for (off_t len = 0; len < st.st_size; len += 7) {
		assert_int_equal(truncate(FILE_OF_IT, len), 0);
		expect_rests("", false);
	}
	build_ok("");
	expect_ran("");
	expect_rests("", true);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(says_what_the_database_says),
		engine_test(ends_with_any_change),
		engine_test(is_written_again),
		engine_test(goes_before_anything_is_recorded),
		engine_test(is_not_for_all),
		engine_test(fingerprints_are_heard),
		engine_test(damage_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
