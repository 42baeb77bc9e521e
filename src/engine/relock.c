/*
 * mlbuild.lock as it has to be after this build: blocks of what was asked for or
 * needed and is known now; others stay as they are while their target exists.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/dead.h"
#include "engine/each.h"
#include "engine/known.h"
#include "os/fs.h"

enum { MAX_LOCK = 1 << 30 };

/* The lock on its way to the disk. */
struct mlb_relocking {
	struct mlb_buf text;
	char *path;
	struct mlb_fs_rewriting *file; /* NULL: it could not be begun */
};

static void
output_rows(struct mlb_builder *b, uint32_t n, struct mlb_lock_output *out)
{
	const struct mlb_range r = b->g->node[n].out;

	for (uint32_t i = 0; i < r.n; i++) {
		const struct mlb_now *now = &b->plan->out[r.first + i];

		out[i].path = mlb_g_path(b->g, b->g->output[r.first + i].path);
		out[i].kind = now->kind;
		out[i].digest = now->digest;
		out[i].size = now->size;
	}
}

static bool
belongs(const struct mlb_builder *b, uint32_t n)
{
	const struct mlb_g_node *node = &b->g->node[n];

	if (!b->plan->node[n].known || b->plan->node[n].phase != MLB_PH_DONE ||
	    node->kind == MLB_K_TASK || !(node->out.n || node->flags & MLB_G_EACH))
		return false;
	/* A source that went away meanwhile is known no more. */
	for (uint32_t i = 0; i < node->out.n; i++)
		if (!b->plan->out[node->out.first + i].kind)
			return false;
	return true;
}

static bool
has_matrix(const struct mlb_builder *b, uint32_t n)
{
	return b->g->node[n].name != b->g->node[n].base &&
	       strcmp(mlb_g_str(b->g, b->g->node[n].name), mlb_g_str(b->g, b->g->node[n].base)) !=
		       0;
}

static bool
same_outputs(const struct mlb_lock_block *old, const struct mlb_lock_block *new)
{
	if (!old || old->other || old->n_outputs != new->n_outputs ||
	    strcmp(old->kind, new->kind) != 0 || !mlb_digest_equal(&old->key, &new->key) ||
	    !mlb_digest_equal(&old->table, &new->table) ||
	    strcmp(old->stamp ? old->stamp : "", new->stamp ? new->stamp : "") != 0)
		return false;
	for (uint32_t i = 0; i < old->n_outputs; i++)
		if (old->output[i].kind != new->output[i].kind ||
		    old->output[i].size != new->output[i].size ||
		    !mlb_digest_equal(&old->output[i].digest, &new->output[i].digest) ||
		    strcmp(old->output[i].path, new->output[i].path) != 0)
			return false;
	return true;
}

