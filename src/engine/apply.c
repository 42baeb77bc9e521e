/*
 * An experiment becomes the workspace.
 *
 * 1. Nothing is written before all is known to go well: the new texts of the files are
 *    made, and a variant with these parameters is planned against the experiment's lock.
 *    All that was asked for must be known, with its bytes at hand.
 * 2. Then the files are written, mlbuild.lock gets the experiment's blocks, and a build
 *    puts the artifacts in place, as any build does: what is in their way is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/claim.h"
#include "engine/experiment.h"
#include "engine/runid.h"
#include "mlbuild/sweep.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_FILE = 64 << 20, MAX_LOCK = 1 << 30, MAX_TEXT = 1 << 20, SHOWN = 5 };

/* A file in which parameters are declared. */
struct edited {
	char *path; /* absolute */
	const char *file;
	struct mlb_buf was, now;
	bool written;
};

struct apply {
	struct mlb_project *p;
	struct mlb_experiment_list list;
	const struct mlb_experiment *x;
	MLB_VEC(struct edited *) file;
	struct mlb_buf lock; /* the experiment's */
	bool relocked;       /* mlbuild.lock was written */
};

/* ---------------------------------------------------------- the new texts */

static struct edited *
file_of(struct apply *a, const char *file, struct mlb_err *err)
{
	struct edited *f;

	for (size_t i = 0; i < a->file.n; i++)
		if (strcmp(a->file.v[i]->file, file) == 0)
			return a->file.v[i];
	f = mlb_calloc(1, sizeof(*f));
	f->file = file;
	f->path = file[0] == '/' ? mlb_strdup(file) : mlb_project_path(a->p, file);
	mlb_buf_init(&f->was, MAX_FILE);
	mlb_buf_init(&f->now, MAX_FILE);
	mlb_vec_push(&a->file, f);
	if (mlb_fs_read(&f->was, f->path, err))
		return NULL;
	mlb_buf_add(&f->now, mlb_buf_str(&f->was), f->was.len);
	return f;
}

static bool
is_param_file(const struct mlb_project *p, const char *file)
{
	for (size_t i = 0; i < p->config->param_files.n; i++)
		if (strcmp(p->config->param_files.v[i].s, file) == 0)
			return true;
	return false;
}

/* In mlbuild.ini a change may move the lines below: the parameter is looked for each time. */
static int
edit_ini(struct edited *f, const struct mlb_param *p, const char *value, struct mlb_err *err)
{
	struct mlb_buf out = MLB_BUF_INIT(MAX_FILE);
	struct mlb_ini ini;
	unsigned line = 0;
	int rc;

	mlb_ini_init(&ini);
	rc = mlb_ini_parse(&ini, f->file, mlb_buf_str(&f->now), f->now.len, err);
	for (size_t i = 0; i < ini.entry.n && rc == 0; i++)
		if (ini.entry.v[i].key && strcmp(ini.entry.v[i].section, "params") == 0 &&
		    strcmp(ini.entry.v[i].key, p->name) == 0)
			line = ini.entry.v[i].line;
	mlb_ini_release(&ini);
	if (rc == 0)
		rc = mlb_ini_edit(&out, f->file, mlb_buf_str(&f->now), f->now.len, line, value,
				  err);
	if (rc == 0) {
		mlb_buf_release(&f->now);
		f->now = out;
	} else {
		mlb_buf_release(&out);
	}
	return rc;
}

static int
edit_param_file(struct edited *f, const struct mlb_param *p, const char *value, struct mlb_err *err)
{
	struct mlb_buf out = MLB_BUF_INIT(MAX_FILE);
	struct mlb_param change = *p;
	const struct mlb_param *changes = &change;
	unsigned changed = 0;
	int rc;

	change.text = value;
	rc = mlb_params_rewrite(&out, f->file, mlb_buf_str(&f->now), f->now.len, &changes, 1,
				&changed, err);
	if (rc == 0 && !changed)
		rc = mlb_err_set(err, MLB_EINVALID, "%s: '%s' cannot be changed there", f->file,
				 p->name);
	if (rc == 0) {
		mlb_buf_release(&f->now);
		f->now = out;
	} else {
		mlb_buf_release(&out);
	}
	return rc;
}

static int
edit_param(struct apply *a, const struct mlb_experiment_param *want, struct mlb_err *err)
{
	const struct mlb_param *p = mlb_params_get(&a->p->config->params, want->name);
	struct edited *f;

	if (!p)
		return mlb_err_set(
			err, MLB_EINVALID,
			"the experiment has a parameter '%s', which the project has no more: "
			"bring it back, or check out the commit %.12s",
			want->name, a->x->commit);
	if (strcmp(p->text, want->value) == 0)
		return 0;
	f = file_of(a, p->file, err);
	if (!f)
		return err ? err->code : MLB_ESYSTEM;
	return is_param_file(a->p, p->file) ? edit_param_file(f, p, want->value, err)
					    : edit_ini(f, p, want->value, err);
}

