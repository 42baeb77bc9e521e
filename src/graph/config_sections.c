/*
 * The sections that are not targets: [project], [params], [include], [cache],
 * [remote NAME], [pool NAME], [notify NAME], [trust]. To add a key: a line in a
 * table below, a field in struct mlb_config (remotes and notifications keep the
 * text), its entry in mlbuild.ini(5) and in mlbuild.ini.example.
 */
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "graph/config_int.h"

#define KEY(key, value_type, field)                                                                \
	{                                                                                          \
		key, value_type, 0, 0, offsetof(struct mlb_config, field)                          \
	}
#define TEXT_KEY(key, value_type)                                                                  \
	{                                                                                          \
		key, value_type, 0, 0, 0                                                           \
	}

static const struct key_def project_keys[] = {
	KEY("default", V_WORDS, default_targets),
	KEY("expose", V_WORDS, expose),
	KEY("jobs", V_POSITIVE, jobs),
	KEY("name", V_NAME, name),
};

static const struct key_def cache_keys[] = {
	KEY("dir", V_STR_WORD, cache_dir),
	KEY("link", V_LINK, cache_link),
	KEY("salt", V_STR, cache_salt),
	KEY("size", V_SIZE, cache_size),
};

static const struct key_def trust_keys[] = {
	KEY("keys", V_WORDS, trust_keys),
	KEY("mode", V_TRUST, trust),
};

static const struct key_def include_keys[] = {
	TEXT_KEY("files", V_WORDS), /* read by config_include.c */
};

static const struct key_def pool_keys[] = {
	{ "slots", V_POSITIVE, 0, 0, offsetof(struct mlb_pool_def, slots) },
};

static const struct key_def remote_keys[] = {
	TEXT_KEY("ca", V_STR),    TEXT_KEY("cert", V_STR),          TEXT_KEY("endpoint", V_STR),
	TEXT_KEY("key", V_STR),   TEXT_KEY("password_env", V_VARS), TEXT_KEY("profile", V_STR),
	TEXT_KEY("push", V_BOOL), TEXT_KEY("read", V_BOOL),         TEXT_KEY("region", V_STR),
	TEXT_KEY("ssh", V_STR),   TEXT_KEY("style", V_STR),         TEXT_KEY("token_env", V_VARS),
	TEXT_KEY("url", V_STR),   TEXT_KEY("user", V_STR),          TEXT_KEY("write", V_BOOL),
};

static const struct key_def notify_keys[] = {
	TEXT_KEY("on", V_STR),
	TEXT_KEY("run", V_VERBATIM),
	TEXT_KEY("url", V_STR),
};

static const struct key_def *
find(const struct key_def *defs, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(defs[i].name, key))
			return &defs[i];
	return NULL;
}

/*
 * May this key be taken? Within a layer a key is given once, whatever the file;
 * *replaces tells that an earlier layer gave it.
 */
static bool
claim(struct loader *l, const struct section *s, const struct mlb_ini_entry *e, bool *replaces)
{
	const char *id = mlb_arena_printf(&l->c->arena, "%s=%s", s->text, e->key);
	struct mlb_strmap_entry *given = mlb_strmap_add(&l->given, id, strlen(id), replaces);

	*replaces = !*replaces;
	if (*replaces) {
		const struct section *first = &l->section.v[given->u.num];

		if (first->layer == s->layer) {
			mlb_diag_add(&l->diag, e->file, e->line,
				     "'%s' of [%s] is given already in %s:%u", e->key, s->text,
				     first->file, first->line);
			return false;
		}
	}
	given->u.num = (uint64_t)(s - l->section.v);
	return true;
}

static void
take_key(struct loader *l, const struct section *s, const struct mlb_ini_entry *e,
	 const struct key_def *def, void *base)
{
	bool replaces;

	if (!claim(l, s, e, &replaces))
		return;
	if (replaces && def->type == V_WORDS)
		memset((char *)base + def->offset, 0, sizeof(struct mlb_text_vec));
	mlb_config_set(l, e, def, "", base);
}

static void
simple_section(struct loader *l, const struct section *s, const struct key_def *defs, size_t n)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct key_def *def = find(defs, n, s->entry[i].key);

		if (!def)
			mlb_config_unknown_key(l, &s->entry[i], defs, n);
		else if (defs != include_keys)
			take_key(l, s, &s->entry[i], def, l->c);
	}
}

/* The index of a named section's definition; *is_new: it must be added. */
static uint64_t *
named_index(struct loader *l, const struct section *s, bool *is_new)
{
	return &mlb_strmap_add(&l->named, s->text, strlen(s->text), is_new)->u.num;
}

