/* What rests in a cache: listed, reached from what is named, copied to another pack. */
#include "cas_fixture.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/inventory.h"
#include "store/reach.h"
#include "store/repack.h"
#include "store/tree.h"

#define LARGE (300 * 1024)

static struct mlb_inventory
read_all(enum mlb_inv_mode mode)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_inventory inv;

	assert_ok(mlb_inventory_read(&inv, CACHE, mode, 2, NULL, NULL, &err));
	return inv;
}

/* Two small objects in an open pack and a large one. */
static void
fill(struct mlb_digest d[3])
{
	struct store s = open_store("state.db");
	char *big = noise(LARGE, 3);

	d[0] = put_text(&s, "first");
	d[1] = put_text(&s, "second");
	d[2] = put(&s, big, LARGE);
	commit(&s);
	close_store(&s);
	free(big);
}

static void
what_was_put_is_listed(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_digest d[3], none = { { 1 } };

	(void)state;
	fill(d);
	for (int mode = MLB_INV_LIST; mode <= MLB_INV_VERIFY; mode++) {
		struct mlb_inventory inv = read_all((enum mlb_inv_mode)mode);

		assert_int_equal(inv.object.n, 3);
		assert_int_equal(inv.record.n, 0);
		assert_int_equal(inv.damage.n, 0);
		assert_int_equal(mlb_inventory_find(&inv, &d[2])->file, MLB_INV_LOOSE);
		assert_int_equal(mlb_inventory_find(&inv, &d[2])->size, LARGE);
		assert_int_equal(mlb_inventory_find(&inv, &d[0])->size, 5);
		assert_null(mlb_inventory_find(&inv, &none));
		mlb_buf_clear(&got);
		assert_ok(mlb_inventory_get(&inv, &got, &d[1], &err));
		assert_string_equal(mlb_buf_str(&got), "second");
		assert_err(mlb_inventory_get(&inv, &got, &none, &err), MLB_ENOTFOUND, "");
		assert_false(mlb_inventory_changed(&inv));
		mlb_inventory_release(&inv);
	}
	mlb_buf_release(&got);
}

static void
what_is_wrong_is_damage(void **state)
{
	struct mlb_digest d[3];
	struct mlb_inventory inv;
	char *path;

	(void)state;
	fill(d);
	path = loose_path(&d[2]);
	assert_int_equal(chmod(path, 0644), 0);
	flip(path, 1000);
	assert_int_equal(chmod(path, 0444), 0);
	write_file(CACHE "/packs/foreign", "x", 1);
	inv = read_all(MLB_INV_VERIFY);
	assert_null(mlb_inventory_find(&inv, &d[2]));
	assert_non_null(mlb_inventory_find(&inv, &d[0]));
	assert_int_equal(inv.damage.n, 2);
	assert_int_equal(inv.damage.v[0].wrong, MLB_INV_BYTES);
	assert_true(mlb_digest_equal(&inv.damage.v[0].digest, &d[2]));
	assert_int_equal(inv.damage.v[1].wrong, MLB_INV_FOREIGN);
	mlb_inventory_release(&inv);
	/* Names are believed where nothing is read. */
	inv = read_all(MLB_INV_LIST);
	assert_non_null(mlb_inventory_find(&inv, &d[2]));
	mlb_inventory_release(&inv);
	free(path);
}

static int
stop(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return MLB_EINTERRUPTED;
}

static void
it_can_be_stopped(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_inventory inv;
	struct mlb_digest d[3];

	(void)state;
	fill(d);
	assert_int_equal(mlb_inventory_read(&inv, CACHE, MLB_INV_VERIFY, 2, stop, NULL, &err),
			 MLB_EINTERRUPTED);
	mlb_inventory_release(&inv);
	mlb_err_release(&err);
}

static void
names_of_objects(void **state)
{
	const char *hex = "89abcdef89abcdef89abcdef89abcdef89abcdef89abcdef89abcdef89abcd";
	struct mlb_digest d;

	(void)state;
	assert_true(mlb_inventory_loose_name(&d, "ab", hex));
	assert_int_equal(d.b[0], 0xab);
	assert_false(mlb_inventory_loose_name(&d, "AB", hex));
	assert_false(mlb_inventory_loose_name(&d, "ab", hex + 1));
	assert_false(mlb_inventory_loose_name(&d, "abc", hex));
}

