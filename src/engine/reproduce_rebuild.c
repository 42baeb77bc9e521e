/*
 * Every stage again, in a private directory with a cache of its own: nothing of
 * what others know is used, and nothing of it is told to them.
 *
 * Targets that say `deterministic = no` are made last, alone: their consumers read
 * the bytes that the lock names, so that these can be compared at all.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/past.h"
#include "engine/reproduce.h"
#include "os/fs.h"
#include "os/io.h"
#include "store/tree.h"

enum { MAX_ACTION = 256 << 20, MAX_LINES = 1 << 20 };

/* One building of all of it. */
struct rebuild {
	struct mlb_repro *r;
	struct mlb_nested_root *root;
	struct mlb_project **project;
	bool again;    /* the second one, of --twice */
	bool fed_only; /* what is made now is what was fed before */
};

static struct mlb_repro_target *
find_target(struct mlb_repro *r, const char *name)
{
	const struct mlb_strmap_entry *e = mlb_strmap_find(&r->by_name, name, strlen(name));

	return e ? &r->target[e->u.num] : NULL;
}

/* ---------------------------------------------------------- events */

static const char *
blocked_text(struct rebuild *b, const struct mlb_repro_target *t, const struct mlb_event *e)
{
	struct mlb_repro *r = b->r;
	const struct mlb_repro_target *by = e->by[0] ? find_target(r, e->by) : NULL;
	const char *absent = mlb_repro_absent(r, b->root, by ? by->node : t->node);

	if (absent)
		return absent;

	/* What is at the bottom of it says more than what is in between. */
	if (by && by->stopped && (by->source || strncmp(by->stopped, "its source ", 11) == 0))
		return by->stopped;
	return mlb_arena_strndup(&r->arena, e->text, e->len);
}

/* Its log and what it left are gone at the end: only their text is told. */
static void
tell(struct mlb_repro *r, const struct mlb_event *e)
{
	struct mlb_event told = *e;
	struct mlb_failure failure;

	if (e->failure) {
		failure = *e->failure;
		failure.log_path = failure.kept = "";
		told.failure = &failure;
	}
	if (r->opt->on_event)
		r->opt->on_event(r->opt->ctx, &told);
}

static void
listen(void *ctx, const struct mlb_event *e)
{
	struct rebuild *b = ctx;
	struct mlb_repro_target *t = e->node[0] ? find_target(b->r, e->node) : NULL;

	if (t && e->type == MLB_EV_BUILT && !e->n_files)
		t->duration = e->duration;
	else if (t && e->type == MLB_EV_BUILT)
		t->duration += e->duration;
	else if (t && e->type == MLB_EV_FAILED && e->failure)
		t->stopped = mlb_arena_printf(&b->r->arena, "it failed: %s", e->failure->reason);
	else if (t && e->type == MLB_EV_BLOCKED && !t->stopped)
		t->stopped = blocked_text(b, t, e);
	tell(b->r, e);
}

/* ---------------------------------------------------------- what came of it */

static bool
same_outputs(const struct mlb_repro_side *a, const struct mlb_repro_side *b)
{
	if (!a->have || !b->have || a->output.n != b->output.n)
		return false;
	for (size_t i = 0; i < a->output.n; i++)
		if (strcmp(a->output.v[i].path, b->output.v[i].path) != 0 ||
		    !mlb_digest_equal(&a->output.v[i].now.digest, &b->output.v[i].now.digest))
			return false;
	return true;
}

/* How the action that was run differs from the one of the known result. */
static const char *
changes(struct mlb_repro *r, struct mlb_plan *plan, uint32_t n, const struct mlb_repro_target *t)
{
	struct mlb_buf was = MLB_BUF_INIT(MAX_ACTION), is = MLB_BUF_INIT(MAX_ACTION),
		       diff = MLB_BUF_INIT(MAX_LINES);
	struct mlb_arena arena = MLB_ARENA_INIT;
	const struct mlb_repro_side *other = r->opt->twice ? &t->built : &t->known;
	struct mlb_cas *cas = r->opt->twice ? r->built->cas : r->known->cas;
	struct mlb_action action;
	const char *out = "";

	if (mlb_cas_read(cas, &was, &other->key, NULL) == 0) {
		mlb_node_action(plan, n, &arena, &action);
		mlb_action_text(&is, plan->g, &action);
		mlb_action_diff(&diff, mlb_buf_str(&was), mlb_buf_str(&is));
		out = mlb_arena_strdup(&r->arena, mlb_buf_str(&diff));
	}
	mlb_arena_release(&arena);
	mlb_buf_release(&diff);
	mlb_buf_release(&is);
	mlb_buf_release(&was);
	return out;
}

