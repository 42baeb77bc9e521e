/*
 * Which files of the project does a Python script import? Found by its `import`
 * and `from` lines, transitively; nothing is run, and what is not in the project
 * (the standard library, installed packages) is not followed.
 *
 * What was looked at is remembered, for the graph's facts: files with the digest
 * of what was read, directories with the digest of their listing.
 *
 * Ownership: struct mlb_py owns all that it gives out.
 */
#ifndef GRAPH_PYIMPORT_H
#define GRAPH_PYIMPORT_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/strmap.h"
#include "base/vec.h"
#include "mlbuild/err.h"

/* One imported module: `import a.b` or `from ..a import x, y`. */
struct mlb_py_import {
	const char *module;       /* "a.b"; "" for `from . import x` */
	const char *const *name;  /* names after `from … import`; none for `*` */
	uint32_t n_names;
	uint32_t level;           /* leading dots */
};
MLB_VEC_NAMED(mlb_py_imports, struct mlb_py_import);

/* All imports of a text, wherever they stand; not those in strings and comments. Strings live in the arena. */
void mlb_py_parse(struct mlb_py_imports *out, struct mlb_arena *arena, const char *text, size_t len);

/* A file that a script needs, and which file imports it. Paths are relative to the project. */
struct mlb_py_hit {
	const char *path;
	const char *by; /* NULL: it was asked for itself (`-m package`) */
};
struct mlb_py_hits {
	struct mlb_py_hit *v;
	uint32_t n;
};

struct mlb_py_file {
	struct mlb_py_import *import;
	uint32_t n_imports;
	struct mlb_digest digest; /* of the content; zero: it could not be read */
};

struct mlb_py_dir {
	struct mlb_strmap name;   /* entry -> enum mlb_ftype, links followed */
	struct mlb_digest digest; /* mlb_listing_digest; zero: there is no such directory */
};

struct mlb_py {
	const char *root;            /* absolute; borrowed */
	struct mlb_arena arena;
	struct mlb_strmap file;      /* path -> struct mlb_py_file *: what was read */
	struct mlb_strmap dir;       /* path -> struct mlb_py_dir *: where something was looked for */
	struct mlb_strmap closure;   /* script and search path -> struct mlb_py_hits * */
	bool (*made)(void *ctx, const char *path); /* is it an output? May be NULL; such files are not read */
	void *ctx;
};

void mlb_py_init(struct mlb_py *py, const char *root);
void mlb_py_release(struct mlb_py *py);

/*
 * The files of the project that a script imports, without itself. search: directories
 * where modules are looked for, in order (relative to the project, "." for its root).
 */
int mlb_py_script(const struct mlb_py_hits **out, struct mlb_py *py, const char *script, const char *const *search,
		  size_t n, struct mlb_err *err);

/* The same for `-m module`: the module's own file and the __init__.py of its packages are among them. */
int mlb_py_module(const struct mlb_py_hits **out, struct mlb_py *py, const char *module, const char *const *search,
		  size_t n, struct mlb_err *err);

#endif
