#include "engine/locked.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "graph/glob.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_LOCK = 1 << 30, MAX_WORD = 1 << 20, NAMES_SHOWN = 5 };

const char *
mlb_locked_where(struct mlb_locked_list *l)
{
	return l->rev ? mlb_arena_printf(&l->arena, "mlbuild.lock of %s", l->rev) : "mlbuild.lock";
}

/* ---------------------------------------------------------- reading */

static int
read_text(struct mlb_locked_list *l, struct mlb_project *p, struct mlb_buf *text,
	  struct mlb_err *err)
{
	char *path = mlb_project_path(p, "mlbuild.lock");
	int rc = 0;

	if (!l->rev) {
		if (mlb_fs_exists(path))
			rc = mlb_fs_read(text, path, err);
	} else {
		rc = mlb_project_vcs(p, err);
		if (rc == 0 && !p->vcs)
			rc = mlb_err_set(err, MLB_EINVALID, "'--rev' needs a git repository: %s",
					 p->vcs_why);
		if (rc == 0)
			rc = mlb_vcs_read(p->vcs, l->rev, "mlbuild.lock", text, err);
	}
	free(path);
	return rc;
}

static void
add_output(struct mlb_locked_list *l, const struct mlb_lock_block *b, const char *name,
	   const struct mlb_lock_output *o, bool each)
{
	const struct mlb_locked e = {
		.kind = b->kind,
		.base = b->name,
		.name = name,
		.path = o->path,
		.digest = o->digest,
		.size = o->size,
		.okind = o->kind,
		.source = mlb_digest_is_zero(&b->key) && mlb_digest_is_zero(&b->table),
		.each = each,
	};

	mlb_vec_push(&l->all, e);
}

/* Rows of a matrix are named by instance, those of `each` by the file they were made from. */
static void
add_rows(struct mlb_locked_list *l, const struct mlb_lock_block *b, struct mlb_table_row *row,
	 size_t n)
{
	size_t len = strlen(b->name);

	for (size_t i = 0; i < n; i++) {
		bool instance = strncmp(row[i].name, b->name, len) == 0 && row[i].name[len] == '@';

		for (uint32_t k = 0; k < row[i].n_outputs; k++)
			add_output(l, b, instance ? row[i].name : b->name, &row[i].output[k],
				   !instance);
	}
}

static void
add_table(struct mlb_locked_list *l, struct mlb_project *p, const struct mlb_lock_block *b)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_table_row *row = NULL;
	size_t n = 0;

	if (mlb_cas_read(p->cas, &text, &b->table, NULL) == 0 &&
	    mlb_table_parse(&row, &n, &l->arena, mlb_buf_str(&text), text.len, NULL) == 0) {
		add_rows(l, b, row, n);
	} else {
		const struct mlb_locked e = {
			.kind = b->kind, .base = b->name, .name = b->name, .digest = b->table
		};

		mlb_vec_push(&l->all, e);
	}
	mlb_buf_release(&text);
}

int
mlb_locked_read(struct mlb_locked_list *out, struct mlb_project *p, const char *rev,
		struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	int rc;

	*out = (struct mlb_locked_list){ .arena = MLB_ARENA_INIT, .rev = rev };
	mlb_lockfile_init(&out->file);
	rc = mlb_project_config(p, err); /* it says where the cache is */
	if (rc == 0)
		rc = mlb_project_cache(p, err);
	if (rc == 0)
		rc = read_text(out, p, &text, err);
	if (rc == 0 && text.len &&
	    mlb_lockfile_parse(&out->file, mlb_buf_str(&text), text.len, err) < 0)
		rc = rev ? mlb_err_wrap(err, "revision '%s'", rev) : MLB_EINVALID;
	for (uint32_t i = 0; rc == 0 && i < out->file.map.n; i++) {
		const struct mlb_lock_block *b = out->file.map.entry[i].u.ptr;

		if (b && b->other) {
			mlb_vec_push(&out->disputed, b);
			continue;
		}
		for (uint32_t k = 0; b && k < b->n_outputs; k++)
			add_output(out, b, b->name, &b->output[k], false);
		if (b && !mlb_digest_is_zero(&b->table))
			add_table(out, p, b);
	}
	mlb_buf_release(&text);
	return rc;
}

void
mlb_locked_release(struct mlb_locked_list *l)
{
	mlb_lockfile_release(&l->file);
	mlb_vec_release(&l->all);
	mlb_vec_release(&l->disputed);
	mlb_arena_release(&l->arena);
}

/* ---------------------------------------------------------- words */

/* Entries whose output the path is, or is below. */
static bool
mark_path(const struct mlb_locked_list *l, const char *path, uint8_t *mark)
{
	bool found = false;

	for (size_t i = 0; i < l->all.n; i++)
		if (l->all.v[i].path && mlb_path_inside(path, l->all.v[i].path))
			mark[i] = found = true;
	return found;
}

