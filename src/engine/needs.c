#include "engine/needs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/hex.h"
#include "engine/commits.h"
#include "os/fs.h"

enum { MAX_ROOTS = 1 << 30, NAME_MAX_LEN = 48, HASH_BYTES = 8 };

char *
mlb_needs_host(void)
{
	struct utsname u;

	return mlb_strdup(uname(&u) == 0 ? u.nodename : "");
}

/* NAME-HASH: for people the project's name, and what tells it from others of that name. */
char *
mlb_needs_path(struct mlb_project *p)
{
	char name[NAME_MAX_LEN + 1], hex[2 * HASH_BYTES + 1];
	const char *of = p->graph    ? mlb_g_str(p->graph, p->graph->project)
			 : p->config ? p->config->name
				     : "";
	char *host = mlb_needs_host(), *dir = mlb_project_cache_dir(p);
	char *where = mlb_asprintf("%s\n%s", host, p->root), *path;
	struct mlb_digest d;
	size_t n = 0;

	for (; *of && n < NAME_MAX_LEN; of++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *of))
			name[n++] = *of;
	name[n] = '\0';
	mlb_sha256_of(&d, where, strlen(where));
	mlb_hex_encode(hex, d.b, HASH_BYTES);
	path = mlb_asprintf("%s/roots/%s%s%s", dir, name, n ? "-" : "", hex);
	free(where);
	free(host);
	free(dir);
	return path;
}

void
mlb_needs_of_block(struct mlb_roots *out, const struct mlb_lock_block *b)
{
	mlb_roots_add(out, MLB_ROOT_KEY, &b->key);
	mlb_roots_add(out, MLB_ROOT_TABLE, &b->table);
	for (uint32_t i = 0; i < b->n_outputs; i++)
		mlb_roots_add(out,
			      b->output[i].kind == MLB_O_TREE ? MLB_ROOT_TREE : MLB_ROOT_OBJECT,
			      &b->output[i].digest);
}

void
mlb_needs_of_lock(struct mlb_roots *out, const struct mlb_lockfile *lock)
{
	for (uint32_t i = 0; i < lock->map.n; i++)
		for (const struct mlb_lock_block *b = lock->map.entry[i].u.ptr; b; b = b->other)
			mlb_needs_of_block(out, b);
}

void
mlb_needs_of_text(struct mlb_roots *out, const char *text, size_t len)
{
	struct mlb_digest d;

	for (size_t i = 0; i + MLB_HEX_LEN <= len; i++) {
		if (!mlb_digest_parse(&d, text + i, MLB_HEX_LEN))
			continue;
		mlb_roots_add(out, MLB_ROOT_ANY, &d);
		i += MLB_HEX_LEN - 1;
	}
}

static int
write_file(struct mlb_project *p, struct mlb_roots *roots, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ROOTS);
	char *path = mlb_needs_path(p), *dir = mlb_asprintf("%s/roots", mlb_cas_dir(p->cas));
	int rc = 0;

	free(roots->host);
	free(roots->dir);
	roots->host = mlb_needs_host();
	roots->dir = mlb_strdup(p->root);
	roots->on = mlb_fs_whereabouts(p->root);
	mlb_roots_format(&text, roots);
	rc = mlb_buf_check(&text, path, err);
	if (rc == 0 && !mlb_fs_exists(dir)) {
		rc = mlb_fs_mkdirs(dir, err);
		mlb_fs_share(dir);
	}
	/*
	 * Where the cache is our own nobody but us collects there, by the lock itself. Of
	 * others, who name it as theirs, the worst that a power cut can do is to make
	 * them refuse until the next build here.
	 */
	if (rc == 0)
		rc = mlb_fs_write(path, mlb_buf_str(&text), text.len, mlb_project_shares_cache(p),
				  err);
	if (rc == 0)
		mlb_fs_share(path);
	free(dir);
	free(path);
	mlb_buf_release(&text);
	return rc;
}

int
mlb_needs_set(struct mlb_project *p, struct mlb_roots *roots, struct mlb_err *err)
{
	mlb_roots_sort(roots);
	return write_file(p, roots, err);
}

bool
mlb_needs_is_temporary(const char *name)
{
	return strncmp(name, ".mlbuild-", 9) == 0;
}

