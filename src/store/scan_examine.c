/* From stats to states: what still holds, what must be read, what that gave. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/path.h"
#include "os/pool.h"
#include "store/scan_priv.h"
#include "store/tree.h"

/* A file that must be read. */
struct file {
	size_t i; /* path */
	struct mlb_seen seen;
	struct mlb_cas *cas; /* where it is stored; NULL: nowhere */
	struct mlb_err err;
};

/* A directory that must be walked. */
struct dir {
	size_t i; /* path */
	struct mlb_walk_job *job;
	struct mlb_cas *cas; /* where it is stored; NULL: nowhere */
	bool was_stored;
};

struct work {
	struct mlb_examine *x;
	MLB_VEC(struct file) file;
	MLB_VEC(struct dir) dir;
	MLB_VEC(size_t) listing; /* paths */
	struct mlb_walk_job *job;
	struct mlb_readings todo;
	uint64_t generation; /* of the store, before anything is said to be there */
};

int
mlb_scan_look(const struct mlb_scan *s, size_t i, struct mlb_stat *st, struct mlb_err *err)
{
	int errnum = mlb_stat_at(st, s->own->root, s->path[i], false);

	if (errnum == 0 && st->type == MLB_F_SYMLINK) {
		errnum = mlb_stat_at(st, s->own->root, s->path[i], true);
		if (errnum == 0 && st->type == MLB_F_ABSENT)
			return mlb_err_set(err, MLB_EINVALID, "'%s' is a link to nothing",
					   s->path[i]);
	}
	if (errnum)
		return mlb_err_errno(err, errnum, "cannot examine '%s'", s->path[i]);
	if (st->type == MLB_F_OTHER)
		return mlb_err_set(err, MLB_EINVALID, "'%s' is neither file nor directory",
				   s->path[i]);
	return 0;
}

bool
mlb_scan_fits(const struct mlb_path_state *p, const struct mlb_stat *st)
{
	bool linked = st->type == MLB_F_FILE && st->nlink > 1 && p->st.nlink > 1;

	return p->st.type == st->type && p->st.exec == (st->type == MLB_F_FILE && st->exec) &&
	       p->st.ino == st->ino && p->st.size == st->size && p->st.mtime == st->mtime &&
	       (linked || p->st.ctime == st->ctime);
}

static void
set_stat(struct mlb_path_state *p, const struct mlb_stat *st)
{
	p->st = *st;
	if (st->type != MLB_F_FILE)
		p->st.exec = false;
}

void
mlb_scan_settle(struct mlb_path_state *p, uint8_t kind, const struct mlb_digest *digest,
		uint64_t size)
{
	static const struct mlb_digest none;
	const struct mlb_digest *d = digest ? digest : &none;

	if (p->kind != kind || !mlb_digest_equal(&p->digest, d))
		p->changed = p->dirty = true;
	p->kind = kind;
	p->digest = *d;
	p->size = size;
}

void
mlb_scan_take_walk(struct mlb_path_state *p, struct mlb_walk *walk)
{
	if (p->walk) {
		mlb_walk_release(p->walk);
		free(p->walk);
	}
	p->walk = walk;
}

/* ------------------------------------------------------------ problems */

void
mlb_scan_problem_add(struct mlb_scan *s, size_t i, struct mlb_err *err)
{
	struct mlb_scan_own *own = s->own;

	pthread_mutex_lock(&own->lock);
	if (!own->problem)
		own->problem = mlb_calloc(s->n, sizeof(char *));
	free(own->problem[i]);
	own->problem[i] = err->text;
	pthread_mutex_unlock(&own->lock);
	err->text = NULL;
	mlb_err_release(err);
}

const char *
mlb_scan_problem(const struct mlb_scan *s, size_t i)
{
	const char *text = NULL;

	pthread_mutex_lock(&s->own->lock);
	if (s->state[i].kind == MLB_P_BAD && s->own->problem)
		text = s->own->problem[i];
	pthread_mutex_unlock(&s->own->lock);
	return text ? text : "";
}

static void
settle_bad(struct mlb_path_state *p)
{
	mlb_scan_take_walk(p, NULL);
	mlb_scan_settle(p, MLB_P_BAD, NULL, 0);
}

static void
settle_error(struct mlb_scan *s, size_t i, struct mlb_err *err)
{
	mlb_scan_problem_add(s, i, err);
	settle_bad(&s->state[i]);
}

/* ------------------------------------------------------------ sorting out */

static uint8_t
kind_of(const struct mlb_stat *st)
{
	switch (st->type) {
	case MLB_F_ABSENT:
		return MLB_P_ABSENT;
	case MLB_F_FILE:
		return st->exec ? MLB_P_EXEC : MLB_P_FILE;
	case MLB_F_DIR:
		return MLB_P_TREE;
	default:
		return MLB_P_BAD;
	}
}

