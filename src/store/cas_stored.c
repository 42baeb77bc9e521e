/* Objects in the form in which they rest, for whoever moves them to and from remotes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "store/cas_priv.h"
#include "store/cas_stored.h"

bool
mlb_cas_look(struct mlb_cas *cas, struct mlb_cas_where *out, const struct mlb_digest *digest)
{
	struct mlb_entry e;
	struct mlb_stat st;
	bool known;

	if (!mlb_cas_has(cas, digest))
		return false;
	pthread_mutex_lock(&cas->lock);
	known = mlb_cas_locate(cas, &e, digest);
	pthread_mutex_unlock(&cas->lock);
	if (known && e.pack) {
		*out = (struct mlb_cas_where){ true, e.size, e.stored };
		return true;
	}
	if (!mlb_loose_stat(cas, digest, &st))
		return false;
	*out = (struct mlb_cas_where){ false, st.size, st.size };
	return true;
}

int
mlb_cas_copy(struct mlb_cas *cas, struct mlb_buf *out, struct mlb_blob *b,
	     const struct mlb_digest *digest, struct mlb_err *err)
{
	size_t before = out->len;
	struct mlb_entry e;
	bool is_packed;
	int rc = mlb_cas_begin_read(cas, &e, &is_packed, digest, err);

	if (rc)
		return rc;
	if (is_packed) {
		rc = mlb_pack_copy_fd(out, b, e.pack->fd, e.offset, digest, err);
		pthread_mutex_lock(&cas->lock);
		mlb_packs_end_read(&cas->packs, e.pack);
		pthread_mutex_unlock(&cas->lock);
		if (rc == MLB_ECORRUPT)
			mlb_cas_mark_bad(cas, digest);
		return rc;
	}
	rc = mlb_cas_read(cas, out, digest, err);
	if (rc == 0)
		*b = (struct mlb_blob){ .digest = *digest,
					.size = out->len - before,
					.stored = out->len - before,
					.type = MLB_BLOB_OBJECT };
	return rc;
}

struct opening {
	const struct mlb_io *io;
	int fd;
};

static int
open_it(void *ctx, const char *path, struct mlb_err *err)
{
	struct opening *o = ctx;

	o->fd = o->io->open(o->io, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	return o->fd < 0 ? mlb_err_errno(err, errno, "cannot read '%s'", path) : 0;
}

int
mlb_cas_open_large(struct mlb_cas *cas, int *fd, const struct mlb_digest *digest,
		   struct mlb_err *err)
{
	struct opening o = { cas->io, -1 };
	int rc = mlb_loose_exists(cas, digest) ? mlb_loose_with(cas, digest, open_it, &o, err)
					       : mlb_cas_absent(cas, digest, err);

	*fd = o.fd;
	return rc;
}

int
mlb_cas_put_temp(struct mlb_cas *cas, const struct mlb_digest *digest, const char *path,
		 struct mlb_err *err)
{
	return mlb_loose_install(cas, digest, path, err);
}
