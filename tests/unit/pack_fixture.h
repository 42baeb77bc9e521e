/* Making packs and going through them, for their tests. */
#ifndef TESTS_UNIT_PACK_FIXTURE_H
#define TESTS_UNIT_PACK_FIXTURE_H

#include "unit.h"

#include <fcntl.h>

#include "base/vec.h"
#include "os/fs.h"
#include "store/pack.h"
#include "store/pack_format.h"

/* Blobs by content, and what a pass over a pack found. */
struct found {
	MLB_VEC(struct mlb_blob) blob;
};

static inline int
collect(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	struct found *f = ctx;

	(void)err;
	mlb_vec_push(&f->blob, *b);
	return 0;
}

static inline struct mlb_blob
append(struct mlb_pack_writer *w, const char *text, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d;
	struct mlb_blob b;

	mlb_sha256_of(&d, text, len);
	assert_ok(mlb_pack_append(w, &b, MLB_BLOB_OBJECT, &d, text, len, &err));
	assert_true(mlb_digest_equal(&b.digest, &d));
	assert_int_equal(b.size, len);
	return b;
}

static inline struct mlb_pack_writer *
open_writer(void)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_pack_writer *w = NULL;

	assert_ok(mlb_pack_writer_open(&w, ".", &err));
	return w;
}

static inline char *
slurp(const char *path, size_t *len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf b = MLB_BUF_INIT(MLB_GIB);

	assert_ok(mlb_fs_read(&b, path, &err));
	*len = b.len;
	return mlb_buf_detach(&b);
}

static inline void
spit(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

/* The bytes of a small pack with these texts; the name it has; sealed or open. */
static inline char *
make_pack(const char *const *text, size_t n, bool seal, char name[100], size_t *len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf sealed = MLB_BUF_INIT(200);
	struct mlb_pack_writer *w = open_writer();
	char *data;

	for (size_t i = 0; i < n; i++)
		append(w, text[i], strlen(text[i]));
	if (seal)
		assert_ok(mlb_pack_seal(w, &sealed, &err));
	else
		assert_ok(mlb_pack_sync(w, &err));
	snprintf(name, 100, "%s", mlb_pack_writer_name(w));
	if (seal)
		assert_string_equal(name, mlb_buf_str(&sealed));
	mlb_pack_writer_close(w);
	mlb_buf_release(&sealed);
	data = slurp(name, len);
	return data;
}

static inline void
expect_content(const char *path, const struct mlb_blob *b, const char *text, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);

	mlb_buf_adds(&got, "before ");
	assert_ok(mlb_pack_read(&got, path, b->offset, &b->digest, &err));
	assert_int_equal(got.len, len + 7);
	assert_memory_equal(got.data + 7, text, len);
	mlb_buf_release(&got);
}

#endif
