#include "engine/away.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/builder.h"
#include "engine/each.h"
#include "engine/known.h"
#include "engine/remotes.h"
#include "os/clock.h"

/* So long a build waits for remotes to tell what they have: who is offline shall notice little of them. */
#define PATIENCE_NS (10ULL * 1000 * 1000 * 1000)
enum { MOST_BATCHES = 4 };

MLB_VEC_NAMED(wants, struct mlb_fetch_want);

/* A node whose bytes are fetched. */
struct item {
	struct mlb_builder *b;
	uint32_t node;
	uint32_t left; /* wants without an answer */
	bool failed;   /* one cannot be had */
	struct mlb_fetch_want *want;
	size_t n_wants;
	struct item *next;
};

struct batch {
	struct mlb_away *away;
	pthread_t thread;
	struct item *item; /* a list */
	struct mlb_fetch_want *want;
	size_t n_wants;
	struct mlb_fetch_report got;
	bool over; /* under the lock */
};

struct node_ref {
	struct mlb_builder *b;
	uint32_t node;
};

struct mlb_away {
	struct mlb_remotes *remotes;
	int fd; /* eventfd: something is answered or done, or a batch is over */
	MLB_VEC(struct node_ref) waiting; /* for an answer */
	struct wants table;               /* of the lock, whose bytes are not here */
	struct item *queued;              /* not yet in a batch */
	MLB_VEC(struct batch *) batch;    /* that go on */
	bool asking, asked;
	uint64_t deadline; /* of asking */
	pthread_t asker;
	pthread_mutex_t lock; /* of what follows */
	bool answered;
	struct item *done;
};