static void
pool_section(struct loader *l, const struct section *s)
{
	struct mlb_pool_def new = { .name = s->name };
	bool is_new;
	uint64_t *index = named_index(l, s, &is_new);

	if (is_new) {
		*index = l->c->pool.n;
		mlb_strmap_add(&l->pools, s->name, strlen(s->name), NULL)->u.num = *index;
		mlb_vec_push(&l->c->pool, new);
		mlb_vec_push(&l->pool_place, s);
	}
	for (size_t i = 0; i < s->n; i++) {
		if (find(pool_keys, MLB_ARRAY_LEN(pool_keys), s->entry[i].key))
			take_key(l, s, &s->entry[i], &pool_keys[0], &l->c->pool.v[*index]);
		else
			mlb_config_unknown_key(l, &s->entry[i], pool_keys,
					       MLB_ARRAY_LEN(pool_keys));
	}
}

/* Is the value what its type and key want? The text itself is kept. */
static bool
good_text(struct loader *l, const struct mlb_ini_entry *e, const struct key_def *def)
{
	struct mlb_text_vec words = MLB_VEC_INIT;
	size_t before = l->diag.line.n;
	struct key_def at = *def;
	bool yes;

	at.offset = 0;
	if (def->type == V_BOOL)
		mlb_config_set(l, e, &at, "", &yes);
	else if (def->type == V_VARS)
		mlb_config_set(l, e, &at, "", &words);
	if (words.n > 1 || (!strcmp(def->name, "style") && strcmp(e->lines[0], "path") != 0 &&
			    strcmp(e->lines[0], "virtual") != 0))
		mlb_diag_add(&l->diag, e->file, e->line, "%s in [%s] is %s", e->key, e->section,
			     words.n > 1 ? "the name of one environment variable"
					 : "'path' or 'virtual'");
	else if (!*mlb_ini_joined(&l->c->ini, e))
		mlb_diag_add(&l->diag, e->file, e->line, "%s in [%s] is empty", e->key, e->section);
	return l->diag.line.n == before;
}

static void
text_key(struct loader *l, const struct section *s, const struct mlb_ini_entry *e,
	 const struct key_def *def, struct mlb_remote_def *to)
{
	struct mlb_text value = { .file = e->file, .line = e->line };
	bool replaces;

	if (!claim(l, s, e, &replaces) || !good_text(l, e, def))
		return;
	value.s = def->type == V_VERBATIM ? mlb_ini_verbatim(&l->c->ini, e)
					  : mlb_ini_joined(&l->c->ini, e);
	for (size_t i = 0; replaces && i < to->key.n; i++) {
		if (!strcmp(to->key.v[i].name, e->key)) {
			to->key.v[i].value = value;
			return;
		}
	}
	mlb_named_push(&l->c->arena, &to->key, def->name, value);
}

/* [remote NAME] and [notify NAME]: keys that are kept as text. */
static void
text_section(struct loader *l, const struct section *s, struct mlb_remote_defs *list,
	     struct section_refs *place, const struct key_def *defs, size_t n)
{
	struct mlb_remote_def new = { .name = s->name };
	bool is_new;
	uint64_t *index = named_index(l, s, &is_new);

	if (is_new) {
		*index = list->n;
		mlb_vec_push(list, new);
		mlb_vec_push(place, s);
	}
	for (size_t i = 0; i < s->n; i++) {
		const struct key_def *def = find(defs, n, s->entry[i].key);

		if (def)
			text_key(l, s, &s->entry[i], def, &list->v[*index]);
		else
			mlb_config_unknown_key(l, &s->entry[i], defs, n);
	}
}

/* ------------------------------------------------------------ [params] */

static bool
good_param_name(const char *name)
{
	for (const char *s = name; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= '0' && *s <= '9') && !strchr("_.-", *s))
			return false;
	return true;
}

static void
params_section(struct loader *l, const struct section *s)
{
	size_t before = l->diag.line.n;

	for (size_t i = 0; i < s->n; i++) {
		const struct mlb_ini_entry *e = &s->entry[i];
		struct mlb_err err = MLB_ERR_INIT;

		if (!strcmp(e->key, "file")) {
			if (mlb_config_words(l, e))
				for (size_t k = 0; k < l->words.n; k++)
					mlb_vec_push(&l->param_file, l->words.v[k]);
			continue;
		}
		if (!good_param_name(e->key))
			mlb_diag_add(
				&l->diag, e->file, e->line,
				"'%.80s' cannot be the name of a parameter: letters, digits, _ - and dots between",
				e->key);
		else if (mlb_params_set(&l->c->params, e->key, mlb_ini_joined(&l->c->ini, e),
					e->file, e->line, false, &err))
			mlb_diag_take(&l->diag, NULL, 0, &err);
	}
	if (l->diag.line.n > before || mlb_config_unreadable(l, s))
		l->c->lost_params = true;
}

/* ------------------------------------------------------------ all */

enum section_kind {
	S_CACHE,
	S_DEFAULTS,
	S_INCLUDE,
	S_NOTIFY,
	S_PARAMS,
	S_POOL,
	S_PROJECT,
	S_REMOTE,
	S_TRUST
};

