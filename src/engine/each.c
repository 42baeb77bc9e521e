#include "engine/each.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/known.h"
#include "engine/past.h"
#include "engine/remotes.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_ACTION = 256 << 20, MAX_PATH_BYTES = 64 * 1024, MAX_TABLE = 1 << 30 };

void
mlb_each_item_action(const struct mlb_plan *plan, uint32_t n, const struct mlb_each_item *it,
		     struct mlb_arena *arena, struct mlb_action *out)
{
	const struct mlb_a_input file = { it->file, it->kind, it->digest };

	mlb_action_for_each(out, arena, plan->g, n, &plan->node[n].each->shared, &file);
}

/* Its key and the paths of its outputs, in the order of the node's outputs. */
static int
key_item(struct mlb_plan *plan, uint32_t n, struct mlb_each_item *it, struct mlb_buf *text,
	 struct mlb_err *err)
{
	const struct mlb_range out = plan->g->node[n].out;
	const char **path = mlb_arena_alloc(&plan->arena, (out.n + 1) * sizeof(*path));
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_action a;
	int rc;

	mlb_each_item_action(plan, n, it, &arena, &a);
	for (uint32_t k = 0; k < out.n; k++)
		for (uint32_t i = 0; i < a.n_outputs; i++)
			if (strcmp(a.output[i].name,
				   mlb_g_str(plan->g, plan->g->output[out.first + k].name)) == 0)
				path[k] = mlb_arena_strdup(&plan->arena, a.output[i].path);
	it->path = path;
	it->out = mlb_arena_alloc(&plan->arena, (out.n + 1) * sizeof(*it->out));
	it->has_key = true;
	mlb_buf_clear(text);
	mlb_action_text(text, plan->g, &a);
	rc = mlb_buf_check(text, "the action's text", err);
	if (rc == 0)
		mlb_sha256_of(&it->key, mlb_buf_str(text), text->len);
	mlb_arena_release(&arena);
	return rc;
}

static bool
set_item(struct mlb_plan *plan, uint32_t n, struct mlb_each_item *it, const char *path,
	 uint8_t kind, const struct mlb_digest *digest, uint64_t size)
{
	for (uint32_t k = 0; k < plan->g->node[n].out.n; k++)
		if (strcmp(it->path[k], path) == 0) {
			it->out[k] = (struct mlb_now){ *digest, size, kind };
			return true;
		}
	return false;
}

static bool
complete(const struct mlb_plan *plan, uint32_t n, const struct mlb_each_item *it)
{
	for (uint32_t k = 0; k < plan->g->node[n].out.n; k++)
		if (!it->out[k].kind)
			return false;
	return true;
}

/* What is at the path of an output of one file; kind 0: nothing that is known. */
struct mlb_now
mlb_each_on_disk(const struct mlb_plan *plan, uint32_t n, const struct mlb_each_item *it,
		 uint32_t k)
{
	const struct mlb_g_output *out = &plan->g->output[plan->g->node[n].out.first + k];
	struct mlb_now now = { .kind = 0 };
	bool exec;

	if (mlb_is_variant(plan->p) ||
	    !mlb_scan_file(&plan->p->scan, out->path, it->path[k], &now.digest, &exec, &now.size))
		return now;
	now.kind = out->kind == MLB_G_METRICS ? MLB_O_METRICS : exec ? MLB_O_EXEC : MLB_O_FILE;
	return now;
}

/* Without the cache the lock's table is a digest, but it is known whether what is there would give it. */
static void
from_disk(struct mlb_plan *plan, uint32_t n, const struct mlb_lock_block *block)
{
	struct mlb_each *e = plan->node[n].each;
	struct mlb_buf text = MLB_BUF_INIT(MAX_TABLE);
	struct mlb_table_row *row;
	struct mlb_digest table;
	size_t rows;

	for (uint32_t i = 0; i < e->n; i++)
		for (uint32_t k = 0; k < plan->g->node[n].out.n; k++)
			e->item[i].out[k] = mlb_each_on_disk(plan, n, &e->item[i], k);
	mlb_each_table(plan, n, &row, &rows);
	mlb_table_format(&text, row, rows);
	mlb_sha256_of(&table, mlb_buf_str(&text), text.len);
	if (!text.full && mlb_digest_equal(&table, &block->table))
		for (uint32_t i = 0; i < e->n; i++)
			e->item[i].known = complete(plan, n, &e->item[i]);
	mlb_buf_release(&text);
}

