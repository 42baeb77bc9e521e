/* Moving files and trees, across file systems too. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs.h"
#include "os/fs_priv.h"
#include "os/path.h"

#define PATH_LIMIT (64 * MLB_KIB)

static int
copy_entries(const char *from, const char *to, struct mlb_err *err)
{
	struct mlb_buf src = MLB_BUF_INIT(PATH_LIMIT), dst = MLB_BUF_INIT(PATH_LIMIT);
	struct mlb_dirents entries = MLB_VEC_INIT;
	int rc = mlb_fs_list(&entries, from, err);

	for (size_t i = 0; !rc && i < entries.n; i++) {
		mlb_path_join(&src, from, entries.v[i].name);
		mlb_path_join(&dst, to, entries.v[i].name);
		rc = mlb_fs_copy_tree(mlb_buf_str(&src), mlb_buf_str(&dst), err);
	}
	mlb_dirents_release(&entries);
	mlb_buf_release(&dst);
	mlb_buf_release(&src);
	return rc;
}

static int
copy_link(const char *from, const char *to, struct mlb_err *err)
{
	struct mlb_buf target = MLB_BUF_INIT(PATH_LIMIT);
	int rc = mlb_fs_readlink(&target, from, err);

	if (!rc && symlink(mlb_buf_str(&target), to) != 0)
		rc = mlb_err_errno(err, errno, "cannot make link '%s'", to);
	mlb_buf_release(&target);
	return rc;
}

/* Contents, permissions and times, so that what is moved back looks as it did. */
int
mlb_fs_copy_tree(const char *from, const char *to, struct mlb_err *err)
{
	struct timespec times[2];
	struct stat st;
	int rc;

	if (lstat(from, &st) != 0)
		return mlb_err_errno(err, errno, "cannot examine '%s'", from);
	if (S_ISREG(st.st_mode)) {
		rc = mlb_fs_copy(from, to, st.st_mode & 07777, NULL, NULL, err);
	} else if (S_ISLNK(st.st_mode)) {
		rc = copy_link(from, to, err);
	} else if (S_ISDIR(st.st_mode)) {
		if (mkdir(to, 0700) != 0)
			return mlb_err_errno(err, errno, "cannot make directory '%s'", to);
		rc = copy_entries(from, to, err);
		if (!rc && chmod(to, st.st_mode & 07777) != 0)
			rc = mlb_err_errno(err, errno, "cannot set the permissions of '%s'", to);
	} else {
		return mlb_err_set(err, MLB_EINVALID,
				   "cannot copy '%s': it is no file, directory or link", from);
	}
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (!rc && utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW) != 0)
		rc = mlb_err_errno(err, errno, "cannot set the times of '%s'", to);
	return rc;
}

int
mlb_fs_move(const char *from, const char *to, struct mlb_err *err)
{
	int rc;

	if (rename(from, to) == 0)
		return MLB_OK;
	if (errno != EXDEV)
		return mlb_err_errno(err, errno, "cannot move '%s' to '%s'", from, to);
	/* What is in the way of a file goes as rename would have it; a directory is not replaced. */
	rc = mlb_fs_unlink(to, err);
	if (rc)
		return rc;
	rc = mlb_fs_copy_tree(from, to, err);
	/* The original goes only after the copy is complete. */
	if (rc)
		mlb_fs_remove_tree(to, NULL);
	else
		rc = mlb_fs_remove_tree(from, err);
	return rc;
}
