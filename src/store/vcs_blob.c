/* The bytes of a commit's files: as git has them, and as its checkout would write them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/io.h"
#include "store/vcs_git.h"

/* A partial clone has a blob only once git was asked for it. */
static int
fetch(struct mlb_vcs *v, const char *hex, struct mlb_buf *out, struct mlb_err *err)
{
	const char *const args[] = { "cat-file", "blob", hex, NULL };
	struct mlb_err why = MLB_ERR_INIT;
	int rc = mlb_git_program(v, args, out, &why);

	if (rc)
		mlb_err_set(err, MLB_ESYSTEM, "git does not have the blob '%s': %s", hex, why.text);
	mlb_err_release(&why);
	return rc;
}

int
mlb_git_blob(struct mlb_vcs *v, const git_oid *id, struct mlb_buf *out, struct mlb_err *err)
{
	char hex[MLB_OID_HEX + 1];
	git_blob *blob;

	v->git.oid_tostr(hex, sizeof(hex), id);
	if (v->git.blob_lookup(&blob, v->repo, id) < 0)
		return fetch(v, hex, out, err);
	mlb_buf_add(out, v->git.blob_rawcontent(blob), (size_t)v->git.blob_rawsize(blob));
	v->git.blob_free(blob);
	return mlb_buf_check(out, hex, err);
}

static int
parse_id(struct mlb_vcs *v, const char *id, git_oid *out, struct mlb_err *err)
{
	if (strlen(id) != MLB_OID_HEX || v->git.oid_fromstr(out, id) < 0)
		return mlb_err_set(err, MLB_EINVALID, "'%s' is no id of git's", id);
	return 0;
}

static int
size_of_absent(struct mlb_vcs *v, const git_oid *id, size_t *len, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(SIZE_MAX / 2);
	int rc = mlb_git_blob(v, id, &text, err);

	*len = text.len;
	mlb_buf_release(&text);
	return rc;
}

int
mlb_vcs_blob_size(struct mlb_vcs *v, const char *id, uint64_t *size, struct mlb_err *err)
{
	git_odb *odb = NULL;
	git_object_t kind;
	size_t len = 0;
	git_oid oid;
	int rc = parse_id(v, id, &oid, err);

	if (rc)
		return rc;
	if (v->git.repository_odb(&odb, v->repo) < 0)
		rc = mlb_git_fail(v, err, MLB_ESYSTEM, "cannot read '%s'",
				  v->git.repository_path(v->repo));
	else if (v->git.odb_read_header(&len, &kind, odb, &oid) < 0)
		rc = size_of_absent(v, &oid, &len, err);
	if (odb)
		v->git.odb_free(odb);
	*size = len;
	return rc;
}

int
mlb_vcs_blob_read(struct mlb_vcs *v, const char *id, struct mlb_buf *out, struct mlb_err *err)
{
	git_oid oid;
	int rc = parse_id(v, id, &oid, err);

	return rc ? rc : mlb_git_blob(v, &oid, out, err);
}

/* ------------------------------------------------------------ Git LFS */

/*
 * A pointer, as Git LFS writes it (its docs/spec.md): "version URL", then keys in
 * order of the alphabet, "oid sha256:HEX" and "size N" among them; below 1 KiB.
 */
static bool
parse_pointer(struct mlb_vcs_written *out, const struct mlb_buf *text)
{
	static const char version[] = "version https://git-lfs.github.com/spec/v1\n";
	static const char oid[] = "\noid sha256:", size[] = "\nsize ";
	const char *s = mlb_buf_str(text), *at = strstr(s, oid), *n = strstr(s, size);
	char *end;

	if (text->len >= 1024 || strncmp(s, version, sizeof(version) - 1) != 0 || !at || !n)
		return false;
	at += sizeof(oid) - 1;
	n += sizeof(size) - 1;
	if (strspn(at, "0123456789abcdef") != 64 || at[64] != '\n' || n[0] < '0' || n[0] > '9')
		return false;
	errno = 0;
	out->lfs_size = strtoull(n, &end, 10);
	if (errno || *end != '\n')
		return false;
	memcpy(out->lfs_digest, at, 64);
	out->lfs_digest[64] = '\0';
	return true;
}

/* ------------------------------------------------------------ to the disk */

static int
write_file(const char *to, const struct mlb_buf *text, unsigned mode, struct mlb_err *err)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int e = fd < 0 ? errno : mlb_io_write_all(&mlb_io_os, fd, mlb_buf_str(text), text->len);

	if (fd >= 0 && close(fd) < 0 && !e)
		e = errno;
	if (e && fd >= 0)
		unlink(to);
	return e ? mlb_err_errno(err, e, "cannot write '%s'", to) : 0;
}

static int
write_link(const char *to, const struct mlb_buf *text, struct mlb_err *err)
{
	if (symlink(mlb_buf_str(text), to) < 0)
		return mlb_err_errno(err, errno, "cannot make the link '%s'", to);
	return 0;
}

/* A file's bytes as they shall be on disk; out->is_lfs where they are elsewhere. */
static int
convert(struct mlb_vcs *v, const char *rev, const struct mlb_vcs_entry *e, struct mlb_buf *text,
	struct mlb_vcs_written *out, struct mlb_err *err)
{
	const char *path = mlb_git_path(v, e->path), *filter;
	git_object *commit;
	int rc = mlb_git_peel(v, rev, GIT_OBJECT_COMMIT, &commit, err);

	if (rc)
		return rc;
	filter = mlb_git_attribute(v, v->git.object_id(commit), path, "filter");
	out->is_lfs = filter && strcmp(filter, "lfs") == 0 && parse_pointer(out, text);
	out->is_unfiltered = !out->is_lfs &&
			     mlb_git_needs_program(v, v->git.object_id(commit), path, "smudge");
	if (!out->is_lfs)
		rc = mlb_git_checkout_text(v, v->git.object_id(commit), path, text, err);
	v->git.object_free(commit);
	return rc;
}

int
mlb_vcs_blob_write(struct mlb_vcs *v, const char *rev, const struct mlb_vcs_entry *e,
		   const char *to, struct mlb_vcs_written *out, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(SIZE_MAX / 2);
	int rc;

	memset(out, 0, sizeof(*out));
	if (e->kind == MLB_VCS_SUBMODULE)
		return mlb_err_set(err, MLB_EINVALID, "'%s' is a submodule, not a file", e->path);
	rc = mlb_vcs_blob_read(v, e->id, &text, err);
	if (rc == 0 && e->kind == MLB_VCS_LINK)
		rc = write_link(to, &text, err);
	else if (rc == 0)
		rc = convert(v, rev, e, &text, out, err);
	if (rc == 0 && e->kind != MLB_VCS_LINK && !out->is_lfs)
		rc = write_file(to, &text, e->kind == MLB_VCS_EXEC ? 0777 : 0666, err);
	mlb_buf_release(&text);
	return rc;
}
