/*
 * Targets and [defaults]: which keys may stand where and together.
 */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"
#include "graph/config_int.h"

/* ------------------------------------------------------------ [defaults] */

static void
defaults_key(struct loader *l, struct defaults *d, const struct mlb_ini_entry *e)
{
	const char *rest;
	const struct key_def *def = mlb_target_key(e->key, &rest);

	if (!def) {
		mlb_target_unknown_key(l, e);
	} else if (!(def->flags & K_DEFAULTS)) {
		mlb_diag_add(&l->diag, e->file, e->line,
			     "'%s' cannot be in [defaults]: give it in each target", e->key);
	} else {
		mlb_config_set(l, e, def, rest, &d->value);
		d->given.entry[def - mlb_target_keys] = e;
	}
}

/* An included file's defaults begin with those of the root file. */
static struct defaults *
new_defaults(struct loader *l, const char *file)
{
	struct defaults *d = mlb_arena_alloc(&l->c->arena, sizeof(*d));

	mlb_target_init(&d->value);
	if (l->defaults.n) {
		const struct defaults *root = l->defaults.v[0];

		d->given = root->given;
		d->value = root->value;
		d->value.env.cap = d->value.pool.cap = 0;
	}
	d->file = file;
	l->inherited_env = d->value.env.n;
	l->inherited_pool = d->value.pool.n;
	mlb_vec_push(&l->defaults, d);
	return d;
}

static void
read_defaults(struct loader *l, struct defaults *d, const struct section *s)
{
	if (*s->name)
		mlb_diag_add(&l->diag, s->file, s->line, "[defaults] takes no name");
	for (size_t i = 0; i < s->n; i++)
		defaults_key(l, d, &s->entry[i]);
}

static bool
is_defaults(const struct section *s)
{
	return s->layer == LAYER_PROJECT && !strcmp(s->kind, "defaults");
}

/* Those of the root file come first: the others begin with them. */
void
mlb_config_defaults(struct loader *l)
{
	const char *root = l->section.n ? l->section.v[0].file : "";
	struct defaults *own = new_defaults(l, root);

	for (size_t i = 0; i < l->section.n; i++)
		if (is_defaults(&l->section.v[i]) && !strcmp(l->section.v[i].file, root))
			read_defaults(l, own, &l->section.v[i]);
	for (size_t i = 0; i < l->section.n; i++)
		if (is_defaults(&l->section.v[i]) && strcmp(l->section.v[i].file, root) != 0)
			read_defaults(l, new_defaults(l, l->section.v[i].file), &l->section.v[i]);
}

/* Targets come file by file, so the answer is mostly the last one. */
static const struct defaults *
defaults_of(struct loader *l, const char *file)
{
	if (l->last_file == file)
		return l->last_defaults;
	l->last_file = file;
	l->last_defaults = l->defaults.v[0];
	for (size_t i = 1; i < l->defaults.n; i++)
		if (!strcmp(l->defaults.v[i]->file, file))
			l->last_defaults = l->defaults.v[i];
	return l->last_defaults;
}

/* ------------------------------------------------------------ one target */

static bool
good_target_name(struct loader *l, const struct section *s)
{
	if (!*s->name)
		mlb_diag_add(&l->diag, s->file, s->line, "[%s] needs a name: [%s NAME]", s->kind,
			     s->kind);
	else if (strlen(s->name) > MLB_NAME_MAX)
		mlb_diag_add(&l->diag, s->file, s->line,
			     "the name '%.60s…' is longer than %d characters", s->name,
			     MLB_NAME_MAX);
	else if (!mlb_name_valid(s->name))
		mlb_diag_add(
			&l->diag, s->file, s->line,
			"'%s' cannot be a name: letters, digits, _ . -, beginning with a letter, digit or _",
			s->name);
	else if (mlb_name_reserved(s->name))
		mlb_diag_add(&l->diag, s->file, s->line,
			     "'%s' cannot be a name: ${%s} has a meaning of its own in references",
			     s->name, s->name);
	else
		return true;
	return false;
}

/* "[check c]", for messages. */
static void
misplaced(struct loader *l, const struct mlb_ini_entry *e, const char *why)
{
	mlb_diag_add(&l->diag, e->file, e->line, "'%s' has no meaning in [%s]: %s", e->key,
		     e->section, why);
}

