/*
 * The files that mlbuild.ini names: included ones and those of parameters.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "graph/config_int.h"
#include "graph/glob.h"
#include "os/fs.h"
#include "os/path.h"

#define FILE_MAX (256 * MLB_MIB)

int
mlb_config_read_file(struct loader *l, const char *path, struct mlb_buf *out, struct mlb_err *err)
{
	struct mlb_buf full = MLB_BUF_INIT(MLB_MIB);
	int rc;

	if (l->files)
		return l->files->read(l->files->ctx, path, out, err);
	mlb_path_join(&full, l->c->root, path);
	rc = mlb_fs_exists(mlb_buf_str(&full))
		     ? mlb_fs_read(out, mlb_buf_str(&full), err)
		     : mlb_err_set(err, MLB_ENOTFOUND, "there is no file '%s'", path);
	mlb_buf_release(&full);
	return rc;
}

/* The text of a file of the project; what is wrong goes to diag, at the word that names it. */
static bool
read_named(struct loader *l, const struct mlb_text *at, const char *path, struct mlb_buf *text)
{
	struct mlb_err err = MLB_ERR_INIT;
	int rc;

	mlb_strvec_push(&l->c->files, path);
	rc = mlb_config_read_file(l, path, text, &err);
	if (rc == MLB_ENOTFOUND)
		mlb_diag_add(&l->diag, at->file, at->line,
			     "there is no file '%s' (paths are relative to mlbuild.ini)", path);
	else if (rc)
		mlb_diag_take(&l->diag, at->file, at->line, &err);
	mlb_err_release(&err);
	return rc == 0;
}

/* Was this file not read yet? It is from now on. */
static bool
first_time(struct loader *l, const char *path)
{
	bool is_new;
	const char *own = mlb_arena_strdup(&l->c->arena, path);

	mlb_strmap_add(&l->seen_file, own, strlen(own), &is_new);
	return is_new;
}

static int
include_file(struct loader *l, const struct mlb_text *at, const char *path)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_MAX);
	int rc = 0;

	if (!first_time(l, path))
		return 0;
	if (!read_named(l, at, path, &text))
		l->c->lost_targets = true;
	else
		rc = mlb_ini_read(&l->c->ini, path, mlb_buf_str(&text), text.len, &l->diag, l->err);
	mlb_buf_release(&text);
	return rc;
}

static int
include_glob(struct loader *l, const struct mlb_text *at, const char *pattern)
{
	struct mlb_strvec found = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	int rc = 0;

	size_t before = l->diag.line.n;

	mlb_strvec_push(&l->c->include_globs, pattern);
	if (l->files ? l->files->find(l->files->ctx, pattern, &found, &err)
		     : mlb_glob_files(&found, NULL, l->c->root, pattern, NULL, NULL, &err))
		mlb_diag_take(&l->diag, at->file, at->line, &err);
	else if (!found.n)
		mlb_diag_add(&l->diag, at->file, at->line, "no file matches '%s'", pattern);
	for (size_t i = 0; i < found.n && !rc; i++)
		rc = include_file(l, at, found.v[i]);
	if (!found.n && l->diag.line.n > before)
		l->c->lost_targets = true;
	mlb_strvec_release(&found);
	return rc;
}

/* A path or pattern below the root, made normal; false after an error was reported. */
static bool
normal(struct loader *l, const struct mlb_text *at, struct mlb_buf *out)
{
	struct mlb_err err = MLB_ERR_INIT;

	mlb_buf_init(out, MLB_MIB);
	if (!mlb_path_normalize(out, at->s, &err))
		return true;
	mlb_diag_take(&l->diag, at->file, at->line, &err);
	mlb_buf_release(out);
	return false;
}

static int
include_words(struct loader *l, const struct mlb_text_vec *words)
{
	int rc = 0;

	for (size_t i = 0; i < words->n && !rc; i++) {
		struct mlb_buf path;

		if (!normal(l, &words->v[i], &path))
			continue;
		rc = mlb_glob_is(mlb_buf_str(&path))
			     ? include_glob(l, &words->v[i], mlb_buf_str(&path))
			     : include_file(l, &words->v[i], mlb_buf_str(&path));
		mlb_buf_release(&path);
	}
	return rc;
}

/* What is included is appended, and looked through for more in its turn. */
int
mlb_config_includes(struct loader *l)
{
	int rc = 0;

	first_time(l, l->c->ini.entry.n ? l->c->ini.entry.v[0].file : "mlbuild.ini");
	for (size_t i = 0; i < l->c->ini.entry.n && !rc; i++) {
		const struct mlb_ini_entry e = l->c->ini.entry.v[i];
		struct mlb_text_vec words = MLB_VEC_INIT;

		if (!e.key || strcmp(e.section, "include") != 0 || strcmp(e.key, "files") != 0 ||
		    !mlb_config_words(l, &e))
			continue;
		for (size_t k = 0; k < l->words.n; k++)
			mlb_vec_push(&words, l->words.v[k]);
		rc = include_words(l, &words);
		mlb_vec_release(&words);
	}
	return rc;
}

