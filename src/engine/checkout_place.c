/* One output of a checkout into the workspace. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/checkout.h"
#include "os/fs.h"
#include "os/path.h"

/* An output at its place. */
struct spot {
	struct mlb_checkout_item *it;
	struct mlb_checkout_run *c;
	char *full;
	char *aside;
	struct mlb_placed count;
};

/* Has the cache what is there now? */
static bool
is_recoverable(const struct spot *s, const struct mlb_stat *st)
{
	struct mlb_path_state *state = &s->c->scan.state[s->it->at];
	bool changed;

	if (st->type == MLB_F_SYMLINK)
		return false;
	if ((st->type == MLB_F_DIR || mlb_scan_moved(&s->c->scan, s->it->at)) &&
	    mlb_scan_again(&s->c->scan, s->it->at, &changed, NULL) < 0)
		return false;
	return !mlb_digest_is_zero(&state->digest) && mlb_cas_has(s->c->p->cas, &state->digest);
}

/* What is there leaves the way: for good only if the cache has it, or if that was asked for. */
static int
clear_way(struct spot *s, const struct mlb_stat *st, struct mlb_err *err)
{
	int rc;

	if (s->c->opt->force || is_recoverable(s, st))
		return st->type == MLB_F_DIR ? mlb_fs_remove_tree(s->full, err) : 0;
	rc = mlb_fs_mkparents(s->aside, err);
	if (rc == 0)
		rc = mlb_fs_move(s->full, s->aside, err);
	if (rc == 0)
		mlb_placed_add(&s->count, 0, 0, 0, 1);
	s->it->kept_dir = rc == 0 && st->type == MLB_F_DIR;
	return rc;
}

static int
place_tree(struct spot *s, const struct mlb_stat *st, struct mlb_err *err)
{
	const struct mlb_placing p = {
		.cas = s->c->p->cas,
		.how = s->c->how,
		.threads = s->it->threads,
		.scanned = true,
		.force = s->c->opt->force,
		.aside = s->c->opt->force ? NULL : s->aside,
		.count = &s->count,
		.stop = &s->c->stop,
	};
	int rc = 0;

	if (st->type != MLB_F_ABSENT && st->type != MLB_F_DIR) {
		rc = clear_way(s, st, err);
		if (rc == 0)
			rc = mlb_fs_unlink(s->full, err);
	}
	return rc ? rc : mlb_scan_checkout(&s->c->scan, s->it->at, &p, &s->it->l->digest, err);
}

static int
place_file(struct spot *s, const struct mlb_stat *st, struct mlb_err *err)
{
	const struct mlb_locked *l = s->it->l;
	int rc = st->type == MLB_F_ABSENT ? mlb_fs_mkparents(s->full, err) : clear_way(s, st, err);

	if (rc == 0)
		rc = mlb_cas_link(s->c->p->cas, &l->digest, s->full, l->okind == MLB_O_EXEC,
				  s->c->how, err);
	if (rc == 0)
		mlb_placed_add(&s->count, 1, l->size, 0, 0);
	return rc;
}

void
mlb_checkout_work(struct mlb_task *t)
{
	struct mlb_checkout_item *it = (struct mlb_checkout_item *)t;
	struct spot s = { .it = it, .c = it->c, .count = { .all = &it->c->count } };
	struct mlb_stat st;
	int rc = 0;

	if (atomic_load(&it->c->stop)) {
		mlb_err_set(&it->err, MLB_EINTERRUPTED, "interrupted");
		return;
	}
	s.full = mlb_project_path(it->c->p, it->l->path);
	s.aside = mlb_asprintf("%s/%s", it->c->aside, it->l->path);
	rc = mlb_fs_lstat(&st, s.full, &it->err);
	if (rc == 0 && it->l->source && st.type == MLB_F_SYMLINK)
		it->skipped = true; /* whatever it leads to is not the project's */
	else if (rc == 0 && !mlb_cas_has(it->c->p->cas, &it->l->digest))
		mlb_err_set(&it->err, MLB_ENOTFOUND, "'%s' is not in the cache", it->l->path);
	else if (rc == 0 && it->l->okind == MLB_O_TREE)
		place_tree(&s, &st, &it->err);
	else if (rc == 0)
		place_file(&s, &st, &it->err);
	atomic_store(&it->kept, atomic_load(&s.count.kept));
	free(s.aside);
	free(s.full);
}
