/* Blobs from packs: neighbours by one request, and what came into the cache. */
#include <stdlib.h>
#include <string.h>

#include "engine/fetch.h"
#include "store/pack_format.h"
#include "store/remote_pack.h"
#include "store/tree.h"

#define GAP (64 * MLB_KIB)       /* bytes that are got for nothing rather than by another request */
#define GROUP_MAX (16 * MLB_MIB) /* bytes of a request, unless one blob is larger */
#define GROUPS_MAX 64            /* at once */
#define IN_FLIGHT (128 * MLB_MIB) /* bytes at once */
#define SMALL_PACK (8 * MLB_MIB)  /* got as a whole, if it may hold what is below */
#define KEPT (64 * MLB_MIB)       /* bytes of packs that are kept for that */
#define SYNC_AT (256 * MLB_MIB)

/* One request, and the blobs that come by it. */
struct group {
	struct mlb_step step;
	struct mlb_fetching *f;
	struct mlb_transfer_op op;
	const struct mlb_fetch_need *need; /* in the caller's vector */
	size_t n;
	uint64_t from, len;
	const struct mlb_buf *data; /* what came, from `from` on */
	struct mlb_fetch_pack *keep;
};

void
mlb_fetch_failed(struct mlb_fetching *f, int rc, struct mlb_err *err)
{
	mlb_crew_lock(f->crew);
	if (!f->rc) {
		f->rc = rc;
		f->err = *err;
		*err = (struct mlb_err)MLB_ERR_INIT;
	}
	mlb_crew_unlock(f->crew);
	mlb_err_release(err);
}

void
mlb_fetch_end(struct mlb_fetching *f)
{
	mlb_crew_lock(f->crew);
	f->in_flight--;
	mlb_crew_changed(f->crew);
	mlb_crew_unlock(f->crew);
}

/* ---------------------------------------------------------- what came, by the crew */

void
mlb_fetch_damaged(struct mlb_fetching *f, const struct mlb_fetch_need *n, bool whole)
{
	struct mlb_fetch_need other = *n;
	bool is_new = mlb_remote_view_bad(f->t->view, &n->at, whole);

	if (mlb_remote_view_locate(f->t->view, &other.at, &n->at.at.digest)) {
		mlb_crew_lock(f->crew);
		mlb_vec_push(&f->again, other);
		mlb_crew_unlock(f->crew);
		return;
	}
	mlb_crew_lock(f->crew);
	if (n->file)
		n->file->failed = true;
	if (mlb_digest_set_add(&f->bad, n->file ? &n->file->list.file : &n->at.at.digest) &&
	    mlb_digest_is_zero(&f->report->first_bad))
		f->report->first_bad = n->at.at.digest;
	f->report->damaged += is_new;
	mlb_crew_unlock(f->crew);
}

struct below {
	struct mlb_fetch_todos entry;
};

static int
take_entry(void *ctx, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct below *b = ctx;
	const struct mlb_fetch_todo todo = { e->digest, e->kind == MLB_T_DIR };

	(void)err;
	mlb_vec_push(&b->entry, todo);
	return 0;
}

/* What is below a node, to be looked at when this level is through. False: it is no node. */
static bool
take_below(struct mlb_fetching *f, const struct mlb_buf *data)
{
	struct below b = { MLB_VEC_INIT };
	bool good = mlb_tree_below(mlb_buf_str(data), data->len, take_entry, &b, NULL) == 0;

	mlb_crew_lock(f->crew);
	for (size_t i = 0; i < b.entry.n && good; i++)
		mlb_vec_push(&f->next, b.entry.v[i]);
	mlb_crew_unlock(f->crew);
	mlb_vec_release(&b.entry);
	return good;
}

static int
take_object(struct mlb_fetching *f, const struct mlb_fetch_need *n, const struct mlb_buf *data,
	    struct mlb_err *err)
{
	int rc;

	if (n->is_node && !take_below(f, data)) {
		mlb_fetch_damaged(f, n, false);
		return 0;
	}
	rc = mlb_cas_put_right(f->t->cas, &n->at.at.digest, mlb_buf_str(data), data->len, err);
	if (rc)
		return rc;
	mlb_crew_lock(f->crew);
	f->report->objects++;
	f->report->bytes += data->len;
	f->unsynced += data->len;
	mlb_digest_set_add(&f->got, &n->at.at.digest);
	mlb_crew_unlock(f->crew);
	return 0;
}

/* One blob of what came. */
static int
take_blob(struct group *g, const struct mlb_fetch_need *n, struct mlb_buf *data,
	  struct mlb_err *err)
{
	const struct mlb_remote_entry_at *at = &n->at.at;
	uint64_t skip = at->offset - g->from, len = (uint64_t)MLB_BLOB_HEAD + at->stored;
	bool is_list = at->type == MLB_BLOB_CHUNKS;

