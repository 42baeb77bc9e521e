/* A tree into the work tree: what is there and what should be are merged, path by path. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strmap.h"
#include "os/machine.h"
#include "os/pool.h"
#include "store/scan_walk.h"
#include "store/tree.h"
#include "store/tree_node.h"

/* What is to be done about one entry of the tree. */
enum deed { KEEP, MAKE_DIR, COMPARE /* the same as what is there? */, WRITE };

struct checkout {
	struct mlb_cas *cas;
	const char *to;
	enum mlb_link how;
	int root;             /* descriptor of `to` */
	struct mlb_walk want; /* the tree, then what is there of it */
	struct mlb_walk *have;
	uint8_t *deed;          /* enum deed, per entry of want */
	size_t *old;            /* index in have of the same path, per entry of want */
	MLB_VEC(uint32_t) todo; /* entries of want with COMPARE or WRITE */
	MLB_VEC(size_t) gone;   /* entries of have to remove */
	atomic_bool failed;
	pthread_mutex_t lock; /* err */
	struct mlb_err err;   /* the first one */
};

static int
add_want(void *ctx, const char *path, const struct mlb_tree_entry *e,
	 struct mlb_err *err MLB_UNUSED)
{
	struct mlb_walk *want = ctx;
	struct mlb_seen seen = { .digest = e->digest, .size = e->size, .kind = e->kind };

	seen.len = (uint32_t)strlen(path);
	seen.path = mlb_arena_strndup(&want->arena, path, seen.len);
	mlb_vec_push(&want->all, seen);
	return 0;
}

/* What is there under the right name: is it the right thing? */
static uint8_t
judge(const struct mlb_seen *want, const struct mlb_seen *have)
{
	if (want->kind == MLB_T_DIR)
		return KEEP;
	if (want->kind != have->kind || want->size != have->size)
		return WRITE;
	if ((have->flags & MLB_SEEN_KNOWN) && !(have->flags & MLB_SEEN_RACY))
		return mlb_digest_equal(&want->digest, &have->digest) ? KEEP : WRITE;
	return COMPARE;
}

static void
merge(struct checkout *c)
{
	const struct mlb_walk *want = &c->want, *have = c->have;
	size_t h = 0;

	for (size_t i = 0; i <= want->all.n; i++) {
		const struct mlb_seen *w = i < want->all.n ? &want->all.v[i] : NULL;
		int cmp = 1;

		while (h < have->all.n && (!w || (cmp = strcmp(have->all.v[h].path, w->path)) < 0)) {
			mlb_vec_push(&c->gone, h);
			h = have->all.v[h].kind == MLB_T_DIR ? mlb_walk_end(have, h, have->all.n)
							     : h + 1;
		}
		if (!w)
			break;
		if (h < have->all.n && cmp == 0) {
			c->old[i] = h;
			c->deed[i] = judge(w, &have->all.v[h++]);
		} else {
			c->deed[i] = w->kind == MLB_T_DIR ? MAKE_DIR : WRITE;
		}
		if (c->deed[i] == COMPARE || c->deed[i] == WRITE)
			mlb_vec_push(&c->todo, (uint32_t)i);
	}
}

/* Where names are folded, two of them may be one file. */
static int
check_folding(const struct checkout *c, struct mlb_err *err)
{
	struct mlb_strmap seen = MLB_STRMAP_INIT;
	struct mlb_arena arena = MLB_ARENA_INIT;
	int rc = 0;

	if (!mlb_fs_is_case_folding(c->to))
		return 0;
	for (size_t i = 0; i < c->want.all.n && rc == 0; i++) {
		const struct mlb_seen *w = &c->want.all.v[i];
		size_t len = w->kind == MLB_T_DIR ? w->len - 1 : w->len;
		char *folded = mlb_arena_strndup(&arena, w->path, len);
		bool is_new;

		for (size_t k = 0; k < len; k++)
			if (folded[k] >= 'A' && folded[k] <= 'Z')
				folded[k] = (char)(folded[k] - 'A' + 'a');
		mlb_strmap_add(&seen, folded, len, &is_new);
		if (!is_new)
			rc = mlb_err_set(
				err, MLB_EINVALID,
				"'%s/%s' differs from another name only in case, which this file system "
				"does not tell apart",
				c->to, w->path);
	}
	mlb_strmap_release(&seen);
	mlb_arena_release(&arena);
	return rc;
}

