/* Beginning a project, and adding to one. Nothing that exists is overwritten. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/project.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_INI = 64 << 20, MAX_NAME = 48 };

/* What pins a Python environment, the most exact first. */
static const char *const env_locks[] = {
	"uv.lock",   "poetry.lock",    "pdm.lock",         "Pipfile.lock",
	"pixi.lock", "conda-lock.yml", "requirements.txt", "environment.yml",
};

static const char *
find_env_lock(const char *dir)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(env_locks); i++) {
		char *path = mlb_asprintf("%s/%s", dir, env_locks[i]);
		bool there = mlb_fs_exists(path);

		free(path);
		if (there)
			return env_locks[i];
	}
	return NULL;
}

static void
write_ini(struct mlb_buf *out, const char *name, const char *lock)
{
	mlb_buf_addf(
		out,
		"; What this project makes, and from what. 'man mlbuild.ini' explains every key.\n"
		"\n"
		"[project]\n"
		"name = %s\n"
		"; what a bare 'mlbuild' builds; without it, every target but tasks\n"
		"; default = model\n"
		"\n"
		"; values that commands use as ${params:seed}; 'file = params.yaml' takes them from a file\n"
		"[params]\n"
		"seed = 7\n"
		"\n"
		"; keys that every target gets\n"
		"[defaults]\n"
		"shell = bash -eo pipefail -c\n",
		name);
	if (lock)
		mlb_buf_addf(out, "; the environment that everything is made with\nneeds = %s\n",
			     lock);
	else
		mlb_buf_adds(
			out,
			"; name the lock file of your environment here, and a new one rebuilds what it must\n"
			"; needs = requirements.txt\n");
	mlb_buf_adds(
		out,
		"\n"
		"; a source: it exists already ('mlbuild add PATH' writes such a section)\n"
		"; [dataset raw]\n"
		"; path = data/raw.csv\n"
		"\n"
		"; a stage: a command that reads ${raw} and writes ${out}\n"
		"; [feature clean]\n"
		"; run = python3 src/clean.py ${raw} ${out}\n"
		"; out = data/clean.csv\n"
		"\n"
		"; [model model]\n"
		"; run     = python3 src/train.py --seed ${params:seed} ${clean} ${out} ${metrics}\n"
		"; out     = models/model.pkl\n"
		"; metrics = metrics/train.json\n");
}

int
mlb_init(const char *dir, char **note, struct mlb_err *err)
{
	struct mlb_buf full = MLB_BUF_INIT(MAX_INI), ini = MLB_BUF_INIT(MAX_INI),
		       path = MLB_BUF_INIT(MAX_INI);
	const char *lock;
	int rc = mlb_path_absolute(&full, dir, err);

	if (rc)
		goto done;
	mlb_path_join(&path, mlb_buf_str(&full), "mlbuild.ini");
	if (mlb_fs_exists(mlb_buf_str(&path))) {
		rc = mlb_err_set(err, MLB_EEXISTS, "'%s' exists already: nothing was changed",
				 mlb_buf_str(&path));
		goto done;
	}
	lock = find_env_lock(mlb_buf_str(&full));
	write_ini(&ini, mlb_path_base(mlb_buf_str(&full)), lock);
	rc = mlb_fs_mkparents(mlb_buf_str(&path), err);
	if (rc == 0)
		rc = mlb_fs_write(mlb_buf_str(&path), mlb_buf_str(&ini), ini.len, true, err);
	if (rc)
		goto done;
	mlb_path_join(&path, dir, "mlbuild.ini"); /* as they named it */
	*note = lock ? mlb_asprintf("wrote %s; every target needs %s, which was found there",
				    mlb_buf_str(&path), lock)
		     : mlb_asprintf("wrote %s", mlb_buf_str(&path));
done:
	mlb_buf_release(&path);
	mlb_buf_release(&ini);
	mlb_buf_release(&full);
	return rc;
}

