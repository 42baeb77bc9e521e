/* Everything that is known of an artifact of now or then, a run, or a digest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/text.h"
#include "engine/experiment.h"
#include "engine/metrics.h"
#include "engine/origin.h"
#include "engine/point.h"
#include "engine/rev.h"
#include "engine/runid.h"
#include "engine/show.h"
#include "engine/words.h"
#include "graph/glob.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/tree.h"

enum { MAX_TEXT = 256 << 20 };

struct shower {
	struct mlb_project *p;
	const struct mlb_show *opt;
	struct mlb_arena arena; /* of the artifact at hand */
};

/* ---------------------------------------------------------- an artifact of then */

static const char *
object_text(struct shower *h, const struct mlb_digest *d)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	const char *own = "";

	if (!mlb_digest_is_zero(d) && mlb_cas_read(h->p->cas, &text, d, NULL) == 0)
		own = mlb_arena_strndup(&h->arena, mlb_buf_str(&text), text.len);
	mlb_buf_release(&text);
	return own;
}

static void
add_outputs(struct shower *h, struct mlb_artifact *a, const struct mlb_version *v)
{
	struct mlb_artifact_output *o = mlb_arena_alloc(&h->arena, (v->n_outputs + 1) * sizeof(*o));
	json_t *json = mlb_version_metrics(h->p, v);
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);

	for (uint32_t i = 0; i < v->n_outputs; i++)
		o[i] = (struct mlb_artifact_output){ v->output[i].path,
						     mlb_okind_word(v->output[i].kind),
						     mlb_hex_of(&h->arena, &v->output[i].digest),
						     v->output[i].size };
	a->output = o;
	a->n_outputs = v->n_outputs;
	if (json)
		mlb_metrics_dump(&text, json);
	a->metrics = mlb_arena_strdup(&h->arena, mlb_buf_str(&text));
	mlb_buf_release(&text);
	json_decref(json);
}

static void
add_action(struct shower *h, struct mlb_artifact *a, const struct mlb_digest *key)
{
	struct mlb_action_lines lines;

	a->action = object_text(h, key);
	mlb_action_read(&lines, a->action);
	for (uint32_t i = 0; i < lines.map.n; i++) {
		const struct mlb_action_line *l = lines.map.entry[i].u.ptr;

		if (strcmp(l->type, "command") == 0 || strcmp(l->type, "stage") == 0)
			a->command = mlb_arena_strdup(&h->arena, l->value);
		if (strcmp(l->type, "dir") == 0)
			a->dir = mlb_arena_strdup(&h->arena, l->value);
	}
	mlb_action_lines_release(&lines);
}

static void
add_result(struct shower *h, struct mlb_artifact *a, const struct mlb_digest *key)
{
	struct mlb_result *r = mlb_arena_alloc(&h->arena, sizeof(*r));

	if (mlb_results_find(h->p->results, r, &h->arena, key, NULL) != 0)
		return;
	a->commit = r->pin;
	a->run = r->run;
	a->platform = r->platform;
	a->started = r->started;
	a->duration = r->duration;
	a->max_rss = r->max_rss;
	a->log = object_text(h, &r->log);
	if (strcmp(a->kind, "check") == 0)
		a->verdict = r->verdict_no ? "no" : "yes";
}

/* commit: whose lock it is from; NULL. */
static int
tell_version(struct shower *h, struct mlb_lineages *line, const struct mlb_version *v,
	     const char *commit)
{
	struct mlb_artifact a = {
		.node = v->name,
		.kind = v->kind,
		.key = "",
		.command = "",
		.by_hand = "",
		.dir = ".",
		.action = "",
		.commit = "",
		.run = "",
		.platform = "",
		.metrics = "",
		.log = "",
		.known = true,
		.failed_log = "",
		.verdict = "",
		.blocked = "",
		.rev = commit ? commit : "",
		.locked_by = commit ? commit : "",
	};
	int rc;

	add_outputs(h, &a, v);
	if (!v->folded) {
		a.key = mlb_hex_of(&h->arena, &v->key);
		add_action(h, &a, &v->key);
		a.by_hand = a.command;
		add_result(h, &a, &v->key);
	}
	mlb_lineage_find(line, commit, v->name, v->kind, &v->key);
	a.lineage = line->all.v;
	a.n_lineage = v->folded ? 0 : line->all.n;
	rc = h->opt->on_artifact(h->opt->ctx, &a) ? 1 : 0;
	mlb_arena_release(&h->arena);
	return rc;
}

/* ---------------------------------------------------------- by revision */

