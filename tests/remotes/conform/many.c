/* Many operations at once, and long listings. */
#include "conform.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* A crowd of operations, all submitted at once. */
struct crowd {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	size_t going, failed;
	char text[TEXT_MAX]; /* of the first that failed */
};

struct one {
	struct mlb_remote_op op;
	struct crowd *crowd;
	struct mlb_buf got;
	char data[128];
};

static void
ended(struct mlb_remote_op *op)
{
	struct crowd *w = ((struct one *)op)->crowd;

	pthread_mutex_lock(&w->mutex);
	if (op->rc && !w->failed++)
		snprintf(w->text, sizeof(w->text), "'%s': fault %d: %s", op->name, (int)op->fault,
			 op->err.text ? op->err.text : "?");
	mlb_err_release(&op->err);
	if (!--w->going)
		pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->mutex);
}

static int
collect(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)err;
	mlb_buf_add(&((struct one *)op)->got, data, len);
	return 0;
}

static void
submit_all(struct crowd *w, struct mlb_session *s, struct one *all, size_t n)
{
	w->going = n;
	for (size_t i = 0; i < n; i++)
		mlb_session_submit(s, &all[i].op, i % 3 ? MLB_SESSION_LATER : MLB_SESSION_SOON);
}

static void
wait_all(struct crowd *w)
{
	pthread_mutex_lock(&w->mutex);
	while (w->going)
		pthread_cond_wait(&w->cond, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
}

static struct one *
crowd_new(struct conform *c, struct crowd *w, size_t n, const char *dir)
{
	struct one *all = mlb_calloc(n, sizeof(*all));

	*w = (struct crowd){ .going = 0 };
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->cond, NULL);
	for (size_t i = 0; i < n; i++) {
		snprintf(all[i].data, sizeof(all[i].data), "%zu of %s %.*s", i, c->prefix,
			 (int)(i % 7), "......");
		mlb_buf_init(&all[i].got, sizeof(all[i].data));
		all[i].crowd = w;
		all[i].op = (struct mlb_remote_op){ .verb = MLB_REMOTE_PUT,
						    .name = conform_in(c, "%s/%zu", dir, i),
						    .data = all[i].data,
						    .size = strlen(all[i].data),
						    .len = MLB_REMOTE_TO_END,
						    .sink = collect,
						    .done = ended };
	}
	return all;
}

static void
crowd_free(struct crowd *w, struct one *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mlb_buf_release(&all[i].got);
	free(all);
	pthread_cond_destroy(&w->cond);
	pthread_mutex_destroy(&w->mutex);
}

static bool
many_at_once(struct conform *c)
{
	enum { N = 300 };
	struct crowd w;
	struct one *all = crowd_new(c, &w, N, "crowd");
	bool ok;

	submit_all(&w, c->s, all, N);
	wait_all(&w);
	ok = conform_must(c, !w.failed, "%zu PUTs failed: %s", w.failed, w.text);
	for (size_t i = 0; i < N; i++)
		all[i].op.verb = MLB_REMOTE_GET;
	if (ok) {
		submit_all(&w, c->s, all, N);
		wait_all(&w);
		ok = conform_must(c, !w.failed, "%zu GETs failed: %s", w.failed, w.text);
	}
	for (size_t i = 0; ok && i < N; i++)
		ok = conform_must(c, !strcmp(mlb_buf_str(&all[i].got), all[i].data),
				  "'%s' is '%s', not '%s'", all[i].op.name,
				  mlb_buf_str(&all[i].got), all[i].data);
	crowd_free(&w, all, N);
	return ok;
}

/* Every number below n is listed once, with its size. */
static bool
all_listed(struct conform *c, const struct listing *l, const struct one *all, size_t n)
{
	bool *seen = mlb_calloc(n, sizeof(*seen));
	bool ok = conform_must(c, l->n == n, "LIST gave %zu names, not %zu", l->n, n);

	for (size_t i = 0; ok && i < l->n; i++) {
		size_t k = strtoul(l->v[i].name, NULL, 10);

		ok = conform_must(c, k < n && !seen[k], "LIST gave '%s'", l->v[i].name) &&
		     conform_must(c, l->v[i].size == all[k].op.size, "LIST: size of '%s'",
				  l->v[i].name);
		if (ok)
			seen[k] = true;
	}
	free(seen);
	return ok;
}

static bool
delete_all(struct conform *c, const struct one *all, size_t n)
{
	const char **names = mlb_calloc(n, sizeof(*names));
	struct answer a;
	bool ok = true;

	for (size_t i = 0; i < n; i++)
		names[i] = all[i].op.name;
	for (size_t i = 0; ok && i < n; i += MLB_REMOTE_BATCH) {
		ask_delete(&a, c->s, names + i, MLB_MIN(MLB_REMOTE_BATCH, n - i));
		ok = good(c, &a, "DELETE of many");
	}
	free(names);
	return ok;
}

static bool
long_listing(struct conform *c)
{
	const char *dir = conform_in(c, "many");
	struct listing l = MLB_VEC_INIT;
	struct crowd w;
	struct one *all = crowd_new(c, &w, c->many, "many");
	struct answer a;
	bool ok;

	submit_all(&w, c->s, all, c->many);
	wait_all(&w);
	ok = conform_must(c, !w.failed, "%zu PUTs failed: %s", w.failed, w.text);
	if (ok) {
		ask_list(&a, c->s, dir, &l);
		ok = good(c, &a, "LIST") && all_listed(c, &l, all, c->many);
	}
	listing_release(&l);
	ok = ok && delete_all(c, all, c->many);
	if (ok) {
		ask_list(&a, c->s, dir, &l);
		ok = good(c, &a, "LIST") && conform_must(c, l.n == 0, "%zu are left", l.n);
	}
	listing_release(&l);
	crowd_free(&w, all, c->many);
	return ok;
}

/* Cancelled or closed while much goes on: all are told, and what succeeded is there. */
static bool
leave(struct conform *c, const char *dir, void (*how)(struct mlb_session *))
{
	enum { N = 200 };
	struct mlb_session *s = conform_session(c);
	struct crowd w;
	struct one *all;
	struct answer a;
	bool ok = s != NULL;

	if (!ok)
		return false;
	all = crowd_new(c, &w, N, dir);
	submit_all(&w, s, all, N);
	how(s);
	if (how != mlb_session_close)
		mlb_session_close(s);
	ok = conform_must(c, w.going == 0, "%zu were not told", w.going);
	for (size_t i = 0; ok && i < N; i++) {
		const struct mlb_remote_op *op = &all[i].op;

		ok = conform_must(c, op->rc == 0 || op->rc == MLB_EINTERRUPTED, "rc is %d", op->rc);
		if (!ok)
			break;
		ask_get(&a, c->s, op->name, 0, MLB_REMOTE_TO_END, op->data, op->size);
		if (op->rc == 0 || a.fault != MLB_FAULT_ABSENT)
			ok = good(c, &a, "GET");
	}
	crowd_free(&w, all, N);
	return ok;
}

static bool
cancel(struct conform *c)
{
	return leave(c, "cancel", mlb_session_cancel);
}

static bool
close_in_the_middle(struct conform *c)
{
	return leave(c, "close", mlb_session_close);
}

const struct check checks_many[] = {
	{ "many at once", many_at_once },
	{ "a long listing, and a long DELETE", long_listing },
	{ "cancel in the middle", cancel },
	{ "close in the middle", close_in_the_middle },
	{ NULL, NULL },
};