/* A valid name from a path: its stem, other characters as '_', made unique by a number. */
static char *
name_from_path(const struct mlb_config *c, const char *path)
{
	struct mlb_buf stem = MLB_BUF_INIT(MAX_INI);
	char *base, *name;

	mlb_path_stem(&stem, path);
	base = mlb_strndup(mlb_buf_str(&stem), MLB_MIN(stem.len, MAX_NAME - 4));
	mlb_buf_release(&stem);
	for (char *ch = base; *ch; ch++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
			    *ch))
			*ch = '_';
	name = mlb_strdup(base[0] ? base : "data");
	for (unsigned i = 2; mlb_config_find(c, name) || mlb_name_reserved(name); i++) {
		free(name);
		name = mlb_asprintf("%s_%u", base, i);
	}
	free(base);
	return name;
}

/* The path as it stands in the ini: relative to the project where it is inside, quoted if it has blanks. */
static int
ini_path(const struct mlb_project *p, const char *path, struct mlb_buf *out, struct mlb_err *err)
{
	struct mlb_buf full = MLB_BUF_INIT(MAX_INI);
	size_t root = strlen(p->root);
	int rc = mlb_path_absolute(&full, path, err);

	if (rc == 0 && !mlb_fs_exists(mlb_buf_str(&full)))
		rc = mlb_err_set(err, MLB_ENOTFOUND, "'%s' does not exist", path);
	else if (rc == 0 && !mlb_path_inside(mlb_buf_str(&full), p->root))
		rc = mlb_err_set(
			err, MLB_EINVALID,
			"'%s' is outside the project: put it, or a symbolic link to it, inside",
			path);
	if (rc == 0)
		mlb_buf_adds(out, full.len > root ? mlb_buf_str(&full) + root + 1 : "");
	mlb_buf_release(&full);
	return rc;
}

/* What is no data of the project: itself, and what git and mlbuild keep in it. */
static int
check_ours(const char *path, struct mlb_err *err)
{
	static const char *const own[] = { ".git", ".mlbuild", "mlbuild.ini", "mlbuild.lock" };

	if (path[0] == '\0')
		return mlb_err_set(err, MLB_EINVALID,
				   "'.' is the project itself: name the data that is in it");
	for (size_t i = 0; i < MLB_ARRAY_LEN(own); i++)
		if (strcmp(path, own[i]) == 0 || mlb_path_inside(path, own[i]))
			return mlb_err_set(err, MLB_EINVALID,
					   "'%s' cannot be a dataset: '%s' is no data", path,
					   own[i]);
	return 0;
}

static int
check_outputs(const struct mlb_graph *g, const char *path, struct mlb_err *err)
{
	for (uint32_t n = 0; n < g->n_nodes; n++)
		for (uint32_t i = 0; i < g->node[n].out.n; i++) {
			const char *out = mlb_g_path(g, g->output[g->node[n].out.first + i].path);
			bool in = mlb_path_inside(path, out), above = mlb_path_inside(out, path);

			if (g->node[n].flags & MLB_G_SOURCE || (!in && !above))
				continue;
			return mlb_err_set(
				err, MLB_EINVALID,
				"'%s' %s '%s', an output of '%s': commands read it as ${%s}", path,
				strcmp(path, out) == 0 ? "is"
				: in                   ? "lies inside"
						       : "holds",
				out, mlb_g_str(g, g->node[n].name), mlb_g_str(g, g->node[n].base));
		}
	return 0;
}

/* What would make a good project a broken one is refused; one that is broken already may be lacking just this dataset. */
static int
check_result(struct mlb_project *p, const char *path, const struct mlb_buf *ini,
	     struct mlb_err *err)
{
	struct mlb_compile before = { p->root, NULL, p->config, NULL },
			   after = { p->root, NULL, NULL, NULL };
	struct mlb_graph *g = NULL, *made = NULL;
	struct mlb_config *config = NULL;
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_project_vcs(p, err);

