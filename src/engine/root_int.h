/* Shared by root.c and root_files.c. */
#ifndef ENGINE_ROOT_INT_H
#define ENGINE_ROOT_INT_H

#include "base/arena.h"
#include "base/strmap.h"
#include "engine/root.h"
#include "os/fs.h"

/* Where the bytes of a file of the project come from. */
enum mlb_root_how {
	MLB_ROOT_COPY = 0, /* the workspace */
	MLB_ROOT_TEXT,     /* a text that differs from the workspace's */
	MLB_ROOT_EXPOSE    /* nowhere: a symbolic link to the workspace's */
};

struct mlb_root_entry {
	const char *path; /* relative to the project */
	uint8_t how;      /* enum mlb_root_how */
};

#define MLB_ROOT_PARENT UINT64_MAX /* in `known`: a directory that holds files of the project */

struct mlb_root_stock {
	struct mlb_arena arena;
	const char *project, *dir; /* absolute: the workspace, .mlbuild/roots */
	const struct mlb_graph *graph;
	struct mlb_vcs *vcs;
	struct mlb_cas *cas;
	enum mlb_link how;        /* of inputs */
	struct mlb_strvec expose; /* [project] expose, normal */
	MLB_VEC(struct mlb_root_entry) entry;
	struct mlb_strmap known; /* path: index of its entry, or MLB_ROOT_PARENT */
	MLB_VEC(struct mlb_root *) root;
	unsigned made; /* roots ever made; names them */
	const struct mlb_root_file *file; /* texts, where none are given with a root; borrowed */
	size_t n_files;
};

/* An input that was put into a root, or rests in its store for the next action. */
struct mlb_root_placed {
	char *path;   /* owned */
	uint8_t kind; /* enum mlb_okind */
	struct mlb_digest digest;
	struct mlb_stat stat; /* of a file, right after it was put there */
	unsigned number;      /* its name in the store */
};
MLB_VEC_NAMED(mlb_root_inputs, struct mlb_root_placed);

struct mlb_root {
	struct mlb_root_stock *roots;
	const char *dir;   /* absolute */
	const char *store; /* absolute: inputs of the last action */
	bool busy;
	struct mlb_stat *placed; /* per entry, as we left it; type ABSENT: the workspace has none */
	struct mlb_stat *origin; /* per entry that is a copy: of the workspace's file; type ABSENT: it changed meanwhile */
	struct mlb_digest *text; /* per entry with a text of its own: of that */
	const struct mlb_root_file *file; /* of whoever has taken it; borrowed */
	size_t n_files;
	bool *seen;              /* per entry, while cleaning */
	struct mlb_root_inputs input; /* of the action that runs */
	struct mlb_root_inputs kept;  /* in the store */
	unsigned numbers;
};

/* Fill entry and known from git or the disk, the texts and the exposed paths. */
int mlb_root_stock_list(struct mlb_root_stock *r, const struct mlb_root_stock_spec *spec,
			struct mlb_err *err);

/* Is this path what [project] expose names, or inside it? */
bool mlb_root_stock_exposes(const struct mlb_root_stock *r, const char *path);

/* Its own text for entry i; NULL: it has none now. */
const struct mlb_root_file *mlb_root_text(const struct mlb_root *r, size_t i);

/* Make entry i in the root. What stands in its place must be gone. */
int mlb_root_place(struct mlb_root *r, size_t i, struct mlb_err *err);

/* Remove what is not the project's, and make anew what is not as it was left. */
int mlb_root_clean(struct mlb_root *r, struct mlb_err *err);

#endif
