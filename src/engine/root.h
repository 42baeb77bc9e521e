/*
 * Private roots: directories under .mlbuild/roots/ in which actions run without
 * touching the workspace: the project's files (reflinked or copied), plus the
 * action's inputs. Roots are reused; between actions only what differs is written.
 */
#ifndef ENGINE_ROOT_H
#define ENGINE_ROOT_H

#include "base/vec.h"
#include "graph/graph.h"
#include "store/cas.h"
#include "store/vcs.h"

struct mlb_root_stock; /* those of one project */
struct mlb_root;

struct mlb_root_stock_spec {
	const char *project;           /* absolute */
	const char *state_dir;         /* absolute .mlbuild */
	struct mlb_vcs *vcs;           /* NULL: all files but .git, .mlbuild and outputs */
	const struct mlb_graph *graph; /* outputs are not copied; expose paths are linked */
	struct mlb_cas *cas;
	/* Files whose text differs in the private root (parameter files, mlbuild.ini): path and text. Borrowed. */
	const struct mlb_root_file *file;
	size_t n_files;
};
struct mlb_root_file {
	const char *path;
	const char *text;
	size_t len;
};

int mlb_root_stock_new(struct mlb_root_stock **out, const struct mlb_root_stock_spec *spec,
		       struct mlb_err *err);
void mlb_root_stock_free(struct mlb_root_stock *r); /* removes them */
int mlb_root_take(struct mlb_root **out, struct mlb_root_stock *r,
		  struct mlb_err *err);             /* clean, with the project's files */
/* The same, where these files have other texts than the spec's: of the same paths, borrowed until it is given back. */
int mlb_root_take_as(struct mlb_root **out, struct mlb_root_stock *r,
		     const struct mlb_root_file *file, size_t n_files, struct mlb_err *err);
/* Is it reached there by way of a directory that is a link? Then it is the workspace's, and not to be replaced. */
bool mlb_root_links(const struct mlb_root *r, const char *path);
const char *mlb_root_dir(const struct mlb_root *r); /* absolute; borrowed */
/* Does it have the project's file of this path, copied when its stat was this? Then it has these bytes. */
bool mlb_root_holds(const struct mlb_root *r, const char *path, const struct mlb_stat *st);
/* Put an input there: file or tree of this digest. */
int mlb_root_input(struct mlb_root *r, const char *path, uint8_t kind,
		   const struct mlb_digest *digest, struct mlb_err *err);
void mlb_root_give(struct mlb_root_stock *rs,
		   struct mlb_root *r); /* back for reuse: what the action left is removed */

#endif
