/*
 * Git, by libgit2, which is loaded by dlopen at the first mlb_vcs_open: the one
 * file that includes git2.h is vcs_git.h. All paths are relative to the project
 * directory, which may be below the repository's root. One thread at a time.
 */
#ifndef STORE_VCS_H
#define STORE_VCS_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#define MLB_OID_HEX 40

struct mlb_vcs;

/*
 * *out is NULL (and the result 0) where the project is in no work tree of a
 * repository that libgit2 can read; `why` then says so. A repository of
 * another user that is not trusted is an error. GIT_DIR, GIT_WORK_TREE and
 * GIT_INDEX_FILE are heeded where they name a repository around the project.
 */
int mlb_vcs_open(struct mlb_vcs **out, const char *project_dir, struct mlb_buf *why,
		 struct mlb_err *err);
void mlb_vcs_close(struct mlb_vcs *v);

const char *mlb_vcs_workdir(const struct mlb_vcs *v); /* absolute root of the work tree; borrowed */
bool mlb_vcs_tracked(struct mlb_vcs *v, const char *path); /* in the index, or something below it */
bool mlb_vcs_has_below(struct mlb_vcs *v, const char *path); /* it is a directory of which something is in the index */
bool mlb_vcs_ignored(struct mlb_vcs *v, const char *path); /* not tracked, and ignored by git's rules */
bool mlb_vcs_skipped(struct mlb_vcs *v, const char *path); /* tracked, and left out of a sparse work tree */

void mlb_vcs_conflicts(struct mlb_vcs *v, struct mlb_strvec *out); /* what a merge has left unsettled, appended */

/*
 * Files and links below dir ("." for all) that git tracks or would add, sorted,
 * appended to out: those of git ls-files -co --exclude-standard that are on
 * disk. Nothing of submodules and other repositories inside.
 */
int mlb_vcs_files(struct mlb_vcs *v, const char *dir, struct mlb_strvec *out, struct mlb_err *err);

/* All that the index has below dir, whether it is on disk or not: relative to dir, sorted, appended to out. */
void mlb_vcs_below(struct mlb_vcs *v, const char *dir, struct mlb_strvec *out);

/* HEAD's commit id; "" for a repository without a commit. */
int mlb_vcs_head(struct mlb_vcs *v, char out[MLB_OID_HEX + 1], struct mlb_err *err);

/* ------------------------------------------------------------ pins and experiments */

/* A file whose text the caller gives, instead of the disk: a variant's lock or parameters. */
struct mlb_pin_file {
	const char *path; /* of the project */
	const char *text; /* as it would be on disk: git's filters are applied; NULL: absent */
	size_t len;
};

/* What mlb_vcs_pin makes; all is borrowed, and zero bytes are a good start. */
struct mlb_pin_spec {
	const char *const *path; /* compared with HEAD; a directory stands for its files */
	size_t n;
	const struct mlb_pin_file
		*file; /* compared too, by the text given; they win over path and also */
	size_t n_file;
	const char *also; /* one more path that a snapshot holds, but none is made for; NULL: none */
	const struct mlb_pin_file *also_file; /* the same with a text that is given; NULL: none */
	const char *subject;  /* first line of the message; NULL: MLB_PIN_SUBJECT */
	const char *trailers; /* its last paragraph, lines "Name: value"; NULL: none */
	const char *refs;     /* what its reference begins with; NULL: MLB_PINS */
	bool always;          /* make a commit even where all equals HEAD */
	const char *tree;     /* id of a commit whose tree takes the place of HEAD's; NULL: HEAD's */
	const char *parent;   /* with tree: id of the commit that takes HEAD's; "": none */
};

#define MLB_PIN_SUBJECT "mlbuild snapshot"
#define MLB_PINS "refs/mlbuild/pins/"
#define MLB_EXPERIMENTS "refs/mlbuild/experiments/"

/*
 * The commit that stands for the present content of these paths: HEAD if each
 * of them is in HEAD with the bytes on disk (filters such as CRLF applied),
 * else a snapshot commit: parent HEAD, HEAD's tree overlaid with the files on
 * disk (absent ones removed; ignored ones, those above 1 MiB and those of other
 * repositories inside are left out: a snapshot never holds bytes that were not
 * there) and with the files given, whatever they are. Author and times are those
 * of HEAD, or fixed where there is no commit, so that equal content gives the
 * same id. It is written to the object database, with the reference
 * spec->refs followed by its id; index, work tree and branches stay as they are.
 */
int mlb_vcs_pin(struct mlb_vcs *v, const struct mlb_pin_spec *spec, char out[MLB_OID_HEX + 1],
		struct mlb_err *err);

/* ------------------------------------------------------------ commits */

/* The commit that a revision (anything git understands; tags are peeled) is; MLB_ENOTFOUND, MLB_EINVALID. */
int mlb_vcs_resolve(struct mlb_vcs *v, const char *rev, char out[MLB_OID_HEX + 1],
		    struct mlb_err *err);

/* A commit; owned, release it. */
struct mlb_vcs_commit {
	char id[MLB_OID_HEX + 1];
	char parent[MLB_OID_HEX + 1]; /* the first; "" for none */
	unsigned n_parents;           /* in a shallow clone's last commit as in the full one */
	int64_t time;                 /* the author's, seconds since 1970 */
	int offset;                   /* of the author's clock, minutes east of UTC */
	char *author, *email;
	char *subject; /* the first paragraph of the message, in one line */
};

int mlb_vcs_commit_info(struct mlb_vcs *v, const char *rev, struct mlb_vcs_commit *out,
			struct mlb_err *err);
