/* What the stat cache remembers of the store, and when that counts. */
#include "scan_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *const tree[] = { "tree" };

static struct mlb_cas *
give(void *ctx, size_t i, bool is_tree)
{
	(void)i;
	return is_tree ? ctx : NULL;
}

/* Scan the tree, and store what must be read. */
static void
scan_into(struct mlb_scan *s, const struct project *p)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_scan_init(s, p->root, tree, NULL, 1, p->db, 2, &err));
	s->store = give;
	s->store_ctx = p->cas;
	assert_ok(mlb_scan_run(s, &err));
}

static void
commit(struct mlb_scan *s, const struct project *p, bool sync)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (sync)
		assert_ok(mlb_cas_sync(p->cas, &err));
	assert_ok(mlb_db_begin(p->db, &err));
	assert_ok(mlb_cas_index(p->cas, &err));
	assert_ok(mlb_scan_save(s, p->cas, &err));
	assert_ok(mlb_db_commit(p->db, &err));
}

static void
make_tree(void)
{
	mkdir("tree", 0777);
	mkdir("tree/sub", 0777);
	put_file("tree/a", "the first file");
	put_file("tree/b", "the second file");
	put_file("tree/sub/c", "the third file");
	assert_int_equal(symlink("a", "tree/link"), 0);
	usleep(30000); /* so that none of them is racy */
}

static bool
has_text(const struct project *p, const char *text)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, text, strlen(text));
	return mlb_cas_has(p->cas, &d);
}

static void
reading_once_stores(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	make_tree();
	scan_into(&s, &p);
	assert_true(mlb_scan_stored(&s, 0, p.cas));
	assert_ok(mlb_fs_remove_tree("tree", &err)); /* nothing more can be read from it */
	assert_ok(mlb_tree_checkout(p.cas, &s.state[0].digest, "copy", MLB_LINK_COPY, &err));
	assert_file("copy/a", "the first file");
	assert_file("copy/sub/c", "the third file");
	mlb_scan_release(&s);
	close_project(&p);
}

static void
marks_are_kept(void **state)
{
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	make_tree();
	scan_into(&s, &p);
	commit(&s, &p, true);
	mlb_scan_release(&s);
	for (int i = 0; i < 2; i++) {
		scan(&s, &p, tree, NULL, 1); /* by who stores nothing */
		assert_true(mlb_scan_stored(&s, 0, p.cas));
		assert_false(s.state[0].dirty);
		mlb_scan_release(&s);
	}
	put_file("tree/sub/c", "another third file");
	usleep(30000);
	scan(&s, &p, tree, NULL, 1);
	assert_false(mlb_scan_stored(&s, 0, p.cas));
	assert_false(has_text(&p, "another third file"));
	mlb_scan_release(&s);
	close_project(&p);
}

/* What is marked is not asked for: so what somebody takes out of the store without a word is not missed. */
static void
only_what_changed_is_stored(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_scan s;
	struct project p;
	char *cache;

	open_project(&p, state);
	make_tree();
	scan_into(&s, &p);
	commit(&s, &p, true);
	mlb_scan_release(&s);
	mlb_cas_close(p.cas);
	assert_ok(mlb_fs_remove_tree(".mlbuild/cache/v1/packs", &err));
	assert_ok(mlb_db_exec(p.db, "DELETE FROM objects; DELETE FROM packs", &err));
	cache = mlb_asprintf("%s/.mlbuild/cache/v1", p.root);
	assert_ok(mlb_cas_open(&p.cas, cache, p.db, &err));
	put_file("tree/sub/c", "another third file");
	usleep(30000);
	scan(&s, &p, tree, NULL, 1);
	assert_ok(mlb_scan_store(&s, 0, p.cas, &err));
	assert_true(mlb_scan_stored(&s, 0, p.cas));
	assert_true(has_text(&p, "another third file"));
	assert_false(has_text(&p, "the first file"));
	/* Once it is told, everything is looked for, and what is missing is stored. */
	assert_ok(mlb_cas_raise(p.cas, &err));
	assert_false(mlb_scan_stored(&s, 0, p.cas));
	assert_ok(mlb_scan_store(&s, 0, p.cas, &err));
	assert_true(mlb_scan_stored(&s, 0, p.cas));
	assert_true(has_text(&p, "the first file"));
	commit(&s, &p, true);
	mlb_scan_release(&s);
	scan(&s, &p, tree, NULL, 1);
	assert_true(mlb_scan_stored(&s, 0, p.cas));
	mlb_scan_release(&s);
	free(cache);
	close_project(&p);
}