/* ------------------------------------------------------------ parameters */

static void
read_param_file(struct loader *l, const struct mlb_text *at, const char *path)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_MAX);
	struct mlb_text kept = { .s = mlb_arena_strdup(&l->c->arena, path),
				 .file = at->file,
				 .line = at->line };
	struct mlb_err err = MLB_ERR_INIT;
	size_t before = l->diag.line.n;

	if (!mlb_str_ends(path, ".yaml") && !mlb_str_ends(path, ".yml") &&
	    !mlb_str_ends(path, ".json")) {
		mlb_diag_add(&l->diag, at->file, at->line,
			     "'%s': parameters come from YAML or JSON files (.yaml, .yml, .json)",
			     path);
	} else if (!first_time(l, path)) {
		mlb_diag_add(&l->diag, at->file, at->line, "'%s' is read already", path);
	} else if (read_named(l, at, path, &text)) {
		if (mlb_params_parse(&l->c->params, path, mlb_buf_str(&text), text.len, false, &err))
			mlb_diag_take(&l->diag, NULL, 0, &err);
		mlb_vec_push(&l->c->param_files, kept);
	}
	if (l->diag.line.n > before)
		l->c->lost_params = true;
	mlb_buf_release(&text);
}

void
mlb_config_read_params(struct loader *l)
{
	for (size_t i = 0; i < l->param_file.n; i++) {
		struct mlb_buf path;

		if (!normal(l, &l->param_file.v[i], &path))
			continue;
		read_param_file(l, &l->param_file.v[i], mlb_buf_str(&path));
		mlb_buf_release(&path);
	}
}

/* ------------------------------------------------------------ -p */

static int
unknown_param(struct loader *l, const char *name, const char *where)
{
	const char *near = mlb_params_nearest(&l->c->params, name);

	return mlb_err_set(l->err, MLB_EINVALID, "%s: no parameter '%s'%s%s%s", where, name,
			   near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* That it cannot be read is wrong with the command line, whatever the system says of it. */
static int
read_override(struct mlb_buf *text, const struct mlb_override *o, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	struct mlb_stat st;
	int rc = mlb_fs_stat(&st, o->value, &why);

	if (rc == 0 && st.type == MLB_F_ABSENT)
		rc = mlb_err_set(err, MLB_EINVALID, "-p '@%s': there is no such file", o->given);
	else if (rc == 0 && st.type == MLB_F_DIR)
		rc = mlb_err_set(err, MLB_EINVALID, "-p '@%s': that is a directory", o->given);
	else if (rc || mlb_fs_read(text, o->value, &why))
		rc = mlb_err_set(err, MLB_EINVALID, "-p '@%s': %s", o->given, why.text);
	mlb_err_release(&why);
	return rc;
}

/* -p @FILE: every value in it must be the project's already. */
static int
override_file(struct loader *l, const struct mlb_override *o)
{
	struct mlb_buf text = MLB_BUF_INIT(FILE_MAX);
	struct mlb_params given;
	const char *path = o->given;
	int rc = read_override(&text, o, l->err);

	mlb_params_init(&given);
	if (!rc)
		rc = mlb_params_parse(&given, path, mlb_buf_str(&text), text.len, false, l->err);
	for (uint32_t i = 0; i < given.map.n && !rc; i++)
		if (!mlb_params_get(&l->c->params, given.map.entry[i].key))
			rc = unknown_param(l, given.map.entry[i].key, path);
	if (!rc)
		rc = mlb_params_parse(&l->c->params, path, mlb_buf_str(&text), text.len, true,
				      l->err);
	for (uint32_t i = 0; i < given.map.n && !rc; i++) {
		struct mlb_param *p = mlb_strmap_get(&l->c->params.map, given.map.entry[i].key);

		if (!p->map)
			p->file = "-p";
	}
	mlb_params_release(&given);
	mlb_buf_release(&text);
	return rc;
}

/* "-p:1: what is wrong" names no place that a person could look at. */
static int
say_which(struct loader *l, const struct mlb_override *o, int rc)
{
	const char *text = l->err->text;
	char *said;

	if (!mlb_str_starts(text, "-p:"))
		return rc;
	text += strcspn(text, " ");
	said = mlb_asprintf("-p '%s=%s':%s", o->name, o->value, text);
	mlb_err_release(l->err);
	rc = mlb_err_set(l->err, (enum mlb_code)rc, "%s", said);
	free(said);
	return rc;
}

int
mlb_config_override(struct loader *l, const struct mlb_override *o, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		if (!o[i].name)
			rc = override_file(l, &o[i]);
		else if (!mlb_params_get(&l->c->params, o[i].name))
			rc = unknown_param(l, o[i].name, "-p");
		else
			rc = mlb_params_set(&l->c->params, o[i].name, o[i].value, "-p", 0, true,
					    l->err);
		if (rc && o[i].name)
			rc = say_which(l, &o[i], rc);
	}
	return rc;
}
