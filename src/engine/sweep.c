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
#include "engine/builder.h"
#include "engine/claim.h"
#include "engine/experiment.h"
#include "engine/grid.h"
#include "engine/needs.h"
#include "engine/runid.h"
#include "mlbuild/sweep.h"
#include "os/clock.h"

enum { MAX_OPEN = 256, MAX_LABEL = 1 << 20, MAX_PASSES = 3 };

struct sweep;

struct combination {
	struct sweep *s;
	struct mlb_project *p;
	struct mlb_builder b;
	struct mlb_build opt;
	struct mlb_report report;
	char *label;
	char *why; /* the first thing that failed: "train: exit code 1"; NULL */
	uint32_t place;
	unsigned passes;
	bool entered; /* into the loop */
};

struct sweep {
	const struct mlb_sweep *opt;
	struct mlb_project *p;
	struct mlb_machinery m;
	struct mlb_builder base; /* of the project as it is: it builds nothing */
	struct mlb_build base_opt;
	struct mlb_report base_report;
	struct mlb_sweep_report *report;
	struct mlb_grid grid;
	uint64_t *number;       /* of the combinations to build */
	size_t n, next;         /* how many, and which comes next */
	struct mlb_strmap told; /* notes */
	struct mlb_arena arena; /* their texts */
	MLB_VEC(struct combination *) open;
	struct mlb_roots needs; /* what the experiments need of the cache */
	bool stopping;          /* a fault ends the sweep */
};

/* ---------------------------------------------------------- events */

static uint32_t
finished(const struct sweep *s)
{
	return s->report->done + s->report->failed + s->report->refused;
}

static void
tell(struct sweep *s, const struct combination *c, enum mlb_sweep_event_type type,
     const struct mlb_event *event, const struct mlb_experiment *x)
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
was_told(struct sweep *s, const struct mlb_event *e)
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
	struct sweep *s = ctx;

	if (!was_told(s, e))
		tell(s, NULL, MLB_SWEEP_TARGET, e, NULL);
}

static void
of_combination(void *ctx, const struct mlb_event *e)
{
	struct combination *c = ctx;

	if (e->type == MLB_EV_PLAN || was_told(c->s, e))
		return;
	if (!c->why && (e->type == MLB_EV_FAILED || e->type == MLB_EV_NO ||
			(e->type == MLB_EV_BLOCKED && !e->by[0])))
		c->why = mlb_asprintf("%s: %s", e->node, e->text);
	tell(c->s, c, MLB_SWEEP_TARGET, e, NULL);
}

/* ---------------------------------------------------------- a combination */

static struct combination *
new_combination(struct sweep *s, size_t place)
{
	struct combination *c = mlb_calloc(1, sizeof(*c));
	struct mlb_buf label = MLB_BUF_INIT(MAX_LABEL);

	c->s = s;
	c->place = (uint32_t)place + 1;
	mlb_grid_label(&s->grid, s->number[place], &label);
	c->label = mlb_buf_detach(&label);
	c->opt = (struct mlb_build){ .word = s->opt->word,
				     .n_words = s->opt->n_words,
				     .jobs = s->opt->jobs,
				     .on_event = of_combination,
				     .ctx = c };
	c->b = (struct mlb_builder){ .opt = &c->opt,
				     .report = &c->report,
				     .lock = MLB_LOCK_INIT,
				     .m = &s->m,
				     .run_id = mlb_strdup(s->base.run_id),
				     .trace_start = s->base.trace_start };
	return c;
}

static void
free_combination(struct combination *c)
{
	struct sweep *s = c->s;

	if (c->entered)
		mlb_machinery_leave(&s->m, &c->b);
	s->base_report.built += c->report.built;
	s->base_report.restored += c->report.restored;
	s->base_report.failed += c->report.failed;
	mlb_builder_release(&c->b);
	mlb_report_release(&c->report);
	mlb_project_close(c->p);
	free(c->label);
	free(c->why);
	free(c);
}

