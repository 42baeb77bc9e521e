/* Hashing beside reading. Labels: tsan */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/fs.h"
#include "os/hasher.h"

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
									   : 1 << 24);
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

static void
it_can_be_given_up(void **state)
{
	struct mlb_hasher *h = mlb_hasher_new(1 << 24);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_give_the_digest_of_all),
		cmocka_unit_test(it_can_be_given_up),
		scratch_test(files_are_hashed_and_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
