#include "unit.h"

#include "remotes/netrc.h"

static void
entries_are_found(void **state)
{
	static const struct {
		const char *text, *user; /* user: the one that is asked for */
		const char *found, *password;
	} cases[] = {
		{ "machine h login u password p", NULL, "u", "p" },
		{ "machine\th\n\tpassword p\n\tlogin u\n", NULL, "u", "p" },
		{ "machine other login x password y machine h login u password p", NULL, "u", "p" },
		{ "machine H login u password p", NULL, "u", "p" },
		{ "machine h login u password \"a b\\\"c\"", NULL, "u", "a b\"c" },
		{ "# machine h login x password y\nmachine h password p", NULL, NULL, "p" },
		{ "machine h login u password #1", NULL, "u", "#1" },
		{ "machine h login u account a password p", NULL, "u", "p" },
		{ "machine x macdef init\nmachine h password no\n\nmachine h password yes", NULL,
		  NULL, "yes" },
		{ "default login anonymous password me", NULL, "anonymous", "me" },
		{ "machine h login u password p default login x password y", NULL, "u", "p" },
		{ "machine h login a password 1 machine h login b password 2", "b", "b", "2" },
		{ "machine h password 1", "b", NULL, "1" },
	};
	struct mlb_netrc n;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		assert_true(mlb_netrc_find(&n, cases[i].text, "h", cases[i].user));
		assert_string_equal(n.password, cases[i].password);
		if (cases[i].found)
			assert_string_equal(n.user, cases[i].found);
		else
			assert_null(n.user);
		mlb_netrc_release(&n);
	}
}

static void
what_is_not_there_is_not_found(void **state)
{
	static const char *const texts[] = {
		"",
		"machine",
		"machine h",
		"machine h login u",
		"machine h login u password",
		"machine hh login u password p",
		"login u password p",
		"machine h login other password p",
		"machine x macdef m\nmachine h password p",
	};
	struct mlb_netrc n;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(texts); i++) {
		assert_false(mlb_netrc_find(&n, texts[i], "h", "u"));
		assert_null(n.password);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_found),
		cmocka_unit_test(what_is_not_there_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
