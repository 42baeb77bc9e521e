/* What the graph was made from: looked at once, remembered as facts. */
#include <stdlib.h>
#include <string.h>

#include "graph/compile.h"
#include "graph/glob.h"
#include "os/path.h"
#include "store/scan.h"
#include "store/vcs.h"

#define MAX_FILE (256 * MLB_MIB) /* of an ini, parameter or .gitignore file */

static const char *
absolute(struct mlb_comp *c, const char *path)
{
	mlb_path_join(&c->full, c->in->root, path);
	return mlb_buf_str(&c->full);
}

/* ------------------------------------------------------------ existence */

static uint8_t
kind_of(const struct mlb_stat *st)
{
	switch (st->type) {
	case MLB_F_ABSENT:
		return MLB_P_ABSENT;
	case MLB_F_FILE:
		return st->exec ? MLB_P_EXEC : MLB_P_FILE;
	case MLB_F_DIR:
		return MLB_P_TREE;
	default:
		return MLB_P_BAD;
	}
}

uint8_t
mlb_c_look(struct mlb_comp *c, uint32_t path)
{
	struct mlb_c_path *info = &c->path_info.v[path];
	const char *full;
	struct mlb_stat st;

	if (info->pkind != MLB_P_UNKNOWN)
		return info->pkind;
	full = absolute(c, mlb_c_path_text(c, path));
	if (mlb_fs_lstat(&st, full, NULL) < 0)
		info->pkind = MLB_P_BAD;
	else if (st.type != MLB_F_SYMLINK)
		info->pkind = kind_of(&st);
	else if (mlb_fs_stat(&st, full, NULL) < 0 || st.type == MLB_F_ABSENT)
		info->pkind = MLB_P_BAD; /* a link to nowhere */
	else
		info->pkind = kind_of(&st);
	return info->pkind;
}

static void
add_fact(struct mlb_comp *c, uint32_t path, enum mlb_fact_kind kind, uint8_t pkind,
	 const struct mlb_digest *digest)
{
	struct mlb_g_fact fact;

	memset(&fact, 0, sizeof(fact));
	fact.subject = path;
	fact.kind = (uint8_t)kind;
	fact.pkind = pkind;
	if (digest)
		fact.digest = *digest;
	c->path_info.v[path].fact = true;
	mlb_vec_push(&c->fact, fact);
}

void
mlb_c_exists_fact(struct mlb_comp *c, uint32_t path)
{
	if (c->path_info.v[path].exists_fact)
		return;
	c->path_info.v[path].exists_fact = true;
	add_fact(c, path, MLB_FACT_EXISTS, mlb_c_look(c, path), NULL);
}

/* ------------------------------------------------------------ git */

/* The directory and those above it, up to the project. */
static void
remember_ignore_dirs(struct mlb_comp *c, const char *path)
{
	size_t len = strlen(path);

	for (;;) {
		struct mlb_strmap_entry *e;
		bool is_new;

		while (len > 0 && path[len - 1] != '/')
			len--;
		len -= len > 0;
		e = mlb_strmap_add(&c->ignore_dir, path, len, &is_new);
		if (!is_new)
			return;
		e->key = mlb_arena_strndup(&c->arena, path, len);
		if (len == 0)
			return;
	}
}

bool
mlb_c_ignored(struct mlb_comp *c, uint32_t path)
{
	struct mlb_c_path *info = &c->path_info.v[path];

	if (!c->in->vcs)
		return false;
	if (info->ignored == MLB_C_UNSEEN) {
		const char *text = mlb_c_path_text(c, path);

		remember_ignore_dirs(c, text);
		info->ignored = mlb_vcs_ignored(c->in->vcs, text) ? MLB_C_YES : MLB_C_NO;
	}
	return info->ignored == MLB_C_YES;
}

bool
mlb_c_left_out(struct mlb_comp *c, const char *path)
{
	size_t len = strlen(path);
	bool is_dir = path[len - 1] == '/';

	return mlb_left_out(&c->left_outs,
			    is_dir ? mlb_arena_strndup(&c->tmp, path, len - 1) : path, is_dir);
}

void
mlb_c_left_out_check(struct mlb_comp *c, const struct mlb_text *where,
		     const struct mlb_c_inst *inst)
{
	if (c->left_outs.err.code != MLB_OK)
		mlb_c_take(c, where, inst, &c->left_outs.err);
}

/* ------------------------------------------------------------ content and listings */

static void
file_fact(struct mlb_comp *c, const char *path)
{
	uint32_t p = mlb_c_path(c, path);
	struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
	struct mlb_digest digest;
	bool there = mlb_fs_read(&text, absolute(c, path), NULL) == 0 && !text.full;

	if (there)
		mlb_sha256_of(&digest, mlb_buf_str(&text), text.len);
	mlb_buf_release(&text);
	c->path_info.v[p].used = true;
	add_fact(c, p, MLB_FACT_FILE, MLB_P_UNKNOWN, there ? &digest : NULL);
}

