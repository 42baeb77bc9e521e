#include "store/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Digests are random: any 8 bytes of one are a hash. */
static size_t
home(const struct mlb_pending *p, const struct mlb_digest *id)
{
	uint64_t h;

	memcpy(&h, id->b, sizeof(h));
	return (size_t)h & (p->n_slots - 1);
}

/* The slot of an id, or the empty one where it would go. */
static size_t
probe(const struct mlb_pending *p, const struct mlb_digest *id)
{
	size_t i = home(p, id);

	while (p->slot[i] && !mlb_digest_equal(&p->entry.v[p->slot[i] - 1].id, id))
		i = (i + 1) & (p->n_slots - 1);
	return i;
}

/* Of several entries of one id the greatest seq is the one that is found; of equals, the last. */
static void
place(struct mlb_pending *p, size_t index)
{
	size_t i = probe(p, &p->entry.v[index].id);
	uint32_t had = p->slot[i];

	if (!had || p->entry.v[had - 1].seq <= p->entry.v[index].seq)
		p->slot[i] = (uint32_t)index + 1;
}

static void
rebuild(struct mlb_pending *p)
{
	size_t want = 64;

	while (want / 2 < p->entry.n)
		want *= 2;
	if (want != p->n_slots) {
		free(p->slot);
		p->slot = mlb_calloc(want, sizeof(*p->slot));
		p->n_slots = want;
	} else {
		memset(p->slot, 0, want * sizeof(*p->slot));
	}
	for (size_t i = 0; i < p->entry.n; i++)
		place(p, i);
}

void
mlb_pending_release(struct mlb_pending *p)
{
	mlb_vec_release(&p->entry);
	free(p->slot);
	p->slot = NULL;
	p->n_slots = 0;
}

struct mlb_entry *
mlb_pending_find(const struct mlb_pending *p, const struct mlb_digest *id)
{
	uint32_t at = p->n_slots ? p->slot[probe(p, id)] : 0;

	return at ? &p->entry.v[at - 1] : NULL;
}

void
mlb_pending_add(struct mlb_pending *p, const struct mlb_entry *e)
{
	if (p->entry.n >= UINT32_MAX - 1)
		abort();
	mlb_vec_push(&p->entry, *e);
	if (p->entry.n > p->n_slots / 2)
		rebuild(p);
	else
		place(p, p->entry.n - 1);
}

/* Keep the entries for which keep is true. */
static void
filter(struct mlb_pending *p, bool (*keep)(const struct mlb_entry *e, const void *ctx),
       const void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < p->entry.n; i++)
		if (keep(&p->entry.v[i], ctx))
			p->entry.v[n++] = p->entry.v[i];
	if (n == p->entry.n)
		return;
	p->entry.n = n;
	rebuild(p);
}

static bool
has_other_id(const struct mlb_entry *e, const void *ctx)
{
	return !mlb_digest_equal(&e->id, ctx);
}

static bool
is_durable(const struct mlb_entry *e, const void *ctx)
{
	(void)ctx;
	return e->state >= MLB_ENTRY_READY;
}

static bool
is_loose_or_unsynced(const struct mlb_entry *e, const void *ctx)
{
	(void)ctx;
	return !e->pack || e->state < MLB_ENTRY_READY;
}

static bool
is_unwritten(const struct mlb_entry *e, const void *ctx)
{
	(void)ctx;
	return e->state != MLB_ENTRY_WRITTEN;
}

void
mlb_pending_remove(struct mlb_pending *p, const struct mlb_digest *id)
{
	filter(p, has_other_id, id);
}

static void
change(struct mlb_pending *p, uint8_t from, uint8_t to)
{
	for (size_t i = 0; i < p->entry.n; i++)
		if (p->entry.v[i].state == from)
			p->entry.v[i].state = to;
}

void
mlb_pending_sync_begin(struct mlb_pending *p)
{
	change(p, MLB_ENTRY_NEW, MLB_ENTRY_SYNCING);
}

bool
mlb_pending_sync_end(struct mlb_pending *p, bool synced)
{
	bool newer = false;

	if (synced) {
		change(p, MLB_ENTRY_SYNCING, MLB_ENTRY_READY);
		return false;
	}
	for (size_t i = 0; i < p->entry.n; i++)
		newer |= p->entry.v[i].state == MLB_ENTRY_NEW;
	filter(p, is_durable, NULL);
	return newer;
}

static int
by_id(const void *a, const void *b)
{
	const struct mlb_entry *x = a, *y = b;
	int cmp = mlb_digest_cmp(&x->id, &y->id);

	return cmp ? cmp : (x->seq > y->seq) - (x->seq < y->seq);
}

static unsigned
part_of(const struct mlb_entry *e)
{
	return (unsigned)e->id.b[0] << 8 | e->id.b[1];
}

/*
 * Digests are random: by their first two bytes they fall into parts of about equal
 * size, which is most of sorting them. What fails to is sorted all the same.
 */
static void
sort_by_id(struct mlb_entries *all)
{
	enum { PARTS = 1 << 16, FEW = 4096 };
	struct mlb_entry *to;
	uint32_t *end;
	size_t sum = 0;

	if (all->n < FEW) {
		if (all->n > 1)
			qsort(all->v, all->n, sizeof(*all->v), by_id);
		return;
	}
	end = mlb_calloc(PARTS + 1, sizeof(*end));
	to = mlb_calloc(all->n, sizeof(*to));
	for (size_t i = 0; i < all->n; i++)
		end[part_of(&all->v[i]) + 1]++;
	for (size_t i = 1; i <= PARTS; i++)
		end[i] += end[i - 1];
	for (size_t i = 0; i < all->n; i++)
		to[end[part_of(&all->v[i])]++] = all->v[i];
	for (size_t i = 0; i < PARTS; sum = end[i++])
		if (end[i] - sum > 1)
			qsort(to + sum, end[i] - sum, sizeof(*to), by_id);
	memcpy(all->v, to, all->n * sizeof(*to));
	free(to);
	free(end);
}

void
mlb_pending_take(struct mlb_pending *p, struct mlb_db *db, struct mlb_entries *out)
{
	if (mlb_db_rollbacks(db) != p->rollbacks)
		change(p, MLB_ENTRY_WRITTEN, MLB_ENTRY_READY);
	else if (mlb_db_commits(db) != p->commits)
		filter(p, is_unwritten, NULL);
	p->rollbacks = mlb_db_rollbacks(db);
	p->commits = mlb_db_commits(db);
	for (size_t i = 0; i < p->entry.n; i++)
		if (p->entry.v[i].state == MLB_ENTRY_READY) {
			p->entry.v[i].state = MLB_ENTRY_WRITTEN;
			mlb_vec_push(out, p->entry.v[i]);
		}
	/* Rows in the order of the table are written much faster. */
	sort_by_id(out);
}

bool
mlb_pending_any(const struct mlb_pending *p, const struct mlb_db *db)
{
	bool written = mlb_db_rollbacks(db) == p->rollbacks && mlb_db_commits(db) != p->commits;

	for (size_t i = 0; i < p->entry.n; i++)
		if (!written || p->entry.v[i].state != MLB_ENTRY_WRITTEN)
			return true;
	return false;
}

void
mlb_pending_give_back(struct mlb_pending *p)
{
	change(p, MLB_ENTRY_WRITTEN, MLB_ENTRY_READY);
}

void
mlb_pending_forget(struct mlb_pending *p)
{
	filter(p, is_loose_or_unsynced, NULL);
	change(p, MLB_ENTRY_WRITTEN, MLB_ENTRY_READY);
}
