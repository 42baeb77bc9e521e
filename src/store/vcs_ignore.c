/*
 * What git ignores.  libgit2's own answer differs from git's where "!" is used,
 * so the rules are read here: of the .gitignore files, the deepest first, then
 * of info/exclude, then of core.excludesFile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

#define RULES_MAX (16 * MLB_MIB)

static struct mlb_git_rules *
rules_new(char *file, const char *dir)
{
	struct mlb_git_rules *r = mlb_calloc(1, sizeof(*r));

	r->file = file;
	r->dir = mlb_strdup(dir);
	return r;
}

static void
rules_free(struct mlb_git_rules *r)
{
	if (!r)
		return;
	mlb_ignore_release(&r->list);
	free(r->file);
	free(r->dir);
	free(r);
}

static char *
excludes_file(struct mlb_vcs *v)
{
	git_buf path = { NULL, 0, 0 };
	git_config *config = NULL;
	const char *config_home = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *file = NULL;

	if (v->git.repository_config(&config, v->repo) == 0) {
		if (v->git.config_get_path(&path, config, "core.excludesfile") == 0)
			file = mlb_strdup(path.ptr);
		v->git.config_free(config);
	}
	v->git.buf_dispose(&path);
	if (!file && config_home && config_home[0])
		file = mlb_asprintf("%s/git/ignore", config_home);
	else if (!file && home)
		file = mlb_asprintf("%s/.config/git/ignore", home);
	return file ? file : mlb_strdup("/dev/null");
}

void
mlb_git_rules_open(struct mlb_vcs *v)
{
	git_buf info = { NULL, 0, 0 };

	v->global = rules_new(excludes_file(v), "");
	if (v->git.repository_item_path(&info, v->repo, GIT_REPOSITORY_ITEM_INFO) == 0)
		v->exclude = rules_new(mlb_asprintf("%s/exclude", info.ptr), "");
	v->git.buf_dispose(&info);
}

void
mlb_git_rules_close(struct mlb_vcs *v)
{
	for (uint32_t i = 0; i < v->rules.n; i++)
		rules_free(v->rules.entry[i].u.ptr);
	mlb_strmap_release(&v->rules);
	rules_free(v->exclude);
	rules_free(v->global);
}

/* Read the file again if it is not as it was. A link is not followed, as in git. */
static void
refresh(struct mlb_vcs *v, struct mlb_git_rules *r)
{
	struct mlb_buf text = MLB_BUF_INIT(RULES_MAX);
	struct mlb_stat st;

	if (r->checked == v->look)
		return;
	r->checked = v->look;
	if (mlb_fs_lstat(&st, r->file, NULL) < 0)
		memset(&st, 0, sizeof(st));
	if (st.type == MLB_F_SYMLINK && r->dir[0] == '\0' && (r == v->global || r == v->exclude))
		mlb_fs_stat(&st, r->file, NULL);
	if (mlb_stat_same(&st, &r->st))
		return;
	r->st = st;
	mlb_ignore_release(&r->list);
	if (st.type == MLB_F_FILE && mlb_fs_read(&text, r->file, NULL) == 0)
		mlb_ignore_parse(&r->list, mlb_buf_str(&text), text.len);
	mlb_buf_release(&text);
}

/* The rules of a directory's .gitignore; len bytes of path are the directory, with its slash. */
static struct mlb_git_rules *
rules_of(struct mlb_vcs *v, const char *path, size_t len)
{
	struct mlb_strmap_entry *e = mlb_strmap_find(&v->rules, path, len);
	struct mlb_git_rules *r;

	if (e)
		return e->u.ptr;
	r = rules_new(mlb_asprintf("%s/%.*s.gitignore", v->workdir, (int)len, path), "");
	free(r->dir);
	r->dir = mlb_strndup(path, len);
	mlb_strmap_add(&v->rules, r->dir, len, NULL)->u.ptr = r;
	return r;
}

static enum mlb_ignore_answer
ask(struct mlb_vcs *v, struct mlb_git_rules *r, const char *path, bool is_dir)
{
	if (!r)
		return MLB_IGNORE_SILENT;
	refresh(v, r);
	return mlb_ignore_match(&r->list, path + strlen(r->dir), is_dir);
}

bool
mlb_git_rules_ignore(struct mlb_vcs *v, const char *path, bool is_dir)
{
	const char *end = strrchr(path, '/');
	size_t len = end ? (size_t)(end - path) + 1 : 0;
	enum mlb_ignore_answer answer;

	for (;;) {
		answer = ask(v, rules_of(v, path, len), path, is_dir);
		if (answer != MLB_IGNORE_SILENT || len == 0)
			break;
		for (len--; len > 0 && path[len - 1] != '/';)
			len--;
	}
	if (answer == MLB_IGNORE_SILENT)
		answer = ask(v, v->exclude, path, is_dir);
	if (answer == MLB_IGNORE_SILENT)
		answer = ask(v, v->global, path, is_dir);
	return answer == MLB_IGNORE_OUT;
}

static bool
is_dir_on_disk(const struct mlb_vcs *v, const char *path)
{
	char *full = mlb_asprintf("%s/%s", v->workdir, path);
	struct mlb_stat st;
	bool is_dir = mlb_fs_lstat(&st, full, NULL) == 0 && st.type == MLB_F_DIR;

	free(full);
	return is_dir;
}

bool
mlb_git_ignored(struct mlb_vcs *v, const char *path)
{
	size_t len = strlen(path);
	bool slash = len && path[len - 1] == '/';
	char *part = mlb_strndup(path, slash ? len - 1 : len);
	bool ignored = false;

	v->look++;
	if (part[0] && !mlb_git_is_tracked(v, part)) {
		for (char *s = strchr(part, '/'); s && !ignored; s = strchr(s + 1, '/')) {
			*s = '\0';
			ignored = mlb_git_rules_ignore(v, part, true);
			*s = '/';
		}
		if (!ignored)
			ignored = mlb_git_rules_ignore(v, part, slash || is_dir_on_disk(v, part));
	}
	free(part);
	return ignored;
}
