/*
 * The compiled graph: every target instance with all that is needed to key and
 * run it, flat. Arrays of records refer to each other by index, texts by offset
 * into `str`; offset 0 is the empty string, MLB_NONE an absent index. The file
 * format is these arrays behind a header (graph_file.c).
 *
 * 1. path[] is sorted bytewise and unique; a directory listing is named "./DIR"
 *    ("./." for the project's root), which no normal path is.
 * 2. node[] is in topological order: deps and gates of a node have smaller indices.
 * 3. The inputs of a node are sorted by path and unique.
 * 4. The graph is immutable once made, and a pure function of its facts.
 *
 * Ownership: the graph owns all of it; strings are borrowed.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/hash.h"
#include "graph/config.h"

#define MLB_NONE UINT32_MAX

typedef uint32_t mlb_str; /* offset into str */

struct mlb_range {
	uint32_t first, n;
};

/* Why a path is an input: what `why` and error messages say. */
enum mlb_in_why { MLB_IN_REF = 0, MLB_IN_WORD, MLB_IN_NEEDS, MLB_IN_IMPORT, MLB_IN_EACH };

struct mlb_g_input {
	uint32_t path;     /* path index; of the whole output where only a part of it is named */
	uint32_t producer; /* node that makes it, MLB_NONE for a source */
	uint32_t by;       /* MLB_IN_IMPORT: path index of the importing file */
	uint8_t why;       /* enum mlb_in_why */
};

enum mlb_g_okind { MLB_G_FILE = 0, MLB_G_DIR, MLB_G_METRICS };

struct mlb_g_output {
	mlb_str name;      /* OUT of out.OUT, "" for the plain one, "metrics" */
	uint32_t path;     /* each: index of the one directory of all outputs */
	mlb_str each_out;  /* each: the output's path, with markers; "" otherwise */
	uint8_t kind;      /* enum mlb_g_okind */
};

struct mlb_g_pair {
	mlb_str name, value; /* env: value MLB_NONE means unset */
};

struct mlb_g_exec {
	double cpus;
	uint64_t mem;         /* bytes */
	uint64_t timeout;     /* ns, 0: none */
	uint64_t retry_delay; /* ns */
	uint32_t gpus;
	uint32_t retries;
	struct mlb_range pool; /* into pool_use: name of the pool, slots */
};

struct mlb_g_pool_use {
	uint32_t pool; /* into pool[] */
	uint32_t slots;
};

struct mlb_g_pool {
	mlb_str name;
	uint32_t slots;
};

enum mlb_g_flag {
	MLB_G_FROZEN = 1,
	MLB_G_NO_STORE = 2,       /* store = no */
	MLB_G_NONDET = 4,         /* deterministic = no */
	MLB_G_SOURCE = 8,         /* path =: nothing to run; out[0] is the path */
	MLB_G_EACH = 16,
	MLB_G_SCRATCH = 32,       /* uses ${scratch} */
	MLB_G_USE = 64,           /* command names a built-in stage */
	MLB_G_TRACKED_OUT = 128   /* an output is tracked by git */
};

struct mlb_g_node {
	mlb_str name;         /* instance: "fit@fold=0" */
	mlb_str base;         /* section: "fit" */
	mlb_str command;      /* resolved; may hold the markers below; MLB_G_USE: "NAME VERSION"; "" for a source */
	mlb_str dir;          /* "." without */
	mlb_str shell;        /* prefix words, "" for /bin/sh -ec */
	mlb_str unset;        /* "FILE:LINE: …", a line for each ${env:VAR} of its command that is not set; "" */
	uint32_t kind;        /* enum mlb_kind */
	uint32_t flags;       /* enum mlb_g_flag */
	uint32_t exec;        /* into exec[] */
	uint32_t target;      /* declaration order */
	struct mlb_range in;      /* into input[] */
	struct mlb_range out;     /* into output[] */
	struct mlb_range param;   /* into pair[]: what ${params:…} and needs = params: name; sorted */
	struct mlb_range env;     /* into pair[]: env.VAR and needs = env:VAR; in the key; sorted */
	struct mlb_range secret;  /* into pair[]: name only; never in a key */
	struct mlb_range arg;     /* into pair[]: arguments of a stage; sorted */
	struct mlb_range fp;      /* into strs[]: fingerprint commands, sorted */
	struct mlb_range dep;     /* into index[]: nodes whose outputs it reads, sorted, unique */
	struct mlb_range gate;    /* into index[]: checks that must have said yes before it runs */
	struct mlb_range guards;  /* into index[]: a check's: nodes that it guards */
	struct mlb_range user;    /* into index[]: nodes that have it as dep or gate */
	struct mlb_range list;    /* into index[]: nodes of ${NAME:list}; a marker names some of them */
	struct mlb_digest stat_digest; /* of everything in the action text but the inputs' and fingerprints' digests */
	/* each: */
	mlb_str each_glob;        /* pattern relative to the project */
	uint32_t each_source;     /* node whose tree is globbed, MLB_NONE: the project's files */
	uint32_t batch;
};

