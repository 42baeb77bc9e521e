/* Any bytes as a lock file or a table object: what is read is written so that it reads the same. */
#include <stdlib.h>
#include <string.h>

#include "graph/lockfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool yes)
{
	if (!yes)
		abort();
}

static void
check_lock(const char *text, size_t size)
{
	struct mlb_buf once = MLB_BUF_INIT(64 * MLB_MIB), twice = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_lockfile l, again;
	int rc;

	mlb_lockfile_init(&l);
	mlb_lockfile_init(&again);
	rc = mlb_lockfile_parse(&l, text, size, &err);
	require(rc == 0 || (rc == MLB_EINVALID && !strncmp(err.text, "mlbuild.lock:", 13)));
	if (rc == 0) {
		mlb_lockfile_format(&once, &l);
		require(mlb_lockfile_parse(&again, mlb_buf_str(&once), once.len, &err) == 0);
		require(!again.conflict);
		mlb_lockfile_format(&twice, &again);
		require(once.len == twice.len && !memcmp(once.data, twice.data, once.len));
	}
	mlb_buf_release(&once);
	mlb_buf_release(&twice);
	mlb_err_release(&err);
	mlb_lockfile_release(&again);
	mlb_lockfile_release(&l);
}

static void
check_table(const char *text, size_t size)
{
	struct mlb_buf once = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_table_row *row;
	size_t n;
	int rc = mlb_table_parse(&row, &n, &arena, text, size, &err);

	require(rc == 0 || rc == MLB_ECORRUPT);
	if (rc == 0) {
		mlb_table_format(&once, row, n);
		require(mlb_table_parse(&row, &n, &arena, mlb_buf_str(&once), once.len, &err) == 0);
	}
	mlb_err_release(&err);
	mlb_buf_release(&once);
	mlb_arena_release(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_lock((const char *)data, size);
	check_table((const char *)data, size);
	return 0;
}