bool
mlb_needs_readable(const char *path)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ROOTS);
	struct mlb_roots r = { 0 };
	bool is = mlb_fs_read(&text, path, NULL) == 0 &&
		  mlb_roots_parse(&r, mlb_buf_str(&text), text.len, NULL) == 0;

	mlb_roots_release(&r);
	mlb_buf_release(&text);
	return is;
}

static void
take_lock(void *ctx, struct mlb_lockfile *lock, const char *text, size_t len)
{
	if (lock)
		mlb_needs_of_lock(ctx, lock);
	else
		mlb_needs_of_text(ctx, text, len);
}

#define REFS "needs of refs" /* in meta: the digest of references whose locks are in the file */

/*
 * What branches and tags need, for whoever else collects there: read again where one
 * of them has moved. now is the digest of them, zero where nothing was read.
 */
static void
add_refs(struct mlb_roots *out, struct mlb_project *p, struct mlb_digest *now, bool anew)
{
	struct mlb_buf was = MLB_BUF_INIT(MLB_KIB);
	struct mlb_commits c = {
		.p = p, .seen = MLB_STRMAP_INIT, .arena = MLB_ARENA_INIT, .fn = take_lock, .ctx = out
	};
	bool same;

	memset(now, 0, sizeof(*now));
	if (!mlb_project_shares_cache(p) || mlb_project_vcs(p, NULL) != 0 || !p->vcs)
		return;
	if (mlb_vcs_refs_digest(p->vcs, now, NULL) != 0) {
		memset(now, 0, sizeof(*now));
		return;
	}
	same = !anew && mlb_meta_get(p->db, REFS, &was, NULL) == 0 && was.len == sizeof(*now) &&
	       memcmp(was.data, now, sizeof(*now)) == 0;
	if (same || mlb_commits_take_all(&c, NULL) != 0)
		memset(now, 0, sizeof(*now));
	mlb_commits_release(&c);
	mlb_buf_release(&was);
}

/* Not being able to is no harm: they are read again. */
static void
remember_refs(struct mlb_project *p, const struct mlb_digest *now)
{
	if (mlb_digest_is_zero(now) || mlb_db_begin(p->db, NULL) != 0)
		return;
	if (mlb_meta_set(p->db, REFS, now, sizeof(*now), NULL) != 0 ||
	    mlb_db_commit(p->db, NULL) != 0)
		mlb_db_rollback(p->db);
}

int
mlb_needs_add_roots(struct mlb_project *p, struct mlb_roots *now, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ROOTS);
	struct mlb_roots old = { 0 };
	char *path = mlb_needs_path(p);
	bool there = mlb_fs_exists(path) && mlb_fs_read(&text, path, NULL) == 0;
	bool right = there && mlb_roots_parse(&old, mlb_buf_str(&text), text.len, NULL) == 0;
	int rc = 0;

	if (there && !right)
		mlb_needs_of_text(&old, mlb_buf_str(&text), text.len);
	mlb_roots_sort(now);
	if (!right || !mlb_roots_within(now, &old) || old.on != mlb_fs_whereabouts(p->root)) {
		for (size_t i = 0; i < old.root.n; i++)
			mlb_vec_push(&now->root, old.root.v[i]);
		mlb_roots_sort(now);
		rc = write_file(p, now, err);
	}
	mlb_roots_release(&old);
	mlb_buf_release(&text);
	free(path);
	return rc;
}

int
mlb_needs_add(struct mlb_project *p, const struct mlb_lockfile *lock, struct mlb_err *err)
{
	struct mlb_roots now = { 0 };
	struct mlb_digest refs;
	char *path = mlb_needs_path(p);
	int rc;

	mlb_needs_of_lock(&now, lock);
	add_refs(&now, p, &refs, !mlb_needs_readable(path));
	rc = mlb_needs_add_roots(p, &now, err);
	if (rc == 0)
		remember_refs(p, &refs);
	mlb_roots_release(&now);
	free(path);
	return rc;
}

void
mlb_needs_touch(struct mlb_project *p)
{
	char *path;

	if (!mlb_project_shares_cache(p))
		return;
	path = mlb_needs_path(p);
	(void)utimensat(AT_FDCWD, path, NULL, 0);
	free(path);
}
