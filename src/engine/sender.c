#include "engine/sender.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/builder.h"
#include "engine/exchange_push.h"
#include "engine/needs.h"
#include "os/clock.h"

#define PAUSE_NS (30ULL * 1000 * 1000 * 1000)

struct mlb_sender {
	struct mlb_project *p;
	struct mlb_keyring keys;
	struct mlb_roots queued; /* not yet given to a thread */
	struct mlb_roots going;  /* the thread's */
	pthread_t thread;
	bool running;
	atomic_bool over; /* the thread is at its end */
	atomic_bool stop;
	uint64_t last;           /* monotonic ns at which the last one ended */
	uint64_t objects, bytes; /* sent so far */
	bool unusable;           /* keys or remotes: told, and nothing is sent */
};

/* ---------------------------------------------------------- sending */

static int
tick(void *ctx, const struct mlb_transfer_progress *t)
{
	struct mlb_sender *s = ctx;

	(void)t;
	return atomic_load(&s->stop);
}

static bool
sign(void *ctx, struct mlb_signature *out, const char *text, size_t len)
{
	struct mlb_sender *s = ctx;

	return mlb_exchange_sign(&s->keys, out, text, len);
}

static void
send_to(struct mlb_sender *s, struct mlb_remote_use *u, const struct mlb_roots *what,
	const struct mlb_roots *needs)
{
	char *clone = mlb_transfer_clone_name(mlb_project_name(s->p), needs ? needs->host : "",
					      s->p->root);
	const struct mlb_push push = { .root = what->root.v,
				       .n_roots = what->root.n,
				       .needs = needs,
				       .clone = clone,
				       .sign = sign,
				       .tick = tick,
				       .ctx = s };
	struct mlb_push_report sent = { 0 };

	if (!u->asked) {
		u->asked = true;
		u->ready = mlb_transfer_refresh(u->transfer, &u->fault, &u->err) == 0;
	}
	if (u->ready && mlb_transfer_push(u->transfer, &push, &sent, &u->err))
		u->ready = false;
	s->objects += sent.sent_objects;
	s->bytes += sent.sent;
	free(clone);
}

static void
send_all(struct mlb_sender *s, const struct mlb_roots *what, const struct mlb_roots *needs)
{
	for (size_t i = 0; i < s->p->remotes->use.n; i++)
		if (s->p->remotes->use.v[i]->push)
			send_to(s, s->p->remotes->use.v[i], what, needs);
}

static void *
run(void *ctx)
{
	struct mlb_sender *s = ctx;

	send_all(s, &s->going, NULL);
	atomic_store(&s->over, true);
	return NULL;
}

static void
join(struct mlb_sender *s)
{
	if (!s->running)
		return;
	pthread_join(s->thread, NULL);
	s->running = false;
	s->last = mlb_clock_mono();
	mlb_roots_release(&s->going);
	memset(&s->going, 0, sizeof(s->going));
}

/* ---------------------------------------------------------- beside a build */

static bool
any_pushes(const struct mlb_remotes *r)
{
	for (size_t i = 0; i < r->use.n; i++)
		if (r->use.v[i]->push)
			return true;
	return false;
}

/* NULL where nothing is to be sent. */
static struct mlb_sender *
sender_of(struct mlb_machinery *m)
{
	struct mlb_project *p = m->base->p;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_sender *s = m->sender;

	if (!m->base->g || !m->base->g->remotes || m->base->opt->offline || p->past)
		return NULL;
	if (s)
		return s->unusable ? NULL : s;
	s = m->sender = mlb_calloc(1, sizeof(*s));
	s->p = p;
	s->last = mlb_clock_mono();
	s->unusable = mlb_project_remotes(p, &err) != 0 || !any_pushes(p->remotes);
	if (!s->unusable)
		s->unusable = mlb_keyring_open(&s->keys, p->config, &err) != 0;
	if (err.code != MLB_OK)
		mlb_note(m->base, "nothing is pushed: %s", err.text);
	mlb_err_release(&err);
	return s->unusable ? NULL : s;
}

void
mlb_sender_add(struct mlb_machinery *m, const struct mlb_digest *key)
{
	struct mlb_sender *s = sender_of(m);

	if (s && !mlb_digest_is_zero(key))
		mlb_roots_add(&s->queued, MLB_ROOT_KEY, key);
}

void
mlb_sender_turn(struct mlb_machinery *m)
{
	struct mlb_sender *s = m->sender;

	if (!s || s->unusable)
		return;
	if (s->running && atomic_load(&s->over))
		join(s);
	if (s->running || !s->queued.root.n || mlb_clock_mono() < s->last + PAUSE_NS)
		return;
	s->going = s->queued;
	memset(&s->queued, 0, sizeof(s->queued));
	mlb_roots_sort(&s->going);
	atomic_store(&s->over, false);
	s->running = mlb_thread_start(&s->thread, run, s) == 0;
}

/* What the lock says of targets that are not as it said before: tables, and sources that git does not have. */
static void
add_changed(struct mlb_sender *s, struct mlb_builder *b)
{
	const char *last = "";

	if (mlb_is_variant(b->p) || !b->plan || mlb_project_lock(b->p, NULL))
		return;
	for (uint32_t i = 0; i < b->g->n_nodes; i++) {
		const char *base = mlb_g_str(b->g, b->g->node[i].base);
		const struct mlb_lock_block *block;

		if (!b->plan->node[i].wanted || !b->plan->node[i].changed || base == last)
			continue;
		last = base;
		block = mlb_lockfile_get(&b->p->lock, base);
		if (block)
			mlb_needs_of_block(&s->queued, block);
	}
}

static void
tell(struct mlb_machinery *m, struct mlb_sender *s)
{
	struct mlb_buf size = MLB_BUF_INIT(MLB_KIB);

	for (size_t i = 0; i < s->p->remotes->use.n; i++) {
		struct mlb_remote_use *u = s->p->remotes->use.v[i];

		if (u->push && !u->ready && !m->cancelled)
			mlb_note(m->base,
				 "not all is pushed to '%s': %s; 'mlbuild push' sends the rest",
				 u->name, u->err.text ? u->err.text : "it does not answer");
	}
	if (s->objects) {
		mlb_add_size(&size, s->bytes);
		mlb_note(m->base, "pushed %llu object%s, %s", (unsigned long long)s->objects,
			 s->objects == 1 ? "" : "s", mlb_buf_str(&size));
	}
	mlb_buf_release(&size);
}

void
mlb_sender_finish(struct mlb_machinery *m)
{
	struct mlb_sender *s = m->sender;
	struct mlb_roots needs = { 0 };

	if (!s || s->unusable)
		return;
	join(s);
	if (!m->cancelled) {
		add_changed(s, m->base);
		mlb_roots_sort(&s->queued);
		if (mlb_exchange_needs(s->p, &s->queued, &needs, NULL) == 0)
			send_all(s, &s->queued, &needs);
		mlb_roots_release(&needs);
	}
	tell(m, s);
}

void
mlb_sender_free(struct mlb_machinery *m)
{
	struct mlb_sender *s = m->sender;

	if (!s)
		return;
	atomic_store(&s->stop, true);
	join(s);
	mlb_roots_release(&s->queued);
	mlb_keyring_release(&s->keys);
	free(s);
	m->sender = NULL;
}
