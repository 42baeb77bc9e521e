/* The scan of directories, by whatever earlier scans left in the cache. Labels: tsan */
#include "scan_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ------------------------------------------------------------ directories, at random */

static void
name_of(char out[64], uint64_t *seed)
{
	static const char *const word[] = { "a", "a-b", "a.b", "b", "sub", "\xff", "x y", "ab" };
	unsigned depth = dice(seed, 3);
	size_t at = 0;

	at += (size_t)snprintf(out, 64, "t%u", dice(seed, 3));
	for (unsigned i = 0; i <= depth; i++)
		at += (size_t)snprintf(out + at, 64 - at, "/%s", word[dice(seed, 8)]);
}

static void
mutate(uint64_t *seed)
{
	char path[64], other[64], text[32];
	struct mlb_err err = MLB_ERR_INIT;

	name_of(path, seed);
	name_of(other, seed);
	snprintf(text, sizeof(text), "%u", dice(seed, 20));
	switch (dice(seed, 12)) {
	case 0:
		mkdir(path, 0777);
		break;
	case 1:
		mlb_fs_remove_tree(path, NULL);
		break;
	case 2:
		rename(path, other);
		break;
	case 3:
		if (symlink("a", path) < 0)
			break;
		break;
	case 4:
		chmod(path, dice(seed, 2) ? 0755 : 0644);
		break;
	case 5:
		mlb_fs_write(path, text, strlen(text), false, &err);
		mlb_err_release(&err);
		break;
	default: {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666);

		if (fd < 0)
			break;
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		close(fd);
	}
	}
}

/* t0, t0/sub, t1, t2 and a file in t1, some of them each time, by what other scans left in the cache. */
static void
test_random_trees(void **state)
{
	static const char *const all[] = { "t0", "t0/sub", "t1", "t1/a", "t2" };
	uint64_t seed = 4711;
	struct project p;

	open_project(&p, state);
	mkdir("t0", 0777);
	mkdir("t1", 0777);
	mkdir("t2", 0777);
	for (int round = 0; round < 150; round++) {
		const char *path[5];
		struct mlb_scan s;
		size_t n = 0;

		for (unsigned k = dice(&seed, 4); k > 0; k--)
			mutate(&seed);
		for (size_t i = 0; i < 5; i++)
			if (dice(&seed, 3))
				path[n++] = all[i];
		scan(&s, &p, path, NULL, n);
		for (size_t i = 0; i < n; i++) {
			struct mlb_err err = MLB_ERR_INIT;
			struct mlb_stat st;

			assert_ok(mlb_fs_lstat(&st, path[i], &err));
			if (st.type == MLB_F_DIR)
				assert_tree(&p, &s.state[i], path[i]);
			else if (st.type == MLB_F_FILE)
				assert_int_equal(s.state[i].kind,
						 st.exec ? MLB_P_EXEC : MLB_P_FILE);
		}
		if (dice(&seed, 4))
			save(&s);
		mlb_scan_release(&s);
		if (dice(&seed, 3) == 0)
			usleep(11000);
	}
	close_project(&p);
}

/* Two processes, each with its own view, save one after the other. */
static void
test_two_writers(void **state)
{
	static const char *const path[] = { "file", "tree" };
	struct mlb_err err = MLB_ERR_INIT;
	struct project p, q;
	char *db;

	open_project(&p, state);
	q = p;
	db = mlb_asprintf("%s/.mlbuild/state.db", p.root);
	assert_ok(mlb_db_open(&q.db, db, &err));
	mkdir("tree", 0777);
	for (unsigned i = 0; i < 1500; i++) {
		char name[32];

		snprintf(name, sizeof(name), "tree/%u", i);
		put_file(name, "first");
	}
	put_file("file", "first");
	for (unsigned round = 0; round < 4; round++) {
		struct mlb_scan a, b, c;
		char text[8];

		snprintf(text, sizeof(text), "%u", round);
		settle_time();
		put_file("tree/7", text);
		settle_time();
		scan(&a, &p, path, NULL, 2);
		put_file("tree/1400", text);
		put_file("file", text);
		settle_time();
		scan(&b, &q, path, NULL, 2);
		save(round % 2 ? &b : &a);
		save(round % 2 ? &a : &b);
		mlb_scan_release(&a);
		mlb_scan_release(&b);
		scan(&c, &p, path, NULL, 2);
		assert_tree(&p, &c.state[1], "tree");
		assert_content(&c.state[0], MLB_P_FILE, text);
		mlb_scan_release(&c);
	}
	mlb_db_close(q.db);
	free(db);
	close_project(&p);
}

/* One file of 2,500 changed: little is written. */
static void
test_one_of_many(void **state)
{
	static const char *const path[] = { "tree" };
	struct mlb_scan s;
	struct project p;
	size_t dirty;

	open_project(&p, state);
	mkdir("tree", 0777);
	for (unsigned i = 0; i < 2500; i++) {
		char name[32];

		if (i % 1000 == 0) {
			snprintf(name, sizeof(name), "tree/%u", i / 1000);
			mkdir(name, 0777);
		}
		snprintf(name, sizeof(name), "tree/%u/%u", i / 1000, i);
		put_file(name, name);
	}
	settle_time();
	assert_int_equal(scan_and_save(&p, path, 1, &dirty), 1);
	assert_int_equal(scan_and_save(&p, path, 1, &dirty), 0);
	assert_int_equal(dirty, 0);
	put_file("tree/2/2222", "changed");
	settle_time();
	scan(&s, &p, path, NULL, 1);
	assert_true(s.state[0].changed);
	assert_tree(&p, &s.state[0], "tree");
	save(&s);
	mlb_scan_release(&s);
	assert_int_equal(scan_and_save(&p, path, 1, &dirty), 0);
	assert_int_equal(dirty, 0);
	close_project(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_random_trees),
		scratch_test(test_two_writers),
		scratch_test(test_one_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
