/* mlb_reproduce: from a revision to the verdict. */
#include "engine/reproduce.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_PATH_BYTES = 64 * 1024 };

static const char *
rev_of(const struct mlb_repro *r)
{
	return r->opt->rev ? r->opt->rev : "HEAD";
}

/* ---------------------------------------------------------- what was asked for */

static int
read_tolerances(struct mlb_repro *r, struct mlb_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < r->opt->n_tolerances && rc == 0; i++)
		rc = mlb_tolerance_add(&r->tolerance, r->opt->tolerance[i], err);
	return rc;
}

/* Absent, or an empty directory; and no place that is ours or git's. */
static int
check_into(struct mlb_repro *r, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(MAX_PATH_BYTES), real = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_stat st;
	int rc = mlb_path_absolute(&path, r->opt->into, err);

	if (rc == 0)
		rc = mlb_fs_real(&real, mlb_buf_str(&path), err);
	if (rc == 0 && (mlb_path_inside(mlb_buf_str(&real), r->p->state_dir) ||
			strstr(mlb_buf_str(&real), "/.git/")))
		rc = mlb_err_set(
			err, MLB_EINVALID,
			"'--into %s' is in mlbuild's or git's own directory: name another one",
			r->opt->into);
	if (rc == 0)
		rc = mlb_fs_lstat(&st, mlb_buf_str(&real), err);
	if (rc == 0 && st.type == MLB_F_DIR)
		rc = mlb_fs_list(&list, mlb_buf_str(&real), err);
	if (rc == 0 && ((st.type != MLB_F_ABSENT && st.type != MLB_F_DIR) || list.n))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'--into %s' is there and not an empty directory: name another one",
				 r->opt->into);
	mlb_dirents_release(&list);
	mlb_buf_release(&real);
	mlb_buf_release(&path);
	return rc;
}

/* ---------------------------------------------------------- the commit */

static int
find_commit(struct mlb_repro *r, struct mlb_err *err)
{
	struct mlb_vcs_commit c = { .id = "" };
	int rc = mlb_project_vcs(r->p, err);

	if (rc == 0 && !r->p->vcs)
		rc = mlb_err_set(err, MLB_EINVALID, "reproducing needs a git repository: %s",
				 r->p->vcs_why);
	if (rc == 0)
		rc = mlb_find_rev(&r->rev, r->p, rev_of(r), err);
	memcpy(r->commit, r->rev.commit, sizeof(r->commit));
	memcpy(r->report->commit, r->rev.commit, sizeof(r->commit));
	if (rc == 0)
		rc = mlb_vcs_commit_info(r->p->vcs, r->commit, &c, err);
	if (rc == 0) {
		r->snapshot = mlb_str_starts(c.subject, "mlbuild snapshot") ||
			      r->rev.what == MLB_REV_RUN || r->rev.what == MLB_REV_DIGEST;
		rc = mlb_rev_params(&r->params, r->p, &r->rev, rev_of(r), err);
	}
	mlb_vcs_commit_release(&c);
	return rc;
}

static int
check_ini(struct mlb_repro *r, struct mlb_err *err)
{
	char *ini = mlb_asprintf("%s/mlbuild.ini", r->root.path);
	int rc = mlb_fs_exists(ini) ? 0
				    : mlb_err_set(err, MLB_ENOTFOUND,
						  "there is no mlbuild.ini in '%s'", rev_of(r));

	free(ini);
	return rc;
}

/* ---------------------------------------------------------- the whole */

static int
keep_result(struct mlb_repro *r, struct mlb_err *err)
{
	struct mlb_buf into = MLB_BUF_INIT(MAX_PATH_BYTES);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_path_absolute(&into, r->opt->into, err);

	if (rc == 0)
		rc = mlb_fs_mkdirs(mlb_buf_str(&into), err);
	if (rc == 0 && mlb_fs_exists(r->out))
		rc = mlb_fs_list(&list, r->out, err);
	for (size_t i = 0; i < list.n && rc == 0; i++) {
		char *from = mlb_asprintf("%s/%s", r->out, list.v[i].name);
		char *to = mlb_asprintf("%s/%s", mlb_buf_str(&into), list.v[i].name);

		rc = mlb_fs_move(from, to, err);
		free(to);
		free(from);
	}
	mlb_dirents_release(&list);
	mlb_buf_release(&into);
	return rc;
}

