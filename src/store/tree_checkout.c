/* A tree into the work tree: what is there and what should be are merged, path by path. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/strmap.h"
#include "os/io.h"
#include "os/machine.h"
#include "os/path.h"
#include "os/pool.h"
#include "store/scan_walk.h"
#include "store/tree.h"
#include "store/tree_keep.h"
#include "store/tree_node.h"

/* What is to be done about one entry of the tree. */
enum deed {
	KEEP,
	MAKE_DIR,
	COMPARE /* the same as what is there? */,
	WRITE,
	LEAVE /* it is not ours */
};

struct checkout {
	const struct mlb_placing *p;
	const struct mlb_io *io; /* the store's */
	const char *to;
	int root;             /* descriptor of `to` */
	struct mlb_walk want; /* the tree, then what is there of it */
	struct mlb_walk *have;
	uint8_t *deed; /* enum deed, per entry of want */
	size_t *old;   /* index in have of the same path plus one, per entry of want; 0: none */
	MLB_VEC(uint32_t) todo; /* entries of want with COMPARE or WRITE */
	MLB_VEC(size_t) gone;   /* entries of have to remove, with all below them */
	atomic_bool failed;
	pthread_mutex_t lock; /* err */
	struct mlb_err err;   /* the first one */
	uint64_t generation;  /* of the store, before it was read */
	struct mlb_keep keep;
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

static bool
is_others(const struct checkout *c, const struct mlb_seen *seen)
{
	return c->p->others && mlb_strmap_find(c->p->others, seen->path, seen->len);
}

/* A directory in which nothing is ours need not be there. */
static void
leave_dirs(struct checkout *c)
{
	const struct mlb_walk *want = &c->want;

	for (size_t i = 0; c->p->others && i < want->all.n; i++) {
		size_t end = want->all.v[i].kind == MLB_T_DIR ? mlb_walk_end(want, i, want->all.n)
							      : 0;
		size_t k = i + 1;

		while (k < end && (c->deed[k] == LEAVE || (want->all.v[k].kind == MLB_T_DIR &&
							   mlb_walk_end(want, k, end) > k + 1)))
			k++;
		if (end > i + 1 && k == end)
			c->deed[i] = LEAVE;
	}
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
			if (!c->p->others)
				mlb_vec_push(&c->gone, h);
			h = have->all.v[h].kind == MLB_T_DIR ? mlb_walk_end(have, h, have->all.n)
							     : h + 1;
		}
		if (!w)
			break;
		if (h < have->all.n && cmp == 0) {
			c->old[i] = h + 1;
			c->deed[i] = judge(w, &have->all.v[h++]);
		} else {
			c->deed[i] = w->kind == MLB_T_DIR ? MAKE_DIR : WRITE;
		}
		if (is_others(c, w))
			c->deed[i] = LEAVE;
		if (c->deed[i] == COMPARE || c->deed[i] == WRITE)
			mlb_vec_push(&c->todo, (uint32_t)i);
	}
	leave_dirs(c);
}

