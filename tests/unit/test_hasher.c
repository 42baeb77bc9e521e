/* Hashing beside reading. Labels: tsan */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/fs.h"
#include "os/hasher.h"
#include "os/io.h"

static const size_t sizes[] = { 0,      1,       4095,    524287,  524288,
				524289, 4194303, 4194304, 4194305, 9000001 };

static char *
some_bytes(size_t len)
{
	char *data = mlb_alloc(len + 8);
	uint64_t seed = len + 1;

	for (size_t i = 0; i < len; i += 8) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(data + i, &seed, 8);
	}
	return data;
}

/* By parts of any length, whatever was expected. */
static void
parts_give_the_digest_of_all(void **state)
{
	(void)state;
	for (size_t k = 0; k < MLB_ARRAY_LEN(sizes); k++)
		for (size_t wrong = 0; wrong < 3; wrong++) {
			size_t len = sizes[k], at = 0, step = 1;
			char *data = some_bytes(len);
			struct mlb_hasher *h = mlb_hasher_new(wrong == 0   ? len
							      : wrong == 1 ? 0
									   : 1 << 24,
							      NULL, NULL);
			struct mlb_digest got, expected;

			while (at < len) {
				size_t cap, n;
				char *room = mlb_hasher_room(h, &cap);

				assert_true(cap > 0);
				n = MLB_MIN(MLB_MIN(cap, step), len - at);
				memcpy(room, data + at, n);
				mlb_hasher_add(h, n);
				at += n;
				step = step * 3 + 1000;
			}
			mlb_hasher_end(h, &got);
			mlb_sha256_of(&expected, data, len);
			assert_true(mlb_digest_equal(&got, &expected));
			free(data);
		}
}

struct taken {
	size_t len;
	size_t most; /* then it fails */
	struct mlb_sha256 sha;
};

static int
take(void *ctx, const void *data, size_t len)
{
	struct taken *t = ctx;

	assert_true((uintptr_t)data % MLB_IO_UNIT == 0);
	if (t->len + len > t->most)
		return ENOSPC;
	t->len += len;
	mlb_sha256_update(&t->sha, data, len);
	return 0;
}

/* How much of data was handed in before there was no room any more. */
static size_t
hand_in(struct mlb_hasher *h, const char *data, size_t len)
{
	size_t at = 0, cap;
	void *room;

	while (at < len && (room = mlb_hasher_room(h, &cap))) {
		size_t n = MLB_MIN(cap, len - at);

		memcpy(room, data + at, n);
		mlb_hasher_add(h, n);
		at += n;
	}
	return at;
}

static void
parts_are_handed_on_in_order(void **state)
{
	(void)state;
	for (size_t k = 0; k < MLB_ARRAY_LEN(sizes); k++) {
		char *data = some_bytes(sizes[k]);
		struct taken t = { .most = SIZE_MAX };
		struct mlb_hasher *h = mlb_hasher_new(sizes[k], take, &t);
		struct mlb_digest hashed, taken, expected;

		mlb_sha256_init(&t.sha);
		assert_true(hand_in(h, data, sizes[k]) == sizes[k]);
		assert_int_equal(mlb_hasher_end(h, &hashed), 0);
		assert_true(t.len == sizes[k]);
		mlb_sha256_final(&t.sha, &taken);
		mlb_sha256_of(&expected, data, sizes[k]);
		assert_true(mlb_digest_equal(&hashed, &expected));
		assert_true(mlb_digest_equal(&taken, &expected));
		free(data);
	}
}

static void
what_fails_is_told_and_ends_it(void **state)
{
	static const size_t expected[] = { 100, 1 << 25 }; /* without a thread, and with */
	size_t len = (size_t)1 << 25;
	char *data = some_bytes(len);

	(void)state;
	for (size_t k = 0; k < MLB_ARRAY_LEN(expected); k++) {
		struct taken t = { .most = 3 * MLB_MIB };
		struct mlb_hasher *h = mlb_hasher_new(expected[k], take, &t);

		mlb_sha256_init(&t.sha);
		assert_true(hand_in(h, data, len) < len);
		assert_int_equal(mlb_hasher_end(h, NULL), ENOSPC);
		assert_true(t.len <= t.most);
	}
	free(data);
}

static void
it_can_be_given_up(void **state)
{
	struct mlb_hasher *h = mlb_hasher_new(1 << 24, NULL, NULL);
	size_t cap;

	(void)state;
	memset(mlb_hasher_room(h, &cap), 1, 1);
	mlb_hasher_add(h, 1);
	memset(mlb_hasher_room(h, &cap), 1, 1);
	mlb_hasher_end(h, NULL);
}

