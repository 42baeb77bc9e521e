/*
 * What a checkout leaves in the collections of `each` targets.
 *
 * 1. Where all files of one were asked for, no other stays below the directory that
 *    they have in common, as after a build: files of inputs that this lock does not
 *    know leave it.
 * 2. What the cache has is removed, anything else is moved aside; what git tracks,
 *    and what else the lock names, stays.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/checkout.h"
#include "os/fs.h"
#include "os/path.h"

struct leavings {
	struct mlb_checkout_run *c;
	struct mlb_strmap named; /* paths that the lock names */
	uint8_t *chosen;         /* of each entry of the list: it was asked for */
};

/* How much of two paths is the same directory; 0: none. */
static size_t
common_dir(const char *a, size_t len, const char *b)
{
	size_t same = 0;

	for (size_t i = 0; i < len && a[i] == b[i]; i++)
		if (a[i] == '/')
			same = i;
	return same == 0 && b[len] == '/' && strncmp(a, b, len) == 0 ? len : same;
}

static int
move_aside(struct leavings *s, const char *full, const char *path, struct mlb_err *err)
{
	char *to = mlb_asprintf("%s/%s", s->c->aside, path);
	int rc = mlb_fs_mkparents(to, err);

	if (rc == 0)
		rc = mlb_fs_move(full, to, err);
	if (rc == 0)
		mlb_placed_add(&s->c->count, 0, 0, 0, 1);
	free(to);
	return rc;
}

static bool
is_known(struct leavings *s, const char *full, uint8_t type)
{
	struct mlb_digest digest;
	uint64_t size;

	return type == MLB_F_FILE && mlb_fs_hash(&digest, &size, full, NULL) == 0 &&
	       mlb_cas_sure(s->c->p->cas, &digest);
}

static int
sweep_file(struct leavings *s, const char *path, uint8_t type, struct mlb_err *err)
{
	struct mlb_project *p = s->c->p;
	char *full;
	int rc;

	if (mlb_strmap_get(&s->named, path) || (p->vcs && mlb_vcs_tracked(p->vcs, path)))
		return 0;
	full = mlb_project_path(p, path);
	if (s->c->opt->force || is_known(s, full, type)) {
		rc = mlb_fs_remove_tree(full, err);
		if (rc == 0)
			mlb_placed_add(&s->c->count, 0, 0, 1, 0);
	} else {
		rc = move_aside(s, full, path, err);
	}
	free(full);
	return rc;
}

static int
sweep_dir(struct leavings *s, const char *dir, struct mlb_err *err)
{
	char *full = mlb_project_path(s->c->p, dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_stat st = { .type = MLB_F_ABSENT };
	int rc = mlb_fs_lstat(&st, full, err);

	if (rc == 0 && st.type == MLB_F_DIR)
		rc = mlb_fs_list(&list, full, err);
	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);

		rc = list.v[i].type == MLB_F_DIR ? sweep_dir(s, path, err)
						 : sweep_file(s, path, list.v[i].type, err);
		free(path);
	}
	/* One that has become empty goes with its last file. */
	if (rc == 0 && list.n)
		(void)rmdir(full);
	mlb_dirents_release(&list);
	free(full);
	return rc;
}

/* The entries [from, to) are one collection. */
static int
sweep_collection(struct leavings *s, size_t from, size_t to, struct mlb_err *err)
{
	const struct mlb_locked *l = s->c->list.all.v;
	const char *slash = strrchr(l[from].path, '/');
	size_t len = slash ? (size_t)(slash - l[from].path) : 0;
	uint64_t kept = atomic_load(&s->c->count.kept);
	char *dir;
	int rc = 0;

	for (size_t i = from; i < to; i++) {
		if (!s->chosen[i])
			return 0;
		len = common_dir(l[from].path, len, l[i].path);
	}
	dir = mlb_strndup(l[from].path, len);
	if (len)
		rc = sweep_dir(s, dir, err);
	kept = atomic_load(&s->c->count.kept) - kept;
	if (kept)
		mlb_checkout_note_kept(s->c, dir, kept);
	free(dir);
	return rc;
}

int
mlb_checkout_collections(struct mlb_checkout_run *c, struct mlb_err *err)
{
	struct leavings s = { .c = c, .named = MLB_STRMAP_INIT };
	const struct mlb_locked *l = c->list.all.v;
	size_t n = c->list.all.n, to;
	int rc = mlb_project_vcs(c->p, err);

	s.chosen = mlb_calloc(n + 1, 1);
	for (size_t i = 0; i < c->n_items; i++)
		s.chosen[c->item[i].l - l] = 1;
	for (size_t i = 0; i < n; i++)
		if (l[i].path)
			mlb_strmap_set(&s.named, l[i].path, c);
	for (size_t i = 0; i < n && rc == 0; i = to) {
		for (to = i + 1; to < n && l[i].each && l[to].each && l[to].base == l[i].base;)
			to++;
		if (l[i].each)
			rc = sweep_collection(&s, i, to, err);
	}
	mlb_strmap_release(&s.named);
	free(s.chosen);
	return rc;
}