static void
ring(struct mlb_away *a)
{
	const uint64_t one = 1;

	while (write(a->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* ---------------------------------------------------------- asking */

/* With all candidates of a lock in conflict. */
static void
want_tables(struct wants *out, struct mlb_project *p)
{
	if (mlb_project_whole_lock(p, NULL))
		return;
	for (uint32_t i = 0; i < p->lock.map.n; i++)
		for (const struct mlb_lock_block *b = p->lock.map.entry[i].u.ptr; b; b = b->other) {
			struct mlb_fetch_want w = { .digest = b->table };

			if (!mlb_digest_is_zero(&b->table) && !mlb_cas_has(p->cas, &b->table))
				mlb_vec_push(out, w);
		}
}

/* All remotes, once. A table of many results is read to decide anything of them: it comes with the answer. */
static void
ask_all(struct mlb_remotes *r, const struct wants *tables)
{
	mlb_remotes_ask(r, false);
	for (size_t i = 0; i < r->use.n && tables->n; i++) {
		const struct mlb_fetch f = { .want = tables->v, .n_wants = tables->n };
		struct mlb_fetch_report got = { 0 };

		if (r->use.v[i]->read && r->use.v[i]->ready)
			(void)mlb_transfer_fetch(r->use.v[i]->transfer, &f, &got, NULL);
	}
}

/* On a thread. */
static void *
ask(void *ctx)
{
	struct mlb_away *a = ctx;

	ask_all(a->remotes, &a->table);
	pthread_mutex_lock(&a->lock);
	a->answered = true;
	pthread_mutex_unlock(&a->lock);
	ring(a);
	return NULL;
}

bool
mlb_away_now(struct mlb_plan *plan)
{
	struct wants tables = MLB_VEC_INIT;

	plan->asks = false;
	if (mlb_project_remotes(plan->p, NULL) != 0)
		return false;
	want_tables(&tables, plan->p);
	ask_all(plan->p->remotes, &tables);
	mlb_vec_release(&tables);
	mlb_strmap_release(&plan->tables);
	return true;
}

static int
begin(struct mlb_machinery *m, struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_away *a;
	int rc = mlb_project_remotes(b->p, err);

	if (rc)
		return rc;
	a = m->away = mlb_calloc(1, sizeof(*a));
	a->remotes = b->p->remotes;
	pthread_mutex_init(&a->lock, NULL);
	a->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->fd < 0)
		return mlb_err_errno(err, errno, "cannot make an eventfd");
	rc = mlb_machinery_watch_away(m, a->fd, err);
	if (rc)
		return rc;
	want_tables(&a->table, b->p);
	a->deadline = mlb_clock_mono() + PATIENCE_NS;
	if (mlb_thread_start(&a->asker, ask, a))
		return mlb_err_set(err, MLB_ESYSTEM, "cannot start a thread");
	a->asking = true;
	return 0;
}

bool
mlb_away_awaits(struct mlb_builder *b, uint32_t n)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct node_ref ref = { b, n };
	int rc = 0;

	if (!b->plan->node[n].lacks || !b->g->remotes || b->opt->offline ||
	    b->p->past == MLB_PAST_REBUILD || (b->m->away && b->m->away->asked))
		return false;
	rc = mlb_builder_machinery(b, &err);
	if (rc == 0 && !b->m->away)
		rc = begin(b->m, b, &err);
	if (rc) {
		mlb_fatal(b, &err);
		return true;
	}
	mlb_vec_push(&b->m->away->waiting, ref);
	b->n_away++;
	return true;
}

static void
tell_failures(struct mlb_machinery *m)
{
	struct mlb_remotes *r = m->away->remotes;

	pthread_mutex_lock(&m->away->lock);
	for (size_t i = 0; i < r->use.n && !m->cancelled; i++) {
		struct mlb_remote_use *u = r->use.v[i];

		if (!u->read || !u->asked || u->ready || u->told)
			continue;
		u->told = true;
		mlb_note(m->base, "going on without the remote '%s': %s", u->name,
			 u->err.text ? u->err.text : "it does not answer");
	}
	pthread_mutex_unlock(&m->away->lock);
}

static void
take_answer(struct mlb_machinery *m)
{
	struct mlb_away *a = m->away;

	pthread_join(a->asker, NULL);
	a->asking = false;
	a->asked = true;
	tell_failures(m);
	for (size_t i = 0; i < a->waiting.n; i++) {
		struct node_ref ref = a->waiting.v[i];

		ref.b->n_away--;
		/* What a table says was not known before it was here. */
		mlb_strmap_release(&ref.b->plan->tables);
		mlb_todo(ref.b, ref.node);
	}
	a->waiting.n = 0;
}

/* ---------------------------------------------------------- fetching */

/* Under the lock. */
static void
answer(struct mlb_away *a, struct item *it, bool good)
{
	it->failed |= !good;
	if (--it->left)
		return;
	it->next = a->done;
	a->done = it;
	ring(a);
}

static void
got_want(void *ctx, const struct mlb_fetch_want *w)
{
	struct batch *b = ctx;

	if (!w->ctx || (w->state != MLB_FETCH_GOT && w->state != MLB_FETCH_HAD))
		return;
	pthread_mutex_lock(&b->away->lock);
	answer(b->away, w->ctx, true);
	pthread_mutex_unlock(&b->away->lock);
}

static void
add_report(struct mlb_fetch_report *to, const struct mlb_fetch_report *r)
{
	to->objects += r->objects;
	to->bytes += r->bytes;
	to->received += r->received;
}

/* What one remote has; the rest is left in front for the next. */
static void
fetch_from(struct batch *b, struct mlb_remote_use *u)
{
	struct mlb_fetch f = { .want = b->want, .on_want = got_want, .ctx = b };
	struct mlb_fetch_report report = { 0 };
	struct mlb_err err = MLB_ERR_INIT;
	size_t left = 0;

	for (size_t i = 0; i < b->n_wants; i++)
		if (mlb_transfer_has(u->transfer, &b->want[i].digest)) {
			struct mlb_fetch_want w = b->want[i];

			b->want[i] = b->want[f.n_wants];
			b->want[f.n_wants++] = w;
		}
	if (f.n_wants && mlb_transfer_fetch(u->transfer, &f, &report, &err)) {
		pthread_mutex_lock(&b->away->lock);
		u->ready = false;
		if (!u->err.text)
			u->err = err;
		else
			mlb_err_release(&err);
		pthread_mutex_unlock(&b->away->lock);
	}
	add_report(&b->got, &report);
	for (size_t i = 0; i < b->n_wants; i++) {
		bool here = i < f.n_wants && (b->want[i].state == MLB_FETCH_GOT ||
					      b->want[i].state == MLB_FETCH_HAD);

		if (!here)
			b->want[left++] = b->want[i];
	}
	b->n_wants = left;
}

static void *
run_batch(void *ctx)
{
	struct batch *b = ctx;
	struct mlb_away *a = b->away;

	for (size_t i = 0; i < a->remotes->use.n && b->n_wants; i++)
		if (a->remotes->use.v[i]->read && a->remotes->use.v[i]->ready)
			fetch_from(b, a->remotes->use.v[i]);
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < b->n_wants; i++)
		if (b->want[i].ctx)
			answer(a, b->want[i].ctx, false);
	b->over = true;
	ring(a);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void
free_item(struct item *it)
{
	free(it->want);
	free(it);
}

static void
free_list(struct item *it)
{
	for (struct item *next; it; it = next) {
		next = it->next;
		free_item(it);
	}
}

static void
free_batch(struct batch *b)
{
	free(b->want);
	free(b);
}

static void
fail_list(struct mlb_away *a, struct item *list)
{
	pthread_mutex_lock(&a->lock);
	for (struct item *it = list, *next; it; it = next) {
		next = it->next;
		it->left = 1;
		answer(a, it, false);
	}
	pthread_mutex_unlock(&a->lock);
}

/* All that is queued, as one. */
static void
begin_batch(struct mlb_away *a)
{
	struct batch *b = mlb_calloc(1, sizeof(*b));
	size_t n = 0;

	b->away = a;
	b->item = a->queued;
	a->queued = NULL;
	for (const struct item *it = b->item; it; it = it->next)
		n += it->n_wants;
	b->want = mlb_calloc(n + 1, sizeof(*b->want));
	for (const struct item *it = b->item; it; it = it->next) {
		memcpy(b->want + b->n_wants, it->want, it->n_wants * sizeof(*it->want));
		b->n_wants += it->n_wants;
	}
	if (mlb_thread_start(&b->thread, run_batch, b)) {
		fail_list(a, b->item);
		free_batch(b);
		return;
	}
	mlb_vec_push(&a->batch, b);
}

void
mlb_away_turn(struct mlb_machinery *m)
{
	struct mlb_away *a = m->away;

	if (!a)
		return;
	if (a->asking && mlb_clock_mono() >= a->deadline)
		mlb_remotes_cancel(a->remotes);
	if (a->queued && m->cancelled) {
		fail_list(a, a->queued);
		a->queued = NULL;
	}
	if (a->queued && a->batch.n < MOST_BATCHES)
		begin_batch(a);
}

uint64_t
mlb_away_due(const struct mlb_machinery *m)
{
	return m->away && m->away->asking ? m->away->deadline : 0;
}

static void
want(struct item *it, const struct mlb_digest *digest, bool is_tree, bool must)
{
	struct mlb_fetch_want w = { .digest = *digest, .is_tree = is_tree };

	if (must) {
		w.ctx = it;
		it->left++;
	}
	it->want = mlb_realloc(it->want, it->n_wants + 1, sizeof(*it->want));
	it->want[it->n_wants++] = w;
}

/* What comes with a result though nothing waits for it: its log, and the text of its action. */
static void
want_rest(struct item *it, const struct mlb_digest *key)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_project *p = it->b->p;
	struct mlb_result r;

	if (mlb_remotes_result(p->remotes, &r, &arena, key) == 0) {
		if (!mlb_cas_has(p->cas, key))
			want(it, key, false, false);
		if (!mlb_digest_is_zero(&r.log) && !mlb_cas_has(p->cas, &r.log))
			want(it, &r.log, false, false);
	}
	mlb_arena_release(&arena);
}

