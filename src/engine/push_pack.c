/* Packs: made by several threads, and on their way. */
#include <stdlib.h>
#include <string.h>

#include "engine/push.h"
#include "os/machine.h"

/* A pack that is being made, or sent. */
struct load {
	struct mlb_step step;
	struct mlb_pushing *p;
	struct mlb_push_items items; /* of which it is to be made */
	struct mlb_remote_packing packing;
	struct mlb_remote_pack pack;
	struct mlb_transfer_op put;
};

void
mlb_push_failed(struct mlb_pushing *p, int rc, struct mlb_err *err)
{
	mlb_crew_lock(p->crew);
	if (!p->rc) {
		p->rc = rc;
		p->err = *err;
		*err = (struct mlb_err)MLB_ERR_INIT;
	}
	mlb_crew_unlock(p->crew);
	mlb_err_release(err);
}

void
mlb_push_end(struct mlb_pushing *p)
{
	mlb_crew_lock(p->crew);
	p->in_flight--;
	mlb_crew_changed(p->crew);
	mlb_crew_unlock(p->crew);
}

static void
load_free(struct load *l)
{
	mlb_vec_release(&l->items);
	mlb_remote_packing_release(&l->packing);
	mlb_transfer_op_release(&l->put);
	free(l);
}

/* It is there: noted here, so that it is not sent again, and for the next index. */
static void
arrived(struct mlb_step *s)
{
	struct load *l = (struct load *)s;
	struct mlb_pushing *p = l->p;
	struct mlb_err err = MLB_ERR_INIT;
	int rc = l->put.op.rc ? mlb_transfer_error(p->t, &l->put, &err) : 0;

	if (rc == 0)
		rc = mlb_remote_view_sent(p->t->view, &l->pack, l->packing.entry.v,
					  l->packing.entry.n, &err);
	if (rc) {
		mlb_push_failed(p, rc, &err);
	} else {
		mlb_crew_lock(p->crew);
		mlb_remote_index_add(&p->index, &l->pack, l->packing.entry.v, l->packing.entry.n);
		p->report->sent_objects += l->packing.entry.n;
		p->report->sent += l->pack.size;
		p->report->saved_zstd += l->packing.saved;
		p->report->packs++;
		p->done_objects += l->packing.entry.n;
		mlb_crew_unlock(p->crew);
	}
	load_free(l);
	mlb_push_end(p);
}

/*
 * The same objects give the same pack. One of that name may be about to be removed, or
 * be known as damaged: then it gets another one, by a few bytes more that nobody asks for.
 */
static int
finish(struct load *l, struct mlb_err *err)
{
	size_t len = l->packing.bytes.len;
	struct mlb_digest d;
	uint64_t r[2];
	int rc = mlb_remote_packing_finish(&l->packing, &l->pack, err);

	if (rc || (!mlb_digest_set_has(&l->p->condemned, &l->pack.name) &&
		   !mlb_remote_view_tells_of(l->p->t->view, &l->pack.name)))
		return rc;
	mlb_buf_truncate(&l->packing.bytes, len);
	rc = mlb_machine_random(r, sizeof(r), err);
	if (rc)
		return rc;
	mlb_sha256_of(&d, r, sizeof(r));
	rc = mlb_remote_packing_add(&l->packing, MLB_BLOB_OBJECT, &d, r, sizeof(r), &d, sizeof(r),
				    err);
	l->packing.entry.n--; /* it is in no index */
	return rc ? rc : mlb_remote_packing_finish(&l->packing, &l->pack, err);
}

/* Its name is known once it is hashed. */
static void
send(struct load *l)
{
	struct mlb_pushing *p = l->p;
	struct mlb_err err = MLB_ERR_INIT;
	int rc = finish(l, &err);
	char *name;

	if (rc) {
		mlb_push_failed(p, rc, &err);
		load_free(l);
		mlb_push_end(p);
		return;
	}
	name = mlb_transfer_pack_name(&l->pack.name);
	mlb_transfer_put(&l->put, p->crew, name, &l->packing.bytes, &l->pack.name);
	l->put.then = &l->step;
	l->step.work = arrived;
	mlb_transfer_submit(p->t, &l->put, MLB_SESSION_LATER);
	free(name);
}

static struct load *
load_new(struct mlb_pushing *p)
{
	struct load *l = mlb_calloc(1, sizeof(*l));

	l->p = p;
	return l;
}

void
mlb_push_send(struct mlb_pushing *p, struct mlb_remote_packing *packing)
{
	struct load *l = load_new(p);

	l->packing = *packing;
	memset(packing, 0, sizeof(*packing));
	send(l);
}

/* ---------------------------------------------------------- small objects */

static bool
is_over(struct mlb_pushing *p)
{
	bool over;

	mlb_crew_lock(p->crew);
	over = p->rc != 0;
	mlb_crew_unlock(p->crew);
	return over;
}

