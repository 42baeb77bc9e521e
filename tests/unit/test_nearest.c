#include "unit.h"

#include "base/nearest.h"

static const char *const words[] = { "dataset", "feature", "model",   "report", "check",
				     "task",    "out",     "metrics", "run",    "in" };

static const char *
nearest(const char *word)
{
	return mlb_nearest(word, words, MLB_ARRAY_LEN(words));
}

static void
typing_errors_are_found(void **state)
{
	(void)state;
	assert_string_equal(nearest("modle"), "model");  /* swapped */
	assert_string_equal(nearest("mdel"), "model");   /* missing */
	assert_string_equal(nearest("modell"), "model"); /* too many */
	assert_string_equal(nearest("nodel"), "model");  /* wrong */
	assert_string_equal(nearest("featrues"), "feature");
	assert_string_equal(nearest("rnu"), "run");
	assert_string_equal(nearest("model"), "model");
}

static void
other_words_are_not(void **state)
{
	char longer[200];

	(void)state;
	assert_null(nearest("xyz"));
	assert_null(nearest("mxxel"));
	assert_null(nearest(""));
	assert_null(nearest("completely-different"));
	assert_null(mlb_nearest("model", words, 0));
	memset(longer, 'm', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_null(nearest(longer));
}

static void
the_nearer_one_wins(void **state)
{
	static const char *const w[] = { "training", "trainer", "train" };

	(void)state;
	assert_string_equal(mlb_nearest("traine", w, 3), "trainer");
	assert_string_equal(mlb_nearest("trainig", w, 3), "training");
	assert_string_equal(mlb_nearest("tran", w, 3), "train");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typing_errors_are_found),
		cmocka_unit_test(other_words_are_not),
		cmocka_unit_test(the_nearer_one_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