/* Where names are folded, two of them may be one file. */
static int
check_folding(const struct checkout *c, struct mlb_err *err)
{
	struct mlb_strmap seen = MLB_STRMAP_INIT;
	struct mlb_arena arena = MLB_ARENA_INIT;
	int rc = 0;

	if (!c->io->folds_case(c->io, c->to))
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

/* Are all bytes at hand? Asked before anything is changed. */
static int
check_bytes(const struct checkout *c, struct mlb_err *err)
{
	for (size_t k = 0; k < c->todo.n; k++) {
		const struct mlb_seen *want = &c->want.all.v[c->todo.v[k]];
		char hex[MLB_HEX_LEN + 1];

		if (c->deed[c->todo.v[k]] != WRITE || mlb_cas_has(c->p->cas, &want->digest))
			continue;
		mlb_digest_hex(hex, &want->digest);
		return mlb_err_set(err, MLB_ENOTFOUND, "the object %s of '%s/%s' is not in '%s'",
				   hex, c->to, want->path, mlb_cas_dir(c->p->cas));
	}
	return 0;
}

void
mlb_placed_add(struct mlb_placed *p, uint64_t files, uint64_t bytes, uint64_t removed,
	       uint64_t kept)
{
	for (; p; p = p->all) {
		atomic_fetch_add(&p->files, files);
		atomic_fetch_add(&p->bytes, bytes);
		atomic_fetch_add(&p->removed, removed);
		atomic_fetch_add(&p->kept, kept);
	}
}

static int
fail_at(const struct checkout *c, const char *what, const char *path, struct mlb_err *err)
{
	return mlb_err_errno(err, errno, "cannot %s '%s/%s'", what, c->to, path);
}

/* ------------------------------------------------------------ what is in the way */

static int
remove_file(struct checkout *c, struct mlb_dir_at *at, const struct mlb_seen *have,
	    struct mlb_err *err)
{
	const char *name;
	int dir = mlb_dir_at(at, have->path, &name);
	bool left;
	int rc;

	if (dir < 0)
		return errno == ENOENT ? 0 : fail_at(c, "remove", have->path, err);
	rc = mlb_keep_unknown(&c->keep, dir, name, have->path, have, &left, err);
	if (rc || left)
		return rc;
	if (c->io->unlinkat(c->io, dir, name, 0) != 0 && errno != ENOENT)
		return fail_at(c, "remove", have->path, err);
	mlb_placed_add(c->p->count, 0, 0, 1, 0);
	return 0;
}

/* A directory that is not empty stays: what is in it is nothing that was seen, and nobody asked for its removal. */
static int
remove_dir(struct checkout *c, struct mlb_dir_at *at, const struct mlb_seen *have,
	   struct mlb_err *err)
{
	char *path = mlb_strndup(have->path, have->len - 1);
	const char *name;
	int rc = 0, dir = mlb_dir_at(at, path, &name);

	if (dir < 0 || c->io->unlinkat(c->io, dir, name, AT_REMOVEDIR) != 0)
		if (errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
			rc = fail_at(c, "remove", path, err);
	free(path);
	return rc;
}

static int
remove_gone(struct checkout *c, struct mlb_err *err)
{
	struct mlb_dir_at at = MLB_DIR_AT_INIT(c->root);
	const struct mlb_walk *have = c->have;
	int rc = 0;

	for (size_t i = 0; i < c->gone.n && rc == 0; i++) {
		size_t first = c->gone.v[i], end = first + 1;

		if (have->all.v[first].kind == MLB_T_DIR)
			end = mlb_walk_end(have, first, have->all.n);
		for (size_t k = first; k < end && rc == 0; k++)
			if (have->all.v[k].kind != MLB_T_DIR)
				rc = remove_file(c, &at, &have->all.v[k], err);
		for (size_t k = end; k-- > first && rc == 0;)
			if (have->all.v[k].kind == MLB_T_DIR)
				rc = remove_dir(c, &at, &have->all.v[k], err);
	}
	mlb_dir_at_close(&at);
	return rc;
}

/* ------------------------------------------------------------ what is to be there */

/* A directory may be there already; whatever else is leaves the way. */
static int
make_dir(struct checkout *c, int dir, const char *name, const char *path, struct mlb_err *err)
{
	struct mlb_stat st;
	bool left;
	int rc;

	if (c->io->mkdirat(c->io, dir, name, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return fail_at(c, "make directory", path, err);
	if (mlb_stat_at(&st, dir, name, false) == 0 && st.type == MLB_F_DIR)
		return 0;
	rc = mlb_keep_unknown(&c->keep, dir, name, path, NULL, &left, err);
	if (rc == 0 && !left && (c->p->aside || c->p->force) &&
	    c->io->unlinkat(c->io, dir, name, 0) != 0 && errno != ENOENT)
		rc = fail_at(c, "remove", path, err);
	if (rc == 0 && c->io->mkdirat(c->io, dir, name, 0777) != 0)
		rc = fail_at(c, "make directory", path, err);
	return rc;
}

static int
make_dirs(struct checkout *c, struct mlb_err *err)
{
	struct mlb_dir_at at = MLB_DIR_AT_INIT(c->root);
	struct mlb_buf own = MLB_BUF_INIT(MLB_TREE_NAME_MAX);
	struct mlb_buf path = MLB_BUF_INIT(SIZE_MAX / 2);
	int rc = 0;

	for (size_t i = 0; i < c->want.all.n && rc == 0; i++) {
		const struct mlb_seen *want = &c->want.all.v[i];
		const char *name;
		int dir;

		if (c->deed[i] != MAKE_DIR)
			continue;
		dir = mlb_dir_at(&at, want->path, &name);
		mlb_buf_clear(&own);
		mlb_buf_add(&own, name, strlen(name) - 1);
		mlb_buf_clear(&path);
		mlb_buf_add(&path, want->path, want->len - 1);
		if (dir < 0)
			rc = fail_at(c, "make directory", want->path, err);
		else
			rc = make_dir(c, dir, mlb_buf_str(&own), mlb_buf_str(&path), err);
	}
	mlb_buf_release(&path);
	mlb_buf_release(&own);
	mlb_dir_at_close(&at);
	return rc;
}

/* The text of a link of the tree. One that no mlbuild would have stored is damage: the tree does not count. */
static int
read_link(struct checkout *c, const struct mlb_seen *want, struct mlb_buf *text,
	  struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	unsigned depth = 0;
	int rc = mlb_cas_read(c->p->cas, text, &want->digest, &why);

	for (const char *p = want->path; *p; p++)
		depth += *p == '/';
	if (rc == 0)
		rc = mlb_tree_check_link(mlb_buf_str(text), text->len, depth, &why);
	if (rc == MLB_EINVALID || rc == MLB_ETOOBIG)
		rc = MLB_ECORRUPT;
	if (rc)
		mlb_err_set(err, (enum mlb_code)rc, "link '%s/%s': %s", c->to, want->path,
			    why.text ? why.text : "");
	mlb_err_release(&why);
	return rc;
}

/* A link beside its place, then renamed: what was there is replaced at once. */
static int
write_link(struct checkout *c, const struct mlb_seen *want, int dir, const char *name,
	   struct mlb_stat *st, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_TREE_LINK_MAX);
	char temporary[64];
	int rc = read_link(c, want, &text, err);

	(void)snprintf(temporary, sizeof(temporary), ".mlbuild-link-%zx",
		       (size_t)(want - c->want.all.v));
	c->io->unlinkat(c->io, dir, temporary, 0);
	if (rc == 0 && (c->io->symlinkat(c->io, mlb_buf_str(&text), dir, temporary) != 0 ||
			c->io->renameat(c->io, dir, temporary, dir, name) != 0))
		rc = fail_at(c, "make link", want->path, err);
	if (rc == 0 && (errno = mlb_stat_at(st, dir, name, false)) != 0)
		rc = fail_at(c, "examine", want->path, err);
	mlb_buf_release(&text);
	return rc;
}

static int
write_entry(struct checkout *c, struct mlb_seen *want, int dir, const char *name, const char *path,
	    struct mlb_err *err)
{
	const struct mlb_spot spot = { dir,         name,     path, want->kind == MLB_T_EXEC,
				       c->p->fresh, c->p->how };
	struct mlb_digest digest = want->digest;
	struct mlb_stat st;
	int rc;

	if (want->kind == MLB_T_LINK)
		rc = write_link(c, want, dir, name, &st, err);
	else
		rc = mlb_cas_place(c->p->cas, &digest, &spot, &st, err);
	if (rc == 0 && (st.size != want->size || st.type == MLB_F_ABSENT))
		rc = mlb_err_set(err, MLB_ECORRUPT, "'%s' is not as long as its tree says", path);
	if (rc)
		return rc;
	mlb_seen_stat(want, &st);
	mlb_placed_add(c->p->count, 1, want->kind == MLB_T_LINK ? 0 : st.size, 0, 0);
	return 0;
}

/* Whether what is there has the right content. */
static int
compare(struct checkout *c, size_t i, struct mlb_err *err)
{
	struct mlb_seen *have = &c->have->all.v[c->old[i] - 1];
	const struct mlb_place p = { c->root, c->to, NULL, have->path, false, NULL, NULL };
	int rc = mlb_seen_read(have, &p, NULL, err);

	if (rc == 0 && mlb_digest_equal(&have->digest, &c->want.all.v[i].digest))
		c->deed[i] = KEEP;
	return rc;
}

static int
do_one(struct checkout *c, size_t i, struct mlb_dir_at *at, struct mlb_buf *path,
       struct mlb_err *err)
{
	struct mlb_seen *want = &c->want.all.v[i];
	const char *name;
	bool left;
	int dir, rc = 0;

	if (c->deed[i] == COMPARE)
		rc = compare(c, i, err);
	if (rc || c->deed[i] == KEEP)
		return rc;
	dir = mlb_dir_at(at, want->path, &name);
	if (dir < 0)
		return fail_at(c, "write", want->path, err);
	rc = mlb_keep_unknown(&c->keep, dir, name, want->path,
			      c->old[i] ? &c->have->all.v[c->old[i] - 1] : NULL, &left, err);
	if (rc)
		return rc;
	mlb_buf_clear(path);
	mlb_buf_addf(path, "%s/%s", c->to, want->path);
	return write_entry(c, want, dir, name, mlb_buf_str(path), err);
}

#define BLOCK 64 /* entries that one task writes, most of them in one directory */

static void
do_block(void *ctx, size_t block)
{
	struct checkout *c = ctx;
	struct mlb_dir_at at = MLB_DIR_AT_INIT(c->root);
	struct mlb_buf path = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_err err = MLB_ERR_INIT;
	size_t end = MLB_MIN(c->todo.n, (block + 1) * BLOCK);
	int rc = 0;

	if (c->p->stop && atomic_load(c->p->stop))
		rc = mlb_err_set(&err, MLB_EINTERRUPTED, "interrupted");
	for (size_t k = block * BLOCK; k < end && rc == 0 && !atomic_load(&c->failed); k++)
		rc = do_one(c, c->todo.v[k], &at, &path, &err);
	mlb_buf_release(&path);
	mlb_dir_at_close(&at);
	if (rc == 0)
		return;
	pthread_mutex_lock(&c->lock);
	if (!atomic_exchange(&c->failed, true))
		c->err = err;
	else
		mlb_err_release(&err);
	pthread_mutex_unlock(&c->lock);
}

/* What was read from the store is there; what was kept is if that was known. */
static void
take_marks(struct checkout *c)
{
	bool valid = c->p->fresh || (c->have->generation == c->generation && c->have->ticket == 0);

	if (!valid || !c->generation)
		return;
	for (size_t i = 0; i < c->want.all.n; i++) {
		struct mlb_seen *want = &c->want.all.v[i];

		if (c->p->fresh || c->deed[i] == WRITE)
			want->flags |= MLB_SEEN_STORED;
		else if (c->old[i] &&
			 mlb_digest_equal(&want->digest, &c->have->all.v[c->old[i] - 1].digest))
			want->flags |= c->have->all.v[c->old[i] - 1].flags & MLB_SEEN_STORED;
	}
	c->want.generation = c->generation;
	c->want.ticket = mlb_cas_ticket(c->p->cas);
	c->want.stored = c->p->fresh;
}

/* What is there now, with the stat of what was kept. */
static void
take_over(struct checkout *c, const struct mlb_digest *tree)
{
	for (size_t i = 0; i < c->want.all.n; i++) {
		struct mlb_seen *want = &c->want.all.v[i];

		if (want->kind != MLB_T_DIR && c->deed[i] == KEEP) {
			const struct mlb_seen *have = &c->have->all.v[c->old[i] - 1];

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
	take_marks(c);
	mlb_walk_release(c->have);
	*c->have = c->want;
	c->want = (struct mlb_walk)MLB_WALK_INIT;
}

static int
do_all(struct checkout *c, struct mlb_err *err)
{
	int rc;

	c->deed = mlb_calloc(c->want.all.n + 1, sizeof(*c->deed));
	c->old = mlb_calloc(c->want.all.n + 1, sizeof(*c->old));
	merge(c);
	rc = check_folding(c, err);
	if (rc == 0 && !c->p->fresh)
		rc = check_bytes(c, err);
	if (rc == 0)
		rc = remove_gone(c, err);
	if (rc == 0)
		rc = make_dirs(c, err);
	if (rc < 0)
		return rc;
	mlb_parallel((c->todo.n + BLOCK - 1) / BLOCK, 1, c->p->threads, do_block, c);
	if (c->err.code != MLB_OK) {
		rc = mlb_err_set(err, c->err.code, "%s", c->err.text);
		mlb_err_release(&c->err);
	}
	return rc;
}

int
mlb_walk_checkout_new(struct mlb_walk *have, const struct mlb_placing *p,
		      const struct mlb_digest *tree, const char *to, const char *nearby,
		      struct mlb_err *err)
{
	struct mlb_buf tmp = MLB_BUF_INIT(64 * MLB_KIB), parent = MLB_BUF_INIT(64 * MLB_KIB);
	struct mlb_placing fresh = *p;
	struct mlb_stat a, b;
	bool near;
	int rc;

	fresh.fresh = true;
	mlb_fs_mkdirs(nearby, NULL);
	mlb_path_dir(&parent, to);
	near = mlb_fs_stat(&a, nearby, NULL) == 0 &&
	       mlb_fs_stat(&b, mlb_buf_str(&parent), NULL) == 0 && a.type == MLB_F_DIR &&
	       a.dev == b.dev;
	rc = mlb_fs_tempdir(&tmp, near ? nearby : mlb_buf_str(&parent), ".mlbuild-", err);
	if (rc == 0)
		rc = mlb_walk_checkout(have, &fresh, tree, mlb_buf_str(&tmp), err);
	if (rc == 0 && chmod(mlb_buf_str(&tmp), 0777 & ~mlb_cas_umask(p->cas)) != 0)
		rc = mlb_err_errno(err, errno, "cannot set the permissions of '%s'", to);
	if (rc == 0)
		rc = mlb_fs_rename(mlb_buf_str(&tmp), to, err);
	if (rc && tmp.len)
		mlb_fs_remove_tree(mlb_buf_str(&tmp), NULL);
	mlb_buf_release(&parent);
	mlb_buf_release(&tmp);
	return rc;
}

int
mlb_walk_checkout(struct mlb_walk *have, const struct mlb_placing *p, const struct mlb_digest *tree,
		  const char *to, struct mlb_err *err)
{
	struct checkout c = { .p = p,
			      .io = mlb_cas_io(p->cas),
			      .to = to,
			      .have = have,
			      .want = MLB_WALK_INIT,
			      .lock = PTHREAD_MUTEX_INITIALIZER,
			      .err = MLB_ERR_INIT,
			      .generation = mlb_cas_generation(p->cas) };
	int rc = mlb_tree_each_dir(p->cas, tree, add_want, &c.want, err);

	c.root = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == 0 && c.root < 0)
		rc = mlb_err_errno(err, errno, "cannot read directory '%s'", to);
	mlb_keep_init(&c.keep, p, to, c.root);
	if (rc == 0)
		rc = do_all(&c, err);
	/* With others' files in it, it has to be looked at again to know what it is. */
	if (rc == 0 && !p->others)
		take_over(&c, tree);
	if (c.root >= 0)
		close(c.root);
	mlb_keep_release(&c.keep);
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
	const struct mlb_placing p = { .cas = cas, .how = how, .threads = mlb_machine_cpus() };
	struct mlb_walk_job job = { .path = ".", .now = MLB_WALK_INIT, .err = MLB_ERR_INIT };
	int rc = mlb_fs_mkdirs(to, err);
	int root = rc < 0 ? -1 : open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (rc == 0 && root < 0)
		rc = mlb_err_errno(err, errno, "cannot read directory '%s'", to);
	if (rc < 0)
		return rc;
	mlb_walk_run(&job, 1, root, p.threads);
	close(root);
	if (job.err.code != MLB_OK) {
		rc = mlb_err_set(err, job.err.code, "%s: %s", to, job.err.text);
		mlb_err_release(&job.err);
	} else {
		rc = mlb_walk_checkout(&job.now, &p, tree, to, err);
	}
	mlb_walk_release(&job.now);
	return rc;
}
