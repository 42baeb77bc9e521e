/* What rests on a remote: index objects, segments, lists of chunks, packs, and who it is. */
#include "pack_fixture.h"

#include "base/hex.h"
#include "store/remote_chunks.h"
#include "store/remote_index.h"
#include "store/remote_lease.h"
#include "store/remote_meta.h"
#include "store/remote_pack.h"
#include "store/remote_segment.h"

static struct mlb_digest
digest_of(uint64_t i)
{
	struct mlb_digest d;

	mlb_sha256_of(&d, &i, sizeof(i));
	return d;
}

/* ---------------------------------------------------------- index */

static void
fill_index(struct mlb_buf *out)
{
	struct mlb_remote_index_writer w = { MLB_VEC_INIT, MLB_VEC_INIT };

	for (uint64_t k = 0; k < 2; k++) {
		struct mlb_remote_pack pack = { digest_of(1000 + k), 1 << 20 };
		struct mlb_remote_entry_at e[50];

		for (uint32_t i = 0; i < 50; i++)
			e[i] = (struct mlb_remote_entry_at){ .digest = digest_of(k * 50 + i),
							     .size = 100 + i,
							     .offset = 16 + i * 1000,
							     .stored = 100 + i,
							     .type = MLB_BLOB_OBJECT };
		mlb_remote_index_add(&w, &pack, e, 50);
	}
	mlb_remote_index_write(out, &w);
	mlb_remote_index_writer_release(&w);
}

static void
index_finds_each_object(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_REMOTE_INDEX_MAX);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_index x;

	(void)state;
	fill_index(&b);
	assert_ok(mlb_remote_index_read(&x, b.data, b.len, &err));
	assert_int_equal(x.n, 100);
	for (uint64_t i = 0; i < 100; i++) {
		struct mlb_digest d = digest_of(i), pack = digest_of(1000 + i / 50);
		struct mlb_remote_entry_at e;
		size_t at = mlb_remote_index_find(&x, &d);

		assert_true(at < x.n && mlb_remote_index_entry(&x, at, &e));
		assert_int_equal(e.size, 100 + i % 50);
		assert_int_equal(e.offset, 16 + i % 50 * 1000);
		assert_memory_equal(mlb_remote_index_pack(&x, e.pack).name.b, pack.b, 32);
	}
	for (uint64_t i = 100; i < 200; i++) {
		struct mlb_digest d = digest_of(i);

		assert_true(mlb_remote_index_find(&x, &d) == SIZE_MAX);
	}
	mlb_buf_release(&b);
}

static void
index_that_is_wrong_is_refused(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_REMOTE_INDEX_MAX);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_entry_at e;
	struct mlb_remote_index x;

	(void)state;
	fill_index(&b);
	assert_err(mlb_remote_index_read(&x, b.data, b.len - 1, &err), MLB_ECORRUPT, "cut off");
	assert_err(mlb_remote_index_read(&x, b.data, 10, &err), MLB_ECORRUPT, "no index");
	b.data[8] = 2;
	assert_err(mlb_remote_index_read(&x, b.data, b.len, &err), MLB_EINVALID, "later version");
	b.data[8] = 1;
	b.data[15] = 0x7f; /* packs without end */
	assert_err(mlb_remote_index_read(&x, b.data, b.len, &err), MLB_ECORRUPT, "cut off");
	b.data[15] = 0;
	assert_ok(mlb_remote_index_read(&x, b.data, b.len, &err));
	assert_true(mlb_remote_index_entry(&x, 0, &e));
	memset(b.data + 24 + 80 + 44, 0xff, 4); /* beyond the pack */
	assert_false(mlb_remote_index_entry(&x, 0, &e));
	memset(b.data + 24 + 80 + MLB_REMOTE_ENTRY + 40, 0xff, 4); /* a pack that is none */
	assert_false(mlb_remote_index_entry(&x, 1, &e));
	b.data[24 + 80 + 2 * MLB_REMOTE_ENTRY + 52] = 9; /* a type that is none */
	assert_false(mlb_remote_index_entry(&x, 2, &e));
	b.data[24 + 80 + 3 * MLB_REMOTE_ENTRY + 53] = 1; /* compressed, and not smaller */
	assert_false(mlb_remote_index_entry(&x, 3, &e));
	mlb_buf_release(&b);
}

