/*
 * Any bytes as an open and as a sealed pack: what is found by scanning is right,
 * what the index says is right or refused, and a pack can always be continued.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/pack.h"
#include "store/pack_format.h"

#define OPEN "open-0123456789abcdef.pack"
#define SEALED "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.pack"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pass {
	const char *path;
	bool must_be_right;
	unsigned n;
};

static int
check(void *ctx, const struct mlb_blob *b, struct mlb_err *err)
{
	struct pass *p = ctx;
	struct mlb_buf content = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_digest d;
	int rc = mlb_pack_read(&content, p->path, b->offset, &b->digest, NULL);

	(void)err;
	if (rc == 0) {
		mlb_sha256_of(&d, mlb_buf_str(&content), content.len);
		if (!mlb_digest_equal(&d, &b->digest))
			abort();
		p->n++;
	} else if (p->must_be_right || content.len) {
		abort();
	}
	mlb_buf_release(&content);
	return 0;
}

static void
write_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0)
		abort();
}

/* Continue it: nothing that was found goes, and what is appended is there. */
static void
go_on(const char *dir, const char *path, unsigned n)
{
	struct pass after = { path, true, 0 };
	struct mlb_pack_writer *w;
	struct mlb_digest d;
	struct mlb_blob b;

	if (mlb_pack_writer_take(&w, dir, OPEN, NULL) != 0)
		return; /* its header is not ours */
	mlb_sha256_of(&d, "more", 4);
	if (mlb_pack_append(w, &b, MLB_BLOB_OBJECT, &d, "more", 4, NULL) != 0 ||
	    mlb_pack_flush(w, NULL) != 0)
		abort();
	mlb_pack_writer_close(w);
	if (mlb_pack_each(path, 0, check, &after, NULL) != 0 || after.n != n + 1)
		abort();
}

/* What the header at data should say of its content; one that is compressed may be damaged. */
static void
content_digest(struct mlb_digest *out, const uint8_t *data, size_t stored)
{
	struct mlb_blob b = { .type = data[4], .codec = data[5], .stored = stored };
	char *plain;

	for (int i = 3; i >= 0; i--)
		b.size = b.size << 8 | data[8 + i];
	if (b.codec == MLB_CODEC_ZSTD && mlb_blob_known(&b)) {
		plain = mlb_alloc((size_t)b.size);
		if (mlb_blob_unpack(plain, &b, data + MLB_BLOB_HEAD)) {
			mlb_sha256_of(out, plain, (size_t)b.size);
			free(plain);
			return;
		}
		free(plain);
	}
	mlb_sha256_of(out, data + MLB_BLOB_HEAD, stored);
}

/* Make the hashes right, which no mutation would ever guess. Bytes 16..31 of a trailer stay as they are. */
static void
repair(uint8_t *data, size_t size)
{
	static const uint8_t magic[4] = { 0x89, 'm', 'B', 0x1a };
	struct mlb_digest d;
	uint64_t at = 0;

	if (size < MLB_PACK_HEAD)
		return;
	mlb_pack_head_write(data);
	for (size_t i = MLB_PACK_HEAD; i + MLB_BLOB_HEAD <= size; i++) {
		size_t stored = data[i + 12] | (size_t)data[i + 13] << 8;

		if (memcmp(data + i, magic, 4) != 0)
			continue;
		if (stored <= size - i - MLB_BLOB_HEAD) {
			content_digest(&d, data + i, stored);
			memcpy(data + i + 16, d.b, sizeof(d.b));
		}
		mlb_sha256_of(&d, data + i, 48);
		memcpy(data + i + 48, d.b, 4);
	}
	if (size < MLB_PACK_HEAD + MLB_PACK_TAIL)
		return;
	for (int i = 7; i >= 0; i--)
		at = at << 8 | data[size - 48 + (size_t)i];
	if (at <= size - 32) {
		mlb_sha256_of(&d, data + at, size - 32 - (size_t)at);
		memcpy(data + size - 32, d.b, sizeof(d.b));
	}
}

static void
try_bytes(const uint8_t *data, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = mlb_asprintf("%s/mlbuild-fuzz.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	char *open_path, *sealed_path;
	struct pass scanned, indexed;

	if (!mkdtemp(dir))
		abort();
	open_path = mlb_asprintf("%s/%s", dir, OPEN);
	sealed_path = mlb_asprintf("%s/%s", dir, SEALED);
	scanned = (struct pass){ open_path, true, 0 };
	indexed = (struct pass){ sealed_path, false, 0 };
	write_file(open_path, data, size);
	write_file(sealed_path, data, size);
	mlb_pack_each(sealed_path, 0, check, &indexed, NULL);
	if (mlb_pack_each(open_path, 0, check, &scanned, NULL) == 0)
		go_on(dir, open_path, scanned.n);
	unlink(open_path);
	unlink(sealed_path);
	rmdir(dir);
	free(open_path);
	free(sealed_path);
	free(dir);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = mlb_alloc(size + 1);

	try_bytes(data, size);
	memcpy(copy, data, size);
	repair(copy, size);
	try_bytes(copy, size);
	free(copy);
	return 0;
}