static int
by_path(const void *a, const void *b)
{
	const struct mlb_lock_output *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void
set_block(struct mlb_builder *b, struct mlb_lock_block *block, bool *differs)
{
	if (block->n_outputs > 1)
		qsort(block->output, block->n_outputs, sizeof(*block->output), by_path);
	if (same_outputs(mlb_lockfile_get(&b->p->lock, block->name), block))
		return;
	mlb_lockfile_set(&b->p->lock, block);
	*differs = true;
}

static int
table_of(struct mlb_builder *b, struct mlb_table_row *row, size_t n, struct mlb_digest *out,
	 struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	int rc;

	mlb_table_format(&text, row, n);
	rc = mlb_buf_check(&text, "a table of the lock", err);
	if (rc == 0 && b->foretelling)
		mlb_sha256_of(out, mlb_buf_str(&text), text.len);
	else if (rc == 0)
		rc = mlb_cas_put(b->p->cas, out, mlb_buf_str(&text), text.len, err);
	mlb_buf_release(&text);
	return rc;
}

static int
row_by_name(const void *a, const void *b)
{
	const struct mlb_table_row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* All instances of one matrix target; rows of those not built now are taken over from the old table. */
static int
set_matrix(struct mlb_builder *b, const uint32_t *n, size_t count, bool *differs,
	   struct mlb_err *err)
{
	const char *base = mlb_g_str(b->g, b->g->node[n[0]].base);
	const struct mlb_lock_block *old = mlb_lockfile_get(&b->p->lock, base);
	struct mlb_lock_block block = { .kind = mlb_kind_names[b->g->node[n[0]].kind],
					.name = base,
					.stamp = "" };
	struct mlb_table_row *row = mlb_arena_alloc(&b->plan->arena, (count + 1) * sizeof(*row));
	size_t rows = 0;
	int rc;

	for (size_t i = 0; i < count; i++) {
		struct mlb_lock_output *out;
		uint32_t n_out = b->g->node[n[i]].out.n;
		bool now = belongs(b, n[i]) && !b->plan->node[n[i]].resting;

		out = mlb_arena_alloc(&b->plan->arena, (n_out + 1) * sizeof(*out));
		if (!now && !(old && mlb_known_locked(b->plan, n[i], NULL)))
			continue;
		output_rows(b, n[i], out);
		if (n_out > 1)
			qsort(out, n_out, sizeof(*out), by_path);
		row[rows].name = mlb_g_str(b->g, b->g->node[n[i]].name);
		row[rows].key = b->plan->node[n[i]].key;
		row[rows].output = out;
		row[rows++].n_outputs = n_out;
	}
	if (rows == 0)
		return 0;
	qsort(row, rows, sizeof(*row), row_by_name);
	rc = table_of(b, row, rows, &block.table, err);
	if (rc == 0)
		set_block(b, &block, differs);
	return rc;
}

/*
 * Of another graph than the recorded one a matrix may have fewer instances, though none
 * of it was asked for: the rows of those that are gone leave, the others stay.
 */
static int
thin_matrix(struct mlb_builder *b, const uint32_t *n, size_t count, bool *differs,
	    struct mlb_err *err)
{
	const char *base = mlb_g_str(b->g, b->g->node[n[0]].base);
	const struct mlb_lock_block *old = mlb_lockfile_get(&b->p->lock, base);
	size_t rows, left = 0;

	/* What cannot be read, or settled, stays. */
	if (!old || old->other || !mlb_known_table(b->plan, old, &rows) || !rows)
		return 0;
	for (size_t i = 0; i < count; i++)
		left += mlb_known_locked(b->plan, n[i], NULL);
	if (left == rows)
		return 0;
	if (left)
		return set_matrix(b, n, count, differs, err);
	mlb_lockfile_remove(&b->p->lock, base);
	*differs = true;
	return 0;
}

static int
set_node(struct mlb_builder *b, uint32_t n, bool *differs, struct mlb_err *err)
{
	struct mlb_lock_block block = {
		.kind = mlb_kind_names[b->g->node[n].kind],
		.name = mlb_g_str(b->g, b->g->node[n].base),
		.stamp = b->plan->node[n].stamp,
		.key = b->plan->node[n].key,
		.n_outputs = b->g->node[n].out.n,
	};

	if (b->g->node[n].flags & MLB_G_EACH) {
		struct mlb_table_row *row;
		size_t rows;
		int rc;

		memset(&block.key, 0, sizeof(block.key));
		block.n_outputs = 0;
		mlb_each_table(b->plan, n, &row, &rows);
		rc = table_of(b, row, rows, &block.table, err);
		if (rc)
			return rc;
	} else {
		block.output = mlb_arena_alloc(&b->plan->arena,
					       (block.n_outputs + 1) * sizeof(*block.output));
		output_rows(b, n, block.output);
	}
	set_block(b, &block, differs);
	return 0;
}

/* Blocks whose target is gone from the ini. */
static void
drop_dead(struct mlb_builder *b, bool *differs)
{
	struct mlb_strmap base = MLB_STRMAP_INIT;
	struct mlb_strvec dead = MLB_VEC_INIT;

	for (uint32_t i = 0; i < b->g->n_nodes; i++)
		mlb_strmap_set(&base, mlb_g_str(b->g, b->g->node[i].base), b);
	for (uint32_t i = 0; i < b->p->lock.map.n; i++) {
		const struct mlb_lock_block *block = b->p->lock.map.entry[i].u.ptr;

		if (block && !mlb_strmap_get(&base, block->name))
			mlb_strvec_push(&dead, block->name);
	}
	for (size_t i = 0; i < dead.n; i++)
		mlb_lockfile_remove(&b->p->lock, dead.v[i]);
	*differs |= dead.n != 0;
	mlb_strvec_release(&dead);
	mlb_strmap_release(&base);
}

/*
 * With the lock as it was recorded only what changed can differ, and what was taken
 * out of the ini and came back: the lock forgot it, and the memo did not.
 */
static bool
to_be_set(const struct mlb_builder *b, uint32_t n, bool regraphed)
{
	const struct mlb_node *node = &b->plan->node[n];

	if (!belongs(b, n))
		return false;
	if (!mlb_plan_lock_same(b->plan, n) || node->changed)
		return true;
	return regraphed && !node->resting && (!(b->g->node[n].flags & MLB_G_EACH) || node->each);
}

static int
set_blocks(struct mlb_builder *b, bool regraphed, bool *differs, struct mlb_err *err)
{
	struct mlb_u32s same = MLB_VEC_INIT; /* instances of one target */
	uint8_t *seen = mlb_calloc(b->g->n_nodes + 1, 1);
	uint32_t *next, *first = mlb_graph_instances(b->g, 0, &next);
	int rc = 0;

	for (uint32_t i = 0; i < b->g->n_nodes && rc == 0; i++) {
		bool is_new = to_be_set(b, i, regraphed);

		if (seen[i] || (!is_new && !(regraphed && has_matrix(b, i))))
			continue;
		if (!has_matrix(b, i)) {
			rc = set_node(b, i, differs, err);
			continue;
		}
		same.n = 0;
		for (uint32_t j = first[b->g->node[i].target]; j != MLB_NONE; j = next[j]) {
			mlb_vec_push(&same, j);
			is_new |= to_be_set(b, j, regraphed);
			seen[j] = 1;
		}
		rc = (is_new ? set_matrix : thin_matrix)(b, same.v, same.n, differs, err);
	}
	mlb_vec_release(&same);
	free(first);
	free(next);
	free(seen);
	return rc;
}

/* As they will be when all has gone well: what is known now, and is not to be made, is done. */
static void
foresee(struct mlb_plan *plan)
{
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		struct mlb_node *node = &plan->node[i];

		if (!node->wanted ||
		    (node->fate != MLB_FATE_CURRENT && node->fate != MLB_FATE_RESTORE))
			continue;
		node->known = true;
		node->phase = MLB_PH_DONE;
	}
}

int
mlb_relock_differs(struct mlb_plan *plan, bool *differs, struct mlb_err *err)
{
	const struct mlb_build locked = { .locked = true };
	struct mlb_builder b = { .p = plan->p,
				 .plan = plan,
				 .g = plan->g,
				 .opt = &locked,
				 .lock = MLB_LOCK_INIT,
				 .foretelling = true };
	bool changed;
	int rc;

	foresee(plan);
	rc = mlb_relock(&b, &changed, err);
	*differs = b.stale;
	return rc;
}

/* Its bytes, under a temporary name; they are synced while the objects that they name are. */
static int
begin_lock(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_relocking *r = mlb_calloc(1, sizeof(*r));
	int rc;

	mlb_buf_init(&r->text, MAX_LOCK);
	r->path = mlb_project_path(b->p, "mlbuild.lock");
	mlb_lockfile_format(&r->text, &b->p->lock);
	rc = mlb_buf_check(&r->text, "mlbuild.lock", err);
	if (rc == 0)
		rc = mlb_fs_rewrite_begin(&r->file, r->path, mlb_buf_str(&r->text), r->text.len,
					  err);
	b->relocking = r;
	return rc;
}

/*
 * All that the lock names is durable now. Its own name need not be: with the old lock
 * after a power cut the next build writes the new one again.
 */
int
mlb_relock_end(struct mlb_builder *b, bool wanted, struct mlb_err *err)
{
	struct mlb_relocking *r = b->relocking;
	int rc = 0;

	if (!r)
		return 0;
	b->relocking = NULL;
	if (r->file)
		rc = mlb_fs_rewrite_end(r->file, wanted, err);
	free(r->path);
	mlb_buf_release(&r->text);
	free(r);
	return rc;
}

int
mlb_relock_text(struct mlb_builder *b, struct mlb_buf *out, struct mlb_err *err)
{
	struct mlb_project *p = b->p;
	struct mlb_lockfile kept = p->lock;
	bool same = p->lock_same, differs = false;
	int rc;

	mlb_lockfile_init(&p->lock);
	p->lock_same = false;
	rc = set_blocks(b, false, &differs, err);
	mlb_lockfile_format(out, &p->lock);
	mlb_lockfile_release(&p->lock);
	p->lock = kept;
	p->lock_same = same;
	return rc ? rc : mlb_buf_check(out, "mlbuild.lock", err);
}

int
mlb_graph_is_recorded(struct mlb_builder *b, bool *is, struct mlb_err *err)
{
	struct mlb_buf id = MLB_BUF_INIT(MLB_KIB);
	int rc = mlb_meta_get(b->p->db, "graph", &id, err);

	*is = rc == 0 && id.len == MLB_DIGEST_LEN &&
	      memcmp(mlb_buf_str(&id), b->g->id.b, MLB_DIGEST_LEN) == 0;
	mlb_buf_release(&id);
	return rc;
}

int
mlb_relock(struct mlb_builder *b, bool *changed, struct mlb_err *err)
{
	bool differs, same = false;
	int rc = mlb_project_lock(b->p, err);

	if (rc == 0)
		rc = mlb_graph_is_recorded(b, &same, err);
	/* Of this graph nothing is dead in it. */
	same = same && b->p->lock_same;
	if (rc == 0 && !same)
		rc = mlb_project_whole_lock(b->p, err);
	if (rc == 0 && !same && !b->opt->locked)
		rc = mlb_dead_remember(b->p, err);
	if (rc)
		return rc;
	differs = b->p->lock.conflict;
	rc = set_blocks(b, !same, &differs, err);
	if (rc)
		return rc;
	if (!same)
		drop_dead(b, &differs);
	if (differs && !b->opt->locked) {
		*changed = true;
		return begin_lock(b, err);
	}
	b->stale |= differs;
	/* Tables that a lock from elsewhere names may have been put just now. */
	return b->foretelling ? 0 : mlb_cas_sync(b->p->cas, err);
}
