/* References: branches, tags, and our own pins. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

int
mlb_vcs_refs_digest(struct mlb_vcs *v, struct mlb_digest *out, struct mlb_err *err)
{
	struct mlb_strvec name = MLB_VEC_INIT;
	struct mlb_sha256 h;
	int rc = mlb_vcs_refs_but_pins(v, &name, err);

	mlb_sha256_init(&h);
	mlb_strvec_push(&name, "HEAD");
	for (size_t i = 0; i < name.n && rc == 0; i++) {
		char hex[MLB_OID_HEX + 1] = "";
		git_oid id;

		/* One that leads nowhere names nothing. */
		if (v->git.reference_name_to_id(&id, v->repo, name.v[i]) == 0)
			v->git.oid_tostr(hex, sizeof(hex), &id);
		mlb_sha256_update(&h, name.v[i], strlen(name.v[i]) + 1);
		mlb_sha256_update(&h, hex, sizeof(hex));
	}
	mlb_sha256_final(&h, out);
	mlb_strvec_release(&name);
	return rc;
}

int
mlb_vcs_add_ref(struct mlb_vcs *v, const char *name, const char *id, struct mlb_err *err)
{
	git_reference *ref = NULL;
	git_oid oid;
	int rc = v->git.oid_fromstr(&oid, id);

	if (rc == 0)
		rc = v->git.reference_create(&ref, v->repo, name, &oid, 0, NULL);
	if (ref)
		v->git.reference_free(ref);
	if (rc < 0)
		return mlb_git_fail(v, err, rc == GIT_EEXISTS ? MLB_EEXISTS : MLB_ESYSTEM,
				    "cannot write the reference '%s'", name);
	return 0;
}

int
mlb_git_drop_ref(struct mlb_vcs *v, const char *name, struct mlb_err *err)
{
	int rc = v->git.reference_remove(v->repo, name);

	if (rc < 0 && rc != GIT_ENOTFOUND)
		return mlb_git_fail(v, err, MLB_ESYSTEM, "cannot remove the reference '%s'", name);
	return 0;
}

static bool
has_work_trees(const struct mlb_vcs *v)
{
	char *dir = mlb_asprintf("%sworktrees", v->git.repository_commondir(v->repo));
	struct mlb_dirents list = MLB_VEC_INIT;
	bool any = mlb_fs_list(&list, dir, NULL) == 0 && list.n;

	mlb_dirents_release(&list);
	free(dir);
	return any;
}

bool
mlb_vcs_is_shared(struct mlb_vcs *v, const char *file)
{
	char *own = mlb_asprintf("%s%s", v->prefix, file);
	bool others = has_work_trees(v);

	for (size_t i = 0; i < v->git.index_entrycount(v->index) && !others; i++) {
		const char *path = v->git.index_get_byindex(v->index, i)->path;
		const char *slash = strrchr(path, '/');

		others = strcmp(slash ? slash + 1 : path, file) == 0 && strcmp(path, own) != 0;
	}
	free(own);
	return others;
}
