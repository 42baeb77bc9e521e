#include "engine/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "os/fs.h"

enum { MANY_ENTRIES = 1000 };

uint32_t
mlb_inputs_count(const struct mlb_work *w)
{
	return w->item ? w->b->plan->node[w->node].each->shared.n_inputs
		       : w->b->g->node[w->node].in.n;
}

const struct mlb_g_input *
mlb_inputs_at(const struct mlb_work *w, uint32_t k)
{
	const struct mlb_graph *g = w->b->g;

	return &g->input[w->item ? w->b->plan->node[w->node].each->reads[k]
				 : g->node[w->node].in.first + k];
}

/* Another content is at the path of an input than when it was looked at before. */
static void
take_change(struct mlb_builder *b, const struct mlb_g_input *in)
{
	struct mlb_node *producer = in->producer == MLB_NONE ? NULL : &b->plan->node[in->producer];
	uint32_t o;

	if (!producer || !producer->wanted)
		return;
	if (!(b->g->node[in->producer].flags & MLB_G_SOURCE)) {
		producer->present = false;
		return;
	}
	o = b->plan->out_of_path[in->path];
	b->plan->out[o] = mlb_output_on_disk(b->plan, o);
	producer->present = b->plan->out[o].kind != 0;
	producer->changed = true;
	mlb_builder_mark(b, in->producer);
}

static bool
changed_now(struct mlb_builder *b, const struct mlb_g_input *in, bool deep)
{
	struct mlb_scan *scan = &b->p->scan;
	bool changed = false;

	if (b->p->parent) /* it reads them as they were when the sweep began */
		return false;
	if (!deep && !mlb_scan_moved(scan, in->path))
		return false;
	if (mlb_scan_again(scan, in->path, &changed, NULL))
		changed = true;
	if (changed)
		take_change(b, in);
	return changed;
}

/* What a target made, and somebody changed since: it has to be put back first. */
static bool
is_away(const struct mlb_builder *b, const struct mlb_g_input *in)
{
	const struct mlb_node *producer;

	if (in->producer == MLB_NONE || mlb_is_variant(b->p))
		return false;
	producer = &b->plan->node[in->producer];
	return producer->wanted && !producer->present;
}

static bool
same(const struct mlb_a_input *was, struct mlb_now now)
{
	return was->kind == now.kind && mlb_digest_equal(&was->digest, &now.digest);
}

/* ---------------------------------------------------------- files of `each` */

/* A file of a tree: the rest of the tree is read by others. */
static bool
tree_file_changed(struct mlb_builder *b, const struct mlb_each_item *it)
{
	struct mlb_digest digest;
	struct mlb_stat st;
	uint64_t size;
	char *full;
	bool changed;

	if (!mlb_scan_file_moved(&b->p->scan, it->in_path, it->file))
		return false;
	full = mlb_project_path(b->p, it->file);
	changed = mlb_fs_lstat(&st, full, NULL) || st.type != MLB_F_FILE ||
		  st.exec != (it->kind == MLB_O_EXEC) || mlb_fs_hash(&digest, &size, full, NULL) ||
		  !mlb_digest_equal(&digest, &it->digest);
	free(full);
	return changed;
}

static bool
item_changed(struct mlb_work *w, const struct mlb_each_item *it)
{
	struct mlb_builder *b = w->b;
	const struct mlb_a_input was = { it->file, it->kind, it->digest };
	struct mlb_g_input in = { .path = it->in_path };

	if (b->p->parent)
		return false;
	in.producer = b->g->path_producer[it->in_path];
	if (b->g->node[w->node].each_source == MLB_NONE) {
		changed_now(b, &in, false);
		return !same(&was, mlb_input_now(b->plan, &in));
	}
	if (is_away(b, &in))
		return true;
	if (!tree_file_changed(b, it))
		return false;
	changed_now(b, &in, true);
	return true;
}

static const char *
changed_item(struct mlb_work *w)
{
	const struct mlb_each *e = w->b->plan->node[w->node].each;

	for (uint32_t i = 0; i < w->n_items; i++)
		if (item_changed(w, &e->item[w->item[i]]))
			return e->item[w->item[i]].file;
	return NULL;
}

/* ---------------------------------------------------------- before and after */

static int
stale(const char *path, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_ESTALE, "'%s' changed", path);
}

