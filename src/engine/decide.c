/*
 * What happens to a node whose inputs are all known, and why. Build, --dry-run,
 * status and why all come here, so that what they say is what will be done.
 *
 * Order: the workspace has the result; the lock names it; the local cache has
 * it; otherwise it runs. A key holds the content of the inputs and not their
 * history, so early cutoff needs no rule of its own.
 */
#include "engine/project.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/each.h"
#include "engine/known.h"
#include "engine/past.h"
#include "engine/remotes.h"
#include "graph/near_path.h"
#include "os/fs.h"

enum { MAX_ACTION = 256 << 20 };

static uint8_t
okind_of_path(uint8_t pkind)
{
	switch (pkind) {
	case MLB_P_FILE:
		return MLB_O_FILE;
	case MLB_P_EXEC:
		return MLB_O_EXEC;
	case MLB_P_TREE:
		return MLB_O_TREE;
	default:
		return 0;
	}
}

static struct mlb_now
path_now(const struct mlb_plan *plan, uint32_t path)
{
	const struct mlb_path_state *s = &plan->p->scan.state[path];
	struct mlb_now now = { s->digest, s->size, okind_of_path(s->kind) };

	return now;
}

struct mlb_now
mlb_output_on_disk(const struct mlb_plan *plan, uint32_t output)
{
	struct mlb_now now = path_now(plan, plan->g->output[output].path);

	if (plan->g->output[output].kind == MLB_G_METRICS && now.kind == MLB_O_FILE)
		now.kind = MLB_O_METRICS;
	return now;
}

struct mlb_now
mlb_input_now(const struct mlb_plan *plan, const struct mlb_g_input *in)
{
	struct mlb_now now;
	uint32_t out;

	if (in->producer == MLB_NONE || !plan->node[in->producer].wanted)
		return path_now(plan, in->path);
	out = plan->out_of_path[in->path];
	now = plan->out[out];
	if (now.kind == MLB_O_METRICS)
		now.kind = MLB_O_FILE;
	return now;
}

struct mlb_now
mlb_input_on_disk(const struct mlb_plan *plan, const struct mlb_g_input *in)
{
	return path_now(plan, in->path);
}

bool
mlb_output_in_place(const struct mlb_plan *plan, uint32_t output)
{
	struct mlb_now disk = mlb_output_on_disk(plan, output);

	return disk.kind && disk.kind == plan->out[output].kind &&
	       mlb_digest_equal(&disk.digest, &plan->out[output].digest);
}

uint32_t
mlb_output_node(const struct mlb_plan *plan, uint32_t output)
{
	return plan->g->path_producer[plan->g->output[output].path];
}

static bool
all_in_place(const struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range out = plan->g->node[n].out;

	if (mlb_is_variant(plan->p))
		return false;
	for (uint32_t i = 0; i < out.n; i++)
		if (!mlb_output_in_place(plan, out.first + i))
			return false;
	return true;
}

void
mlb_outs_digest(struct mlb_digest *out, const struct mlb_now *now, size_t n)
{
	struct mlb_sha256 h;

	mlb_sha256_init(&h);
	for (size_t i = 0; i < n; i++) {
		mlb_sha256_update(&h, &now[i].kind, 1);
		mlb_sha256_update(&h, now[i].digest.b, MLB_DIGEST_LEN);
	}
	mlb_sha256_final(&h, out);
}

/* away: remotes count, too. */
static bool
are_available(struct mlb_plan *plan, uint32_t n, bool away)
{
	const struct mlb_range out = plan->g->node[n].out;

	if (mlb_project_cache(plan->p, NULL))
		return false;
	for (uint32_t i = 0; i < out.n; i++) {
		uint32_t o = out.first + i;

		if (!plan->out[o].kind)
			return false;
		if (!mlb_is_variant(plan->p) && mlb_output_in_place(plan, o))
			continue;
		if (!mlb_cas_has(plan->p->cas, &plan->out[o].digest) &&
		    !(away && mlb_remotes_have(plan->p->remotes, &plan->out[o].digest)))
			return false;
	}
	return true;
}

bool
mlb_outputs_here(struct mlb_plan *plan, uint32_t n)
{
	return are_available(plan, n, false);
}

bool
mlb_outputs_available(struct mlb_plan *plan, uint32_t n)
{
	return are_available(plan, n, !plan->node[n].unfetchable);
}

