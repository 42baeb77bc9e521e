/*
 * What .mlbuildignore files leave out of sources: files of gitignore's syntax, in
 * the project's directory and below it, in force for what is in their directory.
 *
 * 1. As in git the last rule that matches decides, the deepest file first; and
 *    nothing comes back below a directory that is left out.
 * 2. Below all files stand the rules of MLB_LEFT_OUT_DEFAULTS, which "!" takes back.
 * 3. Nobody is asked about what was named by its own path, nor about outputs.
 * 4. A .mlbuildignore itself is never part of a source.
 *
 * Ownership: struct mlb_left_outs owns the rules it hands out. Not for several
 * threads; the rules themselves are constant.
 */
#ifndef STORE_LEFT_OUT_H
#define STORE_LEFT_OUT_H

#include "base/strmap.h"
#include "mlbuild/err.h"
#include "store/ignore.h"

#define MLB_LEFT_OUT_FILE ".mlbuildignore"
#define MLB_LEFT_OUT_DEFAULTS "__pycache__/\n*.pyc\n.ipynb_checkpoints/\n.DS_Store\n"

/* The rules of one directory's file. */
struct mlb_left_out {
	struct mlb_ignore list;
	size_t skip;                   /* bytes of a project path that name the directory, with its slash */
	const struct mlb_left_out *up; /* rules of the nearest directory above; borrowed; NULL: none */
};

/* Rules by directory of the project, read when they are first asked for. */
struct mlb_left_outs {
	int root;              /* descriptor of the project's directory; borrowed */
	struct mlb_strmap dir; /* struct mlb_left_out, or NULL, by path: "" or "a/b" */
	MLB_VEC(struct mlb_left_out *) all;
	struct mlb_err err;    /* the first file that could not be read */
};

void mlb_left_outs_init(struct mlb_left_outs *l, int root);
void mlb_left_outs_release(struct mlb_left_outs *l);

/* The rules for what is in a directory ("." or "" for the project's own); NULL: only the defaults. */
const struct mlb_left_out *mlb_left_outs_in(struct mlb_left_outs *l, const char *dir);

/* Whether the path of a file or directory is left out by these rules (NULL: the defaults alone); no slash at its end. */
bool mlb_left_out_by(const struct mlb_left_out *rules, const char *path, bool is_dir);

/* The same by the rules of its directory. */
bool mlb_left_out(struct mlb_left_outs *l, const char *path, bool is_dir);

/*
 * Rules from the file of a directory that is open as fd; path, below the
 * project, is that directory with a slash at its end, or "". *out is NULL where
 * there is none.  Owned, to be given to mlb_left_out_free.
 */
int mlb_left_out_read(struct mlb_left_out **out, int fd, const char *path, const struct mlb_left_out *up,
		      struct mlb_err *err);
void mlb_left_out_free(struct mlb_left_out *rules);

#endif
