/* clean and adopt: outputs removed, and outputs taken as they are. */
#include "engine_fixture.h"

struct seen {
	struct mlb_buf text;
	int answer;
};

static int
see(void *ctx, const struct mlb_clean_item *i)
{
	struct seen *s = ctx;

	mlb_buf_addf(&s->text, "%s of '%s'%s %d\n", i->path, i->node,
		     i->recoverable ? "" : " lost for ever", (int)i->size);
	return s->answer;
}

static int
clean(enum mlb_clean_what what, const char *words, int answer, const char *want,
      struct mlb_err *err)
{
	struct seen s = { MLB_BUF_INIT(MLB_MIB), answer };
	struct mlb_project *p = open_project();
	const char *word[MAX_WORDS];
	char copy[512];
	size_t n = split_words(words, copy, word);
	int rc = mlb_clean(p, what, word, n, see, &s, err);

	assert_string_equal(mlb_buf_str(&s.text), want);
	mlb_buf_release(&s.text);
	mlb_project_close(p);
	return rc;
}

static void
make_project(void)
{
	put_file("raw.txt", "raw\n");
	put_file("mlbuild.ini", "[dataset raw]\npath = raw.txt\n"
				"[feature a]\nrun = cp ${raw} ${out}\nout = deep/er/a.txt\n"
				"[feature d]\nrun = cp ${a} ${out}/x\nout = d/\n"
				"[model m]\nrun = cat ${d}/x > ${out}\nout = m.txt\n");
	build_ok("");
}

static void
targets(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	assert_ok(clean(MLB_CLEAN_TARGETS, "a raw", 0, "deep/er/a.txt of 'a' 4\n", &err));
	assert_true(mlb_fs_exists("deep/er/a.txt"));
	assert_ok(clean(MLB_CLEAN_TARGETS, "a d", 1, "deep/er/a.txt of 'a' 4\nd of 'd' 4\n", &err));
	assert_false(mlb_fs_exists("deep")); /* directories that became empty go too */
	assert_false(mlb_fs_exists("d"));
	assert_true(mlb_fs_exists("m.txt"));
	build_ok("");
	expect_ran("");
	assert_string_equal(names(MLB_EV_RESTORED), "a d");
	assert_err(clean(MLB_CLEAN_TARGETS, "zzz", 1, "", &err), MLB_ENOTFOUND, "zzz");
}

static void
all(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	put_file("m.txt", "edited\n");
	/* Bytes of the user's that no cache has are told apart. */
	assert_ok(clean(MLB_CLEAN_ALL, "", 1,
			"deep/er/a.txt of 'a' 4\nd of 'd' 4\nm.txt of 'm' lost for ever 7\n", &err));
	assert_false(mlb_fs_exists("m.txt"));
	assert_file("raw.txt", "raw\n");
	build_ok("m");
	assert_string_equal(names(MLB_EV_RESTORED), "m");
	assert_ok(clean(MLB_CLEAN_ALL, "", 1, "m.txt of 'm' 4\n", &err));
	assert_ok(clean(MLB_CLEAN_ALL, "", 1, "", &err));
}

static void
dead(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	assert_ok(clean(MLB_CLEAN_DEAD, "", 1, "", &err));
	/* Only what no target makes; and a source that is no target any more is still the user's. */
	put_file("mlbuild.ini", "[model m]\nrun = cp raw.txt ${out}\nout = m.txt\n");
	assert_ok(clean(MLB_CLEAN_DEAD, "", 1, "deep/er/a.txt of '' 4\nd of '' 4\n", &err));
	assert_true(mlb_fs_exists("m.txt"));
	assert_true(mlb_fs_exists("raw.txt"));
	assert_ok(clean(MLB_CLEAN_DEAD, "", 1, "", &err));
}

/* A dead output that the user has edited since: its bytes are nowhere else. */
static void
dead_but_edited(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	put_file("mlbuild.ini", "[model m]\nrun = cp raw.txt ${out}\nout = m.txt\n");
	put_file("deep/er/a.txt", "edited\n");
	put_file("d/more", "mine\n");
	assert_ok(clean(MLB_CLEAN_DEAD, "", 0,
			"deep/er/a.txt of '' lost for ever 7\nd of '' lost for ever 9\n", &err));
	/* A build drops their blocks from the lock, and they are still known. */
	build_ok("m");
	assert_ok(clean(MLB_CLEAN_DEAD, "", 0,
			"deep/er/a.txt of '' lost for ever 7\nd of '' lost for ever 9\n", &err));
}

static void
stopping(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	assert_int_equal(clean(MLB_CLEAN_ALL, "", MLB_EINTERRUPTED, "deep/er/a.txt of 'a' 4\n",
			       &err),
			 MLB_EINTERRUPTED);
	assert_true(mlb_fs_exists("d/x"));
	mlb_err_release(&err);
}

/* ---------------------------------------------------------- adopt */

static int
adopt(const char *word, struct mlb_err *err)
{
	struct mlb_project *p = open_project();
	char *note = NULL;
	int rc = mlb_adopt(p, word, &note, err);

	if (rc == 0)
		expect_contains(note, word);
	mlb_free(note);
	mlb_project_close(p);
	return rc;
}

static void
adopt_after_a_cosmetic_change(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	put_file("mlbuild.ini", "[dataset raw]\npath = raw.txt\n"
				"[feature a]\nrun = cp -f ${raw} ${out}\nout = deep/er/a.txt\n"
				"[feature d]\nrun = cp ${a} ${out}/x\nout = d/\n");
	assert_ok(adopt("a", &err));
	build_ok("");
	expect_ran("");
	/* From the cache too, not only because it lies there. */
	sh("rm -r deep");
	build_ok("a");
	expect_ran("");
	assert_file("deep/er/a.txt", "raw\n");
}

static void
adopt_other_bytes(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	put_file("m.txt", "made elsewhere\n");
	assert_ok(adopt("m", &err));
	expect_plan("m", "raw current\na current\nd current\nm current\n");
	build_ok("m");
	expect_ran("");
	assert_file("m.txt", "made elsewhere\n");
	unlink("m.txt");
	build_ok("m");
	assert_file("m.txt", "made elsewhere\n");
}

static void
adopt_a_lost_state(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	sh("chmod -R u+w .mlbuild; rm -rf .mlbuild mlbuild.lock");
	assert_ok(adopt("a", &err));
	assert_ok(adopt("d", &err));
	build_ok("m");
	expect_ran("m");
}

static void
adopt_what_cannot_be(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_project();
	assert_err(adopt("raw", &err), MLB_EINVALID, "'raw' cannot be adopted");
	assert_err(adopt("nobody", &err), MLB_ENOTFOUND, "nobody");
	unlink("m.txt");
	assert_err(adopt("m", &err), MLB_ENOTFOUND, "'m.txt' is not there");
	put_file("m.txt", "raw\n");
	put_file("raw.txt", "changed\n"); /* d's inputs are not known before a ran */
	assert_err(adopt("m", &err), MLB_EINVALID, "'m' cannot be adopted");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(targets),
		engine_test(all),
		engine_test(dead),
		engine_test(dead_but_edited),
		engine_test(stopping),
		engine_test(adopt_after_a_cosmetic_change),
		engine_test(adopt_other_bytes),
		engine_test(adopt_a_lost_state),
		engine_test(adopt_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
