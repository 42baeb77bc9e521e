/*
 * From words to nodes: a target, an instance NAME@k=v, a glob over names, a
 * kind, or the path of an output; then what they need.
 */
#include "engine/project.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/nearest.h"
#include "base/vec.h"
#include "graph/glob.h"
#include "os/path.h"

enum { MAX_MESSAGE = 1 << 20, MAX_WORD = 1 << 20 };

/* Does the instance "fit@a=1,b=2" belong to "fit@b=2"? Every binding of the word must be one of its own. */
static bool
instance_matches(const char *name, const char *word)
{
	const char *at = strchr(word, '@');
	const char *own = strchr(name, '@');
	size_t base = at ? (size_t)(at - word) : 0;

	if (!at || !at[1] || !own || (size_t)(own - name) != base || strncmp(name, word, base) != 0)
		return false;
	for (const char *w = at + 1; *w;) {
		size_t len = strcspn(w, ",");
		const char *o = own + 1;

		while (*o && !(strcspn(o, ",") == len && strncmp(o, w, len) == 0)) {
			o += strcspn(o, ",");
			o += *o == ',';
		}
		if (!*o)
			return false;
		w += len;
		w += *w == ',';
	}
	return true;
}

static int
kind_of_word(const char *word)
{
	for (int k = 0; k < MLB_N_KINDS; k++)
		if (strcmp(word, mlb_kind_names[k]) == 0)
			return k;
	return -1;
}

bool
mlb_name_matches(const char *name, const char *base, const char *word, bool glob)
{
	if (glob)
		return mlb_glob_match(word, base) || mlb_glob_match(word, name);
	return strcmp(word, base) == 0 || strcmp(word, name) == 0 || instance_matches(name, word);
}

static bool
node_matches(const struct mlb_graph *g, const struct mlb_g_node *n, const char *word, bool glob)
{
	return !(glob && n->kind == MLB_K_TASK) &&
	       mlb_name_matches(mlb_g_str(g, n->name), mlb_g_str(g, n->base), word, glob);
}

/* The node that makes this project path, or the directory that it is in; MLB_NONE. */
static uint32_t
maker_of(const struct mlb_project *p, const char *path)
{
	const struct mlb_graph *g = p->graph;

	for (uint32_t i = 0; i < g->n_outputs; i++)
		if (mlb_path_inside(path, mlb_g_path(g, g->output[i].path)))
			return g->path_producer[g->output[i].path];
	return MLB_NONE;
}

/* A path is meant from where the user stands, as in a shell; else from the project's directory. */
static bool
mark_path(const struct mlb_project *p, const char *word, uint8_t *mark)
{
	struct mlb_buf path = MLB_BUF_INIT(MAX_WORD);
	uint32_t n = MLB_NONE;

	if (mlb_path_absolute(&path, word, NULL) == 0 &&
	    mlb_path_inside(mlb_buf_str(&path), p->root) && path.len > strlen(p->root))
		n = maker_of(p, mlb_buf_str(&path) + strlen(p->root) + 1);
	mlb_buf_clear(&path);
	if (n == MLB_NONE && mlb_path_normalize(&path, word, NULL) == 0)
		n = maker_of(p, mlb_buf_str(&path));
	mlb_buf_release(&path);
	if (n != MLB_NONE)
		mark[n] = 1;
	return n != MLB_NONE;
}

static bool
has(const struct mlb_strvec *words, const char *word, size_t len)
{
	for (size_t i = words->n; i-- > 0;)
		if (strlen(words->v[i]) == len && memcmp(words->v[i], word, len) == 0)
			return true;
	return false;
}

static void
add_new(struct mlb_strvec *words, const char *word, size_t len)
{
	char *own;

	if (has(words, word, len))
		return;
	own = mlb_strndup(word, len);
	mlb_strvec_push(words, own);
	free(own);
}

/* Set values to those of a key among the instances of a target, and add its keys; false: it has no such key. */
static bool
instance_values(const struct mlb_graph *g, const char *base, const char *key,
		struct mlb_strvec *keys, struct mlb_strvec *values)
{
	mlb_strvec_release(values);
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		const char *at = strchr(mlb_g_str(g, g->node[i].name), '@');

