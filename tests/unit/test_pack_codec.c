/* Compressed blobs: which they are, that nobody who reads sees it, and that none is trusted. */
#include "pack_fixture.h"

#include "base/alloc.h"

#define TEXT_LEN 20000

/* Lines as a table has them. Owned by the caller. */
static char *
table(size_t len)
{
	char *text = mlb_alloc(len + 64);
	size_t at = 0;

	for (unsigned i = 0; at < len; i++)
		at += (size_t)snprintf(text + at, 64, "%u,%u.%03u,label-%u\n", i, i * 7 % 100,
				       i * 31 % 1000, i % 10);
	text[len] = '\0';
	return text;
}

static char *
noise(size_t len)
{
	char *data = mlb_alloc(len + 8);
	uint64_t seed = 5;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t v;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		v = seed ^ seed >> 29;
		v *= UINT64_C(0xbf58476d1ce4e5b9);
		v ^= v >> 32;
		memcpy(data + i, &v, 8);
	}
	return data;
}

static void
what_pays_is_compressed(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf name = MLB_BUF_INIT(200);
	struct mlb_pack_writer *w = open_writer();
	struct found scanned = { MLB_VEC_INIT }, indexed = { MLB_VEC_INIT };
	char *text = table(TEXT_LEN), *random = noise(TEXT_LEN), *zeros = mlb_calloc(TEXT_LEN, 1);
	struct mlb_blob a = append(w, text, TEXT_LEN), b = append(w, random, TEXT_LEN),
			c = append(w, "short", 5), d = append(w, zeros, 4096);

	(void)state;
	assert_int_equal(a.codec, MLB_CODEC_ZSTD);
	assert_true(a.stored < TEXT_LEN / 2);
	assert_int_equal(b.codec, MLB_CODEC_PLAIN);
	assert_int_equal(b.stored, TEXT_LEN);
	assert_int_equal(c.codec, MLB_CODEC_PLAIN);
	assert_int_equal(d.codec, MLB_CODEC_ZSTD);
	assert_ok(mlb_pack_sync(w, &err));
	for (int sealed = 0; sealed < 2; sealed++) {
		const char *path = mlb_pack_writer_name(w);

		expect_content(path, &a, text, TEXT_LEN);
		expect_content(path, &b, random, TEXT_LEN);
		expect_content(path, &c, "short", 5);
		expect_content(path, &d, zeros, 4096);
		assert_ok(mlb_pack_each(path, 0, collect, sealed ? &indexed : &scanned, &err));
		if (!sealed)
			assert_ok(mlb_pack_seal(w, &name, &err));
	}
	assert_int_equal(scanned.blob.n, 4);
	assert_int_equal(indexed.blob.n, 4);
	assert_true(mlb_digest_equal(&scanned.blob.v[0].digest, &a.digest));
	assert_int_equal(scanned.blob.v[0].stored, a.stored);
	mlb_pack_writer_close(w);
	mlb_buf_release(&name);
	mlb_vec_release(&scanned.blob);
	mlb_vec_release(&indexed.blob);
	free(text);
	free(random);
	free(zeros);
}

/* Result records are read one by one, and small. */
static void
records_are_not(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_pack_writer *w = open_writer();
	char *text = table(TEXT_LEN);
	struct mlb_digest digest;
	struct mlb_blob b;

	(void)state;
	mlb_sha256_of(&digest, text, TEXT_LEN);
	assert_ok(mlb_pack_append(w, &b, MLB_BLOB_RESULT, &digest, text, TEXT_LEN, &err));
	assert_int_equal(b.codec, MLB_CODEC_PLAIN);
	mlb_pack_writer_close(w);
	free(text);
}

static void
an_older_pack_is_continued_as_it_is(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	uint8_t head[MLB_PACK_HEAD];
	struct mlb_digest check;
	struct mlb_pack_writer *w;
	char *text = table(TEXT_LEN);
	struct mlb_blob a;

	(void)state;
	mlb_pack_head_write(head);
	head[8] = 1;
	mlb_sha256_of(&check, head, 12);
	memcpy(head + 12, check.b, 4);
	spit("open-older.pack", (const char *)head, sizeof(head));
	w = open_writer();
	assert_string_equal(mlb_pack_writer_name(w), "open-older.pack");
	a = append(w, text, TEXT_LEN);
	assert_int_equal(a.codec, MLB_CODEC_PLAIN);
	assert_ok(mlb_pack_sync(w, &err));
	expect_content("open-older.pack", &a, text, TEXT_LEN);
	mlb_pack_writer_close(w);
	free(text);
}

/* A pack with one blob whose header says this of `stored`; nobody may read it. */
static void
refuse(const struct mlb_blob *says, const void *stored)
{
	struct mlb_buf pack = MLB_BUF_INIT(MLB_GIB), got = MLB_BUF_INIT(MLB_GIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct found f = { MLB_VEC_INIT };
	uint8_t head[MLB_BLOB_HEAD];

	mlb_pack_head_write(head);
	mlb_buf_add(&pack, head, MLB_PACK_HEAD);
	mlb_blob_head_write(head, says);
	mlb_buf_add(&pack, head, MLB_BLOB_HEAD);
	mlb_buf_add(&pack, stored, (size_t)says->stored);
	spit("open-bad.pack", mlb_buf_str(&pack), pack.len);
	assert_err(mlb_pack_read(&got, "open-bad.pack", MLB_PACK_HEAD, NULL, &err), MLB_ECORRUPT,
		   "damaged");
	assert_int_equal(got.len, 0);
	assert_true(got.cap <=
		    2 * MLB_BLOB_PACKED_MAX); /* nothing was made ready for what cannot be */
	assert_ok(mlb_pack_each("open-bad.pack", 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 0);
	mlb_vec_release(&f.blob);
	mlb_buf_release(&got);
	mlb_buf_release(&pack);
}

static void
bombs_and_lies_are_refused(void **state)
{
	struct mlb_pack_writer *w = open_writer();
	char *text = table(TEXT_LEN), *stored, *all;
	struct mlb_blob good = append(w, text, TEXT_LEN), b;
	struct mlb_err err = MLB_ERR_INIT;
	size_t len;

	(void)state;
	assert_ok(mlb_pack_sync(w, &err));
	all = slurp(mlb_pack_writer_name(w), &len);
	stored = all + good.offset + MLB_BLOB_HEAD;
	mlb_pack_writer_close(w);

	b = good; /* more than there is */
	b.size++;
	refuse(&b, stored);
	b = good; /* less */
	b.size--;
	refuse(&b, stored);
	b = good; /* a part of the frame */
	b.stored--;
	refuse(&b, stored);
	b = good; /* as if it were not compressed */
	b.codec = MLB_CODEC_PLAIN;
	refuse(&b, stored);
	b = good; /* other content */
	b.digest.b[0] ^= 1;
	refuse(&b, stored);
	b = good; /* too large for any that we compress */
	b.size = MLB_BLOB_MAX;
	refuse(&b, stored);
	b = good; /* too much from too little */
	b.stored = 16;
	b.size = 256 * 16 + 1;
	refuse(&b, stored);
	b = good; /* no record is compressed */
	b.type = MLB_BLOB_RESULT;
	refuse(&b, stored);
	for (size_t i = 0; i < good.stored; i += 97) {
		stored[i] ^= 0x20;
		refuse(&good, stored);
		stored[i] ^= 0x20;
	}
	free(all);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_pays_is_compressed),
		scratch_test(records_are_not),
		scratch_test(an_older_pack_is_continued_as_it_is),
		scratch_test(bombs_and_lies_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
