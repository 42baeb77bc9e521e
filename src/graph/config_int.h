/*
 * Between the files of the configuration loader (config*.c); private to them.
 */
#ifndef GRAPH_CONFIG_INT_H
#define GRAPH_CONFIG_INT_H

#include "graph/config.h"

/* Where a section stands; a later layer's keys replace those of earlier ones. */
enum layer { LAYER_PROJECT = 0, LAYER_USER, LAYER_LOCAL };

/* How the text of a value becomes a field. */
enum value_type {
	V_TEXT,       /* struct mlb_text, joined to one line */
	V_VERBATIM,   /* struct mlb_text, lines kept */
	V_WORD,       /* struct mlb_text, exactly one word, unquoted */
	V_WORDS,      /* struct mlb_text_vec, words added */
	V_VARS,       /* the same; names of environment variables */
	V_LINES,      /* struct mlb_text_vec, one per line */
	V_STR,        /* const char *, joined */
	V_STR_WORD,   /* const char *, exactly one word */
	V_STR_WORDS,  /* const char *, words added, one blank between them */
	V_NAME,       /* const char *, a valid name */
	V_LINK,       /* const char *: copy, hardlink */
	V_TRUST,      /* const char *: required */
	V_CPUS,       /* double above 0 */
	V_COUNT,      /* uint32_t from 0 */
	V_POSITIVE,   /* uint32_t from 1 */
	V_SIZE,       /* uint64_t bytes */
	V_DURATION,   /* uint64_t ns above 0 */
	V_BOOL,       /* bool */
	V_NAMED_WORD, /* struct mlb_named_vec: KEY.NAME = one word */
	V_NAMED_TEXT, /* struct mlb_named_vec: KEY.NAME = text */
	V_NAMED_VAR,  /* the same; NAME is an environment variable's */
	V_NAMED_MATRIX, /* the same; the values are checked */
	V_NAMED_COUNT /* the same; a whole number from 1 */
};

/* One key of one kind of section. */
struct key_def {
	const char *name;   /* of a prefix: with its dot */
	uint8_t type;       /* enum value_type */
	uint8_t flags;      /* enum key_flag */
	uint8_t kinds;      /* targets: bit per enum mlb_kind */
	size_t offset;      /* of the field in struct mlb_target or struct mlb_config */
};

enum key_flag {
	K_PREFIX = 1,       /* name is followed by more: out.train */
	K_DEFAULTS = 2,     /* may stand in [defaults] */
	K_SOURCE = 4        /* has a meaning where there is a path */
};

enum target_key {
	KEY_BATCH,
	KEY_CPUS,
	KEY_DESC,
	KEY_DETERMINISTIC,
	KEY_DIR,
	KEY_EACH,
	KEY_ENV,
	KEY_FINGERPRINT,
	KEY_FROZEN,
	KEY_GPUS,
	KEY_GUARDS,
	KEY_MATRIX,
	KEY_MEM,
	KEY_METRICS,
	KEY_NEEDS,
	KEY_OUT,
	KEY_OUT_NAMED,
	KEY_OWNER,
	KEY_PATH,
	KEY_POOL,
	KEY_RETRIES,
	KEY_RETRY_DELAY,
	KEY_RUN,
	KEY_SECRET,
	KEY_SHELL,
	KEY_STORE,
	KEY_TAGS,
	KEY_TIMEOUT,
	KEY_USE,
	N_TARGET_KEYS
};

#define KINDS_CHECK (1 << MLB_K_CHECK)
#define KINDS_MADE (1 << MLB_K_DATASET | 1 << MLB_K_FEATURE | 1 << MLB_K_MODEL | 1 << MLB_K_REPORT)

/* Keys given in one section, by enum target_key. */
struct given {
	const struct mlb_ini_entry *entry[N_TARGET_KEYS]; /* last one of a prefix */
};

/* The [defaults] that cover the targets of one file. */
struct defaults {
	const char *file;
	struct mlb_target value;
	struct given given;
};