		if (!at || strcmp(mlb_g_str(g, g->node[i].base), base) != 0)
			continue;
		while (*at) {
			size_t len = strcspn(++at, "=");
			size_t whole = strcspn(at, ",");

			add_new(keys, at, len);
			if (strlen(key) == len && strncmp(key, at, len) == 0)
				add_new(values, at + len + 1, whole - len - 1);
			at += whole;
		}
	}
	return values->n > 0;
}

/* Was the key given between from and at already? */
static bool
named(const char *from, const char *at, const char *key, size_t len)
{
	for (; from < at; from += strcspn(from, ",") + 1)
		if (strcspn(from, ",=") == len && strncmp(from, key, len) == 0)
			return true;
	return false;
}

/* What is wrong with "fit@i=99", where there is a fit: the first key or value that it does not have. */
static int
unknown_instance(const struct mlb_graph *g, const char *word, struct mlb_err *err)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_strvec keys = MLB_VEC_INIT, values = MLB_VEC_INIT;
	struct mlb_buf some = MLB_BUF_INIT(MAX_MESSAGE);
	const char *base = mlb_arena_strndup(&arena, word, strcspn(word, "@"));
	int rc = 0;

	if (!word[strlen(base) + 1])
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "there is no '%s': write '%s' for all instances, or '%s@KEY=VALUE'",
				 word, base, base);
	for (const char *w = word + strlen(base); *w && rc == 0; w += strcspn(w, ",")) {
		size_t len = strcspn(++w, ",="), value_len;
		const char *key = mlb_arena_strndup(&arena, w, len), *value, *near;

		if (named(word + strlen(base) + 1, w, key, len)) {
			rc = mlb_err_set(err, MLB_ENOTFOUND,
					 "there is no '%s': it gives '%s' twice", word, key);
			break;
		}
		value_len = w[len] == '=' ? strcspn(w + len + 1, ",") : 0;
		value = mlb_arena_strndup(&arena, w + len + (w[len] == '='), value_len);
		if (!instance_values(g, base, key, &keys, &values)) {
			mlb_add_some(&some, (const char *const *)keys.v, keys.n);
			rc = mlb_err_set(err, MLB_ENOTFOUND,
					 "there is no '%s': '%s' has no matrix key '%s'%s%s", word,
					 base, key, keys.n ? "; it has " : ": it has none",
					 mlb_buf_str(&some));
		} else if (w[len] != '=') {
			mlb_add_some(&some, (const char *const *)values.v, values.n);
			rc = mlb_err_set(
				err, MLB_ENOTFOUND,
				"there is no '%s': give '%s' a value, as in '%s=%s'; it has %s",
				word, key, key, values.v[0], mlb_buf_str(&some));
		} else if (!has(&values, value, value_len)) {
			near = mlb_nearest(value, (const char *const *)values.v, values.n);
			mlb_add_some(&some, (const char *const *)values.v, values.n);
			rc = mlb_err_set(err, MLB_ENOTFOUND,
					 "there is no '%s': '%s' has no %s=%s; %s%s", word, base,
					 key, value, near ? "nearest: " : "it has ",
					 near ? near : mlb_buf_str(&some));
		}
	}
	if (rc == 0)
		rc = mlb_err_set(err, MLB_ENOTFOUND, "there is no '%s'", word);
	mlb_strvec_release(&keys);
	mlb_strvec_release(&values);
	mlb_buf_release(&some);
	mlb_arena_release(&arena);
	return rc;
}

static int
unknown_word(const struct mlb_graph *g, const char *word, struct mlb_err *err)
{
	MLB_VEC(const char *) known = MLB_VEC_INIT;
	const char *near;
	int rc;

	for (uint32_t i = 0; i < g->n_nodes; i++) {
		const char *base = mlb_g_str(g, g->node[i].base);
		size_t len = strlen(base);

		if (strncmp(word, base, len) == 0 && word[len] == '@')
			return unknown_instance(g, word, err);
	}
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		mlb_vec_push(&known, mlb_g_str(g, g->node[i].base));
		mlb_vec_push(&known, mlb_g_str(g, g->node[i].name));
	}
	for (uint32_t i = 0; i < g->n_outputs; i++)
		mlb_vec_push(&known, mlb_g_path(g, g->output[i].path));
	for (int k = 0; k < MLB_N_KINDS; k++)
		mlb_vec_push(&known, mlb_kind_names[k]);
	near = mlb_nearest(word, known.v, known.n);
	if (kind_of_word(word) >= 0)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "there is no %s in this project: 'mlbuild ls' lists what there is",
				 word);
	else if (near)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "there is no target, kind or output '%s': did you mean '%s'?",
				 word, near);
	else
		rc = mlb_err_set(
			err, MLB_ENOTFOUND,
			"there is no target, kind or output '%s': 'mlbuild ls' lists what there is",
			word);
	mlb_vec_release(&known);
	return rc;
}