/*
 * Markers, replaced when an action is made (action.c):
 *   \x01each\x01 \x01each:stem\x01 …   of the file at hand
 *   \x01out:N\x01                   each: the N-th output for this file
 *   \x01scratch\x01                 the scratch directory
 *   \x01list:FIRST+N\x01            for N nodes of `list`, from FIRST: files with their outputs' paths
 * In a command the quoting context follows as a digit (enum mlb_ref_ctx):
 * \x01each/0\x01; elsewhere the plain text is put in.
 */
#define MLB_MARK '\x01'

enum mlb_fact_kind {
	MLB_FACT_FILE = 0,   /* content of a file, or its absence */
	MLB_FACT_EXISTS,     /* a path is absent, a file or a directory */
	MLB_FACT_LISTING,    /* names in a directory */
	MLB_FACT_ENV         /* value of an environment variable */
};

struct mlb_g_fact {
	uint32_t subject;         /* path index; MLB_FACT_ENV: mlb_str of the name */
	uint8_t kind;             /* enum mlb_fact_kind */
	uint8_t pkind;            /* MLB_FACT_EXISTS: enum mlb_pkind that was found */
	struct mlb_digest digest; /* of content, listing or value; zero: absent or unset */
};

struct mlb_graph {
	struct mlb_g_node *node;
	struct mlb_g_input *input;
	struct mlb_g_output *output;
	struct mlb_g_pair *pair;
	struct mlb_g_exec *exec;
	struct mlb_g_pool *pool;
	struct mlb_g_pool_use *pool_use;
	struct mlb_g_fact *fact;
	uint32_t *index;
	mlb_str *strs;
	mlb_str *path;            /* sorted paths */
	uint8_t *path_want;       /* enum mlb_want */
	uint32_t *path_producer;  /* node whose output it is, or MLB_NONE */
	uint32_t *by_name;        /* node indices sorted bytewise by name (to merge with memo rows) */
	mlb_str *expose;          /* [project] expose */
	char *str;
	uint32_t n_nodes, n_inputs, n_outputs, n_pairs, n_execs, n_pools, n_pool_uses, n_facts, n_index, n_strs,
		n_paths, n_expose;
	size_t str_len;
	mlb_str project;          /* its name */
	mlb_str salt;             /* [cache] salt, "" */
	mlb_str cache_dir;        /* absolute or relative to the project; "" for .mlbuild/cache */
	mlb_str cache_link;       /* "", copy, hardlink */
	struct mlb_range defaults;/* into index[]: nodes of a bare `mlbuild` */
	uint32_t jobs;            /* from config.ini, 0 without */
	uint32_t remotes;         /* [remote] sections: without one nobody need be asked */
	struct mlb_digest id;     /* SHA-256 of all of the above */
	void *map;                /* the mapping or allocation that holds everything */
	size_t map_len;
};

static inline const char *mlb_g_str(const struct mlb_graph *g, mlb_str s) { return g->str + s; }
static inline const char *mlb_g_path(const struct mlb_graph *g, uint32_t p) { return g->str + g->path[p]; }

/* The first path that is not before this text bytewise; n_paths if there is none. */
uint32_t mlb_graph_path_from(const struct mlb_graph *g, const char *text);

/* Where facts come from while compiling; the project's directory, or a private root. */
struct mlb_vcs;
struct mlb_compile {
	const char *root;          /* absolute; files are looked for here */
	struct mlb_vcs *vcs;       /* NULL outside a repository */
	const struct mlb_config *config;
	struct mlb_strvec *notes;  /* what is no error and worth telling is appended; NULL: nobody listens */
};

/* Resolve, expand and check everything; all errors at once, each with file and line. */
int mlb_graph_compile(struct mlb_graph **out, const struct mlb_compile *in, struct mlb_err *err);
void mlb_graph_free(struct mlb_graph *g);

int mlb_graph_save(const struct mlb_graph *g, const char *path, struct mlb_err *err);
/* MLB_ENOTFOUND if absent; MLB_ECORRUPT for another version or anything out of bounds. */
int mlb_graph_load(struct mlb_graph **out, const char *path, struct mlb_err *err);

uint32_t mlb_graph_find(const struct mlb_graph *g, const char *name); /* instance name; MLB_NONE */
/*
 * Instances of one target are not next to each other: chains of them. The result is the first of each target
 * (by mlb_g_node.target; for at least n_targets of them), *next what follows a node; MLB_NONE ends a chain.
 * Both are the caller's to free.
 */
uint32_t *mlb_graph_instances(const struct mlb_graph *g, size_t n_targets, uint32_t **next);
uint32_t mlb_graph_path(const struct mlb_graph *g, const char *path); /* index of a path; MLB_NONE */

#endif
