/* One path of a scan at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/path.h"
#include "store/scan_priv.h"
#include "store/tree.h"

/* False: it was not to go on. */
static bool
examine(struct mlb_scan *s, size_t i, struct mlb_cas *cas, const struct mlb_io *unless)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_stat now;
	struct mlb_examine x = {
		.s = s, .which = &i, .n = 1, .now = &now, .cas = cas, .unless = unless
	};

	if (mlb_scan_look(s, i, &now, &err) < 0) {
		now.type = MLB_F_OTHER;
		mlb_scan_problem_add(s, i, &err);
	}
	mlb_scan_examine(&x);
	return !x.stopped;
}

int
mlb_scan_again(struct mlb_scan *s, size_t i, bool *changed, struct mlb_err *err MLB_UNUSED)
{
	struct mlb_path_state *p = &s->state[i];
	struct mlb_digest digest = p->digest;
	uint8_t kind = p->kind;

	examine(s, i, NULL, NULL);
	*changed = p->kind != kind || !mlb_digest_equal(&p->digest, &digest);
	return 0;
}

bool
mlb_scan_moved(const struct mlb_scan *s, size_t i)
{
	struct mlb_stat now;

	return mlb_scan_look(s, i, &now, NULL) < 0 || !mlb_scan_fits(&s->state[i], &now);
}

size_t
mlb_scan_entries(const struct mlb_scan *s, size_t i)
{
	return s->state[i].walk ? s->state[i].walk->all.n : 0;
}