static int
mark_word(const struct mlb_project *p, const char *word, uint8_t *mark, struct mlb_err *err)
{
	const struct mlb_graph *g = p->graph;
	bool glob = mlb_glob_is(word), found = false;
	int kind;

	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (node_matches(g, &g->node[i], word, glob))
			mark[i] = found = true;
	if (found)
		return 0;
	kind = kind_of_word(word);
	for (uint32_t i = 0; kind >= 0 && i < g->n_nodes; i++)
		if (g->node[i].kind == (uint32_t)kind)
			mark[i] = found = true;
	if (found || mark_path(p, word, mark))
		return 0;
	return unknown_word(g, word, err);
}

int
mlb_select_words(const struct mlb_project *p, const char *const *word, size_t n, uint8_t *mark,
		 struct mlb_err *err)
{
	struct mlb_buf all = MLB_BUF_INIT(MAX_MESSAGE);
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		struct mlb_err one = MLB_ERR_INIT;

		if (mark_word(p, word[i], mark, &one) == 0)
			continue;
		rc = one.code;
		if (all.len)
			mlb_buf_addc(&all, '\n');
		mlb_buf_adds(&all, one.text);
		mlb_err_release(&one);
	}
	if (rc)
		rc = mlb_err_set(err, (enum mlb_code)rc, "%s", mlb_buf_str(&all));
	mlb_buf_release(&all);
	return rc;
}

/* A bare `mlbuild`: the project's default, else every target but tasks. */
static void
mark_default(const struct mlb_graph *g, uint8_t *mark)
{
	for (uint32_t i = 0; i < g->defaults.n; i++)
		mark[g->index[g->defaults.first + i]] = 1;
	for (uint32_t i = 0; g->defaults.n == 0 && i < g->n_nodes; i++)
		mark[i] = g->node[i].kind != MLB_K_TASK;
}

static void
mark_locked(const struct mlb_graph *g, const struct mlb_lockfile *lock, uint8_t *mark)
{
	for (uint32_t i = 0; i < g->n_nodes; i++) {
		const char *base = mlb_g_str(g, g->node[i].base);

		if (g->node[i].kind != MLB_K_TASK &&
		    (mlb_strmap_find(&lock->map, mlb_g_str(g, g->node[i].name),
				     strlen(mlb_g_str(g, g->node[i].name))) ||
		     mlb_strmap_find(&lock->map, base, strlen(base))))
			mark[i] = 1;
	}
}

static void
want_range(struct mlb_plan *plan, struct mlb_range r)
{
	for (uint32_t i = 0; i < r.n; i++)
		plan->node[plan->g->index[r.first + i]].wanted = true;
}

/*
 * The closure, by one pass from the last node to the first (they are in
 * topological order). Every check that gates a wanted node is wanted too.
 */
static void
close_over(struct mlb_plan *plan)
{
	const struct mlb_graph *g = plan->g;

	for (uint32_t i = g->n_nodes; i-- > 0;) {
		if (!plan->node[i].wanted)
			continue;
		plan->n_wanted++;
		if (plan->only) {
			/* What an input's guards say is heard, though nothing is made for them. */
			if (plan->node[i].asked && !plan->p->adopting)
				want_range(plan, g->node[i].gate);
			continue;
		}
		want_range(plan, g->node[i].dep);
		want_range(plan, g->node[i].gate);
	}
}

