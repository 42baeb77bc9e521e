/*
 * A sweep: one builder for each combination, in one event loop.
 *
 * 1. Combinations are opened in order, and another one only while job slots are free and
 *    nothing is ready: so early ones end early, and few are in memory.
 * 2. An action that several want runs once (flight.h).
 * 3. A combination has ended when all that it recorded is durable; then it becomes an
 *    experiment. What was done before an interruption is found in the cache by the next
 *    sweep.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/claim.h"
#include "engine/needs.h"
#include "engine/runid.h"
#include "engine/sender.h"
#include "engine/sweep_int.h"
#include "os/clock.h"

enum { MAX_OPEN = 256 };

/* ---------------------------------------------------------- events */

static uint32_t
finished(const struct mlb_sweeping *s)
{
	return s->report->done + s->report->failed + s->report->refused;
}

void
mlb_sweep_tell(struct mlb_sweeping *s, const struct mlb_combination *c,
	       enum mlb_sweep_event_type type, const struct mlb_event *event,
	       const struct mlb_experiment *x)
{
	const struct mlb_sweep_event e = {
		.type = type,
		.label = c ? c->label : "",
		.combination = c ? c->place : 0,
		.total = (uint32_t)s->n,
		.finished = finished(s),
		.failed = s->report->failed,
		.refused = s->report->refused,
		.event = event,
		.experiment = x,
	};

	if (s->opt->on_event)
		s->opt->on_event(s->opt->ctx, &e);
}

/* What every combination would say again is said once. */
static bool
was_told(struct mlb_sweeping *s, const struct mlb_event *e)
{
	bool is_new = true;

	if (e->type == MLB_EV_NOTE) {
		const char *text = mlb_arena_strdup(&s->arena, e->text);

		mlb_strmap_add(&s->told, text, strlen(text), &is_new);
	}
	return !is_new;
}

static void
of_base(void *ctx, const struct mlb_event *e)
{
	struct mlb_sweeping *s = ctx;

	if (!was_told(s, e))
		mlb_sweep_tell(s, NULL, MLB_SWEEP_TARGET, e, NULL);
}

void
mlb_sweep_of_combination(void *ctx, const struct mlb_event *e)
{
	struct mlb_combination *c = ctx;

	if (e->type == MLB_EV_PLAN || was_told(c->s, e))
		return;
	if (!c->why && (e->type == MLB_EV_FAILED || e->type == MLB_EV_NO ||
			(e->type == MLB_EV_BLOCKED && !e->by[0])))
		c->why = mlb_asprintf("%s: %s", e->node, e->text);
	mlb_sweep_tell(c->s, c, MLB_SWEEP_TARGET, e, NULL);
}

/* ---------------------------------------------------------- the loop */

/* *any: something has ended, so that there may be more to do. */
static int
end_those_that_are_through(struct mlb_sweeping *s, bool *any, struct mlb_err *err)
{
	int rc = 0;

	*any = false;
	for (size_t i = 0; i < s->open.n && rc == 0;) {
		struct mlb_combination *c = s->open.v[i];

		if (mlb_machinery_busy(&c->b) || c->b.todo.n) {
			i++;
			continue;
		}
		*any = true;
		rc = mlb_sweep_end(c, err);
		if (rc == 0 && i < s->open.n && s->open.v[i] == c)
			i++; /* it is planned once more */
	}
	return rc;
}

static bool
was_cancelled(struct mlb_sweeping *s)
{
	struct pollfd fd = { .fd = s->p->cancel_fd, .events = POLLIN };

	s->m.cancelled |= poll(&fd, 1, 0) > 0;
	return s->m.cancelled;
}

static bool
wants_more(struct mlb_sweeping *s)
{
	size_t ready = 0;

	if (s->next >= s->n || s->open.n >= MAX_OPEN || s->stopping || was_cancelled(s))
		return false;
	for (size_t i = 0; i < s->open.n; i++)
		ready += s->open.v[i]->b.n_ready;
	return ready == 0 && s->m.n_commands < s->m.jobs;
}

/* A fault of any of them is one of the sweep. */
static int
find_fault(struct mlb_sweeping *s, struct mlb_err *err)
{
	struct mlb_builder *b = s->base.fatal.code != MLB_OK ? &s->base : NULL;
	int rc;

	for (size_t i = 0; i < s->open.n && !b; i++)
		if (s->open.v[i]->b.fatal.code != MLB_OK)
			b = &s->open.v[i]->b;
	if (!b)
		return 0;
	rc = b->fatal.code;
	*err = b->fatal;
	b->fatal = (struct mlb_err)MLB_ERR_INIT;
	return rc;
}

static int
step(struct mlb_sweeping *s, bool *over, struct mlb_err *err)
{
	bool ended;
	int rc = 0;

	while (rc == 0 && wants_more(s)) {
		rc = mlb_sweep_open_next(s, err);
		if (s->m.ready)
			mlb_machinery_turn(&s->m);
		mlb_machinery_settle(&s->m);
		if (rc == 0)
			rc = find_fault(s, err);
		if (rc == 0)
			rc = end_those_that_are_through(s, &ended, err);
	}
	if (rc == 0 && s->m.ready)
		mlb_machinery_turn(&s->m);
	mlb_machinery_settle(&s->m);
	if (rc == 0)
		rc = find_fault(s, err);
	if (rc == 0)
		rc = end_those_that_are_through(s, &ended, err);
	*over = !s->open.n && !wants_more(s);
	if (rc || *over || ended || wants_more(s))
		return rc;
	rc = mlb_machinery_wait(&s->m, err);
	return rc ? rc : find_fault(s, err);
}

