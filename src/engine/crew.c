#include "engine/crew.h"

#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "os/pool.h"

#define WAIT 100000000 /* ns: so often the owner tells how far it is */

struct mlb_crew {
	pthread_mutex_t lock; /* of all but thread */
	pthread_cond_t todo, changed;
	struct mlb_step *first, *last; /* the latter only while there is one */
	bool stop;
	unsigned n_threads;
	pthread_t *thread;
};

static struct mlb_step *
take(struct mlb_crew *c)
{
	struct mlb_step *s;

	while (!c->first && !c->stop)
		pthread_cond_wait(&c->todo, &c->lock);
	s = c->first;
	if (s)
		c->first = s->next;
	return s;
}

static void *
work(void *arg)
{
	struct mlb_crew *c = arg;
	struct mlb_step *s;

	pthread_mutex_lock(&c->lock);
	while ((s = take(c)) != NULL) {
		pthread_mutex_unlock(&c->lock);
		s->work(s);
		pthread_mutex_lock(&c->lock);
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

struct mlb_crew *
mlb_crew_new(unsigned threads)
{
	struct mlb_crew *c = mlb_calloc(1, sizeof(*c));
	pthread_condattr_t attr;

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->todo, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &attr);
	pthread_condattr_destroy(&attr);
	threads = MLB_MAX(threads, 1U);
	c->thread = mlb_calloc(threads, sizeof(*c->thread));
	while (c->n_threads < threads && mlb_thread_start(&c->thread[c->n_threads], work, c) == 0)
		c->n_threads++;
	/* Without any thread nothing would ever be done. */
	if (!c->n_threads)
		abort();
	return c;
}

void
mlb_crew_free(struct mlb_crew *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_broadcast(&c->todo);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->n_threads; i++)
		pthread_join(c->thread[i], NULL);
	pthread_cond_destroy(&c->changed);
	pthread_cond_destroy(&c->todo);
	pthread_mutex_destroy(&c->lock);
	free(c->thread);
	free(c);
}

void
mlb_crew_add(struct mlb_crew *c, struct mlb_step *s)
{
	pthread_mutex_lock(&c->lock);
	s->next = NULL;
	if (c->first)
		c->last->next = s;
	else
		c->first = s;
	c->last = s;
	pthread_cond_signal(&c->todo);
	pthread_mutex_unlock(&c->lock);
}

void
mlb_crew_lock(struct mlb_crew *c)
{
	pthread_mutex_lock(&c->lock);
}

void
mlb_crew_unlock(struct mlb_crew *c)
{
	pthread_mutex_unlock(&c->lock);
}

void
mlb_crew_changed(struct mlb_crew *c)
{
	pthread_cond_broadcast(&c->changed);
}

void
mlb_crew_wait(struct mlb_crew *c)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAIT;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&c->changed, &c->lock, &until);
}
