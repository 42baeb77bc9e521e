/* Directories and trees; the rest of os/fs.h is in test_fs.c. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "os/fs.h"
#include "os/path.h"

static void
mkdirs_makes_parents(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_stat st;

	(void)state;
	assert_ok(mlb_fs_mkdirs("a/b/c", &err));
	assert_ok(mlb_fs_mkdirs("a/b/c", &err));
	assert_ok(mlb_fs_mkdirs("a//b/d/", &err));
	assert_ok(mlb_fs_mkdirs(".", &err));
	assert_ok(mlb_fs_mkdirs("/", &err));
	assert_ok(mlb_fs_mkparents("x/y/file", &err));
	assert_ok(mlb_fs_mkparents("file", &err));
	assert_ok(mlb_fs_lstat(&st, "a/b/c", &err));
	assert_int_equal(st.type, MLB_F_DIR);
	assert_ok(mlb_fs_lstat(&st, "a/b/d", &err));
	assert_int_equal(st.type, MLB_F_DIR);
	assert_ok(mlb_fs_lstat(&st, "x/y", &err));
	assert_int_equal(st.type, MLB_F_DIR);
	assert_false(mlb_fs_exists("x/y/file"));
	/* A link to a directory is one. */
	assert_int_equal(symlink("a", "link"), 0);
	assert_ok(mlb_fs_mkdirs("link/e/f", &err));
	assert_true(mlb_fs_exists("a/e/f"));
	put_file("plain", "");
	assert_err(mlb_fs_mkdirs("plain", &err), MLB_ESYSTEM, "not a directory");
	assert_err(mlb_fs_mkdirs("plain/x/y", &err), MLB_ESYSTEM, "plain/x/y");
}

static void
mkdirs_absolute(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *path = mlb_asprintf("%s/p/q/r", (char *)*state);

	assert_ok(mlb_fs_mkdirs(path, &err));
	assert_true(mlb_fs_exists("p/q/r"));
	free(path);
}

static void
list_is_sorted(void **state)
{
	enum { N = 10000 };
	struct mlb_dirents d = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	char name[32];

	(void)state;
	assert_ok(mlb_fs_mkdirs("many", &err));
	for (unsigned i = 0; i < N; i++) {
		int fd;

		snprintf(name, sizeof(name), "many/f%05u", (i * 7919u) % N);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_ok(mlb_fs_list(&d, "many", &err));
	assert_int_equal(d.n, N);
	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "f%05u", i);
		assert_string_equal(d.v[i].name, name);
		assert_int_equal(d.v[i].type, MLB_F_FILE);
	}
	mlb_dirents_release(&d);
	assert_ok(mlb_fs_remove_tree("many", &err));
	assert_false(mlb_fs_exists("many"));
}

static void
list_tells_kinds(void **state)
{
	struct mlb_dirents d = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	put_file("B", "");
	put_file(".hidden", "");
	assert_ok(mlb_fs_mkdirs("a", &err));
	assert_int_equal(symlink("nowhere", "\xc3\xa4"), 0);
	assert_int_equal(mkfifo("p", 0600), 0);
	assert_ok(mlb_fs_list(&d, ".", &err));
	assert_int_equal(d.n, 5);
	assert_string_equal(d.v[0].name, ".hidden");
	assert_string_equal(d.v[1].name, "B");
	assert_string_equal(d.v[2].name, "a");
	assert_int_equal(d.v[2].type, MLB_F_DIR);
	assert_string_equal(d.v[3].name, "p");
	assert_int_equal(d.v[3].type, MLB_F_OTHER);
	assert_string_equal(d.v[4].name, "\xc3\xa4");
	assert_int_equal(d.v[4].type, MLB_F_SYMLINK);
	mlb_dirents_release(&d);
	assert_err(mlb_fs_list(&d, "absent", &err), MLB_ESYSTEM, "absent");
	assert_err(mlb_fs_list(&d, "B", &err), MLB_ESYSTEM, "'B'");
	assert_int_equal(d.n, 0);
}

