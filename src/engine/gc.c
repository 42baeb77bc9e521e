/*
 * gc: what nothing needs leaves the cache.
 *
 * 1. First everything is looked at and marked while others work on.
 * 2. What lives in packs that are mostly dead is copied; that hurts nobody.
 * 3. Then the gate is closed: no lease begins. All is looked at and marked once
 *    more, because it may have changed. If no lease is held what is dead goes; else
 *    it is set aside, and what was set aside before the leases that are held now
 *    began goes, if it is still dead (store/condemned.h says why that is right).
 */
#include "engine/gc.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fs.h"
#include "store/lease.h"

#define SECOND 1000000000LL
#define YOUNG_PRIVATE (SECOND * 60 * 60)
#define YOUNG_SHARED (SECOND * 24 * 60 * 60)
#define GATE_SECONDS 10
#define TRIES 8 /* to read a cache in which no pack comes or goes meanwhile */

void
mlb_gc_report_release(struct mlb_gc_report *r)
{
	free(r->user);
	memset(r, 0, sizeof(*r));
}

struct ticker {
	struct mlb_gc_state *s;
	struct mlb_err *err;
};

static int
tick(void *ctx, uint64_t done, uint64_t total)
{
	struct ticker *t = ctx;
	struct pollfd at = { .fd = t->s->p->cancel_fd, .events = POLLIN };

	if (t->s->opt->on_progress)
		t->s->opt->on_progress(t->s->opt->ctx, done, total);
	return poll(&at, 1, 0) > 0 ? mlb_err_set(t->err, MLB_EINTERRUPTED, "interrupted") : 0;
}

static void
begin(struct mlb_gc_state *s, struct mlb_project *p, const struct mlb_gc *opt,
      struct mlb_gc_report *report)
{
	memset(s, 0, sizeof(*s));
	s->p = p;
	s->opt = opt;
	s->report = report;
	s->shared = mlb_project_shares_cache(p);
	s->now = mlb_clock_wall();
	s->young = s->now - (s->shared ? YOUNG_SHARED : YOUNG_PRIVATE);
}

static void
end(struct mlb_gc_state *s)
{
	for (size_t i = 0; s->held && i < s->inv.file.n; i++)
		if (s->held[i] >= 0)
			close(s->held[i]);
	free(s->held);
	free(s->fate);
	free(s->record);
	mlb_reach_release(&s->reach);
	mlb_inventory_release(&s->inv);
	mlb_strmap_release(&s->keys);
	mlb_strmap_release(&s->tables);
	mlb_roots_release(&s->own);
	mlb_strvec_release(&s->pins);
	mlb_leases_release(&s->users);
	mlb_condemned_release(&s->batch);
	mlb_strvec_release(&s->dead_roots);
	mlb_arena_release(&s->arena);
}

/* What cannot be read may name or hold what is needed. */
static int
refuse_damage(const struct mlb_gc_state *s, struct mlb_err *err)
{
	for (size_t i = 0; i < s->inv.damage.n; i++)
		if (s->inv.damage.v[i].wrong == MLB_INV_LATER)
			return mlb_err_set(err, MLB_EINVALID,
					   "'%s/%s' was written by a later mlbuild, which has to "
					   "collect here: nothing is removed",
					   s->inv.dir, s->inv.damage.v[i].path);
		else if (s->inv.damage.v[i].wrong == MLB_INV_UNREADABLE)
			return mlb_err_set(err, MLB_ECORRUPT,
					   "'%s/%s' cannot be read: nothing is removed; see "
					   "'mlbuild fsck'",
					   s->inv.dir, s->inv.damage.v[i].path);
	for (size_t i = 0; i < s->inv.record.n; i++)
		if (!s->record[i].valid)
			return mlb_err_set(err, MLB_ECORRUPT,
					   "a result in '%s/%s' cannot be read: nothing is "
					   "removed; 'mlbuild fsck --repair' mends it",
					   s->inv.dir, s->inv.file.v[s->inv.record.v[i].file].path);
	if (s->reach.no_tree.n)
		return mlb_err_set(err, MLB_ECORRUPT,
				   "a directory in '%s' cannot be read: nothing is removed; "
				   "'mlbuild fsck --repair' mends it",
				   s->inv.dir);
	return 0;
}

static int
mark(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct ticker t = { s, err };
	int rc = mlb_inventory_read(&s->inv, mlb_cas_dir(s->p->cas), MLB_INV_LIST, s->p->threads,
				    tick, &t, err);

	if (rc)
		return rc;
	mlb_reach_init(&s->reach, &s->inv);
	s->fate = mlb_calloc(s->inv.file.n + 1, 1);
	s->held = mlb_calloc(s->inv.file.n + 1, sizeof(*s->held));
	for (size_t i = 0; i < s->inv.file.n; i++)
		s->held[i] = -1;
	rc = mlb_gc_read_records(s, err);
	if (rc == 0)
		rc = mlb_gc_keep_roots(s, err);
	if (rc == 0)
		rc = refuse_damage(s, err);
	if (rc == 0)
		mlb_gc_choose(s);
	return rc;
}

/* ---------------------------------------------------------- with the gate closed */

static int
close_gate(struct mlb_lock *gate, struct mlb_gc_state *s, struct mlb_err *err)
{
	int rc = mlb_gate_close(gate, &s->users, mlb_cas_dir(s->p->cas), GATE_SECONDS, err);

	if (rc == 0)
		rc = mlb_condemned_read(&s->batch, mlb_cas_dir(s->p->cas), err);
	if (s->users.n) {
		s->report->users = (uint32_t)s->users.n;
		free(s->report->user);
		s->report->user = mlb_strdup(s->users.v[0].who);
	}
	return rc;
}

