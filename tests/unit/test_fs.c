#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/hex.h"
#include "os/fs.h"

static void
lstat_tells_kinds(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_stat st, again;

	(void)state;
	put_file("f", "12345");
	assert_int_equal(chmod("f", 0755), 0);
	assert_int_equal(mkdir("d", 0777), 0);
	assert_int_equal(symlink("f", "l"), 0);
	assert_int_equal(symlink("nowhere", "broken"), 0);
	assert_int_equal(mkfifo("p", 0600), 0);

	assert_ok(mlb_fs_lstat(&st, "f", &err));
	assert_int_equal(st.type, MLB_F_FILE);
	assert_int_equal(st.size, 5);
	assert_int_equal(st.nlink, 1);
	assert_true(st.exec);
	assert_true(st.mtime > 0 && st.ctime > 0);
	assert_ok(mlb_fs_lstat(&again, "f", &err));
	assert_true(mlb_stat_same(&st, &again));
	assert_int_equal(chmod("f", 0644), 0);
	assert_ok(mlb_fs_lstat(&again, "f", &err));
	assert_false(again.exec);
	assert_false(mlb_stat_same(&st, &again));

	assert_ok(mlb_fs_lstat(&st, "d", &err));
	assert_int_equal(st.type, MLB_F_DIR);
	assert_ok(mlb_fs_lstat(&st, "l", &err));
	assert_int_equal(st.type, MLB_F_SYMLINK);
	assert_ok(mlb_fs_stat(&st, "l", &err));
	assert_int_equal(st.type, MLB_F_FILE);
	assert_ok(mlb_fs_lstat(&st, "p", &err));
	assert_int_equal(st.type, MLB_F_OTHER);
	assert_ok(mlb_fs_lstat(&st, "nothing", &err));
	assert_int_equal(st.type, MLB_F_ABSENT);
	assert_ok(mlb_fs_lstat(&st, "f/below", &err));
	assert_int_equal(st.type, MLB_F_ABSENT);
	assert_ok(mlb_fs_stat(&st, "broken", &err));
	assert_int_equal(st.type, MLB_F_ABSENT);
	assert_true(mlb_fs_exists("broken"));
	assert_false(mlb_fs_exists("nothing"));
}

static void
read_appends(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(300000);
	struct mlb_err err = MLB_ERR_INIT;
	char *big = mlb_alloc(200001);

	(void)state;
	memset(big, 'x', 200000);
	big[200000] = '\0';
	put_file("big", big);
	put_file("small", "abc");
	put_file("empty", "");
	assert_ok(mlb_fs_read(&b, "small", &err));
	assert_ok(mlb_fs_read(&b, "empty", &err));
	assert_ok(mlb_fs_read(&b, "big", &err));
	assert_int_equal(b.len, 200003);
	assert_memory_equal(b.data, "abcxxx", 6);
	assert_memory_equal(b.data + 3, big, 200001);
	assert_err(mlb_fs_read(&b, "big", &err), MLB_ETOOBIG, "big");
	mlb_buf_clear(&b);
	assert_err(mlb_fs_read(&b, "absent", &err), MLB_ESYSTEM, "'absent': No such file");
	assert_err(mlb_fs_read(&b, ".", &err), MLB_ESYSTEM, "'.'");
	/* No size is known beforehand. */
	assert_ok(mlb_fs_read(&b, "/proc/self/status", &err));
	assert_true(b.len > 100);
	mlb_buf_release(&b);
	free(big);
}

