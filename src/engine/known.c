#include "engine/known.h"

#include <string.h>

#include "base/buf.h"
#include "engine/each.h"
#include "engine/past.h"
#include "engine/remotes.h"
#include "os/clock.h"

enum { MAX_TABLE = 1 << 30 };

static bool
set_output(struct mlb_plan *plan, uint32_t n, const char *path, uint8_t kind,
	   const struct mlb_digest *digest, uint64_t size)
{
	const struct mlb_range out = plan->g->node[n].out;

	for (uint32_t i = 0; i < out.n; i++) {
		uint32_t o = out.first + i;

		if (strcmp(mlb_g_path(plan->g, plan->g->output[o].path), path) == 0) {
			plan->out[o].kind = kind;
			plan->out[o].digest = *digest;
			plan->out[o].size = size;
			return true;
		}
	}
	return false;
}

static bool
set_locked_outputs(struct mlb_plan *plan, uint32_t n, const struct mlb_lock_output *o,
		   uint32_t n_outputs)
{
	if (n_outputs != plan->g->node[n].out.n)
		return false;
	for (uint32_t i = 0; i < n_outputs; i++)
		if (!set_output(plan, n, o[i].path, o[i].kind, &o[i].digest, o[i].size))
			return false;
	return true;
}

const struct mlb_table_row *
mlb_known_table(struct mlb_plan *plan, const struct mlb_lock_block *block, size_t *n)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TABLE);
	struct mlb_table_row *row = NULL;

	*n = 0;
	if (mlb_digest_is_zero(&block->table) || mlb_project_cache(plan->p, NULL) ||
	    mlb_cas_read(plan->p->cas, &text, &block->table, NULL) ||
	    mlb_table_parse(&row, n, &plan->arena, mlb_buf_str(&text), text.len, NULL))
		*n = 0;
	mlb_buf_release(&text);
	return row;
}