struct section {
	const struct mlb_ini_entry *entry; /* of its keys */
	size_t n;
	const char *text;     /* "model churn" */
	const char *kind;     /* "model" */
	const char *name;     /* "churn", "" without */
	const char *file;
	unsigned line;
	uint8_t layer;        /* enum layer */
};

MLB_VEC_NAMED(section_refs, const struct section *);

struct loader {
	struct mlb_config *c;
	struct mlb_diag diag;
	struct mlb_err *err;          /* for what cannot go to diag */
	const struct mlb_config_files *files; /* NULL: on the disk */
	MLB_VEC(struct section) section;
	MLB_VEC(struct defaults *) defaults; /* [0] is the root file's */
	struct mlb_strmap given;      /* "section=key" of other sections -> index of the section that gave it */
	struct mlb_strmap named;      /* "pool gpu" -> index into its list in the config */
	struct mlb_strmap seen_file;  /* files read already */
	MLB_VEC(struct mlb_text) words; /* scratch */
	struct section_refs pool_place;   /* where each of c->pool begins; likewise: */
	struct section_refs remote_place;
	struct section_refs notify_place;
	struct mlb_text_vec param_file; /* words of [params] file; the loader's own array */
	struct mlb_strmap pools;      /* name -> index into c->pool */
	const char *last_file;        /* whose defaults were asked for last */
	const struct defaults *last_defaults;
	size_t n_syntax;              /* lines of diag from reading the files */
	size_t inherited_env, inherited_pool; /* of the target at hand: values that [defaults] gave it */
};

/* config_value.c: one value into one field. name is what follows the prefix, else "". */
void mlb_config_set(struct loader *l, const struct mlb_ini_entry *e, const struct key_def *def, const char *name,
		    void *base);
void mlb_named_push(struct mlb_arena *a, struct mlb_named_vec *v, const char *name, struct mlb_text value);
/* Report an unknown key with the nearest of the valid ones. */
void mlb_config_unknown_key(struct loader *l, const struct mlb_ini_entry *e, const struct key_def *defs, size_t n);

/* config_words.c: cut into words, put into l->words; false after an error was reported. */
bool mlb_config_words(struct loader *l, const struct mlb_ini_entry *e);
bool mlb_config_word(struct loader *l, const struct mlb_ini_entry *e, const char **out);

/* config_keys.c: the table of the keys of targets. */
extern const struct key_def mlb_target_keys[N_TARGET_KEYS];
const struct key_def *mlb_target_key(const char *text, const char **rest); /* rest: what follows its prefix */
void mlb_target_unknown_key(struct loader *l, const struct mlb_ini_entry *e);
void mlb_target_init(struct mlb_target *t);
/* Take what [defaults] gives a target of this kind; arrays stay shared (cap 0). */
void mlb_target_inherit(struct mlb_target *t, const struct defaults *d, unsigned kind_bit, bool source);

/* config.c: is a line of this section among those that could not be read? */
bool mlb_config_unreadable(const struct loader *l, const struct section *s);

/* config_run.c: the line (from 0) of a command that begins with '-' behind one without a backslash; 0 none. */
unsigned mlb_lost_continuation(const char *run);

/* config_target.c */
void mlb_config_defaults(struct loader *l);
void mlb_config_target(struct loader *l, const struct section *s, enum mlb_kind kind);
void mlb_config_check_targets(struct loader *l);

/* config_sections.c: all other sections. */
void mlb_config_section(struct loader *l, const struct section *s);
void mlb_config_check_sections(struct loader *l);

/* config_include.c: files. */
int mlb_config_read_file(struct loader *l, const char *path, struct mlb_buf *out, struct mlb_err *err); /* below the root; MLB_ENOTFOUND */
int mlb_config_includes(struct loader *l);
void mlb_config_read_params(struct loader *l);
int mlb_config_override(struct loader *l, const struct mlb_override *o, size_t n);

#endif