static void
remove_never_follows_links(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(mlb_fs_mkdirs("outside/deep", &err));
	put_file("outside/keep", "kept");
	put_file("outside/deep/keep", "kept");
	assert_ok(mlb_fs_mkdirs("tree/sub", &err));
	put_file("tree/sub/f", "");
	assert_int_equal(symlink("../outside", "tree/link"), 0);
	assert_int_equal(symlink("../../outside/deep", "tree/sub/link"), 0);
	assert_int_equal(symlink("nowhere", "tree/broken"), 0);
	assert_ok(mlb_fs_remove_tree("tree", &err));
	assert_false(mlb_fs_exists("tree"));
	assert_file("outside/keep", "kept");
	assert_file("outside/deep/keep", "kept");
	/* Not even one that is named itself, with a slash or without. */
	assert_int_equal(symlink("outside", "top"), 0);
	assert_ok(mlb_fs_remove_tree("top/", &err));
	assert_false(mlb_fs_exists("top"));
	assert_file("outside/keep", "kept");
	assert_ok(mlb_fs_remove_tree("top", &err)); /* absent is fine */
	assert_ok(mlb_fs_remove_tree("outside/keep/below", &err));
	assert_ok(mlb_fs_remove_tree("outside/keep", &err)); /* a file too */
	assert_false(mlb_fs_exists("outside/keep"));
}

static void
remove_read_only_directories(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(mlb_fs_mkdirs("tree/a/b", &err));
	assert_ok(mlb_fs_mkdirs("tree/none", &err));
	put_file("tree/a/b/f", "");
	put_file("tree/none/f", "");
	assert_int_equal(chmod("tree/a/b", 0555), 0);
	assert_int_equal(chmod("tree/none", 0), 0);
	assert_int_equal(chmod("tree/a", 0555), 0);
	assert_int_equal(chmod("tree", 0555), 0);
	assert_ok(mlb_fs_remove_tree("tree", &err));
	assert_false(mlb_fs_exists("tree"));
}

static void
empty_parents_go(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(mlb_fs_mkdirs("root/a/b/c", &err));
	put_file("root/a/keep", "");
	assert_int_equal(mlb_fs_rmdir_empty_parents("root/a/b/c/gone", "root"), 0);
	assert_false(mlb_fs_exists("root/a/b"));
	assert_true(mlb_fs_exists("root/a"));
	assert_ok(mlb_fs_unlink("root/a/keep", &err));
	mlb_fs_rmdir_empty_parents("root/a/keep", "root");
	assert_false(mlb_fs_exists("root/a"));
	assert_true(mlb_fs_exists("root"));
	/* Never beyond, and never elsewhere. */
	assert_ok(mlb_fs_mkdirs("other/x", &err));
	mlb_fs_rmdir_empty_parents("other/x/f", "root");
	assert_true(mlb_fs_exists("other/x"));
	mlb_fs_rmdir_empty_parents("other/x/f", ".");
	assert_false(mlb_fs_exists("other"));
}

