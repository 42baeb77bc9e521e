/*
 * Load: the compiled graph and the state of every path in it, as of now.
 *
 * The graph on disk is taken if all facts it was made from still hold; facts are
 * examined by the same scan that examines inputs and outputs, so that a build
 * with nothing to do looks at every file exactly once.
 */
#include "engine/project.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/fingerprint.h"
#include "engine/sources.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_LOCK_BYTES = 1 << 30, MAX_PARAM_FILE = 64 << 20 };

static bool
env_fact_holds(const struct mlb_graph *g, const struct mlb_g_fact *f)
{
	const char *value = getenv(mlb_g_str(g, f->subject));
	struct mlb_digest d;

	memset(&d, 0, sizeof(d));
	if (value)
		mlb_sha256_of(&d, value, strlen(value));
	return mlb_digest_equal(&d, &f->digest);
}

static bool
fact_holds(const struct mlb_graph *g, const struct mlb_g_fact *f,
	   const struct mlb_path_state *state)
{
	const struct mlb_path_state *s;

	if (f->kind == MLB_FACT_ENV)
		return env_fact_holds(g, f);
	s = &state[f->subject];
	if (f->kind == MLB_FACT_EXISTS) {
		/* Only absent, file or directory matters; a file's content does not. */
		bool was_file = f->pkind == MLB_P_FILE || f->pkind == MLB_P_EXEC;
		bool is_file = s->kind == MLB_P_FILE || s->kind == MLB_P_EXEC;
		bool was_there = f->pkind != MLB_P_ABSENT;
		bool is_there = s->kind != MLB_P_ABSENT;

		return was_file == is_file && was_there == is_there;
	}
	return mlb_digest_equal(&s->digest, &f->digest);
}

static bool
facts_hold(const struct mlb_graph *g, const struct mlb_scan *scan)
{
	for (uint32_t i = 0; i < g->n_facts; i++)
		if (!fact_holds(g, &g->fact[i], scan->state))
			return false;
	return true;
}

bool
mlb_project_env_holds(const struct mlb_project *p)
{
	const struct mlb_graph *g = p->graph;

	for (uint32_t i = 0; i < g->n_facts; i++)
		if (g->fact[i].kind == MLB_FACT_ENV && !env_fact_holds(g, &g->fact[i]))
			return false;
	return true;
}

static int
begin_scan(struct mlb_project *p, struct mlb_err *err)
{
	const struct mlb_graph *g = p->graph;
	const char **path = mlb_arena_alloc(&p->arena, (g->n_paths + 1) * sizeof(*path));
	int rc;

	for (uint32_t i = 0; i < g->n_paths; i++)
		path[i] = mlb_g_path(g, i);
	rc = mlb_scan_init(&p->scan, p->root, path, g->path_want, g->n_paths, p->db, p->threads,
			   err);
	p->scan.unless = mlb_project_io(p);
	return rc;
}

static int
run_scan(struct mlb_project *p, struct mlb_err *err)
{
	const struct mlb_graph *g = p->graph;
	struct mlb_sources sources = { .p = p };
	int rc;

	p->scanned = true;
	p->scan.db = p->db;
	for (uint32_t i = 0; i < g->n_paths; i++)
		p->scan.state[i].source = g->path_producer[i] == MLB_NONE ||
					  (g->node[g->path_producer[i]].flags & MLB_G_SOURCE);
	if (p->storing) {
		p->scan.store = mlb_sources_store;
		p->scan.store_ctx = &sources;
		p->scan.progress = p->progress;
		p->scan.progress_ctx = p->progress_ctx;
	}
	rc = mlb_scan_run(&p->scan, err);
	p->scan.store = NULL;
	p->scan.progress = NULL;
	mlb_sources_release(&sources);
	return rc;
}

static int
scan_graph(struct mlb_project *p, struct mlb_err *err)
{
	int rc = begin_scan(p, err);

	return rc ? rc : run_scan(p, err);
}

static void
drop_graph(struct mlb_project *p)
{
	mlb_scan_release(&p->scan);
	mlb_fingerprints_forget(p);
	p->scanned = false;
	mlb_graph_free(p->graph);
	p->graph = NULL;
}

/* Keys that are understood and have no effect are never passed over in silence. */
static void
note_unused(struct mlb_project *p)
{
	const struct mlb_config *c = p->config;

	if (c->notify.n)
		mlb_strvec_push(&p->notes,
				"mlbuild.ini has [notify]: nothing acts on that in this version");
}

