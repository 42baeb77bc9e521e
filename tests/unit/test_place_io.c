/* Calls that fail while objects are read and put into the workspace. */
#include "cas_fixture.h"
#include "faulty_io.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/tree.h"

#define LARGE (2 * 1024 * 1024)

struct placing_io {
	struct faulty_io f; /* first */
	bool sick;          /* what is read of the store's files cannot be read */
	bool folds;
	int link_error;
	unsigned links;
};

static struct placing_io *
of(const struct mlb_io *io)
{
	return (struct placing_io *)(uintptr_t)io;
}

/* Reading from an address that nobody has is an error of input and output. */
static int
sick_open(const struct mlb_io *io, const char *path, int flags, unsigned mode)
{
	bool ours = strstr(path, "/objects/") || strstr(path, "/packs/");

	if (of(io)->sick && ours && (flags & O_ACCMODE) == O_RDONLY)
		path = "/proc/self/mem";
	return mlb_io_os.open(io, path, flags & ~O_NOFOLLOW, mode);
}

static int
no_link(const struct mlb_io *io, int from_dir, const char *from, int to_dir, const char *to)
{
	of(io)->links++;
	errno = of(io)->link_error;
	return errno ? -1 : mlb_io_os.linkat(io, from_dir, from, to_dir, to);
}

static bool
folds(const struct mlb_io *io, const char *dir)
{
	(void)dir;
	return of(io)->folds;
}

static struct store
open_with(struct placing_io *io, const char *db)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct store s = { NULL, NULL };

	memset(io, 0, sizeof(*io));
	faulty_init(&io->f, 0, false, EIO);
	io->f.io.open = sick_open;
	io->f.io.linkat = no_link;
	io->f.io.folds_case = folds;
	assert_ok(mlb_db_open(&s.db, db, &err));
	assert_ok(mlb_cas_open_io(&s.cas, CACHE, s.db, &io->f.io, &err));
	return s;
}

static void
put_zeros(struct store *s, struct mlb_digest *out, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *data = mlb_calloc(len, 1);

	assert_ok(mlb_cas_put(s->cas, out, data, len, &err));
	commit(s);
	free(data);
}

