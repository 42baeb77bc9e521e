/* Collecting on a remote. Age is made by setting files' times back. */
#include "no_sync.h"
#include "transfer_fixture.h"

#include <time.h>

#include "engine/transfer_care.h"

#define DAY ((time_t)24 * 60 * 60)

/* All files of a directory of the remote are of two days ago. */
static void
age(const char *dir)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	const time_t then = time(NULL) - 2 * DAY;
	const struct timespec times[2] = { { then, 0 }, { then, 0 } };

	mlb_fs_list(&list, dir, NULL);
	for (size_t i = 0; i < list.n; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);

		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		free(path);
	}
	mlb_dirents_release(&list);
}

static struct mlb_remote_gc_report
collect(struct side *s)
{
	const struct mlb_remote_gc gc = { .keep_days = 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_gc_report r;

	refresh(s);
	assert_ok(mlb_transfer_gc(s->t, &gc, &r, &err));
	assert_false(mlb_fs_exists("remote/leases/collector.txt"));
	return r;
}

/* Push these, and say that this clone needs the first n of them. */
static struct mlb_push_report
push_needing(struct side *s, struct mlb_need *need, size_t all, size_t n)
{
	struct mlb_roots roots = { 0 };
	struct mlb_push push = {
		.root = need, .n_roots = all, .needs = &roots, .clone = "project-1.txt"
	};
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_push_report r;

	for (size_t i = 0; i < n; i++)
		mlb_roots_add(&roots, need[i].kind, &need[i].digest);
	mlb_roots_sort(&roots);
	assert_ok(mlb_transfer_push(s->t, &push, &r, &err));
	mlb_roots_release(&roots);
	return r;
}

static void
expect_there(const struct mlb_digest *d, bool is_tree)
{
	struct side s = open_side("reader", "remote");

	refresh(&s);
	fetch_one(&s, d, is_tree, MLB_FETCH_GOT);
	close_side(&s);
	assert_int_equal(system("rm -rf reader reader.db*"), 0);
}

static void
what_nothing_needs_goes_in_two_steps(void **state)
{
	struct side a = open_side("a", "remote");
	struct mlb_need need[2] = { { .kind = MLB_ROOT_OBJECT }, { .kind = MLB_ROOT_OBJECT } };
	struct mlb_remote_gc_report r;

	(void)state;
	need[0].digest = put_in(&a, "needed", 6);
	need[1].digest = put_in(&a, "of no use", 9);
	push_needing(&a, need, 1, 1);
	push_needing(&a, need, 2, 1);
	assert_int_equal(count_files("remote/packs"), 2);
	assert_int_equal(count_files("remote/leases"), 0);
	r = collect(&a);
	assert_int_equal(r.young, 1);
	assert_int_equal(r.condemned, 0);
	age("remote/packs");
	r = collect(&a);
	assert_int_equal(r.condemned, 1);
	assert_true(r.next > time(NULL));
	r = collect(&a);
	assert_int_equal(r.condemned, 0);
	assert_int_equal(r.waiting, 1);
	assert_int_equal(count_files("remote/packs"), 2);
	age("remote/leases");
	r = collect(&a);
	assert_int_equal(r.removed, 1);
	assert_int_equal(r.waiting, 0);
	assert_int_equal(count_files("remote/packs"), 1);
	assert_int_equal(count_files("remote/leases"), 0);
	assert_true(mlb_transfer_has(a.t, &need[0].digest));
	assert_false(mlb_transfer_has(a.t, &need[1].digest));
	expect_there(&need[0].digest, false);
	close_side(&a);
}

/* A push between the two steps does not rely on what is condemned, and is not hurt by the second. */
static void
a_push_in_between_sends_anew(void **state)
{
	struct side a = open_side("a", "remote");
	struct mlb_need need[1] = { { .kind = MLB_ROOT_OBJECT } };
	struct mlb_push_report p;
	struct mlb_remote_gc_report r;

	(void)state;
	need[0].digest = put_in(&a, "of no use for now", 17);
	push_needing(&a, need, 1, 0);
	age("remote/packs");
	r = collect(&a);
	assert_int_equal(r.condemned, 1);
	p = push_needing(&a, need, 1, 1);
	assert_int_equal(p.sent_objects, 1);
	assert_int_equal(count_files("remote/packs"), 2);
	age("remote/leases");
	age("remote/packs");
	r = collect(&a);
	assert_int_equal(r.removed, 1);
	assert_int_equal(count_files("remote/packs"), 1);
	expect_there(&need[0].digest, false);
	close_side(&a);
}

/* One that read the lists before a pack was condemned, and tells of what it needs after that. */
static void
what_is_needed_after_all_is_rescued(void **state)
{
	struct side a = open_side("a", "remote");
	struct mlb_need need[1] = { { .kind = MLB_ROOT_OBJECT } };
	struct mlb_roots roots = { 0 };
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_gc_report r;

	(void)state;
	need[0].digest = put_in(&a, "of use", 6);
	push_needing(&a, need, 1, 0);
	age("remote/packs");
	r = collect(&a);
	assert_int_equal(r.condemned, 1);
	mlb_roots_add(&roots, MLB_ROOT_OBJECT, &need[0].digest);
	mlb_roots_format(&text, &roots);
	assert_ok(mlb_fs_write("remote/roots/other.txt", text.data, text.len, false, &err));
	age("remote/leases");
	r = collect(&a);
	assert_int_equal(r.rescued, 1);
	assert_int_equal(r.removed, 0);
	assert_int_equal(count_files("remote/leases"), 0);
	expect_there(&need[0].digest, false);
	/* Roots that nobody can read: nothing is removed. */
	flip("remote/roots/other.txt", 30);
	refresh(&a);
	assert_err(mlb_transfer_gc(a.t, &(struct mlb_remote_gc){ .keep_days = 0 }, &r, &err),
		   MLB_ECORRUPT, "nobody knows");
	mlb_roots_release(&roots);
	mlb_buf_release(&text);
	close_side(&a);
}

static void
what_came_since_a_push_began_stays(void **state)
{
	struct side a = open_side("a", "remote");
	struct mlb_need need[1] = { { .kind = MLB_ROOT_OBJECT } };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_gc_report r;
	const char *lease = "mlbuild-push 1\nstart 1000\n";

	(void)state;
	need[0].digest = put_in(&a, "of a long push", 14);
	push_needing(&a, need, 1, 0);
	age("remote/packs");
	assert_ok(mlb_fs_write("remote/leases/push-0123456789abcdef.txt", lease, strlen(lease),
			       false, &err));
	r = collect(&a);
	assert_int_equal(r.pushes, 1);
	assert_int_equal(r.condemned, 0);
	/* It died long ago. */
	age("remote/leases");
	r = collect(&a);
	assert_int_equal(r.pushes, 0);
	assert_int_equal(r.condemned, 1);
	assert_false(mlb_fs_exists("remote/leases/push-0123456789abcdef.txt"));
	/* Somebody else collects. */
	assert_ok(mlb_fs_write("remote/leases/collector.txt", "x", 1, false, &err));
	assert_err(mlb_transfer_gc(a.t, &(struct mlb_remote_gc){ .keep_days = 0 }, &r, &err),
		   MLB_EEXISTS, "wait for that");
	age("remote/leases");
	collect(&a);
	close_side(&a);
}

/* Trees, large files and results: with all that belongs to them, and in fewer files. */
static void
all_of_what_is_needed_stays(void **state)
{
	struct side a = open_side("a", "remote");
	struct mlb_need need[3] = { { .kind = MLB_ROOT_TREE },
				    { .kind = MLB_ROOT_OBJECT },
				    { .kind = MLB_ROOT_KEY } };
	struct mlb_output out = { "x", MLB_O_FILE, { { 0 } }, 100 };
	struct mlb_result res = {
		.output = &out, .n_outputs = 1, .platform = "", .pin = "", .params = "", .run = ""
	};
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_gc_report r;
	char *data = noise(5 << 20, 11), *list, hex[MLB_HEX_LEN + 1];
	uint64_t size;

	(void)state;
	assert_ok(mlb_fs_mkdirs("dir/sub", &err));
	assert_ok(mlb_fs_write("dir/sub/f", "file", 4, false, &err));
	assert_ok(mlb_tree_store(&need[0].digest, &size, "dir", a.cas, &err));
	need[1].digest = put_in(&a, data, 5 << 20);
	res.key = need[2].digest = put_in(&a, "action", 6);
	out.digest = put_in(&a, data, 100);
	assert_ok(mlb_results_add(a.results, &res, &err));
	push_needing(&a, need, 3, 3);
	for (size_t i = 0; i < 10; i++) {
		struct mlb_need other = { put_in(&a, data + i, 50), MLB_ROOT_KEY };

		res.key = other.digest;
		assert_ok(mlb_results_add(a.results, &res, &err));
		push_one(&a, MLB_ROOT_KEY, &other.digest);
	}
	assert_int_equal(count_files("remote/actions"), 11);
	/* The copy of the list that is kept here was never synced: a power cut may do this. */
	mlb_digest_hex(hex, &need[1].digest);
	list = mlb_asprintf("a/v1/remotes/%s/lists/%s", mlb_transfer_id(a.t), hex);
	assert_int_equal(truncate(list, 100), 0);
	free(list);
	age("remote/packs");
	age("remote/actions");
	for (int i = 0; i < 2; i++) {
		r = collect(&a);
		age("remote/leases");
	}
	assert_int_equal(r.removed, 10);
	assert_int_equal(count_files("remote/index"), 1);
	assert_int_equal(count_files("remote/actions"), 1);
	assert_ok(mlb_transfer_find(a.t, &res, &arena, &need[2].digest, &err));
	assert_int_equal(mlb_transfer_find(a.t, &res, &arena, &res.output[0].digest, NULL),
			 MLB_ENOTFOUND);
	expect_there(&need[0].digest, true);
	expect_there(&need[1].digest, false);
	expect_there(&need[2].digest, false);
	expect_there(&out.digest, false);
	mlb_arena_release(&arena);
	free(data);
	close_side(&a);
}

struct wrong {
	unsigned objects, packs;
};

static void
count_wrong(void *ctx, const struct mlb_digest *digest, const struct mlb_digest *pack, bool whole)
{
	struct wrong *w = ctx;

	(void)digest;
	(void)pack;
	w->packs += whole;
	w->objects += !whole;
}

static void
what_a_remote_has_is_counted_and_examined(void **state)
{
	struct side a = open_side("a", "remote");
	struct mlb_need need[2] = { { .kind = MLB_ROOT_OBJECT }, { .kind = MLB_ROOT_OBJECT } };
	struct wrong wrong = { 0, 0 };
	const struct mlb_remote_verify v = { .on_bad = count_wrong, .ctx = &wrong };
	struct mlb_remote_verify_report r;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_du du;
	char *path;

	(void)state;
	need[0].digest = put_in(&a, "one", 3);
	need[1].digest = put_in(&a, "another", 7);
	push_needing(&a, need, 1, 1);
	push_needing(&a, need, 2, 2);
	refresh(&a);
	assert_ok(mlb_transfer_du(a.t, &du, &err));
	assert_int_equal(du.packs, 2);
	assert_int_equal(du.objects, 2);
	assert_int_equal(du.objects_bytes, 10);
	assert_int_equal(du.unlisted, 0);
	assert_int_equal(du.indexes, 2);
	assert_int_equal(du.clone.n, 1);
	assert_int_equal(du.clone.v[0].needs, 2);
	mlb_remote_du_release(&du);
	assert_ok(mlb_transfer_verify(a.t, &v, &r, &err));
	assert_int_equal(r.objects, 2);
	assert_int_equal(r.bad_objects + r.bad_packs + wrong.objects + wrong.packs, 0);
	path = nth_file("remote/packs", 0);
	assert_int_equal(chmod(path, 0644), 0);
	flip(path, 16 + 52 + 1);
	assert_ok(mlb_transfer_verify(a.t, &v, &r, &err));
	assert_int_equal(r.bad_objects, 1);
	assert_int_equal(wrong.objects, 1);
	assert_int_equal(wrong.packs, 1); /* its name says something else too */
	assert_int_equal(unlink(path), 0);
	free(path);
	/* It is known to be bad: the next push sends it again, and then all is right. */
	assert_int_equal(push_needing(&a, need, 2, 2).sent_objects, 1);
	refresh(&a);
	assert_true(mlb_transfer_has(a.t, &need[0].digest));
	assert_true(mlb_transfer_has(a.t, &need[1].digest));
	close_side(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_nothing_needs_goes_in_two_steps),
		scratch_test(a_push_in_between_sends_anew),
		scratch_test(what_is_needed_after_all_is_rescued),
		scratch_test(what_came_since_a_push_began_stays),
		scratch_test(all_of_what_is_needed_stays),
		scratch_test(what_a_remote_has_is_counted_and_examined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