/* What is wrong with the files themselves, and what can be said of the rest of them. */
static int
report_all(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_config *config = NULL;
	struct mlb_graph *graph = NULL;
	struct mlb_compile c = { p->root, p->vcs, NULL, NULL };
	struct mlb_err all = MLB_ERR_INIT;
	int rc = mlb_project_try_config(&config, p, &all);

	c.config = config;
	if (rc == 0)
		rc = mlb_graph_compile(&graph, &c, &all);
	if (rc == MLB_EINVALID) {
		mlb_err_release(err);
		*err = all;
	} else {
		mlb_err_release(&all);
	}
	mlb_graph_free(graph);
	mlb_config_free(config);
	return err->code;
}

/* Compile from the ini files; a variant's graph is not kept on disk. */
static int
compile(struct mlb_project *p, const char *file, struct mlb_err *err)
{
	struct mlb_compile c = { p->root, NULL, NULL, &p->notes };
	struct mlb_err first = MLB_ERR_INIT;
	int rc = mlb_project_vcs(p, err);

	if (rc)
		return rc;
	rc = mlb_project_config(p, &first);
	if (rc == MLB_EINVALID)
		rc = report_all(p, &first);
	if (rc) {
		mlb_err_set(err, first.code, "%s", first.text);
		mlb_err_release(&first);
		return rc;
	}
	mlb_strvec_release(&p->notes);
	note_unused(p);
	c.vcs = p->vcs;
	c.config = p->config;
	rc = mlb_graph_compile(&p->graph, &c, err);
	if (rc == 0)
		mlb_project_cache_moved(p);
	if (rc == 0)
		rc = mlb_notes_drop_told(p, err);
	/* Where there is something to tell a build does so, which must come here then. */
	if (rc == 0 && !mlb_is_variant(p) && !mlb_db_is_copy(p->db) && (p->storing || !p->notes.n))
		rc = mlb_graph_save(p->graph, file, err);
	return rc;
}

static bool
load_graph(struct mlb_project *p, const char *file)
{
	if (mlb_graph_load(&p->graph, file, NULL) != 0)
		p->graph = NULL;
	return p->graph != NULL;
}

bool
mlb_project_peek(struct mlb_project *p)
{
	char *file = mlb_asprintf("%s/graph", p->state_dir);
	bool is = load_graph(p, file);

	free(file);
	if (is && begin_scan(p, NULL) != 0) {
		drop_graph(p);
		is = false;
	}
	return is;
}

/* The graph on disk, if it is there, readable, and its facts hold; else p->graph stays NULL. */
static int
try_saved(struct mlb_project *p, const char *file, struct mlb_err *err)
{
	int rc;

	if (p->graph)
		rc = run_scan(p, err);
	else if (load_graph(p, file))
		rc = scan_graph(p, err);
	else
		return 0;
	if (rc)
		return rc;
	if (!facts_hold(p->graph, &p->scan)) {
		/* What was hashed just now must not be hashed again after compiling. */
		rc = mlb_project_save_scan(p, err);
		drop_graph(p);
	}
	return rc;
}

/* Variants: parameter files say what -p says; their digests replace those on disk. */
static int
rewrite_params(struct mlb_project *p, struct mlb_err *err)
{
	const struct mlb_config *c = p->config;
	MLB_VEC(const struct mlb_param *) change = MLB_VEC_INIT;
	int rc = 0;

	for (uint32_t i = 0; i < c->params.map.n; i++) {
		const struct mlb_param *param = c->params.map.entry[i].u.ptr;

		if (strcmp(param->file, "-p") == 0)
			mlb_vec_push(&change, param);
	}
	p->file = mlb_arena_alloc(&p->arena, (c->param_files.n + 1) * sizeof(*p->file));
	p->file_digest =
		mlb_arena_alloc(&p->arena, (c->param_files.n + 1) * sizeof(*p->file_digest));
	for (size_t i = 0; i < c->param_files.n && rc == 0; i++) {
		struct mlb_buf text = MLB_BUF_INIT(MAX_PARAM_FILE);
		struct mlb_buf out = MLB_BUF_INIT(MAX_PARAM_FILE);
		struct mlb_root_file *f = &p->file[p->n_files];
		char *path = mlb_project_path(p, c->param_files.v[i].s);
		unsigned changed = 0;

		rc = mlb_fs_read(&text, path, err);
		if (rc == 0)
			rc = mlb_params_rewrite(&out, c->param_files.v[i].s, mlb_buf_str(&text),
						text.len, change.v, change.n, &changed, err);
		if (rc == 0 && changed) {
			f->path = c->param_files.v[i].s;
			f->text = mlb_arena_strndup(&p->arena, mlb_buf_str(&out), out.len);
			f->len = out.len;
			mlb_sha256_of(&p->file_digest[p->n_files++], f->text, f->len);
		}
		free(path);
		mlb_buf_release(&out);
		mlb_buf_release(&text);
	}
	mlb_vec_release(&change);
	return rc;
}