static void
read_at_the_maximum(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(3);
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	put_file("three", "abc");
	put_file("four", "abcd");
	assert_ok(mlb_fs_read(&b, "three", &err));
	assert_string_equal(mlb_buf_str(&b), "abc");
	mlb_buf_clear(&b);
	assert_err(mlb_fs_read(&b, "four", &err), MLB_ETOOBIG, "larger than 3");
	mlb_buf_release(&b);
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
write_replaces(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_dirents d = MLB_VEC_INIT;

	(void)state;
	umask(022);
	assert_ok(mlb_fs_write("f", "one", 3, false, &err));
	assert_file("f", "one");
	assert_int_equal(mode_of("f"), 0644);
	assert_int_equal(chmod("f", 0600), 0);
	assert_ok(mlb_fs_write("f", "two", 3, true, &err));
	assert_file("f", "two");
	assert_int_equal(mode_of("f"), 0600);
	assert_ok(mlb_fs_write("f", NULL, 0, false, &err));
	assert_file("f", "");
	assert_err(mlb_fs_write("no/f", "x", 1, false, &err), MLB_ESYSTEM, "no/f");
	/* A failure leaves no temporary file. */
	assert_int_equal(mkdir("dir", 0777), 0);
	put_file("dir/x", "");
	assert_err(mlb_fs_write("dir", "x", 1, false, &err), MLB_ESYSTEM, "cannot write 'dir'");
	assert_ok(mlb_fs_list(&d, ".", &err));
	assert_int_equal(d.n, 2);
	mlb_dirents_release(&d);
}

static void
names_come_and_go(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(10000);
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	put_file("a", "a");
	assert_ok(mlb_fs_rename("a", "b", &err));
	assert_false(mlb_fs_exists("a"));
	assert_err(mlb_fs_rename("a", "b", &err), MLB_ESYSTEM, "'a' to 'b'");
	assert_ok(mlb_fs_unlink("b", &err));
	assert_ok(mlb_fs_unlink("b", &err));
	assert_int_equal(symlink("some/where", "l"), 0);
	assert_ok(mlb_fs_readlink(&b, "l", &err));
	assert_string_equal(mlb_buf_str(&b), "some/where");
	assert_err(mlb_fs_readlink(&b, ".", &err), MLB_ESYSTEM, "'.'");
	assert_ok(mlb_fs_sync_dir(".", &err));
	assert_ok(mlb_fs_tempdir(&b, ".", "job-", &err));
	assert_true(mlb_fs_exists(mlb_buf_str(&b)));
	assert_non_null(strstr(mlb_buf_str(&b), "job-"));
	mlb_buf_release(&b);
}

static size_t
count_files(void)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	size_t n;

	assert_ok(mlb_fs_list(&list, ".", &err));
	n = list.n;
	mlb_dirents_release(&list);
	return n;
}

static void
a_file_is_rewritten_in_two_steps(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_fs_rewriting *r;
	struct mlb_stat st;

	(void)state;
	put_file("f", "old");
	assert_int_equal(chmod("f", 0640), 0);
	assert_int_equal(symlink("f", "l"), 0);
	assert_ok(mlb_fs_rewrite_begin(&r, "l", "dropped", 7, &err));
	assert_file("f", "old");
	assert_ok(mlb_fs_rewrite_end(r, false, &err));
	assert_file("f", "old");
	assert_ok(mlb_fs_rewrite_begin(&r, "l", "new", 3, &err));
	assert_file("f", "old");
	assert_ok(mlb_fs_rewrite_end(r, true, &err));
	assert_file("f", "new");
	assert_ok(mlb_fs_lstat(&st, "l", &err));
	assert_int_equal(st.type, MLB_F_SYMLINK);
	assert_int_equal(count_files(), 2);
	assert_ok(mlb_fs_rewrite_begin(&r, "fresh", "1", 1, &err));
	assert_false(mlb_fs_exists("fresh"));
	assert_ok(mlb_fs_rewrite_end(r, true, &err));
	assert_file("fresh", "1");
	assert_ok(mlb_fs_rewrite_begin(&r, "/dev/null", "1", 1, &err));
	assert_ok(mlb_fs_rewrite_end(r, true, &err));
	assert_err(mlb_fs_rewrite_begin(&r, "no/where", "1", 1, &err), MLB_ESYSTEM, "no/where");
	/* Something took its place meanwhile. */
	assert_ok(mlb_fs_rewrite_begin(&r, "taken", "1", 1, &err));
	assert_int_equal(mkdir("taken", 0777), 0);
	assert_err(mlb_fs_rewrite_end(r, true, &err), MLB_ESYSTEM, "cannot write");
	assert_int_equal(count_files(), 4);
}

static void
hash_of_a_file(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *big = mlb_alloc(3000001);
	struct mlb_digest d, want;
	uint64_t size = 7;

	(void)state;
	memset(big, 'y', 3000000);
	big[3000000] = '\0';
	put_file("big", big);
	mlb_sha256_of(&want, big, 3000000);
	assert_ok(mlb_fs_hash(&d, &size, "big", &err));
	assert_int_equal(size, 3000000);
	assert_memory_equal(&d, &want, sizeof(d));
	put_file("empty", "");
	mlb_sha256_of(&want, "", 0);
	assert_int_equal(symlink("empty", "l"), 0);
	assert_ok(mlb_fs_hash(&d, NULL, "l", &err));
	assert_memory_equal(&d, &want, sizeof(d));
	assert_err(mlb_fs_hash(&d, &size, ".", &err), MLB_EINVALID, "not a regular file");
	assert_err(mlb_fs_hash(&d, &size, "absent", &err), MLB_ESYSTEM, "absent");
	/* A FIFO must not make it wait. */
	assert_int_equal(mkfifo("p", 0600), 0);
	assert_err(mlb_fs_hash(&d, &size, "p", &err), MLB_EINVALID, "not a regular file");
	free(big);
}