/* ---------------------------------------------------------- segments */

static void
segment_gives_records_back(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_SEGMENT_MAX), plain = MLB_BUF_INIT(MLB_SEGMENT_MAX * 2);
	struct mlb_signature sig[2] = { { .key = { 1 } }, { .key = { 2 } } };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_segment_writer w;
	struct mlb_segment_record r;
	struct mlb_segment s;

	(void)state;
	mlb_segment_writer_init(&w);
	for (uint64_t i = 0; i < 200; i++) {
		char text[64];

		snprintf(text, sizeof(text), "record %d", (int)i);
		r = (struct mlb_segment_record){
			digest_of(i / 2), (int64_t)(400 - i), text, strlen(text), sig,
			(unsigned)(i % 3)
		};
		assert_true(mlb_segment_add(&w, &r));
	}
	assert_ok(mlb_segment_write(&b, &w, &err));
	assert_true(b.len < 200 * 60);
	assert_ok(mlb_segment_unpack(&plain, b.data, b.len, &err));
	assert_ok(mlb_segment_read(&s, plain.data, plain.len, &err));
	assert_int_equal(s.n, 200);
	for (uint64_t i = 0; i < 100; i++) {
		struct mlb_digest key = digest_of(i);
		size_t at = mlb_segment_find(&s, &key);
		char text[64];

		/* Of two of a key the one that came first. */
		snprintf(text, sizeof(text), "record %d", (int)(2 * i + 1));
		assert_true(at < s.n && mlb_segment_record(&s, at, &r));
		assert_int_equal(r.len, strlen(text));
		assert_memory_equal(r.text, text, r.len);
		assert_int_equal(r.n_sigs, (2 * i + 1) % 3);
		if (r.n_sigs)
			assert_int_equal(r.sig[r.n_sigs - 1].key[0], r.n_sigs);
	}
	mlb_segment_writer_release(&w);
	mlb_buf_release(&plain);
	mlb_buf_release(&b);
}

static void
segment_that_is_wrong_is_refused(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_SEGMENT_MAX), plain = MLB_BUF_INIT(MLB_SEGMENT_MAX * 2);
	struct mlb_segment_record r = { digest_of(1), 0, "text", 4, NULL, 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_segment_writer w;
	struct mlb_segment s;

	(void)state;
	mlb_segment_writer_init(&w);
	assert_true(mlb_segment_add(&w, &r));
	r.len = MLB_SEGMENT_RECORD_MAX + 1;
	assert_false(mlb_segment_add(&w, &r));
	assert_ok(mlb_segment_write(&b, &w, &err));
	assert_err(mlb_segment_read(&s, b.data, b.len, &err), MLB_ECORRUPT, "damaged");
	assert_err(mlb_segment_unpack(&plain, b.data, b.len - 3, &err), MLB_ECORRUPT, "damaged");
	b.data[19] = 0x7f; /* a bomb */
	assert_err(mlb_segment_unpack(&plain, b.data, b.len, &err), MLB_ECORRUPT, "damaged");
	b.data[19] = 0;
	b.data[16]++;
	assert_err(mlb_segment_unpack(&plain, b.data, b.len, &err), MLB_ECORRUPT, "damaged");
	b.data[16]--;
	assert_ok(mlb_segment_unpack(&plain, b.data, b.len, &err));
	assert_ok(mlb_segment_read(&s, plain.data, plain.len, &err));
	assert_true(mlb_segment_record(&s, 0, &r));
	memset(plain.data + 24 + 8 + 44, 0xff, 4); /* longer than all */
	assert_false(mlb_segment_record(&s, 0, &r));
	mlb_segment_writer_release(&w);
	mlb_buf_release(&plain);
	mlb_buf_release(&b);
}

/* ---------------------------------------------------------- lists of chunks */

