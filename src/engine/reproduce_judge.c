/* What was expected and what is at hand, compared and told, target by target. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/past.h"
#include "engine/reproduce.h"
#include "os/fs.h"

/* One target while it is judged. */
struct judging {
	struct mlb_repro *r;
	struct mlb_repro_target *t;
	const struct mlb_repro_side *was, *is;
	struct mlb_cas *was_cas, *is_cas;
	const char *tmp;
	MLB_VEC(struct mlb_compared) output;
	struct mlb_reproduced told;
};

static const char *
hex(struct mlb_repro *r, const struct mlb_digest *d)
{
	char text[MLB_HEX_LEN + 1];

	if (mlb_digest_is_zero(d))
		return "";
	mlb_digest_hex(text, d);
	return mlb_arena_strdup(&r->arena, text);
}

/* ---------------------------------------------------------- outputs */

static int
compare(struct judging *j, const struct mlb_repro_output *was, const struct mlb_repro_output *is,
	struct mlb_err *err)
{
	const struct mlb_repro_output *o = was ? was : is;
	const struct mlb_comparing c = { .arena = &j->r->arena,
					 .target = j->t->name,
					 .name = o->name,
					 .path = o->path,
					 .tolerance = &j->r->tolerance,
					 .tmp = j->tmp };
	struct mlb_version a = { .cas = j->was_cas }, b = { .cas = j->is_cas };
	struct mlb_compared out;
	int rc;

	if (was) {
		a.kind = was->now.kind;
		a.digest = was->now.digest;
		a.size = was->now.size;
	}
	if (is) {
		b.kind = is->now.kind;
		b.digest = is->now.digest;
		b.size = is->now.size;
	}
	rc = mlb_compare(&out, &c, &a, &b, err);
	/* One of several that only one side has is a difference of the whole. */
	if (out.like == MLB_LIKE_IMPOSSIBLE && j->was->have && j->is->have)
		out.like = MLB_LIKE_DIFFERENT;
	if (out.like == MLB_LIKE_DIFFERENT && j->t->nondet)
		out.like = MLB_LIKE_EXPECTED;
	mlb_vec_push(&j->output, out);
	return rc;
}

/* Both sides are sorted by path. */
static int
compare_all(struct judging *j, struct mlb_err *err)
{
	const struct mlb_repro_outputs *a = &j->was->output, *b = &j->is->output;
	size_t i = 0, k = 0;
	int rc = 0;

	while (rc == 0 && (i < a->n || k < b->n)) {
		const struct mlb_repro_output *was = i < a->n ? &a->v[i] : NULL;
		const struct mlb_repro_output *is = k < b->n ? &b->v[k] : NULL;
		int order = !was ? 1 : !is ? -1 : strcmp(was->path, is->path);

		i += order <= 0;
		k += order >= 0;
		rc = compare(j, order <= 0 ? was : NULL, order >= 0 ? is : NULL, err);
	}
	for (size_t o = 0; o < j->output.n; o++)
		j->told.like = MLB_MAX(j->told.like, j->output.v[o].like);
	return rc;
}

/* ---------------------------------------------------------- why */

static const char *
same_key(const struct judging *j)
{
	return j->t->each || mlb_digest_equal(&j->was->key, &j->is->key) ? "" : NULL;
}

static const char *
why_different(const struct judging *j)
{
	const struct mlb_repro_target *t = j->t;

	if (t->check && j->was->said_no != j->is->said_no)
		return j->is->said_no ? "it says no now" : "it said no then";
	if (t->nondet)
		return "it says of itself that it is not deterministic";
	if (t->changes[0])
		return mlb_arena_printf(&j->r->arena, "made from other inputs: %s", t->changes);
	if (!same_key(j))
		return "made from other inputs than the lock's, which are not known here";
	if (t->each)
		return "some files were made from other inputs, or it is not deterministic";
	return "not deterministic: the same inputs gave other bytes";
}

/* A source that git has counts as it is there; the lock may be older, or git may write other bytes here. */
static const char *
remark_on_source(const struct judging *j)
{
	const struct mlb_graph *g = j->r->plan->g;
	const struct mlb_lock_block *b =
		mlb_lockfile_get(&j->r->known->lock, mlb_g_str(g, g->node[j->t->node].base));

	if (!b || b->n_outputs != 1 || j->r->snapshot || !j->t->known.output.n ||
	    mlb_digest_equal(&b->output[0].digest, &j->t->known.output.v[0].now.digest))
		return "";
	return "git has other bytes of it than mlbuild.lock names";
}