static void
copy_by_whatever_means(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d, want;
	bool reflinked;

	(void)state;
	umask(077);
	put_file("from", "contents");
	mlb_sha256_of(&want, "contents", 8);
	assert_ok(mlb_fs_copy("from", "to", 0755, &reflinked, &d, &err));
	assert_file("to", "contents");
	assert_int_equal(mode_of("to"), 0755);
	if (reflinked)
		assert_true(mlb_digest_is_zero(&d));
	else
		assert_memory_equal(&d, &want, sizeof(d));
	/* An existing name is refused, and kept. */
	put_file("from", "other");
	assert_err(mlb_fs_copy("from", "to", 0644, NULL, NULL, &err), MLB_ESYSTEM, "'to'");
	assert_file("to", "contents");
	assert_err(mlb_fs_copy("absent", "new", 0644, NULL, NULL, &err), MLB_ESYSTEM, "absent");
	assert_false(mlb_fs_exists("new"));
	assert_err(mlb_fs_copy(".", "new", 0644, NULL, NULL, &err), MLB_EINVALID, "regular");
	assert_false(mlb_fs_exists("new"));
	assert_ok(mlb_fs_copy("from", "readonly", 0444, NULL, NULL, &err));
	assert_int_equal(mode_of("readonly"), 0444);
}

/* Into another file system nothing can be cloned: bytes are copied and hashed. */
static void
copy_across_file_systems(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf dir = MLB_BUF_INIT(1000), to = MLB_BUF_INIT(1000);
	struct stat here, there;
	struct mlb_digest d, want;
	bool reflinked = true;

	(void)state;
	if (stat(".", &here) != 0 || stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev ||
	    mlb_fs_tempdir(&dir, "/dev/shm", "mlbuild-unit-", NULL) != 0)
		skip();
	put_file("from", "contents");
	mlb_sha256_of(&want, "contents", 8);
	mlb_buf_addf(&to, "%s/to", mlb_buf_str(&dir));
	assert_ok(mlb_fs_copy("from", mlb_buf_str(&to), 0644, &reflinked, &d, &err));
	assert_false(reflinked);
	assert_memory_equal(&d, &want, sizeof(d));
	assert_file(mlb_buf_str(&to), "contents");
	assert_ok(mlb_fs_remove_tree(mlb_buf_str(&dir), &err));
	mlb_buf_release(&to);
	mlb_buf_release(&dir);
}

static void
probes(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_dirents d = MLB_VEC_INIT;
	struct mlb_stat before, after, st;
	int64_t t1, t2;

	(void)state;
	assert_false(mlb_fs_is_network("/proc"));
	assert_false(mlb_fs_is_network("/no/such/path"));
	assert_ok(mlb_fs_lstat(&before, ".", &err));
	assert_ok(mlb_fs_clock(&t1, ".", &err));
	put_file("f", "");
	assert_ok(mlb_fs_lstat(&st, "f", &err));
	assert_ok(mlb_fs_clock(&t2, ".", &err));
	assert_true(t1 <= st.ctime && st.ctime <= t2);
	assert_err(mlb_fs_clock(&t1, "absent", &err), MLB_ESYSTEM, "absent");
	assert_false(mlb_fs_is_case_folding("/no/such/path"));
	/* Here it may be so or not; but it must agree with the truth, and clean up. */
	assert_int_equal(mlb_fs_is_case_folding("."), mlb_fs_exists("F"));
	assert_ok(mlb_fs_list(&d, ".", &err));
	assert_int_equal(d.n, 1);
	mlb_dirents_release(&d);
	assert_ok(mlb_fs_lstat(&after, ".", &err));
	assert_int_equal(before.ino, after.ino);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(lstat_tells_kinds),
		scratch_test(read_appends),
		scratch_test(read_at_the_maximum),
		scratch_test(write_replaces),
		scratch_test(names_come_and_go),
		scratch_test(hash_of_a_file),
		scratch_test(a_file_is_rewritten_in_two_steps),
		scratch_test(copy_by_whatever_means),
		scratch_test(copy_across_file_systems),
		scratch_test(probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
