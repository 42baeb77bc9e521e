/* The compiler's findings as the flat graph: renumbered in topological order, paths sorted. */
#include <stdlib.h>
#include <string.h>

#include "graph/action.h"
#include "graph/compile.h"
#include "graph/graph_check.h"
#include "os/path.h"
#include "store/scan.h"
#include "store/sort.h"

/* What is being built: g borrows these arrays until it is packed. */
struct flat {
	struct mlb_comp *c;
	struct mlb_graph g;
	uint32_t *new_of; /* instance -> node */
	uint32_t *rank;   /* path number -> index in path[], MLB_NONE: not wanted */
	struct mlb_c_u32s index;
	MLB_VEC(struct mlb_g_input) input;
	MLB_VEC(struct mlb_g_output) output;
};

static struct mlb_g_node *
node_of(struct flat *f, uint32_t inst)
{
	return &f->g.node[f->new_of[inst]];
}

/* ------------------------------------------------------------ paths */

static uint8_t
want_of(const struct mlb_comp *c, uint32_t path)
{
	const char *text = mlb_c_path_text(c, path);

	if (text[0] == '.' && text[1] == '/')
		return MLB_WANT_LISTING;
	return c->path_info.v[path].used ? MLB_WANT_CONTENT : MLB_WANT_EXISTS;
}

static void
flatten_paths(struct flat *f)
{
	struct mlb_comp *c = f->c;
	uint32_t n = 0;
	const char **text = mlb_calloc(c->path.n + 1, sizeof(*text));
	uint32_t *number = mlb_calloc(c->path.n + 1, sizeof(*number));
	uint32_t *order;

	f->rank = mlb_calloc(c->path.n + 1, sizeof(*f->rank));
	for (uint32_t p = 0; p < c->path.n; p++) {
		f->rank[p] = MLB_NONE;
		if (!c->path_info.v[p].used && !c->path_info.v[p].fact)
			continue;
		text[n] = mlb_c_path_text(c, p);
		number[n++] = p;
	}
	order = mlb_calloc(n + 1, sizeof(*order));
	mlb_sort_strings(order, text, n);
	f->g.n_paths = n;
	f->g.path = mlb_calloc(n + 1, sizeof(*f->g.path));
	f->g.path_want = mlb_calloc(n + 1, 1);
	f->g.path_producer = mlb_calloc(n + 1, sizeof(*f->g.path_producer));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t p = number[order[i]];
		uint32_t producer = c->path_info.v[p].producer;

		f->rank[p] = i;
		f->g.path[i] = mlb_c_str_new(c, text[order[i]], strlen(text[order[i]]));
		f->g.path_want[i] = want_of(c, p);
		f->g.path_producer[i] = producer == MLB_NONE ? MLB_NONE : f->new_of[producer];
	}
	free(text);
	free(number);
	free(order);
}

/* ------------------------------------------------------------ inputs and outputs */

static int
by_input(const void *a, const void *b)
{
	const struct mlb_g_input *x = a;
	const struct mlb_g_input *y = b;

	return x->path < y->path ? -1 : x->path > y->path;
}

static void
flatten_inputs(struct flat *f, struct mlb_g_node *node)
{
	const struct mlb_comp *c = f->c;
	uint32_t first = (uint32_t)f->input.n;

	for (uint32_t i = 0; i < node->in.n; i++) {
		const struct mlb_c_input *from = &c->input.v[node->in.first + i];
		uint32_t producer = c->path_info.v[from->path].producer;
		struct mlb_g_input in;

		memset(&in, 0, sizeof(in));
		in.path = f->rank[from->path];
		in.producer = producer == MLB_NONE ? MLB_NONE : f->new_of[producer];
		in.by = from->by == MLB_NONE ? MLB_NONE : f->rank[from->by];
		in.why = from->why;
		mlb_vec_push(&f->input, in);
	}
	if (node->in.n > 1)
		qsort(f->input.v + first, node->in.n, sizeof(*f->input.v), by_input);
	node->in.first = first;
}

