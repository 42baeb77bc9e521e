#include "store/repack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/fs.h"
#include "store/pack_format.h"

void
mlb_repack_init(struct mlb_repack *r, const struct mlb_inventory *inv, bool records)
{
	memset(r, 0, sizeof(*r));
	r->inv = inv;
	r->dir = mlb_asprintf("%s/%s", inv->dir, records ? "actions" : "packs");
	r->type = records ? MLB_BLOB_RESULT : MLB_BLOB_OBJECT;
	r->fd = -1;
}

void
mlb_repack_release(struct mlb_repack *r)
{
	mlb_pack_writer_close(r->writer);
	if (r->fd >= 0)
		close(r->fd);
	free(r->dir);
	memset(r, 0, sizeof(*r));
	r->fd = -1;
}

static int
open_source(struct mlb_repack *r, uint32_t file, struct mlb_err *err)
{
	char *path;

	if (r->fd >= 0 && r->file == file)
		return 0;
	if (r->fd >= 0)
		close(r->fd);
	path = mlb_asprintf("%s/%s", r->inv->dir, r->inv->file.v[file].path);
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	r->file = file;
	if (r->fd < 0)
		mlb_err_errno(err, errno, "cannot read '%s'", path);
	free(path);
	return r->fd < 0 ? MLB_ESYSTEM : 0;
}

/* A full one is sealed, which syncs it, and the next begun. */
static int
ensure_writer(struct mlb_repack *r, struct mlb_err *err)
{
	struct mlb_buf name = MLB_BUF_INIT(MLB_KIB);
	int rc = 0;

	if (r->writer && mlb_pack_writer_size(r->writer) >= MLB_PACK_FULL) {
		rc = mlb_pack_seal(r->writer, &name, err);
		mlb_pack_writer_close(r->writer);
		r->writer = NULL;
	}
	if (rc == 0 && !r->writer)
		rc = mlb_pack_writer_open(&r->writer, r->dir, err);
	mlb_buf_release(&name);
	return rc;
}

static int
append(struct mlb_repack *r, const struct mlb_digest *digest, const void *data, size_t len,
       struct mlb_err *err)
{
	struct mlb_blob blob;
	int rc = ensure_writer(r, err);

	if (rc == 0)
		rc = mlb_pack_append(r->writer, &blob, r->type, digest, data, len, err);
	if (rc == 0) {
		r->blobs++;
		r->bytes += MLB_BLOB_HEAD + len;
	}
	return rc;
}

int
mlb_repack_add(struct mlb_repack *r, const void *data, size_t len, struct mlb_err *err)
{
	struct mlb_digest digest;

	mlb_sha256_of(&digest, data, len);
	return append(r, &digest, data, len, err);
}

int
mlb_repack_copy(struct mlb_repack *r, const struct mlb_inv_object *o, struct mlb_err *err)
{
	struct mlb_buf data = MLB_BUF_INIT(MLB_BLOB_MAX + 1);
	int rc = open_source(r, o->file, err);

	if (rc == 0)
		rc = mlb_pack_read_fd(&data, r->fd, r->inv->file.v[o->file].path, o->offset,
				      &o->digest, err);
	if (rc == 0)
		rc = append(r, &o->digest, mlb_buf_str(&data), data.len, err);
	mlb_buf_release(&data);
	return rc;
}

int
mlb_repack_finish(struct mlb_repack *r, struct mlb_err *err)
{
	int rc = 0;

	if (!r->writer)
		return 0;
	rc = mlb_pack_sync(r->writer, err);
	mlb_pack_writer_close(r->writer);
	r->writer = NULL;
	return rc ? rc : mlb_fs_sync_dir(r->dir, err);
}
