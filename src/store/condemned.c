#include "store/condemned.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "os/fs.h"
#include "os/machine.h"
#include "os/path.h"

#define MAGIC "mlbuild-condemned 1\n"
#define NAME_BYTES 8
#define LIST "list"

enum { MAX_LIST = 64 << 20, MAX_PATH = 64 * 1024 };

const char *
mlb_condemned_home(const char *path)
{
	const char *s;

	if (strncmp(path, MLB_CONDEMNED "/", sizeof(MLB_CONDEMNED)) != 0)
		return path;
	s = strchr(path + sizeof(MLB_CONDEMNED), '/');
	return s ? s + 1 : path;
}

static char *
batch_path(const char *cache_dir, const char *name, const char *path)
{
	return mlb_asprintf("%s/" MLB_CONDEMNED "/%s/%s", cache_dir, name, path);
}

/* ---------------------------------------------------------- lists */

static void
batch_release(struct mlb_condemned *b)
{
	free(b->name);
	mlb_strvec_release(&b->lease);
	mlb_strvec_release(&b->pin);
}

void
mlb_condemned_release(struct mlb_condemned_batches *b)
{
	for (size_t i = 0; i < b->n; i++)
		batch_release(&b->v[i]);
	mlb_vec_release(b);
}

/* One without its last line is not whole. */
static void
parse_list(struct mlb_condemned *b, char *text)
{
	char *line = text + strlen(MAGIC), *eol;

	if (strncmp(text, MAGIC, strlen(MAGIC)) != 0)
		return;
	for (; !b->listed && (eol = strchr(line, '\n')); line = eol + 1) {
		*eol = '\0';
		if (strncmp(line, "lease ", 6) == 0)
			mlb_strvec_push(&b->lease, line + 6);
		else if (strncmp(line, "pin ", 4) == 0)
			mlb_strvec_push(&b->pin, line + 4);
		else
			b->listed = strcmp(line, "end") == 0;
	}
	mlb_strvec_sort(&b->lease, true);
}

static int
read_list(struct mlb_condemned *b, const char *cache_dir, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LIST);
	char *path = batch_path(cache_dir, b->name, LIST);
	int rc = mlb_fs_exists(path) ? mlb_fs_read(&text, path, err) : 0;

	if (rc == 0 && text.len) {
		char *copy = mlb_strdup(mlb_buf_str(&text));

		parse_list(b, copy);
		free(copy);
	}
	free(path);
	mlb_buf_release(&text);
	return rc;
}

/* The names of batches; none where there is no such directory. */
static int
list_batches(struct mlb_dirents *out, const char *cache_dir, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/" MLB_CONDEMNED, cache_dir);
	int rc = access(dir, F_OK) == 0 ? mlb_fs_list(out, dir, err) : 0;

	free(dir);
	return rc;
}

int
mlb_condemned_read(struct mlb_condemned_batches *out, const char *cache_dir, struct mlb_err *err)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = list_batches(&list, cache_dir, err);

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		struct mlb_condemned b = { .name = mlb_strdup(list.v[i].name) };

		if (list.v[i].type == MLB_F_DIR)
			rc = read_list(&b, cache_dir, err);
		if (rc == 0 && list.v[i].type == MLB_F_DIR)
			mlb_vec_push(out, b);
		else
			batch_release(&b);
	}
	mlb_dirents_release(&list);
	return rc;
}

bool
mlb_condemned_over(const struct mlb_condemned *b, const struct mlb_leases *held)
{
	if (!b->listed)
		return held->n == 0;
	for (size_t i = 0; i < held->n; i++)
		if (mlb_strvec_has(&b->lease, held->v[i].name))
			return false;
	return true;
}

/* ---------------------------------------------------------- moving */

/* With the directory that it goes to: another gc may never have been there. */
static int
move(const char *from, const char *to, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(MAX_PATH);
	int rc = 0;

	if (rename(from, to) != 0) {
		mlb_path_dir(&dir, to);
		rc = errno == ENOENT && mlb_fs_exists(from) ? mlb_fs_mkdirs(mlb_buf_str(&dir), err)
							    : 0;
		if (rc == 0) {
			mlb_fs_share(mlb_buf_str(&dir));
			rc = mlb_fs_rename(from, to, err);
		}
	}
	mlb_buf_release(&dir);
	return rc;
}

static int
move_back(const char *cache_dir, const char *from, const char *path, struct mlb_err *err)
{
	char *to = mlb_asprintf("%s/%s", cache_dir, path);
	struct mlb_buf dir = MLB_BUF_INIT(MAX_PATH);
	int rc = move(from, to, err);

	/* Before a batch may go by this, the name must be durable. */
	mlb_path_dir(&dir, to);
	if (rc == 0)
		rc = mlb_fs_sync_dir(mlb_buf_str(&dir), err);
	mlb_buf_release(&dir);
	free(to);
	return rc;
}

