#include "engine/versions.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "os/fs.h"

enum { MAX_LOCK = 1 << 30, MAX_METRICS = 64 << 20 };

/* ---------------------------------------------------------- reading */

static void
add_block(struct mlb_versions *v, const struct mlb_lock_block *b, const char *commit)
{
	const struct mlb_version one = {
		.kind = b->kind,
		.base = b->name,
		.name = b->name,
		.key = b->key,
		.output = b->output,
		.n_outputs = b->n_outputs,
		.commit = commit,
	};

	mlb_vec_push(&v->all, one);
}

/* Rows of a matrix are named by instance, those of `each` by the file they were made from. */
static void
add_table(struct mlb_versions *v, struct mlb_project *p, const struct mlb_lock_block *b,
	  const char *commit)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	struct mlb_version one = { .kind = b->kind, .base = b->name, .name = b->name };
	struct mlb_table_row *row = NULL;
	size_t n = 0, len = strlen(b->name);

	one.commit = commit;
	if (mlb_cas_read(p->cas, &text, &b->table, NULL) != 0 ||
	    mlb_table_parse(&row, &n, &v->arena, mlb_buf_str(&text), text.len, NULL) != 0)
		n = 0;
	mlb_buf_release(&text);
	if (!n || strncmp(row[0].name, b->name, len) != 0 || row[0].name[len] != '@') {
		one.folded = true;
		one.key = b->table;
		mlb_vec_push(&v->all, one);
		one.folded = false;
		one.row = true;
	}
	for (size_t i = 0; i < n; i++) {
		one.name = one.row ? mlb_arena_printf(&v->arena, "%s[%s]", b->name, row[i].name)
				   : row[i].name;
		one.key = row[i].key;
		one.output = row[i].output;
		one.n_outputs = row[i].n_outputs;
		mlb_vec_push(&v->all, one);
	}
}

static int
by_name(const void *a, const void *b)
{
	const struct mlb_version *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int
mlb_versions_parse(struct mlb_versions *out, struct mlb_project *p, const char *commit,
		   const char *text, size_t len, struct mlb_err *err)
{
	const char *own;
	int rc = 0;

	*out = (struct mlb_versions){ .arena = MLB_ARENA_INIT };
	mlb_lockfile_init(&out->file);
	own = commit ? mlb_arena_strdup(&out->arena, commit) : NULL;
	if (len && mlb_lockfile_parse(&out->file, text, len, err) < 0)
		rc = commit ? mlb_err_wrap(err, "commit %.12s", commit) : MLB_EINVALID;
	for (uint32_t i = 0; rc == 0 && i < out->file.map.n; i++) {
		const struct mlb_lock_block *b = out->file.map.entry[i].u.ptr;

		if (b && mlb_digest_is_zero(&b->table))
			add_block(out, b, own);
		else if (b)
			add_table(out, p, b, own);
	}
	if (out->all.n)
		qsort(out->all.v, out->all.n, sizeof(*out->all.v), by_name);
	return rc;
}

static int
read_lock(struct mlb_buf *text, struct mlb_project *p, const char *commit, struct mlb_err *err)
{
	char *path;
	int rc;

	if (commit) {
		rc = mlb_vcs_read(p->vcs, commit, "mlbuild.lock", text, err);
		/* A commit from before anything was built. */
		if (rc == MLB_ENOTFOUND) {
			mlb_err_release(err);
			rc = 0;
		}
		return rc;
	}
	path = mlb_project_path(p, "mlbuild.lock");
	rc = mlb_fs_exists(path) ? mlb_fs_read(text, path, err) : 0;
	free(path);
	return rc;
}

int
mlb_versions_at(struct mlb_versions *out, struct mlb_project *p, const char *commit,
		struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK);
	int rc;

	*out = (struct mlb_versions){ .arena = MLB_ARENA_INIT };
	mlb_lockfile_init(&out->file);
	rc = mlb_project_past(p, err);
	if (rc == 0)
		rc = mlb_project_vcs(p, err);
	if (rc == 0)
		rc = read_lock(&text, p, commit, err);
	if (rc == 0) {
		mlb_versions_release(out);
		rc = mlb_versions_parse(out, p, commit, mlb_buf_str(&text), text.len, err);
	}
	mlb_buf_release(&text);
	return rc;
}

