#include "engine/exchange.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "os/clock.h"

enum { MAX_NOTE = 64 * 1024 };

void
mlb_exchange_report_release(struct mlb_exchange_report *r)
{
	free(r->remote);
	memset(r, 0, sizeof(*r));
}

/* ---------------------------------------------------------- telling */

static void
tell(struct mlb_exchange_run *r, enum mlb_event_type type, const struct mlb_locked *l,
     const char *text)
{
	struct mlb_event e = { .type = type,
			       .node = l ? l->name : "",
			       .kind = l ? l->kind : "",
			       .by = "",
			       .file = "",
			       .text = text,
			       .len = strlen(text),
			       .duration = mlb_clock_mono() - r->began };

	if (r->x->on_event)
		r->x->on_event(r->x->ctx, &e);
}

void
mlb_exchange_note(struct mlb_exchange_run *r, const char *fmt, ...)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_NOTE);
	char text[MLB_KIB];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mlb_buf_adds(&b, text);
	tell(r, MLB_EV_NOTE, NULL, mlb_buf_str(&b));
	mlb_buf_release(&b);
}

void
mlb_exchange_missing(struct mlb_exchange_run *r, const struct mlb_locked *l, const char *why)
{
	char *text = mlb_asprintf("'%s': %s", l->path ? l->path : "its table of files", why);

	r->report->missing++;
	tell(r, MLB_EV_BLOCKED, l, text);
	free(text);
}

int
mlb_exchange_tick(void *run, const struct mlb_transfer_progress *t)
{
	struct mlb_exchange_run *r = run;
	struct mlb_event e = { .type = MLB_EV_PROGRESS,
			       .node = "",
			       .kind = "",
			       .by = "",
			       .file = "",
			       .text = "",
			       .files = t->objects,
			       .bytes = t->bytes,
			       .total_bytes = t->all_bytes,
			       .duration = mlb_clock_mono() - r->began };
	struct pollfd fd = { .fd = r->p->cancel_fd, .events = POLLIN };

	if (r->x->on_event)
		r->x->on_event(r->x->ctx, &e);
	return poll(&fd, 1, 0) > 0;
}

int
mlb_exchange_unusable(struct mlb_remote_use *u, struct mlb_err *err)
{
	const char *hint = mlb_session_hint(u->session, u->fault);
	int code = u->err.code == MLB_EINVALID || u->err.code == MLB_EINTERRUPTED ? u->err.code
										  : MLB_EREMOTE;

	/* A session names its remote. */
	if (u->err.text && mlb_str_starts(u->err.text, "remote '"))
		return mlb_err_set(err, code, "%s%s%s", u->err.text, hint ? "\n" : "",
				   hint ? hint : "");
	return mlb_err_set(err, code, "remote '%s' (%s): %s%s%s", u->name, u->url,
			   u->err.text ? u->err.text : "it does not answer", hint ? "\n" : "",
			   hint ? hint : "");
}

/* ---------------------------------------------------------- what is meant */

int
mlb_exchange_begin(struct mlb_exchange_run *r, struct mlb_err *err)
{
	int rc;

	memset(r->report, 0, sizeof(*r->report));
	r->began = mlb_clock_mono();
	rc = mlb_project_past(r->p, err);
	if (rc == 0)
		rc = mlb_project_remotes(r->p, err);
	if (rc == 0 && !r->p->remotes->use.n)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "there is no remote: 'mlbuild remote add NAME URL' adds one");
	return rc;
}

void
mlb_exchange_end(struct mlb_exchange_run *r)
{
	const struct mlb_remotes *remotes = r->p->remotes;

	for (size_t i = 0; remotes && i < remotes->use.n; i++) {
		struct mlb_session_stats stats;

		mlb_session_stats(remotes->use.v[i]->session, &stats);
		r->report->requests += stats.requests;
	}
	r->report->duration = mlb_clock_mono() - r->began;
}

bool
mlb_exchange_is_gits(struct mlb_exchange_run *r, const struct mlb_locked *l)
{
	return l->source && l->path && mlb_project_vcs(r->p, NULL) == 0 && r->p->vcs &&
	       (mlb_vcs_tracked(r->p->vcs, l->path) || mlb_vcs_has_below(r->p->vcs, l->path));
}

