/*
 * What git does to a file on its way between the disk and a blob.  libgit2 converts
 * line ends and "ident"; programs (Git LFS is one) and encodings are left to git.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

/* Whether filter.NAME.clean (or .smudge, as `way` says) or filter.NAME.process is set. */
static bool
has_program(struct mlb_vcs *v, const char *name, const char *way)
{
	const char *const what[] = { way, "process" };
	git_config *config;
	bool has = false;

	if (v->git.repository_config(&config, v->repo) < 0)
		return false;
	for (size_t i = 0; i < MLB_ARRAY_LEN(what) && !has; i++) {
		char *key = mlb_asprintf("filter.%s.%s", name, what[i]);
		git_buf value = { NULL, 0, 0 };

		has = v->git.config_get_string_buf(&value, config, key) == 0 && value.size;
		v->git.buf_dispose(&value);
		free(key);
	}
	v->git.config_free(config);
	return has;
}

/*
 * A file may have other attributes in another commit than in the work tree and the
 * index, and those would come first; a handle without them knows only the commit's.
 */
static int
open_bare(struct mlb_vcs *v)
{
	const char *path = v->git.repository_path(v->repo);
	git_index *nothing = NULL;
	int rc;

	if (v->bare)
		return 0;
	rc = v->git.repository_open_ext(&v->bare, path, GIT_REPOSITORY_OPEN_BARE, NULL);
	if (rc == 0)
		rc = v->git.index_new(&nothing);
	if (rc == 0)
		rc = v->git.repository_set_index(v->bare, nothing);
	v->git.index_free(nothing);
	if (rc < 0 && v->bare) {
		v->git.repository_free(v->bare);
		v->bare = NULL;
	}
	return rc;
}

const char *
mlb_git_attribute(struct mlb_vcs *v, const git_oid *commit, const char *path, const char *name)
{
	git_attr_options options = { .version = GIT_ATTR_OPTIONS_VERSION };
	const char *value = NULL;

	if (commit) {
		options.flags = GIT_ATTR_CHECK_INCLUDE_COMMIT;
		options.attr_commit_id = *commit;
		if (open_bare(v) < 0)
			return NULL;
	}
	if (v->git.attr_get_ext(&value, commit ? v->bare : v->repo, &options, path, name) < 0 ||
	    v->git.attr_value(value) != GIT_ATTR_VALUE_STRING)
		return NULL;
	return value;
}

bool
mlb_git_needs_program(struct mlb_vcs *v, const git_oid *commit, const char *path, const char *way)
{
	const char *filter = mlb_git_attribute(v, commit, path, "filter");

	return (filter && has_program(v, filter, way)) ||
	       mlb_git_attribute(v, commit, path, "working-tree-encoding");
}

int
mlb_git_checkout_text(struct mlb_vcs *v, const git_oid *commit, const char *path,
		      struct mlb_buf *text, struct mlb_err *err)
{
	git_filter_options options = { .version = GIT_FILTER_OPTIONS_VERSION,
				       .flags = GIT_FILTER_ATTRIBUTES_FROM_COMMIT |
						GIT_FILTER_ALLOW_UNSAFE };
	git_filter_list *filters = NULL;
	git_buf to = { NULL, 0, 0 };
	int rc = open_bare(v);

	options.attr_commit_id = *commit;
	if (rc == 0)
		rc = v->git.filter_list_load_ext(&filters, v->bare, NULL, path,
						 GIT_FILTER_TO_WORKTREE, &options);
	if (rc == 0 && filters)
		rc = v->git.filter_list_apply_to_buffer(&to, filters, mlb_buf_str(text), text->len);
	if (rc < 0) {
		rc = mlb_git_fail(v, err, MLB_ESYSTEM, "cannot convert '%s' as git would", path);
	} else if (filters) {
		mlb_buf_clear(text);
		mlb_buf_add(text, to.ptr, to.size);
		rc = mlb_buf_check(text, path, err);
	}
	v->git.filter_list_free(filters);
	v->git.buf_dispose(&to);
	return rc;
}

/* ------------------------------------------------------------ to a blob */

int
mlb_git_text_id(struct mlb_vcs *v, const char *path, const char *text, size_t len, bool write,
		git_oid *id)
{
	const struct mlb_git *g = &v->git;
	git_filter_list *filters = NULL;
	git_buf to = { NULL, 0, 0 };
	int rc = g->filter_list_load(&filters, v->repo, NULL, path, GIT_FILTER_TO_ODB,
				     GIT_FILTER_ALLOW_UNSAFE);

	if (rc == 0 && filters)
		rc = g->filter_list_apply_to_buffer(&to, filters, text, len);
	if (rc == 0 && write)
		rc = g->blob_create_from_buffer(id, v->repo, filters ? to.ptr : text,
						filters ? to.size : len);
	else if (rc == 0)
		rc = g->odb_hash(id, filters ? to.ptr : text, filters ? to.size : len,
				 GIT_OBJECT_BLOB);
	g->filter_list_free(filters);
	g->buf_dispose(&to);
	return rc;
}

/* git hash-object: it runs the filters that are programs. */
static int
hash_by_program(struct mlb_vcs *v, const char *path, bool write, git_oid *id)
{
	const char *const read[] = { "hash-object", "--", path, NULL };
	const char *const args[] = { "hash-object", "-w", "--", path, NULL };
	struct mlb_buf out = MLB_BUF_INIT(MLB_KIB);
	int rc = mlb_git_program(v, write ? args : read, &out, NULL);

	if (rc == 0 && out.len > MLB_OID_HEX)
		mlb_buf_truncate(&out, MLB_OID_HEX);
	rc = rc == 0 && out.len == MLB_OID_HEX ? v->git.oid_fromstr(id, mlb_buf_str(&out)) : -1;
	mlb_buf_release(&out);
	return rc;
}

int
mlb_git_file_id(struct mlb_vcs *v, const char *path, bool write, git_oid *id)
{
	if (mlb_git_needs_program(v, NULL, path, "clean"))
		return hash_by_program(v, path, write, id);
	if (write)
		return v->git.blob_create_from_workdir(id, v->repo, path);
	return v->git.repository_hashfile(id, v->repo, path, GIT_OBJECT_BLOB, NULL);
}