static bool
is_anything_to_copy(const struct mlb_gc_state *s)
{
	for (size_t i = 0; i < s->inv.file.n; i++)
		if (s->fate[i] == MLB_GC_REWRITTEN)
			return true;
	return false;
}

static bool
is_any_over(const struct mlb_gc_state *s)
{
	for (size_t i = 0; i < s->batch.n; i++)
		if (mlb_condemned_over(&s->batch.v[i], &s->users))
			return true;
	return false;
}

/*
 * What is removed for good must be marked by all that names it: a segment that was
 * sealed while its directory was read may have been missed. For what is only set
 * aside the next gc will do.
 */
static int
mark_all(struct mlb_gc_state *s, const struct mlb_gc_state *first, struct mlb_err *err)
{
	struct mlb_gc_state again;
	int rc = mark(s, err);

	for (int i = 0; rc == 0 && s->users.n && is_any_over(s) && mlb_inventory_changed(&s->inv);
	     i++) {
		if (i == TRIES) {
			mlb_condemned_release(&s->batch);
			break;
		}
		begin(&again, s->p, s->opt, s->report);
		again.now = first->now;
		again.young = first->young;
		again.pinned = s->pinned;
		again.copied = s->copied;
		again.users = s->users;
		again.batch = s->batch;
		s->users = (struct mlb_leases)MLB_VEC_INIT;
		s->batch = (struct mlb_condemned_batches)MLB_VEC_INIT;
		end(s);
		*s = again;
		rc = mark(s, err);
	}
	return rc;
}

static int
collect(struct mlb_gc_state *first, struct mlb_err *err)
{
	struct mlb_strvec copied = MLB_VEC_INIT;
	struct mlb_lock gate = MLB_LOCK_INIT;
	struct mlb_gc_state s;
	int rc = is_anything_to_copy(first) ? mlb_gc_copy(first, &copied, err) : 0;

	begin(&s, first->p, first->opt, first->report);
	/* The same clock as before: what was dead then is not young now. */
	s.now = first->now;
	s.young = first->young;
	s.pinned = first->pinned;
	s.copied = &copied;
	if (rc == 0)
		rc = close_gate(&gate, &s, err);
	if (rc == 0) {
		/* Its locks on open packs would be in the way of ours. */
		end(first);
		memset(first, 0, sizeof(*first));
		rc = mark_all(&s, &s, err);
	}
	if (rc == 0)
		rc = mlb_gc_tell(&s);
	if (rc == 0)
		rc = mlb_gc_sweep(&s, err);
	mlb_gate_open(&gate);
	if (rc == 0)
		rc = mlb_gc_index(&s, err);
	end(&s);
	mlb_strvec_release(&copied);
	return rc;
}

/* One at a time: the second waits. */
static int
lock_out_others(struct mlb_lock *lock, struct mlb_project *p, const struct mlb_gc *opt,
		struct mlb_err *err)
{
	char *path = mlb_asprintf("%s/leases/gc", mlb_cas_dir(p->cas));
	char *note = mlb_asprintf("process %ld in '%s'", (long)getpid(), p->root);
	struct mlb_buf holder = MLB_BUF_INIT(64 * MLB_KIB);
	bool got = false;
	int rc = mlb_fs_mkparents(path, err);

	if (rc == 0)
		rc = mlb_lock_try(lock, path, true, note, &got, &holder, err);
	mlb_fs_share(path);
	if (rc == 0 && !got) {
		if (opt->on_wait)
			opt->on_wait(opt->ctx, mlb_buf_str(&holder));
		rc = mlb_lock_wait(lock, path, true, note, p->cancel_fd, err);
	}
	mlb_buf_release(&holder);
	free(note);
	free(path);
	return rc;
}

static int
size_of_config(uint64_t *size, struct mlb_project *p, struct mlb_err *err)
{
	int rc = mlb_project_config(p, err);

	if (rc == 0)
		*size = p->config->cache_size;
	return rc;
}

int
mlb_gc(struct mlb_project *p, const struct mlb_gc *opt, struct mlb_gc_report *report,
       struct mlb_err *err)
{
	struct mlb_gc limited = *opt;
	struct mlb_gc_report own;
	struct mlb_gc_state s;
	struct mlb_pin_needs pinned = MLB_PIN_NEEDS_INIT;
	struct mlb_lock lock = MLB_LOCK_INIT;
	int rc = mlb_project_load(p, err);

	report = report ? report : &own;
	memset(report, 0, sizeof(*report));
	if (rc == 0 && !opt->dry_run)
		rc = mlb_project_write(p, err);
	p->no_lease = true;
	mlb_lease_end(&p->lease);
	if (rc == 0)
		rc = mlb_project_cache(p, err);
	if (rc)
		return rc;
	if (!limited.size)
		rc = size_of_config(&limited.size, p, err);
	if (rc)
		return rc;
	begin(&s, p, &limited, report);
	s.pinned = &pinned;
	if (!opt->dry_run)
		rc = lock_out_others(&lock, p, opt, err);
	if (rc == 0)
		rc = mlb_pin_needs_load(&pinned, p->db, err);
	if (rc == 0)
		rc = mark(&s, err);
	if (rc == 0 && opt->dry_run)
		rc = mlb_gc_tell(&s);
	else if (rc == 0)
		rc = collect(&s, err);
	end(&s);
	mlb_pin_needs_release(&pinned);
	mlb_lock_release(&lock);
	if (report == &own)
		mlb_gc_report_release(&own);
	return rc;
}
