/* Bytes that git does not have, from where they are. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "engine/nested.h"
#include "os/fs.h"
#include "store/result.h"
#include "store/tree.h"
#include "store/vcs_mirror.h"

/* In the place where Git LFS keeps them: lfs/objects/ab/cd/HEX. */
static char *
lfs_object(struct mlb_nested *n, const struct mlb_digest *digest)
{
	char hex[MLB_HEX_LEN + 1];
	char *git = mlb_vcs_shared_dir(n->outer->vcs);
	char *path;

	mlb_digest_hex(hex, digest);
	path = mlb_asprintf("%s/lfs/objects/%.2s/%.2s/%s", git ? git : "", hex, hex + 2, hex);
	free(git);
	return path;
}

/* A copy of a file, if its bytes are these. */
static bool
copy_if_same(const char *from, const char *to, const struct mlb_digest *digest, bool exec)
{
	struct mlb_digest now;

	if (!mlb_fs_exists(from) || mlb_fs_mkparents(to, NULL) ||
	    mlb_fs_copy(from, to, exec ? 0755 : 0644, NULL, NULL, NULL))
		return false;
	if (mlb_fs_hash(&now, NULL, to, NULL) == 0 && mlb_digest_equal(&now, digest))
		return true;
	(void)mlb_fs_unlink(to, NULL);
	return false;
}

/* The same for a directory. */
static bool
copy_tree_if_same(const char *from, const char *to, const struct mlb_digest *digest)
{
	struct mlb_buf real = MLB_BUF_INIT(64 * MLB_KIB);
	struct mlb_digest now;
	bool done;

	done = mlb_fs_real(&real, from, NULL) == 0 &&
	       mlb_tree_store(&now, NULL, mlb_buf_str(&real), NULL, NULL) == 0 &&
	       mlb_digest_equal(&now, digest) && mlb_fs_mkparents(to, NULL) == 0 &&
	       mlb_fs_copy_tree(mlb_buf_str(&real), to, NULL) == 0 &&
	       mlb_tree_store(&now, NULL, to, NULL, NULL) == 0 && mlb_digest_equal(&now, digest);
	if (!done)
		(void)mlb_fs_remove_tree(to, NULL);
	mlb_buf_release(&real);
	return done;
}

int
mlb_nested_lfs(struct mlb_nested_root *r, struct mlb_nested *n, struct mlb_cas *cas,
	       struct mlb_err *err)
{
	size_t left = 0;
	int rc = 0;

	for (size_t i = 0; i < r->absent.n; i++) {
		struct mlb_nested_absent *a = &r->absent.v[i];
		char *to = mlb_asprintf("%s/%s", r->path, a->path);
		char *object = a->lfs ? lfs_object(n, &a->digest) : NULL;
		char *own = mlb_project_path(n->outer, a->path);
		bool got = false;

		if (a->lfs && rc == 0 && mlb_cas_has(cas, &a->digest))
			rc = mlb_fs_mkparents(to, err);
		if (a->lfs && rc == 0)
			got = mlb_cas_link(cas, &a->digest, to, a->exec, MLB_LINK_COPY, NULL) ==
				      0 ||
			      copy_if_same(object, to, &a->digest, a->exec) ||
			      copy_if_same(own, to, &a->digest, a->exec);
		if (got)
			free(a->path);
		else
			r->absent.v[left++] = *a;
		free(own);
		free(object);
		free(to);
	}
	r->absent.n = left;
	return rc;
}

int
mlb_nested_source(const char *dir, struct mlb_nested *n, struct mlb_cas *cas, const char *path,
		  const struct mlb_now *now, struct mlb_err *err)
{
	char *to = mlb_asprintf("%s/%s", dir, path);
	char *own = mlb_project_path(n->outer, path);
	bool tree = now->kind == MLB_O_TREE;
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_fs_mkparents(to, err);

	if (rc)
		goto out;
	rc = tree ? mlb_tree_checkout(cas, &now->digest, to, MLB_LINK_COPY, &why)
		  : mlb_cas_link(cas, &now->digest, to, now->kind == MLB_O_EXEC, MLB_LINK_COPY,
				 &why);
	if (rc == MLB_ENOTFOUND || rc == MLB_ECORRUPT) {
		(void)mlb_fs_remove_tree(to, NULL);
		if (tree ? copy_tree_if_same(own, to, &now->digest)
			 : copy_if_same(own, to, &now->digest, now->kind == MLB_O_EXEC))
			rc = 0;
		else
			rc = MLB_ENOTFOUND;
	} else if (rc) {
		mlb_err_set(err, why.code, "%s", why.text);
	}
out:
	mlb_err_release(&why);
	free(own);
	free(to);
	return rc;
}