static void
count_stale(struct mlb_each *e)
{
	e->stale = 0;
	for (uint32_t i = 0; i < e->n; i++)
		e->stale += !e->item[i].known;
}

/* What was made once stays, whatever its input and command are now, until it is updated. */
static bool
is_frozen(const struct mlb_plan *plan, uint32_t n)
{
	return plan->g->node[n].flags & MLB_G_FROZEN && !(plan->update && plan->node[n].asked);
}

/* Rows of the lock's table, merged with the items: both are sorted by file. any: of other keys too. */
static void
from_table(struct mlb_plan *plan, uint32_t n, bool any)
{
	struct mlb_each *e = plan->node[n].each;
	bool frozen = is_frozen(plan, n);
	const struct mlb_lock_block *b;
	const struct mlb_table_row *row;
	size_t rows, r = 0;

	if (mlb_project_lock(plan->p, NULL))
		return;
	b = mlb_lockfile_get(&plan->p->lock, mlb_g_str(plan->g, plan->g->node[n].base));
	if (!b)
		return;
	row = mlb_known_table(plan, b, &rows);
	if (!row && e->stale == e->n)
		from_disk(plan, n, b);
	for (uint32_t i = 0; row && i < e->n; i++) {
		struct mlb_each_item *it = &e->item[i];

		while (r < rows && strcmp(row[r].name, it->file) < 0)
			r++;
		if (r == rows)
			break;
		if (it->known || strcmp(row[r].name, it->file) != 0 ||
		    (!any && !mlb_digest_equal(&row[r].key, &it->key)))
			continue;
		if (frozen)
			it->key = row[r].key;
		for (uint32_t k = 0; k < row[r].n_outputs; k++)
			set_item(plan, n, it, row[r].output[k].path, row[r].output[k].kind,
				 &row[r].output[k].digest, row[r].output[k].size);
		it->known = complete(plan, n, it);
	}
}

static void
from_cache(struct mlb_plan *plan, uint32_t n, struct mlb_each_item *it)
{
	struct mlb_err ignored = MLB_ERR_INIT;
	struct mlb_result r;

	if (mlb_results_find(plan->p->results, &r, &plan->arena, &it->key, &ignored) == 0 ||
	    mlb_remotes_result(plan->p->remotes, &r, &plan->arena, &it->key) == 0) {
		for (uint32_t k = 0; k < r.n_outputs; k++)
			set_item(plan, n, it, r.output[k].path, r.output[k].kind,
				 &r.output[k].digest, r.output[k].size);
		it->known = complete(plan, n, it);
	}
	mlb_err_release(&ignored);
}

/* Are the bytes of an output in the workspace, in the cache, or in a remote? */
static bool
is_somewhere(const struct mlb_plan *plan, uint32_t n, const struct mlb_each_item *it, uint32_t k)
{
	struct mlb_now disk = mlb_each_on_disk(plan, n, it, k);

	return (disk.kind && mlb_digest_equal(&disk.digest, &it->out[k].digest)) ||
	       mlb_cas_has(plan->p->cas, &it->out[k].digest) ||
	       (!plan->node[n].unfetchable &&
		mlb_remotes_have(plan->p->remotes, &it->out[k].digest));
}

/* A result whose bytes are nowhere is no result. */
static void
drop_lost(struct mlb_plan *plan, uint32_t n)
{
	struct mlb_each *e = plan->node[n].each;

	for (uint32_t i = 0; i < e->n; i++)
		for (uint32_t k = 0; k < plan->g->node[n].out.n && e->item[i].known; k++)
			e->item[i].known = is_somewhere(plan, n, &e->item[i], k);
}

static bool
collection_in_place(const struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range out = plan->g->node[n].out;

	for (uint32_t k = 0; k < out.n; k++)
		if (mlb_is_variant(plan->p) || !mlb_output_in_place(plan, out.first + k))
			return false;
	return true;
}

