/* A combination, from its values to its end. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/sweep_int.h"

enum { MAX_LABEL = 1 << 20, MAX_PASSES = 3 };

static struct mlb_combination *
new_combination(struct mlb_sweeping *s, size_t place)
{
	struct mlb_combination *c = mlb_calloc(1, sizeof(*c));
	struct mlb_buf label = MLB_BUF_INIT(MAX_LABEL);

	c->s = s;
	c->place = (uint32_t)place + 1;
	mlb_grid_label(&s->grid, s->number[place], &label);
	c->label = mlb_buf_detach(&label);
	c->opt = (struct mlb_build){ .word = s->opt->word,
				     .n_words = s->opt->n_words,
				     .jobs = s->opt->jobs,
				     .on_event = mlb_sweep_of_combination,
				     .ctx = c };
	c->b = (struct mlb_builder){ .opt = &c->opt,
				     .report = &c->report,
				     .lock = MLB_LOCK_INIT,
				     .m = &s->m,
				     .run_id = mlb_strdup(s->base.run_id),
				     .trace_start = s->base.trace_start };
	return c;
}

void
mlb_sweep_free(struct mlb_combination *c)
{
	struct mlb_sweeping *s = c->s;

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
plan(struct mlb_combination *c, struct mlb_err *err)
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
open_project(struct mlb_combination *c, struct mlb_err *err)
{
	struct mlb_sweeping *s = c->s;
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
tell_refused(struct mlb_combination *c, const char *reason)
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

	mlb_sweep_tell(c->s, c, MLB_SWEEP_TARGET, &e, NULL);
}

/* The values of the combination, sorted by name. From the arena. */
static struct mlb_experiment_param *
params_of(struct mlb_combination *c, struct mlb_arena *arena)
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
refuse(struct mlb_combination *c, struct mlb_err *why, struct mlb_err *err)
{
	struct mlb_sweeping *s = c->s;
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
		mlb_sweep_tell(s, c, MLB_SWEEP_END, NULL, &x);
	free(reason);
	mlb_arena_release(&arena);
	return rc;
}

int
mlb_sweep_open_next(struct mlb_sweeping *s, struct mlb_err *err)
{
	struct mlb_combination *c = new_combination(s, s->next++);
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
	mlb_sweep_free(c);
	return rc;
}

/* ---------------------------------------------------------- its end */

static int
keep(struct mlb_combination *c, int status, struct mlb_err *err)
{
	struct mlb_sweeping *s = c->s;
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
	mlb_sweep_tell(s, c, MLB_SWEEP_END, NULL, &x);
	return 0;
}

int
mlb_sweep_end(struct mlb_combination *c, struct mlb_err *err)
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
	mlb_sweep_free(c);
	return rc;
}
