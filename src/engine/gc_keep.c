/* Marking: what is kept, and what that needs. */
#include <stdlib.h>
#include <string.h>

#include "engine/gc.h"

enum { MAX_TEXT = 1 << 30, BLOB_HEAD = 52, DAY_SECONDS = 24 * 60 * 60 };

uint64_t
mlb_gc_bytes_of(const struct mlb_gc_state *s, const struct mlb_inv_object *o)
{
	(void)s;
	return o->file == MLB_INV_LOOSE ? o->size : (uint64_t)o->stored + BLOB_HEAD;
}

uint64_t
mlb_gc_kept_bytes(const struct mlb_gc_state *s)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < s->inv.object.n; i++)
		if (s->reach.mark[i])
			bytes += mlb_gc_bytes_of(s, &s->inv.object.v[i]);
	return bytes;
}

/* ---------------------------------------------------------- records */

/* Of equal ones what was set aside comes behind: inventories list it last. */
static void
add_by_key(struct mlb_gc_state *s, size_t i)
{
	struct mlb_gc_record *r = &s->record[i];
	int64_t started = r->r.started - (s->inv.record.v[i].batch != 0);
	struct mlb_strmap_entry *e =
		mlb_strmap_add(&s->keys, (const char *)r->r.key.b, MLB_DIGEST_LEN, NULL);

	if (e->u.num && s->record[e->u.num - 1].r.started > started) {
		struct mlb_gc_record *latest = &s->record[e->u.num - 1];

		r->next = latest->next;
		latest->next = (uint32_t)i + 1;
		return;
	}
	r->next = (uint32_t)e->u.num;
	e->u.num = i + 1;
}

static struct mlb_gc_record *
latest_of(struct mlb_gc_state *s, const struct mlb_digest *key)
{
	struct mlb_strmap_entry *e =
		mlb_strmap_find(&s->keys, (const char *)key->b, MLB_DIGEST_LEN);

	return e && e->u.num ? &s->record[e->u.num - 1] : NULL;
}

struct uses {
	struct mlb_gc_state *s;
	struct mlb_strmap started; /* of runs, by id: ns */
	struct mlb_arena arena;
};

static int
take_run(void *ctx, const struct mlb_run *r, struct mlb_err *err)
{
	struct uses *u = ctx;
	const char *id = mlb_arena_strdup(&u->arena, r->id);

	(void)err;
	mlb_strmap_add(&u->started, id, strlen(id), NULL)->u.num = (uint64_t)r->started;
	return 0;
}

/* A run used a result, or failed and left a log. */
static int
take_action(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct uses *u = ctx;
	struct mlb_strmap_entry *e = mlb_strmap_find(&u->started, a->run, strlen(a->run));
	int64_t at = e ? (int64_t)e->u.num : 0;
	struct mlb_gc_record *r = latest_of(u->s, &a->key);

	(void)err;
	if (r && at > r->used)
		r->used = at;
	if (at >= u->s->now - (int64_t)u->s->opt->keep_days * DAY_SECONDS * 1000000000)
		mlb_reach_add(&u->s->reach, &a->log, false);
	return 0;
}

static int
find_uses(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct uses u = { .s = s, .started = MLB_STRMAP_INIT };
	int rc = mlb_run_each(s->p->db, UINT32_MAX, take_run, &u, err);

	if (rc == 0)
		rc = mlb_run_actions(s->p->db, NULL, NULL, UINT32_MAX, take_action, &u, err);
	mlb_strmap_release(&u.started);
	mlb_arena_release(&u.arena);
	return rc;
}

int
mlb_gc_read_records(struct mlb_gc_state *s, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);

	s->record = mlb_calloc(s->inv.record.n + 1, sizeof(*s->record));
	for (size_t i = 0; i < s->inv.record.n; i++) {
		struct mlb_gc_record *r = &s->record[i];

		mlb_buf_clear(&text);
		r->valid = mlb_inventory_copy(&s->inv, &text, &s->inv.record.v[i], NULL) == 0 &&
			   mlb_result_parse(&r->r, &s->arena, mlb_buf_str(&text), text.len, NULL) ==
				   0;
		if (!r->valid)
			continue;
		r->used = r->r.started;
		add_by_key(s, i);
	}
	mlb_buf_release(&text);
	return find_uses(s, err);
}

/* ---------------------------------------------------------- keeping */

void
mlb_gc_keep_record(struct mlb_gc_state *s, size_t i)
{
	struct mlb_gc_record *r = &s->record[i];

	if (r->kept || !r->valid)
		return;
	r->kept = true;
	mlb_reach_add(&s->reach, &r->r.key, false);
	mlb_reach_add(&s->reach, &r->r.log, false);
	for (uint32_t k = 0; k < r->r.n_outputs; k++)
		mlb_reach_add(&s->reach, &r->r.output[k].digest, r->r.output[k].kind == MLB_O_TREE);
}

static void
keep_key(struct mlb_gc_state *s, const struct mlb_digest *key)
{
	struct mlb_gc_record *r = latest_of(s, key);

	mlb_reach_add(&s->reach, key, false);
	if (r)
		mlb_gc_keep_record(s, (size_t)(r - s->record));
}

