/* Revisions and commits. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

/* An id is what it says, whatever references there are: libgit2 would look for six of that name first. */
static int
find(struct mlb_vcs *v, const char *rev, git_object **out)
{
	git_oid id;

	if (strlen(rev) == MLB_OID_HEX && v->git.oid_fromstr(&id, rev) == 0)
		return v->git.object_lookup(out, v->repo, &id, GIT_OBJECT_ANY);
	return v->git.revparse_single(out, v->repo, rev);
}

/* It is HEAD, or begins there, and there is none. */
static bool
is_before_the_first(struct mlb_vcs *v, const char *rev)
{
	bool unborn = false;
	git_oid id;

	return strncmp(rev, "HEAD", 4) == 0 && !rev[4 + strspn(rev + 4, "~^@{}0123456789")] &&
	       mlb_git_head_id(v, &id, &unborn, NULL) == 0 && unborn;
}

int
mlb_git_peel(struct mlb_vcs *v, const char *rev, git_object_t kind, git_object **out,
	     struct mlb_err *err)
{
	git_object *object = NULL;
	int rc = find(v, rev, &object);

	*out = NULL;
	if (rc < 0 && is_before_the_first(v, rev))
		return mlb_err_set(
			err, MLB_ENOTFOUND,
			"'%s' is no revision: there is no commit yet; make one "
			"of the sources, mlbuild.ini and mlbuild.lock (git add, git commit)",
			rev);
	if (rc < 0)
		return mlb_git_fail(v, err, rc == GIT_ENOTFOUND ? MLB_ENOTFOUND : MLB_EINVALID,
				    "'%s' is no revision", rev);
	if (v->git.object_peel(out, object, kind) < 0)
		rc = mlb_err_set(
			err, MLB_EINVALID,
			kind == GIT_OBJECT_COMMIT ? "'%s' is no commit" : "'%s' has no files", rev);
	v->git.object_free(object);
	return rc;
}

int
mlb_vcs_resolve(struct mlb_vcs *v, const char *rev, char out[MLB_OID_HEX + 1], struct mlb_err *err)
{
	git_object *commit;
	int rc = mlb_git_peel(v, rev, GIT_OBJECT_COMMIT, &commit, err);

	out[0] = '\0';
	if (rc == 0) {
		v->git.oid_tostr(out, MLB_OID_HEX + 1, v->git.object_id(commit));
		v->git.object_free(commit);
	}
	return rc;
}

int
mlb_vcs_commit_info(struct mlb_vcs *v, const char *rev, struct mlb_vcs_commit *out,
		    struct mlb_err *err)
{
	const git_signature *author;
	const char *subject;
	git_object *object;
	git_commit *commit;
	int rc = mlb_git_peel(v, rev, GIT_OBJECT_COMMIT, &object, err);

	memset(out, 0, sizeof(*out));
	if (rc)
		return rc;
	commit = (git_commit *)object;
	author = v->git.commit_author(commit);
	subject = v->git.commit_summary(commit);
	v->git.oid_tostr(out->id, sizeof(out->id), v->git.object_id(object));
	out->n_parents = v->git.commit_parentcount(commit);
	if (out->n_parents)
		v->git.oid_tostr(out->parent, sizeof(out->parent),
				 v->git.commit_parent_id(commit, 0));
	out->time = author->when.time;
	out->offset = author->when.offset;
	out->author = mlb_strdup(author->name);
	out->email = mlb_strdup(author->email);
	out->subject = mlb_strdup(subject ? subject : "");
	v->git.object_free(object);
	return 0;
}

void
mlb_vcs_commit_release(struct mlb_vcs_commit *c)
{
	free(c->author);
	free(c->email);
	free(c->subject);
	memset(c, 0, sizeof(*c));
}

int
mlb_vcs_message(struct mlb_vcs *v, const char *rev, struct mlb_buf *out, struct mlb_err *err)
{
	git_object *commit;
	int rc = mlb_git_peel(v, rev, GIT_OBJECT_COMMIT, &commit, err);

	if (rc)
		return rc;
	mlb_buf_adds(out, v->git.commit_message((git_commit *)commit));
	v->git.object_free(commit);
	return mlb_buf_check(out, rev, err);
}
