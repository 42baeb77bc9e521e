#include "engine/lineage.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "engine/words.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_TEXT = 256 << 20, MAX_SOURCE = 256 << 20, MOST_STEPS = 20000 };

/* Who made some bytes. */
struct maker {
	const char *target, *kind, *path;
	struct mlb_digest key; /* zero: a source */
	struct maker *next;    /* of the same bytes */
};

/* ---------------------------------------------------------- who made what */

static void
add_maker(struct mlb_lineages *l, const struct mlb_digest *d, const char *target, const char *kind,
	  const char *path, const struct mlb_digest *key)
{
	struct maker *m = mlb_arena_alloc(&l->arena, sizeof(*m));
	struct mlb_digest *own = mlb_arena_alloc(&l->arena, sizeof(*own));
	struct mlb_strmap_entry *e;

	*own = *d;
	e = mlb_strmap_add(&l->made, (const char *)own->b, MLB_DIGEST_LEN, NULL);
	*m = (struct maker){ target, kind, path, *key, e->u.ptr };
	e->u.ptr = m;
}

static void
add_versions(struct mlb_lineages *l)
{
	for (size_t i = 0; l->versions && i < l->versions->all.n; i++) {
		const struct mlb_version *v = &l->versions->all.v[i];

		for (uint32_t k = 0; k < v->n_outputs && !v->folded; k++) {
			const struct mlb_lineage_tree t = { v, &v->output[k] };

			add_maker(l, &v->output[k].digest, v->name, v->kind, v->output[k].path,
				  &v->key);
			if (v->output[k].kind == MLB_O_TREE)
				mlb_vec_push(&l->tree, t);
		}
	}
}

static int
name_it(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct mlb_lineages *l = ctx;
	struct mlb_digest *own = mlb_arena_alloc(&l->arena, sizeof(*own));
	struct mlb_strmap_entry *e;
	bool is_new;

	(void)err;
	*own = a->key;
	e = mlb_strmap_add(&l->named, (const char *)own->b, MLB_DIGEST_LEN, &is_new);
	if (is_new)
		e->u.ptr = mlb_arena_strdup(&l->arena, a->node);
	return 0;
}

/* Results name no targets: the runs of this project do, all of which are read once. */
static const char *
target_of(struct mlb_lineages *l, const struct mlb_digest *key)
{
	const struct mlb_strmap_entry *e;

	if (!l->by_runs)
		(void)mlb_run_actions(l->p->db, NULL, NULL, UINT32_MAX, name_it, l, NULL);
	l->by_runs = true;
	e = mlb_strmap_find(&l->named, (const char *)key->b, MLB_DIGEST_LEN);
	return e ? e->u.ptr : "";
}

static int
add_record(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct mlb_lineages *l = ctx;

	(void)err;
	for (uint32_t i = 0; i < r->n_outputs; i++)
		add_maker(l, &r->output[i].digest, "", "",
			  mlb_arena_strdup(&l->arena, r->output[i].path), &r->key);
	return 0;
}

static const struct maker *
maker_at(const struct mlb_lineages *l, const struct mlb_digest *d, const char *path)
{
	const struct mlb_strmap_entry *e =
		mlb_strmap_find(&l->made, (const char *)d->b, MLB_DIGEST_LEN);
	const struct maker *m = e ? e->u.ptr : NULL;

	while (m && strcmp(m->path, path) != 0)
		m = m->next;
	return m;
}

/* A file in a directory that is an output. */
static const struct mlb_version *
directory_of(const struct mlb_lineages *l, const struct mlb_digest *d, const char *path)
{
	for (size_t i = 0; i < l->tree.n; i++) {
		const struct mlb_lock_output *o = l->tree.v[i].output;
		struct mlb_arena arena = MLB_ARENA_INIT;
		struct mlb_tree_entry e;
		bool is = strcmp(path, o->path) != 0 && mlb_path_inside(path, o->path) &&
			  mlb_tree_find(&e, &arena, l->p->cas, &o->digest,
					path + strlen(o->path) + 1, NULL) == 0 &&
			  mlb_digest_equal(&e.digest, d);

		mlb_arena_release(&arena);
		if (is)
			return l->tree.v[i].version;
	}
	return NULL;
}