/* The digests in the key: a node's stand for its inputs in order, without the files of `each`. */
int
mlb_inputs_before(struct mlb_work *w, struct mlb_err *err)
{
	struct mlb_builder *b = w->b;
	const struct mlb_a_input *shared = w->item ? b->plan->node[w->node].each->shared.input
						   : NULL;
	const char *item;

	for (uint32_t k = 0; k < mlb_inputs_count(w); k++) {
		const struct mlb_g_input *input = mlb_inputs_at(w, k);

		if (changed_now(b, input, false) || is_away(b, input) ||
		    (shared && !same(shared++, mlb_input_now(b->plan, input))))
			return stale(mlb_g_path(b->g, input->path), err);
	}
	item = w->item ? changed_item(w) : NULL;
	if (item)
		return stale(item, err);
	if (!w->item && !mlb_signature_holds(b->plan, w->node))
		return mlb_err_set(err, MLB_ESTALE, "an input changed");
	return 0;
}

/* Only a result that others do not take for a verdict can be taken back. */
static bool
may_be_late(const struct mlb_work *w)
{
	uint32_t kind = w->b->g->node[w->node].kind;

	return !w->end.no && kind != MLB_K_CHECK && kind != MLB_K_TASK;
}

static bool
has_many(const struct mlb_builder *b, uint32_t path)
{
	return b->p->scan.state[path].kind == MLB_P_TREE &&
	       mlb_scan_entries(&b->p->scan, path) > MANY_ENTRIES;
}

/* The digests of the key, in the order of the node's inputs without the files of `each`. */
static const struct mlb_a_input *
keyed_inputs(const struct mlb_work *w)
{
	return w->item ? w->b->plan->node[w->node].each->shared.input : w->action.input;
}

const char *
mlb_inputs_after(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;
	const struct mlb_a_input *was = keyed_inputs(w);

	w->late = false;
	if (w->root)
		return NULL;
	for (uint32_t k = 0; k < mlb_inputs_count(w); k++) {
		const struct mlb_g_input *input = mlb_inputs_at(w, k);

		if (may_be_late(w) && has_many(b, input->path)) {
			w->late = true;
			was++;
			continue;
		}
		changed_now(b, input, b->p->scan.state[input->path].kind == MLB_P_TREE);
		if (!same(was++, mlb_input_on_disk(b->plan, input)))
			return mlb_g_path(b->g, input->path);
	}
	return w->item ? changed_item(w) : NULL;
}

const char *
mlb_inputs_changed_text(struct mlb_work *w, const char *path)
{
	return mlb_arena_printf(
		&w->arena,
		"its input '%s' changed while it ran: nothing was recorded; build again, or, "
		"if the command itself writes '%s', declare it as an output",
		path, path);
}

/* ---------------------------------------------------------- late ones */

void
mlb_inputs_walk_late(struct mlb_builder *b, const struct mlb_works *all)
{
	uint8_t *walked = mlb_calloc(b->g->n_paths + 1, 1);

	for (size_t i = 0; i < all->n; i++)
		for (uint32_t k = 0; k < mlb_inputs_count(all->v[i]); k++) {
			const struct mlb_g_input *input = mlb_inputs_at(all->v[i], k);

			if (walked[input->path] || !has_many(b, input->path))
				continue;
			walked[input->path] = 1;
			changed_now(b, input, true);
		}
	free(walked);
}

/* Also of those that have few files now: they had many. */
const char *
mlb_inputs_late_change(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;
	const struct mlb_a_input *was = keyed_inputs(w);

	for (uint32_t k = 0; k < mlb_inputs_count(w); k++) {
		const struct mlb_g_input *input = mlb_inputs_at(w, k);

		if (was->kind == MLB_O_TREE && !same(was, mlb_input_on_disk(b->plan, input)))
			return mlb_g_path(b->g, input->path);
		was++;
	}
	return NULL;
}

uint64_t
mlb_inputs_late_entries(const struct mlb_work *w)
{
	uint64_t n = 0;

	for (uint32_t k = 0; k < mlb_inputs_count(w); k++)
		if (has_many(w->b, mlb_inputs_at(w, k)->path))
			n += mlb_scan_entries(&w->b->p->scan, mlb_inputs_at(w, k)->path);
	return n;
}