/* As it rests here; what is loose was never compressed. */
static int
add_one(struct load *l, const struct mlb_digest *digest, struct mlb_buf *data, struct mlb_err *err)
{
	struct mlb_blob b;
	int rc;

	mlb_buf_clear(data);
	rc = mlb_cas_copy(l->p->t->cas, data, &b, digest, err);
	if (rc == MLB_ENOTFOUND || rc == MLB_ECORRUPT) {
		mlb_err_release(err);
		mlb_push_missing(l->p, digest);
		return 0;
	}
	if (rc == 0 && b.size >= MLB_CAS_SMALL)
		return mlb_remote_packing_add(&l->packing, MLB_BLOB_OBJECT, digest,
					      mlb_buf_str(data), data->len, digest, b.size, err);
	return rc ? rc : mlb_remote_packing_copy(&l->packing, &b, mlb_buf_str(data), err);
}

static void
make(struct mlb_step *s)
{
	struct load *l = (struct load *)s;
	struct mlb_buf data = MLB_BUF_INIT(MLB_REMOTE_PACK_MAX);
	struct mlb_err err = MLB_ERR_INIT;
	int rc = 0;

	mlb_remote_packing_init(&l->packing, MLB_MIB);
	for (size_t i = 0; i < l->items.n && rc == 0 && !is_over(l->p); i++)
		rc = add_one(l, &l->items.v[i].digest, &data, &err);
	mlb_buf_release(&data);
	if (rc)
		mlb_push_failed(l->p, rc, &err);
	if (is_over(l->p) || !l->packing.entry.n) {
		struct mlb_pushing *p = l->p;

		load_free(l);
		mlb_push_end(p);
		return;
	}
	send(l);
}

int
mlb_push_small(struct mlb_pushing *p, struct mlb_err *err)
{
	const struct mlb_push_items *const all[] = { &p->nodes, &p->files };
	struct load *l = load_new(p);
	uint64_t bytes = 0;
	int rc = 0;

	l->step.work = make;
	for (size_t k = 0; k < 2 && rc == 0; k++)
		for (size_t i = 0; i < all[k]->n && rc == 0; i++) {
			mlb_vec_push(&l->items, all[k]->v[i]);
			bytes += all[k]->v[i].size;
			if (bytes < MLB_PUSH_PACK && l->items.n < MLB_PUSH_PACK_OBJECTS)
				continue;
			rc = mlb_push_begin(p, err);
			if (rc)
				break;
			mlb_crew_add(p->crew, &l->step);
			l = load_new(p);
			l->step.work = make;
			bytes = 0;
		}
	if (rc == 0 && l->items.n)
		rc = mlb_push_begin(p, err);
	if (rc == 0 && l->items.n)
		mlb_crew_add(p->crew, &l->step);
	else
		load_free(l);
	return rc;
}

int
mlb_push_send_rest(struct mlb_pushing *p, struct mlb_err *err)
{
	int rc = p->has_rest ? mlb_push_begin(p, err) : 0;

	if (rc == 0 && p->has_rest)
		mlb_push_send(p, &p->rest);
	p->has_rest = p->has_rest && rc;
	return rc;
}

/* ---------------------------------------------------------- waiting */

/* Under the lock, which is let go of meanwhile. */
static int
tell(struct mlb_pushing *p, struct mlb_err *err)
{
	struct mlb_transfer_progress now = { .objects = p->done_objects,
					     .all_bytes = p->planned,
					     .all_objects = p->report->objects - p->report->there };
	struct mlb_session_stats stats;
	int stop = 0;

	if (!p->push->tick)
		return 0;
	mlb_crew_unlock(p->crew);
	mlb_session_stats(p->t->session, &stats);
	now.bytes = stats.sent - p->sent_before;
	stop = p->push->tick(p->push->ctx, &now);
	mlb_crew_lock(p->crew);
	return stop ? mlb_err_set(err, MLB_EINTERRUPTED, "the push was stopped") : 0;
}

static int
wait_for(struct mlb_pushing *p, unsigned most, struct mlb_err *err)
{
	int rc = 0;

	mlb_crew_lock(p->crew);
	while (p->in_flight > most && rc == 0 && !p->rc) {
		mlb_crew_wait(p->crew);
		rc = tell(p, err);
		if (rc == 0) {
			mlb_crew_unlock(p->crew);
			rc = mlb_push_renew(p, err);
			mlb_crew_lock(p->crew);
		}
		if (rc == 0 && p->index.pack.n >= MLB_PUSH_INDEX_PACKS) {
			mlb_crew_unlock(p->crew);
			rc = mlb_push_index(p, err);
			mlb_crew_lock(p->crew);
		}
	}
	if (rc == 0 && p->rc) {
		rc = p->rc;
		if (err && err->code == MLB_OK) {
			*err = p->err;
			p->err = (struct mlb_err)MLB_ERR_INIT;
		}
	} else if (rc && !p->rc) {
		p->rc = rc; /* steps that have not begun need not */
	}
	mlb_crew_unlock(p->crew);
	return rc;
}

int
mlb_push_begin(struct mlb_pushing *p, struct mlb_err *err)
{
	int rc = wait_for(p, p->most - 1, err);

	if (rc)
		return rc;
	mlb_crew_lock(p->crew);
	p->in_flight++;
	mlb_crew_unlock(p->crew);
	return 0;
}

int
mlb_push_wait(struct mlb_pushing *p, struct mlb_err *err)
{
	return wait_for(p, 0, err);
}

void
mlb_push_drain(struct mlb_pushing *p)
{
	mlb_crew_lock(p->crew);
	while (p->in_flight)
		mlb_crew_wait(p->crew);
	mlb_crew_unlock(p->crew);
}
