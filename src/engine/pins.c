/* mlb_pins: the commits that the results of the cache name, and the snapshots that git holds. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/project.h"

/* A commit. */
struct entry {
	const char *commit; /* in the arena */
	const char *params;
	int64_t when;
	uint32_t results;
	bool has_ref;
	struct mlb_strvec target; /* owned */
};

struct pins {
	struct mlb_project *p;
	struct mlb_arena arena;
	struct mlb_strmap by_commit; /* struct entry */
	struct mlb_strmap names;     /* by key: struct mlb_strvec of the targets it was of */
	MLB_VEC(struct entry *) all;
};

/* ---------------------------------------------------------- names of keys */

static int
add_name(struct pins *s, const struct mlb_digest *key, const char *node)
{
	struct mlb_digest *own;
	struct mlb_strmap_entry *e;
	struct mlb_strvec *names;

	e = mlb_strmap_find(&s->names, (const char *)key->b, MLB_DIGEST_LEN);
	if (!e) {
		own = mlb_arena_alloc(&s->arena, sizeof(*own));
		*own = *key;
		e = mlb_strmap_add(&s->names, (const char *)own->b, MLB_DIGEST_LEN, NULL);
		e->u.ptr = mlb_arena_alloc(&s->arena, sizeof(*names));
	}
	names = e->u.ptr;
	if (!mlb_strvec_has(names, node))
		mlb_strvec_push(names, node);
	return 0;
}

static int
take_memo(void *ctx, const struct mlb_memo *m, struct mlb_err *err)
{
	(void)err;
	return add_name(ctx, &m->key, m->node);
}

static int
take_action(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	(void)err;
	return add_name(ctx, &a->key, a->node);
}

/* A colleague's results are here too where the cache is shared: the lock knows some of them. */
static void
take_lock(struct pins *s)
{
	const struct mlb_strmap *map = &s->p->lock.map;

	for (uint32_t i = 0; i < map->n; i++)
		for (const struct mlb_lock_block *b = map->entry[i].u.ptr; b; b = b->other)
			if (!mlb_digest_is_zero(&b->key))
				add_name(s, &b->key, b->name);
}

/* ---------------------------------------------------------- the commits */

static struct entry *
entry_of(struct pins *s, const char *commit)
{
	bool is_new;
	const char *own = mlb_arena_strdup(&s->arena, commit);
	struct mlb_strmap_entry *e = mlb_strmap_add(&s->by_commit, own, strlen(own), &is_new);
	struct entry *pin;

	if (!is_new)
		return e->u.ptr;
	pin = mlb_arena_alloc(&s->arena, sizeof(*pin));
	pin->commit = own;
	pin->params = "";
	e->u.ptr = pin;
	mlb_vec_push(&s->all, pin);
	return pin;
}

static int
take_result(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct pins *s = ctx;
	const struct mlb_strvec *names;
	struct mlb_strmap_entry *e;
	struct entry *pin;

	(void)err;
	if (!r->pin || !r->pin[0])
		return 0;
	pin = entry_of(s, r->pin);
	pin->results++;
	if (r->started > pin->when)
		pin->when = r->started;
	if (r->params && r->params[0])
		pin->params = mlb_arena_strdup(&s->arena, r->params);
	e = mlb_strmap_find(&s->names, (const char *)r->key.b, MLB_DIGEST_LEN);
	names = e ? e->u.ptr : NULL;
	for (size_t i = 0; names && i < names->n; i++)
		mlb_strvec_push(&pin->target, names->v[i]);
	return 0;
}

static int
take_refs(struct pins *s, struct mlb_err *err)
{
	struct mlb_strvec refs = MLB_VEC_INIT;
	int rc = mlb_vcs_refs(s->p->vcs, MLB_PINS, &refs, err);

	for (size_t i = 0; i < refs.n; i++)
		entry_of(s, refs.v[i] + strlen(MLB_PINS))->has_ref = true;
	mlb_strvec_release(&refs);
	return rc;
}

static int
collect(struct pins *s, struct mlb_err *err)
{
	int rc = mlb_project_vcs(s->p, err);

	if (rc == 0 && !s->p->vcs)
		rc = mlb_err_set(err, MLB_EINVALID, "there are no pins: %s", s->p->vcs_why);
	if (rc == 0)
		rc = mlb_project_config(s->p, err);
	if (rc == 0)
		rc = mlb_project_cache(s->p, err);
	if (rc == 0)
		rc = mlb_project_lock(s->p, err);
	if (rc == 0)
		rc = mlb_project_whole_lock(s->p, err);
	if (rc == 0)
		take_lock(s);
	if (rc == 0)
		rc = mlb_memo_each(s->p->db, take_memo, s, err);
	if (rc == 0)
		rc = mlb_run_actions(s->p->db, NULL, NULL, UINT32_MAX, take_action, s, err);
	if (rc == 0)
		rc = mlb_results_each(s->p->results, take_result, s, err);
	return rc ? rc : take_refs(s, err);
}

