/* Packs: appending, sealing, reading, and who owns them. */
#include "faulty_io.h"
#include "pack_fixture.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/hex.h"

static void
what_is_appended_can_be_read(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_pack_writer *w = open_writer();
	struct found f = { MLB_VEC_INIT };
	struct mlb_blob a, b, c;
	char name[100];

	(void)state;
	a = append(w, "hello", 5);
	b = append(w, "", 0);
	c = append(w, "\0\x89mB\x1a\0", 6);
	assert_int_equal(a.offset, MLB_PACK_HEAD);
	snprintf(name, sizeof(name), "%s", mlb_pack_writer_name(w));
	assert_true(mlb_pack_name_open(name));
	assert_ok(mlb_pack_flush(w, &err));
	assert_int_equal(mlb_pack_writer_flushed(w), mlb_pack_writer_size(w));
	expect_content(name, &a, "hello", 5);
	expect_content(name, &b, "", 0);
	expect_content(name, &c, "\0\x89mB\x1a\0", 6);
	mlb_pack_writer_close(w);
	assert_ok(mlb_pack_each(name, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 3);
	assert_int_equal(f.blob.v[2].offset, c.offset);
	f.blob.n = 0;
	assert_ok(mlb_pack_each(name, b.offset, collect, &f, &err));
	assert_int_equal(f.blob.n, 2);
	mlb_vec_release(&f.blob);
}

static void
a_sealed_pack_is_named_by_its_bytes_and_sorted(void **state)
{
	static const char *const text[] = { "one", "two", "three", "four", "one" };
	struct mlb_err err = MLB_ERR_INIT;
	struct found f = { MLB_VEC_INIT };
	char name[100], hex[MLB_HEX_LEN + 1];
	struct mlb_digest d;
	struct stat st;
	size_t len;
	char *data = make_pack(text, 5, true, name, &len);

	(void)state;
	assert_true(mlb_pack_name_sealed(name));
	mlb_sha256_of(&d, data, len);
	mlb_digest_hex(hex, &d);
	assert_memory_equal(hex, name, MLB_HEX_LEN);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0222, 0);
	assert_ok(mlb_pack_each(name, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 5);
	for (size_t i = 1; i < 5; i++)
		assert_true(mlb_digest_cmp(&f.blob.v[i - 1].digest, &f.blob.v[i].digest) <= 0);
	for (size_t i = 0; i < 5; i++) {
		struct mlb_buf got = MLB_BUF_INIT(100);

		assert_ok(mlb_pack_read(&got, name, f.blob.v[i].offset, NULL, &err));
		mlb_buf_release(&got);
	}
	mlb_vec_release(&f.blob);
	free(data);
}

static void
a_pack_has_one_owner(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_pack_writer *a = open_writer(), *b = open_writer(), *c;
	struct mlb_buf name = MLB_BUF_INIT(100);
	char first[100];

	(void)state;
	assert_string_not_equal(mlb_pack_writer_name(a), mlb_pack_writer_name(b));
	assert_err(mlb_pack_writer_take(&c, ".", mlb_pack_writer_name(a), &err), MLB_ENOTFOUND,
		   "open-");
	append(a, "a", 1);
	append(b, "b", 1);
	assert_ok(mlb_pack_sync(a, &err));
	snprintf(first, sizeof(first), "%s", mlb_pack_writer_name(a));
	mlb_pack_writer_close(a);
	c = open_writer();
	assert_string_equal(mlb_pack_writer_name(c), first);
	assert_ok(mlb_pack_seal(b, &name, &err));
	assert_true(mlb_fs_exists(mlb_buf_str(&name)));
	mlb_pack_writer_close(b);
	mlb_pack_writer_close(c);
	assert_err(mlb_pack_writer_take(&c, ".", mlb_buf_str(&name), &err), MLB_ENOTFOUND,
		   "cannot be continued");
	mlb_buf_release(&name);
}

static void
an_empty_pack_leaves_nothing(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_pack_writer *w = open_writer();

	(void)state;
	assert_ok(mlb_pack_sync(w, &err));
	mlb_pack_writer_close(w);
	w = open_writer();
	assert_ok(mlb_pack_recover(w, 0, NULL, NULL, &err));
	assert_ok(mlb_pack_sync(w, &err));
	mlb_pack_writer_close(w);
	mlb_pack_writer_close(NULL);
	assert_ok(mlb_fs_list(&list, ".", &err));
	assert_int_equal(list.n, 0);
	mlb_dirents_release(&list);
}

static void
foreign_files_are_left_alone(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct found f = { MLB_VEC_INIT };
	struct mlb_pack_writer *w;
	uint8_t head[MLB_PACK_HEAD];
	struct mlb_digest check;

	(void)state;
	put_file("open-notours.pack", "some text that has nothing to do with packs");
	assert_int_equal(mkdir("open-directory.pack", 0777), 0);
	assert_int_equal(symlink("open-notours.pack", "open-link.pack"), 0);
	assert_int_equal(mkfifo("open-fifo.pack", 0666), 0);
	/* Of a later version: not read, not continued. */
	mlb_pack_head_write(head);
	head[8] = MLB_PACK_VERSION + 1;
	mlb_sha256_of(&check, head, 12);
	memcpy(head + 12, check.b, 4);
	spit("open-later.pack", (const char *)head, sizeof(head));
	assert_err(mlb_pack_each("open-later.pack", 0, collect, &f, &err), MLB_EINVALID,
		   "later mlbuild");

	w = open_writer();
	append(w, "x", 1);
	assert_int_equal(strlen(mlb_pack_writer_name(w)), strlen("open-0123456789abcdef.pack"));
	mlb_pack_writer_close(w);
	assert_file("open-notours.pack", "some text that has nothing to do with packs");
	assert_ok(mlb_pack_each("open-notours.pack", 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 0);
	assert_err(mlb_pack_each("open-fifo.pack", 0, collect, &f, &err), MLB_EINVALID, "regular");
	assert_err(mlb_pack_each("absent", 0, collect, &f, &err), MLB_ESYSTEM, "absent");
	assert_false(mlb_pack_name_sealed("0123.pack"));
	assert_false(mlb_pack_name_open("open-.pack"));
	mlb_vec_release(&f.blob);
}

static void
reading_has_limits(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf small = MLB_BUF_INIT(4);
	struct mlb_pack_writer *w = open_writer();
	struct mlb_blob b = append(w, "hello", 5);
	struct mlb_digest other;

	(void)state;
	assert_ok(mlb_pack_sync(w, &err));
	assert_err(mlb_pack_read(&small, mlb_pack_writer_name(w), b.offset, NULL, &err),
		   MLB_ETOOBIG, "4 bytes");
	mlb_buf_release(&small);
	mlb_buf_init(&small, 100);
	mlb_sha256_of(&other, "x", 1);
	assert_err(mlb_pack_read(&small, mlb_pack_writer_name(w), b.offset, &other, &err),
		   MLB_ECORRUPT, "damaged");
	assert_err(mlb_pack_read(&small, mlb_pack_writer_name(w), 1 << 20, NULL, &err),
		   MLB_ECORRUPT, "damaged");
	assert_err(mlb_pack_read(&small, mlb_pack_writer_name(w), UINT64_MAX, NULL, &err),
		   MLB_ECORRUPT, "damaged");
	assert_err(mlb_pack_read(&small, "absent", 0, NULL, &err), MLB_ESYSTEM, "absent");
	assert_int_equal(small.len, 0);
	mlb_buf_release(&small);
	mlb_pack_writer_close(w);
}

/* Beyond the buffer, and beyond the window that is searched at a time. */
static void
many_and_large_blobs(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct found f = { MLB_VEC_INIT };
	struct mlb_pack_writer *w = open_writer();
	size_t big = 3 * 1024 * 1024 + 7;
	char *data = mlb_calloc(big, 1), name[100];
	struct mlb_buf got = MLB_BUF_INIT(MLB_GIB);

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(data, 100, "blob %d", i);
		append(w, data, 700);
		if (i % 1000 == 0)
			append(w, data, big);
	}
	snprintf(name, sizeof(name), "%s", mlb_pack_writer_name(w));
	assert_ok(mlb_pack_sync(w, &err));
	mlb_pack_writer_close(w);
	assert_ok(mlb_pack_each(name, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 5005);
	for (size_t i = 0; i < f.blob.n; i++) {
		assert_ok(mlb_pack_read(&got, name, f.blob.v[i].offset, &f.blob.v[i].digest, &err));
		mlb_buf_clear(&got);
	}
	/* A hole that is larger than the window. */
	assert_int_equal(truncate(name, (off_t)f.blob.v[1000].offset), 0);
	assert_int_equal(truncate(name, (off_t)f.blob.v[1000].offset + 5000000), 0);
	spit("tail", "", 0);
	mlb_buf_release(&got);
	f.blob.n = 0;
	w = open_writer();
	assert_ok(mlb_pack_recover(w, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 1000);
	append(w, "after the hole", 14);
	assert_ok(mlb_pack_sync(w, &err));
	mlb_pack_writer_close(w);
	mlb_vec_release(&f.blob);
	free(data);
}

/* Processes that append, seal and die at once: every blob that was synced is found, once and whole. */
static void
many_processes_write_their_own(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_dirents list = MLB_VEC_INIT;
	struct found f = { MLB_VEC_INIT };
	pid_t pid[8];

	(void)state;
	for (int p = 0; p < 8; p++) {
		pid[p] = fork();
		if (pid[p])
			continue;
		for (int round = 0; round < 20; round++) {
			struct mlb_pack_writer *w = open_writer();
			struct mlb_buf name = MLB_BUF_INIT(100);
			char text[64];

			for (int i = 0; i < 10; i++) {
				snprintf(text, sizeof(text), "%d %d %d", p, round, i);
				append(w, text, strlen(text));
			}
			if (round % 3 == 0 ? mlb_pack_seal(w, &name, &err) : mlb_pack_sync(w, &err))
				_exit(1);
			/* A torn blob, and no farewell: the next round finds it so. */
			append(w, "this one is never synced", 24);
			mlb_buf_release(&name);
			mlb_pack_writer_close(w);
		}
		_exit(0);
	}
	for (int p = 0; p < 8; p++) {
		int status;

		assert_int_equal(waitpid(pid[p], &status, 0), pid[p]);
		assert_int_equal(status, 0);
	}
	assert_ok(mlb_fs_list(&list, ".", &err));
	for (size_t i = 0; i < list.n; i++)
		assert_ok(mlb_pack_each(list.v[i].name, 0, collect, &f, &err));
	assert_int_equal(f.blob.n, 8 * 20 * 10);
	mlb_dirents_release(&list);
	mlb_vec_release(&f.blob);
}

static void
cutting_after_a_failed_sync(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_pack_writer *w = open_writer();
	struct mlb_blob a = append(w, "kept", 4);
	uint64_t synced;

	(void)state;
	assert_ok(mlb_pack_sync(w, &err));
	synced = mlb_pack_writer_size(w);
	append(w, "flushed", 7);
	assert_ok(mlb_pack_flush(w, &err));
	append(w, "buffered", 8);
	assert_true(mlb_pack_cut(w, synced));
	assert_int_equal(mlb_pack_writer_size(w), synced);
	expect_content(mlb_pack_writer_name(w), &a, "kept", 4);
	mlb_pack_writer_close(w);
}

#define NOISE 100003 /* bytes of a blob: no multiple of anything */
#define BLOBS 100

/* Each blob is a part of the same noise. */
static char *
make_noise(void)
{
	char *data = mlb_alloc(NOISE + BLOBS);
	uint64_t seed = 1;

	for (size_t k = 0; k < NOISE + BLOBS; k++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		data[k] = (char)(seed >> 56);
	}
	return data;
}

/* A call that fails appends nothing, and the next one goes on. Whether one failed. */
static bool
fill(struct mlb_pack_writer *w, struct faulty_io *f, struct mlb_blob *blob, const char *noise)
{
	f->calls = 0;
	for (unsigned i = 0; i < BLOBS; i++) {
		const char *data = noise + i;
		struct mlb_digest d;

		mlb_sha256_of(&d, data, NOISE);
		if (mlb_pack_append(w, &blob[i], MLB_BLOB_OBJECT, &d, data, NOISE, NULL) != 0)
			assert_int_equal(mlb_pack_append(w, &blob[i], MLB_BLOB_OBJECT, &d, data,
							 NOISE, NULL),
					 0);
		if (i == BLOBS / 3)
			mlb_pack_write_past(w);
		/* What is said to be in the file is there as a whole. */
		for (unsigned k = i + 1; k-- > 0 && k + 15 > i;)
			if (blob[k].offset < mlb_pack_writer_flushed(w) && i % 7 == 0)
				expect_content(mlb_pack_writer_name(w), &blob[k], noise + k, NOISE);
		/* Whoever reads or syncs leaves a unit that is not whole. */
		if (i == BLOBS * 3 / 4 && mlb_pack_flush(w, NULL) != 0)
			assert_int_equal(mlb_pack_flush(w, NULL), 0);
	}
	return f->failed;
}

static void
a_long_pack_is_written_all_the_same(void **state)
{
	struct mlb_blob *blob = mlb_calloc(BLOBS, sizeof(*blob));
	char *noise = make_noise();
	struct mlb_err err = MLB_ERR_INIT;
	bool failed = true;

	(void)state;
	for (long n = 7; failed; n++) {
		struct mlb_buf name = MLB_BUF_INIT(200);
		struct mlb_pack_writer *w = NULL;
		struct mlb_digest d;
		struct faulty_io f;
		char *data;
		size_t len;

		faulty_init(&f, n, false, EIO);
		assert_ok(mlb_pack_writer_open_io(&w, ".", &f.io, &err));
		failed = fill(w, &f, blob, noise);
		f.fail_at = 0;
		assert_ok(mlb_pack_seal(w, &name, &err));
		for (unsigned i = 0; i < BLOBS; i++)
			expect_content(mlb_buf_str(&name), &blob[i], noise + i, NOISE);
		data = slurp(mlb_buf_str(&name), &len);
		mlb_sha256_of(&d, data, len);
		assert_true(mlb_digest_parse(&blob[0].digest, mlb_buf_str(&name), MLB_HEX_LEN));
		assert_true(mlb_digest_equal(&blob[0].digest, &d));
		free(data);
		mlb_pack_writer_close(w);
		assert_ok(mlb_fs_unlink(mlb_buf_str(&name), &err));
		mlb_buf_release(&name);
		assert_true(n < 100);
	}
	free(noise);
	free(blob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(what_is_appended_can_be_read),
		scratch_test(a_sealed_pack_is_named_by_its_bytes_and_sorted),
		scratch_test(a_pack_has_one_owner),
		scratch_test(an_empty_pack_leaves_nothing),
		scratch_test(foreign_files_are_left_alone),
		scratch_test(reading_has_limits),
		scratch_test(many_and_large_blobs),
		scratch_test(many_processes_write_their_own),
		scratch_test(cutting_after_a_failed_sync),
		scratch_test(a_long_pack_is_written_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