/* ---------------------------------------------------------- does it fit? */

static struct mlb_strvec
overrides(const struct mlb_experiment *x)
{
	struct mlb_strvec v = MLB_VEC_INIT;

	for (size_t i = 0; i < x->n_params; i++) {
		char *one = mlb_asprintf("%s=%s", x->param[i].name, x->param[i].value);

		mlb_strvec_push(&v, one);
		free(one);
	}
	return v;
}

/* A file that the experiment's commit has with other bytes, or not at all. */
static bool
differs_from_commit(struct apply *a, const char *path, const struct mlb_path_state *st)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
	struct mlb_digest d;
	bool differs = false;

	if (!a->x->shared || (st->kind != MLB_P_FILE && st->kind != MLB_P_EXEC) ||
	    mlb_vcs_ignored(a->p->vcs, path))
		return false;
	if (mlb_vcs_read(a->p->vcs, a->x->id, path, &text, NULL) == 0) {
		mlb_sha256_of(&d, mlb_buf_str(&text), text.len);
		differs = !mlb_digest_equal(&d, &st->digest);
	} else {
		differs = true;
	}
	mlb_buf_release(&text);
	return differs;
}

static bool
is_edited(const struct apply *a, const char *path)
{
	for (size_t i = 0; i < a->file.n; i++)
		if (strcmp(a->file.v[i]->file, path) == 0)
			return true;
	return false;
}

/* Sources of the closure that are not what they were, for the message: at most a few. */
static size_t
list_differing(struct apply *a, const struct mlb_plan *plan, struct mlb_buf *out)
{
	const struct mlb_graph *g = plan->g;
	uint8_t *seen = mlb_calloc(g->n_paths + 1, 1);
	size_t n = 0;

	for (uint32_t i = 0; i < g->n_nodes; i++)
		for (uint32_t k = 0; plan->node[i].wanted && k < g->node[i].in.n; k++) {
			const struct mlb_g_input *in = &g->input[g->node[i].in.first + k];
			const char *path = mlb_g_path(g, in->path);

			if (seen[in->path]++ || is_edited(a, path) ||
			    (in->producer != MLB_NONE &&
			     !(g->node[in->producer].flags & MLB_G_SOURCE)) ||
			    !differs_from_commit(a, path, &plan->p->scan.state[in->path]))
				continue;
			if (n++ < SHOWN)
				mlb_buf_addf(out, "%s'%s'", n > 1 ? ", " : "", path);
		}
	free(seen);
	return n;
}

static int
does_not_fit(struct apply *a, const struct mlb_plan *plan, uint32_t node, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	const char *name = mlb_g_str(plan->g, plan->g->node[node].name);
	size_t n = list_differing(a, plan, &text);
	int rc;

	if (n)
		rc = mlb_err_set(err, MLB_ESTALE,
				 "%s%s %s not what the experiment was built from: 'git diff %.8s' "
				 "shows how; 'git checkout %.8s -- FILE' brings it back, and "
				 "--params-only writes the parameters all the same",
				 mlb_buf_str(&text), n > SHOWN ? " and others" : "",
				 n == 1 ? "is" : "are", a->x->id, a->x->id);
	else if (plan->node[node].lost)
		rc = mlb_err_set(
			err, MLB_ENOTFOUND,
			"the cache does not have the outputs of '%s': --params-only writes the "
			"parameters, and the next build makes them again",
			name);
	else
		rc = mlb_err_set(
			err, MLB_ESTALE,
			"'%s' would be built anew (%s): --params-only writes the parameters, "
			"and the next build makes it",
			name,
			plan->node[node].reason[0] ? plan->node[node].reason
						   : "its inputs are others");
	mlb_buf_release(&text);
	return rc;
}

/* What was asked for is known, by the lock of the experiment or the cache, and its bytes are here. */
static int
check_plan(struct apply *a, struct mlb_plan *plan, struct mlb_err *err)
{
	int rc = mlb_plan_simulate(plan, err);

	for (uint32_t n = 0; n < plan->g->n_nodes && rc == 0; n++) {
		struct mlb_node *node = &plan->node[n];

		if (!node->asked || plan->g->node[n].kind == MLB_K_TASK)
			continue;
		if (node->fate != MLB_FATE_CURRENT && node->fate != MLB_FATE_RESTORE) {
			rc = does_not_fit(a, plan, n, err);
		} else if (plan->g->node[n].out.n && !mlb_outputs_available(plan, n)) {
			node->lost = true;
			rc = does_not_fit(a, plan, n, err);
		}
	}
	return rc;
}

