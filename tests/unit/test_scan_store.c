/* Storing and checking out what is scanned, by several threads. Labels: tsan */
#include "scan_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

static void
test_store(void **state)
{
	static const char *const path[] = { "absent", "big", "pipe", "small", "tree" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(1 << 20);
	char *big = mlb_alloc(300001);
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	memset(big, 'b', 300000);
	big[300000] = '\0';
	put_file("big", big);
	put_file("small", "s");
	assert_int_equal(mkfifo("pipe", 0666), 0);
	mkdir("tree", 0777);
	put_file("tree/x", "in it");
	put_file("tree/big", big);
	assert_ok(mlb_scan_init(&s, p.root, path, NULL, 5, p.db, 2, &err)); /* not run before */
	assert_err(mlb_scan_store(&s, 0, p.cas, &err), MLB_ENOTFOUND, "'absent' does not exist");
	assert_ok(mlb_scan_store(&s, 1, p.cas, &err));
	assert_err(mlb_scan_store(&s, 2, p.cas, &err), MLB_EINVALID, "'pipe'");
	assert_ok(mlb_scan_store(&s, 3, p.cas, &err));
	assert_ok(mlb_scan_store(&s, 4, p.cas, &err));
	assert_content(&s.state[1], MLB_P_FILE, big);
	assert_true(mlb_cas_has(p.cas, &s.state[1].digest));
	assert_ok(mlb_cas_read(p.cas, &got, &s.state[3].digest, &err));
	assert_string_equal(mlb_buf_str(&got), "s");
	assert_ok(mlb_tree_checkout(p.cas, &s.state[4].digest, "copy", MLB_LINK_COPY, &err));
	assert_file("copy/x", "in it");
	assert_ok(mlb_scan_store(&s, 4, p.cas, &err)); /* once more: nothing to do */
	put_file("tree/x", "other");
	assert_ok(mlb_scan_store(&s, 4, p.cas, &err));
	assert_tree(&p, &s.state[4], "tree");
	assert_ok(mlb_tree_checkout(p.cas, &s.state[4].digest, "copy", MLB_LINK_COPY, &err));
	assert_file("copy/x", "other");
	mlb_scan_release(&s);
	mlb_buf_release(&got);
	free(big);
	close_project(&p);
}

static void
test_checkout(void **state)
{
	static const char *const path[] = { "tree" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_placing placing = { .threads = 2 };
	struct mlb_digest one, two;
	struct mlb_scan s;
	struct project p;
	size_t dirty;

	open_project(&p, state);
	placing.cas = p.cas;
	mkdir("tree", 0777);
	mkdir("tree/sub", 0777);
	put_file("tree/a", "a");
	put_file("tree/sub/b", "b");
	scan(&s, &p, path, NULL, 1);
	assert_ok(mlb_scan_store(&s, 0, p.cas, &err));
	one = s.state[0].digest;
	put_file("tree/sub/b", "B");
	unlink("tree/a");
	assert_ok(mlb_scan_store(&s, 0, p.cas, &err));
	two = s.state[0].digest;
	assert_ok(mlb_scan_checkout(&s, 0, &placing, &one, &err));
	assert_true(mlb_digest_equal(&s.state[0].digest, &one));
	assert_int_equal(s.state[0].size, 2);
	assert_file("tree/a", "a");
	assert_file("tree/sub/b", "b");
	save(&s);
	mlb_scan_release(&s);
	settle_time();
	scan_and_save(&p, path, 1, &dirty); /* racy rows */
	assert_int_equal(scan_and_save(&p, path, 1, &dirty), 0);
	assert_int_equal(dirty, 0);
	scan(&s, &p, path, NULL, 1);
	assert_ok(mlb_scan_checkout(&s, 0, &placing, &two, &err));
	assert_tree(&p, &s.state[0], "tree");
	assert_false(mlb_fs_exists("tree/a"));
	mlb_scan_release(&s);
	close_project(&p);
}

static atomic_bool stop;

static void *
append(void *arg)
{
	int fd = open(arg, O_WRONLY | O_APPEND);

	while (!atomic_load(&stop) && write(fd, "more", 4) == 4)
		;
	close(fd);
	return NULL;
}

/* A file that somebody goes on writing to is noticed, or is what it was at one moment. */
static void
test_changing(void **state)
{
	static const char *const path[] = { "file" };
	struct mlb_buf content = MLB_BUF_INIT(256 * MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	char name[] = "file";
	unsigned noticed = 0;
	struct mlb_scan s;
	struct project p;
	pthread_t thread;

	open_project(&p, state);
	assert_true(mlb_buf_reserve(&content, 8000000));
	memset(content.data, 'b', 8000000);
	assert_ok(mlb_fs_write("file", content.data, 8000000, false, &err));
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, append, name), 0);
	for (unsigned i = 0; i < 100 && !noticed; i++) {
		struct mlb_digest want;

		scan(&s, &p, path, NULL, 1);
		if (s.state[0].kind == MLB_P_BAD) {
			assert_non_null(
				strstr(mlb_scan_problem(&s, 0), "'file' changes while it is read"));
			noticed++;
		} else {
			mlb_buf_clear(&content);
			assert_ok(mlb_fs_read(&content, "file", &err));
			mlb_sha256_of(&want, content.data, s.state[0].size);
			assert_true(mlb_digest_equal(&s.state[0].digest, &want));
		}
		mlb_scan_release(&s);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	assert_int_not_equal(noticed, 0);
	scan(&s, &p, path, NULL, 1);
	assert_int_equal(s.state[0].kind, MLB_P_FILE);
	mlb_scan_release(&s);
	mlb_buf_release(&content);
	close_project(&p);
}

/* ------------------------------------------------------------ workers */

struct worker {
	struct mlb_scan *s;
	struct mlb_cas *cas;
	size_t from, to;
	int failures;
};

static void *
store_some(void *arg)
{
	struct worker *w = arg;

	for (size_t i = w->from; i < w->to; i++)
		w->failures += mlb_scan_store(w->s, i, w->cas, NULL) != 0;
	return NULL;
}

/* Workers store some paths while the owner looks at others. */
static void
test_workers(void **state)
{
	enum { N = 40, WORKERS = 3 };
	char name[N][8];
	const char *path[N];
	struct mlb_err err = MLB_ERR_INIT;
	struct worker w[WORKERS];
	pthread_t thread[WORKERS];
	struct mlb_scan s;
	struct project p;
	bool changed;

	open_project(&p, state);
	for (unsigned i = 0; i < N; i++) {
		char file[16];

		snprintf(name[i], sizeof(name[i]), "t%02u", i);
		path[i] = name[i];
		mkdir(name[i], 0777);
		for (unsigned k = 0; k < 5; k++) {
			snprintf(file, sizeof(file), "%.3s/%u", name[i], k % 10);
			put_file(file, file);
		}
	}
	scan(&s, &p, path, NULL, N);
	for (unsigned i = 0; i < WORKERS; i++) {
		w[i] = (struct worker){ &s, p.cas, i * 10, i * 10 + 10, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, store_some, &w[i]), 0);
	}
	for (size_t i = 10 * WORKERS; i < N; i++) {
		assert_ok(mlb_scan_again(&s, i, &changed, &err));
		assert_false(changed);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failures, 0);
	}
	for (size_t i = 0; i < 10 * WORKERS; i++)
		assert_true(mlb_cas_has(p.cas, &s.state[i].digest));
	mlb_scan_release(&s);
	close_project(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_store),
		scratch_test(test_checkout),
		scratch_test(test_changing),
		scratch_test(test_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
