#include "os/hasher.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "os/pool.h"

#define LARGE (4 * MLB_MIB)            /* bytes from which on a thread pays */
#define ROOM ((size_t)(512 * MLB_KIB)) /* of one buffer */
#define ROOMS 4

struct mlb_hasher {
	struct mlb_sha256 sha;
	size_t cap;
	size_t n_rooms;
	char *room[ROOMS];
	size_t len[ROOMS];
	pthread_t thread;
	bool threaded;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t moved;
	uint64_t filled; /* rooms, counted on and on */
	uint64_t hashed;
	bool end; /* nothing will be filled any more */
};

static void *
hash_rooms(void *arg)
{
	struct mlb_hasher *h = arg;

	pthread_mutex_lock(&h->lock);
	for (;;) {
		size_t at = h->hashed % ROOMS;

		while (h->hashed == h->filled && !h->end)
			pthread_cond_wait(&h->moved, &h->lock);
		if (h->hashed == h->filled)
			break;
		pthread_mutex_unlock(&h->lock);
		mlb_sha256_update(&h->sha, h->room[at], h->len[at]);
		pthread_mutex_lock(&h->lock);
		h->hashed++;
		pthread_cond_signal(&h->moved);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct mlb_hasher *
mlb_hasher_new(uint64_t size)
{
	struct mlb_hasher *h = mlb_calloc(1, sizeof(*h));

	mlb_sha256_init(&h->sha);
	h->n_rooms = 1;
	/* One byte more, to see that the file ends. */
	h->cap = (size_t)MLB_MIN(size + 1, ROOM);
	if (size >= LARGE) {
		pthread_mutex_init(&h->lock, NULL);
		pthread_cond_init(&h->moved, NULL);
		h->n_rooms = ROOMS;
	}
	for (size_t i = 0; i < h->n_rooms; i++)
		h->room[i] = mlb_alloc(h->cap);
	/* Without a thread it goes on in one room. */
	h->threaded = size >= LARGE && mlb_thread_start(&h->thread, hash_rooms, h) == 0;
	return h;
}

void *
mlb_hasher_room(struct mlb_hasher *h, size_t *cap)
{
	size_t at = 0;

	if (h->threaded) {
		pthread_mutex_lock(&h->lock);
		while (h->filled - h->hashed == ROOMS)
			pthread_cond_wait(&h->moved, &h->lock);
		at = h->filled % ROOMS;
		pthread_mutex_unlock(&h->lock);
	}
	*cap = h->cap;
	return h->room[at];
}

void
mlb_hasher_add(struct mlb_hasher *h, size_t n)
{
	if (!h->threaded) {
		mlb_sha256_update(&h->sha, h->room[0], n);
		return;
	}
	pthread_mutex_lock(&h->lock);
	h->len[h->filled++ % ROOMS] = n;
	pthread_cond_signal(&h->moved);
	pthread_mutex_unlock(&h->lock);
}

void
mlb_hasher_end(struct mlb_hasher *h, struct mlb_digest *out)
{
	if (h->threaded) {
		pthread_mutex_lock(&h->lock);
		h->end = true;
		pthread_cond_signal(&h->moved);
		pthread_mutex_unlock(&h->lock);
		pthread_join(h->thread, NULL);
	}
	if (h->n_rooms > 1) {
		pthread_cond_destroy(&h->moved);
		pthread_mutex_destroy(&h->lock);
	}
	if (out)
		mlb_sha256_final(&h->sha, out);
	for (size_t i = 0; i < h->n_rooms; i++)
		free(h->room[i]);
	free(h);
}
