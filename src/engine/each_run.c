#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "engine/inputs.h"
#include "engine/known.h"
#include "engine/way.h"
#include "os/clock.h"
#include "os/fs.h"
#include "store/tree.h"

enum { MAX_ACTION = 256 << 20 };

void
mlb_each_ready(struct mlb_builder *b, uint32_t n)
{
	struct mlb_each *e = b->plan->node[n].each;
	uint32_t batch = MLB_MAX(b->g->node[n].batch, 1);
	struct mlb_work *w = NULL;

	e->in_flight = 0;
	for (uint32_t i = 0; i < e->n; i++) {
		if (e->item[i].known)
			continue;
		if (!w) {
			w = mlb_work_new(b, n);
			w->item = mlb_alloc(batch * sizeof(*w->item));
		}
		w->item[w->n_items++] = i;
		if (w->n_items == batch) {
			e->in_flight++;
			mlb_node_ready(b, w);
			w = NULL;
		}
	}
	if (w) {
		e->in_flight++;
		mlb_node_ready(b, w);
	}
}

/* One command for all files of the work; its outputs are those of all of them. */
int
mlb_each_action(struct mlb_work *w, struct mlb_err *err)
{
	const struct mlb_each *e = w->b->plan->node[w->node].each;
	const struct mlb_range out = w->b->g->node[w->node].out;
	struct mlb_buf command = MLB_BUF_INIT(MAX_ACTION);
	const char **file = mlb_arena_alloc(&w->arena, (w->n_items + 1) * sizeof(*file));
	struct mlb_a_output *o;
	int rc;

	mlb_each_item_action(w->b->plan, w->node, &e->item[w->item[0]], &w->arena, &w->action);
	o = mlb_arena_alloc(&w->arena, ((size_t)w->n_items * out.n + 1) * sizeof(*o));
	for (uint32_t i = 0; i < w->n_items; i++) {
		file[i] = e->item[w->item[i]].file;
		for (uint32_t k = 0; k < out.n; k++) {
			struct mlb_a_output *one = &o[i * out.n + k];

			one->name = mlb_g_str(w->b->g, w->b->g->output[out.first + k].name);
			one->path = e->item[w->item[i]].path[k];
			one->kind = w->b->g->output[out.first + k].kind;
		}
	}
	w->action.output = o;
	w->action.n_outputs = w->n_items * out.n;
	rc = mlb_action_each_command(&command, w->b->g, w->node, file, w->n_items, err);
	if (rc == 0)
		w->action.command =
			mlb_arena_strndup(&w->arena, mlb_buf_str(&command), command.len);
	mlb_buf_release(&command);
	return rc;
}

bool
mlb_each_is_unknown(struct mlb_builder *b, const char *path)
{
	struct mlb_digest d;
	struct mlb_stat st;
	uint64_t size;
	char *full = mlb_project_path(b->p, path);
	bool unknown = false;

	if (mlb_fs_lstat(&st, full, NULL) == 0 && st.type != MLB_F_ABSENT)
		unknown = st.type != MLB_F_FILE || mlb_fs_hash(&d, &size, full, NULL) ||
			  !mlb_cas_sure(b->p->cas, &d);
	free(full);
	return unknown;
}

int
mlb_each_made(struct mlb_work *w, struct mlb_err *err)
{
	struct mlb_each *e = w->b->plan->node[w->node].each;
	uint32_t n_out = w->b->g->node[w->node].out.n;

	(void)err;
	e->made += w->n_items;
	e->spent += w->end.duration_ns;
	for (uint32_t i = 0; i < w->n_items; i++) {
		struct mlb_each_item *it = &e->item[w->item[i]];

		for (uint32_t k = 0; k < n_out; k++)
			it->out[k] = w->made[i * n_out + k];
		it->known = true;
		e->stale--;
		w->b->plan->node[w->node].ran = true;
	}
	return 0;
}

/* A result per file, each with its own action text and an equal share of the time. */
int
mlb_each_record(struct mlb_work *w, struct mlb_result *r, struct mlb_err *err)
{
	const struct mlb_each *e = w->b->plan->node[w->node].each;
	uint32_t n_out = w->b->g->node[w->node].out.n;
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	int rc = 0;

	for (uint32_t i = 0; i < w->n_items && rc == 0; i++) {
		const struct mlb_each_item *it = &e->item[w->item[i]];
		struct mlb_result one = *r;
		struct mlb_action a;

		mlb_each_item_action(w->b->plan, w->node, it, &w->arena, &a);
		mlb_buf_clear(&text);
		mlb_action_text(&text, w->b->g, &a);
		rc = mlb_cas_put(w->b->p->cas, &one.key, mlb_buf_str(&text), text.len, err);
		one.output = r->output + (size_t)i * n_out;
		one.n_outputs = n_out;
		one.duration = r->duration / w->n_items;
		if (rc == 0)
			rc = mlb_results_add(w->b->p->results, &one, err);
		r->key = one.key;
	}
	mlb_buf_release(&text);
	return rc;
}

void
mlb_each_next(struct mlb_builder *b, uint32_t n)
{
	struct mlb_each *e = b->plan->node[n].each;

	e->in_flight--;
	if (e->in_flight || b->plan->node[n].phase == MLB_PH_FAILED)
		return;
	if (e->again) {
		mlb_node_again(b, n);
		return;
	}
	/* The collection is remembered as a whole: nothing of it may be in doubt. */
	mlb_prove(b);
	if (e->stale == 0 && b->plan->node[n].phase != MLB_PH_FAILED)
		mlb_each_place(b, n);
}

void
mlb_each_again(struct mlb_builder *b, uint32_t n)
{
	b->plan->node[n].each->again = true;
	mlb_each_next(b, n);
}

