/* The lock file as a set of blocks, and writing it. The format stands in lockfile.c. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "graph/lock_int.h"

void
mlb_lockfile_init(struct mlb_lockfile *l)
{
	memset(l, 0, sizeof(*l));
}

void
mlb_lockfile_release(struct mlb_lockfile *l)
{
	mlb_strmap_release(&l->map);
	mlb_arena_release(&l->arena);
	mlb_buf_release(&l->text);
	l->conflict = false;
}

void
mlb_lockfile_set(struct mlb_lockfile *l, const struct mlb_lock_block *b)
{
	struct mlb_lock_block *own = mlb_arena_alloc(&l->arena, sizeof(*own));

	*own = *b;
	own->other = NULL;
	own->kind = mlb_arena_strdup(&l->arena, b->kind);
	own->name = mlb_arena_strdup(&l->arena, b->name);
	own->stamp = mlb_arena_strdup(&l->arena, b->stamp ? b->stamp : "");
	own->output = mlb_arena_alloc(&l->arena, (b->n_outputs + 1) * sizeof(*own->output));
	for (uint32_t i = 0; i < b->n_outputs; i++) {
		own->output[i] = b->output[i];
		own->output[i].path = mlb_arena_strdup(&l->arena, b->output[i].path);
	}
	mlb_strmap_set(&l->map, own->name, own);
}

/* The map forgets nothing, so an empty place is left. */
void
mlb_lockfile_remove(struct mlb_lockfile *l, const char *name)
{
	if (mlb_lockfile_get(l, name))
		mlb_strmap_set(&l->map, name, NULL);
}

static int
by_name(const void *a, const void *b)
{
	const struct mlb_lock_block *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* All blocks, sorted; a file that was read is sorted already. Owned by the caller. */
static const struct mlb_lock_block **
sorted(const struct mlb_lockfile *l, size_t *n)
{
	const struct mlb_lock_block **all =
		mlb_calloc((size_t)l->map.n + 1, sizeof(struct mlb_lock_block *));
	bool in_order = true;

	*n = 0;
	for (uint32_t i = 0; i < l->map.n; i++) {
		const struct mlb_lock_block *b = l->map.entry[i].u.ptr;

		if (!b)
			continue;
		in_order = in_order && (!*n || strcmp(all[*n - 1]->name, b->name) < 0);
		all[(*n)++] = b;
	}
	if (!in_order)
		qsort(all, *n, sizeof(*all), by_name);
	return all;
}

/* The line that began at `from` is complete: it goes into the sum. */
static size_t
end_line(struct mlb_buf *out, size_t from, uint64_t *sum)
{
	if (!out->full)
		*sum = mlb_lock_sum(*sum, out->data + from, out->len - from);
	mlb_buf_addc(out, '\n');
	return out->len;
}

static size_t
add_digest(struct mlb_buf *out, size_t from, const char *name, const struct mlb_digest *d,
	   uint64_t *sum)
{
	char hex[MLB_HEX_LEN + 1];

	if (mlb_digest_is_zero(d))
		return from;
	mlb_digest_hex(hex, d);
	mlb_buf_adds(out, name);
	mlb_buf_add(out, hex, MLB_HEX_LEN);
	return end_line(out, from, sum);
}

void
mlb_lock_add_block(struct mlb_buf *out, const struct mlb_lock_block *b)
{
	uint64_t sum = 0;
	size_t from;

	mlb_buf_addc(out, '\n');
	from = out->len;
	mlb_buf_addc(out, '[');
	mlb_buf_adds(out, b->kind);
	mlb_buf_addc(out, ' ');
	mlb_buf_adds(out, b->name);
	mlb_buf_addc(out, ']');
	from = end_line(out, from, &sum);
	from = add_digest(out, from, "key = ", &b->key, &sum);
	if (*b->stamp) {
		mlb_buf_adds(out, "stamp = ");
		mlb_lock_add_text(out, b->stamp);
		from = end_line(out, from, &sum);
	}
	from = add_digest(out, from, "table = ", &b->table, &sum);
	for (uint32_t i = 0; i < b->n_outputs && mlb_digest_is_zero(&b->table); i++) {
		mlb_buf_adds(out, "output = ");
		mlb_lock_add_output(out, &b->output[i]);
		from = end_line(out, from, &sum);
	}
	mlb_buf_addf(out, "sum = %016" PRIx64 "\n", sum);
}

void
mlb_lockfile_format(struct mlb_buf *out, const struct mlb_lockfile *l)
{
	const struct mlb_lock_block **all;
	size_t n;

	if (l->text.len) {
		mlb_lock_patch(out, l);
		return;
	}
	all = sorted(l, &n);
	mlb_buf_adds(
		out, MLB_LOCK_HEADER MLB_LOCK_VERSION
		"\n"
		"# Which bytes this commit means. Made by mlbuild: commit it, do not edit it.\n");
	for (size_t i = 0; i < n; i++)
		mlb_lock_add_block(out, all[i]);
	mlb_buf_adds(out, "\n" MLB_LOCK_END "\n");
	free(all);
}