void
mlb_node_action(struct mlb_plan *plan, uint32_t n, struct mlb_arena *arena, struct mlb_action *out)
{
	const struct mlb_graph *g = plan->g;
	const struct mlb_g_node *node = &g->node[n];
	struct mlb_digest *fp = mlb_arena_alloc(arena, (node->fp.n + 1) * sizeof(*fp));

	mlb_action_from_node(out, arena, g, n);
	for (uint32_t i = 0; i < node->in.n; i++) {
		struct mlb_now now = mlb_input_now(plan, &g->input[node->in.first + i]);

		out->input[i].kind = now.kind;
		out->input[i].digest = now.digest;
	}
	for (uint32_t i = 0; i < node->fp.n; i++)
		fp[i] = plan->fp[node->fp.first + i];
	out->fp_digest = fp;
	out->stamp = plan->node[n].stamp;
}

static void
signature(const struct mlb_plan *plan, uint32_t n, struct mlb_digest *out)
{
	const struct mlb_g_node *node = &plan->g->node[n];
	struct mlb_sha256 h;

	mlb_sha256_init(&h);
	mlb_sha256_update(&h, node->stat_digest.b, MLB_DIGEST_LEN);
	for (uint32_t i = 0; i < node->in.n; i++) {
		struct mlb_now now = mlb_input_now(plan, &plan->g->input[node->in.first + i]);

		mlb_sha256_update(&h, &now.kind, 1);
		mlb_sha256_update(&h, now.digest.b, MLB_DIGEST_LEN);
	}
	for (uint32_t i = 0; i < node->fp.n; i++)
		mlb_sha256_update(&h, plan->fp[node->fp.first + i].b, MLB_DIGEST_LEN);
	mlb_sha256_update(&h, plan->node[n].stamp, strlen(plan->node[n].stamp));
	/* Which files of a tree it is about is in no action's text. */
	if (node->flags & MLB_G_EACH)
		mlb_sha256_update(&h, mlb_g_str(plan->g, node->each_glob),
				  strlen(mlb_g_str(plan->g, node->each_glob)));
	mlb_sha256_final(&h, out);
}

bool
mlb_signature_holds(const struct mlb_plan *plan, uint32_t n)
{
	struct mlb_digest now;

	signature(plan, n, &now);
	return mlb_digest_equal(&now, &plan->node[n].sig);
}

static int
find_key(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_ACTION);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_action action;
	int rc;

	mlb_node_action(plan, n, &arena, &action);
	mlb_action_text(&text, plan->g, &action);
	rc = mlb_buf_check(&text, "the action's text", err);
	if (rc == 0)
		mlb_sha256_of(&plan->node[n].key, mlb_buf_str(&text), text.len);
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
	return rc;
}

static void
set_fate(struct mlb_node *node, enum mlb_fate fate, const char *reason)
{
	node->fate = (uint8_t)fate;
	node->reason = reason;
}

/* The workspace is the memo's result: nothing to look up. */
static bool
memo_holds(struct mlb_plan *plan, uint32_t n)
{
	struct mlb_node *node = &plan->node[n];
	const struct mlb_range out = plan->g->node[n].out;
	struct mlb_digest d;

	if (!mlb_plan_lock_same(plan, n) || mlb_is_variant(plan->p))
		return false;
	for (uint32_t i = 0; i < out.n; i++)
		plan->out[out.first + i] = mlb_output_on_disk(plan, out.first + i);
	mlb_outs_digest(&d, plan->out + out.first, out.n);
	if (!mlb_digest_equal(&d, &node->memo_outs))
		return false;
	node->present = true;
	set_fate(node, node->memo_flags & MLB_MEMO_NO ? MLB_FATE_NO : MLB_FATE_CURRENT, "");
	if (node->fate == MLB_FATE_NO)
		node->reason = "it said no for these inputs";
	return true;
}

static const char *
missing_source(struct mlb_plan *plan, const char *path)
{
	const char *link = mlb_dangling(&plan->arena, plan->p->root, path);
	const char *near = mlb_near_path(&plan->arena, plan->p->root, path, NULL, 0);

	if (link)
		return mlb_arena_printf(
			&plan->arena,
			"its path '%s' is a symbolic link to '%s', which is not there", path, link);
	return mlb_arena_printf(&plan->arena,
				"its path '%s' is missing: put it there, or correct 'path'%s%s%s",
				path, near ? " (did you mean '" : "", near ? near : "",
				near ? "'?)" : "");
}

/* The lock says what it was, and nobody has that. */
static const char *
lost_source(struct mlb_plan *plan, uint32_t n, const char *path)
{
	bool kept = !(plan->g->node[n].flags & MLB_G_NO_STORE);

	return mlb_arena_printf(
		&plan->arena,
		"its path '%s' is absent, and %s: put there again what mlbuild.lock names, or another version",
		path,
		kept ? "the cache does not have its bytes"
		     : "with 'store = no' its bytes are not kept");
}

