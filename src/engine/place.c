/*
 * Putting known outputs into the workspace: on a worker, all outputs of a node
 * in one task. What is there already and right is left alone.
 */
#include "engine/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/away.h"
#include "engine/each.h"
#include "engine/way.h"
#include "os/clock.h"
#include "os/fs.h"
#include "store/tree.h"

struct place {
	struct mlb_task task;
	struct mlb_builder *b;
	struct mlb_err err;
	uint32_t node;
	uint64_t started;
	struct item {
		char *path;  /* absolute */
		char *aside; /* absolute: where what no cache has goes */
		uint32_t output;
		struct mlb_now now;
		struct mlb_stat was; /* of what is there, when it was judged */
		bool remove;         /* outdated, and nothing needs its bytes here */
		bool kept;           /* something went aside */
	} * item;
	uint32_t n;
	enum mlb_link link;
};

static void
free_place(struct place *pl)
{
	for (uint32_t i = 0; i < pl->n; i++) {
		free(pl->item[i].path);
		free(pl->item[i].aside);
	}
	free(pl->item);
	mlb_err_release(&pl->err);
	free(pl);
}

/* To a name below .mlbuild/aside/ that nothing has: something of this path may have gone there before. */
static int
move_aside(struct item *it, struct mlb_err *err)
{
	int rc;

	for (unsigned n = 2; mlb_fs_exists(it->aside); n++) {
		char *next = mlb_asprintf("%s~%u", it->aside, n);

		free(it->aside);
		it->aside = next;
	}
	rc = mlb_fs_mkparents(it->aside, err);
	if (rc == 0)
		rc = mlb_fs_move(it->path, it->aside, err);
	it->kept |= rc == 0;
	return rc;
}

/* What came there, or was changed, after it was judged: the user's, unless the cache has it. */
static int
keep_newcomer(struct mlb_cas *cas, struct item *it, struct mlb_stat *st, struct mlb_err *err)
{
	struct mlb_stat now = *st;
	struct mlb_digest digest;
	int rc;

	now.exec &= now.type == MLB_F_FILE; /* as the scan has it */
	if (now.type == MLB_F_ABSENT || mlb_stat_same(&it->was, &now))
		return 0;
	if (st->type == MLB_F_FILE && mlb_fs_hash(&digest, NULL, it->path, NULL) == 0 &&
	    mlb_cas_sure(cas, &digest))
		return 0;
	rc = move_aside(it, err);
	st->type = MLB_F_ABSENT;
	return rc;
}

static int
put_tree(struct place *pl, struct item *it, struct mlb_err *err)
{
	struct mlb_placed count = { 0 };
	const struct mlb_placing placing = { .cas = pl->b->p->cas,
					     .how = pl->link,
					     .threads = pl->b->p->threads,
					     .aside = it->aside,
					     .count = &count };
	int rc = mlb_scan_checkout(&pl->b->p->scan, pl->b->g->output[it->output].path, &placing,
				   &it->now.digest, err);

	it->kept |= atomic_load(&count.kept) != 0;
	return rc;
}

static int
put_one(struct place *pl, struct item *it)
{
	bool tree = it->now.kind == MLB_O_TREE && !it->remove;
	struct mlb_stat st;
	int rc = mlb_fs_lstat(&st, it->path, &pl->err);

	/* Of a directory that stays one, its checkout looks at each file. */
	if (rc == 0 && !(tree && st.type == MLB_F_DIR))
		rc = keep_newcomer(pl->b->p->cas, it, &st, &pl->err);
	/* Another sort of thing than what has to be there, or something to remove. */
	if (rc == 0 && (it->remove || (st.type != MLB_F_ABSENT && (st.type == MLB_F_DIR) != tree)))
		rc = mlb_fs_remove_tree(it->path, &pl->err);
	if (rc || it->remove)
		return rc;
	rc = mlb_fs_mkparents(it->path, &pl->err);
	if (rc)
		return rc;
	if (tree)
		return put_tree(pl, it, &pl->err);
	return mlb_cas_link(pl->b->p->cas, &it->now.digest, it->path, it->now.kind == MLB_O_EXEC,
			    pl->link, &pl->err);
}

static void
work(struct mlb_task *t)
{
	struct place *pl = (struct place *)t;
	int rc = 0;

	for (uint32_t i = 0; i < pl->n && rc == 0; i++)
		rc = put_one(pl, &pl->item[i]);
}

static uint8_t
pkind(uint8_t okind)
{
	return okind == MLB_O_TREE ? MLB_P_TREE : okind == MLB_O_EXEC ? MLB_P_EXEC : MLB_P_FILE;
}

/* What a placing that failed has left there. */
static void
look_at_all(struct place *pl)
{
	struct mlb_builder *b = pl->b;
	struct mlb_err err = MLB_ERR_INIT;
	bool changed;

	for (uint32_t i = 0; i < pl->n; i++)
		if (mlb_scan_again(&b->p->scan, b->g->output[pl->item[i].output].path, &changed,
				   &err))
			mlb_fatal(b, &err);
}