static const struct mlb_table_row *
find_row(const struct mlb_table_row *row, size_t n, const char *name)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(row[mid].name, name);

		if (c == 0)
			return &row[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct table {
	const struct mlb_table_row *row;
	size_t n;
};

/* Tables are read once per target and kept, by digest, in the plan. */
static const struct table *
table_of(struct mlb_plan *plan, const struct mlb_lock_block *block)
{
	struct table *t;
	bool is_new;
	struct mlb_strmap_entry *e = mlb_strmap_add(&plan->tables, (const char *)block->table.b,
						    MLB_DIGEST_LEN, &is_new);

	if (is_new) {
		t = mlb_arena_alloc(&plan->arena, sizeof(*t));
		t->row = mlb_known_table(plan, block, &t->n);
		e->u.ptr = t;
	}
	return e->u.ptr;
}

static const struct mlb_table_row *
table_row(struct mlb_plan *plan, const struct mlb_lock_block *block, const char *name)
{
	const struct table *t = table_of(plan, block);

	return find_row(t->row, t->n, name);
}

static bool
from_block(struct mlb_plan *plan, uint32_t n, const struct mlb_lock_block *block,
	   const struct mlb_digest *key)
{
	const char *name = mlb_g_str(plan->g, plan->g->node[n].name);
	const struct mlb_table_row *row;

	if (mlb_digest_is_zero(&block->table)) {
		if (key && !mlb_digest_equal(&block->key, key))
			return false;
		if (!set_locked_outputs(plan, n, block->output, block->n_outputs))
			return false;
		plan->node[n].key = block->key;
		return true;
	}
	row = table_row(plan, block, name);
	if (!row || (key && !mlb_digest_equal(&row->key, key)) ||
	    !set_locked_outputs(plan, n, row->output, row->n_outputs))
		return false;
	plan->node[n].key = row->key;
	return true;
}

bool
mlb_known_locked(struct mlb_plan *plan, uint32_t n, const struct mlb_digest *key)
{
	const struct mlb_lock_block *b;

	if (mlb_project_lock(plan->p, NULL))
		return false;
	b = mlb_lockfile_get(&plan->p->lock, mlb_g_str(plan->g, plan->g->node[n].base));
	for (; b; b = b->other)
		if (from_block(plan, n, b, key))
			return true;
	return false;
}

static const struct mlb_lock_block *
block_of(struct mlb_plan *plan, uint32_t n)
{
	if (mlb_project_lock(plan->p, NULL))
		return NULL;
	return mlb_lockfile_get(&plan->p->lock, mlb_g_str(plan->g, plan->g->node[n].base));
}

/* A table whose bytes are not here may have a row for it. */
static bool
may_have_row(struct mlb_plan *plan, uint32_t n, const struct mlb_lock_block *b, bool *readable)
{
	*readable = true;
	if (mlb_digest_is_zero(&b->table))
		return true;
	*readable = table_of(plan, b)->n > 0;
	return !*readable || table_row(plan, b, mlb_g_str(plan->g, plan->g->node[n].name));
}

bool
mlb_known_elsewhere(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_lock_block *b = block_of(plan, n);
	bool readable;

	return b && may_have_row(plan, n, b, &readable);
}

/* Is it in a table that the lock names, whose bytes are not here? Then only making it tells whether the lock has it. */
static bool
may_be_locked(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_lock_block *b = block_of(plan, n);

	for (; b; b = b->other)
		if (!mlb_digest_is_zero(&b->table) && table_of(plan, b)->n == 0)
			return true;
	return false;
}

static bool
is_locked(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_node *node = &plan->node[n];

	/* Before what it reads is known its key is not: the lock may have it. */
	if (!node->key_known)
		return mlb_known_elsewhere(plan, n);
	if (plan->g->node[n].flags & MLB_G_EACH)
		return node->each && node->each->stale == 0;
	return mlb_known_locked(plan, n, &node->key);
}

bool
mlb_known_refused(struct mlb_plan *plan, uint32_t n)
{
	struct mlb_node *node = &plan->node[n];
	const struct mlb_g_node *g_node = &plan->g->node[n];

	if (!plan->locked || mlb_is_variant(plan->p) || g_node->kind == MLB_K_TASK ||
	    g_node->kind == MLB_K_CHECK || node->lost || g_node->flags & MLB_G_SOURCE ||
	    is_locked(plan, n) || may_be_locked(plan, n))
		return false;
	node->reason = mlb_arena_printf(&plan->arena, "--locked: mlbuild.lock does not have it: %s",
					node->reason);
	return true;
}

const char *
mlb_known_not(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_lock_block *b = block_of(plan, n);
	bool readable;

	if (!b || !may_have_row(plan, n, b, &readable))
		return MLB_NOT_BUILT;
	return readable ? "mlbuild.lock has it from other inputs, which are not known here"
			: MLB_BYTES_NOWHERE;
}

bool
mlb_known_source(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_lock_block *b =
		mlb_lockfile_get(&plan->p->lock, mlb_g_str(plan->g, plan->g->node[n].base));

	if (plan->p->past && mlb_past_pinned(plan, n))
		return true;
	return b && plan->p->past != MLB_PAST_REBUILD && from_block(plan, n, b, NULL);
}

int
mlb_known_stamp(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_node *node = &plan->node[n];
	const struct mlb_lock_block *b;
	int rc = mlb_project_lock(plan->p, err);

	if (rc)
		return rc;
	if (plan->update && node->asked) {
		struct mlb_buf now = MLB_BUF_INIT(MLB_KIB);

		/* With nanoseconds: two updates are never the same. */
		if (!node->stamp[0]) {
			int64_t wall = mlb_clock_wall();

			mlb_add_time(&now, wall);
			mlb_buf_addf(&now, "+%09d", (int)(wall % 1000000000));
			node->stamp = mlb_arena_strdup(&plan->arena, mlb_buf_str(&now));
		}
		mlb_buf_release(&now);
		return 0;
	}
	b = mlb_lockfile_get(&plan->p->lock, mlb_g_str(plan->g, plan->g->node[n].base));
	if (b && b->stamp)
		node->stamp = b->stamp;
	return 0;
}

int
mlb_known_record(struct mlb_plan *plan, const struct mlb_digest *key, struct mlb_result *out,
		 struct mlb_err *err)
{
	int rc = mlb_project_cache(plan->p, err);

	return rc ? rc : mlb_results_find(plan->p->results, out, &plan->arena, key, err);
}

int
mlb_known_recorded(struct mlb_plan *plan, uint32_t n, bool *said_no, struct mlb_err *err)
{
	struct mlb_err ignored = MLB_ERR_INIT;
	struct mlb_result r;
	int rc = mlb_project_cache(plan->p, err);

	*said_no = false;
	if (rc)
		return rc;
	rc = mlb_results_find(plan->p->results, &r, &plan->arena, &plan->node[n].key, &ignored);
	mlb_err_release(&ignored);
	if (rc)
		rc = mlb_remotes_result(plan->p->remotes, &r, &plan->arena, &plan->node[n].key);
	/* A check that said no need not have written all its reports. */
	if (rc || (r.n_outputs != plan->g->node[n].out.n && !r.verdict_no))
		return MLB_ENOTFOUND;
	for (uint32_t i = 0; i < r.n_outputs; i++)
		if (!set_output(plan, n, r.output[i].path, r.output[i].kind, &r.output[i].digest,
				r.output[i].size))
			return MLB_ENOTFOUND;
	*said_no = r.verdict_no;
	return 0;
}

int
mlb_known_result(struct mlb_plan *plan, uint32_t n, bool *said_no, struct mlb_err *err)
{
	*said_no = false;
	if (plan->p->past)
		return mlb_past_result(plan, n, said_no, err);
	/* A check's verdict is not in the lock: only its record tells it. */
	if (plan->g->node[n].kind != MLB_K_CHECK && !(plan->p->adopting && plan->node[n].asked) &&
	    mlb_known_locked(plan, n, &plan->node[n].key))
		return 0;
	return mlb_known_recorded(plan, n, said_no, err);
}