static void
what_is_not_durable_is_not_marked(void **state)
{
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	make_tree();
	scan_into(&s, &p);
	commit(&s, &p, false);
	mlb_scan_release(&s);
	scan(&s, &p, tree, NULL, 1);
	assert_int_equal(s.state[0].kind, MLB_P_TREE);
	assert_false(mlb_scan_stored(&s, 0, p.cas));
	mlb_scan_release(&s);
	close_project(&p);
}

static void
what_was_removed_meanwhile_is_not_marked(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	make_tree();
	scan_into(&s, &p);
	assert_ok(mlb_cas_raise(p.cas, &err));
	commit(&s, &p, true);
	mlb_scan_release(&s);
	scan(&s, &p, tree, NULL, 1);
	assert_false(mlb_scan_stored(&s, 0, p.cas));
	mlb_scan_release(&s);
	close_project(&p);
}

static void
a_store_that_cannot_be_written_does_not_spoil_the_scan(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_scan s;
	struct project p;
	struct mlb_digest tree_digest;

	open_project(&p, state);
	make_tree();
	scan(&s, &p, tree, NULL, 1);
	tree_digest = s.state[0].digest;
	mlb_scan_release(&s);
	assert_int_equal(rmdir(".mlbuild/cache/v1/packs"), 0);
	put_file(".mlbuild/cache/v1/packs", "no directory");
	scan_into(&s, &p);
	assert_int_equal(s.state[0].kind, MLB_P_TREE);
	assert_true(mlb_digest_equal(&s.state[0].digest, &tree_digest));
	assert_false(mlb_scan_stored(&s, 0, p.cas));
	assert_err(mlb_scan_store(&s, 0, p.cas, &err), MLB_EINVALID, "packs");
	mlb_scan_release(&s);
	close_project(&p);
}

static bool
enough(void *ctx, const struct mlb_scan_progress *p)
{
	unsigned *told = ctx;

	assert_int_equal(p->total_files, 3);
	assert_true(p->total_bytes == 3 * 30 * MLB_MIB);
	return ++*told > 100;
}

/* Reading much is told of, and ends when it is not wanted any more. */
static void
it_can_be_stopped(void **state)
{
	static const char *const name[] = { "tree/a", "tree/b", "tree/c" };
	struct mlb_err err = MLB_ERR_INIT;
	unsigned told = 0;
	struct mlb_scan s;
	struct project p;

	open_project(&p, state);
	mkdir("tree", 0777);
	for (size_t i = 0; i < MLB_ARRAY_LEN(name); i++) {
		put_file(name[i], "");
		assert_int_equal(truncate(name[i], 30 * (off_t)MLB_MIB), 0);
	}
	assert_ok(mlb_scan_init(&s, p.root, tree, NULL, 1, p.db, 2, &err));
	s.progress = enough;
	s.progress_ctx = &told;
	assert_err(mlb_scan_run(&s, &err), MLB_EINTERRUPTED, "interrupted");
	assert_int_equal(told, 1); /* at the beginning */
	told = 100;
	assert_ok(mlb_scan_run(&s, &err));
	assert_true(told >= 102); /* and at the end */
	assert_int_equal(s.state[0].kind, MLB_P_TREE);
	mlb_scan_release(&s);
	close_project(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(reading_once_stores),
		scratch_test(marks_are_kept),
		scratch_test(only_what_changed_is_stored),
		scratch_test(what_is_not_durable_is_not_marked),
		scratch_test(what_was_removed_meanwhile_is_not_marked),
		scratch_test(it_can_be_stopped),
		scratch_test(a_store_that_cannot_be_written_does_not_spoil_the_scan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
