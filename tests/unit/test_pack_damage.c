/* Packs that are torn, flipped or hostile: never wrong bytes, and whole blobs survive. */
#include "pack_fixture.h"

/* A crash leaves any length of it: all blobs but a torn last one are there, and appending goes on. */
static void
cut_at_every_byte(void **state)
{
	static const char *const text[] = { "first", "the second blob", "and the third" };
	struct mlb_err err = MLB_ERR_INIT;
	char name[100];
	size_t len, end[4] = { MLB_PACK_HEAD };
	char *data = make_pack(text, 3, false, name, &len);

	(void)state;
	for (size_t i = 0; i < 3; i++)
		end[i + 1] = end[i] + MLB_BLOB_HEAD + strlen(text[i]);
	assert_int_equal(end[3], len);
	for (size_t cut = 0; cut <= len; cut++) {
		struct found f = { MLB_VEC_INIT };
		struct mlb_pack_writer *w;
		struct mlb_blob b;
		size_t whole = 0;

		spit(name, data, cut);
		while (whole < 3 && end[whole + 1] <= cut)
			whole++;
		w = open_writer();
		assert_string_equal(mlb_pack_writer_name(w), name);
		assert_ok(mlb_pack_recover(w, 0, collect, &f, &err));
		assert_int_equal(f.blob.n, whole);
		b = append(w, "appended later", 14);
		assert_int_equal(b.offset, end[whole]);
		assert_ok(mlb_pack_sync(w, &err));
		mlb_pack_writer_close(w);
		f.blob.n = 0;
		assert_ok(mlb_pack_each(name, 0, collect, &f, &err));
		assert_int_equal(f.blob.n, whole + 1);
		for (size_t i = 0; i < whole; i++)
			expect_content(name, &f.blob.v[i], text[i], strlen(text[i]));
		expect_content(name, &f.blob.v[whole], "appended later", 14);
		mlb_vec_release(&f.blob);
	}
	free(data);
}

/* What is said to be known already is not read again, nor believed before something is cut off. */
static void
recovering_from_an_offset(void **state)
{
	static const char *const text[] = { "first", "second", "third" };
	struct mlb_err err = MLB_ERR_INIT;
	char name[100];
	size_t len;
	char *data = make_pack(text, 3, false, name, &len);
	uint64_t second = MLB_PACK_HEAD + MLB_BLOB_HEAD + 5;

	(void)state;
	for (uint64_t from = 0; from <= len + 10; from++) {
		struct found f = { MLB_VEC_INIT };
		struct mlb_pack_writer *w = open_writer();

		assert_ok(mlb_pack_recover(w, from, collect, &f, &err));
		assert_int_equal(mlb_pack_writer_size(w), len);
		if (from == second)
			assert_int_equal(f.blob.n, 2);
		if (from == len)
			assert_int_equal(f.blob.n, 0);
		mlb_pack_writer_close(w);
		mlb_vec_release(&f.blob);
	}
	assert_int_equal(data[len - 1], 'd');
	free(data);
}

