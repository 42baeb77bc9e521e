/* A cache with a database in the scratch directory, for the tests of the store. */
#ifndef TESTS_UNIT_CAS_FIXTURE_H
#define TESTS_UNIT_CAS_FIXTURE_H

#include "unit.h"

#include <fcntl.h>

#include "base/hex.h"
#include "os/fs.h"
#include "store/cas.h"
#include "store/db.h"

#define CACHE "cache/v1"

struct store {
	struct mlb_db *db;
	struct mlb_cas *cas;
};

static inline struct store
open_store(const char *db)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct store s = { NULL, NULL };

	assert_ok(mlb_db_open(&s.db, db, &err));
	assert_ok(mlb_cas_open(&s.cas, CACHE, s.db, &err));
	return s;
}

static inline void
close_store(struct store *s)
{
	mlb_cas_close(s->cas);
	mlb_db_close(s->db);
}

/* What a build does at its end; false if any of it failed. */
static inline bool
try_commit(struct store *s)
{
	if (mlb_cas_sync(s->cas, NULL) || mlb_db_begin(s->db, NULL))
		return false;
	if (mlb_cas_index(s->cas, NULL) == 0 && mlb_db_commit(s->db, NULL) == 0)
		return true;
	mlb_db_rollback(s->db);
	return false;
}

static inline void
commit(struct store *s)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_cas_sync(s->cas, &err));
	assert_ok(mlb_db_begin(s->db, &err));
	assert_ok(mlb_cas_index(s->cas, &err));
	assert_ok(mlb_db_commit(s->db, &err));
}

static inline struct mlb_digest
put(struct store *s, const char *data, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d;

	assert_ok(mlb_cas_put(s->cas, &d, data, len, &err));
	return d;
}

static inline struct mlb_digest
put_text(struct store *s, const char *text)
{
	return put(s, text, strlen(text));
}

static inline void
expect_data(struct store *s, const struct mlb_digest *d, const char *data, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(MLB_GIB);

	assert_true(mlb_cas_has(s->cas, d));
	assert_ok(mlb_cas_read(s->cas, &got, d, &err));
	assert_int_equal(got.len, len);
	assert_memory_equal(mlb_buf_str(&got), data, len);
	mlb_buf_release(&got);
}

static inline void
expect_text(struct store *s, const struct mlb_digest *d, const char *text)
{
	expect_data(s, d, text, strlen(text));
}

static inline void
expect_absent(struct store *s, const struct mlb_digest *d)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(MLB_GIB);

	assert_false(mlb_cas_has(s->cas, d));
	assert_err(mlb_cas_read(s->cas, &got, d, &err), MLB_ENOTFOUND, "is not in");
	assert_err(mlb_cas_link(s->cas, d, "nowhere", false, MLB_LINK_COPY, &err), MLB_ENOTFOUND, "is not in");
	assert_false(mlb_fs_exists("nowhere"));
	mlb_buf_release(&got);
}

/* Bytes that differ for each seed. Owned by the caller. */
static inline char *
noise(size_t len, uint64_t seed)
{
	char *data = mlb_alloc(len + 8);

	for (size_t i = 0; i < len; i += 8) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(data + i, &seed, 8);
	}
	return data;
}

/* The first file in a directory of the cache whose name begins so, "" if there is none. */
static inline void
find_file(char out[512], const char *dir, const char *prefix)
{
	struct mlb_dirents list = MLB_VEC_INIT;

	out[0] = '\0';
	if (mlb_fs_list(&list, dir, NULL) == 0)
		for (size_t i = 0; i < list.n && !out[0]; i++)
			if (strncmp(list.v[i].name, prefix, strlen(prefix)) == 0)
				snprintf(out, 512, "%s/%s", dir, list.v[i].name);
	mlb_dirents_release(&list);
}

/* Change one byte of a file. */
static inline void
flip(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	int c;

	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	fputc(c ^ 0x10, f);
	assert_int_equal(fclose(f), 0);
}

/* The text, or nothing at all. */
static inline void
read_never_gives_wrong_bytes(struct store *s, const struct mlb_digest *d, const char *text)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_GIB);
	struct mlb_err err = MLB_ERR_INIT;
	int rc = mlb_cas_read(s->cas, &got, d, &err);

	if (rc == 0) {
		assert_string_equal(mlb_buf_str(&got), text);
	} else {
		assert_true(rc == MLB_ECORRUPT || rc == MLB_ENOTFOUND);
		assert_int_equal(got.len, 0);
		mlb_err_release(&err);
		assert_true(mlb_cas_link(s->cas, d, "linked", false, MLB_LINK_COPY, &err) != 0);
		assert_false(mlb_fs_exists("linked"));
		assert_false(mlb_cas_has(s->cas, d));
	}
	mlb_err_release(&err);
	mlb_buf_release(&got);
}

/* Where a large object rests. Owned by the caller. */
static inline char *
loose_path(const struct mlb_digest *d)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, d);
	return mlb_asprintf(CACHE "/objects/%.2s/%s", hex, hex + 2);
}

static inline void
write_file(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

/* Some thousand small objects, enough for two packs to be sealed. */
static inline void
put_many(struct store *s, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		char *data = noise(100000, i);

		put(s, data, 100000);
		free(data);
	}
}

static inline void
expect_many(struct store *s, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		char *data = noise(100000, i);
		struct mlb_digest d;

		mlb_sha256_of(&d, data, 100000);
		expect_data(s, &d, data, 100000);
		free(data);
	}
}

#endif