void
mlb_versions_release(struct mlb_versions *v)
{
	mlb_lockfile_release(&v->file);
	mlb_vec_release(&v->all);
	mlb_arena_release(&v->arena);
}

const struct mlb_version *
mlb_versions_find(const struct mlb_versions *v, const char *name)
{
	const struct mlb_version want = { .name = name };

	return v->all.n ? bsearch(&want, v->all.v, v->all.n, sizeof(want), by_name) : NULL;
}

void
mlb_versions_put(struct mlb_versions *v, const struct mlb_version *one)
{
	size_t at = 0;

	while (at < v->all.n && strcmp(v->all.v[at].name, one->name) < 0)
		at++;
	if (at < v->all.n && strcmp(v->all.v[at].name, one->name) == 0) {
		const char *kind = v->all.v[at].kind, *base = v->all.v[at].base;

		v->all.v[at] = *one;
		v->all.v[at].kind = kind;
		v->all.v[at].base = base;
		return;
	}
	mlb_vec_push(&v->all, *one);
	memmove(&v->all.v[at + 1], &v->all.v[at], (v->all.n - 1 - at) * sizeof(*v->all.v));
	v->all.v[at] = *one;
}

struct mlb_version
mlb_version_of_result(const struct mlb_result *r, const char *name, struct mlb_arena *arena)
{
	struct mlb_lock_output *o = mlb_arena_alloc(arena, (r->n_outputs + 1) * sizeof(*o));

	for (uint32_t i = 0; i < r->n_outputs; i++)
		o[i] = (struct mlb_lock_output){ r->output[i].path, r->output[i].kind,
						 r->output[i].digest, r->output[i].size };
	return (struct mlb_version){ .kind = "",
				     .base = name,
				     .name = name,
				     .key = r->key,
				     .output = o,
				     .n_outputs = r->n_outputs,
				     .commit = r->pin[0] ? r->pin : NULL };
}

bool
mlb_version_same(const struct mlb_version *a, const struct mlb_version *b)
{
	if (!mlb_digest_equal(&a->key, &b->key) || a->n_outputs != b->n_outputs)
		return false;
	for (uint32_t i = 0; i < a->n_outputs; i++)
		if (!mlb_digest_equal(&a->output[i].digest, &b->output[i].digest) ||
		    strcmp(a->output[i].path, b->output[i].path) != 0)
			return false;
	return true;
}

/* ---------------------------------------------------------- metrics */

/* From the cache; else from git or the disk, if the bytes there are these. */
static bool
read_bytes(struct mlb_buf *out, struct mlb_project *p, const struct mlb_version *v,
	   const struct mlb_lock_output *o)
{
	struct mlb_digest d;
	char *path;
	int rc;

	if (mlb_cas_read(p->cas, out, &o->digest, NULL) == 0)
		return true;
	mlb_buf_clear(out);
	path = mlb_project_path(p, o->path);
	if (v->commit && p->vcs)
		rc = mlb_vcs_read(p->vcs, v->commit, o->path, out, NULL);
	else
		rc = mlb_fs_exists(path) ? mlb_fs_read(out, path, NULL) : MLB_ENOTFOUND;
	free(path);
	if (rc)
		return false;
	mlb_sha256_of(&d, mlb_buf_str(out), out->len);
	return mlb_digest_equal(&d, &o->digest);
}

json_t *
mlb_version_metrics(struct mlb_project *p, const struct mlb_version *v)
{
	json_t *json = NULL;

	for (uint32_t i = 0; i < v->n_outputs && !json; i++) {
		struct mlb_buf text = MLB_BUF_INIT(MAX_METRICS);

		if (v->output[i].kind == MLB_O_METRICS && read_bytes(&text, p, v, &v->output[i]))
			json = mlb_metrics_parse(v->output[i].path, mlb_buf_str(&text), text.len,
						 NULL);
		mlb_buf_release(&text);
	}
	return json;
}