static void
lists_of_chunks_add_up(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_MIB);
	struct mlb_chunks c = { .file = digest_of(7), .size = 6 }, got;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (uint32_t i = 1; i < 4; i++) {
		struct mlb_chunk one = { digest_of(i), i };

		mlb_vec_push(&c.chunk, one);
	}
	mlb_chunks_format(&b, &c);
	assert_ok(mlb_chunks_parse(&got, b.data, b.len, &err));
	assert_int_equal(got.chunk.n, 3);
	assert_int_equal(got.size, 6);
	assert_memory_equal(got.chunk.v[2].digest.b, c.chunk.v[2].digest.b, 32);
	mlb_chunks_release(&got);
	assert_err(mlb_chunks_parse(&got, b.data, b.len - 36, &err), MLB_ECORRUPT, "damaged");
	b.data[16]++; /* larger than its chunks */
	assert_err(mlb_chunks_parse(&got, b.data, b.len, &err), MLB_ECORRUPT, "damaged");
	b.data[16]--;
	memset(b.data + 12, 0xff, 4);
	assert_err(mlb_chunks_parse(&got, b.data, b.len, &err), MLB_ECORRUPT, "damaged");
	mlb_chunks_release(&c);
	mlb_buf_release(&b);
}

/* ---------------------------------------------------------- packs */

static void
packs_are_as_those_here(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB), got = MLB_BUF_INIT(MLB_MIB);
	struct mlb_remote_packing p;
	struct mlb_remote_pack pack;
	struct found found = { MLB_VEC_INIT };
	char hex[MLB_HEX_LEN + 1], *name;
	struct mlb_digest d, other = digest_of(1);

	(void)state;
	for (int i = 0; i < 1000; i++)
		mlb_buf_addf(&text, "line %d\n", i);
	mlb_sha256_of(&d, text.data, text.len);
	mlb_remote_packing_init(&p, 1000);
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_OBJECT, &d, text.data, text.len, &d, text.len,
					 &err));
	assert_ok(mlb_remote_packing_add(&p, MLB_BLOB_CHUNKS, &other, "list", 4, &d, 1000, &err));
	assert_true(p.saved > text.len / 2);
	assert_ok(mlb_remote_packing_finish(&p, &pack, &err));
	assert_int_equal(pack.size, p.bytes.len);
	mlb_digest_hex(hex, &pack.name);
	name = mlb_asprintf("%s.pack", hex);
	spit(name, p.bytes.data, p.bytes.len);
	assert_ok(mlb_pack_each(name, 0, collect, &found, &err));
	assert_int_equal(found.blob.n, 2);
	expect_content(name, &(struct mlb_blob){ .digest = d, .offset = p.entry.v[0].offset },
		       text.data, text.len);
	assert_ok(mlb_remote_blob_read(&got, p.bytes.data + p.entry.v[0].offset,
				       MLB_BLOB_HEAD + p.entry.v[0].stored, MLB_BLOB_OBJECT, &d,
				       &err));
	assert_int_equal(got.len, text.len);
	assert_memory_equal(got.data, text.data, text.len);
	assert_err(mlb_remote_blob_read(&got, p.bytes.data + p.entry.v[0].offset,
					MLB_BLOB_HEAD + p.entry.v[0].stored, MLB_BLOB_OBJECT,
					&other, &err),
		   MLB_ECORRUPT, "damaged");
	p.bytes.data[p.entry.v[0].offset + MLB_BLOB_HEAD + 9] ^= 1;
	assert_err(mlb_remote_blob_read(&got, p.bytes.data + p.entry.v[0].offset,
					MLB_BLOB_HEAD + p.entry.v[0].stored, MLB_BLOB_OBJECT, &d,
					&err),
		   MLB_ECORRUPT, "damaged");
	assert_int_equal(got.len, text.len);
	free(name);
	mlb_vec_release(&found.blob);
	mlb_remote_packing_release(&p);
	mlb_buf_release(&got);
	mlb_buf_release(&text);
}

/* ---------------------------------------------------------- who it is */

