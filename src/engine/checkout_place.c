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
	char *parked; /* where what was in the way is until all is well; NULL: nowhere */
	char *going;  /* the directory around it, if it goes then */
	struct mlb_placed count;
	struct mlb_placing placing;
};

/* Has the cache what is there now? Of a directory that is not known: names that are ignored are in no digest. */
static bool
is_recoverable(const struct spot *s, const struct mlb_stat *st)
{
	struct mlb_path_state *state = &s->c->scan.state[s->it->at];
	bool changed;

	if (st->type != MLB_F_FILE)
		return false;
	if (mlb_scan_moved(&s->c->scan, s->it->at) &&
	    mlb_scan_again(&s->c->scan, s->it->at, &changed, NULL) < 0)
		return false;
	return !mlb_digest_is_zero(&state->digest) &&
	       mlb_placing_may_lose(&s->placing, &state->digest);
}

/* What nobody needs goes only when the output is at its place: until then it may have to come back. */
static int
park_to_go(struct spot *s, struct mlb_err *err)
{
	struct mlb_buf dir = MLB_BUF_INIT(64 * MLB_KIB);
	char *tmp = mlb_asprintf("%s/tmp", s->c->p->state_dir);
	int rc = mlb_fs_mkdirs(tmp, err);

	if (rc == 0)
		rc = mlb_fs_tempdir(&dir, tmp, "checkout-", err);
	if (rc == 0) {
		s->going = mlb_strdup(mlb_buf_str(&dir));
		s->parked = mlb_asprintf("%s/old", s->going);
	}
	mlb_buf_release(&dir);
	free(tmp);
	return rc;
}

/* What is there leaves the way: for good only if the cache has it, or if that was asked for. */
static int
clear_way(struct spot *s, const struct mlb_stat *st, struct mlb_err *err)
{
	int rc;

	if (s->c->opt->force || is_recoverable(s, st)) {
		rc = park_to_go(s, err);
	} else {
		s->parked = mlb_strdup(s->aside);
		s->it->kept_dir = st->type == MLB_F_DIR;
		rc = mlb_fs_mkparents(s->parked, err);
	}
	return rc ? rc : mlb_fs_move(s->full, s->parked, err);
}

/* Nothing has come of it: what was there is there again. */
static void
bring_back(struct spot *s, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;

	if (!mlb_fs_exists(s->parked))
		return;
	if (mlb_fs_exists(s->full) || mlb_fs_move(s->parked, s->full, &why) < 0) {
		mlb_err_wrap(err, "what was there is now '%s'", s->parked);
		free(s->going);
		s->going = NULL;
	}
	mlb_err_release(&why);
}

static void
settle_way(struct spot *s, int rc, struct mlb_err *err)
{
	if (!s->parked)
		return;
	if (rc)
		bring_back(s, err);
	else if (!s->going)
		mlb_placed_add(&s->count, 0, 0, 0, 1);
	if (s->going)
		mlb_fs_remove_tree(s->going, NULL);
	free(s->going);
	free(s->parked);
}

/* Sources are there to be edited: they are never one file with the cache's. */
static void
choose_placing(struct spot *s)
{
	const struct mlb_checkout_run *c = s->c;
	bool source = s->it->l->source;

	s->placing = (struct mlb_placing){
		.cas = c->p->cas,
		.how = source && c->how == MLB_LINK_HARD ? MLB_LINK_COPY : c->how,
		.threads = s->it->threads,
		.scanned = true,
		.force = c->opt->force,
		.aside = c->opt->force ? NULL : s->aside,
		.others = s->it->whose == MLB_GITS_IN_PART ? &s->it->others : NULL,
		.spare = source ? &c->spare.object : NULL,
		.count = &s->count,
		.stop = &c->stop,
	};
}

static int
place_tree(struct spot *s, const struct mlb_stat *st, struct mlb_err *err)
{
	/* A directory that no tree can hold, for a pipe in it, is not gone through. */
	bool whole = st->type == MLB_F_DIR && s->c->scan.state[s->it->at].kind != MLB_P_BAD;
	int rc = st->type == MLB_F_ABSENT || whole ? 0 : clear_way(s, st, err);

	if (rc == 0)
		rc = mlb_scan_checkout(&s->c->scan, s->it->at, &s->placing, &s->it->l->digest, err);
	settle_way(s, rc, err);
	return rc;
}

static int
place_file(struct spot *s, const struct mlb_stat *st, struct mlb_err *err)
{
	const struct mlb_locked *l = s->it->l;
	bool replace = st->type == MLB_F_FILE && (s->c->opt->force || is_recoverable(s, st));
	int rc = 0;

	if (st->type == MLB_F_ABSENT)
		rc = mlb_fs_mkparents(s->full, err);
	else if (!replace)
		rc = clear_way(s, st, err);
	if (rc == 0)
		rc = mlb_cas_link(s->c->p->cas, &l->digest, s->full, l->okind == MLB_O_EXEC,
				  s->placing.how, err);
	if (rc == 0)
		mlb_placed_add(&s->count, 1, l->size, 0, 0);
	settle_way(s, rc, err);
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
	choose_placing(&s);
	rc = mlb_fs_lstat(&st, s.full, &it->err);
	if (rc == 0 && it->l->source && st.type == MLB_F_SYMLINK)
		it->skipped = true; /* whatever it leads to is not the project's */
	else if (rc == 0 && !mlb_cas_has(it->c->p->cas, &it->l->digest))
		mlb_err_set(
			&it->err, MLB_ENOTFOUND,
			it->whose == MLB_OURS
				? "'%s' is not in the cache"
				: "'%s' is not as the lock names it, which the cache does not have",
			it->l->path);
	else if (rc == 0 && it->l->okind == MLB_O_TREE)
		place_tree(&s, &st, &it->err);
	else if (rc == 0)
		place_file(&s, &st, &it->err);
	atomic_store(&it->kept, atomic_load(&s.count.kept));
	it->touched =
		it->whose == MLB_GITS_IN_PART
			? atomic_load(&s.count.files) + atomic_load(&s.count.removed) + it->kept
			: !it->skipped;
	free(s.aside);
	free(s.full);
}
