/* What is wrong on a remote, or meant to harm: it counts as absent, and nothing of it is believed. Labels: tsan */
#include "no_sync.h"
#include "transfer_fixture.h"

#include "store/chunker.h"
#include "store/pack_format.h"
#include "store/remote_chunks.h"
#include "store/remote_pack.h"
#include "store/remote_segment.h"

#define META "{\"format\":1,\"id\":\"0123456789abcdef0123456789abcdef\"}"

static void
lay(const char *dir, const struct mlb_digest *name, const char *suffix, const void *data,
    size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	char hex[MLB_HEX_LEN + 1], *path;

	mlb_digest_hex(hex, name);
	path = mlb_asprintf("remote/%s/%s%s", dir, hex, suffix);
	assert_ok(mlb_fs_mkparents(path, &err));
	assert_ok(mlb_fs_write(path, data, len, false, &err));
	free(path);
}

static void
put_named(const char *dir, const char *suffix, const struct mlb_buf *b)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, b->data, b->len);
	lay(dir, &d, suffix, b->data, b->len);
}

static void
make_remote(void)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_fs_write("remote/mlbuild-remote.json", META, strlen(META), false, &err));
}

/* A remote of one pack, and an index that says of it what it is told to. */
static void
put_pack(struct mlb_remote_packing *p)
{
	struct mlb_remote_index_writer w = { MLB_VEC_INIT, MLB_VEC_INIT };
	struct mlb_buf index = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_pack pack;

	make_remote();
	assert_ok(mlb_remote_packing_finish(p, &pack, &err));
	lay("packs", &pack.name, ".pack", p->bytes.data, p->bytes.len);
	mlb_remote_index_add(&w, &pack, p->entry.v, p->entry.n);
	mlb_remote_index_write(&index, &w);
	put_named("index", ".idx", &index);
	mlb_remote_index_writer_release(&w);
	mlb_remote_packing_release(p);
	mlb_buf_release(&index);
}

/* ---------------------------------------------------------- damage */

static void
what_is_damaged_is_absent_and_sent_again(void **state)
{
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	char *data = noise(200000, 1), *pack;
	struct mlb_need need[2] = { { .kind = MLB_ROOT_OBJECT }, { .kind = MLB_ROOT_OBJECT } };
	struct mlb_fetch_report got;
	struct mlb_push_report r;

	(void)state;
	need[0].digest = put_in(&a, data, 150000);
	need[1].digest = put_in(&a, data + 1, 1000);
	push_needs(&a, need, 2);
	pack = nth_file("remote/packs", 0);
	assert_int_equal(chmod(pack, 0644), 0);
	flip(pack, 16 + 52 + 1000);
	refresh(&b);
	got = fetch_one(&b, &need[0].digest, false, MLB_FETCH_DAMAGED);
	assert_int_equal(got.damaged, 1);
	assert_memory_equal(got.first_bad.b, need[0].digest.b, 32);
	assert_false(mlb_cas_has(b.cas, &need[0].digest));
	assert_false(mlb_transfer_has(b.t, &need[0].digest));
	fetch_one(&b, &need[0].digest, false, MLB_FETCH_ABSENT);
	fetch_one(&b, &need[1].digest, false, MLB_FETCH_GOT);
	/* It is remembered by whoever opens it next, and sent again by who has it. */
	close_transfer(&b);
	open_transfer(&b, "remote");
	refresh(&b);
	assert_false(mlb_transfer_has(b.t, &need[0].digest));
	put_in(&b, data, 150000);
	r = push_needs(&b, need, 2);
	/* What else is in that pack is sent, too: nobody knows how far it is damaged. */
	assert_int_equal(r.sent_objects, 2);
	assert_int_equal(r.there, 0);
	close_side(&b);
	/* Who knows of neither finds the right one. */
	b = open_side("c", "remote");
	refresh(&b);
	fetch_one(&b, &need[0].digest, false, MLB_FETCH_GOT);
	expect_in(&b, &need[0].digest, data, 150000);
	free(pack);
	free(data);
	close_side(&b);
	close_side(&a);
}

static void
packs_that_are_gone_or_cut_are_absent(void **state)
{
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	char *data = noise(200000, 1), *pack;
	struct mlb_digest d = put_in(&a, data, 150000);

	(void)state;
	push_one(&a, MLB_ROOT_OBJECT, &d);
	pack = nth_file("remote/packs", 0);
	refresh(&b);
	assert_int_equal(truncate(pack, 1000), 0);
	fetch_one(&b, &d, false, MLB_FETCH_DAMAGED);
	close_side(&b);
	b = open_side("c", "remote");
	refresh(&b);
	assert_int_equal(unlink(pack), 0);
	fetch_one(&b, &d, false, MLB_FETCH_DAMAGED);
	assert_false(mlb_transfer_has(b.t, &d));
	free(pack);
	free(data);
	close_side(&b);
	close_side(&a);
}

