/* Push and fetch by way of a directory. Labels: tsan */
#include "no_sync.h"
#include "transfer_fixture.h"

#include "store/chunker.h"

#define LARGE (6 * MLB_MIB)

/* A directory of n files in some subdirectories. */
static struct mlb_digest
make_tree(struct side *s, const char *dir, size_t n)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d;
	uint64_t size;

	for (size_t i = 0; i < n; i++) {
		char *path = mlb_asprintf("%s/sub%zu/deep/file%zu", dir, i % 7, i);
		char *text = mlb_asprintf("this is file %zu\n", i);

		assert_ok(mlb_fs_mkparents(path, &err));
		assert_ok(mlb_fs_write(path, text, strlen(text), false, &err));
		free(text);
		free(path);
	}
	assert_ok(mlb_tree_store(&d, &size, dir, s->cas, &err));
	assert_ok(mlb_cas_sync(s->cas, &err));
	return d;
}

static void
objects_go_there_and_back(void **state)
{
	static const size_t sizes[] = { 0,          1,       100,    5000, 128 * 1024 - 1,
					128 * 1024, 1 << 20, 3 << 20 };
	struct mlb_need need[2 * MLB_ARRAY_LEN(sizes)];
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	char *data[2 * MLB_ARRAY_LEN(sizes)];
	struct mlb_push_report r;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(need); i++) {
		size_t size = sizes[i / 2];

		/* One that can be compressed, and one that cannot. */
		data[i] = noise(size, i + 1);
		if (i % 2)
			for (size_t k = 0; k < size; k++)
				data[i][k] = "0123456789abcdef"[(uint8_t)data[i][k] % (i + 1)];
		need[i] = (struct mlb_need){ put_in(&a, data[i], size), MLB_ROOT_OBJECT };
	}
	r = push_needs(&a, need, MLB_ARRAY_LEN(need));
	assert_int_equal(r.objects, MLB_ARRAY_LEN(need) - 1); /* both empty ones are one */
	assert_int_equal(r.sent_objects, r.objects);
	assert_int_equal(r.missing, 0);
	assert_true(r.saved_zstd > 1 << 20);
	refresh(&b);
	assert_string_equal(mlb_transfer_id(a.t), mlb_transfer_id(b.t));
	for (size_t i = 0; i < MLB_ARRAY_LEN(need); i++) {
		assert_true(mlb_transfer_has(b.t, &need[i].digest));
		fetch_one(&b, &need[i].digest, false, i == 1 ? MLB_FETCH_HAD : MLB_FETCH_GOT);
		expect_in(&b, &need[i].digest, data[i], sizes[i / 2]);
		fetch_one(&b, &need[i].digest, false, MLB_FETCH_HAD);
		free(data[i]);
	}
	/* Again: nothing is sent. */
	r = push_needs(&a, need, MLB_ARRAY_LEN(need));
	assert_int_equal(r.sent, 0);
	assert_int_equal(r.there, r.objects);
	close_side(&b);
	close_side(&a);
}

static void
trees_come_with_all_that_is_in_them(void **state)
{
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d = make_tree(&a, "dir", 2000), more;
	struct mlb_push_report r = push_one(&a, MLB_ROOT_TREE, &d);
	struct mlb_fetch_report got;

	(void)state;
	assert_int_equal(r.objects, 2000 + 1 + 7 + 7);
	assert_int_equal(r.packs, 1);
	refresh(&b);
	got = fetch_one(&b, &d, true, MLB_FETCH_GOT);
	assert_int_equal(got.objects, r.objects);
	assert_ok(mlb_tree_checkout(b.cas, &d, "out", MLB_LINK_COPY, &err));
	assert_int_equal(system("diff -r dir out"), 0);
	/* One file more: that, and the nodes above it. */
	assert_ok(mlb_fs_write("dir/sub0/deep/new", "new", 3, false, &err));
	more = make_tree(&a, "dir", 0);
	r = push_one(&a, MLB_ROOT_TREE, &more);
	assert_int_equal(r.sent_objects, 4);
	refresh(&b);
	got = fetch_one(&b, &more, true, MLB_FETCH_GOT);
	assert_int_equal(got.objects, 4);
	assert_true(mlb_tree_sure(b.cas, &more));
	close_side(&b);
	close_side(&a);
}

