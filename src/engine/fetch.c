/*
 * Fetching: level by level of the trees, all that is wanted at once, so that a remote's
 * distance counts once a level and not once an object.
 */
#include "engine/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "store/tree.h"

#define MAX_NODE ((size_t)1 << 30)

/* ---------------------------------------------------------- what is here */

struct here {
	struct mlb_fetching *f;
	struct mlb_fetch_todos *todo;
};

static int
take_entry(void *ctx, const struct mlb_tree_entry *e, struct mlb_err *err)
{
	struct here *h = ctx;
	const struct mlb_fetch_todo todo = { e->digest, e->kind == MLB_T_DIR };

	(void)err;
	mlb_vec_push(h->todo, todo);
	return 0;
}

/* A node that is here: what is below may not be. False: it is damaged, and no more here. */
static bool
look_below(struct mlb_fetching *f, const struct mlb_digest *digest, struct mlb_fetch_todos *todo)
{
	struct mlb_buf data = MLB_BUF_INIT(MAX_NODE);
	struct here h = { f, todo };
	bool good = mlb_cas_read(f->t->cas, &data, digest, NULL) == 0;

	/* What is right, and no node, has nothing below. */
	if (good)
		mlb_tree_below(mlb_buf_str(&data), data.len, take_entry, &h, NULL);
	mlb_buf_release(&data);
	return good;
}

/* Of all that is to do, what is not here: where the remote has it. */
static void
look(struct mlb_fetching *f, struct mlb_fetch_todos *todo, struct mlb_fetch_needs *needs)
{
	while (todo->n) {
		struct mlb_fetch_todo one = todo->v[--todo->n];
		struct mlb_fetch_need need = { .is_node = one.is_node };

		if (mlb_digest_is_zero(&one.digest) ||
		    !mlb_digest_set_add(one.is_node ? &f->node : &f->object, &one.digest))
			continue;
		if (mlb_cas_has(f->t->cas, &one.digest) &&
		    (!one.is_node || look_below(f, &one.digest, todo))) {
			f->report->had++;
			continue;
		}
		if (f->t->view && mlb_remote_view_locate(f->t->view, &need.at, &one.digest)) {
			mlb_vec_push(needs, need);
			continue;
		}
		mlb_digest_set_add(&f->absent, &one.digest);
		f->report->absent++;
	}
}

/* ---------------------------------------------------------- levels */

static int
sync_all(struct mlb_fetching *f, struct mlb_err *err)
{
	int rc = f->unsynced ? mlb_cas_sync(f->t->cas, err) : 0;

	f->unsynced = 0;
	return rc;
}

static bool
any_nodes(const struct mlb_fetch_needs *needs)
{
	for (size_t i = 0; i < needs->n; i++)
		if (needs->v[i].is_node)
			return true;
	return false;
}

/* Single objects need not wait for the trees. */
static void
tell_singles(struct mlb_fetching *f)
{
	for (size_t i = 0; i < f->fetch->n_wants; i++) {
		struct mlb_fetch_want *w = &f->fetch->want[i];

		if (w->state || w->is_tree || !mlb_digest_set_has(&f->got, &w->digest))
			continue;
		w->state = MLB_FETCH_GOT;
		if (f->fetch->on_want)
			f->fetch->on_want(f->fetch->ctx, w);
	}
}

static int
fetch_all(struct mlb_fetching *f, struct mlb_err *err)
{
	struct mlb_fetch_todos todo = MLB_VEC_INIT;
	struct mlb_fetch_needs needs = MLB_VEC_INIT;
	bool first = true;
	int rc = 0;

	for (size_t i = 0; i < f->fetch->n_wants; i++) {
		const struct mlb_fetch_todo one = { f->fetch->want[i].digest,
						    f->fetch->want[i].is_tree };

		mlb_vec_push(&todo, one);
	}
	while (rc == 0 && todo.n) {
		needs.n = 0;
		look(f, &todo, &needs);
		if (!needs.n)
			break;
		rc = mlb_fetch_blobs(f, &needs, any_nodes(&needs), err);
		if (rc == 0)
			rc = mlb_fetch_again(f, err);
		if (rc == 0 && first)
			rc = sync_all(f, err);
		if (rc == 0 && first)
			tell_singles(f);
		first = false;
		mlb_vec_release(&todo);
		memcpy(&todo, &f->next, sizeof(todo));
		memset(&f->next, 0, sizeof(f->next));
	}
	mlb_vec_release(&needs);
	mlb_vec_release(&todo);
	if (rc == 0)
		rc = mlb_fetch_large(f, err);
	return rc;
}

