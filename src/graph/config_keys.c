/*
 * The keys of targets and of [defaults]. To add one: a line in the table below,
 * a field in struct mlb_target, its entry in mlbuild.ini(5) and in
 * mlbuild.ini.example (tests/unit/test_config.c holds the table against both).
 */
#include <stdlib.h>
#include <string.h>

#include "graph/config_int.h"

const char *const mlb_kind_names[MLB_N_KINDS] = { "dataset", "feature", "model",
						  "report",  "check",   "task" };

#define ALL 0x3f
#define TASK (1 << MLB_K_TASK)
#define CHECK KINDS_CHECK
#define MADE KINDS_MADE

#define KEY(key, value_type, key_flags, key_kinds, field)                                          \
	{                                                                                          \
		key, value_type, key_flags, key_kinds, offsetof(struct mlb_target, field)          \
	}

/* Sorted by name, which is the order of enum target_key. */
const struct key_def mlb_target_keys[N_TARGET_KEYS] = {
	[KEY_BATCH] = KEY("batch", V_POSITIVE, 0, MADE, batch),
	[KEY_CPUS] = KEY("cpus", V_CPUS, K_DEFAULTS, ALL, cpus),
	[KEY_DESC] = KEY("desc", V_STR, K_SOURCE, ALL, desc),
	[KEY_DETERMINISTIC] = KEY("deterministic", V_BOOL, K_DEFAULTS, ALL & ~TASK, deterministic),
	[KEY_DIR] = KEY("dir", V_WORD, K_DEFAULTS, ALL, dir),
	[KEY_EACH] = KEY("each", V_WORD, 0, MADE, each),
	[KEY_ENV] = KEY("env.", V_NAMED_VAR, K_PREFIX | K_DEFAULTS, ALL, env),
	[KEY_FINGERPRINT] = KEY("fingerprint", V_LINES, K_DEFAULTS, ALL, fingerprint),
	[KEY_FROZEN] = KEY("frozen", V_BOOL, K_DEFAULTS, ALL & ~TASK, frozen),
	[KEY_GPUS] = KEY("gpus", V_COUNT, K_DEFAULTS, ALL, gpus),
	[KEY_GUARDS] = KEY("guards", V_WORDS, 0, CHECK, guards),
	[KEY_MATRIX] = KEY("matrix.", V_NAMED_MATRIX, K_PREFIX | K_SOURCE, ALL, matrix),
	[KEY_MEM] = KEY("mem", V_SIZE, K_DEFAULTS, ALL, mem),
	[KEY_METRICS] = KEY("metrics", V_WORD, 0, ALL & ~TASK, metrics),
	[KEY_NEEDS] = KEY("needs", V_WORDS, K_DEFAULTS, ALL, needs),
	[KEY_OUT] = KEY("out", V_NAMED_WORD, 0, ALL & ~TASK, out),
	[KEY_OUT_NAMED] = KEY("out.", V_NAMED_WORD, K_PREFIX, ALL & ~TASK, out),
	[KEY_OWNER] = KEY("owner", V_STR, K_DEFAULTS | K_SOURCE, ALL, owner),
	[KEY_PATH] = KEY("path", V_WORD, K_SOURCE, MADE, path),
	[KEY_POOL] = KEY("pool.", V_NAMED_COUNT, K_PREFIX | K_DEFAULTS, ALL, pool),
	[KEY_RETRIES] = KEY("retries", V_COUNT, K_DEFAULTS, ALL, retries),
	[KEY_RETRY_DELAY] = KEY("retry_delay", V_DURATION, K_DEFAULTS, ALL, retry_delay_ns),
	[KEY_RUN] = KEY("run", V_VERBATIM, 0, ALL, run),
	[KEY_SECRET] = KEY("secret", V_VARS, K_DEFAULTS, ALL, secret),
	[KEY_SHELL] = KEY("shell", V_TEXT, K_DEFAULTS, ALL, shell),
	[KEY_STORE] = KEY("store", V_BOOL, K_DEFAULTS | K_SOURCE, ALL & ~TASK, store),
	[KEY_TAGS] = KEY("tags", V_STR_WORDS, K_DEFAULTS | K_SOURCE, ALL, tags),
	[KEY_TIMEOUT] = KEY("timeout", V_DURATION, K_DEFAULTS, ALL, timeout_ns),
	[KEY_USE] = KEY("use", V_WORD, 0, ALL, use),
};

