/* Tree objects: reading. The format stands at the top of tree.c. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "store/sort.h"
#include "store/tree.h"
#include "store/tree_node.h"

#define ENTRY_MIN (1 + 1 + 1 + 1 + MLB_DIGEST_LEN) /* bytes of the shortest entry */
#define SPLIT_LEVELS 5                             /* nodes on the way to a leaf, itself included */

/* Bytes that are being taken apart. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad; /* it was something that no writer writes */
};

static size_t
left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

static uint64_t
get_number(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 63 && c->at < c->end; shift += 7) {
		uint8_t byte = *c->at++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte == 0 && shift > 0)
			break;
		return v;
	}
	c->bad = true;
	return 0;
}

static const uint8_t *
get_bytes(struct cursor *c, size_t len)
{
	const uint8_t *at = c->at;

	if (left(c) < len) {
		c->bad = true;
		return NULL;
	}
	c->at += len;
	return at;
}

static void
get_digest(struct cursor *c, struct mlb_digest *out)
{
	const uint8_t *b = get_bytes(c, MLB_DIGEST_LEN);

	if (!b)
		return;
	memcpy(out->b, b, MLB_DIGEST_LEN);
	if (mlb_digest_is_zero(out))
		c->bad = true;
}

static void
get_size(struct cursor *c, uint64_t *size, uint64_t *sum)
{
	*size = get_number(c);
	if (*size > MLB_TREE_SIZE_MAX - *sum)
		c->bad = true;
	else
		*sum += *size;
}

static void
get_entry(struct cursor *c, struct mlb_tree_entry *e, uint64_t *sum, struct mlb_arena *arena)
{
	const uint8_t *kind = get_bytes(c, 1);
	size_t len = (size_t)get_number(c);
	const uint8_t *name = c->bad ? NULL : get_bytes(c, len);
	uint64_t none = 0;

	if (!kind || !name || mlb_tree_check_name((const char *)name, len, NULL) < 0) {
		c->bad = true;
		return;
	}
	e->kind = *kind;
	e->name = mlb_arena_strndup(arena, (const char *)name, len);
	get_size(c, &e->size, e->kind == MLB_T_LINK ? &none : sum);
	get_digest(c, &e->digest);
	switch (e->kind) {
	case MLB_T_FILE:
	case MLB_T_EXEC:
	case MLB_T_DIR:
		break;
	case MLB_T_LINK:
		if (e->size == 0 || e->size > MLB_TREE_LINK_MAX)
			c->bad = true;
		break;
	default:
		c->bad = true;
	}
}

/* A node whose head was read and whose entries or parts are to come. */
static bool
get_head(struct cursor *c, struct mlb_node *out)
{
	const uint8_t *head = get_bytes(c, 6);
	unsigned bits;

	memset(out, 0, sizeof(*out));
	if (!head || memcmp(head, "mlbt\1", 5) != 0)
		return false;
	out->type = head[5];
	out->count = get_number(c);
	bits = mlb_node_bits(out->count);
	if (c->bad || bits > MLB_NODE_MAX_BITS)
		return false;
	switch (out->type) {
	case MLB_NODE_DIR:
		return bits == 0 && out->count <= left(c) / ENTRY_MIN;
	case MLB_NODE_LEAF:
		return out->count > 0 && out->count <= left(c) / ENTRY_MIN;
	case MLB_NODE_SPLIT:
		out->n_parts = (size_t)1 << mlb_node_first_bits(bits);
		return bits > 0;
	case MLB_NODE_BRANCH:
		out->n_parts = (size_t)1 << MLB_NODE_FAN;
		return out->count > 0;
	default:
		return false;
	}
}

static bool
get_entries(struct cursor *c, struct mlb_node *node, struct mlb_tree_entry *entry,
	    struct mlb_arena *arena)
{
	for (uint64_t i = 0; i < node->count && !c->bad; i++) {
		get_entry(c, &entry[i], &node->size, arena);
		if (!c->bad && i > 0 && strcmp(entry[i - 1].name, entry[i].name) >= 0)
			c->bad = true;
	}
	node->entry = entry;
	return !c->bad && c->at == c->end;
}

static bool
get_parts(struct cursor *c, struct mlb_node *node, struct mlb_arena *arena)
{
	struct mlb_node_part *part = mlb_arena_alloc(arena, node->n_parts * sizeof(*part));
	uint64_t count = 0;

	for (size_t i = 0; i < node->n_parts && !c->bad; i++) {
		part[i].count = get_number(c);
		if (part[i].count > node->count - count) {
			c->bad = true;
			break;
		}
		count += part[i].count;
		if (part[i].count == 0)
			continue;
		get_size(c, &part[i].size, &node->size);
		get_digest(c, &part[i].digest);
	}
	node->part = part;
	return !c->bad && c->at == c->end && count == node->count;
}

static int
bad_node(struct mlb_err *err)
{
	return mlb_err_set(err, MLB_ECORRUPT, "not a tree node of this version");
}

int
mlb_node_parse(struct mlb_node *out, struct mlb_arena *arena, const void *data, size_t len,
	       struct mlb_err *err)
{
	struct cursor c = { data, (const uint8_t *)data + len, false };
	bool ok = get_head(&c, out);