static void
damaged_indexes_and_segments_are_passed_over(void **state)
{
	struct side a = open_side("a", "remote"), b = open_side("b", "remote");
	char *index, *data = noise(1000, 1);
	struct mlb_digest d = put_in(&a, data, 1000), zero = { { 0 } };

	(void)state;
	push_one(&a, MLB_ROOT_OBJECT, &d);
	index = nth_file("remote/index", 0);
	flip(index, 30);
	lay("index", &zero, ".idx", "mlbrmix\nnonsense", 16);
	lay("actions", &zero, ".seg", "mlbsegm\nnonsense", 16);
	lay("index", &d, ".tmp", "x", 1);
	refresh(&b);
	assert_false(mlb_transfer_has(b.t, &d));
	flip(index, 30);
	refresh(&b);
	assert_true(mlb_transfer_has(b.t, &d));
	free(index);
	free(data);
	close_side(&b);
	close_side(&a);
}

/* ---------------------------------------------------------- lies */

static void
an_index_that_points_elsewhere_is_found_out(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_packing p;
	struct mlb_digest want, other;
	struct side b = open_side("b", "remote");

	(void)state;
	mlb_sha256_of(&want, "want", 4);
	mlb_sha256_of(&other, "evil", 4);
	mlb_remote_packing_init(&p, 100);
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_OBJECT, &other, "evil", 4, &want, 4, &err));
	/* And one whose header agrees with the index, and not with its bytes. */
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_OBJECT, &other, "live", 4, &other, 4, &err));
	put_pack(&p);
	refresh(&b);
	assert_true(mlb_transfer_has(b.t, &want));
	fetch_one(&b, &want, false, MLB_FETCH_DAMAGED);
	fetch_one(&b, &other, false, MLB_FETCH_DAMAGED);
	assert_false(mlb_cas_has(b.cas, &want));
	assert_false(mlb_cas_has(b.cas, &other));
	close_side(&b);
}

/* A list of right chunks, which make up another file than it says. */
static void
a_list_that_lies_is_found_out(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_chunks list = { .size = 300000 };
	char *data = noise(300000, 3);
	struct side b = open_side("b", "remote");
	struct mlb_remote_packing p;
	struct mlb_digest d;

	(void)state;
	mlb_sha256_of(&list.file, "something else", 14);
	mlb_remote_packing_init(&p, 100);
	for (int i = 0; i < 3; i++) {
		struct mlb_chunk c = { .size = 100000 };

		mlb_sha256_of(&c.digest, data + i * 100000, 100000);
		mlb_vec_push(&list.chunk, c);
		assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_OBJECT, &c.digest, data + i * 100000,
						 100000, &c.digest, 100000, &err));
	}
	mlb_chunks_format(&text, &list);
	mlb_sha256_of(&d, text.data, text.len);
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_CHUNKS, &d, text.data, text.len, &list.file,
					 list.size, &err));
	put_pack(&p);
	refresh(&b);
	fetch_one(&b, &list.file, false, MLB_FETCH_DAMAGED);
	assert_false(mlb_cas_has(b.cas, &list.file));
	assert_false(mlb_transfer_has(b.t, &list.file));
	mlb_chunks_release(&list);
	mlb_buf_release(&text);
	free(data);
	close_side(&b);
}

/* More than any disk has: said before a byte of it is got. */
static void
a_list_of_too_much_is_refused(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_chunks list = { .size = 0 };
	char *data = noise(MLB_CHUNK_MAX, 3);
	struct side b = open_side("b", "remote");
	struct mlb_fetch_want w = { .state = 0 };
	struct mlb_fetch f = { .want = &w, .n_wants = 1 };
	struct mlb_chunk c = { .size = MLB_CHUNK_MAX };
	struct mlb_fetch_report r;
	struct mlb_remote_packing p;
	struct mlb_digest d;

	(void)state;
	mlb_sha256_of(&list.file, "huge", 4);
	mlb_sha256_of(&c.digest, data, MLB_CHUNK_MAX);
	for (int i = 0; i < 500000; i++) /* 2 TB */
		mlb_vec_push(&list.chunk, c);
	list.size = (uint64_t)MLB_CHUNK_MAX * list.chunk.n;
	mlb_remote_packing_init(&p, 100);
	mlb_chunks_format(&text, &list);
	mlb_sha256_of(&d, text.data, text.len);
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_CHUNKS, &d, text.data, text.len, &list.file,
					 list.size, &err));
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_OBJECT, &c.digest, data, MLB_CHUNK_MAX,
					 &c.digest, MLB_CHUNK_MAX, &err));
	put_pack(&p);
	refresh(&b);
	w.digest = list.file;
	assert_err(mlb_transfer_fetch(b.t, &f, &r, &err), MLB_ESYSTEM, "no space");
	assert_int_equal(w.state, MLB_FETCH_FAILED);
	mlb_chunks_release(&list);
	mlb_buf_release(&text);
	free(data);
	close_side(&b);
}