static int
check(struct apply *a, struct mlb_err *err)
{
	const struct mlb_plan_options o = { .word = a->x->target, .n_words = a->x->n_targets };
	struct mlb_strvec param = overrides(a->x);
	struct mlb_project *variant = NULL;
	struct mlb_plan *plan = NULL;
	int rc = mlb_project_child(&variant, a->p, (const char *const *)param.v, param.n, err);

	mlb_strvec_release(&param);
	if (rc == 0)
		rc = mlb_lockfile_parse(&variant->lock, mlb_buf_str(&a->lock), a->lock.len, err);
	if (rc == 0) {
		variant->lock_read = true;
		rc = mlb_plan_new(&plan, variant, &o, err);
	}
	if (rc == 0)
		rc = check_plan(a, plan, err);
	mlb_plan_free(plan);
	mlb_project_close(variant);
	return rc;
}

/* ---------------------------------------------------------- writing */

static int
write_file(struct edited *f, struct mlb_err *err)
{
	struct mlb_buf there = MLB_BUF_INIT(MAX_FILE);
	int rc = mlb_fs_read(&there, f->path, err);

	if (rc == 0 && (there.len != f->was.len ||
			memcmp(mlb_buf_str(&there), mlb_buf_str(&f->was), there.len) != 0))
		rc = mlb_err_set(err, MLB_ESYSTEM, "'%s' changed meanwhile: try again", f->file);
	if (rc == 0)
		rc = mlb_fs_rewrite(f->path, mlb_buf_str(&f->now), f->now.len, true, err);
	f->written = rc == 0;
	mlb_buf_release(&there);
	return rc;
}

/* Does git have it as it was? Then nothing of it can be lost. */
static bool
git_has(const struct apply *a, const struct edited *f)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
	bool has = a->p->vcs && f->file[0] != '/' &&
		   mlb_vcs_read(a->p->vcs, "HEAD", f->file, &text, NULL) == 0 &&
		   text.len == f->was.len &&
		   memcmp(mlb_buf_str(&text), mlb_buf_str(&f->was), text.len) == 0;

	mlb_buf_release(&text);
	return has;
}

static void
note_kept(const struct mlb_apply *opt, const struct edited *f, const char *where)
{
	char *text = mlb_asprintf("'%s' as it was is kept in '%s'", f->file, where);
	const struct mlb_event e = { .type = MLB_EV_NOTE,
				     .node = "",
				     .kind = "",
				     .file = "",
				     .by = "",
				     .text = text,
				     .len = strlen(text) };

	if (opt->on_event)
		opt->on_event(opt->ctx, &e);
	free(text);
}

/* A value that was edited and not committed is nowhere else: the file is kept. */
static int
keep_files(struct apply *a, const struct mlb_apply *opt, struct mlb_err *err)
{
	char *run = mlb_new_run_id();
	int rc = 0;

	for (size_t i = 0; i < a->file.n && rc == 0; i++) {
		struct edited *f = a->file.v[i];
		char *to;

		if (git_has(a, f))
			continue;
		to = mlb_asprintf("%s/aside/%s/%s", a->p->state_dir, run, f->file);
		rc = mlb_fs_mkparents(to, err);
		if (rc == 0)
			rc = mlb_fs_write(to, mlb_buf_str(&f->was), f->was.len, true, err);
		if (rc == 0)
			note_kept(opt, f, to + strlen(a->p->root) + 1);
		free(to);
	}
	free(run);
	return rc;
}

/* All of them or none. */
static int
write_files(struct apply *a, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < a->file.n && rc == 0; i++)
		rc = write_file(a->file.v[i], err);
	for (size_t i = 0; i < a->file.n && rc; i++)
		if (a->file.v[i]->written)
			(void)mlb_fs_rewrite(a->file.v[i]->path, mlb_buf_str(&a->file.v[i]->was),
					     a->file.v[i]->was.len, true, NULL);
	return rc;
}

/* The blocks of the experiment's targets; those of others stay. */
static int
write_lock(struct apply *a, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK), out = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_lockfile lock, theirs;
	char *path = mlb_project_path(a->p, "mlbuild.lock");
	int rc = mlb_fs_exists(path) ? mlb_fs_read(&text, path, err) : 0;

	mlb_lockfile_init(&lock);
	mlb_lockfile_init(&theirs);
	if (rc == 0)
		rc = mlb_lockfile_parse(&lock, mlb_buf_str(&text), text.len, err);
	if (rc == 0)
		rc = mlb_lockfile_parse(&theirs, mlb_buf_str(&a->lock), a->lock.len, err);
	for (uint32_t i = 0; i < theirs.map.n && rc == 0; i++)
		if (theirs.map.entry[i].u.ptr)
			mlb_lockfile_set(&lock, theirs.map.entry[i].u.ptr);
	if (rc == 0) {
		mlb_lockfile_format(&out, &lock);
		a->relocked = out.len != text.len ||
			      memcmp(mlb_buf_str(&out), mlb_buf_str(&text), out.len) != 0;
	}
	if (rc == 0 && a->relocked)
		rc = mlb_fs_rewrite(path, mlb_buf_str(&out), out.len, true, err);
	mlb_lockfile_release(&theirs);
	mlb_lockfile_release(&lock);
	free(path);
	mlb_buf_release(&out);
	mlb_buf_release(&text);
	return rc;
}

