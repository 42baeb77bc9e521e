/* Several at the same name. */
#include "conform.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define WRITERS 16
#define LEASE 20000

struct writer {
	pthread_t thread;
	pthread_barrier_t *line;
	struct mlb_session *s;
	const char *name, *data;
	struct answer a;
};

static void *
write_once(void *arg)
{
	struct writer *w = arg;

	pthread_barrier_wait(w->line);
	ask_put(&w->a, w->s, w->name, w->data, LEASE, true);
	return NULL;
}

static bool
one_wins(struct conform *c, struct writer *w)
{
	const struct writer *winner = NULL;
	struct answer a;

	for (unsigned i = 0; i < WRITERS; i++) {
		if (w[i].a.rc && !failed(c, &w[i].a, MLB_FAULT_EXISTS, "a loser"))
			return false;
		if (!w[i].a.rc && !conform_must(c, !winner, "two writers have won"))
			return false;
		winner = w[i].a.rc ? winner : &w[i];
	}
	if (!conform_must(c, winner != NULL, "no writer has won"))
		return false;
	ask_get(&a, c->s, winner->name, 0, MLB_REMOTE_TO_END, winner->data, LEASE);
	return good(c, &a, "GET of the winner's");
}

static bool
race(struct conform *c, struct writer *w, unsigned round)
{
	pthread_barrier_t line;

	pthread_barrier_init(&line, NULL, WRITERS);
	for (unsigned i = 0; i < WRITERS; i++) {
		w[i].line = &line;
		w[i].name = conform_in(c, "race/%u", round);
		w[i].data = c->bytes + (size_t)i * 1000;
		pthread_create(&w[i].thread, NULL, write_once, &w[i]);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(w[i].thread, NULL);
	pthread_barrier_destroy(&line);
	return one_wins(c, w);
}

static bool
put_if_absent_race(struct conform *c)
{
	struct writer w[WRITERS] = { { .name = NULL } };
	unsigned rounds = c->all ? 20 : 4;
	bool ok = true;

	for (unsigned i = 0; i < WRITERS && ok; i++)
		ok = (w[i].s = conform_session(c)) != NULL;
	for (unsigned i = 0; i < rounds && ok; i++)
		ok = race(c, w, i);
	for (unsigned i = 0; i < WRITERS; i++)
		mlb_session_close(w[i].s);
	return ok;
}

/* ---------------------------------------------------------- half a PUT */

struct reader {
	pthread_t thread;
	struct conform *c;
	struct mlb_session *s;
	const char *name, *dir;
	const char *bytes[2]; /* what it may be; NULL: nothing */
	size_t size[2];
	atomic_bool stop;
	unsigned looks;
	bool ok;
};

/* Either of the two, and nothing between. */
static bool
is_whole(struct reader *r)
{
	struct conform *c = r->c;
	struct answer a;

	ask_stat(&a, r->s, r->name);
	if (a.fault == MLB_FAULT_ABSENT)
		return conform_must(c, !r->bytes[0], "STAT: it was gone for a time");
	if (!good(c, &a, "STAT meanwhile") ||
	    !conform_must(c, a.total == r->size[0] || a.total == r->size[1],
			  "STAT: it had %llu bytes for a time", (unsigned long long)a.total))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		ask_get(&a, r->s, r->name, 0, MLB_REMOTE_TO_END, r->bytes[i], r->size[i]);
		if (a.rc && a.fault == MLB_FAULT_OTHER && strstr(a.text, "replaced while"))
			return true;
		if (!a.rc && !a.wrong)
			return true;
		if (a.rc && !good(c, &a, "GET meanwhile"))
			return false;
	}
	/* The first look may have met the second one, the second the first. */
	ask_get(&a, r->s, r->name, 0, MLB_REMOTE_TO_END, r->bytes[1], r->size[1]);
	return good(c, &a, "GET meanwhile");
}