static void
flatten_outputs(struct flat *f, struct mlb_g_node *node, const struct mlb_c_inst *inst)
{
	struct mlb_comp *c = f->c;
	const struct mlb_c_target *ct = &c->target[inst->target];

	node->out.first = (uint32_t)f->output.n;
	node->out.n = ct->n_outs;
	for (uint32_t i = 0; i < ct->n_outs; i++) {
		const struct mlb_c_out *from = &c->out.v[ct->out + inst->ord * ct->n_outs + i];
		struct mlb_g_output out;

		memset(&out, 0, sizeof(out));
		out.name = mlb_c_str(c, from->name);
		out.path = f->rank[from->path];
		out.each_out = from->each ? mlb_c_str(c, from->each) : 0;
		out.kind = from->kind;
		mlb_vec_push(&f->output, out);
	}
}

/* ------------------------------------------------------------ edges */

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The entries from `first` on become a sorted range without repeats. */
static struct mlb_range
close_range(struct flat *f, size_t first)
{
	struct mlb_range r = { (uint32_t)first, 0 };
	size_t n = first;

	if (f->index.n - first > 1)
		qsort(f->index.v + first, f->index.n - first, sizeof(*f->index.v), by_number);
	for (size_t i = first; i < f->index.n; i++)
		if (n == first || f->index.v[n - 1] != f->index.v[i])
			f->index.v[n++] = f->index.v[i];
	f->index.n = n;
	r.n = (uint32_t)(n - first);
	return r;
}

static void
flatten_deps(struct flat *f, struct mlb_g_node *node)
{
	const struct mlb_comp *c = f->c;
	size_t first = f->index.n;
	struct mlb_range list = { 0, node->list.n };

	for (uint32_t i = 0; i < node->dep.n; i++)
		mlb_vec_push(&f->index, f->new_of[c->index.v[node->dep.first + i]]);
	node->dep = close_range(f, first);
	list.first = (uint32_t)f->index.n;
	for (uint32_t i = 0; i < node->list.n; i++)
		mlb_vec_push(&f->index, f->new_of[c->index.v[node->list.first + i]]);
	node->list = list;
}

static int
by_edge(const void *a, const void *b)
{
	const struct mlb_c_edge *x = a;
	const struct mlb_c_edge *y = b;

	return x->to < y->to ? -1 : x->to > y->to;
}

static void
flatten_gates(struct flat *f)
{
	struct mlb_comp *c = f->c;
	size_t i = 0;

	if (c->gate.n > 1)
		qsort(c->gate.v, c->gate.n, sizeof(*c->gate.v), by_edge);
	while (i < c->gate.n) {
		uint32_t to = c->gate.v[i].to;
		size_t first = f->index.n;

		for (; i < c->gate.n && c->gate.v[i].to == to; i++)
			mlb_vec_push(&f->index, f->new_of[c->gate.v[i].from]);
		node_of(f, to)->gate = close_range(f, first);
	}
}