/* Words that other tools use for ours. */
static const char *const synonyms[][2] = {
	{ "artifact", "out" },     { "cmd", "run" },
	{ "command", "run" },      { "cpu", "cpus" },
	{ "cwd", "dir" },          { "dependencies", "needs" },
	{ "depends", "needs" },    { "deps", "needs" },
	{ "description", "desc" }, { "env", "env.VARIABLE" },
	{ "gpu", "gpus" },         { "inputs", "needs" },
	{ "input", "needs" },      { "matrix", "matrix.KEY" },
	{ "memory", "mem" },       { "metric", "metrics" },
	{ "output", "out" },       { "outputs", "out" },
	{ "outs", "out" },         { "params", "needs = params:NAME" },
	{ "pool", "pool.NAME" },   { "script", "run" },
	{ "source", "path" },      { "threads", "cpus" },
	{ "url", "path" },         { "wdir", "dir" },
};

static int
compare_key(const void *text, const void *def)
{
	const struct key_def *d = def;

	return d->flags & K_PREFIX ? strncmp(text, d->name, strlen(d->name))
				   : strcmp(text, d->name);
}

/* The key's definition and what follows its prefix. */
const struct key_def *
mlb_target_key(const char *text, const char **rest)
{
	const struct key_def *d = bsearch(text, mlb_target_keys, N_TARGET_KEYS,
					  sizeof(*mlb_target_keys), compare_key);

	*rest = "";
	if (!d || !(d->flags & K_PREFIX))
		return d;
	*rest = text + strlen(d->name);
	return d;
}

static size_t
field_size(enum value_type type)
{
	switch (type) {
	case V_TEXT:
	case V_VERBATIM:
	case V_WORD:
		return sizeof(struct mlb_text);
	case V_WORDS:
	case V_VARS:
	case V_LINES:
		return sizeof(struct mlb_text_vec);
	case V_NAMED_WORD:
	case V_NAMED_TEXT:
	case V_NAMED_VAR:
	case V_NAMED_MATRIX:
	case V_NAMED_COUNT:
		return sizeof(struct mlb_named_vec);
	case V_CPUS:
		return sizeof(double);
	case V_COUNT:
	case V_POSITIVE:
		return sizeof(uint32_t);
	case V_SIZE:
	case V_DURATION:
		return sizeof(uint64_t);
	case V_BOOL:
		return sizeof(bool);
	default:
		return sizeof(const char *);
	}
}

void
mlb_target_init(struct mlb_target *t)
{
	memset(t, 0, sizeof(*t));
	t->batch = 1;
	t->cpus = 1;
	t->deterministic = true;
	t->store = true;
	t->desc = t->owner = t->tags = "";
}

/* Take the values that [defaults] gives a target of this kind; arrays stay shared (cap 0). */
void
mlb_target_inherit(struct mlb_target *t, const struct defaults *d, unsigned kind_bit, bool source)
{
	for (size_t i = 0; i < N_TARGET_KEYS; i++) {
		const struct key_def *def = &mlb_target_keys[i];

		if (!d->given.entry[i] || !(def->kinds & kind_bit) ||
		    (source && !(def->flags & K_SOURCE)))
			continue;
		memcpy((char *)t + def->offset, (const char *)&d->value + def->offset,
		       field_size((enum value_type)def->type));
	}
	t->env.cap = t->pool.cap = 0;
}

void
mlb_target_unknown_key(struct loader *l, const struct mlb_ini_entry *e)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(synonyms); i++) {
		if (strcmp(e->key, synonyms[i][0]) != 0)
			continue;
		mlb_diag_add(&l->diag, e->file, e->line,
			     "unknown key '%s' in [%s]: did you mean '%s'?", e->key, e->section,
			     synonyms[i][1]);
		return;
	}
	mlb_config_unknown_key(l, e, mlb_target_keys, N_TARGET_KEYS);
}
