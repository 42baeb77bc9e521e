/* The inputs of one instance: collected, made unique, and who makes them. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "graph/compile.h"

/* The input if the instance has it already. */
static struct mlb_c_input *
given(const struct mlb_comp *c, const struct mlb_c_work *w, uint32_t path)
{
	const struct mlb_c_path *info = &c->path_info.v[path];

	return info->given_to == w->inst + 1 ? &c->input.v[info->given_at] : NULL;
}

static void
give(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_c_input *input)
{
	struct mlb_c_path *info = &c->path_info.v[input->path];

	info->used = true;
	info->given_to = w->inst + 1;
	info->given_at = (uint32_t)c->input.n;
	mlb_vec_push(&c->input, *input);
}

void
mlb_c_add_input(struct mlb_comp *c, struct mlb_c_work *w, uint32_t path, enum mlb_in_why why,
		uint32_t by)
{
	struct mlb_c_input input = { path, by, (uint8_t)why };
	struct mlb_c_input *old = given(c, w, path);
	uint32_t producer = c->path_info.v[path].producer;
	bool is_source = producer == MLB_NONE || (c->inst.v[producer].node.flags & MLB_G_SOURCE);
	bool follow = is_source && why != MLB_IN_IMPORT && (!old || old->why == MLB_IN_IMPORT);

	if (!old)
		give(c, w, &input);
	else if (input.why < old->why)
		*old = input;
	if (follow && mlb_str_ends(mlb_c_path_text(c, path), ".py"))
		mlb_c_imports(c, w, path);
}

void
mlb_c_drop_inputs(struct mlb_comp *c, size_t n)
{
	while (c->input.n > n)
		c->path_info.v[c->input.v[--c->input.n].path].given_to = 0;
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
add_deps(struct mlb_comp *c, struct mlb_g_node *node)
{
	size_t first = c->index.n;
	size_t n = first;

	for (uint32_t i = 0; i < node->in.n; i++) {
		uint32_t producer = c->path_info.v[c->input.v[node->in.first + i].path].producer;

		if (producer != MLB_NONE &&
		    (c->index.n == first || c->index.v[c->index.n - 1] != producer))
			mlb_vec_push(&c->index, producer);
	}
	if (c->index.n - first > 1)
		qsort(c->index.v + first, c->index.n - first, sizeof(*c->index.v), by_number);
	for (size_t i = first; i < c->index.n; i++)
		if (n == first || c->index.v[n - 1] != c->index.v[i])
			c->index.v[n++] = c->index.v[i];
	c->index.n = n;
	node->dep.first = (uint32_t)first;
	node->dep.n = (uint32_t)(n - first);
}

void
mlb_c_finish_inputs(struct mlb_comp *c, struct mlb_c_work *w)
{
	struct mlb_g_node *node = &c->inst.v[w->inst].node;

	node->in.first = w->first_input;
	node->in.n = (uint32_t)c->input.n - w->first_input;
	add_deps(c, node);
}