static int
collect(void *ctx, struct mlb_plan *plan, struct mlb_err *err)
{
	struct rebuild *b = ctx;
	struct mlb_repro *r = b->r;

	(void)err;
	for (uint32_t n = 0; n < plan->g->n_nodes; n++) {
		struct mlb_repro_target *t =
			find_target(r, mlb_g_str(plan->g, plan->g->node[n].name));
		struct mlb_repro_side *side = t && b->again ? &t->again : t ? &t->built : NULL;
		const struct mlb_repro_side *other;
		uint8_t phase = plan->node[n].phase;

		if (!t || !plan->node[n].wanted || t->fed != b->fed_only ||
		    (phase != MLB_PH_DONE && phase != MLB_PH_REFUSED))
			continue;
		mlb_repro_outputs(r, plan, n, side);
		side->said_no = phase == MLB_PH_REFUSED;
		other = r->opt->twice ? &t->built : &t->known;
		if (!t->source && !t->each && b->again == r->opt->twice &&
		    (!same_outputs(other, side) || !mlb_digest_equal(&other->key, &side->key)))
			t->changes = changes(r, plan, n, t);
	}
	return 0;
}

/* ---------------------------------------------------------- before it */

static int
place_source(struct rebuild *b, struct mlb_repro_target *t, struct mlb_err *err)
{
	const struct mlb_repro_output *o = &t->known.output.v[0];
	char *to = mlb_asprintf("%s/%s", b->root->path, o->path);
	int rc = 0;

	if (!mlb_fs_exists(to))
		rc = mlb_nested_source(b->root->path, &b->r->nested, b->r->known->cas, o->path,
				       &o->now, err);
	if (rc == MLB_ENOTFOUND) {
		t->stopped = mlb_arena_printf(
			&b->r->arena,
			"its source '%s' is neither in git, nor in the cache, nor in the workspace: "
			"a colleague, or a remote, may have it",
			o->path);
		rc = 0;
	}
	free(to);
	return rc;
}

/* The known bytes of what says that it gives others each time; all of them or none. */
static int
feed(struct rebuild *b, struct mlb_repro_target *t, struct mlb_err *err)
{
	struct mlb_repro *r = b->r;
	const char *lost = NULL;
	int rc = mlb_repro_restore(r, r->known->cas, &t->known, b->root->path, &lost, err);

	for (size_t i = 0; i < t->known.output.n && rc == 0; i++) {
		const struct mlb_repro_output *o = &t->known.output.v[i];
		char *path = mlb_asprintf("%s/%s", b->root->path, o->path);
		struct mlb_digest d;

		if (lost)
			rc = mlb_fs_remove_tree(path, err);
		else if (o->now.kind == MLB_O_TREE)
			rc = mlb_tree_store(&d, NULL, path, (*b->project)->cas, err);
		else
			rc = mlb_cas_put_file((*b->project)->cas, &d, NULL, path, err);
		free(path);
	}
	if (rc == 0 && !lost) {
		t->fed = true;
		mlb_strmap_set(&r->fed, t->name,
			       &r->plan->out[r->plan->g->node[t->node].out.first]);
	}
	return rc;
}

/* Outputs that were committed are not what was there before they are made. */
static int
clear(struct rebuild *b, const struct mlb_repro_target *t, struct mlb_err *err)
{
	const struct mlb_graph *g = b->r->plan->g;
	const struct mlb_range out = g->node[t->node].out;
	int rc = 0;

	for (uint32_t i = 0; i < out.n && rc == 0 && !t->each; i++) {
		char *path = mlb_asprintf("%s/%s", b->root->path,
					  mlb_g_path(g, g->output[out.first + i].path));

		rc = mlb_fs_remove_tree(path, err);
		free(path);
	}
	for (size_t i = 0; i < t->known.output.n && rc == 0 && t->each; i++) {
		char *path = mlb_asprintf("%s/%s", b->root->path, t->known.output.v[i].path);

		rc = mlb_fs_remove_tree(path, err);
		free(path);
	}
	return rc;
}

/* Directories on the way to what will be written are no links: what they lead to is not ours. */
static int
cut_links(const char *root, const char *path, struct mlb_err *err)
{
	char *full = mlb_asprintf("%s/%s", root, path);
	int rc = 0;

	for (char *s = strchr(full + strlen(root) + 1, '/'); s && rc == 0; s = strchr(s + 1, '/')) {
		struct mlb_stat st;

		*s = '\0';
		rc = mlb_fs_lstat(&st, full, err);
		if (rc == 0 && st.type == MLB_F_SYMLINK)
			rc = mlb_fs_unlink(full, err);
		*s = '/';
	}
	free(full);
	return rc;
}

static int
cut_links_to(struct rebuild *b, const struct mlb_repro_target *t, struct mlb_err *err)
{
	const struct mlb_graph *g = b->r->plan->g;
	const struct mlb_range out = g->node[t->node].out;
	int rc = 0;

	for (uint32_t i = 0; i < out.n && rc == 0; i++) {
		const char *path = mlb_g_path(g, g->output[out.first + i].path);
		char *full = mlb_asprintf("%s/%s", b->root->path, path);

		if (!t->source || !mlb_fs_exists(full))
			rc = cut_links(b->root->path, path, err);
		free(full);
	}
	for (size_t i = 0; i < t->known.output.n && rc == 0 && t->each; i++)
		rc = cut_links(b->root->path, t->known.output.v[i].path, err);
	return rc;
}

