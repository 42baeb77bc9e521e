#include "os/hasher.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "os/io.h"
#include "os/pool.h"

#define LARGE (4 * MLB_MIB)    /* bytes from which on threads pay */
#define ROOM ((size_t)MLB_MIB) /* of one buffer */
#define ROOMS 4

/* Whoever gets the parts: on a thread, or where there is none, as they are added. */
struct taker {
	struct mlb_hasher *h;
	mlb_hasher_fn fn;
	void *ctx;
	pthread_t thread;
	bool threaded;
	uint64_t taken; /* rooms, counted on and on; under the lock */
	int error;      /* that fn gave: it is not called any more; under the lock */
};

struct mlb_hasher {
	struct mlb_sha256 sha;
	size_t cap;
	size_t n_rooms;
	char *room[ROOMS];
	size_t len[ROOMS];
	struct taker taker[2]; /* that which hashes is the first */
	size_t n_takers;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t moved;
	uint64_t filled; /* rooms, counted on and on */
	bool end;        /* nothing will be filled any more */
};

static int
hash_part(void *ctx, const void *data, size_t len)
{
	mlb_sha256_update(ctx, data, len);
	return 0;
}

static void *
take_rooms(void *arg)
{
	struct taker *t = arg;
	struct mlb_hasher *h = t->h;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		size_t at = t->taken % ROOMS;
		int e = t->error;

		while (t->taken == h->filled && !h->end)
			pthread_cond_wait(&h->moved, &h->lock);
		if (t->taken == h->filled)
			break;
		pthread_mutex_unlock(&h->lock);
		if (!e)
			e = t->fn(t->ctx, h->room[at], h->len[at]);
		pthread_mutex_lock(&h->lock);
		t->error = e;
		t->taken++;
		pthread_cond_broadcast(&h->moved);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
add_taker(struct mlb_hasher *h, bool large, mlb_hasher_fn fn, void *ctx)
{
	struct taker *t = &h->taker[h->n_takers++];

	t->h = h;
	t->fn = fn;
	t->ctx = ctx;
	t->threaded = large && mlb_thread_start(&t->thread, take_rooms, t) == 0;
}

struct mlb_hasher *
mlb_hasher_new(uint64_t size, mlb_hasher_fn fn, void *ctx)
{
	struct mlb_hasher *h = mlb_calloc(1, sizeof(*h));
	bool large = size >= LARGE;

	mlb_sha256_init(&h->sha);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->moved, NULL);
	h->n_rooms = large ? ROOMS : 1;
	/* One byte more, to see that the file ends. */
	h->cap = (size_t)MLB_MIN(size / MLB_IO_UNIT * MLB_IO_UNIT + MLB_IO_UNIT, ROOM);
	for (size_t i = 0; i < h->n_rooms; i++)
		h->room[i] = mlb_alloc_aligned(MLB_IO_UNIT, h->cap);
	add_taker(h, large, hash_part, &h->sha);
	if (fn)
		add_taker(h, large, fn, ctx);
	return h;
}

/* Has every thread taken all but `left` rooms? Under the lock. */
static bool
is_taken(const struct mlb_hasher *h, uint64_t left)
{
	for (size_t i = 0; i < h->n_takers; i++)
		if (h->taker[i].threaded && h->filled - h->taker[i].taken > left)
			return false;
	return true;
}

static int
error_of(const struct mlb_hasher *h)
{
	return h->n_takers > 1 ? h->taker[1].error : 0;
}

void *
mlb_hasher_room(struct mlb_hasher *h, size_t *cap)
{
	void *room;

	pthread_mutex_lock(&h->lock);
	while (!is_taken(h, h->n_rooms - 1))
		pthread_cond_wait(&h->moved, &h->lock);
	room = error_of(h) ? NULL : h->room[h->filled % h->n_rooms];
	pthread_mutex_unlock(&h->lock);
	*cap = h->cap;
	return room;
}

void
mlb_hasher_add(struct mlb_hasher *h, size_t n)
{
	size_t at = h->filled % h->n_rooms; /* this thread alone changes it */

	for (size_t i = 0; i < h->n_takers; i++) {
		struct taker *t = &h->taker[i];

		if (!t->threaded && !t->error)
			t->error = t->fn(t->ctx, h->room[at], n);
	}
	pthread_mutex_lock(&h->lock);
	h->len[at] = n;
	h->filled++;
	pthread_cond_broadcast(&h->moved);
	pthread_mutex_unlock(&h->lock);
}

int
mlb_hasher_end(struct mlb_hasher *h, struct mlb_digest *out)
{
	int error;

	pthread_mutex_lock(&h->lock);
	h->end = true;
	pthread_cond_broadcast(&h->moved);
	pthread_mutex_unlock(&h->lock);
	for (size_t i = 0; i < h->n_takers; i++)
		if (h->taker[i].threaded)
			pthread_join(h->taker[i].thread, NULL);
	error = error_of(h);
	pthread_cond_destroy(&h->moved);
	pthread_mutex_destroy(&h->lock);
	if (out)
		mlb_sha256_final(&h->sha, out);
	for (size_t i = 0; i < h->n_rooms; i++)
		free(h->room[i]);
	free(h);
	return error;
}
