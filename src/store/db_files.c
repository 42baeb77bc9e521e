#include "store/db_files.h"

#include <string.h>

#include "base/alloc.h"
#include "os/fs.h"

/* The journals first: one that stayed behind would be played into the new database. */
int
mlb_db_files_aside(const char *path, struct mlb_err *err)
{
	static const char *const suffix[] = { "-wal", "-shm", "-journal", "" };
	struct mlb_buf from = MLB_BUF_INIT(64 * MLB_KIB), to = MLB_BUF_INIT(64 * MLB_KIB);
	int rc = 0;

	for (size_t i = 0; i < MLB_ARRAY_LEN(suffix) && rc == 0; i++) {
		mlb_buf_clear(&from);
		mlb_buf_clear(&to);
		mlb_buf_addf(&from, "%s%s", path, suffix[i]);
		mlb_buf_addf(&to, "%s.broken%s", path, suffix[i]);
		if (mlb_fs_exists(mlb_buf_str(&from)))
			rc = mlb_fs_rename(mlb_buf_str(&from), mlb_buf_str(&to), err);
		else
			mlb_fs_unlink(mlb_buf_str(&to), NULL);
	}
	mlb_buf_release(&from);
	mlb_buf_release(&to);
	return rc;
}

char *
mlb_db_immutable_uri(const char *path)
{
	struct mlb_buf uri = MLB_BUF_INIT(256 * MLB_KIB);
	char *text;

	mlb_buf_adds(&uri, "file:");
	for (; *path; path++)
		mlb_buf_addf(&uri, strchr("%?#", *path) ? "%%%02x" : "%c", (unsigned char)*path);
	mlb_buf_adds(&uri, "?immutable=1");
	text = mlb_buf_detach(&uri);
	return text;
}