/* ext4 has 65,000 links to a file at most. */
static void
too_many_links_become_copies(void **state)
{
	static const int errors[] = { EMLINK, EXDEV, EPERM, 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct placing_io io;
	struct store s = open_with(&io, "state.db");
	struct mlb_digest d, now;

	(void)state;
	put_zeros(&s, &d, LARGE);
	for (size_t i = 0; i < MLB_ARRAY_LEN(errors); i++) {
		struct mlb_stat st;

		io.links = 0;
		io.link_error = errors[i];
		assert_ok(mlb_cas_link(s.cas, &d, "out", false, MLB_LINK_HARD, &err));
		assert_ok(mlb_fs_hash(&now, NULL, "out", &err));
		assert_true(mlb_digest_equal(&now, &d));
		assert_ok(mlb_fs_lstat(&st, "out", &err));
		/* root may write anyway: for it nothing is ever linked */
		assert_int_equal(io.links, geteuid() == 0 ? 0 : 1);
		assert_int_equal(st.nlink, geteuid() != 0 && errors[i] == 0 ? 2 : 1);
		assert_int_equal(unlink("out"), 0);
	}
	close_store(&s);
}

/* root may not be asked: the same as somebody else. */
static void
too_many_links_for_others(void **state)
{
	const uid_t nobody = 65534;
	int status;
	pid_t child;

	if (geteuid() != 0) {
		too_many_links_become_copies(state);
		return;
	}
	assert_int_equal(chmod(".", 0777), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct mlb_err err = MLB_ERR_INIT;
		struct placing_io io;
		struct store s;
		struct mlb_digest d, now;
		int rc;

		if (setgid(nobody) != 0 || setuid(nobody) != 0)
			_exit(10);
		s = open_with(&io, "nobody.db");
		put_zeros(&s, &d, LARGE);
		io.link_error = EMLINK;
		rc = mlb_cas_link(s.cas, &d, "linked", false, MLB_LINK_HARD, &err);
		if (rc || io.links != 1 || mlb_fs_hash(&now, NULL, "linked", NULL) != 0 ||
		    !mlb_digest_equal(&now, &d))
			_exit(11);
		close_store(&s);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
what_cannot_be_read_is_not_served(void **state)
{
	static const size_t size[] = { 100, LARGE };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(size); i++) {
		struct mlb_buf out = MLB_BUF_INIT(MLB_GIB);
		struct mlb_err err = MLB_ERR_INIT;
		struct placing_io io;
		struct store s = open_with(&io, "state.db");
		struct mlb_digest d, now;

		put_zeros(&s, &d, size[i]);
		close_store(&s);
		s = open_with(&io, "state.db");
		io.sick = true;
		assert_int_equal(mlb_cas_read(s.cas, &out, &d, &err), MLB_ESYSTEM);
		assert_non_null(strstr(err.text, strerror(EIO)));
		assert_int_equal(out.len, 0);
		mlb_err_release(&err);
		assert_int_equal(mlb_cas_link(s.cas, &d, "out", false, MLB_LINK_BYTES, &err),
				 MLB_ESYSTEM);
		assert_non_null(strstr(err.text, strerror(EIO)));
		mlb_err_release(&err);
		assert_false(mlb_fs_exists("out"));
		/* A large one is believed by its stat. */
		assert_int_equal(mlb_cas_sure(s.cas, &d), size[i] == LARGE);
		/* That was the disk, and it is well again: nothing was thrown away. */
		close_store(&s);
		s = open_with(&io, "state.db");
		assert_ok(mlb_cas_link(s.cas, &d, "out", false, MLB_LINK_BYTES, &err));
		assert_ok(mlb_fs_hash(&now, NULL, "out", &err));
		assert_true(mlb_digest_equal(&now, &d));
		assert_int_equal(unlink("out"), 0);
		mlb_buf_release(&out);
		close_store(&s);
	}
}

static void
names_that_are_folded_do_not_collide(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct placing_io io;
	struct store s = open_with(&io, "state.db");
	struct mlb_tree_entry e[2] = { { .name = "Data", .kind = MLB_T_FILE },
				       { .name = "data", .kind = MLB_T_FILE } };
	struct mlb_digest tree, empty;

	(void)state;
	assert_ok(mlb_cas_put(s.cas, &empty, "", 0, &err));
	e[0].digest = e[1].digest = empty;
	assert_ok(mlb_tree_node(&tree, NULL, e, 2, s.cas, &err));
	commit(&s);
	io.folds = true;
	assert_int_equal(mlb_tree_checkout(s.cas, &tree, "out", MLB_LINK_COPY, &err), MLB_EINVALID);
	assert_non_null(strstr(err.text, "only in case"));
	mlb_err_release(&err);
	assert_false(mlb_fs_exists("out/Data") || mlb_fs_exists("out/data"));
	io.folds = false;
	assert_ok(mlb_tree_checkout(s.cas, &tree, "out", MLB_LINK_COPY, &err));
	assert_true(mlb_fs_exists("out/Data") && mlb_fs_exists("out/data"));
	close_store(&s);
}

/* Each call of a checkout fails in turn: an error, or all is right; and the next one puts all right. */
static void
any_call_may_fail(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct store s = open_store("state.db");
	struct mlb_digest tree, now;

	(void)state;
	assert_int_equal(mkdir("in", 0777), 0);
	assert_int_equal(mkdir("in/sub", 0777), 0);
	put_file("in/a", "a");
	put_file("in/sub/b", "b");
	assert_int_equal(symlink("a", "in/l"), 0);
	assert_ok(mlb_tree_store(&tree, NULL, "in", s.cas, &err));
	commit(&s);
	close_store(&s);
	for (long n = 1;; n++) {
		struct faulty_io f;
		bool failed;
		int rc;

		faulty_init(&f, 0, n % 2 == 0, EIO);
		assert_ok(mlb_db_open(&s.db, "state.db", &err));
		assert_ok(mlb_cas_open_io(&s.cas, CACHE, s.db, &f.io, &err));
		f.fail_at = f.calls + (n + 1) / 2;
		rc = mlb_tree_checkout(s.cas, &tree, "out", MLB_LINK_COPY, &err);
		failed = f.failed;
		assert_true(rc == 0 || (failed && err.text));
		mlb_err_release(&err);
		f.fail_at = 0;
		assert_ok(mlb_tree_checkout(s.cas, &tree, "out", MLB_LINK_COPY, &err));
		assert_ok(mlb_tree_store(&now, NULL, "out", NULL, &err));
		assert_true(mlb_digest_equal(&now, &tree));
		close_store(&s);
		assert_ok(mlb_fs_remove_tree("out", &err));
		if (!failed)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(too_many_links_become_copies),
		scratch_test(too_many_links_for_others),
		scratch_test(what_cannot_be_read_is_not_served),
		scratch_test(names_that_are_folded_do_not_collide),
		scratch_test(any_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