/* Only a state of being there: the row's digest, if any, is left to whoever wants content. */
static void
settle_exists(struct mlb_path_state *p, const struct mlb_stat *st)
{
	uint8_t kind = kind_of(st);
	uint8_t known = p->kind == MLB_P_LISTING ? MLB_P_TREE : p->kind;

	set_stat(p, st);
	if (kind != known) {
		mlb_scan_settle(p, kind, NULL, st->size);
	} else {
		p->kind = kind;
		memset(&p->digest, 0, sizeof(p->digest));
	}
}

static bool
is_known(const struct work *w, const struct mlb_path_state *p, uint8_t kind,
	 const struct mlb_stat *st)
{
	struct mlb_cas *cas = w->x->cas;

	return p->kind == kind && p->racy != MLB_RACY_YES && !mlb_digest_is_zero(&p->digest) &&
	       mlb_scan_fits(p, st) && (!cas || mlb_cas_has(cas, &p->digest));
}

/* Where a path that must be read is stored, or NULL. */
static struct mlb_cas *
store_of(struct work *w, size_t i, bool tree)
{
	struct mlb_scan *s = w->x->s;
	struct mlb_cas *cas = w->x->cas;

	if (!cas && w->x->ask && s->store)
		cas = s->store(s->store_ctx, i, tree);
	if (cas && !w->generation)
		w->generation = mlb_cas_generation(cas);
	return cas;
}

static void
sort_out(struct work *w, size_t i, const struct mlb_stat *st)
{
	struct mlb_path_state *p = &w->x->s->state[i];
	uint8_t kind = kind_of(st);

	if (kind == MLB_P_TREE && p->want == MLB_WANT_LISTING)
		kind = MLB_P_LISTING;
	if (kind == MLB_P_BAD) {
		settle_bad(p);
	} else if (p->want == MLB_WANT_EXISTS) {
		settle_exists(p, st);
	} else if (kind == MLB_P_ABSENT) {
		set_stat(p, st);
		mlb_scan_take_walk(p, NULL);
		mlb_scan_settle(p, kind, NULL, 0);
	} else if (kind == MLB_P_TREE) {
		struct dir d = { i, NULL, NULL, false };

		set_stat(p, st);
		mlb_vec_push(&w->dir, d);
	} else if (is_known(w, p, kind, st)) {
		set_stat(p, st);
	} else if (kind == MLB_P_LISTING) {
		set_stat(p, st);
		mlb_vec_push(&w->listing, i);
	} else {
		struct file f = {
			i, { .path = w->x->s->path[i] }, store_of(w, i, false), MLB_ERR_INIT
		};

		mlb_seen_stat(&f.seen, st);
		p->st.dev = st->dev;
		mlb_vec_push(&w->file, f);
	}
}

/* ------------------------------------------------------------ walking, reading, settling */

static struct mlb_walk *
walk_of(struct work *w, const struct dir *d)
{
	return d->job->same ? w->x->s->state[d->i].walk : &d->job->now;
}

static bool
must_read(const struct work *w, const struct dir *d)
{
	return d->job->err.code == MLB_OK && (!d->job->same || w->x->cas);
}

static void
add_readings(struct work *w, struct dir *d)
{
	struct mlb_walk *walk = walk_of(w, d);

	d->cas = store_of(w, d->i, true);
	if (d->cas)
		mlb_walk_trust(walk, w->generation);
	d->was_stored = walk->stored;
	mlb_readings_add(&w->todo, walk, d->job->path, d->cas,
			 w->x->cas ? MLB_READ_ALL : MLB_READ_NEW, &d->job->err);
}

static void
walk_dirs(struct work *w)
{
	struct mlb_scan *s = w->x->s;

	w->job = mlb_calloc(w->dir.n + 1, sizeof(*w->job));
	for (size_t k = 0; k < w->dir.n; k++) {
		w->dir.v[k].job = &w->job[k];
		w->job[k].path = s->path[w->dir.v[k].i];
		w->job[k].old = s->state[w->dir.v[k].i].walk;
		w->job[k].source = s->state[w->dir.v[k].i].source;
	}
	mlb_walk_run(w->job, w->dir.n, s->own->root, s->threads);
	for (size_t k = 0; k < w->dir.n; k++)
		if (must_read(w, &w->dir.v[k]))
			add_readings(w, &w->dir.v[k]);
}

/* Set the file system's time; where there is no clock everything is racy. */
static void
set_clock(struct work *w)
{
	struct mlb_err err = MLB_ERR_INIT;

	if (mlb_readings_clock(&w->todo, w->x->s->own->clock_dir, &err) < 0) {
		w->todo.now = INT64_MIN;
		mlb_err_release(&err);
	}
}