static void
want_output(struct item *it, const struct mlb_now *out, const struct mlb_now *disk)
{
	const struct mlb_node *node = &it->b->plan->node[it->node];
	bool again = node->refetch && !node->refetched;

	if (disk->kind == out->kind && mlb_digest_equal(&disk->digest, &out->digest))
		return;
	if (again || !mlb_cas_has(it->b->p->cas, &out->digest))
		want(it, &out->digest, out->kind == MLB_O_TREE, true);
}

static void
want_each(struct item *it)
{
	struct mlb_plan *plan = it->b->plan;
	struct mlb_each *e = plan->node[it->node].each;

	for (uint32_t i = 0; i < e->n; i++) {
		uint32_t before = it->left;

		for (uint32_t k = 0; k < plan->g->node[it->node].out.n && e->item[i].known; k++) {
			struct mlb_now disk = mlb_each_on_disk(plan, it->node, &e->item[i], k);

			want_output(it, &e->item[i].out[k], &disk);
		}
		if (it->left != before)
			want_rest(it, &e->item[i].key);
	}
}

static void
want_node(struct item *it)
{
	struct mlb_plan *plan = it->b->plan;
	const struct mlb_range out = plan->g->node[it->node].out;
	bool source = plan->g->node[it->node].flags & MLB_G_SOURCE;

	for (uint32_t i = 0; i < out.n; i++) {
		struct mlb_now disk = { .kind = 0 };

		if (!mlb_is_variant(plan->p))
			disk = mlb_output_on_disk(plan, out.first + i);
		want_output(it, &plan->out[out.first + i], &disk);
	}
	if (it->left && !source)
		want_rest(it, &plan->node[it->node].key);
}