/* Below what should be a tree there is nothing to be believed. */
static void
a_tree_that_is_none_is_damaged(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	static const char node[] = "mlbt\1d\1f\3../\4";
	struct side b = open_side("b", "remote");
	struct mlb_remote_packing p;
	struct mlb_digest d;

	(void)state;
	mlb_sha256_of(&d, node, sizeof(node));
	mlb_remote_packing_init(&p, 100);
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_OBJECT, &d, node, sizeof(node), &d,
					 sizeof(node), &err));
	put_pack(&p);
	refresh(&b);
	fetch_one(&b, &d, true, MLB_FETCH_DAMAGED);
	close_side(&b);
}

static void
a_record_of_another_key_is_none(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB), bytes = MLB_BUF_INIT(MLB_MIB);
	struct mlb_result r = { .platform = "", .pin = "", .params = "", .run = "" }, got;
	struct mlb_segment_record rec = { .arrived = 0 };
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct side b = open_side("b", "remote");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_segment_writer w;
	struct mlb_digest other;

	(void)state;
	make_remote();
	mlb_sha256_of(&r.key, "key", 3);
	mlb_sha256_of(&other, "other", 5);
	mlb_result_format(&text, &r);
	mlb_segment_writer_init(&w);
	rec.text = text.data;
	rec.len = text.len;
	rec.key = other; /* points to a record of something else */
	assert_true(mlb_segment_add(&w, &rec));
	rec.key = r.key;
	assert_true(mlb_segment_add(&w, &rec));
	assert_ok(mlb_segment_write(&bytes, &w, &err));
	put_named("actions", ".seg", &bytes);
	refresh(&b);
	assert_ok(mlb_transfer_find(b.t, &got, &arena, &r.key, &err));
	assert_err(mlb_transfer_find(b.t, &got, &arena, &other, &err), MLB_ENOTFOUND, "no result");
	mlb_segment_writer_release(&w);
	mlb_arena_release(&arena);
	mlb_buf_release(&bytes);
	mlb_buf_release(&text);
	close_side(&b);
}

/* ---------------------------------------------------------- places */

static void
what_is_not_ours_is_left_alone(void **state)
{
	struct side a = open_side("a", "remote");
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d = put_in(&a, "text", 4);
	const struct mlb_need need = { d, MLB_ROOT_OBJECT };
	struct mlb_push push = { .root = &need, .n_roots = 1 };
	struct mlb_push_report r;
	const char *later = "{\"format\":2,\"id\":\"0123456789abcdef0123456789abcdef\"}";

	(void)state;
	assert_ok(mlb_fs_write("remote/thesis.tex", "x", 1, false, &err));
	assert_err(mlb_transfer_refresh(a.t, NULL, &err), MLB_EINVALID, "thesis.tex");
	assert_err(mlb_transfer_push(a.t, &push, &r, &err), MLB_EINVALID, "thesis.tex");
	assert_int_equal(count_files("remote"), 1);
	assert_int_equal(unlink("remote/thesis.tex"), 0);
	assert_ok(mlb_fs_write("remote/mlbuild-remote.json", later, strlen(later), false, &err));
	assert_err(mlb_transfer_push(a.t, &push, &r, &err), MLB_EINVALID, "upgrade");
	assert_ok(mlb_fs_write("remote/mlbuild-remote.json", "{}", 2, false, &err));
	assert_err(mlb_transfer_push(a.t, &push, &r, &err), MLB_EINVALID, "not one of mlbuild's");
	assert_int_equal(count_files("remote"), 1);
	close_side(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_is_damaged_is_absent_and_sent_again),
		scratch_test(packs_that_are_gone_or_cut_are_absent),
		scratch_test(damaged_indexes_and_segments_are_passed_over),
		scratch_test(an_index_that_points_elsewhere_is_found_out),
		scratch_test(a_list_that_lies_is_found_out),
		scratch_test(a_list_of_too_much_is_refused),
		scratch_test(a_tree_that_is_none_is_damaged),
		scratch_test(a_record_of_another_key_is_none),
		scratch_test(what_is_not_ours_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
