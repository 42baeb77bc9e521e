#include "engine/rev.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/experiment.h"
#include "engine/origin.h"
#include "engine/pinned.h"
#include "engine/runid.h"

enum { MAX_MESSAGE = 16 << 20 };

/* Of a run: the pin of any of its results. */
struct pins {
	struct mlb_project *p;
	const char *run;
	char *out;
};

static int
take_pin(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct pins *s = ctx;
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result r;

	(void)err;
	if (mlb_results_find(s->p->results, &r, &arena, &a->key, NULL) == 0 && r.pin[0] &&
	    strcmp(r.run, s->run) == 0 && strlen(r.pin) == MLB_OID_HEX)
		memcpy(s->out, r.pin, MLB_OID_HEX + 1);
	mlb_arena_release(&arena);
	return s->out[0] != '\0';
}

/* The database may have been lost: the records tell of their runs too. */
static int
take_record(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct pins *s = ctx;

	(void)err;
	if (strcmp(r->run, s->run) == 0 && strlen(r->pin) == MLB_OID_HEX)
		memcpy(s->out, r->pin, MLB_OID_HEX + 1);
	return s->out[0] != '\0';
}

static int
find_run(struct mlb_rev *out, struct mlb_project *p, const char *word, struct mlb_err *err)
{
	struct pins s = { p, word, out->commit };
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_run run = { .commit = "" };
	bool found = false;
	int rc;

	if (!mlb_is_run_id(word))
		return 0;
	rc = mlb_project_past(p, err);
	if (rc == 0)
		rc = mlb_run_get(p->db, word, &run, &found, &arena, err);
	if (rc == 0)
		rc = mlb_run_actions(p->db, word, NULL, UINT32_MAX, take_pin, &s, err);
	if (rc == 0 && !found)
		rc = mlb_results_each(p->results, take_record, &s, err);
	if (rc >= 0 && found && !out->commit[0] && strlen(run.commit) == MLB_OID_HEX)
		memcpy(out->commit, run.commit, MLB_OID_HEX + 1);
	if (rc >= 0 && found && !out->commit[0])
		rc = mlb_err_set(err, MLB_ENOTFOUND, "run '%s' was made without a commit", word);
	mlb_arena_release(&arena);
	out->what = MLB_REV_RUN;
	return rc < 0 ? rc : 0;
}

/* By the last part of its reference's name. */
static int
find_experiment(struct mlb_rev *out, struct mlb_project *p, const char *word, struct mlb_err *err)
{
	struct mlb_strvec ref = MLB_VEC_INIT;
	char *end = mlb_asprintf("/%s", word);
	int rc = mlb_vcs_refs(p->vcs, MLB_EXPERIMENTS, &ref, err);

	for (size_t i = 0; i < ref.n && rc == 0 && !out->commit[0]; i++)
		if (mlb_str_ends(ref.v[i], end))
			rc = mlb_vcs_resolve(p->vcs, ref.v[i], out->commit, err);
	out->what = MLB_REV_EXPERIMENT;
	free(end);
	mlb_strvec_release(&ref);
	return rc;
}

static int
find_digest(struct mlb_rev *out, struct mlb_project *p, const char *word, struct mlb_err *err)
{
	const char *digits = mlb_digest_word(word);
	struct mlb_origin o;
	int rc;

	if (!digits)
		return 0;
	rc = mlb_origin_find(&o, p, digits, true, err);
	if (rc == 0 && (o.as != MLB_ORIGIN_NONE || mlb_str_starts(word, "sha256:")))
		rc = mlb_origin_check(&o, word, err);
	if (rc == 0 && o.as != MLB_ORIGIN_NONE) {
		const char *commit = *o.commit ? o.commit : o.pin;

		if (strlen(commit) == MLB_OID_HEX)
			memcpy(out->commit, commit, MLB_OID_HEX + 1);
		else
			rc = mlb_err_set(err, MLB_ENOTFOUND,
					 "'%s' is '%s', but no commit is known of it", word,
					 o.path);
		out->digest = o.digest;
		out->key = o.key;
		out->locked = *o.commit != '\0';
		free(out->target);
		free(out->path);
		out->target = mlb_strdup(o.target);
		out->path = mlb_strdup(o.path);
	}
	mlb_origin_release(&o);
	out->what = MLB_REV_DIGEST;
	return rc;
}

static int
find_git(struct mlb_rev *out, struct mlb_project *p, const char *word)
{
	if (!mlb_str_starts(word, "sha256:"))
		(void)mlb_vcs_resolve(p->vcs, word, out->commit, NULL);
	out->what = MLB_REV_GIT;
	return 0;
}

int
mlb_find_rev(struct mlb_rev *out, struct mlb_project *p, const char *word, struct mlb_err *err)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->target = mlb_strdup("");
	out->path = mlb_strdup("");
	rc = mlb_project_vcs(p, err);
	if (rc == 0 && !p->vcs)
		return mlb_err_set(err, MLB_ENOTFOUND, "'%s' names no commit: %s", word,
				   p->vcs_why);
	if (rc == 0)
		rc = find_git(out, p, word);
	if (rc == 0 && !out->commit[0])
		rc = find_experiment(out, p, word, err);
	if (rc == 0 && !out->commit[0])
		rc = find_run(out, p, word, err);
	if (rc == 0 && !out->commit[0])
		rc = find_digest(out, p, word, err);
	/* Git's own word of HEAD says more: there may be no commit yet. */
	if (rc == 0 && !out->commit[0] && mlb_str_starts(word, "HEAD"))
		rc = mlb_vcs_resolve(p->vcs, word, out->commit, err);
	if (rc == 0 && !out->commit[0])
		rc = mlb_err_set(err, MLB_ENOTFOUND,
				 "'%s' is no revision that git knows, and no run, experiment or "
				 "artifact's digest: 'mlbuild log' lists runs and commits",
				 word);
	return rc;
}

/* Trailers "Mlbuild-Param: NAME=VALUE": it was a variant. */
static void
read_params(struct mlb_strvec *out, const char *message)
{
	static const char name[] = "Mlbuild-Param: ";

	for (const char *line = message; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (mlb_str_starts(line, name)) {
			const char *value = line + sizeof(name) - 1;
			char *text = mlb_strndup(value, strcspn(value, "\n"));

			mlb_vec_push(out, mlb_experiment_param(text));
			free(text);
		}
	}
}

/* A run, and what it made, may have been a variant of a commit that says nothing of it. */
int
mlb_rev_params(struct mlb_strvec *out, struct mlb_project *p, const struct mlb_rev *rev,
	       const char *word, struct mlb_err *err)
{
	struct mlb_buf message = MLB_BUF_INIT(MAX_MESSAGE);
	size_t before = out->n;
	int rc = mlb_vcs_message(p->vcs, rev->commit, &message, err);

	if (rc == 0)
		read_params(out, mlb_buf_str(&message));
	if (rc == 0 && out->n == before && rev->what == MLB_REV_RUN)
		rc = mlb_pinned_params(out, p, word, NULL, err);
	else if (rc == 0 && out->n == before && rev->what == MLB_REV_DIGEST)
		rc = mlb_pinned_params(out, p, NULL, &rev->digest, err);
	mlb_buf_release(&message);
	return rc;
}

void
mlb_rev_release(struct mlb_rev *r)
{
	free(r->target);
	free(r->path);
	r->target = r->path = NULL;
}
