/*
 * A lock file that is known to be as mlbuild wrote it need not be parsed: its
 * blocks are sorted by name, so one is found by halving the text, and what
 * changed is put between the parts that did not.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/lock_int.h"

/* Where a block is, or would be: from its header to the one behind it. */
struct place {
	const char *at, *end;
	bool found;
};

static const char *
text_of(const struct mlb_lockfile *l)
{
	return l->text.data;
}

/* The line "# end". */
static const char *
end_of(const struct mlb_lockfile *l)
{
	return text_of(l) + l->text.len - strlen(MLB_LOCK_END "\n");
}

/* The first header from here on; the line "# end" if there is none. */
static const char *
header_from(const struct mlb_lockfile *l, const char *from)
{
	const char *end = end_of(l);

	while (from < end && *from != '[') {
		from = memchr(from, '\n', (size_t)(end - from));
		from = from ? from + 1 : end;
	}
	return from;
}

/* The last header at or before here, not before lo, which is one. */
static const char *
header_until(const char *lo, const char *from)
{
	while (from > lo) {
		const char *eol = memrchr(lo, '\n', (size_t)(from - lo));

		if (!eol)
			return lo;
		if (eol[1] == '[')
			return eol + 1;
		from = eol;
	}
	return lo;
}

/* strcmp of the name in a header with this one. */
static int
compare(const struct mlb_lockfile *l, const char *header, const char *name)
{
	const char *end = text_of(l) + l->text.len;
	const char *eol = memchr(header, '\n', (size_t)(end - header));
	const char *own = memchr(header, ' ', (size_t)((eol ? eol : end) - header));
	size_t len, want = strlen(name);
	int c;

	if (!eol || !own || eol[-1] != ']')
		return -1;
	own++;
	len = (size_t)(eol - 1 - own);
	c = memcmp(own, name, MLB_MIN(len, want));
	return c ? c : (len > want) - (len < want);
}

static struct place
find(const struct mlb_lockfile *l, const char *name)
{
	const char *lo = header_from(l, text_of(l)), *hi = end_of(l);
	struct place p = { hi, hi, false };

	while (lo < hi) {
		const char *mid = header_until(lo, lo + (hi - lo) / 2);
		const char *next = header_from(l, mid + 1);
		int c = compare(l, mid, name);

		if (c == 0)
			return (struct place){ mid, next, true };
		if (c > 0)
			hi = p.at = p.end = mid;
		else
			lo = next;
	}
	return p;
}

bool
mlb_lockfile_open(struct mlb_lockfile *l, struct mlb_buf *text)
{
	static const char head[] = MLB_LOCK_HEADER MLB_LOCK_VERSION "\n";
	static const char tail[] = "\n\n" MLB_LOCK_END "\n";

	if (text->len < strlen(head) + strlen(tail) ||
	    memcmp(text->data, head, strlen(head)) != 0 ||
	    memcmp(text->data + text->len - strlen(tail), tail, strlen(tail)) != 0)
		return false;
	l->text = *text;
	mlb_buf_init(text, 0);
	return true;
}

int
mlb_lockfile_whole(struct mlb_lockfile *l, struct mlb_err *err)
{
	struct mlb_buf text = l->text;
	int rc;

	if (!text.len)
		return 0;
	mlb_buf_init(&l->text, 0);
	mlb_strmap_release(&l->map);
	rc = mlb_lockfile_parse(l, mlb_buf_str(&text), text.len, err);
	mlb_buf_release(&text);
	return rc;
}

struct mlb_lock_block *
mlb_lockfile_get(struct mlb_lockfile *l, const char *name)
{
	struct mlb_strmap_entry *at = mlb_strmap_find(&l->map, name, strlen(name));
	struct place p;

	if (at)
		return at->u.ptr;
	if (!l->text.len)
		return NULL;
	p = find(l, name);
	/* A block that does not fit its sum says nothing. */
	if (!p.found || mlb_lock_parse_block(l, p.at, (size_t)(p.end - p.at), NULL))
		return NULL;
	return mlb_strmap_get(&l->map, name);
}

static int
by_name(const void *a, const void *b)
{
	const struct mlb_strmap_entry *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

void
mlb_lock_patch(struct mlb_buf *out, const struct mlb_lockfile *l)
{
	const struct mlb_strmap_entry **all =
		mlb_calloc((size_t)l->map.n + 1, sizeof(struct mlb_strmap_entry *));
	const char *done = text_of(l);

	for (uint32_t i = 0; i < l->map.n; i++)
		all[i] = &l->map.entry[i];
	qsort(all, l->map.n, sizeof(struct mlb_strmap_entry *), by_name);
	mlb_buf_reserve(out, l->text.len + MLB_KIB);
	for (uint32_t i = 0; i < l->map.n; i++) {
		struct place p = find(l, all[i]->key);

		/* Before each header, and before "# end", stands an empty line. */
		mlb_buf_add(out, done, (size_t)(p.at - 1 - done));
		if (all[i]->u.ptr)
			mlb_lock_add_block(out, all[i]->u.ptr);
		done = p.end - 1;
	}
	mlb_buf_add(out, done, (size_t)(text_of(l) + l->text.len - done));
	free(all);
}