static bool
has_path(const struct mlb_version *v, const char *path)
{
	for (uint32_t i = 0; i < v->n_outputs; i++)
		if (mlb_path_inside(path, v->output[i].path))
			return true;
	return false;
}

static bool
means(const struct mlb_version *v, const char *word, const char *path)
{
	return mlb_name_matches(v->name, v->base, word, mlb_glob_is(word)) ||
	       strcmp(v->kind, word) == 0 || has_path(v, path);
}

/* word NULL: all that is made. */
static int
show_rev(struct shower *h, const char *rev, const char *word, struct mlb_err *err)
{
	struct mlb_points s = { .arena = MLB_ARENA_INIT };
	struct mlb_buf path = MLB_BUF_INIT(MLB_MIB);
	struct mlb_lineages line;
	struct mlb_versions all;
	bool any = false;
	int rc = mlb_points_add(&s, h->p, rev, err);

	memset(&all, 0, sizeof(all));
	if (rc == 0 && s.all.n != 1)
		rc = mlb_err_set(err, MLB_EINVALID, "'%s' is no single revision", rev);
	if (rc == 0)
		rc = mlb_point_versions(&all, h->p, &s, 0, err);
	mlb_lineage_init(&line, h->p, &all);
	if (rc == 0 && word && mlb_path_normalize(&path, word, NULL) != 0)
		mlb_buf_clear(&path);
	for (size_t i = 0; rc == 0 && i < all.all.n; i++) {
		const struct mlb_version *v = &all.all.v[i];

		if (v->row || (word ? !means(v, word, mlb_buf_str(&path))
				    : mlb_digest_is_zero(&v->key) && !v->folded))
			continue;
		any = true;
		rc = tell_version(h, &line, v, s.all.v[0].commit);
	}
	if (rc == 0 && !any)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "mlbuild.lock of '%s' has no target, kind or output '%s'", rev,
				 word);
	mlb_lineage_release(&line);
	mlb_versions_release(&all);
	mlb_points_release(&s);
	mlb_buf_release(&path);
	return rc;
}

/* ---------------------------------------------------------- by experiment */

/* The artifacts that it was made for. MLB_ENOTFOUND: the word is none. */
static int
show_experiment(struct shower *h, struct mlb_err *err)
{
	const struct mlb_experiment *x;
	struct mlb_experiment_list l;
	int rc = mlb_experiment_list(&l, h->p, err);

	if (rc == 0 && mlb_experiment_find(&l, h->opt->word, &x, NULL) != 0)
		rc = MLB_ENOTFOUND;
	if (rc == 0 && !x->shared)
		rc = mlb_err_set(
			err, MLB_EINVALID,
			"experiment '%s' is in no commit%s%s: 'mlbuild experiments --json' "
			"tells what is known of it",
			h->opt->word, x->reason[0] ? ", because it failed: " : "", x->reason);
	for (size_t i = 0; rc == 0 && i < MLB_MAX(x->n_targets, 1); i++)
		rc = show_rev(h, x->id, x->n_targets ? x->target[i] : NULL, err);
	mlb_experiment_list_release(&l);
	return rc;
}

/* ---------------------------------------------------------- by digest */

static void
tell_digest(struct shower *h, const struct mlb_origin *o)
{
	static const char *const is[] = { "", "output", "key", "member", "input" };
	struct mlb_locking_commit *c = mlb_calloc(o->added.n + 1, sizeof(*c));
	struct mlb_digest_info d = {
		.digest = mlb_hex_of(&h->arena, &o->digest),
		.is = is[o->as],
		.target = o->target,
		.kind = o->kind,
		.path = o->path,
		.member = o->sub,
		.size = o->size,
		.commit = o->commit,
		.n_commits = o->n_holding,
		.added = c,
		.n_added = o->added.n,
		.pin = o->pin,
		.run = o->run,
	};

	for (size_t i = 0; i < o->added.n; i++)
		c[i] = (struct mlb_locking_commit){ o->added.v[i].id, o->added.v[i].author,
						    o->added.v[i].subject, o->added.v[i].time };
	h->opt->on_digest(h->opt->ctx, &d);
	free(c);
}

