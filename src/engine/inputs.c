#include "engine/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "os/fs.h"

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
	const struct mlb_range in = b->g->node[w->node].in;
	const struct mlb_a_input *shared = w->item ? b->plan->node[w->node].each->shared.input
						   : NULL;
	const char *item;

	for (uint32_t i = 0; i < in.n; i++) {
		const struct mlb_g_input *input = &b->g->input[in.first + i];

		if (input->why == MLB_IN_EACH)
			continue;
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

const char *
mlb_inputs_after(struct mlb_work *w)
{
	struct mlb_builder *b = w->b;
	const struct mlb_range in = b->g->node[w->node].in;
	const struct mlb_a_input *was = w->item ? b->plan->node[w->node].each->shared.input
						: w->action.input;

	if (w->root)
		return NULL;
	for (uint32_t i = 0; i < in.n; i++) {
		const struct mlb_g_input *input = &b->g->input[in.first + i];

		if (input->why == MLB_IN_EACH)
			continue;
		changed_now(b, input, b->p->scan.state[input->path].kind == MLB_P_TREE);
		if (!same(was++, mlb_input_on_disk(b->plan, input)))
			return mlb_g_path(b->g, input->path);
	}
	return w->item ? changed_item(w) : NULL;
}
