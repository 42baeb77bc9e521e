/*
 * Tree objects: writing.
 *
 * A directory is one node, an object like any other.  Its bytes, version 1
 * (n is an unsigned number in LEB128 without needless groups, below 2^63):
 *
 *   node   "mlbt" 0x01 TYPE BODY
 *   BODY   of 'd' (a whole directory) and 'l' (leaf): n entries, then the entries
 *          of 's' (split directory) and 'b' (branch): n entries below, then the parts
 *   entry  KIND, n bytes of name, name, n size, 32 bytes digest
 *   KIND   'f' file, 'x' executable file, 'd' directory, 'l' symbolic link
 *   part   n entries, and unless that is 0: n size, 32 bytes digest of 'b' or 'l'
 *
 * 1. Entries are sorted bytewise by name; names are unique, 1 to 1023 bytes,
 *    without NUL and '/', and none that mlb_tree_check_name refuses.
 * 2. A file's size is that of its content; a link's, 1 to 4095, that of its
 *    text, which is an object too; a directory's or part's is the sum over its
 *    files, links left out.
 * 3. Up to 768 entries are one 'd' node.  Above, with b the least number for
 *    which count <= 768 * 2^b (at most 22), entry E rests in the leaf numbered
 *    by the upper b bits of hash(E's name).  Every level but the first takes 6
 *    of the bits, upper ones first; the first takes what remains.  So a level
 *    has 64 parts, the first 2 to 64, and b = 1..6 has leaves right below 's'.
 * 4. hash(name): h = 0xcbf29ce484222325; for each byte h = (h ^ byte) *
 *    0x100000001b3; then twice h = (h ^ h >> 32) * 0xd6e8feb86659fd93; then
 *    h ^ h >> 32.  All modulo 2^64.
 *
 * So a directory has exactly one encoding, the depth follows from the count
 * alone, and what one more file changes is one leaf and the nodes above it.
 */
#include "store/tree.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/tree_node.h"

#define NODE_WHOLE 768 /* most entries of a 'd' node, and of a leaf on average */

unsigned
mlb_node_bits(uint64_t count)
{
	unsigned bits = 0;

	while (bits <= MLB_NODE_MAX_BITS && count > (uint64_t)NODE_WHOLE << bits)
		bits++;
	return bits;
}

unsigned
mlb_node_first_bits(unsigned bits)
{
	return bits ? (bits - 1) % MLB_NODE_FAN + 1 : 0;
}

uint64_t
mlb_node_hash(const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * 0x100000001b3u;
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

static bool
is_word(const char *name, size_t len, const char *word)
{
	size_t i = 0;

	while (i < len && word[i] && tolower((unsigned char)name[i]) == word[i])
		i++;
	return i == len && !word[i];
}

int
mlb_tree_check_name(const char *name, size_t len, struct mlb_err *err)
{
	if (len == 0 || is_word(name, len, ".") || is_word(name, len, ".."))
		return mlb_err_set(err, MLB_EINVALID, "'%.*s' cannot be a name in a tree", (int)len,
				   name);
	if (len > MLB_TREE_NAME_MAX)
		return mlb_err_set(err, MLB_EINVALID, "a name of %zu bytes is too long for a tree",
				   len);
	if (memchr(name, '/', len) || memchr(name, '\0', len))
		return mlb_err_set(err, MLB_EINVALID, "'%.*s': a name cannot hold '/' or NUL",
				   (int)len, name);
	if (is_word(name, len, ".git") || is_word(name, len, ".mlbuild"))
		return mlb_err_set(err, MLB_EINVALID,
				   "'%.*s' cannot be stored: remove it from the directory",
				   (int)len, name);
	return 0;
}

int
mlb_tree_check_link(const char *text, size_t len, unsigned depth, struct mlb_err *err)
{
	bool named =
		false; /* a name was passed: from there ".." could leave through another link */

	if (len == 0 || len > MLB_TREE_LINK_MAX || memchr(text, '\0', len))
		return mlb_err_set(err, MLB_EINVALID,
				   "a link's text is empty, too long or holds a NUL");
	if (text[0] == '/')
		return mlb_err_set(err, MLB_EINVALID,
				   "the link to '%.*s' is absolute: make it relative", (int)len,
				   text);
	for (size_t i = 0; i < len;) {
		const char *slash = memchr(text + i, '/', len - i);
		size_t part = slash ? (size_t)(slash - text) - i : len - i;

		if (part == 2 && memcmp(text + i, "..", 2) == 0) {
			if (depth == 0 || named)
				return mlb_err_set(
					err, MLB_EINVALID, "the link to '%.*s' %s", (int)len, text,
					named ? "has '..' after a name: write it without"
					      : "leaves the directory: copy what it names");
			depth--;
		} else if (part && !(part == 1 && text[i] == '.')) {
			named = true;
		}
		i += part + 1;
	}
	return 0;
}

static void
add_number(struct mlb_buf *out, uint64_t v)
{
	while (v >= 0x80) {
		mlb_buf_addc(out, (char)(v | 0x80));
		v >>= 7;
	}
	mlb_buf_addc(out, (char)v);
}

static void
add_entry(struct mlb_buf *out, const struct mlb_tree_entry *e)
{
	size_t len = strlen(e->name);

	mlb_buf_addc(out, (char)e->kind);
	add_number(out, len);
	mlb_buf_add(out, e->name, len);
	add_number(out, e->size);
	mlb_buf_add(out, e->digest.b, MLB_DIGEST_LEN);
}

static void
add_head(struct mlb_buf *out, uint8_t type, uint64_t count)
{
	mlb_buf_add(out, "mlbt\1", 5);
	mlb_buf_addc(out, (char)type);
	add_number(out, count);
}

static void
add_parts(struct mlb_buf *out, const struct mlb_node_part *part, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add_number(out, part[i].count);
		if (part[i].count == 0)
			continue;
		add_number(out, part[i].size);
		mlb_buf_add(out, part[i].digest.b, MLB_DIGEST_LEN);
	}
}

