/* Which objects a push is about. */
#include <stdlib.h>
#include <string.h>

#include "engine/push.h"
#include "graph/lockfile.h"
#include "store/chunker.h"
#include "store/tree.h"

#define MAX_TEXT ((size_t)1 << 30)
#define UNKNOWN UINT64_MAX /* a size */

void
mlb_push_missing(struct mlb_pushing *p, const struct mlb_digest *digest)
{
	mlb_crew_lock(p->crew);
	mlb_vec_push(&p->missing, *digest);
	mlb_crew_unlock(p->crew);
}

static void
add_item(struct mlb_pushing *p, struct mlb_push_items *to, const struct mlb_digest *digest,
	 uint64_t size)
{
	const struct mlb_push_item item = { *digest, size };

	p->planned += size;
	mlb_vec_push(to, item);
}

/* Bytes; size UNKNOWN: the cache tells. */
static void
add_object(struct mlb_pushing *p, const struct mlb_digest *digest, uint64_t size)
{
	struct mlb_cas_where where;

	if (mlb_digest_is_zero(digest) || !mlb_digest_set_add(&p->object, digest))
		return;
	p->report->objects++;
	if (mlb_push_is_there(p, digest)) {
		p->report->there++;
		return;
	}
	if (size == UNKNOWN || size >= MLB_CAS_SMALL) {
		if (!mlb_cas_look(p->t->cas, &where, digest)) {
			mlb_push_missing(p, digest);
			return;
		}
		size = where.size;
	}
	p->report->bytes += size;
	add_item(p, size >= MLB_CHUNKED_FROM ? &p->large : &p->files, digest, size);
}

/* What need not be there for anything else to be of use: an action's text, a log. */
static void
add_if_here(struct mlb_pushing *p, const struct mlb_digest *digest)
{
	if (!mlb_digest_is_zero(digest) && mlb_cas_has(p->t->cas, digest))
		add_object(p, digest, UNKNOWN);
}

/* ---------------------------------------------------------- trees */

struct below {
	struct mlb_pushing *p;
	struct mlb_push_digests nodes; /* directories of this node, in order */
};

static int
take_entry(void *ctx, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct below *b = ctx;

	(void)err;
	if (e->kind == MLB_T_DIR)
		mlb_vec_push(&b->nodes, e->digest);
	else
		add_object(b->p, &e->digest, e->size);
	return 0;
}

/* A node, and what is right below it. False: nothing is known of it. */
static bool
take_node(struct mlb_pushing *p, const struct mlb_digest *digest, struct below *b)
{
	struct mlb_buf data = MLB_BUF_INIT(MAX_TEXT);
	bool good = mlb_cas_read(p->t->cas, &data, digest, NULL) == 0;

	if (mlb_digest_set_add(&p->object, digest)) {
		p->report->objects++;
		if (mlb_push_is_there(p, digest)) {
			p->report->there++;
		} else if (good) {
			p->report->bytes += data.len;
			add_item(p, &p->nodes, digest, data.len);
		}
	}
	if (!good)
		mlb_push_missing(p, digest);
	b->nodes.n = 0;
	if (good && mlb_tree_below(mlb_buf_str(&data), data.len, take_entry, b, NULL) != 0)
		mlb_push_missing(p, digest);
	mlb_buf_release(&data);
	return good;
}

/* Depth first, so that what lies together in the tree does so in the packs. */
static int
add_tree(struct mlb_pushing *p, const struct mlb_digest *tree)
{
	struct mlb_push_digests todo = MLB_VEC_INIT;
	struct below b = { .p = p };

	mlb_vec_push(&todo, *tree);
	while (todo.n) {
		struct mlb_digest d = todo.v[--todo.n];

		if (mlb_digest_is_zero(&d) || !mlb_digest_set_add(&p->node, &d))
			continue;
		take_node(p, &d, &b);
		for (size_t i = b.nodes.n; i > 0; i--)
			mlb_vec_push(&todo, b.nodes.v[i - 1]);
	}
	mlb_vec_release(&b.nodes);
	mlb_vec_release(&todo);
	return 0;
}

/* ---------------------------------------------------------- results */