/* Of a directory git may have a part: the rest is the lock's. */
static const char *
missing_tracked(struct mlb_plan *plan, uint32_t n, const char *path)
{
	if (mlb_vcs_skipped(plan->p->vcs, path))
		return mlb_arena_printf(&plan->arena,
					"its path '%s' is left out of git's sparse checkout: 'git "
					"sparse-checkout add' brings it, or 'git sparse-checkout "
					"disable' all",
					path);
	if (!mlb_vcs_has_below(plan->p->vcs, path))
		return mlb_arena_printf(
			&plan->arena,
			"its path '%s' is missing: 'git checkout -- %s' brings it back", path,
			path);
	return mlb_arena_printf(&plan->arena,
				"its path '%s' is missing: 'git checkout -- %s' brings back what "
				"git tracks of it, and then 'mlbuild checkout %s' the rest",
				path, path, mlb_g_str(plan->g, plan->g->node[n].name));
}

/* A source: on disk, the disk wins; else the lock says which bytes, and they are fetched when needed. */
static int
decide_source(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	struct mlb_node *node = &plan->node[n];
	uint32_t o = plan->g->node[n].out.first;
	const char *path = mlb_g_path(plan->g, plan->g->output[o].path);
	int rc;

	plan->out[o] = path_now(plan, plan->g->output[o].path);
	/* It is there, so it counts; that it cannot be read must not bring back older bytes. */
	if (plan->p->scan.state[plan->g->output[o].path].kind == MLB_P_BAD) {
		set_fate(node, MLB_FATE_BLOCKED,
			 mlb_scan_problem(&plan->p->scan, plan->g->output[o].path));
		return 0;
	}
	if (plan->out[o].kind) {
		struct mlb_digest d;

		node->present = true;
		mlb_outs_digest(&d, &plan->out[o], 1);
		node->changed = !node->has_memo || node->doubted ||
				!mlb_digest_equal(&d, &node->memo_outs);
		set_fate(node, MLB_FATE_CURRENT, "");
		return 0;
	}
	rc = mlb_project_vcs(plan->p, err);
	if (rc == 0)
		rc = mlb_project_lock(plan->p, err);
	if (rc)
		return rc;
	if (plan->p->vcs && mlb_vcs_tracked(plan->p->vcs, path)) {
		set_fate(node, MLB_FATE_BLOCKED, missing_tracked(plan, n, path));
		return 0;
	}
	if (!mlb_known_source(plan, n))
		set_fate(node, MLB_FATE_BLOCKED, missing_source(plan, path));
	else if (!node->need_present)
		set_fate(node, MLB_FATE_CURRENT, "");
	else if (mlb_outputs_available(plan, n))
		set_fate(node, MLB_FATE_RESTORE, "its path is absent");
	else {
		node->lacks = true;
		set_fate(node, MLB_FATE_BLOCKED, lost_source(plan, n, path));
	}
	return 0;
}

/* An input or a fingerprint that cannot be had: BLOCKED naming it. */
static bool
inputs_complete(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_g_node *node = &plan->g->node[n];

	for (uint32_t i = 0; i < node->fp.n; i++)
		if (plan->fp_error[node->fp.first + i]) {
			set_fate(&plan->node[n], MLB_FATE_BLOCKED,
				 plan->fp_error[node->fp.first + i]);
			return false;
		}
	for (uint32_t i = 0; i < node->in.n; i++) {
		const struct mlb_g_input *in = &plan->g->input[node->in.first + i];

		if (mlb_input_now(plan, in).kind)
			continue;
		if (plan->p->scan.state[in->path].kind == MLB_P_BAD)
			set_fate(&plan->node[n], MLB_FATE_BLOCKED,
				 mlb_scan_problem(&plan->p->scan, in->path));
		else
			set_fate(&plan->node[n], MLB_FATE_BLOCKED,
				 mlb_arena_printf(&plan->arena, "its input '%s' is missing",
						  mlb_g_path(plan->g, in->path)));
		return false;
	}
	return true;
}

/* The first output that is not in place, as messages name it: a variant has none in the workspace. */
static const char *
absent_output(struct mlb_plan *plan, uint32_t n, bool *absent)
{
	const struct mlb_range out = plan->g->node[n].out;

	for (uint32_t i = 0; i < out.n; i++)
		if (!mlb_output_in_place(plan, out.first + i)) {
			*absent = !mlb_output_on_disk(plan, out.first + i).kind;
			return mlb_is_variant(plan->p)
				       ? "its output"
				       : mlb_arena_printf(
						 &plan->arena, "'%s'",
						 mlb_g_path(plan->g,
							    plan->g->output[out.first + i].path));
		}
	*absent = false;
	return "";
}

