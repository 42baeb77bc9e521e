#include "engine/steady.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/builder.h"
#include "engine/fingerprint.h"
#include "engine/known.h"
#include "engine/steady_file.h"

#define NAME "steady"
enum { MOST = 8 /* closures remembered */, MAX_META = 64 * 1024 };

/* ---------------------------------------------------------- what was said */

static bool
may_rest(const struct mlb_project *p, const struct mlb_plan_options *o)
{
	return !mlb_is_variant(p) && !p->adopting && !o->only && !o->downstream;
}

/* Graph, and the nodes that the words stand for, decide the closure; and fingerprints what is known of it. */
int
mlb_steady_closure(struct mlb_digest *out, struct mlb_project *p, const struct mlb_plan_options *o,
		   const struct mlb_plan *plan, struct mlb_err *err)
{
	const struct mlb_graph *g = p->graph;
	uint8_t *mark = mlb_calloc(g->n_nodes + 1, 1);
	struct mlb_digest fps = { { 0 } };
	struct mlb_sha256 h;
	int rc = mlb_select_marks(p, o, mark, err);

	if (rc == 0 && mlb_fingerprints_any(g)) {
		if (plan)
			mlb_fingerprints_digest(&fps, plan);
		else
			rc = mlb_fingerprints_ahead(&fps, p, o, err);
	}
	mlb_sha256_init(&h);
	mlb_sha256_update(&h, MLB_VERSION, sizeof(MLB_VERSION));
	mlb_sha256_update(&h, g->id.b, MLB_DIGEST_LEN);
	mlb_sha256_update(&h, mark, g->n_nodes);
	mlb_sha256_update(&h, fps.b, MLB_DIGEST_LEN);
	mlb_sha256_final(&h, out);
	free(mark);
	return rc;
}

int
mlb_steady_read(struct mlb_project *p, struct mlb_buf *text, struct mlb_err *err)
{
	int rc = mlb_meta_get(p->db, NAME, text, err);

	/* Of another version of this program. */
	if (text->len % sizeof(struct mlb_steady))
		mlb_buf_clear(text);
	return rc;
}

static bool
find_said(struct mlb_steady *out, const struct mlb_buf *text, const struct mlb_digest *closure)
{
	for (size_t at = 0; at < text->len; at += sizeof(*out)) {
		memcpy(out, text->data + at, sizeof(*out));
		if (mlb_digest_equal(&out->closure, closure))
			return true;
	}
	return false;
}

static bool
any_changed(const struct mlb_scan *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->state[i].changed)
			return true;
	return false;
}

static enum mlb_rest
compare(const struct mlb_steady *said, const struct mlb_scan *s)
{
	struct mlb_digest now = s->rows;
	bool changed = any_changed(s);

	if (changed)
		mlb_scan_digest(&now, s);
	if (mlb_digest_equal(&now, &said->paths))
		return MLB_REST_ALL;
	/* With an absent one the lock would have to be asked what it is. */
	if (changed && said->placed && mlb_digest_equal(&s->rows, &said->paths))
		return MLB_REST_MOST;
	return MLB_REST_NONE;
}

int
mlb_steady_find(enum mlb_rest *rest, struct mlb_steady *out, struct mlb_project *p,
		const struct mlb_plan_options *o, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_META);
	struct mlb_digest closure;
	bool said = false;
	int rc;

	*rest = MLB_REST_NONE;
	if (!may_rest(p, o) || o->force || o->update)
		return 0;
	rc = mlb_project_load(p, err);
	if (rc == 0)
		rc = mlb_steady_read(p, &text, err);
	/* Words that name nothing are told when the plan is made. */
	if (rc == 0 && text.len)
		said = mlb_steady_closure(&closure, p, o, NULL, NULL) == 0 &&
		       find_said(out, &text, &closure);
	if (said)
		rc = mlb_project_check_lock(p, err);
	if (rc == 0 && said && p->lock_same)
		*rest = compare(out, &p->scan);
	mlb_buf_release(&text);
	return rc;
}

/* ---------------------------------------------------------- what rests */

static bool
range_has(const struct mlb_plan *plan, struct mlb_range r, const uint8_t *moved)
{
	for (uint32_t i = 0; i < r.n; i++)
		if (moved[plan->g->index[r.first + i]])
			return true;
	return false;
}

/* Does a changed path, or another node that one leads to, lead to this node? */
static bool
is_moved(const struct mlb_plan *plan, uint32_t n, const uint8_t *moved)
{
	const struct mlb_graph *g = plan->g;
	const struct mlb_g_node *node = &g->node[n];
	const struct mlb_path_state *state = plan->p->scan.state;

	for (uint32_t i = 0; i < node->in.n; i++)
		if (state[g->input[node->in.first + i].path].changed)
			return true;
	for (uint32_t i = 0; i < node->out.n; i++)
		if (state[g->output[node->out.first + i].path].changed)
			return true;
	return range_has(plan, node->dep, moved) || range_has(plan, node->gate, moved);
}

