/*
 * The roots of a project, version 1: lines that end in a line feed, in this order.
 *
 *   mlbuild-roots 1
 *   host TEXT       may be empty
 *   dir TEXT        may be empty
 *   on HEX          16 digits, not all 0, of mlb_fs_whereabouts (os/fs.h); may be absent
 *   KIND DIGEST     any number, sorted by kind and digest, each once;
 *                   KIND: any, key, object, table or tree
 *   sum DIGEST      SHA-256 of all the bytes before this line
 *
 * In a TEXT `\` and bytes below 0x20 are written \xHH, lower case.
 */
#include "store/roots.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "store/text_lines.h"

#define MAGIC "mlbuild-roots 1\n"

static const struct {
	const char *word;
	uint8_t kind;
} kinds[] = {
	/* as they sort */
	{ "any ", MLB_ROOT_ANY },     { "key ", MLB_ROOT_KEY },   { "object ", MLB_ROOT_OBJECT },
	{ "table ", MLB_ROOT_TABLE }, { "tree ", MLB_ROOT_TREE },
};

void
mlb_roots_release(struct mlb_roots *r)
{
	mlb_vec_release(&r->root);
	free(r->host);
	free(r->dir);
	memset(r, 0, sizeof(*r));
}

void
mlb_roots_add(struct mlb_roots *r, enum mlb_root_kind kind, const struct mlb_digest *digest)
{
	struct mlb_need root = { *digest, (uint8_t)kind };

	if (!mlb_digest_is_zero(digest))
		mlb_vec_push(&r->root, root);
}

static size_t
rank(uint8_t kind)
{
	size_t i = 0;

	while (i + 1 < MLB_ARRAY_LEN(kinds) && kinds[i].kind != kind)
		i++;
	return i;
}

static int
compare(const void *a, const void *b)
{
	const struct mlb_need *x = a, *y = b;
	size_t i = rank(x->kind), k = rank(y->kind);

	return i != k ? (i > k) - (i < k) : mlb_digest_cmp(&x->digest, &y->digest);
}

void
mlb_roots_sort(struct mlb_roots *r)
{
	size_t n = 0;

	if (r->root.n)
		qsort(r->root.v, r->root.n, sizeof(*r->root.v), compare);
	for (size_t i = 0; i < r->root.n; i++)
		if (!n || compare(&r->root.v[n - 1], &r->root.v[i]) != 0)
			r->root.v[n++] = r->root.v[i];
	r->root.n = n;
}

bool
mlb_roots_within(const struct mlb_roots *less, const struct mlb_roots *more)
{
	size_t k = 0;

	for (size_t i = 0; i < less->root.n; i++) {
		while (k < more->root.n && compare(&more->root.v[k], &less->root.v[i]) < 0)
			k++;
		if (k == more->root.n || compare(&more->root.v[k], &less->root.v[i]) != 0)
			return false;
	}
	return true;
}

/* ---------------------------------------------------------- text */

static void
add_text(struct mlb_buf *out, const char *name, const char *s)
{
	mlb_buf_adds(out, name);
	mlb_text_escape(out, s ? s : "");
	mlb_buf_addc(out, '\n');
}

void
mlb_roots_format(struct mlb_buf *out, const struct mlb_roots *r)
{
	char hex[MLB_HEX_LEN + 1];
	struct mlb_digest sum;
	size_t start = out->len;

	mlb_buf_adds(out, MAGIC);
	add_text(out, "host ", r->host);
	add_text(out, "dir ", r->dir);
	if (r->on)
		mlb_buf_addf(out, "on %016" PRIx64 "\n", r->on);
	for (size_t i = 0; i < r->root.n; i++) {
		mlb_digest_hex(hex, &r->root.v[i].digest);
		hex[MLB_HEX_LEN] = '\n';
		mlb_buf_adds(out, kinds[rank(r->root.v[i].kind)].word);
		mlb_buf_add(out, hex, sizeof(hex));
	}
	mlb_sha256_of(&sum, mlb_buf_str(out) + start, out->len - start);
	mlb_digest_hex(hex, &sum);
	mlb_buf_addf(out, "sum %s\n", hex);
}

/* Up to the end of the line, which is taken too. */
static bool
take_text(struct mlb_text_reader *r, const char *name, char **out)
{
	size_t len;

	if (!mlb_text_take(r, name) || (len = mlb_text_line(r)) == SIZE_MAX)
		return false;
	*out = mlb_alloc(len + 1);
	**out = '\0';
	return mlb_text_take_rest(r, *out);
}

/* May be absent. */
static bool
take_on(struct mlb_text_reader *r, uint64_t *out)
{
	uint8_t b[sizeof(*out)];

	*out = 0;
	if (!mlb_text_take(r, "on "))
		return true;
	if (r->end - r->at < (ptrdiff_t)(2 * sizeof(b)) || !mlb_hex_decode(b, r->at, sizeof(b)))
		return false;
	r->at += 2 * sizeof(b);
	for (size_t i = 0; i < sizeof(b); i++)
		*out = *out << 8 | b[i];
	return *out && mlb_text_take(r, "\n");
}

static bool
take_root(struct mlb_text_reader *r, struct mlb_need *out)
{
	out->kind = 0;
	for (size_t i = 0; i < MLB_ARRAY_LEN(kinds) && !out->kind; i++)
		if (mlb_text_take(r, kinds[i].word))
			out->kind = kinds[i].kind;
	if (!out->kind || !mlb_text_take_digest(r, &out->digest))
		return false;
	return !mlb_digest_is_zero(&out->digest) && mlb_text_take(r, "\n");
}

static bool
is_sum(const struct mlb_text_reader *r)
{
	return r->end - r->at >= 4 && memcmp(r->at, "sum ", 4) == 0;
}

static bool
take_sum(struct mlb_text_reader *r)
{
	struct mlb_digest now, sum;

	mlb_sha256_of(&now, r->start, (size_t)(r->at - r->start));
	return mlb_text_take(r, "sum ") && mlb_text_take_digest(r, &sum) &&
	       mlb_digest_equal(&sum, &now) && mlb_text_take(r, "\n");
}

static bool
take_all(struct mlb_text_reader *r, struct mlb_roots *out)
{
	if (!mlb_text_take(r, MAGIC) || !take_text(r, "host ", &out->host) ||
	    !take_text(r, "dir ", &out->dir) || !take_on(r, &out->on))
		return false;
	while (!is_sum(r)) {
		struct mlb_need root;

		if (!take_root(r, &root) ||
		    (out->root.n && compare(&out->root.v[out->root.n - 1], &root) >= 0))
			return false;
		mlb_vec_push(&out->root, root);
	}
	return take_sum(r) && r->at == r->end;
}

int
mlb_roots_parse(struct mlb_roots *out, const char *text, size_t len, struct mlb_err *err)
{
	struct mlb_text_reader r = { text, text, text + len };

	memset(out, 0, sizeof(*out));
	if (take_all(&r, out))
		return 0;
	mlb_roots_release(out);
	return mlb_err_set(err, MLB_ECORRUPT, "no roots of this version: byte %zu is wrong",
			   (size_t)(r.at - text));
}
