/*
 * Parameter values: from [params], from YAML and JSON files (libyaml keeps the
 * scalar's text as written: 1e-3 stays 1e-3), and from -p.
 * Nested maps are flattened with dots: model.C.
 *
 * Ownership: the params own everything; what get returns is borrowed and stays
 * valid until the next set or parse.
 */
#ifndef GRAPH_PARAMS_H
#define GRAPH_PARAMS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/strmap.h"
#include "mlbuild/err.h"

enum mlb_param_type { MLB_PARAM_SCALAR, MLB_PARAM_LIST /* of scalars */, MLB_PARAM_JSON /* a map or nested list */ };

struct mlb_param {
	const char *name;
	const char *text;        /* a scalar as written; list, map: canonical JSON (sorted keys, no blanks) */
	const char *const *item; /* MLB_PARAM_LIST: one text per element */
	uint32_t n_items;
	uint8_t type;            /* enum mlb_param_type */
	bool map;                /* MLB_PARAM_JSON: it holds other parameters (model holds model.C) */
	const char *file;        /* where it is from, "-p" for the command line */
	unsigned line;
};

struct mlb_pnode;

struct mlb_params {
	struct mlb_arena arena;
	struct mlb_strmap map;   /* name -> struct mlb_param *; read them through mlb_params_get */
	struct mlb_pnode *root;  /* the map of all, as a tree (params_tree.h) */
};

void mlb_params_init(struct mlb_params *p);
void mlb_params_release(struct mlb_params *p);

/*
 * Add a scalar; a name that exists is replaced only if `override`, else an error
 * naming both places. "model.C" goes into the map "model", which is made if it
 * is not there. Where a list is overridden the text is read as YAML ("[1, 2]").
 */
int mlb_params_set(struct mlb_params *p, const char *name, const char *text, const char *file, unsigned line,
		   bool override, struct mlb_err *err);
/*
 * All leaves (and lists) of a YAML or JSON text; maps can be asked for too: mlb_params_get("model") gives JSON.
 * A file that ends in .json is JSON. Errors begin with "FILE:LINE: ".
 */
int mlb_params_parse(struct mlb_params *p, const char *file, const char *text, size_t len, bool override,
		     struct mlb_err *err);
const struct mlb_param *mlb_params_get(const struct mlb_params *p, const char *name);

/*
 * Names that match a pattern (* and ?; train.* also matches train.opt.lr), sorted:
 * leaves and lists. A pattern without * and ? is one name, of a map too.
 * MLB_ENOTFOUND with the nearest name if there is none. Appended to out by copy.
 */
struct mlb_strvec;
int mlb_params_match(const struct mlb_params *p, const char *pattern, struct mlb_strvec *out, struct mlb_err *err);

/* The nearest name to one that does not exist, or NULL; borrowed. */
const char *mlb_params_nearest(const struct mlb_params *p, const char *name);

/*
 * The text of a YAML or JSON parameter file with some values changed (for
 * private roots of -p): as few bytes as possible differ, comments stay. Where
 * that cannot be done (a value that comes from an alias or a merge key) the
 * whole is written anew in flow style.
 * *changed counts replaced values; a name that the file does not have is left alone.
 */
int mlb_params_rewrite(struct mlb_buf *out, const char *file, const char *text, size_t len,
		       const struct mlb_param *const *changes, size_t n, unsigned *changed, struct mlb_err *err);

#endif