/* Of what was only restored: is the lock as old as the commit, and would the key be the same here? */
static const char *
remark(const struct judging *j)
{
	struct mlb_repro *r = j->r;
	const char *lines;

	if (j->t->changes[0])
		return mlb_arena_printf(&r->arena, "though made from other inputs: %s",
					j->t->changes);
	if (j->t->source)
		return remark_on_source(j);
	if (j->t->each || mlb_digest_is_zero(&j->was->key) || r->opt->rebuild || r->opt->twice)
		return "";
	lines = mlb_past_changes(r->plan, j->t->node, &j->was->key);
	if (!lines[0])
		return "";
	if (strncmp(lines, "fingerprint ", 12) == 0)
		return mlb_arena_printf(&r->arena, "built here it would have another key: %s",
					lines);
	return mlb_arena_printf(
		&r->arena, "the lock's result is of other inputs than the commit has: %s", lines);
}

static const char *
why_impossible(const struct judging *j)
{
	const struct mlb_repro_target *t = j->t;

	if (t->stopped)
		return t->stopped;
	if (!j->r->opt->rebuild && !j->r->opt->twice)
		return t->unknown;
	if (t->source)
		return t->unknown;
	if (!j->is->have)
		return "it was not built";
	if (j->r->opt->twice)
		return "it was built only once";
	return mlb_arena_printf(&j->r->arena,
				"it was built, but there is no result to compare it with: %s",
				t->unknown ? t->unknown : "it has other outputs");
}

/* ---------------------------------------------------------- a target */

static bool
is_told(const struct mlb_repro *r, const struct mlb_repro_target *t)
{
	if (t->asked)
		return true;
	if (!r->opt->rebuild && !r->opt->twice)
		return false;
	return !t->source || t->stopped || t->unknown;
}

static int
judge(struct judging *j, struct mlb_err *err)
{
	struct mlb_repro_target *t = j->t;
	int rc = 0;

	if (t->source)
		j->told.like = t->stopped || t->unknown ? MLB_LIKE_IMPOSSIBLE : MLB_LIKE_IDENTICAL;
	else if (!j->was->have || !j->is->have || t->stopped)
		j->told.like = MLB_LIKE_IMPOSSIBLE;
	if (!t->source)
		rc = compare_all(j, err);
	if (t->check && j->told.like == MLB_LIKE_IDENTICAL && j->was->said_no != j->is->said_no)
		j->told.like = MLB_LIKE_DIFFERENT;
	if (j->told.like == MLB_LIKE_IMPOSSIBLE)
		j->told.why = why_impossible(j);
	else if (j->told.like == MLB_LIKE_IDENTICAL || j->told.like == MLB_LIKE_TOLERATED)
		j->told.why = remark(j);
	else
		j->told.why = why_different(j);
	return rc;
}

static void
count(struct mlb_reproduce_report *report, enum mlb_likeness like)
{
	report->identical += like == MLB_LIKE_IDENTICAL;
	report->tolerated += like == MLB_LIKE_TOLERATED;
	report->expected += like == MLB_LIKE_EXPECTED;
	report->different += like == MLB_LIKE_DIFFERENT;
	report->impossible += like == MLB_LIKE_IMPOSSIBLE;
}

static int
judge_target(struct mlb_repro *r, struct mlb_repro_target *t, const char *tmp, struct mlb_err *err)
{
	bool twice = r->opt->twice, built = twice || r->opt->rebuild;
	struct judging j = { .r = r,
			     .t = t,
			     .tmp = tmp,
			     .was = twice ? &t->built : &t->known,
			     .is = twice ? &t->again : &t->built,
			     .was_cas = twice ? r->built->cas : r->known->cas,
			     .is_cas = twice   ? r->again->cas
				       : built ? r->built->cas
					       : r->known->cas };
	int rc;

	j.told = (struct mlb_reproduced){ .name = t->name,
					  .kind = t->kind,
					  .asked = t->asked,
					  .source = t->source,
					  .was_key = hex(r, &j.was->key),
					  .key = built ? hex(r, &j.is->key) : "",
					  .duration = t->duration };
	rc = judge(&j, err);
	j.told.output = j.output.v;
	j.told.n_outputs = j.output.n;
	if (rc == 0) {
		count(r->report, j.told.like);
		if (r->opt->on_target)
			r->opt->on_target(r->opt->ctx, &j.told);
	}
	mlb_vec_release(&j.output);
	return rc;
}

int
mlb_repro_judge(struct mlb_repro *r, struct mlb_err *err)
{
	char *tmp = mlb_asprintf("%s/compare", r->nested.dir);
	int rc = mlb_fs_mkdirs(tmp, err);

	for (size_t i = 0; i < r->n_targets && rc == 0; i++)
		if (is_told(r, &r->target[i]))
			rc = judge_target(r, &r->target[i], tmp, err);
	free(tmp);
	return rc;
}