static int
by_check(const void *a, const void *b)
{
	const struct mlb_c_edge *x = a;
	const struct mlb_c_edge *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static void
flatten_guards(struct flat *f)
{
	struct mlb_comp *c = f->c;
	size_t i = 0;

	if (c->guard.n > 1)
		qsort(c->guard.v, c->guard.n, sizeof(*c->guard.v), by_check);
	while (i < c->guard.n) {
		uint32_t check = c->guard.v[i].from;
		size_t first = f->index.n;

		for (; i < c->guard.n && c->guard.v[i].from == check; i++)
			mlb_vec_push(&f->index, f->new_of[c->guard.v[i].to]);
		node_of(f, check)->guards = close_range(f, first);
	}
}

/* Nodes that have each one as dep or gate, in ascending order; both is counted once. */
static void
flatten_users(struct flat *f)
{
	uint32_t n = f->g.n_nodes;
	uint32_t *last =
		mlb_calloc((size_t)n + 1, sizeof(*last)); /* the last user counted, plus one */
	uint32_t at;

	for (int pass = 0; pass < 2; pass++) {
		memset(last, 0, ((size_t)n + 1) * sizeof(*last));
		for (uint32_t i = 0; i < n; i++) {
			const struct mlb_range r[2] = { f->g.node[i].dep, f->g.node[i].gate };

			for (uint32_t k = 0; k < r[0].n + r[1].n; k++) {
				struct mlb_g_node *d;

				at = k < r[0].n ? f->index.v[r[0].first + k]
						: f->index.v[r[1].first + k - r[0].n];
				d = &f->g.node[at];
				if (last[at] == i + 1)
					continue;
				last[at] = i + 1;
				if (pass == 1)
					f->index.v[d->user.first + d->user.n] = i;
				d->user.n++;
			}
		}
		for (uint32_t i = 0; i < n && pass == 0; i++) {
			f->g.node[i].user.first = (uint32_t)f->index.n;
			f->index.n += f->g.node[i].user.n;
			f->g.node[i].user.n = 0;
		}
		mlb_vec_reserve(&f->index, f->index.n + 1);
	}
	free(last);
}

/* ------------------------------------------------------------ nodes */

static void
flatten_nodes(struct flat *f)
{
	struct mlb_comp *c = f->c;

	for (size_t i = 0; i < c->order.n; i++) {
		struct mlb_c_inst *inst = &c->inst.v[c->order.v[i]];
		struct mlb_g_node *node = &f->g.node[i];

		*node = inst->node;
		node->name = mlb_c_str(c, inst->name);
		node->base = mlb_c_str(c, c->target[inst->target].t->name);
		if (node->each_source != MLB_NONE)
			node->each_source = f->new_of[node->each_source];
		flatten_inputs(f, node);
		flatten_outputs(f, node, inst);
		flatten_deps(f, node);
	}
	flatten_gates(f);
	flatten_guards(f);
	flatten_users(f);
}

static void
sort_names(struct flat *f)
{
	const char **name = mlb_calloc((size_t)f->g.n_nodes + 1, sizeof(*name));

	for (uint32_t i = 0; i < f->g.n_nodes; i++)
		name[i] = f->c->inst.v[f->c->order.v[i]].name;
	f->g.by_name = mlb_calloc((size_t)f->g.n_nodes + 1, sizeof(*f->g.by_name));
	mlb_sort_strings(f->g.by_name, name, f->g.n_nodes);
	free(name);
}

/* ------------------------------------------------------------ the rest */

static void
flatten_facts(struct flat *f)
{
	struct mlb_comp *c = f->c;

	for (size_t i = 0; i < c->fact.n; i++)
		if (c->fact.v[i].kind != MLB_FACT_ENV)
			c->fact.v[i].subject = f->rank[c->fact.v[i].subject];
	f->g.fact = c->fact.v;
	f->g.n_facts = (uint32_t)c->fact.n;
}

static void
flatten_config(struct flat *f)
{
	struct mlb_comp *c = f->c;
	const struct mlb_config *config = c->config;

	f->g.n_pools = (uint32_t)config->pool.n;
	f->g.pool = mlb_calloc(config->pool.n + 1, sizeof(*f->g.pool));
	for (size_t i = 0; i < config->pool.n; i++) {
		f->g.pool[i].name = mlb_c_str(c, config->pool.v[i].name);
		f->g.pool[i].slots = config->pool.v[i].slots;
	}
	f->g.n_expose = (uint32_t)config->expose.n;
	f->g.expose = mlb_calloc(config->expose.n + 1, sizeof(*f->g.expose));
	for (size_t i = 0; i < config->expose.n; i++)
		f->g.expose[i] = mlb_c_str(c, config->expose.v[i].s);
	f->g.project = mlb_c_str(c, config->name ? config->name : "");
	f->g.salt = mlb_c_str(c, config->cache_salt ? config->cache_salt : "");
	f->g.cache_dir = mlb_c_str(c, config->cache_dir ? config->cache_dir : "");
	f->g.cache_link = mlb_c_str(c, config->cache_link ? config->cache_link : "");
	f->g.jobs = config->jobs;
	f->g.remotes = (uint32_t)config->remote.n;
}

static void
flatten_defaults(struct flat *f)
{
	const struct mlb_comp *c = f->c;

	f->g.defaults.first = (uint32_t)f->index.n;
	for (size_t i = 0; i < c->order.n; i++)
		if (c->defaults[c->order.v[i]])
			mlb_vec_push(&f->index, (uint32_t)i);
	f->g.defaults.n = (uint32_t)f->index.n - f->g.defaults.first;
}

static void
borrow(struct flat *f)
{
	struct mlb_comp *c = f->c;

	f->g.input = f->input.v;
	f->g.n_inputs = (uint32_t)f->input.n;
	f->g.output = f->output.v;
	f->g.n_outputs = (uint32_t)f->output.n;
	f->g.pair = c->pair.v;
	f->g.n_pairs = (uint32_t)c->pair.n;
	f->g.exec = c->exec.v;
	f->g.n_execs = (uint32_t)c->exec.n;
	f->g.pool_use = c->pool_use.v;
	f->g.n_pool_uses = (uint32_t)c->pool_use.n;
	f->g.strs = c->strs.v;
	f->g.n_strs = (uint32_t)c->strs.n;
	f->g.index = f->index.v;
	f->g.n_index = (uint32_t)f->index.n;
	f->g.str = c->str.data;
	f->g.str_len = c->str.len;
}

static int
digest_actions(struct flat *f, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(4 * MLB_C_TEXT);
	struct mlb_arena arena = MLB_ARENA_INIT;
	int rc = 0;

	for (uint32_t i = 0; i < f->g.n_nodes && rc == 0; i++) {
		struct mlb_action a;

		mlb_buf_clear(&text);
		mlb_action_from_node(&a, &arena, &f->g, i);
		mlb_action_text(&text, &f->g, &a);
		rc = mlb_buf_check(&text, "an action", err);
		mlb_sha256_of(&f->g.node[i].stat_digest, mlb_buf_str(&text), text.len);
		mlb_arena_release(&arena);
	}
	mlb_buf_release(&text);
	return rc;
}

int
mlb_c_flatten(struct mlb_comp *c, struct mlb_graph **out, struct mlb_err *err)
{
	struct flat f = { .c = c };
	int rc;

	f.g.n_nodes = (uint32_t)c->order.n;
	f.g.node = mlb_calloc(c->order.n + 1, sizeof(*f.g.node));
	f.new_of = mlb_calloc(c->inst.n + 1, sizeof(*f.new_of));
	for (size_t i = 0; i < c->order.n; i++)
		f.new_of[c->order.v[i]] = (uint32_t)i;
	flatten_paths(&f);
	flatten_nodes(&f);
	sort_names(&f);
	flatten_facts(&f);
	flatten_config(&f);
	flatten_defaults(&f);
	rc = mlb_buf_check(&c->str, "the graph's texts", err);
	borrow(&f);
	if (rc == 0)
		rc = digest_actions(&f, err);
	if (rc == 0)
		rc = mlb_graph_pack(out, &f.g, err);
	free(f.g.node);
	free(f.g.path);
	free(f.g.path_want);
	free(f.g.path_producer);
	free(f.g.by_name);
	free(f.g.pool);
	free(f.g.expose);
	free(f.new_of);
	free(f.rank);
	mlb_vec_release(&f.index);
	mlb_vec_release(&f.input);
	mlb_vec_release(&f.output);
	return rc;
}
