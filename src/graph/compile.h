/*
 * Between the files of the compiler (compile*.c); private to them.
 *
 * The order of work: expand (instances), outputs (what each makes), resolve
 * (command texts and inputs), gates, order, facts, flatten. Instances, paths and
 * outputs refer to each other by index; flatten renumbers them.
 *
 * Ownership: the compiler owns all of it; strings live in its arena, those of one
 * instance's work in `tmp`.
 */
#ifndef GRAPH_COMPILE_H
#define GRAPH_COMPILE_H

#include "base/strmap.h"
#include "graph/diag.h"
#include "graph/graph.h"
#include "graph/pyimport.h"
#include "graph/refs.h"
#include "store/left_out.h"

#define MLB_C_KEYS 16              /* most matrix keys of a target */
#define MLB_C_INSTANCES 1000000    /* most instances of a target */
#define MLB_C_TEXT ((size_t)64 * 1024 * 1024) /* longest resolved command */

/* One matrix key of a target. */
struct mlb_c_key {
	const char *name;
	const char *const *value;
	uint32_t n;
	uint32_t stride;           /* how far apart neighbours are among the instances */
	struct mlb_strmap index;   /* value -> its number */
};

/* One output of one instance; a source's path is its only one. */
struct mlb_c_out {
	const char *name;          /* "" for the plain one, "metrics" */
	const char *each;          /* each: the path with markers; NULL otherwise */
	uint32_t path;             /* MLB_NONE: it was wrong, and reported */
	uint8_t kind;              /* enum mlb_g_okind */
};

struct mlb_c_target {
	const struct mlb_target *t;
	struct mlb_c_key *key;
	uint32_t n_keys;
	uint32_t first, n;         /* instances */
	uint32_t out, n_outs;      /* outputs of the first instance, and per instance */
	bool posix;                /* its shell quotes as sh does */
	bool bad;                  /* its keys or outputs are wrong: nothing can refer to it */
	bool failed;               /* an instance had an error */
};

struct mlb_c_inst {
	struct mlb_g_node node;    /* dep, gate and list hold instances until flatten; in: into c->input */
	uint32_t target;
	uint32_t ord;              /* its number among the target's instances */
	const char *name;
};

enum mlb_c_seen { MLB_C_UNSEEN = 0, MLB_C_YES, MLB_C_NO };

/* One path; its text is the key of c->path. */
struct mlb_c_path {
	uint32_t producer;         /* instance whose output or source it is, MLB_NONE */
	uint32_t owner;            /* output or source that it is or lies in: path; MLB_NONE; valid if owner_seen */
	uint32_t given_to;         /* the last instance that it became an input of, plus one */
	uint32_t given_at;         /* where in c->input */
	uint8_t pkind;             /* enum mlb_pkind, MLB_P_UNKNOWN before it was looked at */
	uint8_t owner_seen;        /* enum mlb_c_seen */
	uint8_t ignored;           /* enum mlb_c_seen */
	bool used;                 /* an input or output: it is wanted by content */
	bool fact;                 /* a fact names it */
	bool exists_fact;
};

struct mlb_c_input {
	uint32_t path, by;
	uint8_t why;
};

struct mlb_c_edge {
	uint32_t from, to;         /* instances */
};

/* A directory that is an input as a whole: no output may lie in it. */
struct mlb_c_dir {
	uint32_t path;
	const struct mlb_text *where;
	uint32_t inst;
};

/* A glob that would match outputs, if it saw them. */
struct mlb_c_glob {
	uint32_t inst;
	const struct mlb_text *where;
	const char *pattern;
};

MLB_VEC_NAMED(mlb_c_u32s, uint32_t);
MLB_VEC_NAMED(mlb_c_words, const char *);

struct mlb_comp {
	const struct mlb_compile *in;
	const struct mlb_config *config;
	struct mlb_diag diag;
	struct mlb_arena arena;
	struct mlb_arena tmp;

	struct mlb_c_target *target;
	uint32_t n_targets;
	struct mlb_strmap by_name;           /* target name -> index */
	MLB_VEC(struct mlb_c_inst) inst;
	MLB_VEC(struct mlb_c_out) out;