static void
check_moved(const char *at)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf b = MLB_BUF_INIT(1000), path = MLB_BUF_INIT(1000);
	struct stat st;

	mlb_buf_addf(&path, "%s/sub/f", at);
	assert_file(mlb_buf_str(&path), "contents");
	assert_int_equal(stat(mlb_buf_str(&path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	assert_int_equal(st.st_mtim.tv_sec, 1000000000);
	mlb_buf_clear(&path);
	mlb_buf_addf(&path, "%s/link", at);
	assert_ok(mlb_fs_readlink(&b, mlb_buf_str(&path), &err));
	assert_string_equal(mlb_buf_str(&b), "sub/f");
	mlb_buf_release(&b);
	mlb_buf_release(&path);
}

static void
make_movable(void)
{
	const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_fs_mkdirs("from/sub/empty", &err));
	put_file("from/sub/f", "contents");
	assert_int_equal(chmod("from/sub/f", 0750), 0);
	assert_int_equal(utimensat(AT_FDCWD, "from/sub/f", times, 0), 0);
	assert_int_equal(symlink("sub/f", "from/link"), 0);
}

static void
move_renames(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	make_movable();
	assert_ok(mlb_fs_move("from", "to", &err));
	assert_false(mlb_fs_exists("from"));
	check_moved("to");
	assert_err(mlb_fs_move("absent", "x", &err), MLB_ESYSTEM, "absent");
}

static void
move_across_file_systems(void **state)
{
	struct mlb_buf dir = MLB_BUF_INIT(1000), to = MLB_BUF_INIT(1000);
	struct mlb_err err = MLB_ERR_INIT;
	struct stat here, there;

	(void)state;
	if (stat(".", &here) != 0 || stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev ||
	    mlb_fs_tempdir(&dir, "/dev/shm", "mlbuild-unit-", NULL) != 0)
		skip();
	mlb_buf_addf(&to, "%s/to", mlb_buf_str(&dir));
	make_movable();
	assert_ok(mlb_fs_move("from", mlb_buf_str(&to), &err));
	assert_false(mlb_fs_exists("from"));
	check_moved(mlb_buf_str(&to));
	assert_ok(mlb_fs_move(mlb_buf_str(&to), "back", &err));
	check_moved("back");
	assert_true(mlb_fs_exists("back/sub/empty"));
	/* What cannot be moved whole stays whole, and leaves nothing over there. */
	assert_int_equal(mkfifo("back/zz", 0600), 0);
	assert_err(mlb_fs_move("back", mlb_buf_str(&to), &err), MLB_EINVALID, "back/zz");
	check_moved("back");
	assert_false(mlb_fs_exists(mlb_buf_str(&to)));
	assert_ok(mlb_fs_remove_tree(mlb_buf_str(&dir), &err));
	mlb_buf_release(&to);
	mlb_buf_release(&dir);
}

static void
real_paths(void **state)
{
	struct mlb_buf here = MLB_BUF_INIT(4096), out = MLB_BUF_INIT(4096),
		       want = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(mlb_fs_mkdirs("a/b", &err));
	assert_int_equal(symlink("a/b", "link"), 0);
	assert_int_equal(symlink("nowhere", "broken"), 0);
	put_file("file", "");
	assert_ok(mlb_fs_real(&here, ".", &err));
	mlb_path_join(&want, mlb_buf_str(&here), "a/b");
	assert_ok(mlb_fs_real(&out, "link", &err));
	assert_string_equal(mlb_buf_str(&out), mlb_buf_str(&want));
	assert_ok(mlb_fs_real(&out, "link/./", &err));
	assert_string_equal(mlb_buf_str(&out), mlb_buf_str(&want));
	mlb_path_join(&want, mlb_buf_str(&here), "a/b/new/er");
	assert_ok(mlb_fs_real(&out, "link/new/er", &err));
	assert_string_equal(mlb_buf_str(&out), mlb_buf_str(&want));
	assert_ok(mlb_fs_real(&out, "/mlbuild no such/x", &err));
	assert_string_equal(mlb_buf_str(&out), "/mlbuild no such/x");
	assert_ok(mlb_fs_real(&out, "/", &err));
	assert_string_equal(mlb_buf_str(&out), "/");
	assert_err(mlb_fs_real(&out, "file/x", &err), MLB_EINVALID, "is below a file");
	assert_err(mlb_fs_real(&out, "broken/x", &err), MLB_EINVALID, "leads nowhere");
	mlb_buf_release(&want);
	mlb_buf_release(&out);
	mlb_buf_release(&here);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(mkdirs_makes_parents),
		scratch_test(mkdirs_absolute),
		scratch_test(list_is_sorted),
		scratch_test(list_tells_kinds),
		scratch_test(remove_never_follows_links),
		scratch_test(remove_read_only_directories),
		scratch_test(empty_parents_go),
		scratch_test(real_paths),
		scratch_test(move_renames),
		scratch_test(move_across_file_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