static int
remove_gone(struct checkout *c, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(MLB_TREE_PATH_MAX);
	int rc = 0;

	for (size_t i = 0; i < c->gone.n && rc == 0; i++) {
		const struct mlb_seen *have = &c->have->all.v[c->gone.v[i]];

		mlb_buf_clear(&path);
		mlb_buf_addf(&path, "%s/%.*s", c->to,
			     (int)(have->kind == MLB_T_DIR ? have->len - 1 : have->len),
			     have->path);
		rc = mlb_buf_check(&path, "a path", err);
		if (rc == 0 && have->kind == MLB_T_DIR)
			rc = mlb_fs_remove_tree(mlb_buf_str(&path), err);
		else if (rc == 0)
			rc = mlb_fs_unlink(mlb_buf_str(&path), err);
	}
	mlb_buf_release(&path);
	return rc;
}

static int
make_dirs(struct checkout *c, struct mlb_err *err)
{
	for (size_t i = 0; i < c->want.all.n; i++) {
		const char *path = c->want.all.v[i].path;

		if (c->deed[i] == MAKE_DIR && mkdirat(c->root, path, 0777) < 0 && errno != EEXIST)
			return mlb_err_errno(err, errno, "cannot make directory '%s/%s'", c->to,
					     path);
	}
	return 0;
}

/* A link beside its place, then renamed: what was there is replaced at once. */
static int
write_link(struct checkout *c, const struct mlb_seen *want, const char *path, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_TREE_LINK_MAX);
	char *temporary = mlb_asprintf("%s.mlbuild-%zx", path, (size_t)(want - c->want.all.v));
	unsigned depth = 0;
	int rc = mlb_cas_read(c->cas, &text, &want->digest, err);

	for (const char *p = want->path; *p; p++)
		depth += *p == '/';
	if (rc == 0)
		rc = mlb_tree_check_link(mlb_buf_str(&text), text.len, depth, err);
	if (rc < 0)
		mlb_err_wrap(err, "link '%s'", path);
	unlink(temporary);
	if (rc == 0 && symlink(mlb_buf_str(&text), temporary) < 0)
		rc = mlb_err_errno(err, errno, "cannot make link '%s'", path);
	if (rc == 0)
		rc = mlb_fs_rename(temporary, path, err);
	free(temporary);
	mlb_buf_release(&text);
	return rc;
}

static int
write_entry(struct checkout *c, struct mlb_seen *want, struct mlb_err *err)
{
	struct mlb_digest digest = want->digest;
	char *path = mlb_asprintf("%s/%s", c->to, want->path);
	struct mlb_stat st;
	int rc, errnum;

	if (want->kind == MLB_T_LINK)
		rc = write_link(c, want, path, err);
	else
		rc = mlb_cas_link(c->cas, &digest, path, want->kind == MLB_T_EXEC, c->how, err);
	if (rc == 0) {
		errnum = mlb_stat_at(&st, AT_FDCWD, path, false);
		if (errnum)
			rc = mlb_err_errno(err, errnum, "cannot examine '%s'", path);
		else if (st.size != want->size || st.type == MLB_F_ABSENT)
			rc = mlb_err_set(err, MLB_ECORRUPT, "'%s' is not as long as its tree says",
					 path);
		else
			mlb_seen_stat(want, &st);
	}
	free(path);
	return rc;
}

/* Whether what is there has the right content. */
static int
compare(struct checkout *c, size_t i, struct mlb_err *err)
{
	struct mlb_seen now = c->have->all.v[c->old[i]];
	const struct mlb_place p = { c->root, c->to, NULL, now.path, false };
	int rc = mlb_seen_read(&now, &p, NULL, err);

	if (rc == 0 && mlb_digest_equal(&now.digest, &c->want.all.v[i].digest)) {
		c->have->all.v[c->old[i]] = now;
		c->deed[i] = KEEP;
	}
	return rc;
}

static void
do_one(void *ctx, size_t k)
{
	struct checkout *c = ctx;
	size_t i = c->todo.v[k];
	struct mlb_err err = MLB_ERR_INIT;
	int rc = 0;

	if (atomic_load(&c->failed))
		return;
	if (c->deed[i] == COMPARE)
		rc = compare(c, i, &err);
	if (rc == 0 && c->deed[i] != KEEP)
		rc = write_entry(c, &c->want.all.v[i], &err);
	if (rc == 0)
		return;
	pthread_mutex_lock(&c->lock);
	if (!atomic_exchange(&c->failed, true))
		c->err = err;
	else
		mlb_err_release(&err);
	pthread_mutex_unlock(&c->lock);
}