static int
plan(struct combination *c, struct mlb_err *err)
{
	const struct mlb_plan_options o = { .word = c->opt.word, .n_words = c->opt.n_words };
	int rc;

	mlb_plan_free(c->b.plan);
	c->b.plan = NULL;
	c->b.finished = 0;
	c->b.again = false;
	c->report.current = 0;
	c->passes++;
	rc = mlb_plan_new(&c->b.plan, c->p, &o, err);
	if (rc)
		return rc;
	c->b.g = c->b.plan->g;
	return mlb_plan_check_env(c->b.plan, err);
}

static int
open_project(struct combination *c, struct mlb_err *err)
{
	struct sweep *s = c->s;
	struct mlb_strvec param = MLB_VEC_INIT;
	int rc;

	mlb_grid_params(&s->grid, s->number[c->place - 1], &param);
	rc = mlb_project_child(&c->p, s->p, (const char *const *)param.v, param.n, err);
	mlb_strvec_release(&param);
	c->b.p = c->p;
	if (rc == 0)
		rc = plan(c, err);
	return rc;
}

/* It could not even be planned with these values: that is its own failure. */
static bool
is_its_own(int rc)
{
	return rc == MLB_EINVALID || rc == MLB_ENOTFOUND || rc == MLB_EFAILED;
}

static void
tell_refused(struct combination *c, const char *reason)
{
	const struct mlb_failure f = { "", reason, "", "", "" };
	const struct mlb_event e = { .type = MLB_EV_FAILED,
				     .node = "",
				     .kind = "",
				     .file = "",
				     .by = "",
				     .text = reason,
				     .len = strlen(reason),
				     .failure = &f };

	tell(c->s, c, MLB_SWEEP_TARGET, &e, NULL);
}

/* The values of the combination, sorted by name. From the arena. */
static struct mlb_experiment_param *
params_of(struct combination *c, struct mlb_arena *arena)
{
	const struct mlb_grid *g = &c->s->grid;
	struct mlb_experiment_param *p = mlb_arena_alloc(arena, (g->axis.n + 1) * sizeof(*p));

	for (size_t i = 0; i < g->axis.n; i++) {
		const struct mlb_experiment_param one = {
			g->axis.v[i].name, mlb_grid_value(g, c->s->number[c->place - 1], i)
		};
		size_t at = i;

		for (; at > 0 && strcmp(p[at - 1].name, one.name) > 0; at--)
			p[at] = p[at - 1];
		p[at] = one;
	}
	return p;
}

static int
refuse(struct combination *c, struct mlb_err *why, struct mlb_err *err)
{
	struct sweep *s = c->s;
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_experiment x = { .target = s->opt->word,
				    .n_targets = s->opt->n_words,
				    .param = params_of(c, &arena),
				    .n_params = s->grid.axis.n };
	char *reason = mlb_strndup(why->text, strcspn(why->text, "\n"));
	int rc;

	x.reason = reason;
	s->report->failed++;
	tell_refused(c, why->text);
	mlb_err_release(why);
	rc = mlb_experiment_keep_failed(s->p, &arena, &x, err);
	if (rc == 0)
		tell(s, c, MLB_SWEEP_END, NULL, &x);
	free(reason);
	mlb_arena_release(&arena);
	return rc;
}

static int
open_next(struct sweep *s, struct mlb_err *err)
{
	struct combination *c = new_combination(s, s->next++);
	struct mlb_err why = MLB_ERR_INIT;
	int rc = open_project(c, &why);

	if (rc == 0) {
		mlb_vec_push(&s->open, c);
		mlb_vec_push(&s->m.builder, &c->b);
		c->entered = true;
		mlb_loop_begin(&c->b);
		return 0;
	}
	if (is_its_own(rc)) {
		rc = refuse(c, &why, err);
	} else if (rc == MLB_ESTALE) {
		rc = mlb_err_set(err, MLB_EFAILED,
				 "%s while the sweep ran, and the rest would not be comparable: "
				 "run it again (what has not changed is not built again)",
				 why.text);
		mlb_err_release(&why);
	} else {
		*err = why;
	}
	free_combination(c);
	return rc;
}

/* ---------------------------------------------------------- its end */