/* ---------------------------------------------------------- telling */

static int
newest_first(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	if (x->when != y->when)
		return x->when < y->when ? 1 : -1;
	return strcmp(x->commit, y->commit);
}

/* A word is a target, and with it all its instances, or one instance. */
static bool
is_of(const struct entry *pin, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < pin->target.n; i++) {
		const char *name = pin->target.v[i];

		if (strncmp(name, word, len) == 0 && (!name[len] || name[len] == '@'))
			return true;
	}
	return false;
}

/* "Mlbuild-Param: NAME=VALUE" lines of a message, as "NAME=VALUE" lines. */
static const char *
params_of(struct pins *s, const char *commit)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB), out = MLB_BUF_INIT(MLB_MIB);
	const char *found;

	mlb_vcs_message(s->p->vcs, commit, &text, NULL);
	for (const char *line = mlb_buf_str(&text); *line;) {
		size_t len = strcspn(line, "\n");

		if (mlb_str_starts(line, "Mlbuild-Param: "))
			mlb_buf_addf(&out, "%.*s\n", (int)len - 15, line + 15);
		line += len + (line[len] == '\n');
	}
	found = mlb_arena_strdup(&s->arena, mlb_buf_str(&out));
	mlb_buf_release(&out);
	mlb_buf_release(&text);
	return found;
}

static int
tell(struct pins *s, struct entry *pin, mlb_pin_fn *fn, void *ctx)
{
	struct mlb_vcs_commit c;
	bool there = mlb_vcs_commit_info(s->p->vcs, pin->commit, &c, NULL) == 0;
	/* Git's collector has not been there yet where it lost its reference. */
	bool is_snapshot = there && (pin->has_ref || strcmp(c.subject, MLB_PIN_SUBJECT) == 0);
	struct mlb_pin out = {
		.commit = pin->commit,
		.parent = is_snapshot ? c.parent : "",
		.kind = !there        ? MLB_PIN_MISSING
			: is_snapshot ? MLB_PIN_SNAPSHOT
				      : MLB_PIN_COMMIT,
		.when = pin->when || !there ? pin->when : c.time * 1000000000,
		.results = pin->results,
		.target = (const char *const *)pin->target.v,
		.n_targets = pin->target.n,
		.params = pin->params,
		.subject = there ? c.subject : "",
	};
	int rc;

	/* One that no result names says itself what it was for. */
	if (is_snapshot && !pin->results)
		out.params = params_of(s, pin->commit);
	rc = fn(ctx, &out);
	mlb_vcs_commit_release(&c);
	return rc;
}

static int
tell_all(struct pins *s, const char *word, mlb_pin_fn *fn, void *ctx, struct mlb_err *err)
{
	size_t n = 0;
	int rc = 0;

	if (s->all.n)
		qsort(s->all.v, s->all.n, sizeof(*s->all.v), newest_first);
	for (size_t i = 0; i < s->all.n && rc == 0; i++) {
		mlb_strvec_sort(&s->all.v[i]->target, true);
		if (word && !is_of(s->all.v[i], word))
			continue;
		n++;
		rc = tell(s, s->all.v[i], fn, ctx);
	}
	if (!n && word && !mlb_config_find(s->p->config, word))
		return mlb_err_set(err, MLB_ENOTFOUND,
				   "no target '%s', and no result of one: 'mlbuild ls' lists them",
				   word);
	return 0;
}

int
mlb_pins(struct mlb_project *p, const char *word, mlb_pin_fn *fn, void *ctx, struct mlb_err *err)
{
	struct pins s = { .p = p,
			  .arena = MLB_ARENA_INIT,
			  .by_commit = MLB_STRMAP_INIT,
			  .names = MLB_STRMAP_INIT };
	int rc = collect(&s, err);

	if (rc == 0)
		rc = tell_all(&s, word, fn, ctx, err);
	for (size_t i = 0; i < s.all.n; i++)
		mlb_strvec_release(&s.all.v[i]->target);
	for (uint32_t i = 0; i < s.names.n; i++)
		mlb_strvec_release(s.names.entry[i].u.ptr);
	mlb_vec_release(&s.all);
	mlb_strmap_release(&s.by_commit);
	mlb_strmap_release(&s.names);
	mlb_arena_release(&s.arena);
	return rc;
}