	if (ok && out->n_parts)
		ok = get_parts(&c, out, arena);
	else if (ok)
		ok = get_entries(&c, out, mlb_arena_alloc(arena, out->count * sizeof(*out->entry)),
				 arena);
	return ok ? 0 : bad_node(err);
}

static int
read_node(struct mlb_node *out, struct mlb_arena *arena, struct mlb_cas *cas, struct mlb_buf *buf,
	  const struct mlb_digest *digest, struct mlb_err *err)
{
	int rc;

	mlb_buf_clear(buf);
	rc = mlb_cas_read(cas, buf, digest, err);
	if (rc == 0)
		rc = mlb_node_parse(out, arena, mlb_buf_str(buf), buf->len, err);
	return rc;
}

/* On the way through a split directory, from its first node down. */
struct way {
	struct mlb_node node[SPLIT_LEVELS];
	size_t next[SPLIT_LEVELS];     /* part of each node that comes next */
	uint64_t number[SPLIT_LEVELS]; /* hash bits that led to it */
	unsigned used[SPLIT_LEVELS];   /* how many those are */
	unsigned depth;
	unsigned bits; /* in all */
};

/* Whether what was read is what the part above it promised. */
static bool
fits(const struct way *w, const struct mlb_node *node, const struct mlb_node_part *part)
{
	uint8_t type = w->used[w->depth] == w->bits ? MLB_NODE_LEAF : MLB_NODE_BRANCH;

	if (node->type != type || node->count != part->count || node->size != part->size)
		return false;
	for (uint64_t i = 0; type == MLB_NODE_LEAF && i < node->count; i++) {
		const char *name = node->entry[i].name;

		if (mlb_node_hash(name, strlen(name)) >> (64 - w->bits) != w->number[w->depth])
			return false;
	}
	return true;
}

/* Go down to the next part that is not empty, or up. */
static const struct mlb_node_part *
next_part(struct way *w)
{
	for (;;) {
		const struct mlb_node *node = &w->node[w->depth];
		unsigned bits = w->depth ? MLB_NODE_FAN : mlb_node_first_bits(w->bits);

		while (w->next[w->depth] < node->n_parts && node->part[w->next[w->depth]].count == 0)
			w->next[w->depth]++;
		if (w->next[w->depth] < node->n_parts) {
			size_t i = w->next[w->depth]++;

			w->number[w->depth + 1] = w->number[w->depth] << bits | i;
			w->used[w->depth + 1] = w->used[w->depth] + bits;
			w->next[++w->depth] = 0;
			return &node->part[i];
		}
		if (w->depth == 0)
			return NULL;
		w->depth--;
	}
}

/* All entries of a split directory, in bytewise order; *out lives in the arena. */
static int
read_split(struct mlb_tree_entry **out, const struct mlb_node *first, struct mlb_arena *arena,
	   struct mlb_cas *cas, struct mlb_buf *buf, struct mlb_err *err)
{
	struct way w = { .node = { *first }, .bits = mlb_node_bits(first->count) };
	MLB_VEC(struct mlb_tree_entry) all = MLB_VEC_INIT;
	const struct mlb_node_part *part;
	int rc = 0;

	while (rc == 0 && (part = next_part(&w)) != NULL) {
		struct mlb_node *node = &w.node[w.depth];

		rc = read_node(node, arena, cas, buf, &part->digest, err);
		if (rc == 0 && !fits(&w, node, part))
			rc = bad_node(err);
		if (rc < 0 || node->n_parts)
			continue;
		for (uint64_t i = 0; i < node->count; i++)
			mlb_vec_push(&all, node->entry[i]);
		w.depth--;
	}
	if (rc == 0) {
		const char **name = mlb_calloc(all.n, sizeof(*name));
		uint32_t *order = mlb_calloc(all.n, sizeof(*order));

		for (size_t i = 0; i < all.n; i++)
			name[i] = all.v[i].name;
		mlb_sort_strings(order, name, all.n);
		*out = mlb_arena_alloc(arena, all.n * sizeof(**out));
		for (size_t i = 0; i < all.n; i++)
			(*out)[i] = all.v[order[i]];
		free(order);
		free(name);
	}
	mlb_vec_release(&all);
	return rc;
}

int
mlb_tree_read(struct mlb_tree_entry **out, size_t *n, struct mlb_arena *arena, struct mlb_cas *cas,
	      const struct mlb_digest *node, struct mlb_err *err)
{
	struct mlb_buf buf = MLB_BUF_INIT(MLB_NODE_MAX);
	struct mlb_tree_entry *entry = NULL;
	struct mlb_node first;
	int rc = read_node(&first, arena, cas, &buf, node, err);

	if (rc == 0 && first.type == MLB_NODE_SPLIT) {
		rc = read_split(&entry, &first, arena, cas, &buf, err);
	} else if (rc == 0 && first.type == MLB_NODE_DIR) {
		entry = mlb_arena_alloc(arena, first.count * sizeof(*entry));
		if (first.entry)
			memcpy(entry, first.entry, first.count * sizeof(*entry));
	} else if (rc == 0) {
		rc = mlb_err_set(err, MLB_ECORRUPT, "this tree node is only a part of a directory");
	}
	if (rc == 0) {
		*out = entry;
		*n = (size_t)first.count;
	}
	mlb_buf_release(&buf);
	return rc;
}