static int
keep(struct combination *c, int status, struct mlb_err *err)
{
	struct sweep *s = c->s;
	struct mlb_experiment x;
	int rc;

	memcpy(c->b.pin, s->base.pin, sizeof(c->b.pin));
	memcpy(c->b.head, s->base.head, sizeof(c->b.head));
	rc = mlb_experiment_keep(&c->b, status, c->why ? c->why : "it could not be built", &x,
				 &s->needs, err);
	if (rc)
		return rc;
	if (status == 0)
		s->report->done++;
	else if (status == MLB_ECHECK)
		s->report->refused++;
	else
		s->report->failed++;
	tell(s, c, MLB_SWEEP_END, NULL, &x);
	return 0;
}

static int
end(struct combination *c, struct mlb_err *err)
{
	int status = mlb_builder_verdict(&c->b), rc = 0;

	if (status == 0 && c->b.again && c->passes < MAX_PASSES) {
		rc = plan(c, err);
		if (rc == 0)
			mlb_loop_begin(&c->b);
		return rc;
	}
	if (status != MLB_EINTERRUPTED && !c->s->stopping)
		rc = keep(c, status, err);
	for (size_t i = 0; i < c->s->open.n; i++)
		if (c->s->open.v[i] == c) {
			memmove(&c->s->open.v[i], &c->s->open.v[i + 1],
				(c->s->open.n - i - 1) * sizeof(*c->s->open.v));
			c->s->open.n--;
			break;
		}
	free_combination(c);
	return rc;
}

/* *any: something has ended, so that there may be more to do. */
static int
end_those_that_are_through(struct sweep *s, bool *any, struct mlb_err *err)
{
	int rc = 0;

	*any = false;
	for (size_t i = 0; i < s->open.n && rc == 0;) {
		struct combination *c = s->open.v[i];

		if (mlb_machinery_busy(&c->b) || c->b.todo.n) {
			i++;
			continue;
		}
		*any = true;
		rc = end(c, err);
		if (rc == 0 && i < s->open.n && s->open.v[i] == c)
			i++; /* it is planned once more */
	}
	return rc;
}

/* ---------------------------------------------------------- the loop */

static bool
was_cancelled(struct sweep *s)
{
	struct pollfd fd = { .fd = s->p->cancel_fd, .events = POLLIN };

	s->m.cancelled |= poll(&fd, 1, 0) > 0;
	return s->m.cancelled;
}