static void
read_all(struct work *w)
{
	for (size_t k = 0; k < w->file.n; k++) {
		struct file *f = &w->file.v[k];
		struct mlb_reading r = { &f->seen,   NULL,   f->seen.path, true,
					 !w->x->cas, f->cas, &f->err };

		mlb_vec_push(&w->todo.todo, r);
	}
	if (w->todo.todo.n || w->listing.n)
		set_clock(w);
	if (w->todo.todo.n)
		w->x->stopped = !mlb_readings_run(&w->todo, w->x->s->threads);
}

static void
settle_file(struct mlb_scan *s, struct file *f)
{
	struct mlb_path_state *p = &s->state[f->i];
	struct mlb_stat st = { .dev = p->st.dev, .type = MLB_F_FILE };
	bool exec = f->seen.kind == MLB_T_EXEC;

	if (f->err.code != MLB_OK) {
		settle_error(s, f->i, &f->err);
		return;
	}
	st.ino = f->seen.ino;
	st.size = f->seen.size;
	st.mtime = f->seen.mtime;
	st.ctime = f->seen.ctime;
	st.nlink = f->seen.flags & MLB_SEEN_LINKED ? 2 : 1;
	st.exec = exec;
	mlb_scan_take_walk(p, NULL);
	mlb_scan_settle(p, exec ? MLB_P_EXEC : MLB_P_FILE, &f->seen.digest, st.size);
	p->st = st;
	p->racy = f->seen.flags & MLB_SEEN_RACY ? MLB_RACY_YES : MLB_RACY_NO;
	p->dirty = true;
}

static void
make_nodes(void *ctx, size_t k)
{
	struct work *w = ctx;
	struct dir *d = &w->dir.v[k];
	struct mlb_walk *walk = walk_of(w, d);

	if (!must_read(w, d))
		return;
	if (mlb_walk_nodes(walk, d->cas, &d->job->err) < 0 && d->cas && !w->x->cas) {
		mlb_err_release(&d->job->err);
		mlb_walk_nodes(walk, NULL, &d->job->err);
	}
	if (d->cas)
		walk->ticket = mlb_cas_ticket(d->cas);
}

static void
settle_dir(struct work *w, struct dir *d)
{
	struct mlb_path_state *p = &w->x->s->state[d->i];
	struct mlb_walk_job *job = d->job;

	if (job->err.code != MLB_OK) {
		mlb_err_wrap(&job->err, "directory '%s'", job->path);
		settle_error(w->x->s, d->i, &job->err);
		mlb_walk_release(&job->now);
		return;
	}
	if (!job->same) {
		struct mlb_walk *walk = mlb_calloc(1, sizeof(*walk));

		*walk = job->now;
		mlb_scan_take_walk(p, walk);
		p->dirty = true;
	}
	p->dirty |= d->cas && p->walk->stored && !d->was_stored;
	mlb_scan_settle(p, MLB_P_TREE, &p->walk->digest, p->walk->size);
	p->racy = MLB_RACY_NO;
}

static void
settle_listing(struct work *w, size_t i)
{
	struct mlb_scan *s = w->x->s;
	struct mlb_path_state *p = &s->state[i];
	struct mlb_buf path = MLB_BUF_INIT(64 * MLB_KIB);
	struct mlb_dirents entries = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest digest;

	mlb_path_join(&path, s->root, s->path[i]);
	if (mlb_fs_list(&entries, mlb_buf_str(&path), &err) < 0) {
		settle_error(s, i, &err);
	} else {
		mlb_listing_digest(&entries, &digest);
		mlb_scan_settle(p, MLB_P_LISTING, &digest, 0);
		p->racy = mlb_racy(p->st.ctime, w->todo.now) ? MLB_RACY_YES : MLB_RACY_NO;
		p->dirty = true;
	}
	mlb_dirents_release(&entries);
	mlb_buf_release(&path);
}

void
mlb_scan_examine(struct mlb_examine *x)
{
	struct mlb_scan *s = x->s;
	struct work w = { .x = x, .todo = { .root = s->own->root, .root_dir = s->root } };

	w.todo.unless = x->unless;
	if (x->ask) {
		w.todo.progress = s->progress;
		w.todo.progress_ctx = s->progress_ctx;
	}
	for (size_t k = 0; k < x->n; k++)
		sort_out(&w, x->which ? x->which[k] : k, &x->now[k]);
	if (w.dir.n)
		walk_dirs(&w);
	read_all(&w);
	if (w.dir.n && !x->stopped)
		mlb_parallel(w.dir.n, 1, s->threads, make_nodes, &w);
	for (size_t k = 0; k < w.file.n; k++)
		settle_file(s, &w.file.v[k]);
	for (size_t k = 0; k < w.dir.n; k++)
		settle_dir(&w, &w.dir.v[k]);
	for (size_t k = 0; k < w.listing.n; k++)
		settle_listing(&w, w.listing.v[k]);
	free(w.job);
	mlb_vec_release(&w.file);
	mlb_vec_release(&w.dir);
	mlb_vec_release(&w.listing);
	mlb_vec_release(&w.todo.todo);
}