void
mlb_c_searched(struct mlb_comp *c, const char *dir)
{
	struct mlb_dirents entries = MLB_VEC_INIT;
	struct mlb_digest digest;
	struct mlb_stat st;
	uint32_t p;

	if (mlb_strmap_get(&c->py.dir, dir))
		return; /* Python's search was there: the fact will come from it */
	mlb_buf_clear(&c->scratch);
	mlb_buf_addf(&c->scratch, "./%s", dir);
	p = mlb_c_path(c, mlb_buf_str(&c->scratch));
	if (c->path_info.v[p].fact)
		return;
	if (mlb_fs_stat(&st, absolute(c, dir), NULL) < 0 || st.type != MLB_F_DIR) {
		mlb_c_exists_fact(c, mlb_c_path(c, dir));
		return;
	}
	if (mlb_fs_list(&entries, mlb_buf_str(&c->full), NULL) == 0) {
		mlb_listing_digest(&entries, &digest);
		add_fact(c, p, MLB_FACT_LISTING, MLB_P_UNKNOWN, &digest);
	}
	mlb_dirents_release(&entries);
}

static void
config_facts(struct mlb_comp *c)
{
	const struct mlb_strvec *files = &c->config->files;
	const char *local = ".mlbuild/config.ini";

	for (size_t i = 0; i < files->n; i++)
		file_fact(c, files->v[i]);
	if (!mlb_strvec_has(files, local))
		file_fact(c, local);
	for (size_t i = 0; i < c->config->include_globs.n; i++) {
		struct mlb_strvec found = MLB_VEC_INIT;
		struct mlb_strvec dirs = MLB_VEC_INIT;

		mlb_glob_files(&found, &dirs, c->in->root, c->config->include_globs.v[i], NULL,
			       NULL, NULL);
		for (size_t k = 0; k < dirs.n; k++)
			mlb_c_searched(c, dirs.v[k]);
		mlb_strvec_release(&found);
		mlb_strvec_release(&dirs);
	}
}

static void
python_facts(struct mlb_comp *c)
{
	for (uint32_t i = 0; i < c->py.file.n; i++) {
		const struct mlb_py_file *f = c->py.file.entry[i].u.ptr;
		uint32_t p = mlb_c_path(c, c->py.file.entry[i].key);

		c->path_info.v[p].used = true;
		add_fact(c, p, MLB_FACT_FILE, MLB_P_UNKNOWN, &f->digest);
	}
	for (uint32_t i = 0; i < c->py.dir.n; i++) {
		const struct mlb_py_dir *d = c->py.dir.entry[i].u.ptr;
		uint32_t p;

		mlb_buf_clear(&c->scratch);
		mlb_buf_addf(&c->scratch, "./%s", c->py.dir.entry[i].key);
		p = mlb_c_path(c, mlb_buf_str(&c->scratch));
		if (!c->path_info.v[p].fact)
			add_fact(c, p, MLB_FACT_LISTING, MLB_P_UNKNOWN, &d->digest);
	}
}

/* How many directories the project lies below the repository's root. */
static unsigned
depth_below(const char *root, const char *workdir)
{
	size_t len = strlen(workdir);
	unsigned depth = 0;

	while (len > 1 && workdir[len - 1] == '/')
		len--;
	if (strncmp(root, workdir, len) != 0 || (root[len] != '/' && root[len] != '\0'))
		return 0;
	for (const char *p = root + len; *p != '\0'; p++)
		depth += *p != '/' && (p[1] == '/' || p[1] == '\0');
	return depth;
}

/* .gitignore of every directory that matters, of those above the project up to the repository, and info/exclude. */
static void
ignore_facts(struct mlb_comp *c)
{
	const char *workdir;
	struct mlb_buf up = MLB_BUF_INIT(SIZE_MAX / 2);

	if (!c->in->vcs || c->ignore_dir.n == 0)
		return;
	for (uint32_t i = 0; i < c->ignore_dir.n; i++) {
		const struct mlb_strmap_entry *e = &c->ignore_dir.entry[i];

		file_fact(c, e->len == 0 ? ".gitignore"
					 : mlb_arena_printf(&c->tmp, "%s/.gitignore", e->key));
	}
	workdir = mlb_vcs_workdir(c->in->vcs);
	for (unsigned i = workdir ? depth_below(c->in->root, workdir) : 0; i > 0; i--) {
		mlb_buf_adds(&up, "../");
		file_fact(c, mlb_arena_printf(&c->tmp, "%s.gitignore", mlb_buf_str(&up)));
	}
	file_fact(c, mlb_arena_printf(&c->tmp, "%s.git/info/exclude", mlb_buf_str(&up)));
	mlb_buf_release(&up);
}

/* .mlbuildignore of every directory that was looked into for sources, and of those above. */
static void
left_out_facts(struct mlb_comp *c)
{
	for (uint32_t i = 0; i < c->left_outs.dir.n; i++) {
		const struct mlb_strmap_entry *e = &c->left_outs.dir.entry[i];

		file_fact(c, mlb_arena_printf(&c->tmp, "%s%s" MLB_LEFT_OUT_FILE, e->key,
					      e->len ? "/" : ""));
	}
}

void
mlb_c_facts(struct mlb_comp *c)
{
	config_facts(c);
	mlb_c_env_fact(c, "HOME"); /* where the user's config.ini is, and "~/" */
	mlb_c_env_fact(c, "XDG_CONFIG_HOME");
	python_facts(c);
	ignore_facts(c);
	left_out_facts(c);
	mlb_arena_release(&c->tmp);
}
