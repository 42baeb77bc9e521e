/* Collecting on a remote: what is needed there, and which packs have it. */
#include <stdlib.h>
#include <string.h>

#include "engine/transfer_gc.h"
#include "graph/lockfile.h"
#include "os/fs.h"
#include "store/remote_chunks.h"
#include "store/remote_pack.h"
#include "store/tree.h"

#define MAX_TEXT ((size_t)1 << 30)
#define DAY (INT64_C(24) * 60 * 60)
#define BLOB_HEAD 52

/* ---------------------------------------------------------- packs */

/* A pack that is condemned only if there is no other. */
static bool
locate(struct mlb_rgc *g, struct mlb_remote_place *out, const struct mlb_digest *digest)
{
	return mlb_remote_view_locate_but(g->t->view, out, digest, &g->condemned) ||
	       mlb_remote_view_locate(g->t->view, out, digest);
}

static void
need_object(struct mlb_rgc *g, const struct mlb_digest *digest)
{
	struct mlb_remote_place at;
	struct mlb_strmap_entry *e;

	if (mlb_digest_is_zero(digest) || !mlb_digest_set_add(&g->object, digest) ||
	    !locate(g, &at, digest))
		return;
	e = mlb_strmap_find(&g->by_name, (const char *)at.pack.name.b, MLB_DIGEST_LEN);
	if (e)
		g->pack.v[e->u.num - 1].live += BLOB_HEAD + at.at.stored;
	if (at.at.type == MLB_BLOB_CHUNKS)
		mlb_vec_push(&g->lists, *digest);
}

static void
need_tree(struct mlb_rgc *g, const struct mlb_digest *digest)
{
	need_object(g, digest);
	if (!mlb_digest_is_zero(digest) && mlb_digest_set_add(&g->node, digest))
		mlb_vec_push(&g->nodes, *digest);
}

static void
need_output(struct mlb_rgc *g, uint8_t kind, const struct mlb_digest *digest)
{
	if (kind == MLB_O_TREE)
		need_tree(g, digest);
	else
		need_object(g, digest);
}

static void
need_table(struct mlb_rgc *g, const struct mlb_digest *digest)
{
	need_object(g, digest);
	if (!mlb_digest_is_zero(digest) && mlb_digest_set_add(&g->table, digest))
		mlb_vec_push(&g->tables, *digest);
}

/* The record of a key is looked for once all keys are known. */
static void
need_key(struct mlb_rgc *g, const struct mlb_digest *key)
{
	need_object(g, key);
	if (!mlb_digest_is_zero(key))
		mlb_digest_set_add(&g->key, key);
}

/* ---------------------------------------------------------- roots */

static void
need_root(struct mlb_rgc *g, const struct mlb_need *n)
{
	switch ((enum mlb_root_kind)n->kind) {
	case MLB_ROOT_ANY:
		need_key(g, &n->digest);
		need_table(g, &n->digest);
		need_tree(g, &n->digest);
		break;
	case MLB_ROOT_KEY:
		need_key(g, &n->digest);
		break;
	case MLB_ROOT_TABLE:
		need_table(g, &n->digest);
		break;
	case MLB_ROOT_OBJECT:
		need_object(g, &n->digest);
		break;
	case MLB_ROOT_TREE:
		need_tree(g, &n->digest);
		break;
	}
}

static int
read_roots(struct mlb_rgc *g, const char *name, struct mlb_err *err)
{
	char *path = mlb_asprintf("roots/%s", name);
	struct mlb_buf text = MLB_BUF_INIT(MLB_KIB);
	struct mlb_roots roots = { 0 };
	int rc = mlb_rgc_get(g, &text, path, MAX_TEXT, err);

	if (rc == 0 && mlb_roots_parse(&roots, mlb_buf_str(&text), text.len, NULL) != 0)
		rc = mlb_err_set(err, MLB_ECORRUPT,
				 "remote '%s': '%s' cannot be read, so that nobody knows what that "
				 "clone needs: nothing is removed; a push from there writes it anew",
				 mlb_session_name(g->t->session), path);
	for (size_t i = 0; i < roots.root.n && rc == 0; i++)
		need_root(g, &roots.root.v[i]);
	mlb_roots_release(&roots);
	mlb_buf_release(&text);
	free(path);
	return rc;
}

