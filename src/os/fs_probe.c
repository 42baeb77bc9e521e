/* What kind of file system is this? */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/strmap.h"
#include "os/fs.h"
#include "os/fs_priv.h"
#include "os/path.h"

/* From linux/magic.h and statfs(2); spelled out because headers lack some of them. */
static const uint32_t network_magic[] = {
	0x6969,     /* NFS */
	0x517b,     /* SMB */
	0xfe534d42, /* SMB 2 and 3 */
	0xff534d42, /* CIFS */
	0x65735546, /* FUSE: sshfs, s3fs, gcsfuse, ... */
	0x01021997, /* 9P */
	0x00c36400, /* Ceph */
	0x0bd00bd0, /* Lustre */
	0x47504653, /* GPFS */
	0x19830326, /* BeeGFS */
	0x5346414f, /* AFS */
	0x6b414653, /* kAFS */
	0x73757245, /* Coda */
	0xaad7aaea, /* PanFS */
	0x7461636f, /* OCFS2 */
	0x01161970, /* GFS2 */
};

bool
mlb_fs_is_network(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) != 0)
		return false;
	for (size_t i = 0; i < MLB_ARRAY_LEN(network_magic); i++)
		if ((uint32_t)fs.f_type == network_magic[i])
			return true;
	return false;
}

/* File systems that fold names only in directories that are marked for it. */
static const uint32_t exact_magic[] = {
	0xef53,     /* ext2, ext3, ext4 */
	0x01021994, /* tmpfs */
	0xf2f52010, /* F2FS */
	0x9123683e, /* Btrfs */
};

#define CASEFOLD 0x40000000 /* FS_CASEFOLD_FL of linux/fs.h, which old headers lack */

/* Can it be told without making a file? */
static bool
is_exact(const char *dir)
{
	int flags = 0, fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;
	bool exact = false, known = fd >= 0 && fstatfs(fd, &fs) == 0;

	for (size_t i = 0; i < MLB_ARRAY_LEN(exact_magic) && known; i++)
		exact |= (uint32_t)fs.f_type == exact_magic[i];
	/* Where there are no such flags nothing is marked. */
	if (exact && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0)
		exact = !(flags & CASEFOLD);
	if (fd >= 0)
		close(fd);
	return exact;
}

bool
mlb_fs_is_case_folding(const char *dir)
{
	struct mlb_buf path = MLB_BUF_INIT(64 * MLB_KIB);
	bool folding = false;
	char *m;
	int fd;

	if (is_exact(dir) || mlb_temp_name(&path, dir, ".mlbuild-", NULL) != 0)
		goto out;
	fd = open(mlb_buf_str(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		goto out;
	close(fd);
	m = path.data + path.len - 16 - 8; /* the "m" of ".mlbuild-" and 16 digits */
	*m = 'M';
	folding = mlb_fs_exists(path.data);
	*m = 'm';
	unlink(path.data);
out:
	mlb_buf_release(&path);
	return folding;
}

/* A file without a name where possible: it does not change the directory's times. */
static int
open_nameless(const char *dir)
{
	struct mlb_buf path = MLB_BUF_INIT(64 * MLB_KIB);
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0 && mlb_temp_name(&path, dir, ".mlbuild-", NULL) == 0) {
		fd = open(mlb_buf_str(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlink(mlb_buf_str(&path));
	}
	mlb_buf_release(&path);
	return fd;
}

int
mlb_fs_clock(int64_t *out, const char *dir, struct mlb_err *err)
{
	int fd = open_nameless(dir);
	struct stat st;
	int rc = MLB_OK;

	if (fd < 0)
		return mlb_err_errno(err, errno, "cannot make a file in '%s'", dir);
	if (fstat(fd, &st) == 0)
		*out = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	else
		rc = mlb_err_errno(err, errno, "cannot examine a file in '%s'", dir);
	close(fd);
	return rc;
}

int
mlb_fs_errno_beside(const char *path)
{
	struct mlb_buf dir = MLB_BUF_INIT(64 * MLB_KIB);
	int fd, e;

	mlb_path_dir(&dir, path);
	fd = open_nameless(mlb_buf_str(&dir));
	e = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	mlb_buf_release(&dir);
	return e;
}

/* 0: it has none, as on NFS. */
static uint64_t
fs_id(const char *path)
{
	struct statfs fs;
	uint64_t id = 0;

	if (statfs(path, &fs) == 0)
		memcpy(&id, &fs.f_fsid, MLB_MIN(sizeof(id), sizeof(fs.f_fsid)));
	return id;
}

uint64_t
mlb_fs_whereabouts(const char *path)
{
	struct mlb_buf dir = MLB_BUF_INIT(64 * MLB_KIB);
	uint64_t what[3] = { 0 }, out = 0;
	struct mlb_stat st;

	mlb_path_dir(&dir, path);
	what[0] = fs_id(mlb_buf_str(&dir));
	what[1] = mlb_fs_exists(path) ? fs_id(path) : what[0];
	if (what[0] && what[1] && mlb_fs_stat(&st, mlb_buf_str(&dir), NULL) == 0 &&
	    st.type == MLB_F_DIR) {
		what[2] = st.ino;
		out = mlb_hash64(what, sizeof(what), 0) | 1;
	}
	mlb_buf_release(&dir);
	return out;
}
