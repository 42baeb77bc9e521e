/*
 * Hooks of git that run "mlbuild checkout": after a checkout or switch, a merge, a
 * rebase.  Each is one marked block in git's hook, for one project; all else in
 * that file is its owner's.  The block stands first, since a hook may end early,
 * and never fails, since git would fail with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "engine/project.h"
#include "os/fs.h"
#include "os/path.h"

enum { MAX_HOOK = 16 << 20 };

/* A hook, and what says in it that the lock is another one than before. */
static const struct {
	const char *name;
	const char *when;
} hooks[] = {
	/* $3: 1 for a branch or commit, 0 for single files. A rebase switches first, and is not over then. */
	{ "post-checkout",
	  "[ \"$3\" = 1 ] && ! git diff --quiet \"$1\" \"$2\" -- \"$lock\" 2>/dev/null &&\n"
	  "\t\t! [ -d \"$(git rev-parse --git-path rebase-merge)\" ]" },
	{ "post-merge", "! git diff --quiet ORIG_HEAD -- \"$lock\" 2>/dev/null" },
	{ "post-rewrite", "[ \"$1\" = rebase ]" },
};

struct hook {
	struct mlb_project *p;
	const char *name, *when;
	char *path;
	struct mlb_buf block, text; /* ours; the file's */
	char *begin, *end;          /* the marks */
};

static void
make_block(struct hook *h)
{
	const char *prefix = mlb_vcs_prefix(h->p->vcs);
	struct mlb_buf dir = MLB_BUF_INIT(MAX_HOOK), lock = MLB_BUF_INIT(MAX_HOOK);
	char *text = mlb_asprintf("./%s", prefix);

	mlb_add_shell_word(&dir, text);
	free(text);
	text = mlb_asprintf("%smlbuild.lock", prefix);
	mlb_add_shell_word(&lock, text);
	free(text);
	h->begin = mlb_asprintf("# >>> mlbuild checkout in %s >>>\n", mlb_buf_str(&dir));
	h->end = mlb_asprintf("# <<< mlbuild checkout in %s <<<\n", mlb_buf_str(&dir));
	mlb_buf_addf(&h->block,
		     "%s"
		     "# By 'mlbuild init --hooks'. Remove these lines to be rid of it.\n"
		     "(\n"
		     "\tlock=%s\n"
		     "\tif [ -f \"$lock\" ] && command -v mlbuild >/dev/null 2>&1 &&\n"
		     "\t\t%s; then\n"
		     "\t\tcd %s && mlbuild checkout --quiet\n"
		     "\tfi\n"
		     ") </dev/null || :\n"
		     "%s",
		     h->begin, mlb_buf_str(&lock), h->when, mlb_buf_str(&dir), h->end);
	mlb_buf_release(&lock);
	mlb_buf_release(&dir);
}

/* Whether a shell would run the file: "#!/bin/sh", "#!/usr/bin/env bash -e", or no such line. */
static bool
is_shell(const char *text)
{
	static const char *const shells[] = { "sh", "bash", "dash", "ksh", "zsh", "ash" };
	bool is = strncmp(text, "#!", 2) != 0;

	for (text += is ? 0 : 2; !is && *text && *text != '\n';) {
		size_t len = strcspn(text, " \t\r\n");
		char *word = mlb_strndup(text, len);

		for (size_t i = 0; i < MLB_ARRAY_LEN(shells) && !is; i++)
			is = strcmp(mlb_path_base(word), shells[i]) == 0;
		free(word);
		text += len;
		text += strspn(text, " \t\r");
	}
	return is;
}

/* ---------------------------------------------------------- changing it */

static int
explain(const struct hook *h, const char *why, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_EEXISTS,
			   "'%s' %s: it is left as it is; put this into it yourself:\n%s", h->path,
			   why, mlb_buf_str(&h->block));
}

/* The file with our block in it, in the place of the one before if there is one; false: nothing to do. */
static bool
merge(struct hook *h, struct mlb_buf *out)
{
	const char *text = mlb_buf_str(&h->text), *begin = strstr(text, h->begin);
	const char *end = begin ? strstr(begin, h->end) : NULL;

	if (begin && end) {
		size_t len = (size_t)(end - begin) + strlen(h->end);

		if (len == h->block.len && memcmp(begin, mlb_buf_str(&h->block), len) == 0)
			return false;
		mlb_buf_add(out, text, (size_t)(begin - text));
		mlb_buf_add(out, mlb_buf_str(&h->block), h->block.len);
		mlb_buf_adds(out, begin + len);
		return true;
	}
	if (strncmp(text, "#!", 2) == 0) {
		size_t len = strcspn(text, "\n");

		mlb_buf_add(out, text, len);
		mlb_buf_addc(out, '\n');
		text += len + (text[len] == '\n');
	} else {
		mlb_buf_adds(out, "#!/bin/sh\n");
	}
	mlb_buf_add(out, mlb_buf_str(&h->block), h->block.len);
	mlb_buf_adds(out, text);
	return true;
}