/* ---------------------------------------------------------- the collection */

struct placing {
	struct mlb_task task;
	struct mlb_builder *b;
	struct mlb_err err;
	uint32_t node;
	enum mlb_link link;
};

/* Outputs of all files: path -> its struct mlb_now. */
static void
map_outputs(struct mlb_strmap *map, const struct placing *pl)
{
	const struct mlb_each *e = pl->b->plan->node[pl->node].each;
	uint32_t n_out = pl->b->g->node[pl->node].out.n;

	for (uint32_t i = 0; i < e->n; i++)
		for (uint32_t k = 0; k < n_out; k++)
			mlb_strmap_set(map, e->item[i].path[k], &e->item[i].out[k]);
}

/* Neither what the collection has there nor known to the cache. */
static bool
is_strange(const struct placing *pl, const struct mlb_strmap *map, const char *path)
{
	uint32_t o = pl->b->g->node[pl->node].out.first;
	const struct mlb_now *now;
	struct mlb_digest digest;
	uint64_t size;
	bool exec;

	if (!mlb_scan_file(&pl->b->p->scan, pl->b->g->output[o].path, path, &digest, &exec, &size))
		return true;
	now = mlb_strmap_get(map, path);
	return !(now && mlb_digest_equal(&now->digest, &digest)) &&
	       !mlb_cas_sure(pl->b->p->cas, &digest);
}

static int
keep_file(struct mlb_builder *b, const char *path, struct mlb_err *err)
{
	char *full = mlb_project_path(b->p, path), *to = mlb_aside_for(b, path);
	int rc = mlb_fs_mkparents(to, err);

	if (rc == 0)
		rc = mlb_fs_move(full, to, err);
	if (rc == 0)
		mlb_note_kept(b, path, to);
	free(to);
	free(full);
	return rc;
}

static int
keep_below(struct placing *pl, const struct mlb_strmap *map, const char *dir, struct mlb_err *err)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	char *full = mlb_project_path(pl->b->p, dir);
	int rc = mlb_fs_exists(full) ? mlb_fs_list(&list, full, err) : 0;

	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *path = mlb_asprintf("%s/%s", dir, list.v[i].name);

		if (list.v[i].type == MLB_F_DIR)
			rc = keep_below(pl, map, path, err);
		else if (is_strange(pl, map, path))
			rc = keep_file(pl->b, path, err);
		free(path);
	}
	mlb_dirents_release(&list);
	free(full);
	return rc;
}

/* What else is in the collection's directory is the user's: set aside. */
static int
keep_strangers(struct placing *pl, struct mlb_err *err)
{
	uint32_t path = pl->b->g->output[pl->b->g->node[pl->node].out.first].path;
	struct mlb_strmap map = MLB_STRMAP_INIT;
	bool changed;
	/* Something in the collection: so a file in the place of its directory is in the way. */
	char *in = mlb_asprintf("%s/file", mlb_g_path(pl->b->g, path));
	int rc = mlb_make_way(pl->b, in, MLB_G_FILE, err);

	free(in);
	if (rc == 0)
		rc = mlb_scan_again(&pl->b->p->scan, path, &changed, err);
	map_outputs(&map, pl);
	if (rc == 0)
		rc = keep_below(pl, &map, mlb_g_path(pl->b->g, path), err);
	mlb_strmap_release(&map);
	return rc;
}

static void
place_work(struct mlb_task *t)
{
	struct placing *pl = (struct placing *)t;
	uint32_t o = pl->b->g->node[pl->node].out.first;
	const struct mlb_placing how = { .cas = pl->b->p->cas,
					 .how = pl->link,
					 .threads = pl->b->p->threads };

	mlb_scan_checkout(&pl->b->p->scan, pl->b->g->output[o].path, &how,
			  &pl->b->plan->out[o].digest, &pl->err);
}

/* The memo of the node has the time of one file, and no time where none was made. */
static uint64_t
time_of_one(const struct mlb_each *e)
{
	return e->made ? e->spent / e->made : 0;
}

static void
place_done(struct mlb_task *t)
{
	struct placing *pl = (struct placing *)t;
	struct mlb_builder *b = pl->b;
	struct mlb_node *node = &b->plan->node[pl->node];

	b->n_tasks--;
	mlb_scan_lend(&b->p->scan, b->g->output[b->g->node[pl->node].out.first].path, false);
	if (pl->err.code != MLB_OK) {
		mlb_fatal(b, &pl->err);
	} else {
		if (node->each->in_flight == 0 && !node->ran) {
			b->report->restored++;
			mlb_tell(b, MLB_EV_RESTORED, pl->node, "", 0);
		}
		mlb_record_node(b, pl->node, node->ran ? "" : "restored", time_of_one(node->each));
		mlb_node_done(b, pl->node, true);
	}
	free(pl);
}

void
mlb_each_place(struct mlb_builder *b, uint32_t n)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct placing *pl;
	int rc = mlb_each_collect(b->plan, n, b->p->cas, &err);

	if (rc == 0 && mlb_is_variant(b->p)) {
		mlb_place_nowhere(b, n);
		return;
	}
	pl = mlb_calloc(1, sizeof(*pl));
	pl->b = b;
	pl->node = n;
	pl->link = mlb_project_link(b->p);
	if (rc == 0)
		rc = keep_strangers(pl, &err);
	if (rc) {
		mlb_fatal(b, &err);
		free(pl);
		return;
	}
	pl->task.work = place_work;
	pl->task.done = place_done;
	b->plan->node[n].phase = MLB_PH_PLACING;
	b->n_tasks++;
	mlb_scan_lend(&b->p->scan, b->g->output[b->g->node[n].out.first].path, true);
	mlb_pool_add(b->m->pool, &pl->task);
}