/* After a fault: what runs is ended, and comes to its end. */
static void
stop(struct mlb_sweeping *s)
{
	bool running = s->m.ready;

	s->stopping = true;
	for (size_t i = 0; i < s->open.n; i++) {
		s->open.v[i]->b.stopping = true;
		mlb_builder_stop(&s->open.v[i]->b);
	}
	while (running) {
		running = s->base.n_tasks != 0;
		for (size_t i = 0; i < s->open.n; i++)
			running |= s->open.v[i]->b.running.n || s->open.v[i]->b.n_tasks;
		if (running && mlb_machinery_wait(&s->m, NULL))
			return;
	}
}

static int
run(struct mlb_sweeping *s, struct mlb_err *err)
{
	bool over = false;
	int rc = 0;

	while (rc == 0 && !over)
		rc = step(s, &over, err);
	if (rc)
		stop(s);
	return rc;
}

static void
wait_told(void *ctx, const char *holder)
{
	mlb_tell(ctx, MLB_EV_WAIT, MLB_NONE, holder, 0);
}

/* ---------------------------------------------------------- after */

static int
verdict(const struct mlb_sweeping *s, struct mlb_err *err)
{
	const struct mlb_sweep_report *r = s->report;

	if (s->m.cancelled)
		return mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	if (r->failed)
		return mlb_err_set(err, MLB_EFAILED, "%u of %u combinations failed", r->failed,
				   r->total);
	if (r->refused)
		return mlb_err_set(err, MLB_ECHECK, "checks said no to %u of %u combinations",
				   r->refused, r->total);
	return 0;
}

static int
finish(struct mlb_sweeping *s, int rc, struct mlb_err *err)
{
	struct mlb_err ignored = MLB_ERR_INIT;
	int status = rc ? rc : verdict(s, &ignored), end_rc = 0;

	mlb_err_release(&ignored);
	if (s->m.ready)
		end_rc = mlb_record_finish(&s->base, mlb_exit_code(status), rc ? NULL : err);
	while (s->open.n) {
		s->open.n--;
		mlb_sweep_free(s->open.v[s->open.n]);
	}
	s->report->built = s->base_report.built;
	s->report->restored = s->base_report.restored;
	if (s->base.logged)
		s->report->run = mlb_strdup(s->base.run_id);
	/* For others who collect in this cache; of our own git tells. */
	if (s->needs.root.n && mlb_project_shares_cache(s->p) &&
	    mlb_needs_add_roots(s->p, &s->needs, &ignored))
		mlb_note(&s->base, "%s", ignored.text);
	mlb_err_release(&ignored);
	if (rc == 0 && end_rc == 0)
		rc = mlb_project_save_scan(s->p, err);
	if (rc || end_rc)
		return rc ? rc : end_rc;
	mlb_sender_finish(&s->m);
	return verdict(s, err);
}

static void
release(struct mlb_sweeping *s)
{
	mlb_machinery_drain(&s->m);
	mlb_builder_release(&s->base);
	mlb_machinery_release(&s->m);
	mlb_lock_release(&s->base.lock);
	mlb_report_release(&s->base_report);
	mlb_strmap_release(&s->told);
	mlb_arena_release(&s->arena);
	mlb_vec_release(&s->open);
	mlb_grid_release(&s->grid);
	mlb_roots_release(&s->needs);
	free(s->number);
}

int
mlb_sweep_run(struct mlb_project *p, const struct mlb_sweep *opt, struct mlb_sweep_report *report,
	      struct mlb_err *err)
{
	struct mlb_sweeping s = { .opt = opt, .p = p, .m = MLB_MACHINERY_INIT, .report = report };
	int rc;

	memset(report, 0, sizeof(*report));
	s.base_opt = (struct mlb_build){ .word = opt->word,
					 .n_words = opt->n_words,
					 .jobs = opt->jobs,
					 .command_line = opt->command_line,
					 .on_event = of_base,
					 .ctx = &s };
	s.base = (struct mlb_builder){ .p = p,
				       .opt = &s.base_opt,
				       .report = &s.base_report,
				       .lock = MLB_LOCK_INIT,
				       .m = &s.m,
				       .run_id = mlb_new_run_id(),
				       .trace_start = mlb_clock_mono() };
	s.m.base = &s.base;
	s.m.shared = true;
	rc = mlb_sweep_begin(&s, err);
	if (rc == 0)
		rc = mlb_project_write(p, err);
	if (rc == 0)
		rc = mlb_claim(&s.base.lock, p, opt->command_line, wait_told, &s.base, err);
	if (rc == 0)
		rc = mlb_builder_recover(&s.base, err);
	if (rc == 0)
		rc = mlb_sweep_load(&s, err);
	if (rc == 0) {
		mlb_sweep_tell(&s, NULL, MLB_SWEEP_BEGIN, NULL, NULL);
		rc = run(&s, err);
		rc = finish(&s, rc, err);
	}
	report->duration = mlb_clock_mono() - s.base.trace_start;
	release(&s);
	return rc;
}

void
mlb_sweep_report_release(struct mlb_sweep_report *r)
{
	free(r->run);
	memset(r, 0, sizeof(*r));
}