bool
mlb_away_mends(struct mlb_builder *b, uint32_t n)
{
	struct mlb_node *node = &b->plan->node[n];

	if (node->refetch || node->unfetchable || !b->g->remotes || b->opt->offline ||
	    b->p->past == MLB_PAST_REBUILD)
		return false;
	node->refetch = node->lacks = true;
	node->phase = MLB_PH_WAITING;
	if (!mlb_away_awaits(b, n))
		mlb_todo(b, n);
	return true;
}

bool
mlb_away_fetches(struct mlb_builder *b, uint32_t n)
{
	struct mlb_node *node = &b->plan->node[n];
	struct mlb_away *a = b->m->away;
	struct item *it;

	if (!a || !a->asked || node->unfetchable ||
	    (node->fate != MLB_FATE_RESTORE && !node->each) || (!node->need_present && !node->each))
		return false;
	it = mlb_calloc(1, sizeof(*it));
	it->b = b;
	it->node = n;
	if (node->each)
		want_each(it);
	else
		want_node(it);
	if (!it->left) {
		free_item(it);
		return false;
	}
	it->next = a->queued;
	a->queued = it;
	b->n_away++;
	node->phase = MLB_PH_PLACING;
	return true;
}

/* Records of what came: they are the cache's now, too. */
static void
keep_record(struct mlb_builder *b, const struct mlb_digest *key)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result r;

	if (mlb_results_find(b->p->results, &r, &arena, key, NULL) != 0 &&
	    mlb_remotes_result(b->p->remotes, &r, &arena, key) == 0)
		(void)mlb_results_add(b->p->results, &r, NULL);
	mlb_arena_release(&arena);
}

static void
complete(struct item *it)
{
	struct mlb_builder *b = it->b;
	struct mlb_node *node = &b->plan->node[it->node];

	b->n_away--;
	node->refetched = node->refetch;
	if (it->failed) {
		/* The bytes are not to be had: it is decided as if no remote had them. */
		node->unfetchable = true;
		mlb_node_again(b, it->node);
		return;
	}
	b->report->fetched++;
	if (!node->each && !(b->g->node[it->node].flags & MLB_G_SOURCE))
		keep_record(b, &node->key);
	for (uint32_t i = 0; node->each && i < node->each->n; i++)
		if (node->each->item[i].known)
			keep_record(b, &node->each->item[i].key);
	node->phase = MLB_PH_DECIDED;
	mlb_todo(b, it->node);
}

static void
reap(struct mlb_machinery *m)
{
	struct mlb_away *a = m->away;

	for (size_t i = 0; i < a->batch.n;) {
		struct batch *b = a->batch.v[i];
		bool over;

		pthread_mutex_lock(&a->lock);
		over = b->over;
		pthread_mutex_unlock(&a->lock);
		if (!over) {
			i++;
			continue;
		}
		pthread_join(b->thread, NULL);
		m->base->report->fetched_bytes += b->got.received;
		free_batch(b);
		a->batch.v[i] = a->batch.v[--a->batch.n];
	}
}

void
mlb_away_hear(struct mlb_machinery *m)
{
	struct mlb_away *a = m->away;
	struct item *done;
	uint64_t count;
	bool answered;

	while (read(a->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&a->lock);
	done = a->done;
	a->done = NULL;
	answered = a->answered;
	a->answered = false;
	pthread_mutex_unlock(&a->lock);
	if (answered)
		take_answer(m);
	for (struct item *it = done, *next; it; it = next) {
		next = it->next;
		complete(it);
		free_item(it);
	}
	reap(m);
	if (a->asked)
		tell_failures(m);
}

void
mlb_away_cancel(struct mlb_machinery *m)
{
	if (m->away)
		mlb_remotes_cancel(m->away->remotes);
}

void
mlb_away_free(struct mlb_machinery *m)
{
	struct mlb_away *a = m->away;

	if (!a)
		return;
	if (a->asking || a->batch.n)
		mlb_remotes_cancel(a->remotes);
	if (a->asking)
		pthread_join(a->asker, NULL);
	for (size_t i = 0; i < a->batch.n; i++) {
		pthread_join(a->batch.v[i]->thread, NULL);
		free_batch(a->batch.v[i]);
	}
	free_list(a->queued);
	free_list(a->done);
	if (a->fd >= 0)
		close(a->fd);
	mlb_vec_release(&a->batch);
	mlb_vec_release(&a->waiting);
	mlb_vec_release(&a->table);
	pthread_mutex_destroy(&a->lock);
	free(a);
	m->away = NULL;
}
