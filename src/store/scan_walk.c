#include "store/scan_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/path.h"
#include "os/pool.h"
#include "store/left_out.h"
#include "store/sort.h"
#include "store/tree.h"

#define SLICE 1024 /* entries of a directory that one task examines */

/* One entry of a directory. */
struct item {
	const char *name; /* a directory's ends in '/' */
	union {
		struct {
			uint64_t ino, size;
			int64_t mtime, ctime;
		} file;
		struct {
			size_t lo, hi; /* what was known of all below it */
			size_t child;  /* index of its struct dir */
		} dir;
	} u;
	size_t old;   /* index in the old list plus one; 0: new */
	uint8_t kind; /* enum mlb_tkind; 0: gone since the directory was read */
	uint8_t flags;
};

/* One directory. */
struct dir {
	struct mlb_walk_job *job;
	const char *path;                 /* below the job's: "" or "a/b/" */
	size_t parent;                    /* index, its own for the first */
	char *names;                      /* of all items */
	struct mlb_left_out *own;         /* rules of its own file, or NULL; owned */
	const struct mlb_left_out *rules; /* a source's: what is left out here; NULL: the defaults */
	struct item *item;                /* sorted by name */
	size_t n;
	size_t n_dirs;       /* how many of them are directories */
	size_t lo, hi;       /* what was known of all below it, in the old list */
	size_t old;          /* its own entry there plus one; 0: new */
	atomic_bool differs; /* from what was known, itself or below */
	bool sliced;         /* its items are examined by slices */
};

struct slice {
	struct dir *dir;
	size_t from, to;
};

struct walk {
	struct dir **dir; /* level by level */
	size_t n, cap;
	size_t level; /* first of the level at work */
	struct slice *slice;
	size_t n_slices;
	int root;
	pthread_mutex_t lock; /* jobs' errors */
	struct mlb_arena arena; /* directories and their paths; only used between the parallel parts */
	struct mlb_left_outs left_outs; /* rules above the jobs' directories; likewise */
};

void
mlb_walk_release(struct mlb_walk *w)
{
	mlb_vec_release(&w->all);
	mlb_arena_release(&w->arena);
	memset(&w->digest, 0, sizeof(w->digest));
	w->size = w->generation = w->ticket = 0;
	w->stored = false;
}

void
mlb_walk_trust(struct mlb_walk *w, uint64_t generation)
{
	if (!generation || w->generation != generation)
		for (size_t i = 0; i < w->all.n; i++)
			w->all.v[i].flags &= (uint8_t)~MLB_SEEN_STORED;
	w->stored &= generation && w->generation == generation;
	w->generation = generation;
}

/* The first error of a job stays. */
static void
fail(struct walk *w, struct mlb_walk_job *job, int errnum, const char *what, const char *path,
     const char *name)
{
	bool here = strcmp(job->path, ".") == 0;
	const char *dir = here ? "" : job->path, *slash = here ? "" : "/";

	pthread_mutex_lock(&w->lock);
	if (errnum)
		mlb_err_errno(&job->err, errnum, "cannot read '%s%s%s%s'", dir, slash, path, name);
	else
		mlb_err_set(&job->err, MLB_EINVALID, "'%s%s%s%s' %s", dir, slash, path, name, what);
	pthread_mutex_unlock(&w->lock);
}

static void
fail_with(struct walk *w, struct mlb_walk_job *job, struct mlb_err *err)
{
	pthread_mutex_lock(&w->lock);
	mlb_err_set(&job->err, err->code, "%s", err->text);
	pthread_mutex_unlock(&w->lock);
	mlb_err_release(err);
}

static bool
failed(struct walk *w, struct mlb_walk_job *job)
{
	bool yes;

	pthread_mutex_lock(&w->lock);
	yes = job->err.code != MLB_OK;
	pthread_mutex_unlock(&w->lock);
	return yes;
}

/* ------------------------------------------------------------ reading a directory */

/* The items of a directory, sorted. */
static void
take_names(struct dir *d, struct mlb_names *names)
{
	const char **name = mlb_calloc(names->at.n + 1, sizeof(*name));
	uint32_t *order = mlb_calloc(names->at.n + 1, sizeof(*order));

	d->n = names->at.n;
	d->names = names->text.v;
	d->item = mlb_calloc(d->n + 1, sizeof(*d->item));
	for (size_t i = 0; i < d->n; i++)
		name[i] = d->names + names->at.v[i];
	mlb_sort_strings(order, name, d->n);
	for (size_t i = 0; i < d->n; i++) {
		const char *s = name[order[i]];

		d->item[i].name = s;
		if (s[strlen(s) - 1] == '/') {
			d->item[i].kind = MLB_T_DIR;
			d->n_dirs++;
		}
	}
	free(order);
	free(name);
}