/* The targets that the words need, by the graph as it is now. */
static int
mark_inputs(struct mlb_exchange_run *r, const struct mlb_locked_list *list, uint8_t *mark,
	    struct mlb_err *err)
{
	const struct mlb_plan_options o = { .word = r->x->word, .n_words = r->x->n_words };
	struct mlb_plan *plan = NULL;
	int rc = mlb_plan_new(&plan, r->p, &o, err);

	for (uint32_t i = 0; rc == 0 && i < plan->g->n_nodes; i++) {
		const char *base = mlb_g_str(plan->g, plan->g->node[i].base);

		for (size_t k = 0; plan->node[i].wanted && k < list->all.n; k++)
			mark[k] |= strcmp(list->all.v[k].base, base) == 0;
	}
	mlb_plan_free(plan);
	return rc;
}

static int
mark_words(struct mlb_exchange_run *r, const struct mlb_locked_list *list, uint8_t *mark,
	   struct mlb_err *err)
{
	int rc = 0;

	if (!r->x->n_words) {
		memset(mark, 1, list->all.n);
		return mlb_locked_dispute(list, NULL, err);
	}
	for (size_t i = 0; i < r->x->n_words && rc == 0; i++) {
		rc = mlb_locked_dispute(list, r->x->word[i], err);
		if (rc == 0)
			rc = mlb_locked_mark(list, r->p, r->x->word[i], mark, err);
	}
	return rc;
}

static int
one_lock(struct mlb_exchange_run *r, const char *rev, mlb_exchange_fn *fn, void *ctx,
	 struct mlb_err *err)
{
	struct mlb_locked_list list;
	uint8_t *mark = NULL;
	int rc = mlb_locked_read(&list, r->p, rev, err);

	if (rc == 0) {
		mark = mlb_calloc(list.all.n + 1, 1);
		rc = mark_words(r, &list, mark, err);
	}
	if (rc == 0 && r->x->with_inputs && !rev)
		rc = mark_inputs(r, &list, mark, err);
	if (rc == 0)
		rc = fn(ctx, &list, mark, err);
	free(mark);
	mlb_locked_release(&list);
	return rc;
}

struct pins {
	struct mlb_exchange_run *r;
	mlb_exchange_fn *fn;
	void *ctx;
	struct mlb_strvec commit;
};

static int
take_pin(void *ctx, const struct mlb_pin *pin)
{
	struct pins *s = ctx;

	if (pin->kind != MLB_PIN_MISSING)
		mlb_strvec_push(&s->commit, pin->commit);
	return 0;
}

/* A pin from before there was a lock has none. */
static int
pinned_locks(struct mlb_exchange_run *r, mlb_exchange_fn *fn, void *ctx, struct mlb_err *err)
{
	struct pins s = { .r = r, .fn = fn, .ctx = ctx, .commit = MLB_VEC_INIT };
	int rc = mlb_pins(r->p, NULL, take_pin, &s, err);

	for (size_t i = 0; i < s.commit.n && rc == 0; i++) {
		struct mlb_err why = MLB_ERR_INIT;

		rc = one_lock(r, s.commit.v[i], fn, ctx, &why);
		if (rc == MLB_ENOTFOUND) {
			mlb_err_release(&why);
			rc = 0;
		} else if (rc && err) {
			*err = why;
		} else {
			mlb_err_release(&why);
		}
	}
	mlb_strvec_release(&s.commit);
	return rc;
}

int
mlb_exchange_locks(struct mlb_exchange_run *r, mlb_exchange_fn *fn, void *ctx, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < r->x->n_revs && rc == 0; i++)
		rc = one_lock(r, r->x->rev[i], fn, ctx, err);
	if (rc == 0 && !r->x->n_revs)
		rc = one_lock(r, NULL, fn, ctx, err);
	if (rc == 0 && r->x->all_pins)
		rc = pinned_locks(r, fn, ctx, err);
	return rc;
}