/* --downstream: users of what was named, in topological order. Tasks run only when named. */
static void
add_downstream(struct mlb_plan *plan, uint8_t *mark)
{
	const struct mlb_graph *g = plan->g;

	for (uint32_t i = 0; i < g->n_nodes; i++)
		for (uint32_t d = 0; d < g->node[i].dep.n && g->node[i].kind != MLB_K_TASK; d++)
			if (mark[g->index[g->node[i].dep.first + d]])
				mark[i] = 1;
}

/*
 * Checks that guard what is asked for belong to the closure, though nothing in
 * it may wait for them: a gate on the model itself has to be heard.
 */
static void
add_guards(struct mlb_plan *plan)
{
	const struct mlb_graph *g = plan->g;

	for (uint32_t i = 0; i < g->n_nodes; i++)
		for (uint32_t k = 0; k < g->node[i].guards.n; k++)
			if (plan->node[g->index[g->node[i].guards.first + k]].wanted)
				plan->node[i].wanted = true;
}

static int
cannot_update(const struct mlb_graph *g, uint32_t n, struct mlb_err *err)
{
	const char *name = mlb_g_str(g, g->node[n].name);

	if (g->node[n].flags & MLB_G_SOURCE)
		return mlb_err_set(err, MLB_EINVALID,
				   "'%s' is a source, so there is nothing to update: what is at its "
				   "path counts as it is",
				   name);
	if (g->node[n].kind == MLB_K_TASK)
		return mlb_err_set(
			err, MLB_EINVALID,
			"'%s' is a task, so there is nothing to update: 'mlbuild %s' runs it", name,
			name);
	return mlb_err_set(
		err, MLB_EINVALID,
		"'%s' is not frozen, so there is nothing to update: 'mlbuild -f %s' runs it again",
		name, name);
}

/* --force: what is frozen stays so, and an error where nothing else is named. */
static int
force(struct mlb_plan *plan, const uint8_t *mark, struct mlb_err *err)
{
	const struct mlb_graph *g = plan->g;
	uint32_t frozen = MLB_NONE;
	bool any = false;

	for (uint32_t i = 0; i < g->n_nodes; i++) {
		if (!mark[i])
			continue;
		if (g->node[i].flags & MLB_G_FROZEN && !plan->p->past)
			frozen = i;
		else
			any = plan->node[i].forced = true;
	}
	if (any || frozen == MLB_NONE)
		return 0;
	return mlb_err_set(err, MLB_EINVALID, "'%s' is frozen: 'mlbuild update %s' makes it anew",
			   mlb_g_str(g, g->node[frozen].name), mlb_g_str(g, g->node[frozen].name));
}

int
mlb_select_marks(const struct mlb_project *p, const struct mlb_plan_options *o, uint8_t *mark,
		 struct mlb_err *err)
{
	if (o->n_words)
		return mlb_select_words(p, o->word, o->n_words, mark, err);
	mark_default(p->graph, mark);
	if (o->also)
		mark_locked(p->graph, o->also, mark);
	return 0;
}

int
mlb_plan_select(struct mlb_plan *plan, const struct mlb_plan_options *o, struct mlb_err *err)
{
	const struct mlb_graph *g = plan->g;
	uint8_t *mark = mlb_arena_alloc(&plan->arena, g->n_nodes + 1);
	int rc = mlb_select_marks(plan->p, o, mark, err);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < g->n_nodes && o->update && rc == 0; i++)
		if (mark[i] && !(g->node[i].flags & MLB_G_FROZEN))
			rc = cannot_update(g, i, err);
	if (rc == 0 && o->n_words && o->force)
		rc = force(plan, mark, err);
	if (rc)
		return rc;
	if (o->downstream)
		add_downstream(plan, mark);
	for (uint32_t i = 0; i < g->n_nodes; i++)
		if (mark[i]) {
			plan->node[i].asked = plan->node[i].wanted = true;
			plan->node[i].need_present = true;
		}
	if (!plan->only) {
		/* Guards' own inputs may be guarded in turn: a fixed point, reached in a few rounds. */
		uint32_t before;

		do {
			before = plan->n_wanted;
			plan->n_wanted = 0;
			close_over(plan);
			add_guards(plan);
		} while (plan->n_wanted != before);
	} else {
		close_over(plan);
	}
	return 0;
}
