#include "store/left_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "store/scan_walk.h"

#define FILE_MAX (16 * MLB_MIB)

/* ------------------------------------------------------------ asking */

/* MLB_LEFT_OUT_DEFAULTS by hand: every name of every source is asked about. */
static bool
by_default(const char *name, bool is_dir)
{
	size_t len;

	if (is_dir && (strcmp(name, "__pycache__") == 0 || strcmp(name, ".ipynb_checkpoints") == 0))
		return true;
	len = strlen(name);
	return strcmp(name, ".DS_Store") == 0 ||
	       (len >= 4 && memcmp(name + len - 4, ".pyc", 4) == 0);
}

bool
mlb_left_out_by(const struct mlb_left_out *rules, const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (!is_dir && strcmp(name, MLB_LEFT_OUT_FILE) == 0)
		return true;
	for (; rules; rules = rules->up) {
		enum mlb_ignore_answer a =
			mlb_ignore_match(&rules->list, path + rules->skip, is_dir);

		if (a != MLB_IGNORE_SILENT)
			return a == MLB_IGNORE_OUT;
	}
	return by_default(name, is_dir);
}

bool
mlb_left_out(struct mlb_left_outs *l, const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/');
	char *dir = mlb_strndup(path, slash ? (size_t)(slash - path) : 0);
	bool yes = mlb_left_out_by(mlb_left_outs_in(l, dir), path, is_dir);

	free(dir);
	return yes;
}

/* ------------------------------------------------------------ reading */

static int
read_all(struct mlb_buf *text, int fd)
{
	char block[16 * MLB_KIB];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		mlb_buf_add(text, block, (size_t)n);
	}
	return 0;
}

/* 0 or errno; a directory or anything else of this name holds no rules. */
static int
read_file(struct mlb_buf *text, int dir)
{
	int fd = openat(dir, MLB_LEFT_OUT_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int e = 0;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0)
		e = errno;
	else if (!S_ISREG(st.st_mode))
		e = ENOENT;
	else
		e = read_all(text, fd);
	close(fd);
	return e;
}

int
mlb_left_out_read(struct mlb_left_out **out, int fd, const char *path,
		  const struct mlb_left_out *up, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_MAX);
	int e = read_file(&text, fd);
	int rc = mlb_buf_check(&text, "the file " MLB_LEFT_OUT_FILE, err);

	*out = NULL;
	if (rc == 0 && e && e != ENOENT)
		rc = mlb_err_errno(err, e, "cannot read '%s%s'", path, MLB_LEFT_OUT_FILE);
	if (rc == 0 && !e) {
		*out = mlb_calloc(1, sizeof(**out));
		(*out)->skip = strlen(path);
		(*out)->up = up;
		mlb_ignore_parse(&(*out)->list, mlb_buf_str(&text), text.len);
	}
	mlb_buf_release(&text);
	return rc;
}

void
mlb_left_out_free(struct mlb_left_out *rules)
{
	if (!rules)
		return;
	mlb_ignore_release(&rules->list);
	free(rules);
}

/* ------------------------------------------------------------ by directory */

void
mlb_left_outs_init(struct mlb_left_outs *l, int root)
{
	*l = (struct mlb_left_outs){ .root = root };
}

void
mlb_left_outs_release(struct mlb_left_outs *l)
{
	for (uint32_t i = 0; i < l->dir.n; i++)
		free((void *)(uintptr_t)l->dir.entry[i].key);
	mlb_strmap_release(&l->dir);
	for (size_t i = 0; i < l->all.n; i++)
		mlb_left_out_free(l->all.v[i]);
	mlb_vec_release(&l->all);
	mlb_err_release(&l->err);
}

/* The rules in the directory of this length at the start of path; up are those of the one above. */
static const struct mlb_left_out *
rules_of(struct mlb_left_outs *l, const char *path, size_t len, const struct mlb_left_out *up)
{
	char *with_slash = len ? mlb_asprintf("%.*s/", (int)len, path) : mlb_strdup("");
	int fd = mlb_open_at(l->root, NULL, len ? with_slash : ".", O_RDONLY | O_DIRECTORY);
	struct mlb_left_out *own = NULL;

	if (fd >= 0)
		mlb_left_out_read(&own, fd, with_slash, up, l->err.code ? NULL : &l->err);
	if (fd >= 0)
		close(fd);
	if (own)
		mlb_vec_push(&l->all, own);
	free(with_slash);
	return own ? own : up;
}

const struct mlb_left_out *
mlb_left_outs_in(struct mlb_left_outs *l, const char *dir)
{
	const struct mlb_left_out *rules = NULL;

	if (strcmp(dir, ".") == 0)
		dir = "";
	for (size_t len = 0;; len++) {
		struct mlb_strmap_entry *e;
		bool is_new;

		if (len != 0 && dir[len] != '/' && dir[len] != '\0')
			continue;
		e = mlb_strmap_add(&l->dir, dir, len, &is_new);
		if (is_new) {
			e->key = mlb_strndup(dir, len);
			e->u.ptr = (void *)(uintptr_t)rules_of(l, dir, len, rules);
		}
		rules = e->u.ptr;
		if (dir[len] == '\0')
			return rules;
	}
}