static bool
wants_more(struct sweep *s)
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
find_fault(struct sweep *s, struct mlb_err *err)
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
step(struct sweep *s, bool *over, struct mlb_err *err)
{
	bool ended;
	int rc = 0;

	while (rc == 0 && wants_more(s)) {
		rc = open_next(s, err);
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
stop(struct sweep *s)
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
run(struct sweep *s, struct mlb_err *err)
{
	bool over = false;
	int rc = 0;

	while (rc == 0 && !over)
		rc = step(s, &over, err);
	if (rc)
		stop(s);
	return rc;
}

/* ---------------------------------------------------------- before */

static int
check_axis(const struct sweep *s, const struct mlb_axis *a, struct mlb_err *err)
{
	const struct mlb_param *p = mlb_params_get(&s->p->config->params, a->name);
	const char *near;

	if (p && p->type == MLB_PARAM_SCALAR)
		return 0;
	if (p)
		return mlb_err_set(
			err, MLB_EINVALID, "-p %s: it is a %s, and a sweep gives single values: %s",
			a->name, p->map ? "group of parameters" : "list or map",
			p->map ? "name one of them"
			       : "name a parameter with one value, or build variants with "
				 "'mlbuild -p'");
	near = mlb_params_nearest(&s->p->config->params, a->name);
	return mlb_err_set(err, MLB_EINVALID, "-p %s: there is no such parameter%s%s%s", a->name,
			   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Sources that the combinations read are kept as they are now: private roots get them from the store. */
static int
store_sources(struct sweep *s, struct mlb_err *err)
{
	const struct mlb_graph *g = s->base.g;
	struct mlb_scan *scan = &s->p->scan;
	int rc = 0;

	for (uint32_t n = 0; n < g->n_nodes; n++) {
		if (!s->base.plan->node[n].wanted)
			continue;
		for (uint32_t i = 0; i < g->node[n].in.n && rc == 0; i++) {
			const struct mlb_g_input *in = &g->input[g->node[n].in.first + i];
			const struct mlb_path_state *st = &scan->state[in->path];

			if (in->producer != MLB_NONE &&
			    !(g->node[in->producer].flags & MLB_G_SOURCE))
				continue;
			if (st->kind == MLB_P_TREE
				    ? !mlb_scan_stored(scan, in->path, s->p->cas)
				    : (st->kind == MLB_P_FILE || st->kind == MLB_P_EXEC) &&
					      !mlb_cas_has(s->p->cas, &st->digest))
				rc = mlb_scan_store(scan, in->path, s->p->cas, err);
		}
	}
	return rc;
}

static int
load(struct sweep *s, struct mlb_err *err)
{
	struct mlb_plan_options o = { .word = s->opt->word, .n_words = s->opt->n_words };
	struct mlb_project *p = s->p;
	int rc;

	mlb_strmap_release(&p->seen);
	mlb_strmap_release(&p->fingerprints);
	p->storing = &o;
	p->progress = mlb_tell_progress;
	p->progress_ctx = &s->base;
	rc = mlb_plan_new(&s->base.plan, p, &o, err);
	p->storing = NULL;
	p->progress = NULL;
	if (rc)
		return rc;
	s->base.g = s->base.plan->g;
	mlb_needs_touch(p);
	rc = mlb_project_cache(p, err);
	if (rc == 0)
		rc = mlb_project_vcs(p, err);
	if (rc == 0)
		rc = mlb_project_config(p, err);
	for (size_t i = 0; i < s->grid.axis.n && rc == 0; i++)
		rc = check_axis(s, &s->grid.axis.v[i], err);
	if (rc == 0)
		rc = store_sources(s, err);
	if (rc == 0)
		rc = mlb_find_pin(&s->base, err);
	s->m.jobs = s->opt->jobs ? s->opt->jobs : s->base.g->jobs ? s->base.g->jobs : p->threads;
	return rc;
}

static int
begin(struct sweep *s, struct mlb_err *err)
{
	int rc = 0;

	if (mlb_is_variant(s->p))
		return mlb_err_set(err, MLB_EINVALID, "a sweep is not made of a variant");
	rc = mlb_grid_parse(&s->grid, s->opt->param, s->opt->n_params, err);
	if (rc == 0)
		rc = mlb_grid_choose(&s->grid, s->opt->random, s->opt->seed, &s->number, &s->n,
				     err);
	s->report->total = (uint32_t)s->n;
	return rc;
}

static void
wait_told(void *ctx, const char *holder)
{
	mlb_tell(ctx, MLB_EV_WAIT, MLB_NONE, holder, 0);
}

/* ---------------------------------------------------------- after */

static int
verdict(const struct sweep *s, struct mlb_err *err)
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
finish(struct sweep *s, int rc, struct mlb_err *err)
{
	struct mlb_err ignored = MLB_ERR_INIT;
	int status = rc ? rc : verdict(s, &ignored), end_rc = 0;

	mlb_err_release(&ignored);
	if (s->m.ready)
		end_rc = mlb_record_finish(&s->base, mlb_exit_code(status), rc ? NULL : err);
	while (s->open.n) {
		s->open.n--;
		free_combination(s->open.v[s->open.n]);
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
	return verdict(s, err);
}

static void
release(struct sweep *s)
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
	struct sweep s = { .opt = opt, .p = p, .m = MLB_MACHINERY_INIT, .report = report };
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
	rc = begin(&s, err);
	if (rc == 0)
		rc = mlb_project_write(p, err);
	if (rc == 0)
		rc = mlb_claim(&s.base.lock, p, opt->command_line, wait_told, &s.base, err);
	if (rc == 0)
		rc = mlb_builder_recover(&s.base, err);
	if (rc == 0)
		rc = load(&s, err);
	if (rc == 0) {
		tell(&s, NULL, MLB_SWEEP_BEGIN, NULL, NULL);
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