/* ---------------------------------------------------------- what became of it */

struct judging {
	struct mlb_fetching *f;
	struct mlb_fetch_todos todo;
	struct mlb_digest_set seen;
	uint8_t state;
};

static void
judge_one(struct judging *j, const struct mlb_fetch_todo *one)
{
	struct mlb_fetching *f = j->f;

	if (mlb_digest_set_has(&f->bad, &one->digest))
		j->state = MLB_FETCH_DAMAGED;
	else if (mlb_digest_set_has(&f->absent, &one->digest))
		j->state = MLB_FETCH_ABSENT;
	else if (one->is_node && mlb_digest_set_add(&j->seen, &one->digest) &&
		 !look_below(f, &one->digest, &j->todo))
		j->state = MLB_FETCH_ABSENT;
}

/* Is there anything in it that could not be had? */
static uint8_t
judge(struct mlb_fetching *f, const struct mlb_fetch_want *w)
{
	const struct mlb_fetch_todo root = { w->digest, w->is_tree };
	struct judging j = { .f = f, .state = MLB_FETCH_GOT };

	if (f->bad.n || f->absent.n) {
		mlb_vec_push(&j.todo, root);
		while (j.todo.n && j.state == MLB_FETCH_GOT) {
			const struct mlb_fetch_todo one = j.todo.v[--j.todo.n];

			judge_one(&j, &one);
		}
		mlb_vec_release(&j.todo);
		mlb_digest_set_release(&j.seen);
	}
	if (j.state == MLB_FETCH_GOT && !mlb_digest_set_has(&f->got, &w->digest) &&
	    (!w->is_tree || !f->got.n))
		j.state = MLB_FETCH_HAD;
	return j.state;
}

static void
tell_wants(struct mlb_fetching *f, int rc)
{
	for (size_t i = 0; i < f->fetch->n_wants; i++) {
		struct mlb_fetch_want *w = &f->fetch->want[i];

		if (w->state)
			continue;
		w->state = rc ? MLB_FETCH_FAILED : judge(f, w);
		if (f->fetch->on_want)
			f->fetch->on_want(f->fetch->ctx, w);
	}
}

static void
release(struct mlb_fetching *f)
{
	mlb_crew_free(f->crew);
	for (uint32_t i = 0; i < f->packs.n; i++) {
		struct mlb_fetch_pack *p = f->packs.entry[i].u.ptr;

		mlb_buf_release(&p->data);
		free(p);
	}
	mlb_strmap_release(&f->packs);
	mlb_digest_set_release(&f->node);
	mlb_digest_set_release(&f->object);
	mlb_digest_set_release(&f->bad);
	mlb_digest_set_release(&f->absent);
	mlb_digest_set_release(&f->got);
	mlb_vec_release(&f->next);
	mlb_vec_release(&f->again);
	mlb_vec_release(&f->files);
	mlb_err_release(&f->err);
}

int
mlb_transfer_fetch(struct mlb_transfer *t, const struct mlb_fetch *fetch,
		   struct mlb_fetch_report *report, struct mlb_err *err)
{
	struct mlb_fetching f = {
		.t = t, .fetch = fetch, .report = report, .packs = MLB_STRMAP_INIT
	};
	int rc, synced;

	memset(report, 0, sizeof(*report));
	for (size_t i = 0; i < fetch->n_wants; i++)
		fetch->want[i].state = MLB_FETCH_WAITING;
	f.crew = mlb_crew_new(t->threads);
	rc = fetch_all(&f, err);
	/* What arrived before it ended is kept. */
	synced = sync_all(&f, rc ? NULL : err);
	rc = rc ? rc : synced;
	tell_wants(&f, rc);
	release(&f);
	return rc;
}