static bool
any_output_on_disk(const struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range out = plan->g->node[n].out;

	for (uint32_t k = 0; k < out.n; k++)
		if (mlb_output_on_disk(plan, out.first + k).kind)
			return true;
	return false;
}

static int
decide_fate(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_node *node = &plan->node[n];
	struct mlb_each *e = node->each;
	int rc = 0;

	count_stale(e);
	if (e->stale == 0) {
		rc = mlb_each_collect(plan, n, NULL, err);
		node->present = rc == 0 && collection_in_place(plan, n);
	}
	if (!node->present && plan->p->past != MLB_PAST_KNOWN) {
		drop_lost(plan, n);
		count_stale(e);
	}
	if (rc)
		return rc;
	node->fate = MLB_FATE_CURRENT;
	if (e->stale) {
		node->fate = MLB_FATE_RUN;
		node->lacks = !node->forced;
		node->reason =
			mlb_arena_printf(&plan->arena, "%u of %u files to make", e->stale, e->n);
	} else if (!node->present && (node->need_present || any_output_on_disk(plan, n))) {
		node->fate = MLB_FATE_RESTORE; /* by each_run.c, file by file */
		node->reason = "its files are not all in place";
	}
	/* The memo has the time of one file; all of them are made as far as possible at once. */
	if (e->stale > 1)
		node->path_cost += node->duration * (e->stale - 1) / plan->p->threads;
	node->key_known = true;
	node->changed = node->fate != MLB_FATE_CURRENT || !mlb_plan_lock_same(plan, n) ||
			plan->p->adopting || !mlb_digest_equal(&node->sig, &node->memo_sig);
	return 0;
}

struct claim {
	const char *path, *file;
};