	mlb_buf_clear(data);
	if (skip > g->data->len || len > g->data->len - skip ||
	    mlb_remote_blob_read(data, g->data->data + skip, (size_t)len, at->type,
				 is_list ? NULL : &at->digest, NULL) != 0 ||
	    (is_list && (n->is_node || n->file || !mlb_fetch_take_list(g->f, n, data)))) {
		mlb_fetch_damaged(g->f, n, false);
		return 0;
	}
	if (is_list)
		return 0;
	if (n->file)
		return mlb_fetch_take_chunk(g->f, n, mlb_buf_str(data), data->len, err);
	return take_object(g->f, n, data, err);
}

static void
take_group(struct group *g)
{
	struct mlb_buf data = MLB_BUF_INIT(MLB_BLOB_MAX + 1);
	struct mlb_err err = MLB_ERR_INIT;
	int rc = 0;

	for (size_t i = 0; i < g->n && rc == 0; i++)
		rc = take_blob(g, &g->need[i], &data, &err);
	mlb_buf_release(&data);
	if (rc)
		mlb_fetch_failed(g->f, rc, &err);
}

static void
group_landed(struct mlb_step *s)
{
	struct group *g = (struct group *)s;
	struct mlb_fetching *f = g->f;
	struct mlb_err err = MLB_ERR_INIT;
	int rc = g->op.op.rc;

	if (rc == MLB_ETOOBIG || g->op.op.fault == MLB_FAULT_ABSENT) {
		/* Not what was asked for; or the pack is gone. */
		for (size_t i = 0; i < g->n; i++)
			mlb_fetch_damaged(f, &g->need[i], rc != MLB_ETOOBIG);
	} else if (rc) {
		rc = mlb_transfer_error(f->t, &g->op, &err);
		mlb_fetch_failed(f, rc, &err);
	} else {
		g->data = &g->op.data;
		take_group(g);
	}
	mlb_crew_lock(f->crew);
	f->report->received += g->op.data.len;
	f->bytes_in_flight -= g->len;
	if (g->keep) {
		g->keep->data = g->op.data;
		memset(&g->op.data, 0, sizeof(g->op.data));
	}
	mlb_crew_unlock(f->crew);
	mlb_transfer_op_release(&g->op);
	free(g);
	mlb_fetch_end(f);
}

/* ---------------------------------------------------------- waiting, by the owner */

static int
tell(struct mlb_fetching *f, struct mlb_err *err)
{
	struct mlb_transfer_progress now = { .bytes = f->report->received,
					     .all_bytes = f->planned,
					     .objects = f->report->objects,
					     .all_objects = f->planned_objects };
	uint64_t unsynced = f->unsynced;
	int rc = 0;

	mlb_crew_unlock(f->crew);
	if (f->fetch->tick && f->fetch->tick(f->fetch->ctx, &now))
		rc = mlb_err_set(err, MLB_EINTERRUPTED, "the fetch was stopped");
	if (rc == 0 && unsynced > SYNC_AT)
		rc = mlb_cas_sync(f->t->cas, err);
	mlb_crew_lock(f->crew);
	if (unsynced > SYNC_AT)
		f->unsynced -= unsynced;
	return rc;
}

int
mlb_fetch_wait(struct mlb_fetching *f, unsigned most, uint64_t most_bytes, struct mlb_err *err)
{
	int rc = 0;

	mlb_crew_lock(f->crew);
	while (!f->rc && rc == 0 && (f->in_flight > most || f->bytes_in_flight > most_bytes)) {
		mlb_crew_wait(f->crew);
		rc = tell(f, err);
	}
	if (rc == 0 && f->rc) {
		rc = f->rc;
		if (err && err->code == MLB_OK) {
			*err = f->err;
			f->err = (struct mlb_err)MLB_ERR_INIT;
		}
	} else if (rc && !f->rc) {
		f->rc = rc;
	}
	mlb_crew_unlock(f->crew);
	return rc;
}

void
mlb_fetch_drain(struct mlb_fetching *f)
{
	mlb_crew_lock(f->crew);
	while (f->in_flight)
		mlb_crew_wait(f->crew);
	mlb_crew_unlock(f->crew);
}

/* ---------------------------------------------------------- grouping, by the owner */

static int
by_place(const void *a, const void *b)
{
	const struct mlb_fetch_need *x = a, *y = b;
	int cmp = mlb_digest_cmp(&x->at.pack.name, &y->at.pack.name);

	return cmp ? cmp
		   : (x->at.at.offset > y->at.at.offset) - (x->at.at.offset < y->at.at.offset);
}

static uint64_t
end_of(const struct mlb_fetch_need *n)
{
	return (uint64_t)n->at.at.offset + MLB_BLOB_HEAD + n->at.at.stored;
}