/* ---------------------------------------------------------- sources */

/* Does the commit have these bytes there? What git's filters change is not found. */
static bool
holds(struct mlb_lineages *l, const char *commit, const char *path, const struct mlb_digest *d)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_SOURCE);
	char hex[MLB_HEX_LEN + 1];
	struct mlb_strmap_entry *e;
	struct mlb_digest now;
	const char *id;
	bool is_new;

	if (!l->p->vcs || !commit || !*commit)
		return false;
	mlb_digest_hex(hex, d);
	id = mlb_arena_printf(&l->arena, "%s %s %s", commit, hex, path);
	e = mlb_strmap_add(&l->held, id, strlen(id), &is_new);
	if (is_new && mlb_vcs_read(l->p->vcs, commit, path, &text, NULL) == 0) {
		mlb_sha256_of(&now, mlb_buf_str(&text), text.len);
		e->u.num = mlb_digest_equal(&now, d);
	}
	mlb_buf_release(&text);
	return e->u.num != 0;
}

static const char *
source_commit(struct mlb_lineages *l, const char *pin, const char *path, const struct mlb_digest *d)
{
	if (holds(l, l->commit, path, d))
		return l->commit;
	return holds(l, pin, path, d) ? pin : "";
}

/* ---------------------------------------------------------- one action */

static void
enqueue(struct mlb_lineages *l, const struct mlb_digest *key, const char *target, const char *kind)
{
	struct mlb_digest *own = mlb_arena_alloc(&l->own, sizeof(*own));
	struct mlb_lineage_step s = { *key, target, kind };
	bool is_new;

	*own = *key;
	mlb_strmap_add(&l->seen, (const char *)own->b, MLB_DIGEST_LEN, &is_new);
	if (is_new && l->queue.n < MOST_STEPS)
		mlb_vec_push(&l->queue, s);
}

/* Files of `each` stand in a directory that no single action made. */
static bool
collection(struct mlb_lineages *l, struct mlb_lineage_input *in)
{
	bool any = false;

	for (size_t i = 0; l->versions && i < l->versions->all.n; i++) {
		const struct mlb_version *v = &l->versions->all.v[i];

		if (!v->row || !v->n_outputs || !mlb_path_inside(v->output[0].path, in->path))
			continue;
		in->made_by = v->base;
		enqueue(l, &v->key, v->name, v->kind);
		any = true;
	}
	return any;
}

static void
explain_input(struct mlb_lineages *l, struct mlb_lineage_input *in, const struct mlb_digest *d,
	      const char *pin)
{
	const struct maker *m = maker_at(l, d, in->path);
	const struct mlb_version *v = m ? NULL : directory_of(l, d, in->path);
	const struct mlb_digest *key = m ? &m->key : v ? &v->key : NULL;

	if (!key)
		in->commit = source_commit(l, pin, in->path, d);
	if (!key && !*in->commit && strcmp(in->kind, "tree") == 0 && collection(l, in))
		return;
	/* The lock may have moved on since: older results may tell. */
	if (!key && !*in->commit && !l->by_results) {
		l->by_results = true;
		(void)mlb_results_each(l->p->results, add_record, l, NULL);
		m = maker_at(l, d, in->path);
		key = m ? &m->key : NULL;
	}
	if (!key)
		return;
	in->made_by = m ? m->target : v->name;
	if (mlb_digest_is_zero(key)) {
		in->commit = source_commit(l, pin, in->path, d);
		return;
	}
	if (!*in->made_by)
		in->made_by = target_of(l, key);
	in->key = mlb_hex_of(&l->own, key);
	enqueue(l, key, in->made_by, m ? m->kind : v->kind);
}

static size_t
count_lines(const struct mlb_action_lines *lines, const char *type)
{
	size_t n = 0;

	for (uint32_t i = 0; i < lines->map.n; i++) {
		const struct mlb_action_line *line = lines->map.entry[i].u.ptr;

		n += strcmp(line->type, type) == 0;
	}
	return n;
}