static void
large_files_are_sent_in_chunks(void **state)
{
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	char *data = noise(LARGE + 4096, 7);
	struct mlb_digest one = put_in(&a, data, LARGE), two;
	struct mlb_push_report r = push_one(&a, MLB_ROOT_OBJECT, &one);
	struct mlb_fetch_report got;

	(void)state;
	assert_true(r.sent > LARGE && r.sent < LARGE + 100000);
	refresh(&b);
	got = fetch_one(&b, &one, false, MLB_FETCH_GOT);
	assert_int_equal(got.objects, 1);
	expect_in(&b, &one, data, LARGE);
	/* Bytes put in the middle: little of it goes over the wire, either way. */
	memmove(data + LARGE / 2 + 4096, data + LARGE / 2, LARGE / 2);
	two = put_in(&a, data, LARGE + 4096);
	r = push_one(&a, MLB_ROOT_OBJECT, &two);
	assert_true(r.sent < 512 * 1024);
	assert_true(r.saved_chunks > LARGE - 512 * 1024);
	refresh(&b);
	got = fetch_one(&b, &two, false, MLB_FETCH_GOT);
	expect_in(&b, &two, data, LARGE + 4096);
	assert_true(got.received < 512 * 1024);
	assert_true(got.reused > LARGE - 512 * 1024);
	/* The same chunk many times. */
	memset(data, 0, LARGE);
	two = put_in(&a, data, LARGE);
	r = push_one(&a, MLB_ROOT_OBJECT, &two);
	assert_true(r.sent < 600000);
	refresh(&b);
	fetch_one(&b, &two, false, MLB_FETCH_GOT);
	expect_in(&b, &two, data, LARGE);
	assert_int_equal(count_files("b/v1/remotes/"), 1);
	free(data);
	close_side(&b);
	close_side(&a);
}

/* What an interrupted fetch left is not got again. */
static void
a_fetch_goes_on_where_it_was(void **state)
{
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	char *data = noise(LARGE, 8), *part, hex[MLB_HEX_LEN + 1];
	struct mlb_digest d = put_in(&a, data, LARGE);
	struct mlb_fetch_report got;

	(void)state;
	push_one(&a, MLB_ROOT_OBJECT, &d);
	refresh(&b);
	mlb_digest_hex(hex, &d);
	part = mlb_asprintf("b/v1/remotes/%s/parts/%s", mlb_transfer_id(b.t), hex);
	write_file(part, data, LARGE / 2);
	got = fetch_one(&b, &d, false, MLB_FETCH_GOT);
	assert_in_range(got.received, LARGE / 2, LARGE / 2 + 400000);
	expect_in(&b, &d, data, LARGE);
	assert_false(mlb_fs_exists(part));
	free(part);
	free(data);
	close_side(&b);
	close_side(&a);
}

/* A push that was killed before it told of its packs: the index of one is what is kept of it here. */
static void
a_push_does_not_send_again_what_arrived(void **state)
{
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	char *data = noise(2 << 20, 9), *index, *pack, *sent;
	struct mlb_need need[2] = { { .kind = MLB_ROOT_OBJECT }, { .kind = MLB_ROOT_OBJECT } };
	struct mlb_push_report r;

	(void)state;
	need[0].digest = put_in(&a, data, 1 << 20);
	need[1].digest = put_in(&a, data + (1 << 20), 1 << 19);
	push_one(&a, MLB_ROOT_OBJECT, &need[0].digest);
	index = nth_file("remote/index", 0);
	pack = nth_file("remote/packs", 0);
	sent = mlb_asprintf("a/v1/remotes/%s/sent/%.64s.idx", mlb_transfer_id(a.t),
			    mlb_path_base(pack));
	assert_int_equal(rename(index, sent), 0);
	r = push_needs(&a, need, 2);
	assert_int_equal(r.resumed, 1);
	assert_int_equal(r.there, 1);
	assert_int_equal(r.sent_objects, 1);
	assert_in_range(r.sent, 1 << 19, (1 << 19) + 10000);
	assert_int_equal(count_files("remote/packs"), 2);
	assert_false(mlb_fs_exists(sent));
	refresh(&b);
	fetch_one(&b, &need[0].digest, false, MLB_FETCH_GOT);
	fetch_one(&b, &need[1].digest, false, MLB_FETCH_GOT);
	/* It was written down, and did not arrive after all. */
	free(index);
	index = nth_file("remote/index", 0);
	assert_int_equal(rename(index, sent), 0);
	assert_int_equal(unlink(pack), 0);
	r = push_needs(&a, need, 2);
	assert_int_equal(r.sent_objects, 2);
	free(sent);
	free(pack);
	free(index);
	free(data);
	close_side(&b);
	close_side(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(objects_go_there_and_back),
		scratch_test(trees_come_with_all_that_is_in_them),
		scratch_test(large_files_are_sent_in_chunks),
		scratch_test(a_fetch_goes_on_where_it_was),
		scratch_test(a_push_does_not_send_again_what_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
