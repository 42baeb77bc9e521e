/*
 * Loading mlbuild.ini: read the files, cut them into sections, hand each to
 * whoever knows it, then check what needs all of them.
 */
#include "graph/config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "graph/config_int.h"
#include "os/fs.h"
#include "os/path.h"

#define FILE_MAX (256 * MLB_MIB)
#define LOCAL_CONFIG ".mlbuild/config.ini"

static struct mlb_config *
new_config(const char *root)
{
	struct mlb_config *c = mlb_calloc(1, sizeof(*c));

	mlb_ini_init(&c->ini);
	mlb_params_init(&c->params);
	c->root = mlb_arena_strdup(&c->arena, root);
	c->cache_dir = c->cache_link = c->cache_salt = c->trust = "";
	return c;
}

void
mlb_config_free(struct mlb_config *c)
{
	if (!c)
		return;
	mlb_vec_release(&c->target);
	mlb_vec_release(&c->pool);
	mlb_vec_release(&c->remote);
	mlb_vec_release(&c->notify);
	mlb_vec_release(&c->param_files);
	mlb_strvec_release(&c->files);
	mlb_strvec_release(&c->include_globs);
	mlb_strmap_release(&c->by_name);
	mlb_strmap_release(&c->lost);
	mlb_diag_release(&c->diag);
	mlb_params_release(&c->params);
	mlb_ini_release(&c->ini);
	mlb_arena_release(&c->arena);
	free(c);
}

struct mlb_target *
mlb_config_find(const struct mlb_config *c, const char *name)
{
	return mlb_strmap_get(&c->by_name, name);
}

static void
release_loader(struct loader *l)
{
	mlb_vec_release(&l->section);
	mlb_vec_release(&l->defaults);
	mlb_vec_release(&l->words);
	mlb_vec_release(&l->param_file);
	mlb_vec_release(&l->pool_place);
	mlb_vec_release(&l->remote_place);
	mlb_vec_release(&l->notify_place);
	mlb_strmap_release(&l->given);
	mlb_strmap_release(&l->named);
	mlb_strmap_release(&l->pools);
	mlb_strmap_release(&l->seen_file);
	mlb_diag_release(&l->diag);
}

/* "model churn" is kind and name. */
static void
split_header(struct loader *l, struct section *s)
{
	const char *blank = strchr(s->text, ' ');

	s->kind = blank ? mlb_arena_strndup(&l->c->arena, s->text, (size_t)(blank - s->text))
			: s->text;
	s->name = blank ? blank + 1 : "";
}

/* The entries from `first` on as sections; the entries do not move any more. */
static void
cut_sections(struct loader *l, size_t first, size_t end, enum layer layer)
{
	const struct mlb_ini_entry *e = l->c->ini.entry.v;

	for (size_t i = first; i < end;) {
		struct section s = { .entry = &e[i + 1],
				     .text = e[i].section,
				     .file = e[i].file,
				     .line = e[i].line,
				     .layer = (uint8_t)layer };

		for (i++; i < end && e[i].key; i++)
			s.n++;
		split_header(l, &s);
		mlb_vec_push(&l->section, s);
	}
}

bool
mlb_config_unreadable(const struct loader *l, const struct section *s)
{
	const struct section *next = s + 1;
	unsigned end = UINT_MAX;

	if (next < l->section.v + l->section.n && !strcmp(next->file, s->file))
		end = next->line;
	for (size_t i = 0; i < l->n_syntax; i++) {
		const struct mlb_diag_line *d = &l->diag.line.v[i];

		if (d->line >= s->line && d->line < end && !strcmp(l->diag.file.v[d->file], s->file))
			return true;
	}
	return false;
}

static void
each_section(struct loader *l)
{
	for (size_t i = 0; i < l->section.n; i++) {
		const struct section *s = &l->section.v[i];
		size_t kind = 0;

		while (kind < MLB_N_KINDS && strcmp(mlb_kind_names[kind], s->kind) != 0)
			kind++;
		if (kind == MLB_N_KINDS)
			mlb_config_section(l, s);
		else if (s->layer == LAYER_PROJECT)
			mlb_config_target(l, s, (enum mlb_kind)kind);
		else
			mlb_diag_add(&l->diag, s->file, s->line,
				     "[%s] is a target: it belongs into mlbuild.ini", s->text);
	}
}

