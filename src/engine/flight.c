#include "engine/flight.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "engine/builder.h"

struct waiter {
	struct mlb_builder *b;
	uint32_t node;
};

struct flight {
	struct mlb_digest key;
	struct mlb_builder *owner; /* who runs it; NULL: nobody */
	uint32_t node;             /* the owner's */
	bool failed;
	char *command, *reason, *log_path, *tail,
		*kept; /* of the failure; owned, NULL: none was told */
	MLB_VEC(struct waiter) waiter;
};

/* Of an `each` target there is no key: its signature stands for all of its commands. */
static const struct mlb_digest *
key_of(const struct mlb_builder *b, uint32_t n)
{
	const struct mlb_node *node = &b->plan->node[n];

	return node->each ? &node->sig : &node->key;
}

static struct flight *
find(const struct mlb_builder *b, uint32_t n)
{
	const struct mlb_digest *key = key_of(b, n);
	const struct mlb_strmap_entry *e =
		mlb_strmap_find(&b->m->flights.map, (const char *)key->b, sizeof(key->b));

	return e ? e->u.ptr : NULL;
}

static struct flight *
find_or_add(struct mlb_builder *b, uint32_t n)
{
	struct flight *f = find(b, n);

	if (f)
		return f;
	f = mlb_calloc(1, sizeof(*f));
	f->key = *key_of(b, n);
	mlb_strmap_add(&b->m->flights.map, (const char *)f->key.b, sizeof(f->key.b), NULL)->u.ptr =
		f;
	return f;
}

/* Command and log have been told by who ran it. */
static void
fail_like(struct mlb_builder *b, uint32_t n, const struct flight *f)
{
	const struct mlb_about about = { n, "", 0 };
	const struct mlb_failure failure = {
		.command = "",
		.reason = f->reason ? f->reason : "it failed in another combination",
		.log_tail = "",
		.log_path = "",
		.kept = "",
	};

	mlb_tell_failure(b, MLB_EV_FAILED, &about, &failure, 0);
	mlb_node_failed(b, n, MLB_PH_FAILED);
}

bool
mlb_flight_taken(struct mlb_builder *b, uint32_t n)
{
	struct mlb_node *node = &b->plan->node[n];
	struct flight *f;

	if (!b->m->shared || b->g->node[n].kind == MLB_K_TASK)
		return false;
	f = find_or_add(b, n);
	if (f->failed) {
		fail_like(b, n, f);
		return true;
	}
	if (f->owner) {
		struct waiter w = { b, n };

		mlb_vec_push(&f->waiter, w);
		node->phase = MLB_PH_ELSEWHERE;
		b->n_elsewhere++;
		return true;
	}
	f->owner = b;
	f->node = n;
	node->flown = true;
	b->n_flown++;
	return false;
}

void
mlb_flight_failure(struct mlb_builder *b, uint32_t n, const struct mlb_failure *failure)
{
	struct flight *f = b->plan->node[n].flown ? find(b, n) : NULL;

	if (f && !f->reason)
		f->reason = mlb_strdup(failure->reason);
}

static void
end(struct flight *f, bool failed)
{
	struct waiter *w = f->waiter.v;
	size_t n = f->waiter.n;

	f->owner->plan->node[f->node].flown = false;
	f->owner->n_flown--;
	f->owner = NULL;
	f->failed = failed;
	f->waiter.v = NULL;
	f->waiter.n = f->waiter.cap = 0;
	for (size_t i = 0; i < n; i++) {
		w[i].b->n_elsewhere--;
		if (failed)
			fail_like(w[i].b, w[i].node, f);
		else
			mlb_node_again(w[i].b, w[i].node);
	}
	free(w);
}

void
mlb_flight_end(struct mlb_builder *b, uint32_t n, bool failed)
{
	if (b->plan->node[n].flown)
		end(find(b, n), failed);
}

static void
forget_waiter(struct flight *f, const struct mlb_builder *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->waiter.n; i++)
		if (f->waiter.v[i].b != b)
			f->waiter.v[kept++] = f->waiter.v[i];
	f->waiter.n = kept;
}

void
mlb_flight_leave(struct mlb_flights *f, struct mlb_builder *b)
{
	if (!b->n_flown && !b->n_elsewhere)
		return;
	for (uint32_t i = 0; i < f->map.n; i++)
		forget_waiter(f->map.entry[i].u.ptr, b);
	b->n_elsewhere = 0;
	for (uint32_t i = 0; i < f->map.n; i++) {
		struct flight *one = f->map.entry[i].u.ptr;

		if (one->owner == b)
			end(one, false);
	}
}

void
mlb_flights_release(struct mlb_flights *f)
{
	for (uint32_t i = 0; i < f->map.n; i++) {
		struct flight *one = f->map.entry[i].u.ptr;

		free(one->reason);
		mlb_vec_release(&one->waiter);
		free(one);
	}
	mlb_strmap_release(&f->map);
}