static void
only_a_remote_of_ours_is_one(void **state)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"{}",
		"{\"format\":1}",
		"{\"format\":1,\"id\":\"../../x\"}",
		"{\"format\":1,\"id\":\"0123456789abcdef0123456789abcdeF\"}",
		"{\"format\":\"1\",\"id\":\"0123456789abcdef0123456789abcdef\"}",
	};
	struct mlb_buf b = MLB_BUF_INIT(MLB_KIB);
	struct mlb_remote_meta m, got;
	struct mlb_err err = MLB_ERR_INIT;
	const char *later = "{\"format\": 2, \"id\": \"other\"}";

	(void)state;
	assert_ok(mlb_remote_meta_new(&m, &err));
	mlb_remote_meta_format(&b, &m);
	assert_ok(mlb_remote_meta_parse(&got, b.data, b.len, &err));
	assert_string_equal(m.id, got.id);
	for (size_t i = 0; i < MLB_ARRAY_LEN(wrong); i++)
		assert_err(mlb_remote_meta_parse(&got, wrong[i], strlen(wrong[i]), &err),
			   MLB_EINVALID, "not one of mlbuild's");
	assert_err(mlb_remote_meta_parse(&got, later, strlen(later), &err), MLB_EINVALID,
		   "upgrade");
	mlb_buf_release(&b);
}

/* ---------------------------------------------------------- leases */

static void
leases_say_since_when(void **state)
{
	static const char *const wrong[] = { "",
					     "mlbuild-push 2\nstart 5\n",
					     "mlbuild-push 1\nstart \n",
					     "mlbuild-push 1\nstart -5\n",
					     "mlbuild-push 1\nstart 5",
					     "mlbuild-push 1\nstart 5\nstart 6\n",
					     "mlbuild-push 1\nstart 99999999999999999999\n" };
	struct mlb_buf b = MLB_BUF_INIT(MLB_KIB);
	struct mlb_err err = MLB_ERR_INIT;
	int64_t start = 0;
	char *name = NULL;

	(void)state;
	mlb_remote_lease_format(&b, 1700000000);
	assert_ok(mlb_remote_lease_parse(&start, b.data, b.len, &err));
	assert_int_equal(start, 1700000000);
	for (size_t i = 0; i < MLB_ARRAY_LEN(wrong); i++)
		assert_err(mlb_remote_lease_parse(&start, wrong[i], strlen(wrong[i]), &err),
			   MLB_ECORRUPT, "no lease");
	assert_ok(mlb_remote_lease_name(&name, MLB_LEASE_CONDEMNED, &err));
	assert_int_equal(mlb_remote_lease_kind(name + strlen("leases/")), MLB_LEASE_CONDEMNED);
	assert_int_equal(mlb_remote_lease_kind("collector.txt"), MLB_LEASE_NONE);
	free(name);
	mlb_buf_release(&b);
}

static void
condemned_packs_are_all_or_none(void **state)
{
	struct mlb_buf b = MLB_BUF_INIT(MLB_KIB);
	struct mlb_remote_packs packs = MLB_VEC_INIT, got;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		mlb_vec_push(&packs, digest_of(i));
	mlb_remote_condemned_format(&b, &packs);
	assert_ok(mlb_remote_condemned_parse(&got, b.data, b.len, &err));
	assert_int_equal(got.n, 3);
	assert_memory_equal(got.v, packs.v, 3 * sizeof(*got.v));
	mlb_vec_release(&got);
	assert_err(mlb_remote_condemned_parse(&got, b.data, b.len - 1, &err), MLB_ECORRUPT,
		   "no list");
	b.data[40] = b.data[40] == 'a' ? 'b' : 'a';
	assert_err(mlb_remote_condemned_parse(&got, b.data, b.len, &err), MLB_ECORRUPT, "no list");
	mlb_vec_release(&packs);
	mlb_buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_finds_each_object),
		cmocka_unit_test(index_that_is_wrong_is_refused),
		cmocka_unit_test(segment_gives_records_back),
		cmocka_unit_test(segment_that_is_wrong_is_refused),
		cmocka_unit_test(lists_of_chunks_add_up),
		cmocka_unit_test_setup_teardown(packs_are_as_those_here, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(only_a_remote_of_ours_is_one),
		cmocka_unit_test(leases_say_since_when),
		cmocka_unit_test(condemned_packs_are_all_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
