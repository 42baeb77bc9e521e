/* Artifacts from a store: put in a directory, and hashed there. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/reproduce.h"
#include "os/fs.h"
#include "os/path.h"
#include "store/result.h"
#include "store/tree.h"

static int
put(struct mlb_cas *cas, const struct mlb_now *now, const char *to, struct mlb_err *err)
{
	int rc = mlb_fs_mkparents(to, err);

	if (rc)
		return rc;
	if (now->kind == MLB_O_TREE)
		return mlb_tree_checkout(cas, &now->digest, to, MLB_LINK_COPY, err);
	return mlb_cas_link(cas, &now->digest, to, now->kind == MLB_O_EXEC, MLB_LINK_COPY, err);
}

/* What was written is read again. */
static int
verify(const struct mlb_now *now, const char *to, struct mlb_err *err)
{
	struct mlb_digest d;
	int rc = now->kind == MLB_O_TREE ? mlb_tree_store(&d, NULL, to, NULL, err)
					 : mlb_fs_hash(&d, NULL, to, err);

	if (rc == 0 && !mlb_digest_equal(&d, &now->digest))
		rc = mlb_err_set(err, MLB_ESYSTEM,
				 "'%s' is not what was written to it: is the disk sound?", to);
	return rc;
}

int
mlb_repro_restore(struct mlb_repro *r, struct mlb_cas *cas, const struct mlb_repro_side *side,
		  const char *dir, const char **lost, struct mlb_err *err)
{
	struct mlb_buf to = MLB_BUF_INIT(64 * MLB_KIB);
	int rc = 0;

	*lost = NULL;
	for (size_t i = 0; i < side->output.n && rc == 0 && !*lost; i++) {
		const struct mlb_repro_output *o = &side->output.v[i];
		struct mlb_err why = MLB_ERR_INIT;

		if (mlb_nested_cancelled(&r->nested)) {
			rc = mlb_err_set(err, MLB_EINTERRUPTED, "interrupted");
			break;
		}
		mlb_path_join(&to, dir, o->path);
		rc = put(cas, &o->now, mlb_buf_str(&to), &why);
		if (rc == MLB_ENOTFOUND || rc == MLB_ECORRUPT) {
			*lost = o->path;
			rc = mlb_fs_remove_tree(mlb_buf_str(&to), err);
		} else if (rc) {
			mlb_err_set(err, why.code, "%s", why.text);
		} else {
			rc = verify(&o->now, mlb_buf_str(&to), err);
		}
		mlb_err_release(&why);
	}
	mlb_buf_release(&to);
	return rc;
}

/* A copy, of what a link leads to too: nothing outside of the private directory is moved. */
static int
copy_out(const char *from, const char *to, struct mlb_err *err)
{
	struct mlb_buf real = MLB_BUF_INIT(64 * MLB_KIB);
	int rc = mlb_fs_real(&real, from, err);

	if (rc == 0)
		rc = mlb_fs_mkparents(to, err);
	if (rc == 0)
		rc = mlb_fs_copy_tree(mlb_buf_str(&real), to, err);
	mlb_buf_release(&real);
	return rc;
}

/* A source that git has is in the tree already, and goes to `to` only if that is to stay. */
static int
restore_source(struct mlb_repro *r, struct mlb_repro_target *t, const char *dir, const char **lost,
	       struct mlb_err *err)
{
	const struct mlb_repro_output *o = &t->known.output.v[0];
	char *from = mlb_asprintf("%s/%s", r->root.path, o->path);
	char *to = mlb_asprintf("%s/%s", dir, o->path);
	bool in_tree = mlb_fs_exists(from);
	int rc = 0;

	*lost = NULL;
	if (in_tree && r->out && !mlb_fs_exists(to))
		rc = copy_out(from, to, err);
	else if (!in_tree && !mlb_fs_exists(to))
		rc = mlb_nested_source(dir, &r->nested, r->known->cas, o->path, &o->now, err);
	if (rc == MLB_ENOTFOUND) {
		*lost = o->path;
		rc = 0;
	} else if (rc == 0) {
		rc = verify(&o->now, in_tree && !r->out ? from : to, err);
	}
	free(to);
	free(from);
	return rc;
}

/* What its command printed goes with it, as logs/NAME.log; that it cannot be had is no matter. */
static void
keep_log(struct mlb_repro *r, const struct mlb_repro_target *t, struct mlb_project *p,
	 const struct mlb_repro_side *side)
{
	char *to = mlb_asprintf("%s/logs/%s.log", r->out, t->name);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_result record;

	if (mlb_results_find(p->results, &record, &arena, &side->key, NULL) == 0 &&
	    !mlb_digest_is_zero(&record.log) && !mlb_fs_exists(to) &&
	    mlb_fs_mkparents(to, NULL) == 0)
		(void)mlb_cas_link(p->cas, &record.log, to, false, MLB_LINK_COPY, NULL);
	mlb_arena_release(&arena);
	free(to);
}

/* One target that was asked for; what cannot be had is no error. */
static int
restore(struct mlb_repro *r, struct mlb_repro_target *t, struct mlb_project *p,
	const struct mlb_repro_side *side, const char *dir, struct mlb_err *err)
{
	const char *lost = NULL;
	int rc = t->source ? restore_source(r, t, dir, &lost, err)
			   : mlb_repro_restore(r, p->cas, side, dir, &lost, err);

	if (rc == 0 && lost)
		t->stopped = mlb_arena_printf(
			&r->arena,
			"the bytes of '%s' are %s: a colleague, or a remote, may have them%s", lost,
			t->source ? "neither in git, nor in the cache, nor in the workspace"
				  : "not in the cache",
			t->source ? "" : "; --rebuild makes them again");
	else if (rc == 0 && r->out && !t->source)
		keep_log(r, t, p, side);
	return rc;
}

/* Without --into each goes again as soon as it was found right. */
int
mlb_repro_restore_all(struct mlb_repro *r, struct mlb_err *err)
{
	char *dir = r->out ? mlb_strdup(r->out) : mlb_asprintf("%s/restored", r->nested.dir);
	int rc = 0;

	for (size_t i = 0; i < r->n_targets && rc == 0; i++) {
		struct mlb_repro_target *t = &r->target[i];

		if (!t->asked || !t->known.have)
			continue;
		rc = mlb_fs_mkdirs(dir, err);
		if (rc == 0)
			rc = restore(r, t, r->known, &t->known, dir, err);
		if (rc == 0 && !t->stopped)
			t->built = t->known;
		if (rc == 0 && !r->out)
			rc = mlb_fs_remove_tree(dir, err);
	}
	free(dir);
	return rc;
}

int
mlb_repro_keep_built(struct mlb_repro *r, struct mlb_err *err)
{
	int rc = r->out ? mlb_fs_mkdirs(r->out, err) : 0;

	for (size_t i = 0; i < r->n_targets && rc == 0 && r->out; i++)
		if (r->target[i].asked && (r->target[i].source || r->target[i].built.have))
			rc = restore(r, &r->target[i], r->built, &r->target[i].built, r->out, err);
	return rc;
}
