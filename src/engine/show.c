/* Artifacts and runs as they were recorded. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/by_hand.h"
#include "engine/each.h"
#include "engine/known.h"
#include "engine/metrics.h"
#include "engine/origin.h"
#include "engine/show.h"
#include "engine/words.h"

enum { MAX_TEXT = 256 << 20, MOST_COMMITS = 1000 };

/* What the history of several artifacts needs, opened once. */
struct past {
	struct mlb_versions here, head; /* the locks of the workspace and of HEAD */
	char commit[MLB_OID_HEX + 1];   /* HEAD's */
	struct mlb_lineages line;
};

struct shown {
	struct mlb_plan *plan;
	struct mlb_arena arena;
	struct mlb_artifact a;
};

/* An object's bytes as text; "" if it is not there. */
static const char *
object_text(struct shown *s, const struct mlb_digest *d)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	const char *t = "";

	if (!mlb_digest_is_zero(d) && mlb_cas_read(s->plan->p->cas, &text, d, NULL) == 0)
		t = mlb_arena_strndup(&s->arena, mlb_buf_str(&text), text.len);
	mlb_buf_release(&text);
	return t;
}

/* As one line of JSON; "" where they cannot be read. */
static const char *
metrics_text(struct shown *s, const char *path, const struct mlb_digest *d)
{
	const char *raw = object_text(s, d), *own;
	char *json = mlb_metrics_text(path, raw, strlen(raw));

	own = json ? mlb_arena_strdup(&s->arena, json) : "";
	free(json);
	return own;
}

static void
fill_outputs(struct shown *s, uint32_t n)
{
	const struct mlb_graph *g = s->plan->g;
	const struct mlb_range out = g->node[n].out;
	struct mlb_artifact_output *o = mlb_arena_alloc(&s->arena, (out.n + 1) * sizeof(*o));

	for (uint32_t i = 0; i < out.n; i++) {
		const struct mlb_now *now = &s->plan->out[out.first + i];

		if (!now->kind)
			continue;
		o[s->a.n_outputs].path = mlb_g_path(g, g->output[out.first + i].path);
		o[s->a.n_outputs].kind = mlb_okind_word(now->kind);
		o[s->a.n_outputs].digest = mlb_hex_of(&s->arena, &now->digest);
		o[s->a.n_outputs++].size = now->size;
		if (now->kind == MLB_O_METRICS)
			s->a.metrics = metrics_text(s, o[s->a.n_outputs - 1].path, &now->digest);
	}
	s->a.output = o;
}

/* Of the file that stands for the paths of one instance, or of several of one target; NULL: they are in one before. */
static const char *
list_name(struct shown *s, uint32_t n, uint32_t i)
{
	const struct mlb_graph *g = s->plan->g;
	const struct mlb_g_node *node = &g->node[g->index[g->node[n].list.first + i]];
	uint32_t group = mlb_action_list_group(g, n, i);

	if (group == 0)
		return NULL;
	return mlb_arena_printf(&s->arena, "%s/" MLB_BY_HAND_DIR "/%s.list", s->plan->p->root,
				mlb_g_str(g, group > 1 ? node->base : node->name));
}

static void
fill_command(struct shown *s, uint32_t n)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	const char *scratch = mlb_arena_printf(&s->arena, "%s/" MLB_BY_HAND_DIR, s->plan->p->root);
	const struct mlb_range list = s->plan->g->node[n].list;
	const char **path = mlb_arena_alloc(&s->arena, (list.n + 1) * sizeof(*path));
	struct mlb_action a;

	/* The command of an `each` target is that of its first file; of one that is current the files are not known yet. */
	if (s->plan->g->node[n].flags & MLB_G_EACH && !s->plan->node[n].each)
		mlb_each_expand(s->plan, n, NULL);
	if (s->plan->node[n].each && s->plan->node[n].each->n)
		mlb_each_item_action(s->plan, n, &s->plan->node[n].each->item[0], &s->arena, &a);
	else
		mlb_node_action(s->plan, n, &s->arena, &a);
	for (uint32_t i = 0; i < list.n; i++)
		path[i] = list_name(s, n, i);
	if (mlb_action_command(&text, &a, scratch, path, list.n, NULL) == 0)
		s->a.command = mlb_arena_strndup(&s->arena, mlb_buf_str(&text), text.len);
	mlb_buf_clear(&text);
	mlb_by_hand(&text, s->plan, n, &a, s->a.command, path);
	s->a.by_hand = mlb_arena_strndup(&s->arena, mlb_buf_str(&text), text.len);
	mlb_buf_clear(&text);
	mlb_action_text(&text, s->plan->g, &a);
	s->a.action = mlb_arena_strndup(&s->arena, mlb_buf_str(&text), text.len);
	s->a.dir = a.dir;
	mlb_buf_release(&text);
}

static void
fill_result(struct shown *s, const struct mlb_result *r)
{
	s->a.commit = r->pin;
	s->a.run = r->run;
	s->a.platform = r->platform;
	s->a.started = r->started;
	s->a.duration = r->duration;
	s->a.max_rss = r->max_rss;
	s->a.log = object_text(s, &r->log);
}

static int
newest_failure(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct shown *s = ctx;

	(void)err;
	/* The newest try decides: a failure that was mended since is of no interest. */
	if (strcmp(a->what, "failed") == 0)
		s->a.failed_log = object_text(s, &a->log);
	return 1;
}