/* Where the value of [cache] dir stands. */
static const struct mlb_ini_entry *
cache_dir_entry(const struct loader *l)
{
	const struct mlb_strmap_entry *given = mlb_strmap_find(&l->given, "cache=dir", 9);
	const struct section *s = given ? &l->section.v[given->u.num] : NULL;

	for (size_t i = 0; s && i < s->n; i++)
		if (!strcmp(s->entry[i].key, "dir"))
			return &s->entry[i];
	return NULL;
}

/* "~/" is the user's home, as in a shell: config.ini is written by hand. */
static void
expand_home(struct loader *l)
{
	const struct mlb_ini_entry *e = cache_dir_entry(l);
	const char *home = getenv("HOME");
	const char *dir = l->c->cache_dir;

	if (*dir != '~' || (dir[1] && dir[1] != '/') || !e)
		return;
	if (!home || *home != '/')
		mlb_diag_add(&l->diag, e->file, e->line,
			     "dir in [cache] is '%s', but HOME is not set to a path", dir);
	else
		l->c->cache_dir = mlb_arena_printf(&l->c->arena, "%s%s", home, dir + 1);
}

/* A directory's name may hold what a project's name may not. */
static void
name_project(struct loader *l)
{
	char *name;

	if (l->c->name)
		return;
	name = mlb_arena_strdup(&l->c->arena, mlb_path_base(l->c->root));
	if (strlen(name) > MLB_NAME_MAX)
		name[MLB_NAME_MAX] = '\0';
	for (char *s = name; *s; s++) {
		char one[2] = { *s, '\0' };

		if (!mlb_name_valid(one) && (s == name || (*s != '.' && *s != '-')))
			*s = s == name ? '_' : '-';
	}
	l->c->name = *name ? name : "project";
}

/* Everything but the reading of the root file and of config.ini, whose entries end at ends[]. */
static int
build(struct loader *l, const size_t ends[3], const struct mlb_override *override,
      size_t n_override)
{
	int rc = 0;

	l->n_syntax = l->diag.line.n;
	l->c->lost_targets = l->c->lost_targets || l->c->ini.lost_section;
	cut_sections(l, 0, ends[LAYER_PROJECT], LAYER_PROJECT);
	cut_sections(l, ends[LAYER_PROJECT], ends[LAYER_USER], LAYER_USER);
	cut_sections(l, ends[LAYER_USER], ends[LAYER_LOCAL], LAYER_LOCAL);
	mlb_config_defaults(l);
	each_section(l);
	mlb_config_read_params(l);
	mlb_config_check_targets(l);
	mlb_config_check_sections(l);
	name_project(l);
	expand_home(l);
	if (!mlb_diag_any(&l->diag))
		rc = mlb_config_override(l, override, n_override);
	for (uint32_t i = 0; i < l->c->params.map.n && !rc; i++) /* so that all texts are made */
		mlb_params_get(&l->c->params, l->c->params.map.entry[i].key);
	mlb_vec_release(&l->c->ini.entry);
	l->c->diag = l->diag;
	l->diag = (struct mlb_diag)MLB_DIAG_INIT;
	return rc;
}

/* Append the entries of a file; *absent (may be NULL: it must be there) tells that there is none. */
static int
read_file(struct loader *l, const char *path, const char *label)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_MAX);
	int rc = 0;

	mlb_strvec_push(&l->c->files, label);
	if (mlb_fs_exists(path)) {
		rc = mlb_fs_read(&text, path, l->err);
		if (!rc)
			rc = mlb_ini_read(&l->c->ini, label, mlb_buf_str(&text), text.len, &l->diag,
					  l->err);
	}
	mlb_buf_release(&text);
	return rc;
}

