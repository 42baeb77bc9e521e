/* What the event loop does between two waits: starts what is ready while resources last, and ends what is out of time. */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/away.h"
#include "engine/each.h"
#include "engine/heap.h"
#include "engine/inputs.h"
#include "engine/sender.h"
#include "os/clock.h"
#include "os/machine.h"

void
mlb_fatal(struct mlb_builder *b, struct mlb_err *err)
{
	if (b->fatal.code == MLB_OK)
		b->fatal = *err;
	else
		mlb_err_release(err);
	*err = (struct mlb_err)MLB_ERR_INIT;
	b->stopping = true;
}

void
mlb_builder_stop(struct mlb_builder *b)
{
	for (size_t i = 0; i < b->running.n; i++)
		if (b->running.v[i]->job && !b->running.v[i]->leader_ended)
			mlb_work_stop(b->running.v[i], false);
}

int
mlb_builder_machinery(struct mlb_builder *b, struct mlb_err *err)
{
	int rc;

	if (b->ready_to_run)
		return 0;
	b->ready = mlb_calloc(b->g->n_execs + 1, sizeof(*b->ready));
	rc = mlb_machinery_begin(b->m, b, err);
	if (rc == 0 && b != b->m->base) {
		memcpy(b->pin, b->m->base->pin, sizeof(b->pin));
		memcpy(b->head, b->m->base->head, sizeof(b->head));
	}
	b->ready_to_run = rc == 0;
	return rc;
}

void
mlb_node_ready(struct mlb_builder *b, struct mlb_work *w)
{
	w->seq = b->seq++;
	mlb_heap_push(&b->ready[b->g->node[w->node].exec], w);
	b->n_ready++;
}

static void
start(struct mlb_builder *b, struct mlb_work *w)
{
	struct mlb_err err = MLB_ERR_INIT;
	uint32_t n = w->node;
	int rc = mlb_work_start(w, &err);

	if (rc == 0) {
		b->m->n_commands++;
		if (b->plan->node[n].phase == MLB_PH_READY)
			b->plan->node[n].phase = MLB_PH_RUNNING;
		mlb_vec_push(&b->running, w);
		rc = mlb_machinery_watch(b->m, w, &err);
		if (rc)
			mlb_fatal(b, &err);
		return;
	}
	mlb_work_give_back(w);
	if (rc == MLB_ESTALE) {
		bool each = w->item != NULL;

		mlb_err_release(&err);
		mlb_work_free(w);
		if (each)
			mlb_each_again(b, n);
		else
			mlb_node_again(b, n);
	} else if (rc == MLB_EFAILED) {
		mlb_err_release(&err); /* told already */
		mlb_work_free(w);
	} else {
		mlb_work_free(w);
		mlb_fatal(b, &err);
	}
}

/* Who wants more than the machine has gets all there is: never in silence, and once for all that want the same. */
static void
tell_short(struct mlb_builder *b, uint32_t node)
{
	uint32_t c = b->g->node[node].exec;
	const struct mlb_g_exec *exec = &b->g->exec[c];
	const char *name = mlb_g_str(b->g, b->g->node[node].name);
	unsigned gpus;
	uint64_t mem;

	if (!b->told_short)
		b->told_short = mlb_calloc(b->g->n_execs, sizeof(*b->told_short));
	if (b->told_short[c])
		return;
	b->told_short[c] = true;
	gpus = mlb_machine_gpus();
	mem = mlb_machine_memory();
	if (exec->gpus > gpus)
		mlb_note(b, "'%s' wants %u graphics processors and gets %u: there are no more",
			 name, exec->gpus, gpus);
	if (exec->mem > mem) {
		struct mlb_buf want = MLB_BUF_INIT(MLB_KIB), has = MLB_BUF_INIT(MLB_KIB);

		mlb_add_size(&want, exec->mem);
		mlb_add_size(&has, mem);
		mlb_note(b, "'%s' wants %s of memory: this machine has %s", name,
			 mlb_buf_str(&want), mlb_buf_str(&has));
		mlb_buf_release(&has);
		mlb_buf_release(&want);
	}
}

static bool
take(struct mlb_builder *b, struct mlb_work *w, int token)
{
	struct mlb_machinery *m = b->m;
	uint32_t c = b->g->node[w->node].exec;
	struct mlb_demand reserved;

	if (m->reserved_by)
		reserved = (struct mlb_demand){ m->reserved_by->g,
						&m->reserved_by->g->exec[m->reserved] };
	if (!mlb_resources_take(m->resources, &w->grant, (struct mlb_demand){ b->g, &b->g->exec[c] },
				m->reserved_by ? &reserved : NULL))
		return false;
	tell_short(b, w->node);
	if (m->reserved_by == b && m->reserved == c)
		m->reserved_by = NULL;
	w->grant.token = token;
	return true;
}

/* The class with the dearest work among those that were not refused just now; MLB_NONE if there is none. */
static uint32_t
best_class(const struct mlb_builder *b, const uint8_t *refused)
{
	uint32_t best = MLB_NONE;

	for (uint32_t c = 0; c < b->g->n_execs; c++)
		if (b->ready[c].n && !refused[c] &&
		    (best == MLB_NONE || mlb_heap_before(b->ready[c].v[0], b->ready[best].v[0])))
			best = c;
	return best;
}