static void
keep_table(struct mlb_gc_state *s, const struct mlb_digest *digest)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_table_row *row;
	bool is_new;
	size_t n = 0;
	struct mlb_digest *copy = mlb_arena_alloc(&s->arena, sizeof(*copy));

	*copy = *digest;
	mlb_strmap_add(&s->tables, (const char *)copy->b, MLB_DIGEST_LEN, &is_new);
	mlb_reach_add(&s->reach, digest, false);
	if (!is_new || mlb_inventory_get(&s->inv, &text, digest, NULL) != 0 ||
	    mlb_table_parse(&row, &n, &arena, mlb_buf_str(&text), text.len, NULL) != 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		keep_key(s, &row[i].key);
		for (uint32_t k = 0; k < row[i].n_outputs; k++)
			mlb_reach_add(&s->reach, &row[i].output[k].digest,
				      row[i].output[k].kind == MLB_O_TREE);
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
}

/* Whatever it is: what it is not does no harm. */
static void
keep_any(struct mlb_gc_state *s, const struct mlb_digest *digest)
{
	size_t no_trees = s->reach.no_tree.n;

	keep_key(s, digest);
	keep_table(s, digest);
	mlb_reach_add(&s->reach, digest, true);
	s->reach.no_tree.n = no_trees;
}

void
mlb_gc_keep_root(struct mlb_gc_state *s, uint8_t kind, const struct mlb_digest *digest)
{
	switch ((enum mlb_root_kind)kind) {
	case MLB_ROOT_ANY:
		keep_any(s, digest);
		break;
	case MLB_ROOT_KEY:
		keep_key(s, digest);
		break;
	case MLB_ROOT_TABLE:
		keep_table(s, digest);
		break;
	case MLB_ROOT_OBJECT:
		mlb_reach_add(&s->reach, digest, false);
		break;
	case MLB_ROOT_TREE:
		mlb_reach_add(&s->reach, digest, true);
		break;
	}
}

/* Of what is in a young pack nobody can say how old it is. A clock that went back makes old things young. */
void
mlb_gc_keep_young(struct mlb_gc_state *s)
{
	for (size_t i = 0; i < s->inv.object.n; i++) {
		const struct mlb_inv_object *o = &s->inv.object.v[i];
		int64_t mtime = o->file == MLB_INV_LOOSE ? (int64_t)o->offset
							 : s->inv.file.v[o->file].mtime;

		if (mtime > s->young || (o->file != MLB_INV_LOOSE && s->inv.file.v[o->file].busy))
			s->reach.mark[mlb_inventory_find(&s->inv, &o->digest) - s->inv.object.v] |=
				MLB_REACHED;
	}
	for (size_t i = 0; i < s->inv.record.n; i++) {
		const struct mlb_inv_file *f = &s->inv.file.v[s->inv.record.v[i].file];

		if (f->mtime > s->young || f->busy)
			mlb_gc_keep_record(s, i);
	}
}

/* ---------------------------------------------------------- recent results */

static int
by_use(const void *a, const void *b)
{
	const struct mlb_gc_record *x = *(const struct mlb_gc_record *const *)a;
	const struct mlb_gc_record *y = *(const struct mlb_gc_record *const *)b;

	if (x->used != y->used)
		return x->used > y->used ? -1 : 1;
	return (x > y) - (x < y);
}

/* Bytes of what was marked since `before`. */
static uint64_t
newly_marked(const struct mlb_gc_state *s, size_t before)
{
	uint64_t bytes = 0;

	for (size_t i = before; i < s->reach.fresh.n; i++)
		bytes += mlb_gc_bytes_of(s, &s->inv.object.v[s->reach.fresh.v[i].copy]);
	return bytes;
}

static void
take_back(struct mlb_gc_state *s, struct mlb_gc_record *r)
{
	while (s->reach.fresh.n) {
		s->reach.fresh.n--;
		s->reach.mark[s->reach.fresh.v[s->reach.fresh.n].copy] =
			s->reach.fresh.v[s->reach.fresh.n].was;
	}
	r->kept = false;
}

/*
 * The least recently used go first: from the one that does not fit on, all. What
 * is larger than all that may stay makes no other one go. After a first pass, in which
 * what stays was copied, the second one has to come to the same.
 */
void
mlb_gc_keep_recent(struct mlb_gc_state *s)
{
	struct mlb_gc_record **by = mlb_calloc(s->inv.record.n + 1, sizeof(struct mlb_gc_record *));
	int64_t since = s->now - (int64_t)s->opt->keep_days * DAY_SECONDS * 1000000000;
	uint64_t bytes = s->opt->size ? mlb_gc_kept_bytes(s) : 0;
	size_t n = 0;

	for (size_t i = 0; i < s->inv.record.n; i++)
		if (s->record[i].valid && !s->record[i].kept && s->record[i].used >= since)
			by[n++] = &s->record[i];
	if (n)
		qsort(by, n, sizeof(*by), by_use);
	s->reach.journal = s->opt->size != 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t more;

		s->reach.fresh.n = 0;
		mlb_gc_keep_record(s, (size_t)(by[i] - s->record));
		more = newly_marked(s, 0);
		if (!s->opt->size || bytes + more <= s->opt->size) {
			bytes += more;
			continue;
		}
		take_back(s, by[i]);
		if (more <= s->opt->size)
			break;
	}
	s->reach.journal = false;
	free(by);
}
