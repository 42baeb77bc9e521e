#include "conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

bool
conform_must(struct conform *c, bool cond, const char *fmt, ...)
{
	va_list ap;

	if (!cond && !*c->why) {
		va_start(ap, fmt);
		vsnprintf(c->why, sizeof(c->why), fmt, ap);
		va_end(ap);
	}
	return cond;
}

const char *
conform_in(struct conform *c, const char *fmt, ...)
{
	char *rest = NULL, *name;
	va_list ap;

	va_start(ap, fmt);
	mlb_vasprintf(&rest, fmt, ap);
	va_end(ap);
	name = mlb_asprintf("%s/%s", c->prefix, rest);
	mlb_strvec_push(&c->names, name);
	free(name);
	free(rest);
	return c->names.v[c->names.n - 1];
}

struct mlb_session *
conform_session(struct conform *c)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s = NULL;

	if (mlb_session_open(&s, &c->config, &err) != 0)
		conform_must(c, false, "cannot open: %s", err.text);
	mlb_err_release(&err);
	return s;
}

static void
run(struct answer *a, struct mlb_session *s, struct mlb_remote_op *op)
{
	struct mlb_err err = MLB_ERR_INIT;

	a->rc = mlb_session_run(s, op, &a->fault, &err);
	snprintf(a->text, sizeof(a->text), "%s", err.text ? err.text : "");
	a->moved = op->moved;
	a->total = op->total;
	a->mtime = op->mtime;
	mlb_err_release(&err);
}

void
ask_put(struct answer *a, struct mlb_session *s, const char *name, const void *data, size_t size,
	bool if_absent)
{
	struct mlb_digest digest;
	struct mlb_remote_op op = { .verb = MLB_REMOTE_PUT,
				    .name = name,
				    .data = data,
				    .size = size,
				    .sha256 = digest.b,
				    .if_absent = if_absent };

	*a = (struct answer){ .rc = 0 };
	mlb_sha256_of(&digest, data, size);
	run(a, s, &op);
}

struct wanted {
	const char *at;
	uint64_t left;
	bool wrong;
};

static int
compare(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	struct wanted *w = op->ctx;

	(void)err;
	if (len > w->left || memcmp(w->at, data, len) != 0) {
		w->wrong = true;
		len = MLB_MIN(len, w->left);
	}
	w->at += len;
	w->left -= len;
	return 0;
}

void
ask_get(struct answer *a, struct mlb_session *s, const char *name, uint64_t offset, uint64_t len,
	const void *want, size_t size)
{
	uint64_t from = MLB_MIN(offset, size);
	struct wanted w = { .at = (const char *)want + from, .left = MLB_MIN(len, size - from) };
	struct mlb_remote_op op = { .verb = MLB_REMOTE_GET,
				    .name = name,
				    .offset = offset,
				    .len = len,
				    .sink = compare,
				    .ctx = &w };

	*a = (struct answer){ .rc = 0 };
	run(a, s, &op);
	a->wrong = w.wrong || (a->rc == 0 && w.left);
}

void
ask_stat(struct answer *a, struct mlb_session *s, const char *name)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_STAT, .name = name };

	*a = (struct answer){ .rc = 0 };
	run(a, s, &op);
}

static int
note(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	struct listing *l = op->ctx;
	struct listed one = { mlb_strdup(e->name), e->size, e->mtime };

	(void)err;
	mlb_vec_push(l, one);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

void
ask_list(struct answer *a, struct mlb_session *s, const char *dir, struct listing *out)
{
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_LIST, .name = dir, .entry = note, .ctx = out
	};

	*a = (struct answer){ .rc = 0 };
	run(a, s, &op);
	if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_name);
}

void
listing_release(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].name);
	mlb_vec_release(l);
}

void
ask_delete(struct answer *a, struct mlb_session *s, const char *const *names, size_t n)
{
	struct mlb_remote_op op = { .verb = MLB_REMOTE_DELETE, .names = names, .n_names = n };

	*a = (struct answer){ .rc = 0 };
	run(a, s, &op);
}

bool
good(struct conform *c, const struct answer *a, const char *what)
{
	return conform_must(c, a->rc == 0, "%s: %d (fault %d) %s", what, a->rc, (int)a->fault,
			    a->text) &&
	       conform_must(c, !a->wrong, "%s: wrong bytes", what);
}

bool
failed(struct conform *c, const struct answer *a, enum mlb_remote_fault fault, const char *what)
{
	return conform_must(c, a->rc != 0, "%s: it succeeded", what) &&
	       conform_must(c, a->fault == fault, "%s: fault %d, not %d: %s", what, (int)a->fault,
			    (int)fault, a->text) &&
	       conform_must(c, *a->text, "%s: it does not say why", what);
}

bool
round_trip(struct conform *c, const char *name, const void *data, size_t size)
{
	struct answer a;

	ask_put(&a, c->s, name, data, size, false);
	if (!good(c, &a, "PUT") ||
	    !conform_must(c, a.moved == size, "PUT has moved %llu bytes of %zu",
			  (unsigned long long)a.moved, size))
		return false;
	ask_get(&a, c->s, name, 0, MLB_REMOTE_TO_END, data, size);
	return good(c, &a, "GET") && conform_must(c, a.moved == size, "GET has moved %llu of %zu",
						  (unsigned long long)a.moved, size);
}
