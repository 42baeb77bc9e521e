/*
 * Git, by libgit2, which is loaded by dlopen at the first mlb_vcs_open: the one
 * file that includes git2.h is vcs_git.h. All paths are relative to the project
 * directory, which may be below the repository's root. One thread at a time.
 */
#ifndef STORE_VCS_H
#define STORE_VCS_H

#include "base/buf.h"
#include "base/vec.h"

#define MLB_OID_HEX 40

struct mlb_vcs;

/*
 * *out is NULL (and the result 0) where the project is in no work tree of a
 * repository that libgit2 can read; `why` then says so. A repository of
 * another user that is not trusted is an error. GIT_DIR, GIT_WORK_TREE and
 * GIT_INDEX_FILE are heeded where they name a repository around the project.
 */
int mlb_vcs_open(struct mlb_vcs **out, const char *project_dir, struct mlb_buf *why, struct mlb_err *err);
void mlb_vcs_close(struct mlb_vcs *v);

const char *mlb_vcs_workdir(const struct mlb_vcs *v); /* absolute root of the work tree; borrowed */
bool mlb_vcs_tracked(struct mlb_vcs *v, const char *path);  /* in the index, or something below it */
bool mlb_vcs_ignored(struct mlb_vcs *v, const char *path);  /* not tracked, and ignored by git's rules */

/*
 * Files and links below dir ("." for all) that git tracks or would add, sorted,
 * appended to out: those of git ls-files -co --exclude-standard that are on
 * disk. Nothing of submodules and other repositories inside.
 */
int mlb_vcs_files(struct mlb_vcs *v, const char *dir, struct mlb_strvec *out, struct mlb_err *err);

/* HEAD's commit id; "" for a repository without a commit. */
int mlb_vcs_head(struct mlb_vcs *v, char out[MLB_OID_HEX + 1], struct mlb_err *err);

/*
 * The commit that stands for the present content of these paths: HEAD if each
 * of them is in HEAD with the bytes on disk (filters such as CRLF applied),
 * else a snapshot commit: parent HEAD, HEAD's tree overlaid with the files on
 * disk (absent ones removed; ignored ones, those above 1 MiB and those of other
 * repositories inside are left out: a snapshot never holds bytes that were not
 * there). A directory stands for its files. Author and times are those of HEAD,
 * or fixed where there is no commit, so that equal content gives the same id,
 * message "mlbuild snapshot" and trailers. It is written to the object
 * database, with the reference refs/mlbuild/pins/ID; index, work tree and
 * branches stay as they are. `also` (NULL: none) is one more path, which
 * a snapshot holds but none is made for.
 */
int mlb_vcs_pin(struct mlb_vcs *v, const char *const *path, size_t n, const char *also,
		const char *trailers, char out[MLB_OID_HEX + 1], struct mlb_err *err);

/* Append the content of path in revision rev (anything git understands); MLB_ENOTFOUND. */
int mlb_vcs_read(struct mlb_vcs *v, const char *rev, const char *path, struct mlb_buf *out, struct mlb_err *err);

/* Names of references that begin with this ("refs/tags/"; "" for all), sorted, appended to out. */
int mlb_vcs_refs(struct mlb_vcs *v, const char *prefix, struct mlb_strvec *out, struct mlb_err *err);
int mlb_vcs_drop_ref(struct mlb_vcs *v, const char *name, struct mlb_err *err); /* absent is fine */

/* Is there something of git at or above this directory, whether it can be read or not? */
bool mlb_vcs_near(const char *project_dir);

#endif