/* How many of those from `first` on come by one request. */
static size_t
neighbours(const struct mlb_fetch_needs *all, size_t first, uint64_t *end)
{
	const struct mlb_fetch_need *n = &all->v[first];
	size_t i = first + 1;

	*end = end_of(n);
	while (i < all->n && mlb_digest_equal(&all->v[i].at.pack.name, &n->at.pack.name) &&
	       all->v[i].at.at.offset <= *end + GAP &&
	       end_of(&all->v[i]) - n->at.at.offset <= GROUP_MAX) {
		*end = MLB_MAX(*end, end_of(&all->v[i]));
		i++;
	}
	return i - first;
}

static void
submit(struct mlb_fetching *f, struct group *g, const struct mlb_digest *pack)
{
	char *name = mlb_transfer_pack_name(pack);

	mlb_transfer_get(&g->op, f->crew, name, g->from, g->len, (size_t)g->len);
	g->step.work = group_landed;
	g->op.then = &g->step;
	free(name);
	mlb_crew_lock(f->crew);
	f->in_flight++;
	f->bytes_in_flight += g->len;
	mlb_crew_unlock(f->crew);
	f->planned += g->len;
	mlb_transfer_submit(f->t, &g->op, MLB_SESSION_SOON);
}

static struct mlb_fetch_pack *
kept_pack(const struct mlb_fetching *f, const struct mlb_digest *pack)
{
	struct mlb_strmap_entry *e =
		mlb_strmap_find(&f->packs, (const char *)pack->b, MLB_DIGEST_LEN);
	struct mlb_fetch_pack *p = e ? e->u.ptr : NULL;

	return p && p->data.len ? p : NULL;
}

static struct mlb_fetch_pack *
keep_pack(struct mlb_fetching *f, const struct mlb_remote_pack *pack)
{
	struct mlb_fetch_pack *p;
	bool is_new;

	if (pack->size > SMALL_PACK || f->packs_bytes + pack->size > KEPT)
		return NULL;
	p = mlb_calloc(1, sizeof(*p));
	p->name = pack->name;
	mlb_strmap_add(&f->packs, (const char *)p->name.b, MLB_DIGEST_LEN, &is_new)->u.ptr = p;
	f->packs_bytes += (size_t)pack->size;
	return p;
}

/* In memory already: a step of the crew, as if it had come just now. */
static void
take_kept(struct mlb_step *s)
{
	struct group *g = (struct group *)s;
	struct mlb_fetching *f = g->f;

	take_group(g);
	free(g);
	mlb_fetch_end(f);
}

static size_t
all_of_pack(const struct mlb_fetch_needs *all, size_t first)
{
	size_t i = first;

	while (i < all->n && mlb_digest_equal(&all->v[i].at.pack.name, &all->v[first].at.pack.name))
		i++;
	return i - first;
}

static size_t
start_group(struct mlb_fetching *f, const struct mlb_fetch_needs *needs, size_t first, bool keep)
{
	struct group *g = mlb_calloc(1, sizeof(*g));
	const struct mlb_remote_pack *pack = &needs->v[first].at.pack;
	const struct mlb_fetch_pack *kept = kept_pack(f, &pack->name);
	uint64_t end;
	size_t n;

	g->f = f;
	g->need = &needs->v[first];
	if (kept) {
		/* Not too many at once, so that all of the crew have some. */
		n = g->n = MLB_MIN(all_of_pack(needs, first), (size_t)1024);
		g->data = &kept->data;
		g->step.work = take_kept;
		mlb_crew_lock(f->crew);
		f->in_flight++;
		mlb_crew_unlock(f->crew);
		mlb_crew_add(f->crew, &g->step);
		return n;
	}
	g->keep = keep ? keep_pack(f, pack) : NULL;
	if (g->keep) {
		g->n = all_of_pack(needs, first);
		g->len = pack->size;
	} else {
		g->n = neighbours(needs, first, &end);
		g->from = needs->v[first].at.at.offset;
		g->len = end - g->from;
	}
	n = g->n; /* once submitted it is the crew's */
	submit(f, g, &pack->name);
	return n;
}

int
mlb_fetch_blobs(struct mlb_fetching *f, struct mlb_fetch_needs *needs, bool keep_packs,
		struct mlb_err *err)
{
	int rc = 0;

	if (needs->n)
		qsort(needs->v, needs->n, sizeof(*needs->v), by_place);
	f->planned_objects += needs->n;
	for (size_t i = 0; i < needs->n && rc == 0;) {
		rc = mlb_fetch_wait(f, GROUPS_MAX, IN_FLIGHT, err);
		if (rc == 0)
			i += start_group(f, needs, i, keep_packs);
	}
	if (rc == 0)
		rc = mlb_fetch_wait(f, 0, UINT64_MAX, err);
	mlb_fetch_drain(f);
	return rc;
}

int
mlb_fetch_again(struct mlb_fetching *f, struct mlb_err *err)
{
	int rc = 0;

	while (rc == 0 && f->again.n) {
		struct mlb_fetch_needs needs = f->again;

		memset(&f->again, 0, sizeof(f->again));
		rc = mlb_fetch_blobs(f, &needs, false, err);
		mlb_vec_release(&needs);
	}
	return rc;
}