void
mlb_node_write(struct mlb_buf *out, const struct mlb_node *node)
{
	add_head(out, node->type, node->count);
	if (node->part)
		add_parts(out, node->part, node->n_parts);
	for (uint64_t i = 0; !node->part && i < node->count; i++)
		add_entry(out, &node->entry[i]);
}

/* The digest of the node in buf, which is stored too if there is a store. */
static int
put_node(struct mlb_digest *out, const struct mlb_buf *buf, struct mlb_cas *cas,
	 struct mlb_err *err)
{
	int rc = mlb_buf_check(buf, "a directory", err);

	if (rc == 0 && cas)
		rc = mlb_cas_put(cas, out, buf->data, buf->len, err);
	else if (rc == 0)
		mlb_sha256_of(out, buf->data, buf->len);
	return rc;
}

static int
check_entries(uint64_t *size, const struct mlb_tree_entry *entries, size_t n, struct mlb_err *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++) {
		const struct mlb_tree_entry *e = &entries[i];
		int rc = mlb_tree_check_name(e->name, strlen(e->name), err);

		if (rc < 0)
			return rc;
		if (i > 0 && strcmp(entries[i - 1].name, e->name) >= 0)
			return mlb_err_set(err, MLB_EINVALID, "'%s' is out of order in a tree",
					   e->name);
		if (e->size > MLB_TREE_SIZE_MAX ||
		    (e->kind != MLB_T_LINK && e->size > MLB_TREE_SIZE_MAX - total))
			return mlb_err_set(err, MLB_ETOOBIG, "a directory of more than 2^63 bytes");
		if (e->kind != MLB_T_LINK)
			total += e->size;
	}
	*size = total;
	return 0;
}

/* What a directory is split into, while it is written. */
struct split {
	const struct mlb_tree_entry *entries;
	uint32_t *order;            /* indices of entries, by leaf and then by name */
	size_t *end;                /* where in order each leaf ends */
	struct mlb_node_part *part; /* one per leaf, then one per branch, level by level */
	unsigned bits;
};

/* Sort the entries into their leaves, keeping their order within each. */
static void
split_order(struct split *s, size_t n)
{
	size_t leaves = (size_t)1 << s->bits;
	uint32_t *leaf = mlb_calloc(n, sizeof(*leaf));
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const char *name = s->entries[i].name;

		leaf[i] = (uint32_t)(mlb_node_hash(name, strlen(name)) >> (64 - s->bits));
		s->end[leaf[i]]++;
	}
	for (size_t i = 0; i < leaves; i++) {
		size_t count = s->end[i];

		s->end[i] = at;
		at += count;
	}
	for (size_t i = 0; i < n; i++)
		s->order[s->end[leaf[i]]++] = (uint32_t)i;
	free(leaf);
}