/* What is there now, with the stat of what was kept. */
static void
take_over(struct checkout *c, const struct mlb_digest *tree)
{
	for (size_t i = 0; i < c->want.all.n; i++) {
		struct mlb_seen *want = &c->want.all.v[i];

		if (want->kind != MLB_T_DIR && c->deed[i] == KEEP) {
			const struct mlb_seen *have = &c->have->all.v[c->old[i]];

			want->ino = have->ino;
			want->mtime = have->mtime;
			want->ctime = have->ctime;
			want->flags = have->flags & (MLB_SEEN_LINKED | MLB_SEEN_RACY);
		}
		want->flags |= MLB_SEEN_KNOWN;
	}
	for (size_t i = 0; i < c->want.all.n; i++)
		if (strchr(c->want.all.v[i].path, '/') == NULL ||
		    strchr(c->want.all.v[i].path, '/')[1] == '\0')
			c->want.size += c->want.all.v[i].kind == MLB_T_LINK ? 0
									    : c->want.all.v[i].size;
	c->want.digest = *tree;
	mlb_walk_release(c->have);
	*c->have = c->want;
	c->want = (struct mlb_walk)MLB_WALK_INIT;
}

static int
do_all(struct checkout *c, unsigned threads, struct mlb_err *err)
{
	int rc;

	c->deed = mlb_calloc(c->want.all.n + 1, sizeof(*c->deed));
	c->old = mlb_calloc(c->want.all.n + 1, sizeof(*c->old));
	merge(c);
	rc = check_folding(c, err);
	if (rc == 0)
		rc = remove_gone(c, err);
	if (rc == 0)
		rc = make_dirs(c, err);
	if (rc < 0)
		return rc;
	mlb_parallel(c->todo.n, 4, threads, do_one, c);
	if (c->err.code != MLB_OK) {
		rc = mlb_err_set(err, c->err.code, "%s", c->err.text);
		mlb_err_release(&c->err);
	}
	return rc;
}

int
mlb_walk_checkout(struct mlb_walk *have, struct mlb_cas *cas, const struct mlb_digest *tree,
		  const char *to, enum mlb_link how, unsigned threads, struct mlb_err *err)
{
	struct checkout c = { .cas = cas,
			      .to = to,
			      .how = how,
			      .have = have,
			      .want = MLB_WALK_INIT,
			      .lock = PTHREAD_MUTEX_INITIALIZER,
			      .err = MLB_ERR_INIT };
	int rc = mlb_tree_each_dir(cas, tree, add_want, &c.want, err);

	c.root = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == 0 && c.root < 0)
		rc = mlb_err_errno(err, errno, "cannot read directory '%s'", to);
	if (rc == 0)
		rc = do_all(&c, threads, err);
	if (rc == 0)
		take_over(&c, tree);
	if (c.root >= 0)
		close(c.root);
	free(c.deed);
	free(c.old);
	mlb_vec_release(&c.todo);
	mlb_vec_release(&c.gone);
	mlb_walk_release(&c.want);
	pthread_mutex_destroy(&c.lock);
	return rc;
}

int
mlb_tree_checkout(struct mlb_cas *cas, const struct mlb_digest *tree, const char *to,
		  enum mlb_link how, struct mlb_err *err)
{
	unsigned threads = mlb_machine_cpus();
	struct mlb_walk_job job = { .path = ".", .now = MLB_WALK_INIT, .err = MLB_ERR_INIT };
	int rc = mlb_fs_mkdirs(to, err);
	int root = rc < 0 ? -1 : open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (rc == 0 && root < 0)
		rc = mlb_err_errno(err, errno, "cannot read directory '%s'", to);
	if (rc < 0)
		return rc;
	mlb_walk_run(&job, 1, root, threads);
	close(root);
	if (job.err.code != MLB_OK) {
		rc = mlb_err_set(err, job.err.code, "%s: %s", to, job.err.text);
		mlb_err_release(&job.err);
	} else {
		rc = mlb_walk_checkout(&job.now, cas, tree, to, how, threads, err);
	}
	mlb_walk_release(&job.now);
	return rc;
}