static int
read_all_roots(struct mlb_rgc *g, struct mlb_err *err)
{
	struct mlb_transfer_list l;
	int rc;

	mlb_transfer_list_init(&l, g->crew, "roots");
	rc = mlb_transfer_run(g->t, &l.o, MLB_SESSION_SOON, err);
	for (size_t i = 0; i < l.entry.n && rc == 0; i++) {
		rc = mlb_rgc_tick(g, err);
		if (rc == 0)
			rc = read_roots(g, l.entry.v[i].name, err);
	}
	mlb_transfer_list_release(&l);
	return rc;
}

/* ---------------------------------------------------------- what is below */

static int
take_entry(void *ctx, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	(void)err;
	need_output(ctx, e->kind == MLB_T_DIR ? MLB_O_TREE : MLB_O_FILE, &e->digest);
	return 0;
}

static void
look_into_node(struct mlb_rgc *g, const struct mlb_buf *data)
{
	/* Of a root of any kind: what is no node has nothing below. */
	mlb_tree_below(mlb_buf_str(data), data->len, take_entry, g, NULL);
}

static void
look_into_table(struct mlb_rgc *g, const struct mlb_buf *data)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_table_row *row;
	size_t n = 0;

	if (mlb_table_parse(&row, &n, &arena, mlb_buf_str(data), data->len, NULL) != 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		need_key(g, &row[i].key);
		for (uint32_t k = 0; k < row[i].n_outputs; k++)
			need_output(g, row[i].output[k].kind, &row[i].output[k].digest);
	}
	mlb_arena_release(&arena);
}

/* Into the cache here, all at once; from there they are looked into. */
static int
look_into_all(struct mlb_rgc *g, struct mlb_rgc_digests *all,
	      void (*look)(struct mlb_rgc *g, const struct mlb_buf *data), struct mlb_err *err)
{
	struct mlb_fetch_want *want = mlb_calloc(all->n + 1, sizeof(*want));
	struct mlb_fetch f = { .want = want, .n_wants = all->n };
	struct mlb_fetch_report report;
	struct mlb_rgc_digests now = *all;
	int rc;

	memset(all, 0, sizeof(*all));
	for (size_t i = 0; i < now.n; i++)
		want[i].digest = now.v[i];
	rc = mlb_transfer_fetch(g->t, &f, &report, err);
	for (size_t i = 0; i < now.n && rc == 0; i++) {
		struct mlb_buf data = MLB_BUF_INIT(MAX_TEXT);

		rc = mlb_rgc_tick(g, err);
		if (rc == 0 && want[i].state == MLB_FETCH_DAMAGED)
			rc = mlb_err_set(
				err, MLB_ECORRUPT,
				"remote '%s': something that says what is needed is damaged: "
				"nothing is removed; push again from where it is whole",
				mlb_session_name(g->t->session));
		if (rc == 0 && want[i].state != MLB_FETCH_ABSENT &&
		    mlb_cas_read(g->t->cas, &data, &now.v[i], NULL) == 0)
			look(g, &data);
		mlb_buf_release(&data);
	}
	free(want);
	mlb_vec_release(&now);
	return rc;
}

static int
look_below(struct mlb_rgc *g, struct mlb_err *err)
{
	int rc = 0;

	while (rc == 0 && (g->nodes.n || g->tables.n)) {
		if (g->tables.n)
			rc = look_into_all(g, &g->tables, look_into_table, err);
		if (rc == 0 && g->nodes.n)
			rc = look_into_all(g, &g->nodes, look_into_node, err);
	}
	return rc;
}

/* ---------------------------------------------------------- lists of chunks */

static int
get_list(struct mlb_rgc *g, const struct mlb_digest *file, struct mlb_buf *out, struct mlb_err *err)
{
	struct mlb_remote_place at;
	struct mlb_transfer_op o;
	char *name;
	int rc;

	if (!locate(g, &at, file) || at.at.type != MLB_BLOB_CHUNKS)
		return 0; /* somebody found it damaged meanwhile */
	name = mlb_transfer_pack_name(&at.pack.name);
	mlb_transfer_get(&o, g->crew, name, at.at.offset, (uint64_t)BLOB_HEAD + at.at.stored,
			 (size_t)BLOB_HEAD + at.at.stored);
	rc = mlb_transfer_run(g->t, &o, MLB_SESSION_SOON, err);
	if (rc == 0)
		rc = mlb_remote_blob_read(out, mlb_buf_str(&o.data), o.data.len, MLB_BLOB_CHUNKS,
					  NULL, err);
	mlb_transfer_op_release(&o);
	free(name);
	return rc;
}