/* tree/a, tree/sub/b; returns the tree's digest. */
static struct mlb_digest
store_tree(struct mlb_digest *a, struct mlb_digest *b)
{
	struct store s = open_store("state.db");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest tree;
	uint64_t size;

	assert_int_equal(mkdir("tree", 0777), 0);
	assert_int_equal(mkdir("tree/sub", 0777), 0);
	write_file("tree/a", "file a", 6);
	write_file("tree/sub/b", "file b", 6);
	mlb_sha256_of(a, "file a", 6);
	mlb_sha256_of(b, "file b", 6);
	put_text(&s, "nobody needs it");
	assert_ok(mlb_tree_store(&tree, &size, "tree", s.cas, &err));
	commit(&s);
	close_store(&s);
	return tree;
}

static void
a_tree_leads_to_all_below(void **state)
{
	struct mlb_digest a, b, other, none = { { 1 } }, tree = store_tree(&a, &b);
	struct mlb_inventory inv = read_all(MLB_INV_LIST);
	struct mlb_reach r;

	(void)state;
	mlb_sha256_of(&other, "nobody needs it", 15);
	mlb_reach_init(&r, &inv);
	/* Its bytes alone. */
	mlb_reach_add(&r, &tree, false);
	assert_true(mlb_reach_has(&r, &tree));
	assert_false(mlb_reach_has(&r, &a));
	r.journal = true;
	mlb_reach_add(&r, &tree, true);
	assert_true(mlb_reach_has(&r, &a));
	assert_true(mlb_reach_has(&r, &b));
	assert_false(mlb_reach_has(&r, &other));
	assert_int_equal(r.fresh.n, 4); /* two nodes, two files */
	r.fresh.n = 0;
	mlb_reach_add(&r, &tree, true);
	assert_int_equal(r.fresh.n, 0);
	/* What is not there, what is no tree, and nothing at all. */
	mlb_reach_add(&r, &none, true);
	assert_int_equal(r.missing.n, 1);
	mlb_reach_add(&r, &a, true);
	assert_int_equal(r.no_tree.n, 1);
	assert_true(mlb_digest_equal(&r.no_tree.v[0], &a));
	memset(&none, 0, sizeof(none));
	mlb_reach_add(&r, &none, true);
	assert_int_equal(r.missing.n, 1);
	mlb_reach_release(&r);
	mlb_inventory_release(&inv);
}

static void
what_is_copied_is_in_another_pack(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_inventory inv;
	struct mlb_digest d[3], added;
	struct mlb_repack to;
	char path[512];
	int fd;

	(void)state;
	fill(d);
	find_file(path, CACHE "/packs", "open-");
	/* Else it would be appended to. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	inv = read_all(MLB_INV_LIST);
	mlb_repack_init(&to, &inv, false);
	assert_ok(mlb_repack_copy(&to, mlb_inventory_find(&inv, &d[1]), &err));
	assert_ok(mlb_repack_add(&to, "added", 5, &err));
	assert_int_equal(to.blobs, 2);
	assert_ok(mlb_repack_finish(&to, &err));
	mlb_repack_release(&to);
	mlb_inventory_release(&inv);
	assert_int_equal(unlink(path), 0);
	close(fd);
	mlb_sha256_of(&added, "added", 5);
	inv = read_all(MLB_INV_VERIFY);
	assert_int_equal(inv.object.n, 3);
	assert_int_equal(inv.damage.n, 0);
	assert_null(mlb_inventory_find(&inv, &d[0]));
	assert_non_null(mlb_inventory_find(&inv, &d[1]));
	assert_non_null(mlb_inventory_find(&inv, &added));
	mlb_inventory_release(&inv);
}

static void
wrong_bytes_are_not_copied(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_inventory inv;
	const struct mlb_inv_object *o;
	struct mlb_digest d[3];
	struct mlb_repack to;
	char path[512];

	(void)state;
	fill(d);
	inv = read_all(MLB_INV_LIST);
	o = mlb_inventory_find(&inv, &d[0]);
	find_file(path, CACHE "/packs", "open-");
	flip(path, (long)o->offset + 52);
	mlb_repack_init(&to, &inv, false);
	assert_err(mlb_repack_copy(&to, o, &err), MLB_ECORRUPT, "");
	assert_int_equal(to.blobs, 0);
	assert_ok(mlb_repack_finish(&to, &err)); /* nothing was begun */
	mlb_repack_release(&to);
	mlb_inventory_release(&inv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_was_put_is_listed),
		scratch_test(what_is_wrong_is_damage),
		scratch_test(it_can_be_stopped),
		scratch_test(names_of_objects),
		scratch_test(a_tree_leads_to_all_below),
		scratch_test(what_is_copied_is_in_another_pack),
		scratch_test(wrong_bytes_are_not_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