static const char *
why_not_kind(const struct key_def *def, enum mlb_kind kind)
{
	if (def->kinds == KINDS_CHECK)
		return "only a check guards";
	if (kind == MLB_K_TASK)
		return "a task makes nothing that is kept";
	return "a check makes nothing that others read";
}

static void
target_key(struct loader *l, struct mlb_target *t, const struct mlb_ini_entry *e, struct given *own)
{
	const char *rest;
	const struct key_def *def = mlb_target_key(e->key, &rest);
	struct mlb_text value = { .file = e->file, .line = e->line };

	if (!def) {
		if (own->entry[KEY_USE]) {
			if (!mlb_name_valid(e->key)) {
				mlb_diag_add(&l->diag, e->file, e->line,
					     "'%.80s' cannot be the name of an argument", e->key);
				return;
			}
			value.s = mlb_ini_joined(&l->c->ini, e);
			mlb_named_push(&l->c->arena, &t->arg, e->key, value);
		} else {
			mlb_target_unknown_key(l, e);
		}
		return;
	}
	if (!(def->kinds & 1u << t->kind)) {
		misplaced(l, e, why_not_kind(def, (enum mlb_kind)t->kind));
		return;
	}
	if (own->entry[KEY_PATH] && !(def->flags & K_SOURCE)) {
		misplaced(l, e, "it has a path, so it is a source that exists already");
		return;
	}
	if (def->flags & K_PREFIX &&
	    (!*rest || (def == &mlb_target_keys[KEY_OUT_NAMED] &&
			(!strcmp(rest, "metrics") || !strcmp(rest, "list"))))) {
		mlb_diag_add(&l->diag, e->file, e->line, "'%s' in [%s]: %s", e->key, e->section,
			     *rest ? "this name has a meaning of its own in references"
				   : "a name must follow the dot");
		return;
	}
	mlb_config_set(l, e, def, rest, t);
	own->entry[def - mlb_target_keys] = e;
}

/* What must and must not be given together. */
static void
check_target(struct loader *l, const struct mlb_target *t, const struct section *s,
	     const struct given *own)
{
	const struct mlb_ini_entry *run = own->entry[KEY_RUN], *use = own->entry[KEY_USE];

	if (run && use)
		mlb_diag_add(&l->diag, use->file, use->line,
			     "[%s] has both 'run' and 'use': it is made in one way", s->text);
	if (t->broken)
		return; /* what is missing may be what was not understood */
	if (!run && !use && !own->entry[KEY_PATH])
		mlb_diag_add(&l->diag, s->file, s->line, "[%s] says not how it is made: give it %s",
			     s->text,
			     t->kind == MLB_K_CHECK || t->kind == MLB_K_TASK
				     ? "'run' or 'use'"
				     : "'run' or 'use', or 'path' if it exists already");
	if ((run || use) && (KINDS_MADE & 1u << t->kind) && !own->entry[KEY_OUT] &&
	    !own->entry[KEY_OUT_NAMED] && !own->entry[KEY_METRICS])
		mlb_diag_add(&l->diag, s->file, s->line,
			     "[%s] has no 'out': say what it makes, or make it a check or a task",
			     s->text);
	if (own->entry[KEY_BATCH] && !own->entry[KEY_EACH])
		misplaced(l, own->entry[KEY_BATCH], "'batch' goes with 'each'");
}

/* The line of a command where a line that begins with '-' follows one that does not end in a backslash. */
static void
check_command(struct loader *l, const struct mlb_ini_entry *e, const struct mlb_text *run)
{
	unsigned at = mlb_lost_continuation(run->s);

	/* A value that begins on the line below its key has one line less. */
	if (at)
		mlb_diag_add(
			&l->diag, e->file, mlb_ini_line(e, *e->lines[0] ? at : at + 1),
			"this line begins with '-', but the line above it does not end in a backslash: "
			"add ' \\' there to continue the command");
}