static int
write_hook(const struct hook *h, const struct mlb_buf *text, struct mlb_err *err)
{
	int rc = mlb_fs_mkparents(h->path, err);

	if (rc == 0)
		rc = mlb_fs_write(h->path, mlb_buf_str(text), text->len, true, err);
	return rc;
}

/* Its permissions stay; a new one may be run by whoever may read it. */
static int
set_mode(const struct hook *h, const struct stat *before, struct mlb_err *err)
{
	struct stat st;
	mode_t mode;

	if (stat(h->path, &st) < 0)
		return mlb_err_errno(err, errno, "cannot read '%s'", h->path);
	mode = st.st_mode & 0777;
	mode = before ? before->st_mode & 07777 : mode | (mode & 0444) >> 2;
	if (chmod(h->path, mode) < 0)
		return mlb_err_errno(err, errno, "cannot make '%s' a program", h->path);
	return 0;
}

static int
install(struct hook *h, struct mlb_buf *note, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_HOOK);
	struct stat st;
	bool there = lstat(h->path, &st) == 0;
	int rc = 0;

	if (there && !S_ISREG(st.st_mode))
		return explain(h, "is no file of its own", err);
	if (there && !(st.st_mode & S_IXUSR))
		return explain(h, "is no program, so git does not run it", err);
	if (there)
		rc = mlb_fs_read(&h->text, h->path, err);
	if (rc == 0 && !is_shell(mlb_buf_str(&h->text)))
		return explain(h, "is no shell script", err);
	if (rc == 0 && !merge(h, &text)) {
		mlb_buf_addf(note, "'%s' is as it should be\n", h->path);
	} else if (rc == 0) {
		rc = mlb_buf_check(&text, h->path, err);
		if (rc == 0)
			rc = write_hook(h, &text, err);
		if (rc == 0)
			rc = set_mode(h, there ? &st : NULL, err);
		mlb_buf_addf(note, "%s '%s'\n", there ? "added to" : "wrote", h->path);
	}
	mlb_buf_release(&text);
	return rc;
}

static int
install_one(struct mlb_project *p, const char *dir, bool is_own, size_t i, struct mlb_buf *note,
	    struct mlb_err *err)
{
	struct hook h = { .p = p,
			  .name = hooks[i].name,
			  .when = hooks[i].when,
			  .path = mlb_asprintf("%s/%s", dir, hooks[i].name),
			  .block = MLB_BUF_INIT(MAX_HOOK),
			  .text = MLB_BUF_INIT(MAX_HOOK) };
	int rc;

	make_block(&h);
	/* A directory for all repositories of the user is not this project's to write to. */
	rc = is_own ? install(&h, note, err)
		    : explain(&h, "is for all repositories (core.hooksPath)", err);
	mlb_buf_release(&h.block);
	mlb_buf_release(&h.text);
	free(h.begin);
	free(h.end);
	free(h.path);
	return rc;
}

int
mlb_install_hooks(struct mlb_project *p, char **note, struct mlb_err *err)
{
	struct mlb_buf said = MLB_BUF_INIT(MAX_HOOK);
	bool is_own = true;
	char *dir = NULL;
	int rc = mlb_project_vcs(p, err);

	if (rc == 0 && !p->vcs)
		rc = mlb_err_set(err, MLB_EINVALID, "there is no git that would run hooks: %s",
				 p->vcs_why);
	if (rc == 0)
		dir = mlb_vcs_hooks(p->vcs, &is_own);
	for (size_t i = 0; i < MLB_ARRAY_LEN(hooks) && rc == 0; i++)
		rc = install_one(p, dir, is_own, i, &said, err);
	if (said.len)
		mlb_buf_truncate(&said, said.len - 1);
	*note = said.len ? mlb_buf_detach(&said) : NULL;
	mlb_buf_release(&said);
	free(dir);
	return rc;
}