/* As in mlb_select_words: from where the user stands, else from the project's directory. */
static bool
mark_paths(const struct mlb_locked_list *l, const struct mlb_project *p, const char *word,
	   uint8_t *mark)
{
	struct mlb_buf path = MLB_BUF_INIT(MAX_WORD);
	size_t root = strlen(p->root);
	bool found = false;

	if (mlb_path_absolute(&path, word, NULL) == 0 && path.len > root &&
	    mlb_path_inside(mlb_buf_str(&path), p->root))
		found = mark_path(l, mlb_buf_str(&path) + root + 1, mark);
	mlb_buf_clear(&path);
	if (!found && mlb_path_normalize(&path, word, NULL) == 0)
		found = mark_path(l, mlb_buf_str(&path), mark);
	mlb_buf_release(&path);
	return found;
}

/* ---------------------------------------------------------- two sides of a conflict */

/* Whether a word may mean a target of which a conflict has two sides: by name, kind, or an output. */
static bool
is_meant(const struct mlb_lock_block *b, const char *word, bool glob)
{
	char *name = mlb_strndup(word, glob ? strlen(word) : strcspn(word, ":/@"));
	bool meant = strcmp(b->kind, word) == 0 || mlb_name_matches(b->name, b->name, name, glob);

	free(name);
	for (; b && !meant; b = b->other)
		for (uint32_t i = 0; i < b->n_outputs && !meant; i++)
			meant = mlb_path_inside(word, b->output[i].path);
	return meant;
}

int
mlb_locked_dispute(const struct mlb_locked_list *l, const char *word, struct mlb_err *err)
{
	struct mlb_buf names = MLB_BUF_INIT(MAX_WORD);
	size_t n = 0;

	for (size_t i = 0; i < l->disputed.n; i++) {
		const struct mlb_lock_block *b = l->disputed.v[i];

		if (word && !is_meant(b, word, mlb_glob_is(word)))
			continue;
		if (n++ < NAMES_SHOWN)
			mlb_buf_addf(&names, "%s'%s'", names.len ? ", " : "", b->name);
	}
	if (n > NAMES_SHOWN)
		mlb_buf_addf(&names, " and %zu more", n - NAMES_SHOWN);
	if (n && l->rev)
		mlb_err_set(
			err, MLB_EINVALID,
			"the mlbuild.lock of %s was committed with conflict markers, and they say "
			"two things of %s",
			l->rev, mlb_buf_str(&names));
	else if (n)
		mlb_err_set(err, MLB_EINVALID,
			    "mlbuild.lock has conflict markers, and they say two things of %s: "
			    "'mlbuild' settles that",
			    mlb_buf_str(&names));
	mlb_buf_release(&names);
	return n ? MLB_EINVALID : 0;
}

static int
unknown(const struct mlb_locked_list *l, const struct mlb_project *p, const char *word,
	struct mlb_err *err)
{
	const char *where = l->rev ? l->rev : "mlbuild.lock";
	MLB_VEC(const char *) known = MLB_VEC_INIT;
	const char *near;

	if (mlb_config_find(p->config, word))
		return mlb_err_set(err, MLB_ENOTFOUND,
				   l->rev ? "%s has no result of '%s'"
					  : "%s has no result of '%s': build it first",
				   where, word);
	for (size_t i = 0; i < l->all.n; i++)
		mlb_vec_push(&known, l->all.v[i].base);
	near = mlb_nearest(word, known.v, known.n);
	mlb_vec_release(&known);
	if (near)
		return mlb_err_set(err, MLB_ENOTFOUND,
				   "%s has no target, kind or output '%s': did you mean '%s'?",
				   where, word, near);
	return mlb_err_set(err, MLB_ENOTFOUND, "%s has no target, kind or output '%s'", where,
			   word);
}

int
mlb_locked_mark(const struct mlb_locked_list *l, struct mlb_project *p, const char *word,
		uint8_t *mark, struct mlb_err *err)
{
	bool glob = mlb_glob_is(word), by_name = false, by_kind = false;

	if (mlb_locked_dispute(l, word, err))
		return MLB_EINVALID;
	for (size_t i = 0; i < l->all.n; i++)
		if (mlb_name_matches(l->all.v[i].name, l->all.v[i].base, word, glob))
			mark[i] = by_name = true;
	for (size_t i = 0; i < l->all.n && !by_name; i++)
		if (strcmp(l->all.v[i].kind, word) == 0)
			mark[i] = by_kind = true;
	if (by_name || by_kind || mark_paths(l, p, word, mark))
		return 0;
	return unknown(l, p, word, err);
}