/* The newest commit whose lock names its first output: most often HEAD. */
static const char *
locked_by(struct shown *s, const struct past *past, uint32_t n)
{
	const struct mlb_range out = s->plan->g->node[n].out;
	const struct mlb_now *now = &s->plan->out[out.first];
	const struct mlb_version *v = mlb_versions_find(&past->head, s->a.node);
	char commit[MLB_OID_HEX + 1] = "";

	if (!s->plan->p->vcs || !out.n || !now->kind)
		return "";
	for (uint32_t i = 0; v && i < v->n_outputs; i++)
		if (mlb_digest_equal(&v->output[i].digest, &now->digest))
			return past->commit;
	/* A repository that cannot be read costs no more than this. */
	(void)mlb_origin_locked(commit, s->plan->p, &now->digest, MOST_COMMITS, NULL);
	return mlb_arena_strdup(&s->arena, commit);
}

static void
fill_history(struct shown *s, struct past *past, uint32_t n)
{
	s->a.locked_by = locked_by(s, past, n);
	if (!s->a.key[0])
		return;
	mlb_lineage_find(&past->line, *s->a.locked_by ? s->a.locked_by : NULL, s->a.node, s->a.kind,
			 &s->plan->node[n].key);
	s->a.lineage = past->line.all.v;
	s->a.n_lineage = past->line.all.n;
}

/* Bytes that are known are told, also of what a check's no keeps from being put in place. */
static bool
is_known(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_node *node = &plan->node[n];
	const struct mlb_range out = plan->g->node[n].out;
	bool no = false;

	if (node->fate == MLB_FATE_CURRENT || node->fate == MLB_FATE_RESTORE ||
	    node->fate == MLB_FATE_NO)
		return true;
	if (node->fate != MLB_FATE_BLOCKED || !node->key_known || !out.n ||
	    plan->g->node[n].flags & (MLB_G_EACH | MLB_G_SOURCE))
		return false;
	return mlb_known_result(plan, n, &no, NULL) == 0;
}

static int
show_node(struct mlb_plan *plan, uint32_t n, struct past *past,
	  int (*fn)(void *ctx, const struct mlb_artifact *a), void *ctx, struct mlb_err *err)
{
	struct shown s = { .plan = plan };
	struct mlb_err ignored = MLB_ERR_INIT;
	const struct mlb_node *node = &plan->node[n];
	struct mlb_result r;
	int rc;

	s.a.node = mlb_g_str(plan->g, plan->g->node[n].name);
	s.a.kind = mlb_kind_names[plan->g->node[n].kind];
	s.a.key = s.a.command = s.a.action = s.a.commit = s.a.run = s.a.platform = s.a.metrics =
		s.a.log = "";
	s.a.failed_log = s.a.by_hand = "";
	s.a.dir = ".";
	s.a.known = is_known(plan, n);
	s.a.blocked = node->fate == MLB_FATE_BLOCKED ? node->reason : "";
	s.a.rev = s.a.locked_by = "";
	s.a.verdict = "";
	if (s.a.known && plan->g->node[n].kind == MLB_K_CHECK)
		s.a.verdict = node->fate == MLB_FATE_NO ? "no" : "yes";
	if (s.a.known)
		fill_outputs(&s, n);
	if (!(plan->g->node[n].flags & MLB_G_SOURCE) && node->key_known) {
		fill_command(&s, n);
		if (!(plan->g->node[n].flags & MLB_G_EACH))
			s.a.key = mlb_hex_of(&s.arena, &node->key);
		if (mlb_results_find(plan->p->results, &r, &s.arena, &node->key, &ignored) == 0)
			fill_result(&s, &r);
		mlb_err_release(&ignored);
	}
	rc = mlb_run_actions(plan->p->db, NULL, s.a.node, 1, newest_failure, &s, err);
	if (rc >= 0 && past && s.a.known)
		fill_history(&s, past, n);
	if (rc >= 0)
		rc = fn(ctx, &s.a);
	mlb_arena_release(&s.arena);
	return rc;
}

int
mlb_show(struct mlb_project *p, const char *word, mlb_artifact_fn *fn, void *ctx,
	 struct mlb_err *err)
{
	return mlb_show_now(p, word, false, fn, ctx, err);
}

static int
open_past(struct past *past, struct mlb_project *p, struct mlb_err *err)
{
	int rc = mlb_versions_at(&past->here, p, NULL, err);

	if (rc == 0 && p->vcs && mlb_vcs_head(p->vcs, past->commit, NULL) == 0 && past->commit[0])
		(void)mlb_versions_at(&past->head, p, past->commit, NULL);
	mlb_lineage_init(&past->line, p, &past->here);
	return rc;
}

int
mlb_show_now(struct mlb_project *p, const char *word, bool history,
	     int (*fn)(void *ctx, const struct mlb_artifact *a), void *ctx, struct mlb_err *err)
{
	struct mlb_plan_options o = { .word = &word, .n_words = 1 };
	struct mlb_plan *plan = NULL;
	struct past past;
	int rc = mlb_plan_new(&plan, p, &o, err);

	memset(&past, 0, sizeof(past));
	if (rc == 0)
		rc = mlb_plan_simulate(plan, err);
	if (rc == 0)
		rc = mlb_project_cache(p, err);
	if (rc == 0 && history)
		rc = open_past(&past, p, err);
	for (uint32_t i = 0; rc == 0 && i < plan->g->n_nodes; i++)
		if (plan->node[i].asked)
			rc = show_node(plan, i, history ? &past : NULL, fn, ctx, err);
	mlb_lineage_release(&past.line);
	mlb_versions_release(&past.head);
	mlb_versions_release(&past.here);
	mlb_plan_free(plan);
	return rc < 0 ? rc : 0;
}
