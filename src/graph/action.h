/*
 * An action: one execution, fully resolved, and the canonical text that is its
 * key. The text format stands at the top of action.c.
 */
#ifndef GRAPH_ACTION_H
#define GRAPH_ACTION_H

#include "base/arena.h"
#include "base/strmap.h"
#include "graph/graph.h"

struct mlb_a_input {
	const char *path;
	uint8_t kind;             /* 'f' file, 'x' exec, 't' tree: enum mlb_okind */
	struct mlb_digest digest;
};

struct mlb_a_output {
	const char *name;
	const char *path;
	uint8_t kind;             /* enum mlb_g_okind */
};

struct mlb_a_arg {
	const char *name, *value; /* of a stage; markers other than each are still in the value */
};

struct mlb_action {
	const char *command;      /* markers other than each are still in it (scratch, list) */
	const char *dir, *shell, *salt;
	bool use;                 /* command is "NAME VERSION" of a built-in stage */
	const struct mlb_g_pair *param, *env; /* into the graph */
	struct mlb_a_arg *arg;    /* sorted by name */
	uint32_t n_params, n_env, n_args;
	struct mlb_a_input *input;  /* sorted by path */
	uint32_t n_inputs;
	const char *const *fp;                /* fingerprint commands */
	const struct mlb_digest *fp_digest;   /* of their output */
	uint32_t n_fps;
	struct mlb_a_output *output; /* sorted by path */
	uint32_t n_outputs;
	const char *stamp;        /* of a frozen target that was updated, "" otherwise */
};

/* The canonical text; the key is its SHA-256. */
void mlb_action_text(struct mlb_buf *out, const struct mlb_graph *g, const struct mlb_action *a);

/* Fill the static part of a node's action from the arena: inputs' and fingerprints' digests stay zero. */
void mlb_action_from_node(struct mlb_action *out, struct mlb_arena *arena, const struct mlb_graph *g, uint32_t node);

/*
 * An `each` node has many files, each of which only its own action reads. Leave in `a`, made by
 * mlb_action_from_node, what the actions of all of them share.
 */
void mlb_action_each_shared(struct mlb_action *a, const struct mlb_graph *g, uint32_t node);

/*
 * The action for one file of an `each` node: what all share, markers replaced in command and outputs, the file added
 * to the inputs. Digests are taken over from `shared`, whose arrays must live as long.
 */
void mlb_action_for_each(struct mlb_action *out, struct mlb_arena *arena, const struct mlb_graph *g,
			 uint32_t node, const struct mlb_action *shared, const struct mlb_a_input *file);

/*
 * The command of an `each` node for several files (batch): each and out markers
 * stand for the words of all of them; scratch and list markers stay.
 */
int mlb_action_each_command(struct mlb_buf *out, const struct mlb_graph *g, uint32_t node,
			    const char *const *file, size_t n_files, struct mlb_err *err);

/* An argument's value as the stage gets it: the same for mlb_action_command's markers. */
int mlb_action_arg(struct mlb_buf *out, const char *value, const char *scratch, const char *const *list,
		   size_t n_lists, struct mlb_err *err);

/*
 * A list marker that names several nodes: how many entries of the node's list range from i on go into one file;
 * 0: entry i goes into the file of one before it.
 */
uint32_t mlb_action_list_group(const struct mlb_graph *g, uint32_t node, uint32_t i);

/*
 * What to start: scratch and list markers replaced by these paths. n_lists as in the node's range; NULL entries
 * (whose paths went into the file of one before) are left out.
 */
int mlb_action_command(struct mlb_buf *out, const struct mlb_action *a, const char *scratch,
		       const char *const *list, size_t n_lists, struct mlb_err *err);

/* One difference of two action texts; for the call only. */
struct mlb_action_change {
	const char *type, *name;      /* of the line: "input" "src/a.py"; "command" "" */
	const char *old_kind, *kind;  /* input, output: "file", …; else "" */
	const char *old_value, *value; /* NULL: unset, or the line is not there */
	bool was, is;                 /* the line is in the old text, in the new one */
	const char *text;             /* for people: "input src/a.py changed", "command: …" */
};
typedef void mlb_action_change_fn(void *ctx, const struct mlb_action_change *c);
void mlb_action_changes(const char *old_text, const char *new_text, mlb_action_change_fn *fn, void *ctx);

/* One line of an action text. */
struct mlb_action_line {
	const char *type;
	const char *name;  /* what it is about; "" where there is one line of the type */
	const char *kind;  /* input, output: file, exec, tree, … */
	const char *value; /* digest or text; NULL: unset */
};

/* All of them, as they stand there; fields are readable: line feeds as \n, markers as ${…}. */
struct mlb_action_lines {
	struct mlb_arena arena;
	struct mlb_strmap map; /* type and name -> struct mlb_action_line * */
};
void mlb_action_read(struct mlb_action_lines *t, const char *s);
void mlb_action_lines_release(struct mlb_action_lines *t);

/* The differences in words, one line each. */
void mlb_action_diff(struct mlb_buf *out, const char *old_text, const char *new_text);

#endif