/* There is a result for the key: is it in place, can it be put there, must it be? */
static void
decide_known(struct mlb_plan *plan, uint32_t n, bool said_no)
{
	struct mlb_node *node = &plan->node[n];
	const char *path;
	bool absent;

	node->present = all_in_place(plan, n);
	if (node->present || plan->g->node[n].out.n == 0) {
		node->present = true;
		set_fate(node, MLB_FATE_CURRENT, "");
	} else {
		path = absent_output(plan, n, &absent);
		/* Absent and known is up to date as long as nothing has to read it. */
		if (absent && !node->need_present)
			set_fate(node, MLB_FATE_CURRENT, "");
		else if (mlb_outputs_here(plan, n) ||
			 (node->need_present && mlb_outputs_available(plan, n)))
			set_fate(node, MLB_FATE_RESTORE,
				 mlb_arena_printf(&plan->arena,
						  absent ? "%s is absent" : "%s is another version",
						  path));
		else if (!node->need_present)
			set_fate(node, MLB_FATE_RESTORE,
				 mlb_arena_printf(&plan->arena, "%s is outdated", path));
		else {
			node->lost = node->lacks = true;
			set_fate(node, MLB_FATE_RUN,
				 absent && !node->has_memo
					 ? MLB_BYTES_NOWHERE
					 : mlb_arena_printf(
						   &plan->arena,
						   "%s is %s, and the cache does not have it", path,
						   absent ? "absent" : "another version"));
		}
	}
	if (said_no && node->fate != MLB_FATE_RUN)
		set_fate(node, MLB_FATE_NO, "it said no for these inputs");
}

/* Frozen: made once; the lock's result stands whatever the inputs are now. */
static bool
decide_frozen(struct mlb_plan *plan, uint32_t n)
{
	if (!mlb_known_locked(plan, n, NULL))
		return false;
	decide_known(plan, n, false);
	return true;
}

bool
mlb_blocked_by_env(struct mlb_plan *plan, uint32_t n)
{
	const char *line = mlb_g_str(plan->g, plan->g->node[n].unset);
	const char *what = strstr(line, "': "); /* behind the place, and the target's name */

	if (!*line)
		return false;
	what = what ? what + 3 : line;
	set_fate(&plan->node[n], MLB_FATE_BLOCKED,
		 mlb_arena_strndup(&plan->arena, what, strcspn(what, "\n")));
	return true;
}

int
mlb_decide(struct mlb_plan *plan, uint32_t n, struct mlb_err *err)
{
	const struct mlb_g_node *g_node = &plan->g->node[n];
	struct mlb_node *node = &plan->node[n];
	bool said_no = false, same;
	int rc = 0;

	node->lacks = false;
	if (g_node->flags & MLB_G_SOURCE)
		return decide_source(plan, n, err);
	if (g_node->flags & MLB_G_FROZEN) {
		rc = mlb_known_stamp(plan, n, err);
		if (rc || (!(plan->update && node->asked) && !mlb_past_runs(plan, n) &&
			   decide_frozen(plan, n)))
			return rc;
	}
	if (mlb_blocked_by_env(plan, n) || !inputs_complete(plan, n))
		return 0;
	signature(plan, n, &node->sig);
	same = node->has_memo && mlb_digest_equal(&node->sig, &node->memo_sig);
	if (same && !node->forced && g_node->kind != MLB_K_TASK && memo_holds(plan, n)) {
		node->key = node->memo_key;
		node->key_known = true;
		return 0;
	}
	if (g_node->flags & MLB_G_EACH)
		return mlb_each_decide(plan, n, err);
	if (same)
		node->key = node->memo_key;
	else
		rc = find_key(plan, n, err);
	if (rc)
		return rc;
	node->key_known = true;
	if (g_node->kind == MLB_K_TASK) {
		set_fate(node, MLB_FATE_RUN, "a task runs whenever it is named");
	} else if (node->forced) {
		set_fate(node, MLB_FATE_RUN, "asked for by --force");
	} else {
		rc = mlb_known_result(plan, n, &said_no, err);
		if (rc == 0) {
			decide_known(plan, n, said_no);
			node->changed =
				!(node->has_memo && mlb_digest_equal(&node->key, &node->memo_key) &&
				  mlb_plan_lock_same(plan, n) && !plan->p->adopting);
		} else if (rc == MLB_ENOTFOUND) {
			rc = 0;
			node->lacks = true;
			set_fate(node, MLB_FATE_RUN, mlb_why_short(plan, n, err));
		}
	}
	return rc;
}