	struct mlb_strmap path;              /* path -> number (order of insertion) */
	MLB_VEC(struct mlb_c_path) path_info;
	MLB_VEC(struct mlb_c_input) input;
	struct mlb_c_u32s index;             /* becomes index[] */
	MLB_VEC(struct mlb_c_edge) guard;    /* from: check, to: what it guards */
	MLB_VEC(struct mlb_c_edge) gate;     /* from: check, to: what waits for it */
	uint32_t n_explicit_gates;           /* the first of them: from `needs` */
	MLB_VEC(struct mlb_c_dir) dir;
	MLB_VEC(struct mlb_g_fact) fact;     /* subject: path number here */
	struct mlb_strmap env;               /* variables that have a fact */
	struct mlb_strmap ignore_dir;        /* directories whose .gitignore matters */
	struct mlb_left_outs left_outs;      /* directories whose .mlbuildignore matters */
	struct mlb_strmap out_dir;           /* directories that hold outputs or sources */
	struct mlb_strmap glob;              /* pattern -> struct mlb_c_u32s *, path numbers */
	struct mlb_strmap reached;           /* pattern -> struct mlb_c_u32s *, numbers of outputs (compile_globs.c) */
	MLB_VEC(struct mlb_c_glob) glob_used;
	struct mlb_py py;

	struct mlb_buf str;                  /* the string table */
	struct mlb_strmap str_map;           /* text -> offset */
	MLB_VEC(struct mlb_g_pair) pair;
	MLB_VEC(struct mlb_g_exec) exec;
	struct mlb_strmap exec_map;          /* bytes -> index */
	MLB_VEC(struct mlb_g_pool_use) pool_use;
	MLB_VEC(struct mlb_g_output) output; /* in order of instances */
	MLB_VEC(mlb_str) strs;

	uint8_t *defaults;                   /* per instance: a bare `mlbuild` builds it */
	struct mlb_c_u32s order;             /* instances in topological order */
	const char **names;                  /* of all targets, for suggestions; made when first needed */
	unsigned suggestions;                /* how many were looked for: it is not cheap */

	struct mlb_buf text, scratch, full;  /* reused */
	struct mlb_c_words words;            /* reused: what one reference stands for */
	struct mlb_c_u32s bound;             /* reused: instances of one reference */
};

/* What an instance is being given while it is resolved. */
struct mlb_c_work {
	uint32_t inst;
	uint32_t first_input;                /* of this instance in c->input */
	const struct mlb_c_target *ct;
	const char *dir;                     /* where its command runs; "." */
	struct mlb_c_u32s list;              /* instances that list markers name */
	MLB_VEC(struct mlb_g_pair) param;
	MLB_VEC(struct mlb_g_pair) env;
	struct mlb_c_words search;           /* where Python finds modules; the first is the script's directory */
	unsigned flags;                      /* enum mlb_g_flag found in references */
	const char *unset;                   /* of the node; from c->tmp */
	uint32_t last_list;                  /* where those of the last marker begin */
	bool glob;                           /* what replaces a reference is escaped for a glob */
	bool many;                           /* a reference in a glob stood for several words, or none */
	bool sources_only;                   /* targets that are made may not be named here (fingerprint) */
	bool failed;
};

/* compile.c */
void mlb_c_error(struct mlb_comp *c, const struct mlb_text *where, const char *fmt, ...) MLB_PRINTF(3, 4);
void mlb_c_take(struct mlb_comp *c, const struct mlb_text *where, const struct mlb_c_inst *inst, struct mlb_err *err);
uint32_t mlb_c_path(struct mlb_comp *c, const char *path);                 /* number of a normal path */
uint32_t mlb_c_path_find(const struct mlb_comp *c, const char *path, size_t len); /* MLB_NONE if never met */
const char *mlb_c_path_text(const struct mlb_comp *c, uint32_t path);
mlb_str mlb_c_str(struct mlb_comp *c, const char *s);                      /* shared */
mlb_str mlb_c_str_new(struct mlb_comp *c, const char *s, size_t len);      /* likely to be the only one */
const char *mlb_c_nearest_target(struct mlb_comp *c, const char *name);    /* or NULL */
bool mlb_c_lost_target(const struct mlb_comp *c, const char *name);        /* not there because of an error that is reported */
bool mlb_c_lost_outputs(const struct mlb_comp *c);                         /* the same, of outputs whose paths are not known */
const char *mlb_c_some(struct mlb_comp *c, const char *const *words, uint32_t n); /* "a b c … z", for messages; from c->tmp */
struct mlb_c_target *mlb_c_find(struct mlb_comp *c, const char *name);
const char *mlb_c_target_name(const struct mlb_comp *c, uint32_t inst);
void mlb_c_place(const struct mlb_comp *c, uint32_t inst, struct mlb_text *out); /* of its section */

/* compile_expand.c */
void mlb_c_expand(struct mlb_comp *c);
const char *mlb_c_value(const struct mlb_c_target *ct, uint32_t ord, const char *key); /* NULL: no such key */
/* Instances that a reference from `inst` means, in declared order, in c->bound; false after reporting. */
bool mlb_c_bind(struct mlb_comp *c, uint32_t inst, const struct mlb_c_target *to, const struct mlb_ref *ref,
		const struct mlb_text *where);

