/* Where large files are cut. */
#include "unit.h"

#include "base/digest_set.h"
#include "base/hash.h"
#include "store/chunker.h"

#define LEN (8 * MLB_MIB)

static uint8_t *
bytes(size_t len, uint64_t seed)
{
	uint8_t *data = mlb_alloc(len + 8);

	for (size_t i = 0; i < len; i += 8) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		for (size_t k = 0; k < 8; k++)
			data[i + k] = (uint8_t)(seed >> 8 * ((k + 4) % 8));
	}
	return data;
}

struct cuts {
	struct mlb_digest_set chunk;
	uint64_t n, most, least,
		fresh; /* chunks; bytes of the largest, of all but the last the smallest, of those not in `known` */
};

static void
cut(struct cuts *out, const uint8_t *data, size_t len, const struct mlb_digest_set *known)
{
	struct mlb_chunker c;

	memset(out, 0, sizeof(*out));
	out->least = UINT64_MAX;
	mlb_chunker_init(&c, len);
	for (size_t at = 0; at < len;) {
		size_t n = mlb_chunker_cut(&c, data + at, len - at);
		struct mlb_digest d;

		assert_true(n > 0 && n <= len - at);
		mlb_sha256_of(&d, data + at, n);
		mlb_digest_set_add(&out->chunk, &d);
		if (known && !mlb_digest_set_has(known, &d))
			out->fresh += n;
		out->n++;
		out->most = MLB_MAX(out->most, n);
		at += n;
		if (at < len)
			out->least = MLB_MIN(out->least, n);
	}
}

static void
chunks_are_about_as_large_as_they_should_be(void **state)
{
	uint8_t *data = bytes(LEN, 1);
	struct cuts c;

	(void)state;
	cut(&c, data, LEN, NULL);
	assert_in_range(LEN / c.n, 48 * MLB_KIB, 100 * MLB_KIB);
	assert_true(c.least >= 16 * MLB_KIB);
	assert_true(c.most <= 256 * MLB_KIB);
	mlb_digest_set_release(&c.chunk);
	free(data);
}

/* Bytes that never give a cut are cut all the same. */
static void
monotony_is_cut_at_the_most(void **state)
{
	uint8_t *data = mlb_calloc(1, MLB_MIB);
	struct mlb_chunker c;

	(void)state;
	mlb_chunker_init(&c, MLB_MIB);
	assert_int_equal(mlb_chunker_cut(&c, data, MLB_MIB), c.most);
	assert_int_equal(mlb_chunker_cut(&c, data, 100), 100);
	free(data);
}

static void
what_is_put_in_changes_what_is_around(void **state)
{
	uint8_t *data = bytes(LEN, 2), *more = mlb_alloc(LEN + 100);
	struct cuts was, is;

	(void)state;
	cut(&was, data, LEN, NULL);
	for (size_t at = 1000; at < LEN; at += LEN / 5) {
		memcpy(more, data, at);
		memset(more + at, 'x', 100);
		memcpy(more + at + 100, data + at, LEN - at);
		cut(&is, more, LEN + 100, &was.chunk);
		assert_in_range(is.fresh, 100, 4 * 256 * MLB_KIB);
		mlb_digest_set_release(&is.chunk);
	}
	/* Appended: the last chunk, and what is new. */
	cut(&is, data, LEN - 300000, &was.chunk);
	assert_true(is.fresh <= 256 * MLB_KIB);
	mlb_digest_set_release(&is.chunk);
	mlb_digest_set_release(&was.chunk);
	free(more);
	free(data);
}

/* Others must cut at the same places for ever: else nothing is found again. */
static void
the_first_cuts_are_those_of_the_first_version(void **state)
{
	static const size_t want[] = { 67079, 65921, 73728, 69292, 65623, 67611 };
	uint8_t *data = bytes(LEN, 3);
	struct mlb_chunker c;
	size_t at = 0;

	(void)state;
	mlb_chunker_init(&c, LEN);
	for (size_t i = 0; i < MLB_ARRAY_LEN(want); i++) {
		size_t n = mlb_chunker_cut(&c, data + at, LEN - at);

		assert_int_equal(n, want[i]);
		at += n;
	}
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_about_as_large_as_they_should_be),
		cmocka_unit_test(monotony_is_cut_at_the_most),
		cmocka_unit_test(what_is_put_in_changes_what_is_around),
		cmocka_unit_test(the_first_cuts_are_those_of_the_first_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