/* The dearest that can be had of what was not refused just now; MLB_NONE if none can. */
static uint32_t
grant_one(struct mlb_builder *b, uint8_t *refused, int token)
{
	bool choosing = !b->m->reserved_by;
	uint64_t oldest = UINT64_MAX;
	uint32_t c;

	while ((c = best_class(b, refused)) != MLB_NONE) {
		struct mlb_work *w = b->ready[c].v[0];

		if (take(b, w, token))
			break;
		refused[c] = 1;
		/* Once chosen it stays: else what is dearer would always come first in the next pass. */
		if (choosing && w->seq < oldest) {
			oldest = w->seq;
			b->m->reserved_by = b;
			b->m->reserved = c;
		}
	}
	return c;
}

static bool
may_start(const struct mlb_builder *b)
{
	return b->n_ready && b->m->n_commands < b->m->jobs && !b->stopping && !b->m->cancelled &&
	       !atomic_load(&b->p->suspension->since);
}

/* Start what can be started, dearest first; what does not fit waits, the oldest of it with a reservation. */
static void
start_ready(struct mlb_builder *b)
{
	uint8_t *refused;
	int token;

	if (b->stopping && b->m->reserved_by == b)
		b->m->reserved_by = NULL; /* what it is for will not run any more */
	if (!may_start(b))
		return;
	refused = mlb_calloc(b->g->n_execs + 1, 1);
	while (may_start(b)) {
		struct mlb_work *w;
		uint32_t c;

		if (!mlb_jobserver_take(b->m->jobserver, &token)) {
			mlb_machinery_await_token(b->m);
			break;
		}
		c = grant_one(b, refused, token);
		if (c == MLB_NONE) {
			mlb_jobserver_give(b->m->jobserver, token);
			break;
		}
		w = b->ready[c].v[0];
		mlb_heap_pop(&b->ready[c]);
		b->n_ready--;
		start(b, w);
		mlb_settle_all(b);
	}
	free(refused);
}

static void
take_delayed(struct mlb_builder *b, uint64_t now)
{
	for (size_t i = 0; i < b->delayed.n;) {
		struct mlb_work *w = b->delayed.v[i];

		if (w->retry_at > now) {
			i++;
			continue;
		}
		b->delayed.v[i] = b->delayed.v[--b->delayed.n];
		mlb_node_ready(b, w);
	}
}

static void
stop_timed_out(struct mlb_builder *b, uint64_t now)
{
	if (atomic_load(&b->p->suspension->since))
		return;
	for (size_t i = 0; i < b->running.n; i++) {
		struct mlb_work *w = b->running.v[i];
		uint64_t deadline = w->job && !w->leader_ended ? mlb_job_deadline(w->job) : 0;

		if (deadline && deadline <= now)
			mlb_work_stop(w, true);
	}
}

bool
mlb_machinery_busy(const struct mlb_builder *b)
{
	bool stopped = b->stopping || b->m->cancelled;

	if (b->running.n || b->n_tasks || b->n_away || (b->m->shared && b->n_rows))
		return true;
	return !stopped && (b->n_ready || b->delayed.n || b->n_elsewhere);
}

void
mlb_machinery_turn(struct mlb_machinery *m)
{
	uint64_t now;

	mlb_machinery_skip_suspended(m);
	now = mlb_clock_mono();
	for (size_t i = 0; i < m->builder.n; i++)
		take_delayed(m->builder.v[i], now);
	for (size_t i = 0; i < m->builder.n; i++)
		start_ready(m->builder.v[i]);
	for (size_t i = 0; i < m->builder.n; i++)
		stop_timed_out(m->builder.v[i], now);
	mlb_away_turn(m);
	mlb_sender_turn(m);
	mlb_record_tick(m);
}

/* In reverse, because todo is a stack and nodes are in topological order. */
void
mlb_loop_begin(struct mlb_builder *b)
{
	for (uint32_t i = b->g->n_nodes; i-- > 0;)
		if (b->plan->node[i].wanted && !b->plan->node[i].resting &&
		    b->plan->node[i].waits == 0)
			mlb_todo(b, i);
	mlb_settle_all(b);
}

int
mlb_loop(struct mlb_builder *b, struct mlb_err *err)
{
	int rc = 0;

	mlb_loop_begin(b);
	while (rc == 0 && b->ready_to_run) {
		mlb_machinery_turn(b->m);
		if (!mlb_machinery_busy(b) && b->unproved.n) {
			mlb_prove(b);
			mlb_settle_all(b);
			continue;
		}
		if (!mlb_machinery_busy(b))
			break;
		rc = mlb_machinery_wait(b->m, err);
	}
	mlb_prove_clear(b);
	if (b->fatal.code != MLB_OK && rc == 0) {
		rc = b->fatal.code;
		if (err)
			*err = b->fatal;
		b->fatal = (struct mlb_err)MLB_ERR_INIT;
	}
	return rc;
}
