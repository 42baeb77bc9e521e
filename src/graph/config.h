/*
 * mlbuild.ini as written: sections checked and typed, nothing resolved yet.
 * config_keys.c and config_sections.c know every section and key of
 * mlbuild.ini(5), and are the only files that do: unknown, repeated and
 * misplaced ones are errors with file, line and the nearest valid word; all
 * errors are reported at once.
 *
 * Ownership: the config owns everything; targets borrow from its arenas. Arrays
 * in targets are never freed or grown by anybody else; targets share those that
 * come from [defaults].
 */
#ifndef GRAPH_CONFIG_H
#define GRAPH_CONFIG_H

#include "base/vec.h"
#include "graph/diag.h"
#include "graph/inifile.h"
#include "graph/params.h"

enum mlb_kind {
	MLB_K_DATASET = 0,
	MLB_K_FEATURE,
	MLB_K_MODEL,
	MLB_K_REPORT,
	MLB_K_CHECK,
	MLB_K_TASK,
	MLB_N_KINDS
};
extern const char *const mlb_kind_names[MLB_N_KINDS];

/* A text with the place where it stands. */
struct mlb_text {
	const char *s;    /* NULL: not given */
	const char *file;
	unsigned line;
};

struct mlb_named {
	const char *name; /* after the dot: OUT of out.OUT, KEY of matrix.KEY, VAR of env.VAR, argument of a stage */
	struct mlb_text value;
};
MLB_VEC_NAMED(mlb_named_vec, struct mlb_named);
MLB_VEC_NAMED(mlb_text_vec, struct mlb_text);

struct mlb_target {
	const char *name;
	uint8_t kind;               /* enum mlb_kind */
	const char *file;           /* of the section header */
	unsigned line;
	struct mlb_text run;        /* verbatim */
	struct mlb_text use;        /* built-in stage */
	struct mlb_named_vec arg;   /* its arguments (any key not known otherwise, only with use) */
	struct mlb_text path;       /* a source */
	struct mlb_named_vec out;   /* name "" for the plain `out` */
	struct mlb_text metrics;
	struct mlb_text_vec needs;  /* one per word, those of [defaults] first */
	struct mlb_text_vec fingerprint; /* one per line */
	struct mlb_text_vec guards; /* target names */
	struct mlb_named_vec matrix;/* value: the words as written */
	struct mlb_text each;
	uint32_t batch;             /* 1 without */
	struct mlb_text dir, shell;
	struct mlb_named_vec env;   /* env.VAR */
	struct mlb_text_vec secret; /* names of environment variables that must not be shown */
	struct mlb_named_vec pool;  /* pool.NAME = slots */
	double cpus;                /* 1 without */
	uint64_t mem;               /* bytes, 0 without */
	uint32_t gpus;
	uint64_t timeout_ns;        /* 0: none */
	uint32_t retries;
	uint64_t retry_delay_ns;    /* first delay; doubles each time */
	bool frozen;
	bool deterministic;         /* yes without */
	bool store;                 /* yes without */
	const char *desc, *owner, *tags; /* "" without */
	bool broken;                /* something in its section is wrong: it may lack what it should have */
};

struct mlb_pool_def {
	const char *name;
	uint32_t slots;
};

struct mlb_remote_def {
	const char *name;
	struct mlb_named_vec key; /* url and the rest, as written */
};
MLB_VEC_NAMED(mlb_remote_defs, struct mlb_remote_def);

struct mlb_config {
	struct mlb_arena arena;
	struct mlb_ini ini;                  /* the texts; its entries are gone after loading */
	struct mlb_strmap by_name;           /* target name -> struct mlb_target * */
	const char *root;                    /* absolute directory of the root mlbuild.ini */
	const char *name;                    /* of the project; the directory's if not given */
	struct mlb_text_vec default_targets; /* words */
	struct mlb_text_vec expose;
	struct mlb_params params;
	struct mlb_text_vec param_files;     /* [params] file = … (relative to root) */
	MLB_VEC(struct mlb_target *) target; /* in order of the files */
	MLB_VEC(struct mlb_pool_def) pool;
	struct mlb_remote_defs remote;
	struct mlb_remote_defs notify;
	struct mlb_text_vec trust_keys;
	const char *trust;                   /* "" or required */
	const char *cache_dir;               /* "" without: .mlbuild/cache */
	const char *cache_link;              /* "", "copy" or "hardlink" */
	uint64_t cache_size;                 /* bytes, 0: no limit */
	const char *cache_salt;              /* "" without */
	uint32_t jobs;                       /* 0: not given (from config.ini) */
	struct mlb_strvec files;             /* every ini, include and parameter file that was looked for, the two
						config.ini also where they are absent (relative to root where inside) */
	struct mlb_strvec include_globs;     /* [include] patterns, for the graph's facts */

	/* What is wrong with it (mlb_config_try), and what may be missing only because of that: */
	struct mlb_diag diag;
	struct mlb_strmap lost;              /* names of targets whose sections' headers are wrong */
	bool lost_targets;                   /* targets of which not even the names are known */
	bool lost_params;
};

struct mlb_override {
	const char *name, *value; /* -p name=value; name NULL: value is the absolute path of a file */
	const char *given;        /* a file as it was given, -p @given, for messages; else NULL */
};

/*
 * Read ROOT/mlbuild.ini, what it includes, its parameter files, then
 * .mlbuild/config.ini and the user's config.ini (which may not hold targets or
 * parameters). user_config may be NULL.
 */
int mlb_config_load(struct mlb_config **out, const char *root, const char *user_config,
		    const struct mlb_override *override, size_t n_override, struct mlb_err *err);
/* The same, but what is wrong in the files is left in (*out)->diag: for who has more to say about them. */
int mlb_config_try(struct mlb_config **out, const char *root, const char *user_config,
		   const struct mlb_override *override, size_t n_override, struct mlb_err *err);
/* The same from a text instead of ROOT/mlbuild.ini (tests, fuzzing). */
int mlb_config_parse(struct mlb_config **out, const char *root, const char *text, size_t len, struct mlb_err *err);

/* Where the files of a project are, if not on the disk. */
struct mlb_config_files {
	/* Append the content; MLB_ENOTFOUND if there is no such file. */
	int (*read)(void *ctx, const char *path, struct mlb_buf *out, struct mlb_err *err);
	/* Append the files that match, sorted. */
	int (*find)(void *ctx, const char *pattern, struct mlb_strvec *out, struct mlb_err *err);
	void *ctx;
};
/* The same from there, without any config.ini. MLB_ENOTFOUND if there is no mlbuild.ini. */
int mlb_config_load_from(struct mlb_config **out, const char *root, const struct mlb_config_files *files,
			 struct mlb_err *err);
void mlb_config_free(struct mlb_config *c);
struct mlb_target *mlb_config_find(const struct mlb_config *c, const char *name);

/* Values of matrix.KEY: words, 1..5, 2024-01-01..2024-03-31; in declared order, unique. */
int mlb_matrix_values(struct mlb_strvec *out, const struct mlb_text *value, struct mlb_err *err);

/* The values of one word of a sweep, if it is such a range (*is): appended to out. Errors begin with "-p PARAM: ". */
int mlb_range_values(struct mlb_strvec *out, const char *word, const char *param, bool *is, struct mlb_err *err);

#define MLB_NAME_MAX 48
/* A target's, pool's or remote's name: letters, digits, _ . -, beginning with a letter, digit or _, at most 48. */
bool mlb_name_valid(const char *name);
/* NAME is a word of the reference language (params env matrix out metrics each scratch). */
bool mlb_name_reserved(const char *name);

#endif