static bool
parse_list(struct mlb_chunks *out, const struct mlb_buf *data, const struct mlb_digest *file)
{
	if (mlb_chunks_parse(out, mlb_buf_str(data), data->len, NULL) != 0)
		return false;
	if (mlb_digest_equal(&out->file, file))
		return true;
	mlb_chunks_release(out);
	return false;
}

/* By the copy here, if there is one that is whole; a list that lies needs nothing. */
static int
need_chunks(struct mlb_rgc *g, const struct mlb_digest *file, struct mlb_err *err)
{
	struct mlb_buf data = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_chunks list;
	bool has = mlb_remote_view_list(g->t->view, &data, file) && parse_list(&list, &data, file);
	int rc = 0;

	if (!has) {
		mlb_buf_clear(&data);
		rc = get_list(g, file, &data, err);
		has = rc == 0 && parse_list(&list, &data, file);
	}
	if (has) {
		for (size_t i = 0; i < list.chunk.n; i++)
			need_object(g, &list.chunk.v[i].digest);
		mlb_chunks_release(&list);
	}
	mlb_buf_release(&data);
	return rc;
}

/* ---------------------------------------------------------- records */

struct best {
	struct mlb_rgc *g;
	bool found;
};

/* For each key the first that is whole; and whatever is young. */
static int
keep_record(void *ctx, const struct mlb_segment_record *r)
{
	struct best *b = ctx;
	struct mlb_rgc *g = b->g;
	int64_t age = g->now - r->arrived;
	bool is_young = age <= (int64_t)g->guard || age <= (int64_t)g->opt->keep_days * DAY;
	struct mlb_rgc_record own = { *r };
	struct mlb_result res;
	char *text;

	if (mlb_result_parse(&res, &g->arena, r->text, r->len, NULL) != 0 ||
	    !mlb_digest_equal(&res.key, &r->key))
		return 0;
	if (!is_young && (b->found || !mlb_digest_set_has(&g->key, &r->key)))
		return 0;
	for (uint32_t i = 0; i < res.n_outputs && !is_young; i++)
		if (!mlb_remote_view_has(g->t->view, &res.output[i].digest))
			return 0;
	b->found = true;
	text = mlb_arena_alloc(&g->arena, r->len + r->n_sigs * sizeof(*r->sig) + 1);
	if (r->n_sigs)
		memcpy(text, r->sig, r->n_sigs * sizeof(*r->sig));
	own.r.sig = (const struct mlb_signature *)(const void *)text;
	memcpy(text + r->n_sigs * sizeof(*r->sig), r->text, r->len);
	own.r.text = text + r->n_sigs * sizeof(*r->sig);
	mlb_vec_push(&g->record, own);
	need_object(g, &res.key);
	need_object(g, &res.log);
	for (uint32_t i = 0; i < res.n_outputs; i++)
		need_output(g, res.output[i].kind, &res.output[i].digest);
	return 0;
}

struct all_keys {
	struct mlb_digest_set seen;
	struct mlb_rgc_digests key;
	uint64_t records;
};

static int
note_key(void *ctx, const struct mlb_segment_record *r)
{
	struct all_keys *a = ctx;

	a->records++;
	if (mlb_digest_set_add(&a->seen, &r->key))
		mlb_vec_push(&a->key, r->key);
	return 0;
}

static int
keep_records(struct mlb_rgc *g, struct mlb_err *err)
{
	struct all_keys a = { .records = 0 };

	(void)err;
	mlb_remote_view_each_record(g->t->view, note_key, &a);
	for (size_t i = 0; i < a.key.n; i++) {
		struct best b = { g, false };

		mlb_remote_view_records(g->t->view, &a.key.v[i], keep_record, &b);
	}
	g->report->records_kept = g->record.n;
	g->report->records_removed = a.records - g->record.n;
	mlb_digest_set_release(&a.seen);
	mlb_vec_release(&a.key);
	return 0;
}

int
mlb_rgc_mark(struct mlb_rgc *g, struct mlb_err *err)
{
	int rc = read_all_roots(g, err);

	/* Keys may come from tables; then records, which need more trees. */
	if (rc == 0)
		rc = look_below(g, err);
	if (rc == 0)
		rc = keep_records(g, err);
	if (rc == 0)
		rc = look_below(g, err);
	for (size_t i = 0; i < g->lists.n && rc == 0; i++) {
		rc = mlb_rgc_tick(g, err);
		if (rc == 0)
			rc = need_chunks(g, &g->lists.v[i], err);
	}
	return rc;
}