static bool
look_for(const char *cache_dir, const char *path, bool move_it)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	bool found = false;

	list_batches(&list, cache_dir, NULL);
	for (size_t i = 0; i < list.n && !found; i++) {
		char *from = batch_path(cache_dir, list.v[i].name, path);

		found = access(from, F_OK) == 0;
		if (found && move_it)
			found = move_back(cache_dir, from, path, NULL) == 0;
		free(from);
	}
	mlb_dirents_release(&list);
	return found;
}

bool
mlb_condemned_has(const char *cache_dir, const char *path)
{
	return look_for(cache_dir, path, false);
}

bool
mlb_condemned_return(const char *cache_dir, const char *path)
{
	struct mlb_lock gate = MLB_LOCK_INIT;
	char *full;
	bool there;

	if (!look_for(cache_dir, path, false) || mlb_gate_hold(&gate, cache_dir, NULL) != 0)
		return false;
	full = mlb_asprintf("%s/%s", cache_dir, path);
	/* Another thread or process may have been faster. */
	there = access(full, F_OK) == 0 || look_for(cache_dir, path, true) ||
		access(full, F_OK) == 0;
	mlb_gate_open(&gate);
	free(full);
	return there;
}

/* ---------------------------------------------------------- batches */

int
mlb_condemn_begin(char **name, const char *cache_dir, struct mlb_err *err)
{
	char *top = mlb_asprintf("%s/" MLB_CONDEMNED, cache_dir), *dir;
	char hex[2 * NAME_BYTES + 1];
	uint8_t bytes[NAME_BYTES];
	int rc = mlb_machine_random(bytes, sizeof(bytes), err);

	mlb_hex_encode(hex, bytes, sizeof(bytes));
	dir = mlb_asprintf("%s/%s", top, hex);
	if (rc == 0)
		rc = mlb_fs_mkdirs(dir, err);
	if (rc == 0) {
		mlb_fs_share(top);
		mlb_fs_share(dir);
		rc = mlb_fs_sync_dir(top, err);
	}
	*name = rc == 0 ? mlb_strdup(hex) : NULL;
	free(dir);
	free(top);
	return rc;
}

int
mlb_condemn_move(const char *cache_dir, const char *name, const char *path, struct mlb_err *err)
{
	char *from = mlb_asprintf("%s/%s", cache_dir, path);
	char *to = batch_path(cache_dir, name, path);
	int rc = move(from, to, err);

	free(to);
	free(from);
	return rc;
}

int
mlb_condemn_end(const char *cache_dir, const char *name, const struct mlb_leases *held,
		const struct mlb_strvec *pins, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LIST);
	char *path = batch_path(cache_dir, name, LIST);
	int rc;

	mlb_buf_adds(&text, MAGIC);
	for (size_t i = 0; i < held->n; i++)
		mlb_buf_addf(&text, "lease %s\n", held->v[i].name);
	for (size_t i = 0; i < pins->n; i++)
		mlb_buf_addf(&text, "pin %s\n", pins->v[i]);
	mlb_buf_adds(&text, "end\n");
	rc = mlb_buf_check(&text, path, err);
	if (rc == 0)
		rc = mlb_fs_write(path, mlb_buf_str(&text), text.len, true, err);
	if (rc == 0)
		mlb_fs_share(path);
	mlb_buf_release(&text);
	free(path);
	return rc;
}

int
mlb_condemned_put_back(const char *cache_dir, const char *from, struct mlb_err *err)
{
	char *full = mlb_asprintf("%s/%s", cache_dir, from);
	int rc = move_back(cache_dir, full, mlb_condemned_home(from), err);

	free(full);
	return rc;
}

int
mlb_condemned_remove(const char *cache_dir, const char *name, struct mlb_err *err)
{
	char *dir = mlb_asprintf("%s/" MLB_CONDEMNED "/%s", cache_dir, name);
	struct mlb_dirents entry = MLB_VEC_INIT;
	int rc = mlb_fs_list(&entry, dir, err);

	/* The list goes last: what a gc that dies leaves behind is no batch that says nothing. */
	for (size_t i = 0; i < entry.n && rc == 0; i++) {
		char *path = batch_path(cache_dir, name, entry.v[i].name);

		if (strcmp(entry.v[i].name, LIST) != 0)
			rc = mlb_fs_remove_tree(path, err);
		free(path);
	}
	if (rc == 0)
		rc = mlb_fs_remove_tree(dir, err);
	mlb_dirents_release(&entry);
	free(dir);
	return rc;
}

void
mlb_condemned_tidy(const char *cache_dir)
{
	char *top = mlb_asprintf("%s/" MLB_CONDEMNED, cache_dir);

	rmdir(top);
	free(top);
}
