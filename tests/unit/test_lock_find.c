/* A lock file that is not parsed beside one that is: finding, replacing and removing blocks. */
#include "lock_test.h"

#include "graph/lock_int.h"

enum { TARGETS = 40 };

static struct mlb_buf
copy_of(const char *text)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX);

	mlb_buf_adds(&b, text);
	return b;
}

static void
open_ok(struct mlb_lockfile *l, const char *text)
{
	struct mlb_buf b = copy_of(text);

	mlb_lockfile_init(l);
	assert_true(mlb_lockfile_open(l, &b));
	mlb_buf_release(&b);
}

/* Names of which some begin others, and with what sorts before a letter. */
static const char *
name_of(unsigned i)
{
	static char name[32];
	static const char *const tail[] = { "", ".a", "-1", "_" };

	snprintf(name, sizeof(name), "%c%u%s", 'a' + (int)(i % 5), i / 20, tail[i / 5 % 4]);
	return name;
}

static void
expect_same_block(struct mlb_lockfile *a, struct mlb_lockfile *b, const char *name)
{
	const struct mlb_lock_block *x = mlb_lockfile_get(a, name), *y = mlb_lockfile_get(b, name);
	struct mlb_buf one = MLB_BUF_INIT(MAX), two = MLB_BUF_INIT(MAX);

	assert_true(!x == !y);
	if (x) {
		mlb_lock_add_block(&one, x);
		mlb_lock_add_block(&two, y);
		assert_string_equal(mlb_buf_str(&one), mlb_buf_str(&two));
	}
	mlb_buf_release(&one);
	mlb_buf_release(&two);
}

static void
expect_same_text(const struct mlb_lockfile *a, const struct mlb_lockfile *b)
{
	char *one = format(a), *two = format(b);

	assert_string_equal(one, two);
	free(one);
	free(two);
}

/* Whatever is done to both: they say and write the same. */
static void
test_as_if_parsed(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 300; round++) {
		struct mlb_lockfile first, lazy, parsed;
		struct mlb_err err = MLB_ERR_INIT;
		int n = rand() % TARGETS;
		char *text;

		mlb_lockfile_init(&first);
		for (int i = 0; i < n; i++)
			set(&first, i % 3 ? "model" : "dataset",
			    name_of((unsigned)rand() % TARGETS), (unsigned)rand() % 9,
			    (unsigned)rand() % 4);
		text = format(&first);
		mlb_lockfile_release(&first);
		open_ok(&lazy, text);
		parse_ok(&parsed, text, strlen(text));
		for (int i = rand() % 12; i > 0; i--) {
			unsigned which = (unsigned)rand() % TARGETS, version = (unsigned)rand() % 9;

			switch (rand() % 3) {
			case 0:
				expect_same_block(&lazy, &parsed, name_of(which));
				break;
			case 1:
				set(&lazy, "model", name_of(which), version, 2);
				set(&parsed, "model", name_of(which), version, 2);
				break;
			default:
				mlb_lockfile_remove(&lazy, name_of(which));
				mlb_lockfile_remove(&parsed, name_of(which));
				expect_same_block(&lazy, &parsed, name_of(which));
			}
		}
		expect_same_text(&lazy, &parsed);
		for (unsigned i = 0; i < TARGETS; i++)
			expect_same_block(&lazy, &parsed, name_of(i));
		expect_same_text(&lazy, &parsed);
		mlb_lockfile_release(&parsed);
		mlb_lockfile_release(&lazy);
		open_ok(&lazy, text);
		parse_ok(&parsed, text, strlen(text));
		assert_ok(mlb_lockfile_whole(&lazy, &err));
		assert_int_equal(lazy.map.n, parsed.map.n);
		expect_same_text(&lazy, &parsed);
		mlb_lockfile_release(&parsed);
		mlb_lockfile_release(&lazy);
		free(text);
	}
}

/* Only what begins and ends like a lock file of this version is opened. */
static void
test_not_opened(void **state)
{
	static const char *const bad[] = { "", "# mlbuild.lock 1\n", "# mlbuild.lock 2\n\n# end\n",
					   "# mlbuild.lock 1\n\n# end",
					   "# mlbuild.lock 1\r\n\n# end\n" };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		struct mlb_buf b = copy_of(bad[i]);
		struct mlb_lockfile l;

		mlb_lockfile_init(&l);
		assert_false(mlb_lockfile_open(&l, &b));
		assert_string_equal(mlb_buf_str(&b), bad[i]);
		mlb_buf_release(&b);
		mlb_lockfile_release(&l);
	}
}

/* A flipped bit in a block: it says nothing, the others are found. */
static void
test_damage(void **state)
{
	struct mlb_lockfile l;
	char *text, *at;

	(void)state;
	mlb_lockfile_init(&l);
	set(&l, "model", "a", 1, 1);
	set(&l, "model", "b", 2, 1);
	set(&l, "model", "c", 3, 1);
	text = format(&l);
	mlb_lockfile_release(&l);
	at = strstr(strstr(text, "[model b]"), "key = ") + 9;
	*at = *at == '0' ? '1' : '0';
	open_ok(&l, text);
	assert_null(mlb_lockfile_get(&l, "b"));
	assert_non_null(mlb_lockfile_get(&l, "a"));
	assert_non_null(mlb_lockfile_get(&l, "c"));
	assert_null(mlb_lockfile_get(&l, "b"));
	mlb_lockfile_release(&l);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_if_parsed),
		cmocka_unit_test(test_not_opened),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