static void
files_are_hashed_and_copied(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (size_t k = 0; k < MLB_ARRAY_LEN(sizes); k++) {
		char *data = some_bytes(sizes[k]);
		struct mlb_digest expected, got;
		bool reflinked = false;
		uint64_t size;
		int fd;

		mlb_sha256_of(&expected, data, sizes[k]);
		assert_ok(mlb_fs_write("file", data, sizes[k], false, &err));
		assert_ok(mlb_fs_hash(&got, &size, "file", &err));
		assert_true(mlb_digest_equal(&got, &expected));
		assert_true(size == sizes[k]);
		assert_ok(mlb_fs_copy("file", "copy", 0644, &reflinked, &got, &err));
		assert_true(reflinked || mlb_digest_equal(&got, &expected));
		assert_ok(mlb_fs_hash(&got, &size, "copy", &err));
		assert_true(mlb_digest_equal(&got, &expected));
		assert_ok(mlb_fs_unlink("copy", &err));
		/* No more than is asked for. */
		fd = open("file", O_RDONLY);
		assert_true(fd >= 0);
		assert_int_equal(mlb_fd_hash(&got, &size, fd, sizes[k], sizes[k] / 2, NULL), 0);
		assert_true(size == sizes[k] / 2);
		mlb_sha256_of(&expected, data, sizes[k] / 2);
		assert_true(mlb_digest_equal(&got, &expected));
		close(fd);
		free(data);
	}
}

/* Past the page cache or not, whole units or not: what is copied to be kept is the same. */
static void
what_is_kept_is_the_same(void **state)
{
	static const size_t large[] = { 32 << 20, (32 << 20) + 1, (33 << 20) + 4097 };
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	for (size_t k = 0; k < MLB_ARRAY_LEN(large); k++) {
		char *data = some_bytes(large[k]);
		struct mlb_digest expected, got;
		bool reflinked = false;
		uint64_t size;

		mlb_sha256_of(&expected, data, large[k]);
		assert_ok(mlb_fs_write("file", data, large[k], false, &err));
		assert_ok(mlb_io_copy_unless(&mlb_io_os, "file", "kept", 0444, &reflinked, &got,
					     &err));
		assert_true(reflinked || mlb_digest_equal(&got, &expected));
		assert_ok(mlb_fs_hash(&got, &size, "kept", &err));
		assert_true(size == large[k]);
		assert_true(mlb_digest_equal(&got, &expected));
		assert_ok(mlb_fs_unlink("kept", &err));
		free(data);
	}
}

/* The n bytes of data at its place in the file, by way of both kinds of writing. */
static void
expect_written(int fd, const char *data, size_t n, uint64_t at)
{
	char *got = mlb_alloc(n);

	assert_int_equal(mlb_io_pwrite_past(&mlb_io_os, fd, data, n, at), 0);
	assert_true(pread(fd, got, n, (off_t)at) == (ssize_t)n);
	assert_memory_equal(got, data, n);
	free(got);
}

static void
past_the_cache_is_an_offer(void **state)
{
	char *data = mlb_alloc_aligned(MLB_IO_UNIT, 4 * MLB_IO_UNIT);
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0666);

	(void)state;
	assert_true(fd >= 0);
	memset(data, 'x', 4 * MLB_IO_UNIT);
	memset(data + MLB_IO_UNIT, 'y', MLB_IO_UNIT);
	expect_written(fd, data, 3 * MLB_IO_UNIT, 0);
	expect_written(fd, data + MLB_IO_UNIT, MLB_IO_UNIT, MLB_IO_UNIT);
	expect_written(fd, data + 1, MLB_IO_UNIT,
		       MLB_IO_UNIT); /* its address is none of whole units */
	expect_written(fd, data, 100, 3 * MLB_IO_UNIT);
	expect_written(fd, data, MLB_IO_UNIT, 3 * MLB_IO_UNIT + 100);
	assert_int_equal(fcntl(fd, F_GETFL) & O_DIRECT, 0);
	close(fd);
	assert_int_equal(mlb_io_pwrite_past(&mlb_io_os, fd, data, MLB_IO_UNIT, 0), EBADF);
	free(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_give_the_digest_of_all),
		cmocka_unit_test(parts_are_handed_on_in_order),
		cmocka_unit_test(what_fails_is_told_and_ends_it),
		cmocka_unit_test(it_can_be_given_up),
		scratch_test(files_are_hashed_and_copied),
		scratch_test(what_is_kept_is_the_same),
		scratch_test(past_the_cache_is_an_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
