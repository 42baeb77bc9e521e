#include "os/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Drop the last component; false if there is none. start is where the first may begin. */
static bool
pop(struct mlb_buf *out, size_t start)
{
	size_t i = out->len;

	if (i == start)
		return false;
	while (i > start && out->data[i - 1] != '/')
		i--;
	mlb_buf_truncate(out, i > start ? i - 1 : start);
	return true;
}

/* Append the components of path to out, which holds `start` bytes that ".." may not touch. */
static bool
add_components(struct mlb_buf *out, size_t start, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			if (!pop(out, start))
				return false;
		} else if (n && !(n == 1 && path[0] == '.')) {
			if (out->len > start)
				mlb_buf_addc(out, '/');
			mlb_buf_add(out, path, n);
		}
		path += n;
		path += strspn(path, "/");
	}
	return true;
}

int
mlb_path_normalize(struct mlb_buf *out, const char *path, struct mlb_err *err)
{
	mlb_buf_clear(out);
	if (!*path)
		return mlb_err_set(err, MLB_EINVALID, "a path is empty");
	if (*path == '/')
		return mlb_err_set(err, MLB_EINVALID, "path '%s' is absolute, it must be relative",
				   path);
	if (!add_components(out, 0, path))
		return mlb_err_set(err, MLB_EINVALID, "path '%s' leaves its directory by '..'",
				   path);
	if (!out->len)
		mlb_buf_addc(out, '.');
	return mlb_buf_check(out, "a path", err);
}

void
mlb_path_join(struct mlb_buf *out, const char *dir, const char *rel)
{
	bool here = !*dir || strcmp(dir, ".") == 0;

	mlb_buf_clear(out);
	if (*rel == '/' || here) {
		mlb_buf_adds(out, *rel ? rel : ".");
		return;
	}
	mlb_buf_adds(out, dir);
	if (!*rel || strcmp(rel, ".") == 0)
		return;
	if (out->len && out->data[out->len - 1] != '/')
		mlb_buf_addc(out, '/');
	mlb_buf_adds(out, rel);
}

int
mlb_path_absolute(struct mlb_buf *out, const char *path, struct mlb_err *err)
{
	char *cwd = NULL;

	mlb_buf_clear(out);
	mlb_buf_addc(out, '/');
	if (*path != '/') {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return mlb_err_errno(err, errno, "cannot tell the current directory");
		add_components(out, 1, cwd);
	}
	/* "/.." is "/": go on behind a ".." that finds nothing to drop. */
	while (!add_components(out, 1, path)) {
		mlb_buf_truncate(out, 1);
		path = strstr(path, "..") + 2;
	}
	free(cwd);
	return mlb_buf_check(out, "a path", err);
}

const char *
mlb_path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void
mlb_path_dir(struct mlb_buf *out, const char *path)
{
	const char *slash = strrchr(path, '/');

	mlb_buf_clear(out);
	if (!slash)
		mlb_buf_addc(out, '.');
	else if (slash == path)
		mlb_buf_addc(out, '/');
	else
		mlb_buf_add(out, path, (size_t)(slash - path));
}

void
mlb_path_stem(struct mlb_buf *out, const char *path)
{
	const char *base = mlb_path_base(path);
	const char *dot = strrchr(base, '.');

	mlb_buf_clear(out);
	/* A leading dot begins a name, not an extension. */
	if (dot && dot != base)
		mlb_buf_add(out, base, (size_t)(dot - base));
	else
		mlb_buf_adds(out, base);
}

bool
mlb_path_inside(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (strcmp(dir, ".") == 0)
		return *path != '/';
	if (strcmp(dir, "/") == 0)
		return *path == '/';
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

void
mlb_path_relative(struct mlb_buf *out, const char *path, const char *dir)
{
	size_t common = 0, i = 0;

	mlb_buf_clear(out);
	if (strcmp(path, ".") == 0)
		path = "";
	if (strcmp(dir, ".") == 0)
		dir = "";
	/* common: length of the leading components that both have, with their slash. */
	for (; path[i] && path[i] == dir[i]; i++)
		if (path[i] == '/')
			common = i + 1;
	if ((!path[i] && (!dir[i] || dir[i] == '/')) || (!dir[i] && path[i] == '/'))
		common = i;
	path += common;
	dir += common;
	path += *path == '/';
	dir += *dir == '/';
	for (const char *d = dir; *d;) {
		mlb_buf_adds(out, "../");
		d += strcspn(d, "/");
		d += *d == '/';
	}
	mlb_buf_adds(out, path);
	if (!out->len)
		mlb_buf_addc(out, '.');
	else if (out->data[out->len - 1] == '/')
		mlb_buf_truncate(out, out->len - 1);
}