static void
add_lines(struct mlb_lineages *l, struct mlb_lineage *out, const struct mlb_action_lines *lines)
{
	struct mlb_lineage_input *in =
		mlb_arena_alloc(&l->own, (count_lines(lines, "input") + 1) * sizeof(*in));
	struct mlb_named_value *param =
		mlb_arena_alloc(&l->own, (count_lines(lines, "param") + 1) * sizeof(*param));

	for (uint32_t i = 0; i < lines->map.n; i++) {
		const struct mlb_action_line *line = lines->map.entry[i].u.ptr;
		struct mlb_digest d;

		if (strcmp(line->type, "param") == 0) {
			struct mlb_named_value *v = &param[out->n_params++];

			v->name = mlb_arena_strdup(&l->own, line->name);
			v->value = mlb_arena_strdup(&l->own, line->value ? line->value : "");
			v->json = mlb_param_json(&l->own, v->value);
		}
		if (strcmp(line->type, "input") == 0 && line->value &&
		    mlb_digest_parse(&d, line->value, strlen(line->value))) {
			struct mlb_lineage_input *one = &in[out->n_inputs++];

			one->path = mlb_arena_strdup(&l->own, line->name);
			one->kind = mlb_arena_strdup(&l->own, line->kind);
			one->digest = mlb_arena_strdup(&l->own, line->value);
			one->made_by = one->key = one->commit = "";
			explain_input(l, one, &d, out->commit);
		}
	}
	out->input = in;
	out->param = param;
}

static void
add_step(struct mlb_lineages *l, const struct mlb_lineage_step *s)
{
	struct mlb_lineage one = { .target = s->target, .kind = s->kind };
	struct mlb_result *r = mlb_arena_alloc(&l->own, sizeof(*r));
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_action_lines lines;

	one.key = mlb_hex_of(&l->own, &s->key);
	one.run = one.commit = "";
	if (mlb_results_find(l->p->results, r, &l->own, &s->key, NULL) == 0) {
		one.run = r->run;
		one.commit = r->pin;
		one.started = r->started;
		one.duration = r->duration;
	}
	if (mlb_cas_read(l->p->cas, &text, &s->key, NULL) == 0) {
		one.known = true;
		mlb_action_read(&lines, mlb_buf_str(&text));
		add_lines(l, &one, &lines);
		mlb_action_lines_release(&lines);
	}
	mlb_vec_push(&l->all, one);
	mlb_buf_release(&text);
}

void
mlb_lineage_init(struct mlb_lineages *l, struct mlb_project *p, const struct mlb_versions *versions)
{
	*l = (struct mlb_lineages){
		.p = p,
		.versions = versions,
		.arena = MLB_ARENA_INIT,
		.made = MLB_STRMAP_INIT,
		.held = MLB_STRMAP_INIT,
		.named = MLB_STRMAP_INIT,
		.own = MLB_ARENA_INIT,
		.seen = MLB_STRMAP_INIT,
	};
	add_versions(l);
}

void
mlb_lineage_find(struct mlb_lineages *l, const char *commit, const char *target, const char *kind,
		 const struct mlb_digest *key)
{
	l->commit = commit;
	l->all.n = l->queue.n = 0;
	mlb_strmap_release(&l->seen);
	mlb_arena_release(&l->own);
	if (mlb_digest_is_zero(key))
		return;
	enqueue(l, key, target, kind);
	for (size_t i = 0; i < l->queue.n; i++) {
		const struct mlb_lineage_step s = l->queue.v[i];

		add_step(l, &s);
	}
}

void
mlb_lineage_release(struct mlb_lineages *l)
{
	mlb_vec_release(&l->queue);
	mlb_vec_release(&l->all);
	mlb_vec_release(&l->tree);
	mlb_strmap_release(&l->named);
	mlb_strmap_release(&l->made);
	mlb_strmap_release(&l->held);
	mlb_strmap_release(&l->seen);
	mlb_arena_release(&l->own);
	mlb_arena_release(&l->arena);
}