static const struct mlb_seen *
find_seen(const struct mlb_walk *w, const char *path)
{
	size_t lo = 0, hi = w ? w->all.n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(w->all.v[mid].path, path);

		if (c == 0)
			return &w->all.v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* What is known of a file of the tree at path i; NULL: nothing. */
static const struct mlb_seen *
file_of_tree(const struct mlb_scan *s, size_t i, const char *file)
{
	size_t len = strlen(s->path[i]);

	if (strncmp(file, s->path[i], len) != 0 || file[len] != '/')
		return NULL;
	return find_seen(s->state[i].walk, file + len + 1);
}

bool
mlb_scan_file(const struct mlb_scan *s, size_t i, const char *file, struct mlb_digest *digest,
	      bool *exec, uint64_t *size)
{
	const struct mlb_seen *f = file_of_tree(s, i, file);

	if (!f || !(f->flags & MLB_SEEN_KNOWN) || (f->kind != MLB_T_FILE && f->kind != MLB_T_EXEC))
		return false;
	*digest = f->digest;
	*exec = f->kind == MLB_T_EXEC;
	*size = f->size;
	return true;
}

bool
mlb_scan_file_moved(const struct mlb_scan *s, size_t i, const char *file)
{
	const struct mlb_seen *was = file_of_tree(s, i, file);
	struct mlb_seen now;
	struct mlb_stat st;

	if (!was || !(was->flags & MLB_SEEN_KNOWN) || was->flags & MLB_SEEN_RACY ||
	    mlb_stat_at(&st, s->own->root, file, false) || st.type != MLB_F_FILE)
		return true;
	mlb_seen_stat(&now, &st);
	return now.kind != was->kind || now.ino != was->ino || now.size != was->size ||
	       now.mtime != was->mtime ||
	       (now.ctime != was->ctime && !(now.flags & was->flags & MLB_SEEN_LINKED));
}

/* What is in the directory now, as far as it is known; *out is owned by the caller. */
static int
walk_now(struct mlb_walk *out, struct mlb_scan *s, size_t i, struct mlb_err *err)
{
	struct mlb_path_state *p = &s->state[i];
	struct mlb_walk_job job = {
		.path = s->path[i],
		.old = p->walk,
		.source = p->source,
		.now = MLB_WALK_INIT,
		.err = MLB_ERR_INIT,
	};
	int rc = 0;

	mlb_walk_run(&job, 1, s->own->root, s->threads);
	if (job.err.code != MLB_OK) {
		rc = mlb_err_set(err, job.err.code, "%s", job.err.text);
		mlb_err_release(&job.err);
		mlb_walk_release(&job.now);
	} else if (job.same) {
		*out = *p->walk;
		*p->walk = (struct mlb_walk)MLB_WALK_INIT;
	} else {
		*out = job.now;
	}
	return rc;
}

int
mlb_scan_set(struct mlb_scan *s, size_t i, uint8_t kind, const struct mlb_digest *digest,
	     uint64_t size, struct mlb_err *err)
{
	struct mlb_path_state *p = &s->state[i];
	struct mlb_walk *walk = NULL;
	struct mlb_stat now;
	int rc = mlb_scan_look(s, i, &now, err);

	mlb_scan_take_walk(p, NULL);
	if (rc == 0 && kind == MLB_P_TREE) {
		/* Which files there are belongs to the row: without, an emptied directory would fit it. */
		walk = mlb_calloc(1, sizeof(*walk));
		rc = walk_now(walk, s, i, err);
	}
	if (rc < 0) {
		free(walk);
		return rc;
	}
	if (walk) {
		walk->digest = *digest;
		walk->size = size;
	}
	mlb_scan_take_walk(p, walk);
	mlb_scan_settle(p, kind, digest, size);
	p->st = now;
	p->racy = MLB_RACY_AT_SAVE;
	p->dirty = true;
	return 0;
}

/* The last files may have been written too short a time ago to trust their stat. */
static void
mark_racy(const struct mlb_scan *s, struct mlb_walk *w)
{
	int64_t now;

	if (mlb_clock_in(&now, s->own->clock_dir, NULL) < 0)
		now = INT64_MIN;
	for (size_t i = 0; i < w->all.n; i++)
		if (w->all.v[i].kind != MLB_T_DIR && mlb_racy(w->all.v[i].ctime, now))
			w->all.v[i].flags |= MLB_SEEN_RACY;
}

int
mlb_scan_checkout(struct mlb_scan *s, size_t i, const struct mlb_placing *placing,
		  const struct mlb_digest *tree, struct mlb_err *err)
{
	struct mlb_path_state *p = &s->state[i];
	struct mlb_walk *walk = mlb_calloc(1, sizeof(*walk));
	struct mlb_buf path = MLB_BUF_INIT(64 * MLB_KIB);
	struct mlb_stat st;
	int rc;

	mlb_path_join(&path, s->root, s->path[i]);
	rc = mlb_fs_lstat(&st, mlb_buf_str(&path), err);
	if (rc == 0 && st.type == MLB_F_ABSENT) {
		rc = mlb_fs_mkparents(mlb_buf_str(&path), err);
		if (rc == 0)
			rc = mlb_walk_checkout_new(walk, placing, tree, mlb_buf_str(&path),
						   s->own->clock_dir, err);
	} else if (rc == 0) {
		if (placing->scanned && p->kind == MLB_P_TREE && p->walk) {
			*walk = *p->walk;
			*p->walk = (struct mlb_walk)MLB_WALK_INIT;
		} else {
			rc = walk_now(walk, s, i, err);
		}
		if (rc == 0)
			rc = mlb_walk_checkout(walk, placing, tree, mlb_buf_str(&path), err);
	}
	if (rc == 0 && !placing->others) {
		uint64_t size = walk->size;

		mark_racy(s, walk);
		mlb_scan_take_walk(p, walk);
		mlb_scan_settle(p, MLB_P_TREE, tree, size);
		p->racy = MLB_RACY_NO;
		p->dirty = true;
		rc = mlb_scan_look(s, i, &p->st, err);
	} else {
		mlb_walk_release(walk);
		free(walk);
		mlb_scan_take_walk(p, NULL);
		mlb_scan_settle(p, MLB_P_UNKNOWN, NULL, 0);
	}
	if (rc == 0 && placing->others)
		examine(s, i, NULL, NULL);
	mlb_buf_release(&path);
	return rc;
}

bool
mlb_scan_stored(const struct mlb_scan *s, size_t i, struct mlb_cas *cas)
{
	const struct mlb_path_state *p = &s->state[i];

	return p->kind == MLB_P_TREE && p->walk && p->walk->stored && p->walk->generation &&
	       p->walk->generation == mlb_cas_generation(cas);
}

int
mlb_scan_store(struct mlb_scan *s, size_t i, struct mlb_cas *cas, struct mlb_err *err)
{
	const struct mlb_path_state *p = &s->state[i];

	if (!examine(s, i, cas, s->unless))
		return mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	if (p->kind == MLB_P_ABSENT)
		return mlb_err_set(err, MLB_ENOTFOUND, "'%s' does not exist", s->path[i]);
	if (p->kind == MLB_P_BAD)
		return mlb_err_set(err, MLB_EINVALID, "%s", mlb_scan_problem(s, i));
	return 0;
}
