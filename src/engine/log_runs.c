/* The log's runs. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/log.h"

/* ---------------------------------------------------------- which */

static struct mlb_run
own_run(struct mlb_log *l, const struct mlb_run *r)
{
	struct mlb_run own = *r;

	own.id = mlb_arena_strdup(&l->arena, r->id);
	own.words = mlb_arena_strdup(&l->arena, r->words);
	own.commit = mlb_arena_strdup(&l->arena, r->commit);
	return own;
}

static int
add_run(void *ctx, const struct mlb_run *r, struct mlb_err *err)
{
	struct mlb_log *l = ctx;

	(void)err;
	mlb_vec_push(&l->run, own_run(l, r));
	return 0;
}

/* Runs that touched one name, by their order. */
struct touched {
	struct mlb_log *l;
	struct mlb_strmap seen; /* by id */
	size_t n;               /* of this name */
};

static int
add_touched(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct touched *t = ctx;
	struct mlb_log *l = t->l;
	const char *id = mlb_arena_strdup(&l->arena, a->run);
	struct mlb_run run;
	bool found = false, is_new;
	int rc = 0;

	mlb_strmap_add(&t->seen, id, strlen(id), &is_new);
	if (is_new)
		rc = mlb_run_get(l->p->db, id, &run, &found, &l->arena, err);
	if (rc == 0 && found) {
		mlb_vec_push(&l->run, run);
		t->n++;
	}
	return rc ? rc : t->n >= l->left;
}

static int
newest_first(const void *a, const void *b)
{
	const struct mlb_run *x = a, *y = b;

	if (x->started != y->started)
		return x->started > y->started ? -1 : 1;
	return strcmp(y->id, x->id);
}

int
mlb_log_find_runs(struct mlb_log *l, struct mlb_err *err)
{
	struct touched t = { .l = l, .seen = MLB_STRMAP_INIT };
	int rc = 0;

	if (!l->word)
		return mlb_run_each(l->p->db, l->left, add_run, l, err);
	if (!l->name.n)
		rc = mlb_run_actions(l->p->db, NULL, l->word, UINT32_MAX, add_touched, &t, err);
	for (uint32_t i = 0; i < l->name.n && rc >= 0; i++) {
		t.n = 0;
		rc = mlb_run_actions(l->p->db, NULL, l->name.entry[i].key, UINT32_MAX, add_touched,
				     &t, err);
	}
	mlb_strmap_release(&t.seen);
	if (l->run.n)
		qsort(l->run.v, l->run.n, sizeof(*l->run.v), newest_first);
	return rc < 0 ? rc : 0;
}

/* ---------------------------------------------------------- what they did */

struct doing {
	const char *node, *what;
	struct mlb_digest key;
	uint64_t duration;
	int64_t seq;
	uint32_t commands;
};

struct doings {
	struct mlb_log *l;
	struct mlb_strmap at; /* node and what -> index plus one */
	MLB_VEC(struct doing) all;
};

static int
add_doing(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct doings *d = ctx;
	struct mlb_log *l = d->l;
	const char *id = mlb_arena_printf(&l->entry, "%s %s", a->what, a->node);
	struct mlb_strmap_entry *e;
	bool is_new;

	(void)err;
	if (!mlb_log_means(l, a->node, mlb_arena_strndup(&l->entry, a->node, strcspn(a->node, "@")),
			   ""))
		return 0;
	e = mlb_strmap_add(&d->at, id, strlen(id), &is_new);
	if (is_new) {
		struct doing one = { mlb_arena_strdup(&l->entry, a->node),
				     mlb_arena_strdup(&l->entry, a->what),
				     a->key,
				     a->duration,
				     a->seq,
				     1 };

		e->u.num = d->all.n;
		mlb_vec_push(&d->all, one);
		return 0;
	}
	d->all.v[e->u.num].commands++;
	d->all.v[e->u.num].duration += a->duration;
	return 0;
}

static int
take_key(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	(void)err;
	*(struct mlb_digest *)ctx = a->key;
	return 1;
}

/* The version that a key leads to; false if nothing is known of it. */
static bool
version_of(struct mlb_log *l, const struct mlb_digest *key, const char *node,
	   struct mlb_version *out)
{
	struct mlb_result *r = mlb_arena_alloc(&l->entry, sizeof(*r));