/* Take out what .mlbuildignore leaves out of a source. */
static int
leave_out(struct dir *d, struct mlb_names *names, int fd, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(SIZE_MAX / 2);
	bool top = strcmp(d->job->path, ".") == 0;
	size_t len, n = 0;
	int rc = 0;

	mlb_buf_addf(&path, "%s%s%s", top ? "" : d->job->path, top ? "" : "/", d->path);
	len = path.len;
	for (size_t i = 0; i < names->at.n && rc == 0 && !d->own; i++)
		if (strcmp(names->text.v + names->at.v[i], MLB_LEFT_OUT_FILE) == 0)
			rc = mlb_left_out_read(&d->own, fd, mlb_buf_str(&path), d->rules, err);
	if (d->own)
		d->rules = d->own;
	for (size_t i = 0; i < names->at.n && rc == 0; i++) {
		const char *name = names->text.v + names->at.v[i];
		size_t name_len = strlen(name);
		bool is_dir = name[name_len - 1] == '/';

		mlb_buf_truncate(&path, len);
		mlb_buf_add(&path, name, name_len - is_dir);
		if (!mlb_left_out_by(d->rules, mlb_buf_str(&path), is_dir))
			names->at.v[n++] = names->at.v[i];
	}
	names->at.n = n;
	mlb_buf_release(&path);
	return rc;
}

static int
open_dir(struct walk *w, const struct dir *d)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOCTTY | O_NONBLOCK;

	return mlb_open_at(w->root, d->job->path, d->path, d->path[0] ? flags | O_NOFOLLOW : flags);
}

/* ------------------------------------------------------------ comparing with what was known */

static bool
stat_fits(const struct mlb_seen *old, const struct item *it)
{
	bool linked = (old->flags & MLB_SEEN_LINKED) && (it->flags & MLB_SEEN_LINKED);

	return old->kind == it->kind && old->ino == it->u.file.ino &&
	       old->size == it->u.file.size && old->mtime == it->u.file.mtime &&
	       (linked || old->ctime == it->u.file.ctime);
}