	if (rc)
		return rc;
	before.vcs = after.vcs = p->vcs;
	if (mlb_graph_compile(&g, &before, NULL))
		return 0;
	rc = check_outputs(g, path, err);
	if (rc == 0 && (mlb_config_parse(&config, p->root, mlb_buf_str(ini), ini->len, &why) ||
			(after.config = config, mlb_graph_compile(&made, &after, &why))))
		rc = mlb_err_set(err, MLB_EINVALID, "with '%s' added the project is wrong: %s",
				 path, why.text);
	mlb_err_release(&why);
	mlb_config_free(config);
	mlb_graph_free(made);
	mlb_graph_free(g);
	return rc;
}

static int
append_section(struct mlb_project *p, const char *name, const char *path, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_INI);
	bool quote = strpbrk(path, " \t;#'\"") != NULL;
	char *ini = mlb_project_path(p, "mlbuild.ini");
	int rc = mlb_fs_read(&text, ini, err);

	if (rc == 0 && strpbrk(path, "\"\n\r$"))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'%s': such a name cannot be written in mlbuild.ini", path);
	if (rc == 0) {
		bool crlf = strstr(mlb_buf_str(&text), "\r\n") != NULL;
		const char *nl = crlf ? "\r\n" : "\n";

		if (text.len && text.data[text.len - 1] != '\n')
			mlb_buf_adds(&text, nl);
		mlb_buf_addf(&text, "%s[dataset %s]%spath = %s%s%s%s", nl, name, nl,
			     quote ? "\"" : "", path, quote ? "\"" : "", nl);
		rc = mlb_buf_check(&text, "mlbuild.ini", err);
	}
	if (rc == 0)
		rc = check_result(p, path, &text, err);
	if (rc == 0)
		rc = mlb_fs_rewrite(ini, mlb_buf_str(&text), text.len, true, err);
	free(ini);
	mlb_buf_release(&text);
	return rc;
}

int
mlb_add(struct mlb_project *p, const char *path, const char *name, char **note, struct mlb_err *err)
{
	struct mlb_buf rel = MLB_BUF_INIT(MAX_INI);
	char *made = NULL;
	int rc = mlb_project_config(p, err);

	if (rc == 0)
		rc = ini_path(p, path, &rel, err);
	if (rc == 0)
		rc = check_ours(mlb_buf_str(&rel), err);
	for (size_t i = 0; rc == 0 && i < p->config->target.n; i++) {
		const struct mlb_target *t = p->config->target.v[i];

		if (t->path.s && strcmp(t->path.s, mlb_buf_str(&rel)) == 0)
			rc = mlb_err_set(err, MLB_EEXISTS,
					 "'%s' is the path of '%s' already (%s:%u)",
					 mlb_buf_str(&rel), t->name, t->file, t->line);
	}
	if (rc == 0 && name && mlb_config_find(p->config, name))
		rc = mlb_err_set(err, MLB_EEXISTS, "there is a target '%s' already", name);
	if (rc == 0 && name && mlb_name_reserved(name))
		rc = mlb_err_set(
			err, MLB_EINVALID,
			"'%s' cannot be a name: ${%s} has a meaning of its own in references", name,
			name);
	if (rc == 0 && name &&
	    (strlen(name) > MAX_NAME ||
	     name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")]))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'%s' is no name: letters, digits, '_', '.' and '-', at most %d",
				 name, MAX_NAME);
	if (rc == 0) {
		made = name ? mlb_strdup(name) : name_from_path(p->config, mlb_buf_str(&rel));
		rc = append_section(p, made, mlb_buf_str(&rel), err);
	}
	if (rc == 0)
		*note = mlb_asprintf(
			"added [dataset %s] with path %s to mlbuild.ini: commands read it as ${%s}",
			made, mlb_buf_str(&rel), made);
	free(made);
	mlb_buf_release(&rel);
	return rc;
}