/* The cache lied about having it: the node has to run. A full disk is not the cache's fault. */
static void
lost(struct place *pl)
{
	struct mlb_builder *b = pl->b;
	struct mlb_node *node = &b->plan->node[pl->node];

	if (pl->err.code != MLB_ENOTFOUND && pl->err.code != MLB_ECORRUPT) {
		mlb_fatal(b, &pl->err);
		return;
	}
	if (mlb_away_mends(b, pl->node)) {
		look_at_all(pl);
		return;
	}
	mlb_note(b, "%s", pl->err.text);
	if (b->g->node[pl->node].flags & MLB_G_SOURCE) {
		mlb_tell(b, MLB_EV_BLOCKED, pl->node, pl->err.text, 0);
		mlb_node_failed(b, pl->node, MLB_PH_BLOCKED);
		return;
	}
	node->lost = true;
	node->fate = MLB_FATE_RUN;
	node->reason = "its bytes are no longer in the cache";
	node->phase = MLB_PH_DECIDED;
	mlb_vec_push(&b->todo, pl->node);
}

/* Directories are told to the scan by the worker. */
static void
lend(struct place *pl, bool lent)
{
	for (uint32_t i = 0; i < pl->n; i++)
		if (pl->item[i].now.kind == MLB_O_TREE)
			mlb_scan_lend(&pl->b->p->scan, pl->b->g->output[pl->item[i].output].path,
				      lent);
}

static void
done(struct mlb_task *t)
{
	struct place *pl = (struct place *)t;
	struct mlb_builder *b = pl->b;
	struct mlb_node *node = &b->plan->node[pl->node];
	struct mlb_err err = MLB_ERR_INIT;
	bool removed = false;

	b->n_tasks--;
	lend(pl, false);
	for (uint32_t i = 0; i < pl->n; i++)
		if (pl->item[i].kept)
			mlb_note_kept(b, mlb_g_path(b->g, b->g->output[pl->item[i].output].path),
				      pl->item[i].aside);
	if (pl->err.code != MLB_OK) {
		lost(pl);
		free_place(pl);
		return;
	}
	for (uint32_t i = 0; i < pl->n; i++) {
		const struct item *it = &pl->item[i];
		uint32_t path = b->g->output[it->output].path;
		bool changed;
		int rc;

		removed |= it->remove;
		if (it->remove)
			rc = mlb_scan_again(&b->p->scan, path, &changed, &err);
		else if (it->now.kind == MLB_O_TREE)
			rc = 0; /* the checkout has told the scan */
		else
			rc = mlb_scan_set(&b->p->scan, path, pkind(it->now.kind), &it->now.digest,
					  it->now.size, &err);
		if (rc)
			mlb_fatal(b, &err);
	}
	if (!removed) {
		b->report->restored++;
		b->report->saved += node->measured ? node->duration : 0;
		mlb_tell(b, MLB_EV_RESTORED, pl->node, "", mlb_clock_mono() - pl->started);
	}
	mlb_record_node(b, pl->node, removed ? "" : "restored", 0);
	mlb_node_done(b, pl->node, !removed);
	free_place(pl);
}

char *
mlb_aside_for(struct mlb_builder *b, const char *path)
{
	return mlb_asprintf("%s/aside/%s/%s", b->p->state_dir, b->run_id, path);
}

void
mlb_note_kept(struct mlb_builder *b, const char *path, const char *kept)
{
	mlb_note(b, "the cache does not have what was at '%s': it is kept as '%s'", path,
		 kept + strlen(b->p->root) + 1);
}

/* A link is somebody's, whatever bytes it leads to: we make none in the place of an output. */
static bool
is_link(struct mlb_builder *b, uint32_t output)
{
	char *full = mlb_project_path(b->p, mlb_g_path(b->g, b->g->output[output].path));
	struct mlb_stat st;
	bool is = mlb_fs_lstat(&st, full, NULL) == 0 && st.type == MLB_F_SYMLINK;

	free(full);
	return is;
}

/* store = no: the bytes are in no cache, but are they what we made? */
static bool
is_as_made(struct mlb_builder *b, uint32_t n)
{
	const struct mlb_range out = b->g->node[n].out;
	const struct mlb_node *node = &b->plan->node[n];
	struct mlb_now *now;
	struct mlb_digest digest;

	if (!node->has_memo || !(b->g->node[n].flags & MLB_G_NO_STORE))
		return false;
	now = mlb_calloc(out.n + 1, sizeof(*now));
	for (uint32_t i = 0; i < out.n; i++)
		now[i] = mlb_output_on_disk(b->plan, out.first + i);
	mlb_outs_digest(&digest, now, out.n);
	free(now);
	return mlb_digest_equal(&digest, &node->memo_outs);
}