/* Never wrong bytes; and whatever the flip did not touch is still found. */
static void
flip_every_bit(bool sealed)
{
	static const char *const text[] = { "first", "the second", "and the third" };
	struct mlb_err err = MLB_ERR_INIT;
	char name[100];
	size_t len, start = MLB_PACK_HEAD;
	char *data = make_pack(text, 3, sealed, name, &len);

	for (size_t bit = 0; bit < len * 8; bit++) {
		struct found f = { MLB_VEC_INIT };
		size_t at = bit / 8, right = 0, touched = 0;

		data[at] = (char)(data[at] ^ 1 << bit % 8);
		unlink(name);
		spit(name, data, len);
		mlb_pack_each(name, 0, collect, &f, NULL);
		for (size_t i = 0; i < f.blob.n; i++) {
			struct mlb_buf got = MLB_BUF_INIT(1000);

			if (mlb_pack_read(&got, name, f.blob.v[i].offset, &f.blob.v[i].digest,
					  NULL) == 0) {
				bool known = false;

				for (size_t t = 0; t < 3; t++)
					known |= strcmp(mlb_buf_str(&got), text[t]) == 0;
				assert_true(known);
				right++;
			}
			mlb_buf_release(&got);
		}
		start = MLB_PACK_HEAD;
		for (size_t t = 0; t < 3; t++) {
			size_t next = start + MLB_BLOB_HEAD + strlen(text[t]);

			touched += at >= start && at < next;
			start = next;
		}
		assert_int_equal(right, 3 - touched);
		mlb_vec_release(&f.blob);
		data[at] = (char)(data[at] ^ 1 << bit % 8);
	}
	/* By their offsets, too. */
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct mlb_buf got = MLB_BUF_INIT(1000);
		struct mlb_digest d;

		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
		unlink(name);
		spit(name, data, len);
		mlb_sha256_of(&d, text[0], strlen(text[0]));
		if (mlb_pack_read(&got, name, MLB_PACK_HEAD, &d, &err) == 0)
			assert_string_equal(mlb_buf_str(&got), text[0]);
		else
			assert_int_equal(err.code, MLB_ECORRUPT);
		mlb_err_release(&err);
		mlb_buf_release(&got);
		data[bit / 8] = (char)(data[bit / 8] ^ 1 << bit % 8);
	}
	free(data);
}

static void
flip_every_bit_of_an_open_pack(void **state)
{
	(void)state;
	flip_every_bit(false);
}

static void
flip_every_bit_of_a_sealed_pack(void **state)
{
	(void)state;
	flip_every_bit(true);
}