static int
by_path(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Two files must not make the same output, nor one what is a directory of the other's. */
static int
check_outputs(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	const struct mlb_each *e = plan->node[n].each;
	uint32_t n_out = plan->g->node[n].out.n;
	size_t count = (size_t)e->n * n_out;
	struct claim *claim = mlb_calloc(count + 1, sizeof(*claim));
	int rc = 0;

	for (size_t i = 0; i < count; i++)
		claim[i] = (struct claim){ e->item[i / n_out].path[i % n_out],
					   e->item[i / n_out].file };
	qsort(claim, count, sizeof(*claim), by_path);
	for (size_t i = 1; i < count && rc == 0; i++)
		if (mlb_path_inside(claim[i].path, claim[i - 1].path))
			rc = mlb_err_set(
				err, MLB_EINVALID,
				"'%s' would make '%s' from '%s' and '%s' from '%s': use ${each:dir} or "
				"${each:name} in 'out'",
				mlb_g_str(plan->g, plan->g->node[n].name), claim[i - 1].path,
				claim[i - 1].file, claim[i].path, claim[i].file);
	free(claim);
	return rc;
}

/* What memo, lock and cache know. With the lock that the memo was recorded with the memo says all that the lock does. */
static void
find_results(struct mlb_plan *plan, uint32_t n)
{
	struct mlb_each *e = plan->node[n].each;
	bool adopting = plan->p->adopting && plan->node[n].asked;
	bool same = mlb_plan_lock_same(plan, n), frozen = is_frozen(plan, n);

	for (uint32_t i = 0; i < e->n; i++)
		e->item[i].known = same && !adopting && complete(plan, n, &e->item[i]);
	count_stale(e);
	if (e->stale && !adopting && (frozen || !(e->recalled && same)) && !mlb_past_runs(plan, n))
		from_table(plan, n, frozen);
	for (uint32_t i = 0; i < e->n; i++)
		if (!e->item[i].known)
			from_cache(plan, n, &e->item[i]);
	if (plan->p->past == MLB_PAST_KNOWN)
		from_table(plan, n, true);
}

int
mlb_each_decide(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	struct mlb_each *e;
	int rc = mlb_project_cache(plan->p, err);

	if (rc == 0)
		rc = mlb_each_expand(plan, n, err);
	if (rc == 0)
		rc = mlb_each_recall(plan, n, err);
	e = plan->node[n].each;
	for (uint32_t i = 0; rc == 0 && i < e->n; i++)
		if (!e->item[i].has_key)
			rc = key_item(plan, n, &e->item[i], &text, err);
	mlb_buf_release(&text);
	if (rc == 0)
		rc = check_outputs(plan, n, err);
	if (rc)
		return rc;
	if (!plan->node[n].forced)
		find_results(plan, n);
	return decide_fate(plan, n, err);
}

bool
mlb_each_only_places(const struct mlb_plan *plan, uint32_t n)
{
	return plan->node[n].each->stale == 0;
}

uint64_t
mlb_each_expected(const struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_node *node = &plan->node[n];

	return node->measured ? node->duration * node->each->stale : 0;
}

const struct mlb_digest *
mlb_each_key(const struct mlb_plan *plan, uint32_t n, uint32_t item)
{
	return &plan->node[n].each->item[item].key;
}

void
mlb_each_table(struct mlb_plan *plan, uint32_t n, struct mlb_table_row **row, size_t *n_rows)
{
	const struct mlb_each *e = plan->node[n].each;
	uint32_t n_out = plan->g->node[n].out.n;
	struct mlb_table_row *r = mlb_arena_alloc(&plan->arena, (e->n + 1) * sizeof(*r));

	for (uint32_t i = 0; i < e->n; i++) {
		r[i].name = e->item[i].file;
		r[i].key = e->item[i].key;
		r[i].n_outputs = n_out;
		r[i].output = mlb_arena_alloc(&plan->arena, (n_out + 1) * sizeof(*r[i].output));
		for (uint32_t k = 0; k < n_out; k++) {
			r[i].output[k].path = e->item[i].path[k];
			r[i].output[k].kind = e->item[i].out[k].kind;
			r[i].output[k].digest = e->item[i].out[k].digest;
			r[i].output[k].size = e->item[i].out[k].size;
		}
	}
	*row = r;
	*n_rows = e->n;
}

/* ---------------------------------------------------------- ${NAME:list} */

struct list_ctx {
	struct mlb_buf *out;
	const char *root, *dir;
};

static void
add_line(struct list_ctx *l, const char *path)
{
	struct mlb_buf rel = MLB_BUF_INIT(MAX_PATH_BYTES);

	mlb_path_relative(&rel, path, l->dir);
	mlb_buf_adds(l->out, mlb_buf_str(&rel));
	mlb_buf_addc(l->out, '\n');
	mlb_buf_release(&rel);
}

static int
add_entry(void *ctx, const char *path, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct list_ctx *l = ctx;
	struct mlb_buf full = MLB_BUF_INIT(MAX_PATH_BYTES);

	(void)err;
	if (e->kind != MLB_T_DIR) {
		mlb_path_join(&full, l->root, path);
		add_line(l, mlb_buf_str(&full));
	}
	mlb_buf_release(&full);
	return 0;
}

int
mlb_each_list(struct mlb_plan *plan, uint32_t n, const char *dir, struct mlb_buf *out,
	      struct mlb_err *err)
{
	const struct mlb_range outs = plan->g->node[n].out;
	bool each = (plan->g->node[n].flags & MLB_G_EACH) != 0;
	struct list_ctx l = { out, "", dir };
	int rc = 0;

	/* All outputs of an `each` node are in its one directory. */
	for (uint32_t i = 0; i < (each ? MLB_MIN(outs.n, 1) : outs.n) && rc == 0; i++) {
		uint32_t o = outs.first + i;

		l.root = mlb_g_path(plan->g, plan->g->output[o].path);
		if (plan->out[o].kind != MLB_O_TREE) {
			add_line(&l, l.root);
			continue;
		}
		if (!mlb_cas_has(plan->p->cas, &plan->out[o].digest))
			rc = mlb_scan_store(&plan->p->scan, plan->g->output[o].path, plan->p->cas,
					    err);
		if (rc == 0)
			rc = mlb_tree_each(plan->p->cas, &plan->out[o].digest, add_entry, &l, err);
	}
	return rc ? rc : mlb_buf_check(out, "a list of paths", err);
}