/* The artifact that the digest belongs to: by the lock that names it, else by its result. */
static int
show_owner(struct shower *h, const struct mlb_origin *o, struct mlb_err *err)
{
	const struct mlb_version *v;
	const char *kind = o->kind;
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_lineages line;
	struct mlb_versions all;
	struct mlb_version own;
	struct mlb_result r;
	int rc = mlb_versions_at(&all, h->p, *o->commit ? o->commit : NULL, err);

	mlb_lineage_init(&line, h->p, &all);
	v = rc == 0 ? mlb_versions_find(&all, o->target) : NULL;
	if (v && !*kind)
		kind = v->kind;
	if (v && !mlb_digest_equal(&v->key, &o->key))
		v = NULL;
	if (rc == 0 && !v && !mlb_digest_is_zero(&o->key) &&
	    mlb_results_find(h->p->results, &r, &arena, &o->key, NULL) == 0) {
		own = mlb_version_of_result(&r, *o->target ? o->target : o->path, &arena);
		own.kind = kind;
		v = &own;
	}
	if (v)
		rc = tell_version(h, &line, v, *o->commit ? o->commit : NULL);
	mlb_lineage_release(&line);
	mlb_versions_release(&all);
	mlb_arena_release(&arena);
	return rc;
}

static int
show_digest(struct shower *h, const char *digits, const char *word, bool must, struct mlb_err *err)
{
	struct mlb_origin o;
	int rc = mlb_origin_find(&o, h->p, digits, false, err);

	if (rc == 0 && (must || o.as != MLB_ORIGIN_NONE))
		rc = mlb_origin_check(&o, word, err);
	else if (rc == 0)
		rc = MLB_ENOTFOUND;
	if (rc == 0)
		tell_digest(h, &o);
	if (rc == 0 && o.as != MLB_ORIGIN_INPUT)
		rc = show_owner(h, &o, err);
	mlb_origin_release(&o);
	mlb_arena_release(&h->arena);
	return rc;
}

/* ---------------------------------------------------------- by file */

static int
show_file(struct shower *h, struct mlb_err *err)
{
	const char *word = h->opt->word;
	struct mlb_stat st = { .type = MLB_F_ABSENT };
	struct mlb_digest d;
	char hex[MLB_HEX_LEN + 1];
	uint64_t size;
	int rc;

	if (mlb_fs_stat(&st, word, NULL) != 0 || (st.type != MLB_F_FILE && st.type != MLB_F_DIR))
		return MLB_ENOTFOUND;
	rc = st.type == MLB_F_DIR ? mlb_tree_store(&d, &size, word, NULL, err)
				  : mlb_fs_hash(&d, &size, word, err);
	if (rc)
		return rc;
	mlb_digest_hex(hex, &d);
	rc = show_digest(h, hex, word, false, err);
	if (rc == MLB_ENOTFOUND)
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "no commit's mlbuild.lock and no result here names the bytes of "
				 "'%s' (sha256:%.16s...)",
				 word, hex);
	return rc;
}

/* ---------------------------------------------------------- the word */

static int
show_word(struct shower *h, struct mlb_err *err)
{
	const char *word = h->opt->word, *digits = mlb_digest_word(word);
	struct mlb_err unknown = MLB_ERR_INIT, why = MLB_ERR_INIT;
	int rc;

	rc = mlb_show_now(h->p, word, true, h->opt->on_artifact, h->opt->ctx, &unknown);
	if (rc == MLB_ENOTFOUND && digits)
		rc = show_digest(h, digits, word, false, err);
	if (rc == MLB_ENOTFOUND)
		rc = show_experiment(h, &why);
	if (rc < 0 && rc != MLB_ENOTFOUND && why.code)
		mlb_err_set(err, why.code, "%s", why.text);
	else if (rc == MLB_ENOTFOUND)
		rc = show_file(h, err);
	if (rc < 0 && !why.code && unknown.code)
		mlb_err_set(err, unknown.code, "%s", unknown.text);
	mlb_err_release(&why);
	mlb_err_release(&unknown);
	return rc;
}

int
mlb_show_history(struct mlb_project *p, const struct mlb_show *s, struct mlb_err *err)
{
	struct shower h = { .p = p, .opt = s, .arena = MLB_ARENA_INIT };
	int rc;

	if (s->rev)
		rc = show_rev(&h, s->rev, s->word, err);
	else if (mlb_str_starts(s->word, "sha256:") && mlb_digest_word(s->word))
		rc = show_digest(&h, mlb_digest_word(s->word), s->word, true, err);
	else if (mlb_str_starts(s->word, "sha256:"))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'%s' is no digest: write 'sha256:' and 4 to 64 hexadecimal digits",
				 s->word);
	else if (mlb_is_run_id(s->word))
		rc = mlb_show_run(p, s->word, s->on_run, s->ctx, err);
	else
		rc = show_word(&h, err);
	mlb_arena_release(&h.arena);
	return rc < 0 ? rc : 0;
}