void
mlb_config_target(struct loader *l, const struct section *s, enum mlb_kind kind)
{
	struct mlb_target *t = mlb_arena_alloc(&l->c->arena, sizeof(*t));
	struct given own = { { NULL } };
	struct mlb_strmap_entry *named;
	size_t before = l->diag.line.n;
	bool is_new;

	/* The rules for keys depend on these two. */
	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->entry[i].key, "path") && KINDS_MADE & 1u << kind)
			own.entry[KEY_PATH] = &s->entry[i];
		else if (!strcmp(s->entry[i].key, "use"))
			own.entry[KEY_USE] = &s->entry[i];
	}
	mlb_target_init(t);
	t->name = s->name;
	t->kind = (uint8_t)kind;
	t->file = s->file;
	t->line = s->line;
	mlb_target_inherit(t, defaults_of(l, s->file), 1u << kind, own.entry[KEY_PATH] != NULL);
	l->inherited_env = t->env.n;
	l->inherited_pool = t->pool.n;
	for (size_t i = 0; i < s->n; i++)
		target_key(l, t, &s->entry[i], &own);
	t->broken = l->diag.line.n > before || mlb_config_unreadable(l, s);
	check_target(l, t, s, &own);
	t->broken = l->diag.line.n > before || t->broken;
	if (t->run.s && own.entry[KEY_RUN])
		check_command(l, own.entry[KEY_RUN], &t->run);
	if (!good_target_name(l, s)) {
		mlb_strmap_add(&l->c->lost, s->name, strlen(s->name), NULL);
		return;
	}
	named = mlb_strmap_add(&l->c->by_name, t->name, strlen(t->name), &is_new);
	if (!is_new) {
		const struct mlb_target *first = named->u.ptr;

		mlb_diag_add(&l->diag, s->file, s->line,
			     "'%s' is the name of [%s %s] already, at %s:%u", t->name,
			     mlb_kind_names[first->kind], first->name, first->file, first->line);
		return;
	}
	named->u.ptr = t;
	mlb_vec_push(&l->c->target, t);
}

/* ------------------------------------------------------------ all targets */

static void
check_pool(struct loader *l, const char *section, const struct mlb_named *use)
{
	struct mlb_strmap_entry *found = mlb_strmap_find(&l->pools, use->name, strlen(use->name));
	const char **names, *near;
	uint64_t slots;

	if (found) {
		const struct mlb_pool_def *pool = &l->c->pool.v[found->u.num];

		if (pool->slots && mlb_parse_u64(use->value.s, &slots) && slots > pool->slots)
			mlb_diag_add(&l->diag, use->value.file, use->value.line,
				     "[%s] takes %s slots of [pool %s], which has %u", section,
				     use->value.s, pool->name, pool->slots);
		return;
	}
	names = mlb_calloc(l->c->pool.n + 1, sizeof(char *));
	for (size_t i = 0; i < l->c->pool.n; i++)
		names[i] = l->c->pool.v[i].name;
	near = mlb_nearest(use->name, names, l->c->pool.n);
	free(names);
	if (near)
		mlb_diag_add(&l->diag, use->value.file, use->value.line,
			     "no [pool %s]: did you mean '%s'?", use->name, near);
	else
		mlb_diag_add(&l->diag, use->value.file, use->value.line,
			     "no [pool %s]: add the section, with 'slots = N'", use->name);
}

/* Did a value come from these defaults? Then it is their very text. */
static bool
is_inherited(const struct mlb_named_vec *from, const struct mlb_named *value)
{
	for (size_t i = 0; i < from->n; i++)
		if (from->v[i].value.s == value->value.s)
			return true;
	return false;
}

/* Pools can be defined behind their uses, and in config.ini. */
void
mlb_config_check_targets(struct loader *l)
{
	for (size_t i = 0; i < l->defaults.n; i++) {
		const struct mlb_named_vec *pool = &l->defaults.v[i]->value.pool;

		for (size_t k = 0; k < pool->n; k++)
			if (!i || !is_inherited(&l->defaults.v[0]->value.pool, &pool->v[k]))
				check_pool(l, "defaults", &pool->v[k]);
	}
	for (size_t i = 0; i < l->c->target.n; i++) {
		const struct mlb_target *t = l->c->target.v[i];

		for (size_t k = 0; k < t->pool.n && t->pool.cap; k++)
			if (!is_inherited(&defaults_of(l, t->file)->value.pool, &t->pool.v[k]))
				check_pool(l, t->name, &t->pool.v[k]);
	}
}