static int
prepare(struct rebuild *b, struct mlb_err *err)
{
	struct mlb_repro *r = b->r;
	int rc = 0;

	for (size_t i = 0; i < r->n_targets && rc == 0; i++)
		rc = cut_links_to(b, &r->target[i], err);
	for (size_t i = 0; i < r->n_targets && rc == 0; i++) {
		struct mlb_repro_target *t = &r->target[i];

		if (!t->source)
			rc = clear(b, t, err);
		if (rc)
			break;
		if (t->source && t->known.have)
			rc = place_source(b, t, err);
		else if (t->nondet && !t->each && t->known.have && t->known.output.n &&
			 (!b->again || t->fed))
			rc = feed(b, t, err);
		if (rc == 0 && mlb_nested_cancelled(&r->nested))
			rc = mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
	}
	return rc;
}

/* ---------------------------------------------------------- one building */

static int
open_project(struct rebuild *b, struct mlb_err *err)
{
	struct mlb_repro *r = b->r;
	const struct mlb_nested_open open = { .root = b->root,
					      .param = (const char *const *)r->params.v,
					      .n_params = r->params.n,
					      .past = MLB_PAST_REBUILD };
	struct mlb_project *p;
	int rc = mlb_nested_project(b->project, &r->nested, &open, err);

	if (rc)
		return rc;
	p = *b->project;
	p->cache_dir = mlb_asprintf("%s/cache/v1", p->state_dir);
	mlb_project_set_io(p, &mlb_io_fleeting);
	p->fed = b->fed_only ? NULL : &r->fed;
	p->on_done = collect;
	p->done_ctx = b;
	return mlb_project_cache(p, err);
}

static void
add_words(struct rebuild *b, struct mlb_strvec *word)
{
	for (size_t i = 0; i < b->r->n_targets; i++) {
		const struct mlb_repro_target *t = &b->r->target[i];

		if (b->fed_only ? t->fed : t->asked && !t->source)
			mlb_strvec_push(word, t->name);
	}
}

/* That targets fail is what there is to tell, and no error. */
static int
build(struct rebuild *b, struct mlb_err *err)
{
	struct mlb_strvec word = MLB_VEC_INIT;
	struct mlb_err why = MLB_ERR_INIT;
	struct mlb_report report = { 0 };
	struct mlb_build o = { .jobs = b->r->opt->jobs,
			       .keep_going = true,
			       .force = b->fed_only,
			       .only = b->fed_only,
			       .command_line = "mlbuild reproduce",
			       .on_event = listen,
			       .ctx = b };
	int rc = 0;

	add_words(b, &word);
	o.word = (const char *const *)word.v;
	o.n_words = word.n;
	if (word.n)
		rc = mlb_build(*b->project, &o, &report, &why);
	if (rc == MLB_EFAILED || rc == MLB_ECHECK)
		rc = 0;
	if (rc)
		mlb_err_set(err, why.code, "%s", why.text ? why.text : "the build ended early");
	mlb_err_release(&why);
	mlb_report_release(&report);
	mlb_strvec_release(&word);
	return rc;
}

static int
rebuild(struct rebuild *b, struct mlb_err *err)
{
	int rc = open_project(b, err);

	if (rc == 0)
		rc = mlb_nested_expose(b->root, &b->r->nested, b->r->known->config, err);
	if (rc == 0)
		rc = mlb_nested_lfs(b->root, &b->r->nested, b->r->known->cas, err);
	if (rc == 0)
		rc = prepare(b, err);
	if (rc == 0)
		rc = build(b, err);
	if (rc || !b->r->fed.n)
		return rc;
	/* Another handle, because this one's files have been judged. */
	mlb_project_close(*b->project);
	*b->project = NULL;
	b->fed_only = true;
	rc = open_project(b, err);
	return rc ? rc : build(b, err);
}

int
mlb_repro_rebuild(struct mlb_repro *r, struct mlb_err *err)
{
	struct rebuild first = { .r = r, .root = &r->root, .project = &r->built };
	struct rebuild second = { .r = r, .root = &r->second, .project = &r->again, .again = true };
	int rc = rebuild(&first, err);

	if (rc == 0 && r->opt->twice) {
		const struct mlb_event e = { .type = MLB_EV_NOTE,
					     .node = "",
					     .kind = "",
					     .by = "",
					     .text = "all of it once more",
					     .len = 19 };

		tell(r, &e);
	}
	if (rc == 0 && r->opt->twice)
		rc = mlb_nested_tree(&r->second, &r->nested, r->commit, "b", err);
	if (rc == 0 && r->opt->twice)
		rc = rebuild(&second, err);
	return rc;
}