static uint32_t
find_path(const struct mlb_graph *g, const char *path)
{
	uint32_t lo = 0, hi = g->n_paths;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = strcmp(mlb_g_path(g, mid), path);

		if (c == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return MLB_NONE;
}

uint32_t
mlb_project_path_index(const struct mlb_project *p, const char *path)
{
	return find_path(p->graph, path);
}

static void
apply_rewritten(struct mlb_project *p)
{
	for (size_t i = 0; i < p->n_files; i++) {
		uint32_t at = find_path(p->graph, p->file[i].path);

		if (at != MLB_NONE) {
			p->scan.state[at].digest = p->file_digest[i];
			p->scan.state[at].size = p->file[i].len;
			p->scan.state[at].dirty = false;
		}
	}
}

/* ---------------------------------------------------------- as the parent saw it */

static bool
take_state(struct mlb_path_state *to, const struct mlb_path_state *from)
{
	if (from->want != to->want)
		return false;
	*to = *from;
	to->walk = NULL; /* the parent's; what is in a directory is in the store */
	to->dirty = to->lent = false;
	return true;
}

/* A path that only variants have is looked at once for all of them. */
static int
look_once(struct mlb_project *p, uint32_t i, struct mlb_err *err)
{
	struct mlb_project *up = p->parent;
	const char *path = mlb_g_path(p->graph, i);
	struct mlb_path_state *seen = mlb_strmap_get(&up->seen, path);
	bool changed;
	int rc;

	if (seen && take_state(&p->scan.state[i], seen))
		return 0;
	rc = mlb_scan_again(&p->scan, i, &changed, err);
	if (rc == 0 && p->scan.state[i].kind == MLB_P_TREE)
		rc = mlb_scan_store(&p->scan, i, p->cas, err);
	seen = mlb_arena_alloc(&up->arena, sizeof(*seen));
	*seen = p->scan.state[i];
	seen->walk = NULL;
	p->scan.state[i].dirty = false;
	mlb_strmap_set(&up->seen, mlb_arena_strdup(&up->arena, path), seen);
	return rc;
}

static int
take_scan(struct mlb_project *p, struct mlb_err *err)
{
	const struct mlb_graph *g = p->graph, *was = p->parent->graph;
	uint32_t k = 0;
	int rc = begin_scan(p, err);

	p->scanned = rc == 0;
	for (uint32_t i = 0; i < g->n_paths && rc == 0; i++) {
		struct mlb_path_state *state = &p->scan.state[i];
		const char *path = mlb_g_path(g, i);

		state->want = g->path_want[i];
		while (k < was->n_paths && strcmp(mlb_g_path(was, k), path) < 0)
			k++;
		if (k == was->n_paths || strcmp(mlb_g_path(was, k), path) != 0 ||
		    !take_state(state, &p->parent->scan.state[k]))
			rc = look_once(p, i, err);
		state->source = g->path_producer[i] == MLB_NONE ||
				(g->node[g->path_producer[i]].flags & MLB_G_SOURCE);
	}
	return rc;
}

/* A graph of the sources as they were when the parent was loaded, or an error. */
static int
load_child(struct mlb_project *p, struct mlb_err *err)
{
	int rc = compile(p, "", err);

	if (rc == 0)
		rc = take_scan(p, err);
	for (uint32_t i = 0; rc == 0 && i < p->graph->n_facts; i++) {
		const struct mlb_g_fact *f = &p->graph->fact[i];

		if (!fact_holds(p->graph, f, p->scan.state))
			rc = mlb_err_set(err, MLB_ESTALE, "'%s' changed meanwhile",
					 f->kind == MLB_FACT_ENV
						 ? mlb_g_str(p->graph, f->subject)
						 : mlb_g_path(p->graph, f->subject));
	}
	if (rc == 0)
		rc = rewrite_params(p, err);
	if (rc == 0)
		apply_rewritten(p);
	return rc;
}

int
mlb_project_load(struct mlb_project *p, struct mlb_err *err)
{
	char *file;
	int rc;

	if (p->scanned)
		return 0;
	if (p->parent)
		return load_child(p, err);
	rc = mlb_project_store(p, err);
	if (rc)
		return rc;
	file = mlb_asprintf("%s/graph", p->state_dir);
	if (!mlb_is_variant(p))
		rc = try_saved(p, file, err);
	if (rc == 0 && !p->graph) {
		rc = compile(p, file, err);
		if (rc == 0)
			rc = scan_graph(p, err);
	}
	if (rc == 0 && mlb_is_variant(p)) {
		rc = rewrite_params(p, err);
		if (rc == 0)
			apply_rewritten(p);
	}
	free(file);
	return rc;
}

int
mlb_project_save_scan(struct mlb_project *p, struct mlb_err *err)
{
	int rc;

	for (size_t i = 0; i < p->scan.n; i++)
		if (p->scan.state[i].dirty)
			goto save;
	return 0;
save:
	rc = mlb_db_begin(p->db, err);
	if (rc == 0)
		rc = mlb_scan_save(&p->scan, p->cas, err);
	if (rc == 0)
		rc = mlb_db_commit(p->db, err);
	if (rc)
		mlb_db_rollback(p->db);
	return rc;
}

int
mlb_project_mark_lock(const struct mlb_project *p, struct mlb_file_mark *out, struct mlb_err *err)
{
	struct mlb_stat st;
	char *path = mlb_project_path(p, "mlbuild.lock");
	int rc = mlb_fs_lstat(&st, path, err);

	memset(out, 0, sizeof(*out));
	if (rc == 0 && st.type != MLB_F_ABSENT) {
		out->ino = st.ino;
		out->size = st.size;
		out->mtime = st.mtime;
		out->ctime = st.ctime;
	}
	free(path);
	return rc;
}

/* As it was recorded, and still is after it was read: then it need not be parsed. */
static bool
open_same(struct mlb_project *p, struct mlb_buf *text)
{
	struct mlb_file_mark now;

	return p->lock_same && mlb_project_mark_lock(p, &now, NULL) == 0 &&
	       memcmp(&now, &p->lock_mark, sizeof(now)) == 0 && mlb_lockfile_open(&p->lock, text);
}

int
mlb_project_lock(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOCK_BYTES);
	char *path;
	int rc = 0;

	if (p->lock_read)
		return 0;
	path = mlb_project_path(p, "mlbuild.lock");
	if (mlb_fs_exists(path))
		rc = mlb_fs_read(&text, path, err);
	if (rc == 0 && text.len && !open_same(p, &text))
		rc = mlb_lockfile_parse(&p->lock, mlb_buf_str(&text), text.len, err);
	if (rc == 0)
		p->lock_read = true;
	mlb_buf_release(&text);
	free(path);
	return rc;
}

int
mlb_project_whole_lock(struct mlb_project *p, struct mlb_err *err)
{
	int rc = mlb_project_lock(p, err);

	return rc ? rc : mlb_lockfile_whole(&p->lock, err);
}

int
mlb_project_check_lock(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_buf meta = MLB_BUF_INIT(MLB_KIB);
	struct mlb_file_mark now;
	int rc = mlb_project_mark_lock(p, &now, err);

	if (rc == 0)
		rc = mlb_meta_get(p->db, "lock", &meta, err);
	p->lock_same = rc == 0 && now.ino && meta.len == sizeof(now) &&
		       memcmp(mlb_buf_str(&meta), &now, sizeof(now)) == 0;
	p->lock_mark = now;
	if (rc == 0 && !p->lock_same)
		rc = mlb_project_lock(p, err);
	mlb_buf_release(&meta);
	return rc;
}

int
mlb_project_remember_lock(struct mlb_project *p, struct mlb_err *err)
{
	struct mlb_file_mark now;
	int rc = mlb_project_mark_lock(p, &now, err);

	if (rc == 0)
		rc = mlb_meta_set(p->db, "lock", &now, sizeof(now), err);
	return rc;
}