static void
add_output(struct mlb_pushing *p, uint8_t kind, const struct mlb_digest *digest, uint64_t size)
{
	if (kind == MLB_O_TREE)
		add_tree(p, digest);
	else
		add_object(p, digest, size);
}

/* The record that counts there, if all that it names is there. */
static bool
has_result(struct mlb_pushing *p, const struct mlb_digest *key)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result r;
	bool has = mlb_transfer_find(p->t, &r, &arena, key, NULL) == 0;

	for (uint32_t i = 0; has && i < r.n_outputs; i++)
		has = mlb_push_is_there(p, &r.output[i].digest);
	mlb_arena_release(&arena);
	return has;
}

static int
add_key(struct mlb_pushing *p, const struct mlb_digest *key, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result r;
	int rc = 0;

	if (mlb_digest_is_zero(key) || !mlb_digest_set_add(&p->key, key))
		return 0;
	add_if_here(p, key);
	rc = p->t->results ? mlb_results_find(p->t->results, &r, &arena, key, err) : MLB_ENOTFOUND;
	if (rc == 0) {
		for (uint32_t i = 0; i < r.n_outputs; i++)
			add_output(p, r.output[i].kind, &r.output[i].digest, r.output[i].size);
		if (!has_result(p, key)) {
			add_if_here(p, &r.log);
			mlb_vec_push(&p->keys, *key);
		}
	} else if (rc == MLB_ENOTFOUND || rc == MLB_ECORRUPT) {
		mlb_err_release(err);
		rc = 0;
	}
	mlb_arena_release(&arena);
	return rc;
}

static int
add_table(struct mlb_pushing *p, const struct mlb_digest *digest, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_table_row *row;
	size_t n = 0;
	int rc = 0;

	if (mlb_cas_read(p->t->cas, &text, digest, NULL) != 0 ||
	    mlb_table_parse(&row, &n, &arena, mlb_buf_str(&text), text.len, NULL) != 0)
		n = 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = add_key(p, &row[i].key, err);
		for (uint32_t k = 0; k < row[i].n_outputs; k++)
			add_output(p, row[i].output[k].kind, &row[i].output[k].digest,
				   row[i].output[k].size);
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
	return rc;
}

static bool
is_node(struct mlb_pushing *p, const struct mlb_digest *digest)
{
	struct mlb_buf data = MLB_BUF_INIT(MAX_TEXT);
	bool is = mlb_cas_read(p->t->cas, &data, digest, NULL) == 0 && data.len > 5 &&
		  memcmp(data.data, "mlbt\1", 5) == 0;

	mlb_buf_release(&data);
	return is;
}

static int
add_root(struct mlb_pushing *p, const struct mlb_need *r, struct mlb_err *err)
{
	int rc = 0;

	switch ((enum mlb_root_kind)r->kind) {
	case MLB_ROOT_KEY:
		return add_key(p, &r->digest, err);
	case MLB_ROOT_TABLE:
		add_object(p, &r->digest, UNKNOWN);
		return add_table(p, &r->digest, err);
	case MLB_ROOT_OBJECT:
		add_object(p, &r->digest, UNKNOWN);
		return 0;
	case MLB_ROOT_TREE:
		return add_tree(p, &r->digest);
	case MLB_ROOT_ANY:
		rc = add_key(p, &r->digest, err);
		if (rc == 0 && mlb_cas_has(p->t->cas, &r->digest)) {
			add_object(p, &r->digest, UNKNOWN);
			rc = is_node(p, &r->digest) ? add_tree(p, &r->digest)
						    : add_table(p, &r->digest, err);
		}
		return rc;
	}
	return 0;
}

int
mlb_push_gather(struct mlb_pushing *p, struct mlb_err *err)
{
	int rc = 0;

	/* Once more, if it took long: then most of it is there by now. */
	mlb_digest_set_release(&p->node);
	mlb_digest_set_release(&p->object);
	mlb_digest_set_release(&p->key);
	mlb_digest_set_release(&p->claimed);
	p->nodes.n = p->files.n = p->large.n = p->keys.n = p->missing.n = 0;
	p->report->objects = p->report->there = p->report->bytes = 0;
	for (size_t i = 0; i < p->push->n_roots && rc == 0; i++)
		rc = add_root(p, &p->push->root[i], err);
	return rc;
}