static int
read_all(struct loader *l, const char *user_config, size_t ends[3])
{
	struct mlb_buf path = MLB_BUF_INIT(MLB_MIB);
	int rc;

	mlb_path_join(&path, l->c->root, "mlbuild.ini");
	if (!mlb_fs_exists(mlb_buf_str(&path))) {
		rc = mlb_err_set(l->err, MLB_ENOTFOUND,
				 "there is no mlbuild.ini in '%s': 'mlbuild init' makes one",
				 l->c->root);
		goto out;
	}
	rc = read_file(l, mlb_buf_str(&path), "mlbuild.ini");
	if (!rc)
		rc = mlb_config_includes(l);
	ends[LAYER_PROJECT] = l->c->ini.entry.n;
	if (!rc && user_config)
		rc = read_file(l, user_config, user_config);
	ends[LAYER_USER] = l->c->ini.entry.n;
	mlb_path_join(&path, l->c->root, LOCAL_CONFIG);
	if (!rc)
		rc = read_file(l, mlb_buf_str(&path), LOCAL_CONFIG);
	ends[LAYER_LOCAL] = l->c->ini.entry.n;
out:
	mlb_buf_release(&path);
	return rc;
}

static int
finish(struct loader *l, int rc, struct mlb_config **out)
{
	release_loader(l);
	if (rc)
		mlb_config_free(l->c);
	else
		*out = l->c;
	return rc;
}

int
mlb_config_try(struct mlb_config **out, const char *root, const char *user_config,
	       const struct mlb_override *override, size_t n_override, struct mlb_err *err)
{
	struct loader l = { .c = new_config(root), .err = err };
	size_t ends[3] = { 0, 0, 0 };
	int rc = read_all(&l, user_config, ends);

	if (!rc)
		rc = build(&l, ends, override, n_override);
	return finish(&l, rc, out);
}

/* What is wrong in the files makes it an error. */
static int
insist(struct mlb_config **out, int rc, struct mlb_err *err)
{
	if (rc)
		return rc;
	rc = mlb_diag_finish(&(*out)->diag, err);
	if (rc) {
		mlb_config_free(*out);
		*out = NULL;
	}
	return rc;
}

int
mlb_config_load(struct mlb_config **out, const char *root, const char *user_config,
		const struct mlb_override *override, size_t n_override, struct mlb_err *err)
{
	return insist(out, mlb_config_try(out, root, user_config, override, n_override, err), err);
}

int
mlb_config_load_from(struct mlb_config **out, const char *root,
		     const struct mlb_config_files *files, struct mlb_err *err)
{
	struct loader l = { .c = new_config(root), .err = err, .files = files };
	struct mlb_buf text = MLB_BUF_INIT(FILE_MAX);
	size_t ends[3];
	int rc = mlb_config_read_file(&l, "mlbuild.ini", &text, err);

	if (!rc)
		rc = mlb_ini_read(&l.c->ini, "mlbuild.ini", mlb_buf_str(&text), text.len, &l.diag,
				  err);
	mlb_buf_release(&text);
	if (!rc)
		rc = mlb_config_includes(&l);
	ends[0] = ends[1] = ends[2] = l.c->ini.entry.n;
	if (!rc)
		rc = build(&l, ends, NULL, 0);
	return insist(out, finish(&l, rc, out), err);
}

int
mlb_config_parse(struct mlb_config **out, const char *root, const char *text, size_t len,
		 struct mlb_err *err)
{
	struct loader l = { .c = new_config(root), .err = err };
	size_t ends[3];
	int rc;

	mlb_strvec_push(&l.c->files, "mlbuild.ini");
	rc = mlb_ini_read(&l.c->ini, "mlbuild.ini", text, len, &l.diag, err);
	if (!rc)
		rc = mlb_config_includes(&l);
	ends[0] = ends[1] = ends[2] = l.c->ini.entry.n;
	if (!rc)
		rc = build(&l, ends, NULL, 0);
	return insist(out, finish(&l, rc, out), err);
}