size_t
mlb_walk_end(const struct mlb_walk *w, size_t i, size_t hi)
{
	const struct mlb_seen *dir = &w->all.v[i];
	size_t lo = i + 1;

	while (lo < hi) { /* all before lo are below the directory, all from hi on are not */
		size_t mid = lo + (hi - lo) / 2;

		if (strncmp(w->all.v[mid].path, dir->path, dir->len) == 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The first old entry of the directory whose name is not below this one. */
static size_t
find_old(const struct dir *d, const char *name)
{
	const struct mlb_walk *old = d->job->old;
	size_t skip = strlen(d->path);
	size_t lo = d->lo, hi = d->hi;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(old->all.v[mid].path + skip, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static size_t
next_old(const struct dir *d, size_t i)
{
	return d->job->old->all.v[i].kind == MLB_T_DIR ? mlb_walk_end(d->job->old, i, d->hi)
						       : i + 1;
}

/* Pair the items of a slice with the old entries; whatever has no partner is a difference. */
static void
compare(struct dir *d, size_t from, size_t to)
{
	size_t skip = strlen(d->path);
	const struct mlb_walk *old = d->job->old;
	size_t at = from == 0 ? d->lo : find_old(d, d->item[from].name);
	size_t end = to == d->n ? d->hi : find_old(d, d->item[to].name);
	bool differs = false;

	for (size_t i = from; i < to; i++) {
		struct item *it = &d->item[i];
		const struct mlb_seen *o;
		int cmp = 1;

		while (at < end && (cmp = strcmp(old->all.v[at].path + skip, it->name)) < 0) {
			differs = true;
			at = next_old(d, at);
		}
		if (at >= end || cmp != 0) {
			differs = true;
			continue;
		}
		o = &old->all.v[at];
		it->old = at + 1;
		at = next_old(d, at);
		if (it->kind == MLB_T_DIR) {
			it->u.dir.lo = it->old;
			it->u.dir.hi = at;
		} else if (stat_fits(o, it) && (o->flags & MLB_SEEN_KNOWN) &&
			   !(o->flags & MLB_SEEN_RACY)) {
			it->flags |= MLB_SEEN_KNOWN;
		} else {
			differs = true;
		}
	}
	if (differs || at < end)
		atomic_store(&d->differs, true);
}

/* ------------------------------------------------------------ tasks */

static void
stat_item(struct walk *w, struct dir *d, struct item *it, int fd)
{
	struct mlb_stat st;
	int errnum = mlb_stat_at(&st, fd, it->name, false);

	if (errnum) {
		fail(w, d->job, errnum, NULL, d->path, it->name);
		return;
	}
	it->u.file.ino = st.ino;
	it->u.file.size = st.size;
	it->u.file.mtime = st.mtime;
	it->u.file.ctime = st.ctime;
	it->flags = st.type == MLB_F_FILE && st.nlink > 1 ? MLB_SEEN_LINKED : 0;
	switch (st.type) {
	case MLB_F_FILE:
		it->kind = st.exec ? MLB_T_EXEC : MLB_T_FILE;
		break;
	case MLB_F_SYMLINK:
		it->kind = MLB_T_LINK;
		break;
	case MLB_F_ABSENT:
		it->kind = 0;
		break;
	case MLB_F_DIR:
		fail(w, d->job, 0, "changed while it was read: try again", d->path, it->name);
		break;
	default:
		fail(w, d->job, 0, "is a socket, pipe or device: remove it from the directory",
		     d->path, it->name);
	}
}

static void
examine(struct walk *w, struct dir *d, size_t from, size_t to, int fd)
{
	for (size_t i = from; i < to; i++)
		if (d->item[i].kind != MLB_T_DIR)
			stat_item(w, d, &d->item[i], fd);
	if (d->job->old)
		compare(d, from, to);
}

static void
read_dir(void *ctx, size_t i)
{
	struct walk *w = ctx;
	struct dir *d = w->dir[w->level + i];
	struct mlb_names names = { MLB_VEC_INIT, MLB_VEC_INIT };
	struct mlb_err err = MLB_ERR_INIT;
	const char *bad = NULL;
	DIR *stream;
	int fd, errnum;

	if (failed(w, d->job))
		return;
	fd = open_dir(w, d);
	stream = fd >= 0 ? fdopendir(fd) : NULL;
	if (!stream) {
		fail(w, d->job, errno, NULL, d->path, "");
		if (fd >= 0)
			close(fd);
		return;
	}
	errnum = mlb_names_read(&names, stream, &bad);
	if (errnum)
		fail(w, d->job, errnum, NULL, d->path, "");
	if (bad)
		fail(w, d->job, 0, "cannot be stored: remove it from the directory", d->path, bad);
	if (d->job->source && leave_out(d, &names, fd, &err) < 0)
		fail_with(w, d->job, &err);
	take_names(d, &names);
	mlb_vec_release(&names.at);
	if (d->n > SLICE)
		d->sliced = true;
	else if (!errnum && !bad)
		examine(w, d, 0, d->n, fd);
	closedir(stream);
}

static void
read_slice(void *ctx, size_t i)
{
	struct walk *w = ctx;
	const struct slice *s = &w->slice[i];
	int fd;

	if (failed(w, s->dir->job))
		return;
	fd = open_dir(w, s->dir);
	if (fd < 0) {
		fail(w, s->dir->job, errno, NULL, s->dir->path, "");
		return;
	}
	examine(w, s->dir, s->from, s->to, fd);
	close(fd);
}

/* ------------------------------------------------------------ level by level */

static struct dir *
add_dir(struct walk *w, struct mlb_walk_job *job, const char *path, size_t parent)
{
	struct dir *d = mlb_arena_alloc(&w->arena, sizeof(*d));

	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->dir = mlb_realloc(w->dir, w->cap, sizeof(struct dir *));
	}
	w->dir[w->n++] = d;
	d->job = job;
	d->path = path;
	d->parent = parent;
	atomic_init(&d->differs, false);
	return d;
}

static void
slice_level(struct walk *w, size_t end)
{
	MLB_VEC(struct slice) all = MLB_VEC_INIT;

	for (size_t i = w->level; i < end; i++) {
		struct dir *d = w->dir[i];

		for (size_t at = 0; d->sliced && at < d->n; at += SLICE) {
			struct slice s = { d, at, MLB_MIN(at + SLICE, d->n) };

			mlb_vec_push(&all, s);
		}
	}
	w->slice = all.v;
	w->n_slices = all.n;
}

static void
add_children(struct walk *w, size_t end)
{
	for (size_t i = w->level; i < end; i++) {
		struct dir *d = w->dir[i];
		size_t left = d->n_dirs;

		for (size_t k = 0; left > 0; k++) {
			struct item *it = &d->item[k];
			struct dir *child;

			if (it->kind != MLB_T_DIR)
				continue;
			left--;
			child = add_dir(w, d->job,
					mlb_arena_printf(&w->arena, "%s%s", d->path, it->name), i);
			child->lo = it->u.dir.lo;
			child->hi = it->u.dir.hi;
			child->old = it->old;
			child->rules = d->rules;
			it->u.dir.child = w->n - 1;
		}
	}
}

static void
walk_levels(struct walk *w, unsigned threads)
{
	while (w->level < w->n) {
		size_t end = w->n;

		mlb_parallel(end - w->level, 1, threads, read_dir, w);
		slice_level(w, end);
		if (w->n_slices)
			mlb_parallel(w->n_slices, 1, threads, read_slice, w);
		free(w->slice);
		w->slice = NULL;
		add_children(w, end);
		w->level = end;
	}
}

/* ------------------------------------------------------------ the result */

static void
take_item(struct mlb_walk *out, const struct walk *w, const struct dir *d, const struct item *it)
{
	const struct mlb_seen *old = it->old ? &d->job->old->all.v[it->old - 1] : NULL;
	struct mlb_seen seen = { .kind = it->kind, .flags = it->flags };
	size_t dir_len = strlen(d->path), len = strlen(it->name);
	char *path = mlb_arena_alloc(&out->arena, dir_len + len + 1);

	memcpy(path, d->path, dir_len);
	memcpy(path + dir_len, it->name, len + 1);
	seen.path = path;
	seen.len = (uint32_t)(dir_len + len);
	if (it->kind == MLB_T_DIR) {
		if (old && (old->flags & MLB_SEEN_KNOWN) &&
		    !atomic_load(&w->dir[it->u.dir.child]->differs)) {
			seen.flags |= MLB_SEEN_KNOWN;
			seen.size = old->size;
		}
	} else {
		seen.ino = it->u.file.ino;
		seen.size = it->u.file.size;
		seen.mtime = it->u.file.mtime;
		seen.ctime = it->u.file.ctime;
	}
	if (old && (seen.flags & MLB_SEEN_KNOWN)) {
		seen.digest = old->digest;
		seen.flags |= old->flags & MLB_SEEN_STORED;
	}
	mlb_vec_push(&out->all, seen);
}

/* The list of all below a job's first directory, in order of path. */
static void
take_list(struct mlb_walk *out, const struct walk *w, size_t first)
{
	struct place {
		size_t dir, next;
	} at = { first, 0 };
	MLB_VEC(struct place) above = MLB_VEC_INIT;

	for (;;) {
		const struct dir *d = w->dir[at.dir];

		if (at.next < d->n) {
			const struct item *it = &d->item[at.next++];

			if (it->kind == 0)
				continue;
			take_item(out, w, d, it);
			if (it->kind == MLB_T_DIR) {
				mlb_vec_push(&above, at);
				at.dir = it->u.dir.child;
				at.next = 0;
			}
		} else if (above.n) {
			at = above.v[--above.n];
		} else {
			break;
		}
	}
	mlb_vec_release(&above);
}

static void
finish(struct walk *w, struct mlb_walk_job *job, size_t n)
{
	for (size_t i = w->n; i-- > n;) /* children come after their parents */
		if (atomic_load(&w->dir[i]->differs) || !w->dir[i]->old)
			atomic_store(&w->dir[w->dir[i]->parent]->differs, true);
	for (size_t i = 0; i < n; i++) {
		if (job[i].err.code != MLB_OK)
			continue;
		job[i].same = job[i].old && !atomic_load(&w->dir[i]->differs);
		if (job[i].same)
			continue;
		take_list(&job[i].now, w, i);
		if (job[i].old) {
			job[i].now.generation = job[i].old->generation;
			job[i].now.ticket = job[i].old->ticket;
		}
	}
	for (size_t i = 0; i < w->n; i++) {
		free(w->dir[i]->names);
		mlb_left_out_free(w->dir[i]->own);
		free(w->dir[i]->item);
	}
}

/* The rules above a source; its own directory's file is read when its names are. */
static void
begin_source(struct walk *w, struct dir *d)
{
	struct mlb_buf above = MLB_BUF_INIT(SIZE_MAX / 2);

	if (strcmp(d->job->path, ".") != 0) {
		mlb_path_dir(&above, d->job->path);
		d->rules = mlb_left_outs_in(&w->left_outs, mlb_buf_str(&above));
	}
	if (w->left_outs.err.code != MLB_OK)
		mlb_err_set(&d->job->err, w->left_outs.err.code, "%s", w->left_outs.err.text);
	mlb_buf_release(&above);
}

void
mlb_walk_run(struct mlb_walk_job *job, size_t n, int root, unsigned threads)
{
	struct walk w = { .root = root, .arena = MLB_ARENA_INIT };

	pthread_mutex_init(&w.lock, NULL);
	mlb_left_outs_init(&w.left_outs, root);
	for (size_t i = 0; i < n; i++) {
		struct dir *d = add_dir(&w, &job[i], "", i);

		if (job[i].old)
			d->hi = job[i].old->all.n;
		if (job[i].source)
			begin_source(&w, d);
	}
	walk_levels(&w, threads);
	finish(&w, job, n);
	free(w.dir);
	mlb_left_outs_release(&w.left_outs);
	mlb_arena_release(&w.arena);
	pthread_mutex_destroy(&w.lock);
}