	if (!l->cache || mlb_digest_is_zero(key) ||
	    mlb_results_find(l->p->results, r, &l->entry, key, NULL) != 0)
		return false;
	*out = mlb_version_of_result(r, node, &l->entry);
	return true;
}

static int
add_action(struct mlb_log *l, const struct doing *d, struct mlb_err *err)
{
	struct mlb_log_action a = { .target = d->node,
				    .what = d->what,
				    .duration = d->duration,
				    .commands = d->commands,
				    .key = "",
				    .metrics = "" };
	char hex[MLB_HEX_LEN + 1];
	struct mlb_digest previous = { { 0 } };
	struct mlb_version now, before;
	int rc = 0;

	if (d->commands == 1 && !mlb_digest_is_zero(&d->key)) {
		mlb_digest_hex(hex, &d->key);
		a.key = mlb_arena_strdup(&l->entry, hex);
	}
	if (d->commands == 1 && strcmp(d->what, "failed") != 0)
		rc = mlb_run_before(l->p->db, d->node, d->seq, take_key, &previous, err);
	if (rc >= 0 && d->commands == 1 && version_of(l, &d->key, d->node, &now))
		mlb_log_compare(l, &a, version_of(l, &previous, d->node, &before) ? &before : NULL,
				&now);
	mlb_vec_push(&l->action, a);
	return rc < 0 ? rc : 0;
}

static int
tell_run(struct mlb_log *l, const struct mlb_run *r, struct mlb_err *err)
{
	struct doings d = { .l = l, .at = MLB_STRMAP_INIT };
	struct mlb_log_entry e = {
		.what = MLB_LOG_RUN,
		.id = r->id,
		.time = r->started,
		.duration = r->duration,
		.commit = r->commit,
		.author = "",
		.subject = "",
		.words = r->words,
		.status = r->status,
		.built = r->built,
		.restored = r->restored,
		.failed = r->failed,
	};
	int rc = mlb_run_actions(l->p->db, r->id, NULL, UINT32_MAX, add_doing, &d, err);

	/* They come newest first. */
	for (size_t i = d.all.n; rc >= 0 && i-- > 0;)
		rc = add_action(l, &d.all.v[i], err);
	mlb_vec_release(&d.all);
	mlb_strmap_release(&d.at);
	return rc < 0 ? rc : mlb_log_tell(l, &e);
}

int
mlb_log_runs_until(struct mlb_log *l, int64_t time, struct mlb_err *err)
{
	int rc = 0;

	while (rc == 0 && l->next_run < l->run.n && l->run.v[l->next_run].started >= time)
		rc = tell_run(l, &l->run.v[l->next_run++], err);
	return rc;
}

/* ---------------------------------------------------------- a run that only results remember */

struct lost {
	struct mlb_log *l;
	struct mlb_run *out;
	bool found;
};

static int
add_record(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct lost *lost = ctx;
	struct mlb_log_action a = { .what = "built", .metrics = "", .commands = 1 };
	int64_t end = r->started + (int64_t)r->duration;
	char hex[MLB_HEX_LEN + 1];

	(void)err;
	if (strcmp(r->run, lost->out->id) != 0)
		return 0;
	if (!lost->found || r->started < lost->out->started)
		lost->out->started = r->started;
	if (!lost->found && r->pin[0])
		lost->out->commit = mlb_arena_strdup(&lost->l->arena, r->pin);
	lost->found = true;
	if (end > lost->out->started + (int64_t)lost->out->duration)
		lost->out->duration = (uint64_t)(end - lost->out->started);
	lost->out->built++;
	mlb_digest_hex(hex, &r->key);
	a.key = mlb_arena_strdup(&lost->l->entry, hex);
	a.target = mlb_arena_strdup(&lost->l->entry, r->n_outputs ? r->output[0].path : "");
	a.duration = r->duration;
	mlb_vec_push(&lost->l->action, a);
	return 0;
}

int
mlb_log_lost_run(struct mlb_log *l, const char *id, struct mlb_run *out, bool *found,
		 struct mlb_err *err)
{
	struct lost lost = { .l = l, .out = out };
	int rc;

	*out = (struct mlb_run){ .id = mlb_arena_strdup(&l->arena, id), .words = "", .commit = "" };
	*found = false;
	if (!l->cache)
		return 0;
	rc = mlb_results_each(l->p->results, add_record, &lost, err);
	*found = lost.found;
	return rc;
}