/* Of a tree, are its files at hand, too? */
static bool
is_sure(struct mlb_builder *b, const struct mlb_now *now, bool files)
{
	return files && now->kind == MLB_O_TREE ? mlb_tree_sure(b->p->cas, &now->digest)
						: mlb_cas_sure(b->p->cas, &now->digest);
}

/* By what the scan knows of it; files: not only the names in a directory, but its files will be given up. */
static bool
is_unknown(struct mlb_builder *b, uint32_t output, bool files)
{
	struct mlb_now disk = mlb_output_on_disk(b->plan, output);

	if (b->p->scan.state[b->g->output[output].path].kind == MLB_P_ABSENT)
		return false;
	if (is_link(b, output))
		return true;
	if (disk.kind && is_sure(b, &disk, files))
		return false;
	return !is_as_made(b, mlb_output_node(b->plan, output));
}

/* The scan was made when all was planned, and others ran since. Of a directory its own stat tells too little. */
static int
look_again(struct mlb_builder *b, uint32_t output, struct mlb_err *err)
{
	struct mlb_scan *scan = &b->p->scan;
	uint32_t path = b->g->output[output].path;
	bool changed;

	if (scan->state[path].st.type != MLB_F_DIR && !mlb_scan_moved(scan, path))
		return 0;
	return mlb_scan_again(scan, path, &changed, err);
}

bool
mlb_is_unknown(struct mlb_builder *b, uint32_t output)
{
	return look_again(b, output, NULL) != 0 || is_unknown(b, output, true);
}

/*
 * Before an output is replaced by what the cache has: bytes that it does not have
 * are the user's. In a directory that stays one, what came meanwhile is found by its checkout.
 */
static int
keep_unknown(struct mlb_builder *b, struct item *it, struct mlb_err *err)
{
	uint32_t path = b->g->output[it->output].path;
	const struct mlb_path_state *state = &b->p->scan.state[path];
	bool files = it->remove || it->now.kind != MLB_O_TREE || state->kind != MLB_P_TREE;
	int rc = 0;

	if (files)
		rc = look_again(b, it->output, err);
	it->was = state->st;
	if (rc || !is_unknown(b, it->output, files))
		return rc;
	rc = move_aside(it, err);
	if (rc)
		return rc;
	it->was.type = MLB_F_ABSENT;
	it->kept = false;
	mlb_note_kept(b, mlb_g_path(b->g, path), it->aside);
	return 0;
}

static bool
add_item(struct place *pl, uint32_t output, bool remove)
{
	struct mlb_builder *b = pl->b;
	const char *path = mlb_g_path(b->g, b->g->output[output].path);
	struct mlb_err err = MLB_ERR_INIT;
	struct item *it = &pl->item[pl->n];

	if (mlb_output_in_place(b->plan, output) ||
	    (remove && !mlb_output_on_disk(b->plan, output).kind))
		return true;
	it->path = mlb_project_path(b->p, path);
	it->aside = mlb_aside_for(b, path);
	it->output = output;
	it->now = b->plan->out[output];
	it->remove = remove;
	pl->n++;
	if ((!remove && mlb_make_way(b, path, b->g->output[output].kind, &err)) ||
	    keep_unknown(b, it, &err)) {
		mlb_fatal(b, &err);
		return false;
	}
	return true;
}

void
mlb_place_nowhere(struct mlb_builder *b, uint32_t n)
{
	const struct mlb_node *node = &b->plan->node[n];

	if (!node->known && !node->ran) {
		b->report->current++;
		b->report->saved += node->measured ? node->duration : 0;
	}
	mlb_node_done(b, n, true);
}

void
mlb_place(struct mlb_builder *b, uint32_t n)
{
	const struct mlb_range out = b->g->node[n].out;
	struct place *pl;
	bool remove;

	if (mlb_is_variant(b->p)) {
		mlb_place_nowhere(b, n);
		return;
	}
	remove = !b->plan->node[n].need_present && !mlb_outputs_here(b->plan, n);
	pl = mlb_calloc(1, sizeof(*pl));
	pl->b = b;
	pl->node = n;
	pl->started = mlb_clock_mono();
	/* A source is the user's to write to, and what is linked is the cache's own file. */
	pl->link = b->g->node[n].flags & MLB_G_SOURCE ? MLB_LINK_COPY : mlb_project_link(b->p);
	pl->item = mlb_calloc(out.n + 1, sizeof(*pl->item));
	for (uint32_t i = 0; i < out.n; i++)
		if (!add_item(pl, out.first + i, remove)) {
			free_place(pl);
			return;
		}
	pl->task.work = work;
	pl->task.done = done;
	b->n_tasks++;
	lend(pl, true);
	mlb_pool_add(b->m->pool, &pl->task);
}