static bool
no_junk_listed(struct reader *r)
{
	struct listing l = MLB_VEC_INIT;
	struct answer a;
	bool ok;

	ask_list(&a, r->s, r->dir, &l);
	ok = good(r->c, &a, "LIST meanwhile");
	for (size_t i = 0; ok && i < l.n; i++)
		ok = conform_must(r->c, !strcmp(l.v[i].name, "it"), "LIST shows '%s'",
				  l.v[i].name) &&
		     conform_must(r->c, l.v[i].size == r->size[0] || l.v[i].size == r->size[1],
				  "LIST shows half of it");
	listing_release(&l);
	return ok;
}

static void *
read_on(void *arg)
{
	struct reader *r = arg;

	do {
		r->ok = is_whole(r) && no_junk_listed(r);
		r->looks++;
	} while (r->ok && !atomic_load(&r->stop));
	return NULL;
}

static bool
look_while_put(struct conform *c, struct reader *r)
{
	struct answer a;

	r->c = c;
	r->s = conform_session(c);
	if (!r->s)
		return false;
	atomic_store(&r->stop, false);
	pthread_create(&r->thread, NULL, read_on, r);
	ask_put(&a, c->s, r->name, r->bytes[1], r->size[1], false);
	atomic_store(&r->stop, true);
	pthread_join(r->thread, NULL);
	mlb_session_close(r->s);
	return good(c, &a, "PUT") && r->ok;
}

static bool
nobody_sees_half(struct conform *c)
{
	struct reader r = { .name = conform_in(c, "half/it"), .dir = conform_in(c, "half") };
	struct answer a;

	r.bytes[1] = c->bytes;
	r.size[1] = c->large;
	if (!look_while_put(c, &r))
		return false;
	/* And again, where another one is replaced. */
	r.bytes[0] = c->bytes;
	r.size[0] = c->large;
	r.bytes[1] = c->bytes + 5;
	r.size[1] = c->large - 5;
	if (!look_while_put(c, &r))
		return false;
	ask_get(&a, c->s, r.name, 0, MLB_REMOTE_TO_END, r.bytes[1], r.size[1]);
	return good(c, &a, "GET afterwards");
}

/* ---------------------------------------------------------- a PUT that is given up */

static void *
put_large(void *arg)
{
	struct writer *w = arg;

	ask_put(&w->a, w->s, w->name, w->data, (size_t)w->a.total, false);
	return NULL;
}

/* Cancelled as soon as something was sent, whether or not that was all. */
static bool
cancelled_put(struct conform *c)
{
	struct writer w = { .name = conform_in(c, "given-up/it"), .data = c->bytes };
	struct mlb_session_stats stats;
	struct listing l = MLB_VEC_INIT;
	struct answer a;
	bool ok;

	w.s = conform_session(c);
	if (!w.s)
		return false;
	w.a.total = c->large;
	pthread_create(&w.thread, NULL, put_large, &w);
	do {
		sched_yield();
		mlb_session_stats(w.s, &stats);
	} while (!stats.sent && !stats.retries);
	mlb_session_cancel(w.s);
	pthread_join(w.thread, NULL);
	mlb_session_close(w.s);
	ok = conform_must(c, w.a.rc == 0 || w.a.rc == MLB_EINTERRUPTED, "PUT: %d %s", w.a.rc,
			  w.a.text);
	ask_get(&a, c->s, w.name, 0, MLB_REMOTE_TO_END, c->bytes, c->large);
	if (ok && (w.a.rc == 0 || a.fault != MLB_FAULT_ABSENT))
		ok = good(c, &a, "GET");
	ask_list(&a, c->s, conform_in(c, "given-up"), &l);
	ok = ok && good(c, &a, "LIST");
	for (size_t i = 0; ok && i < l.n; i++)
		ok = conform_must(c, !strcmp(l.v[i].name, "it"), "'%s' is left", l.v[i].name);
	listing_release(&l);
	return ok;
}

const struct check checks_race[] = {
	{ "PUT if absent by 16 at once has one winner", put_if_absent_race },
	{ "nobody sees half a PUT", nobody_sees_half },
	{ "a PUT that is cancelled leaves nothing", cancelled_put },
	{ NULL, NULL },
};