/* What mlbuild.ini misses may be in a submodule. */
static int
cannot_load(struct mlb_repro *r, int rc, struct mlb_err *err)
{
	const char *missing = NULL;

	if (rc == MLB_EINTERRUPTED)
		return rc;
	for (size_t i = 0; i < r->root.absent.n && !missing; i++) {
		const struct mlb_nested_absent *a = &r->root.absent.v[i];
		char *within = mlb_asprintf("'%s/", a->path);

		if (!a->lfs && err && err->text && strstr(err->text, within))
			missing = a->path;
		free(within);
	}
	if (missing)
		return mlb_err_wrap(err,
				    "revision '%s', of whose submodule '%s' the files are not "
				    "here ('git submodule update --init' fetches them)",
				    rev_of(r), missing);
	return mlb_err_wrap(err, "revision '%s'", rev_of(r));
}

static int
make(struct mlb_repro *r, struct mlb_err *err)
{
	bool build = r->opt->rebuild || r->opt->twice;
	int rc = mlb_nested_begin(&r->nested, r->p, err);

	if (rc == 0 && r->opt->into)
		r->out = mlb_asprintf("%s/out", r->nested.dir);
	if (rc == 0)
		rc = mlb_nested_tree(&r->root, &r->nested, r->commit, "a", err);
	if (rc == 0)
		rc = check_ini(r, err);
	if (rc)
		return rc;
	rc = mlb_repro_known(r, err);
	if (rc)
		return cannot_load(r, rc, err);
	rc = build ? mlb_repro_rebuild(r, err) : mlb_repro_restore_all(r, err);
	if (rc == 0)
		rc = mlb_repro_judge(r, err);
	if (rc == 0 && build)
		rc = mlb_repro_keep_built(r, err);
	if (rc == 0 && r->opt->into)
		rc = keep_result(r, err);
	return rc;
}

static int
verdict(const struct mlb_reproduce_report *report, struct mlb_err *err)
{
	if (!report->different && !report->impossible)
		return 0;
	if (!report->impossible)
		return mlb_err_set(err, MLB_EFAILED, "%u different", report->different);
	if (!report->different)
		return mlb_err_set(err, MLB_EFAILED, "%u impossible", report->impossible);
	return mlb_err_set(err, MLB_EFAILED, "%u different, %u impossible", report->different,
			   report->impossible);
}

static void
release(struct mlb_repro *r)
{
	for (size_t i = 0; i < r->n_targets; i++) {
		if (r->target[i].built.output.v != r->target[i].known.output.v)
			mlb_vec_release(&r->target[i].built.output);
		mlb_vec_release(&r->target[i].known.output);
		mlb_vec_release(&r->target[i].again.output);
	}
	mlb_plan_free(r->plan);
	mlb_project_close(r->again);
	mlb_project_close(r->built);
	mlb_project_close(r->known);
	mlb_nested_root_release(&r->second);
	mlb_nested_root_release(&r->root);
	mlb_nested_end(&r->nested);
	mlb_strmap_release(&r->fed);
	mlb_strmap_release(&r->by_name);
	mlb_pinned_release(&r->pinned);
	mlb_rev_release(&r->rev);
	mlb_strvec_release(&r->params);
	mlb_tolerances_release(&r->tolerance);
	mlb_arena_release(&r->arena);
	free(r->out);
}

int
mlb_reproduce(struct mlb_project *p, const struct mlb_reproduce *opt,
	      struct mlb_reproduce_report *report, struct mlb_err *err)
{
	struct mlb_repro r = { .p = p, .opt = opt, .report = report, .nested = MLB_NESTED_INIT };
	uint64_t began = mlb_clock_mono();
	int rc;

	memset(report, 0, sizeof(*report));
	rc = read_tolerances(&r, err);
	if (rc == 0 && opt->into)
		rc = check_into(&r, err);
	if (rc == 0)
		rc = find_commit(&r, err);
	if (rc == 0) {
		mlb_repro_fetch(&r);
		rc = make(&r, err);
	}
	release(&r);
	report->duration = mlb_clock_mono() - began;
	return rc ? rc : verdict(report, err);
}