/* compile_outputs.c */
void mlb_c_outputs(struct mlb_comp *c);
void mlb_c_check_dirs(struct mlb_comp *c);
bool mlb_c_holds_outputs(const struct mlb_comp *c, const char *path); /* is it a directory above one? */
uint32_t mlb_c_owner(struct mlb_comp *c, uint32_t path); /* output or source that it is or lies in, MLB_NONE */

/* compile_subst.c: forms that may stand in a value. */
#define MLB_C_FORM(form) (1U << (form))
#define MLB_C_CONST (MLB_C_FORM(MLB_REF_PARAM) | MLB_C_FORM(MLB_REF_ENV) | MLB_C_FORM(MLB_REF_MATRIX))
#define MLB_C_ALL 0xffU

/* Append the value with its references replaced; false after reporting. shell: quote for it. */
bool mlb_c_subst(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value, unsigned forms, bool shell,
		 struct mlb_buf *out);
void mlb_c_param(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_param *p);
void mlb_c_env_fact(struct mlb_comp *c, const char *name);

/* compile_target_ref.c: the words and inputs of ${NAME…}. */
bool mlb_c_target_ref(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_ref *ref, enum mlb_in_why why,
		      const struct mlb_text *where);
/* Which output of a target; its number, or -1 after reporting. */
int mlb_c_which_out(struct mlb_comp *c, const struct mlb_c_target *ct, const char *out, const char *ref_text,
		    const struct mlb_text *where);
const char *mlb_c_shown_path(struct mlb_comp *c, const char *path, const char *dir);

/* compile_resolve.c */
void mlb_c_resolve(struct mlb_comp *c);

/* compile_inputs.c */
void mlb_c_add_input(struct mlb_comp *c, struct mlb_c_work *w, uint32_t path, enum mlb_in_why why, uint32_t by);
void mlb_c_drop_inputs(struct mlb_comp *c, size_t n); /* all but the first n */
void mlb_c_finish_inputs(struct mlb_comp *c, struct mlb_c_work *w);

/* compile_words.c */
void mlb_c_search_path(struct mlb_comp *c, struct mlb_c_work *w); /* fills w->search; after dir and env.* are known */
void mlb_c_words(struct mlb_comp *c, struct mlb_c_work *w, const char *command, const struct mlb_text *where);
void mlb_c_arg_words(struct mlb_comp *c, struct mlb_c_work *w, const char *value, const struct mlb_text *where);
void mlb_c_imports(struct mlb_comp *c, struct mlb_c_work *w, uint32_t script);

/* compile_needs.c */
void mlb_c_needs(struct mlb_comp *c, struct mlb_c_work *w);
void mlb_c_each(struct mlb_comp *c, struct mlb_c_work *w, const struct mlb_text *value);

/* compile_globs.c */
const char *mlb_c_glob_outputs(struct mlb_comp *c, uint32_t inst, const char *pattern); /* for the error that nothing matches: which output would; "" or from c->tmp */
void mlb_c_glob_used(struct mlb_comp *c, uint32_t inst, const char *pattern, const struct mlb_text *where);
void mlb_c_glob_notes(struct mlb_comp *c); /* what those leave out that is not read in another way */

/* compile_gates.c */
void mlb_c_gates(struct mlb_comp *c);

/* compile_order.c: c->order by deps, and by gates if with_gates; false after reporting cycles. */
bool mlb_c_order(struct mlb_comp *c, bool with_gates);

/* compile_facts.c */
uint8_t mlb_c_look(struct mlb_comp *c, uint32_t path);     /* enum mlb_pkind on disk, looked at once */
bool mlb_c_ignored(struct mlb_comp *c, uint32_t path);     /* by git; remembers the .gitignore files */
/* By .mlbuildignore; path as mlb_glob_files gives it. Remembers the files. */
bool mlb_c_left_out(struct mlb_comp *c, const char *path);
/* Tell of a .mlbuildignore that could not be read. */
void mlb_c_left_out_check(struct mlb_comp *c, const struct mlb_text *where, const struct mlb_c_inst *inst);
void mlb_c_exists_fact(struct mlb_comp *c, uint32_t path);
void mlb_c_searched(struct mlb_comp *c, const char *dir);  /* a glob looked there */
void mlb_c_facts(struct mlb_comp *c);

/* compile_defaults.c */
uint8_t *mlb_c_defaults(struct mlb_comp *c);

/* compile_flatten.c */
int mlb_c_flatten(struct mlb_comp *c, struct mlb_graph **out, struct mlb_err *err);

#endif