void mlb_vcs_commit_release(struct mlb_vcs_commit *c); /* of zero bytes too */

/* Append the whole message, trailers and all, to out. */
int mlb_vcs_message(struct mlb_vcs *v, const char *rev, struct mlb_buf *out, struct mlb_err *err);

/* ------------------------------------------------------------ a commit's files */

enum mlb_vcs_kind { MLB_VCS_FILE, MLB_VCS_EXEC, MLB_VCS_LINK, MLB_VCS_SUBMODULE };

struct mlb_vcs_entry {
	const char *path; /* of the project; borrowed for the call */
	enum mlb_vcs_kind kind;
	char id[MLB_OID_HEX + 1]; /* the blob's; a submodule's commit */
};

/* 0, or an error that ends the walk and is passed on. */
typedef int mlb_vcs_entry_fn(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err);

/*
 * Every file, link and submodule of rev below dir ("." for all) of the project's
 * directory, in git's order. A directory that rev has not is MLB_ENOTFOUND; with
 * "." it is an empty one.
 */
int mlb_vcs_tree_each(struct mlb_vcs *v, const char *rev, const char *dir, mlb_vcs_entry_fn *fn,
		      void *ctx, struct mlb_err *err);

/* The same of the directory alone, without what is in directories below. */
int mlb_vcs_dir_each(struct mlb_vcs *v, const char *rev, const char *dir, mlb_vcs_entry_fn *fn,
		     void *ctx, struct mlb_err *err);

/* Of a blob: its size, and its bytes as git has them, appended; a partial clone fetches it. */
int mlb_vcs_blob_size(struct mlb_vcs *v, const char *id, uint64_t *size, struct mlb_err *err);
int mlb_vcs_blob_read(struct mlb_vcs *v, const char *id, struct mlb_buf *out, struct mlb_err *err);

/* What became of a blob that was to be written. */
struct mlb_vcs_written {
	bool is_lfs; /* a pointer of Git LFS, and nothing was written: the bytes are elsewhere */
	char lfs_digest[65]; /* their SHA-256, which names them in the cache too; else "" */
	uint64_t lfs_size;
	bool is_unfiltered; /* written, but a filter of .gitattributes that git would run was not */
};

/*
 * Write a file or link of rev to the path `to` of the disk, of which nothing is
 * there, as git's checkout would: line ends, and encodings, by the .gitattributes
 * of rev and the configuration; a file with mode 0644 or 0755 less the umask. A submodule is an error.
 */
int mlb_vcs_blob_write(struct mlb_vcs *v, const char *rev, const struct mlb_vcs_entry *e,
		       const char *to, struct mlb_vcs_written *out, struct mlb_err *err);

/* ------------------------------------------------------------ revisions and references */

/*
 * Whether git will have the bytes of this very file: it is tracked, and as it is in the
 * index, or small enough for a snapshot. Not of a link, nor of a directory.
 */
bool mlb_vcs_keeps(struct mlb_vcs *v, const char *path);

/* Append the content of path in revision rev (anything git understands); MLB_ENOTFOUND. */
int mlb_vcs_read(struct mlb_vcs *v, const char *rev, const char *path, struct mlb_buf *out,
		 struct mlb_err *err);

/*
 * The id of the blob that path is in rev, by which its content is known without being
 * read; "" where the commit has no such file. MLB_ENOTFOUND and MLB_EINVALID say that
 * rev is no commit.
 */
int mlb_vcs_file_id(struct mlb_vcs *v, const char *rev, const char *path,
		    char out[MLB_OID_HEX + 1], struct mlb_err *err);

/* Names of references that begin with this ("refs/tags/"), sorted, appended to out; some may lead nowhere. */
int mlb_vcs_refs(struct mlb_vcs *v, const char *prefix, struct mlb_strvec *out,
		 struct mlb_err *err);
int mlb_vcs_refs_but_pins(struct mlb_vcs *v, struct mlb_strvec *out, struct mlb_err *err);
/* Of their names and targets: where it is the same, no branch or tag has moved. */
int mlb_vcs_refs_digest(struct mlb_vcs *v, struct mlb_digest *out, struct mlb_err *err);
/* Remove references, of pins or experiments; absent is fine. Sorts the names. */
int mlb_vcs_drop_refs(struct mlb_vcs *v, struct mlb_strvec *names, struct mlb_err *err);
/* A new reference to a commit, by its id; MLB_EEXISTS. */
int mlb_vcs_add_ref(struct mlb_vcs *v, const char *name, const char *id, struct mlb_err *err);

/* The directory of git's hooks, absolute, owned by the caller; own: it is this repository's, not all the user's. */
char *mlb_vcs_hooks(struct mlb_vcs *v, bool *is_own);
const char *mlb_vcs_prefix(const struct mlb_vcs *v); /* the project below the work tree: "" or "sub/dir/"; borrowed */

/*
 * Of a repository that libgit2 cannot open: what the file, of the project's directory,
 * says in the commits of branches, tags and work trees, each text once. By the program
 * git; fails where that cannot read the repository either.
 */
typedef int mlb_vcs_text_fn(void *ctx, const char *text, size_t len, struct mlb_err *err);
int mlb_vcs_foreign_each(const char *project_dir, const char *file, mlb_vcs_text_fn *fn, void *ctx,
			 struct mlb_err *err);

/* Do other work trees, or other projects (the file, tracked elsewhere), share the repository? */
bool mlb_vcs_is_shared(struct mlb_vcs *v, const char *file);

/* Is there something of git at or above this directory, whether it can be read or not? */
bool mlb_vcs_near(const char *project_dir);

#endif