static int
write_leaves(struct split *s, struct mlb_buf *buf, struct mlb_cas *cas, struct mlb_err *err)
{
	size_t leaves = (size_t)1 << s->bits;
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < leaves && rc == 0; i++) {
		struct mlb_node_part *p = &s->part[i];

		p->count = s->end[i] - at;
		if (p->count == 0)
			continue;
		mlb_buf_clear(buf);
		add_head(buf, MLB_NODE_LEAF, p->count);
		for (; at < s->end[i]; at++) {
			const struct mlb_tree_entry *e = &s->entries[s->order[at]];

			add_entry(buf, e);
			if (e->kind != MLB_T_LINK)
				p->size += e->size;
		}
		rc = put_node(&p->digest, buf, cas, err);
	}
	return rc;
}

/* Replace n parts by one branch for each 64 of them. */
static int
write_branches(struct mlb_node_part *part, size_t n, struct mlb_buf *buf, struct mlb_cas *cas,
	       struct mlb_err *err)
{
	const size_t fan = (size_t)1 << MLB_NODE_FAN;
	int rc = 0;

	for (size_t i = 0; i < n / fan && rc == 0; i++) {
		struct mlb_node_part sum = { 0, 0, { { 0 } } };

		for (size_t k = i * fan; k < (i + 1) * fan; k++) {
			sum.count += part[k].count;
			sum.size += part[k].size;
		}
		if (sum.count) {
			mlb_buf_clear(buf);
			add_head(buf, MLB_NODE_BRANCH, sum.count);
			add_parts(buf, part + i * fan, fan);
			rc = put_node(&sum.digest, buf, cas, err);
		}
		part[i] = sum;
	}
	return rc;
}

static int
write_split(struct mlb_digest *out, const struct mlb_tree_entry *entries, size_t n,
	    struct mlb_buf *buf, struct mlb_cas *cas, struct mlb_err *err)
{
	unsigned bits = mlb_node_bits(n);
	struct split s = { entries, NULL, NULL, NULL, bits };
	size_t parts = (size_t)1 << bits;
	int rc;

	s.order = mlb_calloc(n, sizeof(*s.order));
	s.end = mlb_calloc(parts, sizeof(*s.end));
	s.part = mlb_calloc(parts, sizeof(*s.part));
	split_order(&s, n);
	rc = write_leaves(&s, buf, cas, err);
	for (; rc == 0 && bits > MLB_NODE_FAN; bits -= MLB_NODE_FAN) {
		rc = write_branches(s.part, parts, buf, cas, err);
		parts >>= MLB_NODE_FAN;
	}
	if (rc == 0) {
		mlb_buf_clear(buf);
		add_head(buf, MLB_NODE_SPLIT, n);
		add_parts(buf, s.part, parts);
		rc = put_node(out, buf, cas, err);
	}
	free(s.part);
	free(s.end);
	free(s.order);
	return rc;
}

int
mlb_tree_node(struct mlb_digest *out, uint64_t *size, const struct mlb_tree_entry *entries,
	      size_t n, struct mlb_cas *cas, struct mlb_err *err)
{
	struct mlb_buf buf = MLB_BUF_INIT(MLB_NODE_MAX);
	uint64_t total = 0;
	int rc = check_entries(&total, entries, n, err);

	if (rc == 0 && mlb_node_bits(n) > MLB_NODE_MAX_BITS)
		rc = mlb_err_set(err, MLB_ETOOBIG, "a directory of %zu entries", n);
	if (rc < 0)
		return rc;
	if (mlb_node_bits(n) == 0) {
		const struct mlb_node node = {
			.type = MLB_NODE_DIR, .count = n, .size = total, .entry = entries
		};

		mlb_node_write(&buf, &node);
		rc = put_node(out, &buf, cas, err);
	} else {
		rc = write_split(out, entries, n, &buf, cas, err);
	}
	if (rc == 0 && size)
		*size = total;
	mlb_buf_release(&buf);
	return rc;
}
