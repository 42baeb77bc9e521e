/*
 * Parameters as a tree, between the readers (params_yaml.c, params_json.c), the
 * flat view (params.c) and the rewriter (params_rewrite.c). Private to those.
 *
 * Ownership: nodes and their strings live in the arena that the reader was given.
 */
#ifndef GRAPH_PARAMS_TREE_H
#define GRAPH_PARAMS_TREE_H

#include "graph/params.h"

#define MLB_PARAMS_DEPTH 32                  /* maps within maps */
#define MLB_PARAMS_NODES 250000              /* of one file, aliases expanded */
#define MLB_PARAMS_FILE_MAX (16 * MLB_MIB)   /* bytes of one file */
#define MLB_PARAMS_TEXT_MAX (64 * MLB_MIB)   /* bytes of JSON that one file may become */

enum mlb_pkindof { MLB_P_SCALAR = 0, MLB_P_LIST, MLB_P_MAP, MLB_P_RAW /* rewriter: text is JSON */ };

struct mlb_pnode {
	struct mlb_param param;     /* first: the flat view points here */
	const char *key;            /* in the map above; NULL in lists and at the root */
	struct mlb_pnode *up;
	struct mlb_pnode *first, *last; /* children, in order */
	struct mlb_pnode *next;
	uint32_t n;                 /* of children */
	uint8_t kind;               /* enum mlb_pkindof */
	bool plain;                 /* scalar without quotes: may be a number, true, false or null */
	bool stale;                 /* param.text must be made from the children */
	size_t start, end;          /* bytes in the text it was read from */
};

struct mlb_pnode *mlb_pnode_new(struct mlb_arena *a, enum mlb_pkindof kind);
void mlb_pnode_append(struct mlb_pnode *up, struct mlb_pnode *child);

/* Read a whole text; the root is a map (any kind if any_root). NULL of an empty YAML text becomes an empty map. */
int mlb_params_read_yaml(struct mlb_pnode **out, struct mlb_arena *a, const char *file, const char *text,
			 size_t len, bool any_root, struct mlb_err *err);
int mlb_params_read_json(struct mlb_pnode **out, struct mlb_arena *a, const char *file, const char *text,
			 size_t len, struct mlb_err *err);
/* By the file's name; a BOM is skipped, and not counted in start and end. */
int mlb_params_read(struct mlb_pnode **out, struct mlb_arena *a, const char *file, const char *text, size_t len,
		    struct mlb_err *err);

/* Append canonical JSON: sorted keys, no blanks, numbers as written where JSON allows. */
void mlb_pnode_json(struct mlb_buf *out, const struct mlb_pnode *n);

/* The JSON value of a scalar without quotes (YAML 1.2 core schema), or NULL if it is a string; in scratch. */
const char *mlb_plain_json(struct mlb_buf *scratch, const char *text);

#endif
