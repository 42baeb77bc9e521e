/* Wildcards and rules; that they agree with git is seen in test_vcs.c. */
#include "unit.h"

#include "store/ignore.h"

static bool
match(const char *pattern, const char *text)
{
	return mlb_wildcard_match(pattern, strlen(pattern), text, true);
}

static void
test_wildcards(void **state MLB_UNUSED)
{
	static const struct {
		const char *pattern, *yes, *no;
	} cases[] = {
		{ "a", "a", "b" },
		{ "", "", "a" },
		{ "?", "a", "/" },
		{ "*.py", "x.py", "d/x.py" },
		{ "**/x", "a/b/x", "a/b/xx" },
		{ "**/x", "x", "y" },
		{ "a/**/b", "a/b", "ab" },
		{ "a/**/b", "a/x/y/b", "a/x/yb" },
		{ "a/**", "a/x/y", "a" },
		{ "a**b", "axb", "a/b" },
		{ "[a-c]x", "bx", "dx" },
		{ "[!a-c]x", "dx", "bx" },
		{ "[]a]", "]", "b" },
		{ "[a-]", "-", "b" },
		{ "[[:digit:]]", "7", "x" },
		{ "[\\]]", "]", "\\" },
		{ "\\*", "*", "x" },
		{ "a[/]b", "none", "a/b" },
		{ "[a", "none", "a" },
		{ "a\\", "none", "a" },
		{ "[[:nonsense:]]", "none", "n" },
	};

	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		if (strcmp(cases[i].yes, "none") != 0 && !match(cases[i].pattern, cases[i].yes))
			fail_msg("'%s' does not match '%s'", cases[i].pattern, cases[i].yes);
		if (match(cases[i].pattern, cases[i].no))
			fail_msg("'%s' matches '%s'", cases[i].pattern, cases[i].no);
	}
	assert_true(mlb_wildcard_match("a*b", 3, "a/b", false));
}

/* A pattern that takes other programs years. */
static void
test_many_stars(void **state MLB_UNUSED)
{
	char text[400];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_false(match("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
	assert_false(match("**/*a*/**/*a*/**/*a*/**/*a*/**/*a*/**/b", text));
}

static void
test_rules(void **state MLB_UNUSED)
{
	static const char text[] =
		"\xef\xbb\xbf# no rule\r\n*.log\r\n!keep.log\n/top\ndir/\na/b  \nsp\\ \n\\#x";
	struct mlb_ignore list = { MLB_VEC_INIT };

	mlb_ignore_parse(&list, text, sizeof(text) - 1);
	assert_int_equal(list.rule.n, 7);
	assert_int_equal(mlb_ignore_match(&list, "d/x.log", false), MLB_IGNORE_OUT);
	assert_int_equal(mlb_ignore_match(&list, "d/keep.log", false), MLB_IGNORE_IN);
	assert_int_equal(mlb_ignore_match(&list, "top", false), MLB_IGNORE_OUT);
	assert_int_equal(mlb_ignore_match(&list, "d/top", false), MLB_IGNORE_SILENT);
	assert_int_equal(mlb_ignore_match(&list, "x/dir", true), MLB_IGNORE_OUT);
	assert_int_equal(mlb_ignore_match(&list, "x/dir", false), MLB_IGNORE_SILENT);
	assert_int_equal(mlb_ignore_match(&list, "a/b", false), MLB_IGNORE_OUT);
	assert_int_equal(mlb_ignore_match(&list, "x/a/b", false), MLB_IGNORE_SILENT);
	assert_int_equal(mlb_ignore_match(&list, "sp ", false), MLB_IGNORE_OUT);
	assert_int_equal(mlb_ignore_match(&list, "#x", false), MLB_IGNORE_OUT);
	mlb_ignore_release(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_many_stars),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