static int
build(struct apply *a, const struct mlb_apply *opt, struct mlb_report *report, struct mlb_err *err)
{
	const struct mlb_build b = {
		.word = a->x->target,
		.n_words = a->x->n_targets,
		.command_line = opt->command_line,
		.on_event = opt->on_event,
		.ctx = opt->ctx,
	};

	/* What the project was loaded with is no more. */
	mlb_project_unload(a->p);
	return mlb_build(a->p, &b, report, err);
}

/* ---------------------------------------------------------- all of it */

static int
prepare(struct apply *a, const struct mlb_apply *opt, struct mlb_err *err)
{
	struct mlb_project *p = a->p;
	int rc = mlb_project_load(p, err);

	if (rc == 0)
		rc = mlb_project_cache(p, err);
	if (rc == 0)
		rc = mlb_project_config(p, err);
	if (rc == 0)
		rc = mlb_experiment_list(&a->list, p, err);
	if (rc == 0)
		rc = mlb_experiment_find(&a->list, opt->id, &a->x, err);
	if (rc == 0 && strcmp(a->x->status, "done") != 0)
		rc = mlb_err_set(err, MLB_EINVALID, "the experiment %.8s has no artifacts: %s",
				 a->x->id, a->x->reason);
	for (size_t i = 0; rc == 0 && i < a->x->n_params; i++)
		rc = edit_param(a, &a->x->param[i], err);
	if (rc == 0 && !opt->params_only)
		rc = mlb_experiment_lock(p, a->x, &a->lock, err);
	if (rc == 0 && !opt->params_only)
		rc = check(a, err);
	return rc;
}

static void
release(struct apply *a)
{
	for (size_t i = 0; i < a->file.n; i++) {
		free(a->file.v[i]->path);
		mlb_buf_release(&a->file.v[i]->was);
		mlb_buf_release(&a->file.v[i]->now);
		free(a->file.v[i]);
	}
	mlb_vec_release(&a->file);
	mlb_experiment_list_release(&a->list);
	mlb_buf_release(&a->lock);
}

static void
put_first(char **list, const char *name)
{
	char *was = *list;

	if (was && strstr(was, name))
		return;
	*list = mlb_asprintf("%s%s%s", name, was && *was ? " " : "", was ? was : "");
	free(was);
}

/* The build found mlbuild.lock as it has to be, because we wrote it. */
static void
tell_relocked(const struct apply *a, struct mlb_report *r)
{
	if (!a->relocked)
		return;
	put_first(&r->changed, "mlbuild.lock");
	if (a->p->vcs && !mlb_vcs_ignored(a->p->vcs, "mlbuild.lock"))
		put_first(&r->to_commit, "mlbuild.lock");
}

static char *
changed_files(const struct apply *a)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_TEXT);

	for (size_t i = 0; i < a->file.n; i++)
		mlb_buf_addf(&b, "%s%s", i ? "\n" : "", a->file.v[i]->file);
	return mlb_buf_detach(&b);
}

int
mlb_apply(struct mlb_project *p, const struct mlb_apply *opt, struct mlb_apply_report *report,
	  struct mlb_err *err)
{
	struct apply a = { .p = p, .lock = MLB_BUF_INIT(MAX_LOCK) };
	struct mlb_lock lock = MLB_LOCK_INIT;
	int rc = mlb_claim_now(&lock, p, opt->command_line, err);

	memset(report, 0, sizeof(*report));
	if (rc == 0)
		rc = prepare(&a, opt, err);
	if (rc == 0)
		rc = keep_files(&a, opt, err);
	if (rc == 0)
		rc = write_files(&a, err);
	if (rc == 0 && !opt->params_only)
		rc = write_lock(&a, err);
	mlb_lock_release(&lock);
	if (rc == 0) {
		report->changed = changed_files(&a);
		if (!opt->params_only)
			rc = build(&a, opt, &report->build, err);
		tell_relocked(&a, &report->build);
	}
	release(&a);
	return rc;
}

void
mlb_apply_report_release(struct mlb_apply_report *r)
{
	free(r->changed);
	mlb_report_release(&r->build);
	r->changed = NULL;
}
