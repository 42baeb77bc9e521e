/* A lock that was made to attack: what a checkout makes of it. */
#include "engine_fixture.h"

#include "base/alloc.h"
#include "graph/lockfile.h"
#include "os/fs.h"

/* The lock as it is, with its one output under another path, or with a second block that names the same. */
static void
rewrite_lock(const char *path, bool twice)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf text = MLB_BUF_INIT(1 << 20), out = MLB_BUF_INIT(1 << 20);
	struct mlb_lockfile l;
	struct mlb_lock_output o;
	struct mlb_lock_block b;

	assert_ok(mlb_fs_read(&text, "mlbuild.lock", &err));
	mlb_lockfile_init(&l);
	assert_ok(mlb_lockfile_parse(&l, mlb_buf_str(&text), text.len, &err));
	b = *mlb_lockfile_get(&l, "m");
	o = b.output[0];
	o.path = path;
	b.output = &o;
	if (twice)
		b.name = "n";
	mlb_lockfile_set(&l, &b);
	mlb_lockfile_format(&out, &l);
	assert_ok(mlb_fs_write("mlbuild.lock", mlb_buf_str(&out), out.len, false, &err));
	mlb_lockfile_release(&l);
	mlb_buf_release(&out);
	mlb_buf_release(&text);
}

static int
checkout(struct mlb_err *err)
{
	const struct mlb_open open = { .dir = "." };
	const struct mlb_checkout c = { 0 };
	struct mlb_checkout_report report;
	struct mlb_project *p;
	int rc;

	assert_int_equal(mlb_project_open(&p, &open, err), 0);
	rc = mlb_checkout(p, &c, &report, err);
	mlb_checkout_report_release(&report);
	mlb_project_close(p);
	return rc;
}

static void
paths_that_can_be_no_output(void **state)
{
	static const char *const bad[] = { ".git/hooks/post-checkout", ".mlbuild/state.db",
					   "a/.Git/x", "a/.mlbuild/x" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_stat before, after;

	(void)state;
	put_file("mlbuild.ini", "[model m]\nrun = echo 1 > ${out}\nout = m.txt\n");
	sh("mkdir -p .git/hooks");
	build_ok("");
	assert_ok(mlb_fs_lstat(&before, ".mlbuild/state.db", &err));
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		rewrite_lock(bad[i], false);
		assert_err(checkout(&err), MLB_EINVALID, bad[i]);
		assert_false(mlb_fs_exists(".git/hooks/post-checkout"));
		assert_false(mlb_fs_exists("a"));
		assert_ok(mlb_fs_lstat(&after, ".mlbuild/state.db", &err));
		assert_int_equal(before.ino, after.ino);
	}
	rewrite_lock("fine.txt", false);
	assert_ok(checkout(&err));
	assert_file("fine.txt", "1\n");
}

static void
one_output_in_the_other(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	put_file("mlbuild.ini", "[model m]\nrun = echo 1 > ${out}\nout = m.txt\n");
	build_ok("");
	rewrite_lock("m.txt", true);
	assert_err(checkout(&err), MLB_EINVALID, "twice");
	rewrite_lock("m.txt/x", true);
	assert_err(checkout(&err), MLB_EINVALID, "inside of another");
	assert_file("m.txt", "1\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(paths_that_can_be_no_output),
		engine_test(one_output_in_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