static void
put_at_rest(struct mlb_plan *plan, uint32_t n)
{
	const struct mlb_range out = plan->g->node[n].out;
	struct mlb_node *node = &plan->node[n];

	for (uint32_t i = 0; i < out.n; i++)
		plan->out[out.first + i] = mlb_output_on_disk(plan, out.first + i);
	node->phase = MLB_PH_DONE;
	node->fate = MLB_FATE_CURRENT;
	node->resting = node->known = node->present = true;
	plan->n_resting++;
}

void
mlb_steady_apply(struct mlb_plan *plan)
{
	uint8_t *moved;

	/* Whoever wrote another one just now. */
	if (!plan->p->lock_same)
		return;
	moved = mlb_calloc(plan->g->n_nodes + 1, 1);
	for (uint32_t i = 0; i < plan->g->n_nodes; i++) {
		if (!plan->node[i].wanted)
			continue;
		moved[i] = is_moved(plan, i, moved);
		if (!moved[i])
			put_at_rest(plan, i);
	}
	free(moved);
}

/* ---------------------------------------------------------- saying it */

/* Is an absent node's result what the lock says, whoever asks? */
static bool
is_locked(const struct mlb_builder *b, uint32_t n)
{
	const struct mlb_g_node *node = &b->g->node[n];

	return node->kind != MLB_K_CHECK && !(node->flags & MLB_G_SOURCE) &&
	       mlb_known_locked(b->plan, n, &b->plan->node[n].key);
}

static bool
all_in_place(const struct mlb_builder *b, uint32_t n)
{
	const struct mlb_range out = b->g->node[n].out;

	for (uint32_t i = 0; i < out.n; i++)
		if (!mlb_output_in_place(b->plan, out.first + i))
			return false;
	return true;
}

static bool
add_node(const struct mlb_builder *b, uint32_t n, struct mlb_steady *s)
{
	const struct mlb_node *node = &b->plan->node[n];
	const struct mlb_g_node *g_node = &b->g->node[n];

	if (node->phase != MLB_PH_DONE || g_node->kind == MLB_K_TASK || g_node->flags & MLB_G_EACH)
		return false;
	s->n_wanted++;
	if (node->present)
		return all_in_place(b, n);
	s->placed = 0;
	s->saved += node->measured ? node->duration : 0;
	return is_locked(b, n);
}

static bool
is_steady(const struct mlb_builder *b, const struct mlb_plan_options *o, struct mlb_steady *s)
{
	const struct mlb_report *r = b->report;

	memset(s, 0, sizeof(*s));
	s->placed = 1;
	if (!may_rest(b->p, o) || b->again || b->m->cancelled || b->stale || r->failed ||
	    r->blocked || r->checks_no)
		return false;
	for (uint32_t i = 0; i < b->g->n_nodes; i++)
		if (b->plan->node[i].wanted && !add_node(b, i, s))
			return false;
	if (mlb_steady_closure(&s->closure, b->p, o, b->plan, NULL))
		return false;
	mlb_scan_digest(&s->paths, &b->p->scan);
	return true;
}

/* It comes first; of the others those stay that are said of another closure of this very state. */
static int
write_said(struct mlb_project *p, const struct mlb_steady *s, struct mlb_err *err)
{
	struct mlb_buf old = MLB_BUF_INIT(MAX_META), new = MLB_BUF_INIT(MAX_META);
	int rc = s ? mlb_steady_read(p, &old, err) : 0;

	mlb_steady_file_drop(p);
	if (s)
		mlb_buf_add(&new, s, sizeof(*s));
	for (size_t at = 0; at < old.len && new.len < MOST * sizeof(*s); at += sizeof(*s)) {
		struct mlb_steady one;

		memcpy(&one, old.data + at, sizeof(one));
		if (!mlb_digest_equal(&one.closure, &s->closure))
			mlb_buf_add(&new, &one, sizeof(one));
	}
	if (rc == 0)
		rc = mlb_meta_set(p->db, NAME, mlb_buf_str(&new), new.len, err);
	mlb_buf_release(&old);
	mlb_buf_release(&new);
	return rc;
}

static struct mlb_plan_options
options_of(const struct mlb_build *b)
{
	struct mlb_plan_options o = {
		.word = b->word, .n_words = b->n_words, .only = b->only, .downstream = b->downstream
	};

	return o;
}

int
mlb_steady_put(struct mlb_project *p, const struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_plan_options o;
	struct mlb_steady s;
	int rc = write_said(p, NULL, err);

	if (rc || !b)
		return rc;
	o = options_of(b->opt);
	return is_steady(b, &o, &s) ? write_said(p, &s, err) : 0;
}

int
mlb_steady_keep(struct mlb_builder *b, struct mlb_err *err)
{
	struct mlb_plan_options o = options_of(b->opt);
	struct mlb_steady s;
	int rc;

	if (!b->p->lock_same || !is_steady(b, &o, &s))
		return 0;
	rc = mlb_db_begin(b->p->db, err);
	if (rc == 0)
		rc = mlb_scan_save(&b->p->scan, b->p->cas, err);
	if (rc == 0)
		rc = write_said(b->p, &s, err);
	if (rc == 0)
		rc = mlb_db_commit(b->p->db, err);
	if (rc)
		mlb_db_rollback(b->p->db);
	return rc;
}
