/*
 * The index.  libgit2 1.5 cannot read it where git keeps it in a form of its own:
 * sparse ("sdir"), with directories for what is skipped, or split ("link").  Then
 * git itself lists it, into an index in memory, which knows no file's stat.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

#define LISTING_MAX (4 * (size_t)1024 * MLB_MIB)

/* An entry of git ls-files -t -s -z: "T MODE ID STAGE\tPATH". */
static bool
parse_entry(struct mlb_vcs *v, char *line, git_index_entry *e)
{
	char *tab = strchr(line, '\t'), *id, *end;
	unsigned long mode;

	if (!tab || line[1] != ' ')
		return false;
	*tab = '\0';
	mode = strtoul(line + 2, &id, 8);
	if (*id++ != ' ' || strlen(id) != MLB_OID_HEX + 2)
		return false;
	end = id + MLB_OID_HEX;
	*end++ = '\0';
	memset(e, 0, sizeof(*e));
	e->mode = (uint32_t)mode;
	e->path = tab + 1;
	e->flags = (uint16_t)((end[0] - '0') << GIT_INDEX_ENTRY_STAGESHIFT);
	if (line[0] == 'S')
		e->flags_extended = GIT_INDEX_ENTRY_SKIP_WORKTREE;
	return v->git.oid_fromstr(&e->id, id) == 0;
}

/* Fill an index in memory with what git says. */
static int
fill(struct mlb_vcs *v, struct mlb_err *err)
{
	static const char *const args[] = { "ls-files", "-t", "-s", "-z", NULL };
	struct mlb_buf out = MLB_BUF_INIT(LISTING_MAX);
	git_index *index = NULL;
	git_index_entry e;
	char *text = NULL;
	size_t len = 0;
	int rc = mlb_git_program(v, args, &out, err);

	if (rc == 0 && v->git.index_new(&index) < 0)
		rc = mlb_git_fail(v, err, MLB_ESYSTEM, "cannot make an index");
	if (rc == 0) {
		len = out.len;
		text = mlb_buf_detach(&out);
	}
	for (char *line = text; rc == 0 && line < text + len;) {
		char *next = line + strlen(line) + 1;

		if (!parse_entry(v, line, &e) || v->git.index_add(index, &e) < 0)
			rc = mlb_err_set(err, MLB_EINVALID,
					 "'git ls-files' says what cannot be understood");
		line = next;
	}
	/* The repository looks for attributes in it too. */
	if (rc == 0 && v->git.repository_set_index(v->repo, index) < 0)
		rc = mlb_git_fail(v, err, MLB_ESYSTEM, "cannot use an index");
	if (rc == 0) {
		v->git.index_free(v->index);
		v->index = index;
	} else {
		v->git.index_free(index);
	}
	free(text);
	mlb_buf_release(&out);
	return rc;
}

/* The index's file, by its stat as of now. */
static void
stat_now(const struct mlb_vcs *v, struct mlb_stat *out)
{
	memset(out, 0, sizeof(*out));
	mlb_fs_lstat(out, v->index_file, NULL);
}

static int
open_listed(struct mlb_vcs *v, struct mlb_err *err)
{
	struct mlb_err why = MLB_ERR_INIT;
	const git_error *last = v->git.error_last();
	char *says = mlb_strdup(last && last->message ? last->message : "?");
	int rc = 0;

	stat_now(v, &v->index_stat);
	v->is_listed = true;
	if (fill(v, &why))
		rc = mlb_err_set(err, MLB_EINVALID, "cannot read the index of '%s': %s", v->workdir,
				 strstr(says, "extension") ? why.text : says);
	mlb_err_release(&why);
	free(says);
	return rc;
}

int
mlb_git_index_open(struct mlb_vcs *v, const char *other, struct mlb_err *err)
{
	int rc = other ? v->git.index_open(&v->index, other)
		       : v->git.repository_index(&v->index, v->repo);

	v->index_file = other ? mlb_strdup(other)
			      : mlb_asprintf("%sindex", v->git.repository_path(v->repo));
	return rc < 0 ? open_listed(v, err) : 0;
}

int
mlb_git_index_refresh(struct mlb_vcs *v, struct mlb_err *err)
{
	struct mlb_stat now;

	/* It may have become one that libgit2 does not know. */
	if (!v->is_listed)
		return v->git.index_read(v->index, 0) < 0 ? open_listed(v, err) : 0;
	stat_now(v, &now);
	if (mlb_stat_same(&now, &v->index_stat))
		return 0;
	v->index_stat = now;
	return fill(v, err);
}

void
mlb_vcs_conflicts(struct mlb_vcs *v, struct mlb_strvec *out)
{
	size_t prefix = strlen(v->prefix);

	for (size_t i = 0; i < v->git.index_entrycount(v->index); i++) {
		const git_index_entry *e = v->git.index_get_byindex(v->index, i);

		if ((e->flags & GIT_INDEX_ENTRY_STAGEMASK) &&
		    strncmp(e->path, v->prefix, prefix) == 0 &&
		    (!out->n || strcmp(out->v[out->n - 1], e->path + prefix) != 0))
			mlb_strvec_push(out, e->path + prefix);
	}
}

bool
mlb_git_is_skipped(struct mlb_vcs *v, const char *path)
{
	const git_index_entry *e = v->git.index_get_bypath(v->index, path, 0);

	return e && e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE;
}
