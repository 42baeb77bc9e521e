/* fsck: is all that the cache has what it says it is, and is all there that is named? */
#include "engine/fsck.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "engine/claim.h"

struct ticker {
	struct mlb_fsck_state *s;
	struct mlb_err *err;
};

static bool
cancelled(const struct mlb_project *p)
{
	struct pollfd at = { .fd = p->cancel_fd, .events = POLLIN };

	return poll(&at, 1, 0) > 0;
}

static int
tick(void *ctx, uint64_t done, uint64_t total)
{
	struct ticker *t = ctx;

	if (t->s->opt->on_progress)
		t->s->opt->on_progress(t->s->opt->ctx, done, total);
	return cancelled(t->s->p) ? mlb_err_set(t->err, MLB_EINTERRUPTED, "interrupted") : 0;
}

static void
count(struct mlb_fsck_state *s)
{
	s->report->objects = s->inv.object.n;
	s->report->records = s->inv.record.n;
	s->report->packs = s->inv.file.n;
	s->report->bytes = s->inv.bytes;
}

/* A file that mlbuild.lock is to be and is not is a finding like others. */
static int
read_lock(struct mlb_fsck_state *s, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_project_whole_lock(s->p, &why);

	if (rc == MLB_EINVALID || rc == MLB_ECORRUPT) {
		mlb_fsck_tell_lock(s, why.text);
		rc = 0;
	} else if (rc) {
		rc = mlb_err_set(err, why.code, "%s", why.text);
	}
	mlb_err_release(&why);
	return rc;
}

static int
examine(struct mlb_fsck_state *s, struct mlb_err *err)
{
	struct ticker t = { s, err };
	int rc = mlb_project_load(s->p, err);

	if (rc == 0)
		rc = mlb_project_cache(s->p, err);
	if (rc == 0)
		rc = read_lock(s, err);
	if (rc == 0)
		rc = mlb_inventory_read(&s->inv, mlb_cas_dir(s->p->cas), MLB_INV_VERIFY,
					s->p->threads, tick, &t, err);
	if (rc)
		return rc;
	count(s);
	s->mended = mlb_calloc(s->inv.damage.n + 1, 1);
	s->db_was_broken = mlb_db_was_broken(s->p->db);
	rc = mlb_fsck_find_lost(s, err);
	if (rc == 0 && s->opt->repair)
		rc = mlb_fsck_repair(s, err);
	if (rc == 0)
		mlb_fsck_tell(s);
	return rc;
}

static void
release(struct mlb_fsck_state *s)
{
	for (uint32_t i = 0; i < s->lost.n; i++) {
		struct mlb_fsck_lost *l = s->lost.entry[i].u.ptr;

		mlb_vec_release(&l->target);
		mlb_vec_release(&l->record);
		mlb_vec_release(&l->log_record);
	}
	mlb_strmap_release(&s->lost);
	mlb_strmap_release(&s->dirs);
	free(s->mended);
	mlb_vec_release(&s->row);
	mlb_owners_release(&s->owners);
	mlb_inventory_release(&s->inv);
	free(s->live);
	mlb_arena_release(&s->arena);
}

int
mlb_fsck(struct mlb_project *p, const struct mlb_fsck *opt, struct mlb_fsck_report *report,
	 struct mlb_err *err)
{
	struct mlb_fsck_report own;
	struct mlb_fsck_state s = { .p = p,
				    .opt = opt,
				    .report = report ? report : &own,
				    .lost = MLB_STRMAP_INIT,
				    .dirs = MLB_STRMAP_INIT };
	struct mlb_lock lock = MLB_LOCK_INIT;
	int rc;

	memset(s.report, 0, sizeof(*s.report));
	rc = mlb_project_store(p, err);
	if (rc == 0 && opt->repair)
		rc = mlb_project_write(p, err);
	/* Database and disk are one only while nobody builds. Who may not write there cannot see to that. */
	if (rc == 0 && !mlb_db_is_copy(p->db))
		rc = mlb_claim(&lock, p, opt->command_line, opt->on_wait, opt->ctx, err);
	if (rc == 0)
		rc = examine(&s, err);
	if (rc == 0 && s.stopped < 0)
		rc = s.stopped;
	release(&s);
	mlb_lock_release(&lock);
	return rc;
}