static const struct {
	const char *name;
	uint8_t kind;
	bool named;
	bool anywhere; /* in config.ini too */
} sections[] = {
	{ "cache", S_CACHE, false, true },      { "defaults", S_DEFAULTS, false, false },
	{ "include", S_INCLUDE, false, false }, { "notify", S_NOTIFY, true, true },
	{ "params", S_PARAMS, false, false },   { "pool", S_POOL, true, true },
	{ "project", S_PROJECT, false, true },  { "remote", S_REMOTE, true, true },
	{ "trust", S_TRUST, false, true },
};

static void
unknown_section(struct loader *l, const struct section *s)
{
	const char *names[MLB_ARRAY_LEN(sections) + MLB_N_KINDS];
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < MLB_N_KINDS; i++)
		names[n++] = mlb_kind_names[i];
	for (size_t i = 0; i < MLB_ARRAY_LEN(sections); i++)
		names[n++] = sections[i].name;
	near = mlb_nearest(s->kind, names, n);
	mlb_strmap_add(&l->c->lost, s->name, strlen(s->name), NULL);
	if (near)
		mlb_diag_add(&l->diag, s->file, s->line,
			     "unknown section [%.80s]: did you mean '%s'?", s->text, near);
	else
		mlb_diag_add(
			&l->diag, s->file, s->line,
			"unknown section [%.80s]: a target is [KIND NAME] with a kind of dataset, feature, model, "
			"report, check, task",
			s->text);
}

static bool
good_header(struct loader *l, const struct section *s, bool named)
{
	if (!named && *s->name)
		mlb_diag_add(&l->diag, s->file, s->line, "[%s] takes no name", s->kind);
	else if (named && !*s->name)
		mlb_diag_add(&l->diag, s->file, s->line, "[%s] needs a name: [%s NAME]", s->kind,
			     s->kind);
	else if (named && !mlb_name_valid(s->name))
		mlb_diag_add(&l->diag, s->file, s->line,
			     "'%.80s' cannot be a name: letters, digits, _ . -, at most %d",
			     s->name, MLB_NAME_MAX);
	else
		return true;
	return false;
}

void
mlb_config_section(struct loader *l, const struct section *s)
{
	size_t i = 0;

	while (i < MLB_ARRAY_LEN(sections) && strcmp(sections[i].name, s->kind) != 0)
		i++;
	if (i == MLB_ARRAY_LEN(sections)) {
		unknown_section(l, s);
		return;
	}
	if (s->layer != LAYER_PROJECT && !sections[i].anywhere) {
		mlb_diag_add(&l->diag, s->file, s->line,
			     "[%s] belongs into mlbuild.ini: every user needs the same", s->text);
		return;
	}
	if (sections[i].kind == S_DEFAULTS || !good_header(l, s, sections[i].named))
		return;
	switch ((enum section_kind)sections[i].kind) {
	case S_PROJECT:
		simple_section(l, s, project_keys, MLB_ARRAY_LEN(project_keys));
		break;
	case S_CACHE:
		simple_section(l, s, cache_keys, MLB_ARRAY_LEN(cache_keys));
		break;
	case S_TRUST:
		simple_section(l, s, trust_keys, MLB_ARRAY_LEN(trust_keys));
		break;
	case S_INCLUDE:
		simple_section(l, s, include_keys, MLB_ARRAY_LEN(include_keys));
		break;
	case S_PARAMS:
		params_section(l, s);
		break;
	case S_POOL:
		pool_section(l, s);
		break;
	case S_REMOTE:
		text_section(l, s, &l->c->remote, &l->remote_place, remote_keys,
			     MLB_ARRAY_LEN(remote_keys));
		break;
	case S_NOTIFY:
		text_section(l, s, &l->c->notify, &l->notify_place, notify_keys,
			     MLB_ARRAY_LEN(notify_keys));
		break;
	case S_DEFAULTS:
		break;
	}
}

static bool
has_key(const struct mlb_remote_def *r, const char *key)
{
	for (size_t i = 0; i < r->key.n; i++)
		if (!strcmp(r->key.v[i].name, key))
			return true;
	return false;
}

static void
missing(struct loader *l, const struct section *s, const char *what)
{
	mlb_diag_add(&l->diag, s->file, s->line, "[%s] has no %s", s->text, what);
}

/* What a section must have, when all layers are read; said only where nothing else is wrong. */
void
mlb_config_check_sections(struct loader *l)
{
	if (mlb_diag_any(&l->diag))
		return;
	for (size_t i = 0; i < l->c->pool.n; i++)
		if (!l->c->pool.v[i].slots)
			missing(l, l->pool_place.v[i], "'slots'");
	for (size_t i = 0; i < l->c->remote.n; i++)
		if (!has_key(&l->c->remote.v[i], "url"))
			missing(l, l->remote_place.v[i], "'url', here or in config.ini");
	for (size_t i = 0; i < l->c->notify.n; i++)
		if (has_key(&l->c->notify.v[i], "run") == has_key(&l->c->notify.v[i], "url"))
			missing(l, l->notify_place.v[i], "'run' or 'url', one of them");
}
