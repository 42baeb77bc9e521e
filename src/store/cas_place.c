/*
 * Objects as files in the workspace.  They are written beside their place and
 * renamed, never synced: what is lost can be placed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/path.h"
#include "store/cas_priv.h"
#include "store/scan_walk.h"

#define HARD_MIN MLB_MIB /* smaller objects are never shared by hard link */

/* What is being made: a file under its own name, or a temporary one. */
struct making {
	struct mlb_cas *cas;
	const struct mlb_spot *spot;
	const struct mlb_digest *digest;
	const char *name;
	int fd; /* -1: it was linked */
};

static void
drop(struct making *m)
{
	if (m->fd < 0)
		return;
	m->cas->io->close(m->cas->io, m->fd);
	m->cas->io->unlinkat(m->cas->io, m->spot->dir, m->name, 0);
	m->fd = -1;
}

static int
create(struct making *m, struct mlb_err *err)
{
	m->fd = m->cas->io->openat(m->cas->io, m->spot->dir, m->name,
				   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
				   m->spot->exec ? 0777 : 0666);
	return m->fd < 0 ? mlb_err_errno(err, errno, "cannot write '%s'", m->spot->path) : 0;
}

static int
make_packed(struct making *m, const struct mlb_entry *e, struct mlb_err *err)
{
	struct mlb_buf data = MLB_BUF_INIT(MLB_GIB);
	int error, rc = mlb_cas_read_packed(m->cas, &data, e, err);

	if (rc == 0)
		rc = create(m, err);
	if (rc == 0) {
		error = mlb_io_write_all(m->cas->io, m->fd, mlb_buf_str(&data), data.len);
		if (error)
			rc = mlb_err_errno(err, error, "cannot write '%s'", m->spot->path);
	}
	mlb_buf_release(&data);
	return rc;
}

/* What is copied is hashed on the way; a reflink of a file whose stat is the recorded one need not be. */
static int
make_copy(struct making *m, const char *path, const struct mlb_stat *st, bool trusted,
	  struct mlb_err *err)
{
	struct mlb_digest now;
	bool cloned = false;
	int rc = create(m, err);

	if (rc == 0)
		rc = mlb_io_copy_into(m->cas->io, m->fd, m->spot->path, path,
				      m->spot->how != MLB_LINK_BYTES, &cloned, &now, err);
	if (rc == 0 && cloned && !trusted)
		rc = mlb_fs_hash_open(&now, m->fd, m->spot->path, err);
	if (rc || (cloned && trusted))
		return rc;
	if (!mlb_digest_equal(&now, m->digest))
		return mlb_loose_quarantine(m->cas, m->digest, err);
	if (!trusted)
		mlb_loose_record(m->cas, m->digest, st);
	return 0;
}

/* Where the object's file is now; again if it was renamed meanwhile. */
static int
make_loose(void *ctx, const char *path, struct mlb_err *err)
{
	struct making *m = ctx;
	struct mlb_stat st;
	bool trusted;
	int rc = mlb_fs_lstat(&st, path, err);

	drop(m);
	if (rc == 0 && st.type != MLB_F_FILE)
		rc = mlb_cas_absent(m->cas, m->digest, err);
	if (rc)
		return rc;
	trusted = mlb_loose_trusted(m->cas, m->digest, &st);
	/* root writes to files that are read-only: for it a hard link protects nothing. */
	if (m->spot->how == MLB_LINK_HARD && !m->spot->exec && st.size >= HARD_MIN &&
	    geteuid() != 0) {
		if (!trusted)
			rc = mlb_loose_verify(m->cas, m->digest, err);
		/* Too many links, another file system, none at all: a copy will do. */
		if (rc ||
		    m->cas->io->linkat(m->cas->io, AT_FDCWD, path, m->spot->dir, m->name) == 0)
			return rc;
	}
	return make_copy(m, path, &st, trusted, err);
}

/* What the file is now; writing is over, so its times stay. */
static int
finish(struct making *m, struct mlb_stat *st, struct mlb_err *err)
{
	struct mlb_stat none;
	int e;

	if (!st)
		st = &none;
	e = m->fd >= 0 ? mlb_stat_fd(st, m->fd) : mlb_stat_at(st, m->spot->dir, m->name, false);
	if (m->fd >= 0 && m->cas->io->close(m->cas->io, m->fd) != 0 && !e)
		e = errno;
	m->fd = -1;
	return e ? mlb_err_errno(err, e, "cannot write '%s'", m->spot->path) : 0;
}

static int
make(struct making *m, struct mlb_stat *st, struct mlb_err *err)
{
	struct mlb_entry e;
	bool is_packed;
	int rc = mlb_cas_begin_read(m->cas, &e, &is_packed, m->digest, err);

	if (rc)
		return rc;
	rc = is_packed ? make_packed(m, &e, err)
		       : mlb_loose_with(m->cas, m->digest, make_loose, m, err);
	if (rc == 0)
		return finish(m, st, err);
	drop(m);
	return rc;
}

int
mlb_cas_place(struct mlb_cas *cas, const struct mlb_digest *digest, const struct mlb_spot *spot,
	      struct mlb_stat *st, struct mlb_err *err)
{
	char *tmp = spot->fresh ? NULL : mlb_cas_temp(cas, ".mlbuild-");
	struct making m = { cas, spot, digest, tmp ? tmp : spot->name, -1 };
	int rc = make(&m, st, err);

	if (rc == 0 && tmp && cas->io->renameat(cas->io, spot->dir, tmp, spot->dir, spot->name) != 0)
		rc = mlb_err_errno(err, errno, "cannot write '%s'", spot->path);
	/* Renaming changes the ctime. */
	if (rc == 0 && tmp && st)
		rc = mlb_stat_at(st, spot->dir, spot->name, false);
	/* Also after success: renaming a hard link onto another one of the same file does nothing. */
	if (tmp)
		cas->io->unlinkat(cas->io, spot->dir, tmp, 0);
	else if (rc)
		cas->io->unlinkat(cas->io, spot->dir, spot->name, 0);
	free(tmp);
	return rc;
}

int
mlb_cas_link(struct mlb_cas *cas, const struct mlb_digest *digest, const char *to, bool exec,
	     enum mlb_link how, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(64 * MLB_KIB);
	struct mlb_spot spot = { .path = to, .exec = exec, .how = how };
	int rc = 0;

	mlb_path_dir(&dir, to);
	spot.name = mlb_path_base(to);
	spot.dir = open(mlb_buf_str(&dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (spot.dir < 0)
		rc = mlb_err_errno(err, errno, "cannot write '%s'", to);
	if (rc == 0)
		rc = mlb_cas_place(cas, digest, &spot, NULL, err);
	if (spot.dir >= 0)
		close(spot.dir);
	mlb_buf_release(&dir);
	return rc;
}
