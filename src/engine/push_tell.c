/* What arrived is told of, in this order: indexes, then records, then what a clone needs. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/push.h"
#include "os/clock.h"

#define NS INT64_C(1000000000)
#define MAX_ROOTS ((size_t)1 << 30)

/* Put bytes under the name that they have by their digest; taken over. */
static int
put_named(struct mlb_pushing *p, enum mlb_remote_file which, struct mlb_buf *bytes,
	  struct mlb_err *err)
{
	const char *dir = which == MLB_REMOTE_INDEX ? "index" : "actions";
	const char *suffix = which == MLB_REMOTE_INDEX ? ".idx" : ".seg";
	char hex[MLB_HEX_LEN + 1], *name;
	struct mlb_transfer_op o;
	struct mlb_digest d;
	int rc;

	mlb_sha256_of(&d, bytes->data, bytes->len);
	mlb_digest_hex(hex, &d);
	name = mlb_asprintf("%s/%s%s", dir, hex, suffix);
	mlb_transfer_put(&o, p->crew, name, bytes, &d);
	rc = mlb_transfer_run(p->t, &o, MLB_SESSION_SOON, err);
	if (rc == 0) {
		p->report->sent += o.data.len;
		/* Here too, so that it is not got when we look next. */
		rc = mlb_remote_view_put(p->t->view, which, strchr(name, '/') + 1,
					 o.op.mtime ? o.op.mtime : mlb_clock_wall() / NS,
					 o.data.data, o.data.len, err);
	}
	mlb_transfer_op_release(&o);
	free(name);
	return rc;
}

static int
put_index(struct mlb_pushing *p, struct mlb_remote_index_writer *w, struct mlb_err *err)
{
	struct mlb_buf bytes = MLB_BUF_INIT(2 * MLB_REMOTE_INDEX_MAX);
	int rc;

	mlb_remote_index_write(&bytes, w);
	rc = mlb_buf_check(&bytes, "an index of a remote", err);
	if (rc == 0)
		rc = put_named(p, MLB_REMOTE_INDEX, &bytes, err);
	for (size_t i = 0; i < w->pack.n && rc == 0; i++)
		mlb_remote_view_told(p->t->view, &w->pack.v[i].name);
	mlb_buf_release(&bytes);
	return rc;
}

/* The packs from `from` on that fit into one index; entries are in the order of their packs. */
static size_t
fit(const struct mlb_remote_index_writer *all, size_t from, size_t entry, size_t *n)
{
	size_t pack = from;

	*n = 0;
	while (pack < all->pack.n) {
		size_t of_it = 0;

		while (entry + *n + of_it < all->entry.n &&
		       all->entry.v[entry + *n + of_it].pack == pack)
			of_it++;
		if (pack > from && *n + of_it > MLB_REMOTE_INDEX_ENTRIES)
			break;
		*n += of_it;
		pack++;
	}
	return pack;
}

int
mlb_push_index(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_remote_index_writer all;
	size_t entry = 0, n;
	int rc = 0;

	mlb_crew_lock(p->crew);
	all = p->index;
	memset(&p->index, 0, sizeof(p->index));
	mlb_crew_unlock(p->crew);
	for (size_t i = 0; i < all.pack.n && rc == 0;) {
		size_t end = fit(&all, i, entry, &n);
		struct mlb_remote_index_writer w = { MLB_VEC_INIT, MLB_VEC_INIT };

		for (; i < end; i++) {
			size_t of_it = 0;

			while (entry + of_it < all.entry.n && all.entry.v[entry + of_it].pack == i)
				of_it++;
			mlb_remote_index_add(&w, &all.pack.v[i], &all.entry.v[entry], of_it);
			entry += of_it;
		}
		rc = put_index(p, &w, err);
		mlb_remote_index_writer_release(&w);
	}
	mlb_remote_index_writer_release(&all);
	return rc;
}

/* ---------------------------------------------------------- records */

/* Only now is it known: all that a record names, and all that is below, must be there. */
static bool
is_complete(struct mlb_pushing *p, const struct mlb_result *r)
{
	for (uint32_t i = 0; i < r->n_outputs; i++)
		if (!mlb_push_has_all(p, &r->output[i].digest, r->output[i].kind == MLB_O_TREE))
			return false;
	return true;
}

static void
add_record(struct mlb_pushing *p, struct mlb_segment_writer *w, const struct mlb_result *r,
	   const struct mlb_digest *key)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_SEGMENT_RECORD_MAX);
	struct mlb_signature sig;
	struct mlb_segment_record rec = { .key = *key };

	mlb_result_format(&text, r);
	rec.text = mlb_buf_str(&text);
	rec.len = text.len;
	if (p->push->sign && p->push->sign(p->push->ctx, &sig, rec.text, rec.len)) {
		rec.sig = &sig;
		rec.n_sigs = 1;
	}
	if (!text.full && mlb_segment_add(w, &rec))
		p->report->records++;
	mlb_buf_release(&text);
}

static int
put_segment(struct mlb_pushing *p, struct mlb_segment_writer *w, struct mlb_err *err)
{
	struct mlb_buf bytes = MLB_BUF_INIT(2 * MLB_SEGMENT_MAX);
	int rc = w->slot.n ? mlb_segment_write(&bytes, w, err) : 0;

	if (rc == 0 && w->slot.n)
		rc = put_named(p, MLB_REMOTE_SEGMENT, &bytes, err);
	mlb_buf_release(&bytes);
	mlb_segment_writer_release(w);
	mlb_segment_writer_init(w);
	return rc;
}

int
mlb_push_records(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_segment_writer w;
	int rc = 0;

	mlb_segment_writer_init(&w);
	for (size_t i = 0; i < p->keys.n && rc == 0; i++) {
		struct mlb_arena arena = MLB_ARENA_INIT;
		struct mlb_result r;

		if (mlb_results_find(p->t->results, &r, &arena, &p->keys.v[i], NULL) == 0 &&
		    is_complete(p, &r)) {
			if (w.body.len > MLB_SEGMENT_MAX / 4)
				rc = put_segment(p, &w, err);
			if (rc == 0)
				add_record(p, &w, &r, &p->keys.v[i]);
		}
		mlb_arena_release(&arena);
	}
	if (rc == 0)
		rc = put_segment(p, &w, err);
	mlb_segment_writer_release(&w);
	return rc;
}

/* ---------------------------------------------------------- needs */

int
mlb_push_needs(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ROOTS);
	struct mlb_transfer_op o;
	char *name;
	int rc;

	if (!p->push->needs || !p->push->clone)
		return 0;
	mlb_roots_format(&text, p->push->needs);
	rc = mlb_buf_check(&text, "what this clone needs", err);
	if (rc) {
		mlb_buf_release(&text);
		return rc;
	}
	name = mlb_asprintf("roots/%s", p->push->clone);
	mlb_transfer_put(&o, p->crew, name, &text, NULL);
	rc = mlb_transfer_run(p->t, &o, MLB_SESSION_SOON, err);
	if (rc == 0)
		p->report->sent += o.data.len;
	mlb_transfer_op_release(&o);
	free(name);
	return rc;
}
