/*
 * What is remembered of every file of an `each` node: meta "each NODE" in
 * state.db, so that one file more needs one key more.
 *
 *   32 bytes   SHA-256 of what all keys share: the action's text without a file,
 *              a NUL, the pattern
 *   then for each file, sorted by path:
 *     text     the file's path
 *     1 byte   its kind (enum mlb_okind), 32 bytes its digest
 *     32 bytes the key
 *     for each output of the node, in order:
 *       text     its path
 *       1 byte   its kind, 8 bytes its size, 32 bytes its digest
 *
 * A text is 4 bytes of length and so many bytes; numbers are little-endian. What
 * does not fit this ends the reading: the rest is found out anew.
 */
#include <string.h>

#include "engine/each.h"
#include "store/state.h"

enum { MAX_MEMO = 1 << 30, MAX_ACTION = 256 << 20 };

static void
shared_digest(const struct mlb_plan *plan, uint32_t n, struct mlb_digest *out)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);

	mlb_action_text(&text, plan->g, &plan->node[n].each->shared);
	mlb_buf_addc(&text, '\0');
	mlb_buf_adds(&text, mlb_g_str(plan->g, plan->g->node[n].each_glob));
	mlb_sha256_of(out, mlb_buf_str(&text), text.len);
	mlb_buf_release(&text);
}

static const char *
memo_name(struct mlb_plan *plan, uint32_t n)
{
	return mlb_arena_printf(&plan->arena, MLB_EACH_META "%s",
				mlb_g_str(plan->g, plan->g->node[n].name));
}

/* ---------------------------------------------------------- writing */

static void
put_number(struct mlb_buf *out, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		mlb_buf_addc(out, (char)(v >> 8 * i & 0xff));
}

static void
put_text(struct mlb_buf *out, const char *s)
{
	size_t len = strlen(s);

	put_number(out, len, 4);
	mlb_buf_add(out, s, len);
}

static void
put_item(struct mlb_buf *out, const struct mlb_each_item *it, uint32_t n_out)
{
	put_text(out, it->file);
	put_number(out, it->kind, 1);
	mlb_buf_add(out, it->digest.b, MLB_DIGEST_LEN);
	mlb_buf_add(out, it->key.b, MLB_DIGEST_LEN);
	for (uint32_t k = 0; k < n_out; k++) {
		put_text(out, it->path[k]);
		put_number(out, it->out[k].kind, 1);
		put_number(out, it->out[k].size, 8);
		mlb_buf_add(out, it->out[k].digest.b, MLB_DIGEST_LEN);
	}
}

int
mlb_each_remember(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	const struct mlb_each *e = plan->node[n].each;
	struct mlb_buf out = MLB_BUF_INIT(MAX_MEMO);
	struct mlb_digest shared;
	int rc = 0;

	shared_digest(plan, n, &shared);
	mlb_buf_add(&out, shared.b, MLB_DIGEST_LEN);
	for (uint32_t i = 0; i < e->n; i++)
		if (e->item[i].known)
			put_item(&out, &e->item[i], plan->g->node[n].out.n);
	/* More than a GiB of it is not worth remembering. */
	if (!out.full)
		rc = mlb_meta_set(plan->p->db, memo_name(plan, n), mlb_buf_str(&out), out.len, err);
	mlb_buf_release(&out);
	return rc;
}

/* ---------------------------------------------------------- reading */

struct reader {
	const unsigned char *at, *end;
	bool bad;
};

static const unsigned char *
take(struct reader *r, size_t len)
{
	static const unsigned char zero[MLB_DIGEST_LEN];
	const unsigned char *at = r->at;

	if (r->bad || (size_t)(r->end - r->at) < len) {
		r->bad = true;
		return zero;
	}
	r->at += len;
	return at;
}

static uint64_t
take_number(struct reader *r, unsigned bytes)
{
	const unsigned char *p = take(r, bytes);
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void
take_digest(struct reader *r, struct mlb_digest *out)
{
	memcpy(out->b, take(r, MLB_DIGEST_LEN), MLB_DIGEST_LEN);
}

struct text {
	const char *s;
	size_t len;
};

static struct text
take_text(struct reader *r)
{
	struct text t = { "", (size_t)take_number(r, 4) };

	t.s = (const char *)take(r, t.len);
	if (r->bad)
		t.len = 0;
	return t;
}

static int
compare(const char *a, struct text b)
{
	int c = strncmp(a, b.s, b.len);

	return c ? c : a[b.len] != '\0';
}

/* The outputs of a row; into the item if it is the row's. */
static void
take_outputs(struct reader *r, struct mlb_plan *plan, uint32_t n_out, struct mlb_each_item *it)
{
	const char **path = NULL;

	if (it) {
		path = mlb_arena_alloc(&plan->arena, (n_out + 1) * sizeof(*path));
		it->path = path;
		it->out = mlb_arena_alloc(&plan->arena, (n_out + 1) * sizeof(*it->out));
	}
	for (uint32_t k = 0; k < n_out && !r->bad; k++) {
		struct text t = take_text(r);
		struct mlb_now now = { .kind = (uint8_t)take_number(r, 1) };

		now.size = take_number(r, 8);
		take_digest(r, &now.digest);
		if (!it || r->bad)
			continue;
		path[k] = mlb_arena_strndup(&plan->arena, t.s, t.len);
		it->out[k] = now;
	}
}

static void
take_rows(struct reader *r, struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_each *e = plan->node[n].each;
	uint32_t at = 0;

	while (r->at < r->end && !r->bad) {
		struct text file = take_text(r);
		uint8_t kind = (uint8_t)take_number(r, 1);
		struct mlb_each_item *it = NULL;
		struct mlb_digest digest, key;

		take_digest(r, &digest);
		take_digest(r, &key);
		while (!r->bad && at < e->n && compare(e->item[at].file, file) < 0)
			at++;
		if (!r->bad && at < e->n && compare(e->item[at].file, file) == 0 &&
		    e->item[at].kind == kind && mlb_digest_equal(&e->item[at].digest, &digest))
			it = &e->item[at];
		take_outputs(r, plan, plan->g->node[n].out.n, it);
		if (it && !r->bad) {
			it->key = key;
			it->has_key = true;
		}
	}
}

int
mlb_each_recall(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_MEMO);
	struct mlb_digest shared, was;
	struct reader r;
	int rc = mlb_meta_get(plan->p->db, memo_name(plan, n), &text, err);

	r.at = (const unsigned char *)mlb_buf_str(&text);
	r.end = r.at + text.len;
	r.bad = rc != 0;
	take_digest(&r, &was);
	shared_digest(plan, n, &shared);
	if (!r.bad && mlb_digest_equal(&was, &shared)) {
		take_rows(&r, plan, n);
		plan->node[n].each->recalled = !r.bad;
	}
	mlb_buf_release(&text);
	return rc;
}