/* Damage in the middle is not the end: nothing whole is cut off, and appending goes on behind it. */
static void
damage_in_the_middle_of_an_open_pack(void **state)
{
	static const char *const text[] = { "first", "the second", "and the third" };
	struct mlb_err err = MLB_ERR_INIT;
	struct found f = { MLB_VEC_INIT };
	struct mlb_pack_writer *w;
	char name[100];
	size_t len;
	char *data = make_pack(text, 3, false, name, &len);

	(void)state;
	data[MLB_PACK_HEAD + MLB_BLOB_HEAD + 5 + 20] ^= 1;
	spit(name, data, len);
	w = open_writer();
	assert_ok(mlb_pack_recover(w, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 2);
	assert_int_equal(mlb_pack_writer_size(w), len);
	append(w, "fourth", 6);
	assert_ok(mlb_pack_seal(w, &(struct mlb_buf)MLB_BUF_INIT(0), NULL));
	snprintf(name, sizeof(name), "%s", mlb_pack_writer_name(w));
	mlb_pack_writer_close(w);
	f.blob.n = 0;
	assert_ok(mlb_pack_each(name, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 3);
	mlb_vec_release(&f.blob);
	free(data);
}

/* A process died after the footer was written and before the file had its name. */
static void
a_footer_without_its_name_is_cut_off(void **state)
{
	static const char *const text[] = { "first", "second" };
	struct mlb_err err = MLB_ERR_INIT;
	char name[100];
	size_t len, blobs = MLB_PACK_HEAD + 2 * MLB_BLOB_HEAD + 11;
	char *data = make_pack(text, 2, true, name, &len);

	(void)state;
	for (size_t cut = blobs; cut <= len; cut++) {
		struct found f = { MLB_VEC_INIT };
		struct mlb_pack_writer *w;

		spit("open-0123456789abcdef.pack", data, cut);
		assert_ok(mlb_pack_writer_take(&w, ".", "open-0123456789abcdef.pack", &err));
		assert_ok(mlb_pack_recover(w, 0, collect, &f, &err));
		assert_int_equal(f.blob.n, 2);
		assert_int_equal(mlb_pack_writer_size(w), blobs);
		mlb_pack_writer_close(w);
		mlb_vec_release(&f.blob);
	}
	free(data);
}

/* A pack as content in a pack: damage around it brings to light nothing but true blobs. */
static void
a_pack_in_a_pack(void **state)
{
	static const char *const text[] = { "inner one", "inner two" };
	struct mlb_err err = MLB_ERR_INIT;
	struct found f = { MLB_VEC_INIT };
	struct mlb_pack_writer *w;
	char name[100], outer[100];
	size_t len, all;
	char *inner = make_pack(text, 2, true, name, &len), *data;

	(void)state;
	unlink(name);
	w = open_writer();
	append(w, inner, len);
	assert_ok(mlb_pack_sync(w, &err));
	snprintf(outer, sizeof(outer), "%s", mlb_pack_writer_name(w));
	mlb_pack_writer_close(w);
	/* The inner footer stands at the end of the outer file. */
	w = open_writer();
	assert_ok(mlb_pack_recover(w, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 1);
	assert_int_equal(mlb_pack_writer_size(w), MLB_PACK_HEAD + MLB_BLOB_HEAD + len);
	mlb_pack_writer_close(w);
	data = slurp(outer, &all);
	data[MLB_PACK_HEAD + 20] ^= 1;
	spit(outer, data, all);
	f.blob.n = 0;
	assert_ok(mlb_pack_each(outer, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 2);
	expect_content(outer, &f.blob.v[0], text[0], strlen(text[0]));
	mlb_vec_release(&f.blob);
	free(data);
	free(inner);
}

/* A header that claims the rest of the file at every byte must not cost the square of its size. */
static void
hostile_headers_cost_little(void **state)
{
	size_t n = 50000, len = MLB_PACK_HEAD + n * MLB_BLOB_HEAD;
	struct found f = { MLB_VEC_INIT };
	struct mlb_err err = MLB_ERR_INIT;
	uint8_t *data = mlb_calloc(len, 1);

	(void)state;
	mlb_pack_head_write(data);
	for (size_t i = 0; i < n; i++) {
		size_t at = MLB_PACK_HEAD + i * MLB_BLOB_HEAD;
		struct mlb_blob b = { .type = MLB_BLOB_OBJECT };

		b.size = b.stored = len - at - MLB_BLOB_HEAD;
		mlb_blob_head_write(data + at, &b);
	}
	spit("open-hostile.pack", (const char *)data, len);
	assert_ok(mlb_pack_each("open-hostile.pack", 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 0);
	mlb_vec_release(&f.blob);
	free(data);
}

/* A blob of a type or codec that is not known is passed over, and kept. */
static void
what_is_not_known_is_passed_over(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct found f = { MLB_VEC_INIT };
	struct mlb_pack_writer *w = open_writer();
	struct mlb_blob b, a = append(w, "known", 5);
	struct mlb_buf got = MLB_BUF_INIT(100);
	uint8_t head[MLB_BLOB_HEAD];
	char name[100];
	size_t len;
	char *data;

	(void)state;
	assert_ok(mlb_pack_sync(w, &err));
	snprintf(name, sizeof(name), "%s", mlb_pack_writer_name(w));
	mlb_pack_writer_close(w);
	data = slurp(name, &len);
	data = mlb_realloc(data, len + MLB_BLOB_HEAD + 3, 1);
	b = a;
	b.codec = 2;
	b.stored = 3;
	mlb_blob_head_write(head, &b);
	memcpy(data + len, head, sizeof(head));
	memcpy(data + len + sizeof(head), "zst", 3);
	spit(name, data, len + sizeof(head) + 3);
	w = open_writer();
	assert_ok(mlb_pack_recover(w, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 1);
	assert_int_equal(mlb_pack_writer_size(w), len + sizeof(head) + 3);
	b = append(w, "after", 5);
	assert_ok(mlb_pack_sync(w, &err));
	mlb_pack_writer_close(w);
	assert_err(mlb_pack_read(&got, name, len, NULL, &err), MLB_ECORRUPT, "damaged");
	expect_content(name, &b, "after", 5);
	mlb_buf_release(&got);
	mlb_vec_release(&f.blob);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(cut_at_every_byte),
		scratch_test(recovering_from_an_offset),
		scratch_test(flip_every_bit_of_an_open_pack),
		scratch_test(flip_every_bit_of_a_sealed_pack),
		scratch_test(damage_in_the_middle_of_an_open_pack),
		scratch_test(a_footer_without_its_name_is_cut_off),
		scratch_test(a_pack_in_a_pack),
		scratch_test(hostile_headers_cost_little),
		scratch_test(what_is_not_known_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
