/*
 * libgit2, loaded by dlopen: the one file that includes git2.h.  For the files
 * vcs*.c only.  Every function that they call is in the table below; its type
 * is the header's, so the compiler checks each call.
 */
#ifndef STORE_VCS_GIT_H
#define STORE_VCS_GIT_H

#include <git2.h>
#include <git2/sys/repository.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "os/fs.h"
#include "store/ignore.h"
#include "store/vcs.h"

#define MLB_GIT_FUNCTIONS(X)                                                                       \
	X(attr_get_ext)                                                                            \
	X(attr_value)                                                                              \
	X(blob_create_from_buffer)                                                                 \
	X(blob_create_from_workdir)                                                                \
	X(blob_free)                                                                               \
	X(blob_lookup)                                                                             \
	X(blob_rawcontent)                                                                         \
	X(blob_rawsize)                                                                            \
	X(buf_dispose)                                                                             \
	X(commit_author)                                                                           \
	X(commit_committer)                                                                        \
	X(commit_create_buffer)                                                                    \
	X(commit_free)                                                                             \
	X(commit_id)                                                                               \
	X(commit_lookup)                                                                           \
	X(commit_message)                                                                          \
	X(commit_parent_id)                                                                        \
	X(commit_parentcount)                                                                      \
	X(commit_summary)                                                                          \
	X(commit_time)                                                                             \
	X(commit_tree)                                                                             \
	X(commit_tree_id)                                                                          \
	X(config_add_file_ondisk)                                                                  \
	X(config_entry_free)                                                                       \
	X(config_free)                                                                             \
	X(config_get_bool)                                                                         \
	X(config_get_entry)                                                                        \
	X(config_get_path)                                                                         \
	X(config_get_string_buf)                                                                   \
	X(error_last)                                                                              \
	X(filter_list_apply_to_buffer)                                                             \
	X(filter_list_free)                                                                        \
	X(filter_list_load)                                                                        \
	X(filter_list_load_ext)                                                                    \
	X(index_add)                                                                               \
	X(index_entrycount)                                                                        \
	X(index_find)                                                                              \
	X(index_find_prefix)                                                                       \
	X(index_free)                                                                              \
	X(index_get_byindex)                                                                       \
	X(index_get_bypath)                                                                        \
	X(index_new)                                                                               \
	X(index_open)                                                                              \
	X(index_read)                                                                              \
	X(index_read_tree)                                                                         \
	X(index_write)                                                                             \
	X(libgit2_init)                                                                            \
	X(libgit2_opts)                                                                            \
	X(libgit2_shutdown)                                                                        \
	X(libgit2_version)                                                                         \
	X(object_free)                                                                             \
	X(object_id)                                                                               \
	X(object_lookup)                                                                           \
	X(object_peel)                                                                             \
	X(odb_free)                                                                                \
	X(odb_hash)                                                                                \
	X(odb_read_header)                                                                         \
	X(odb_write)                                                                               \
	X(oid_fromstr)                                                                             \
	X(oid_tostr)                                                                               \
	X(reference_create)                                                                        \
	X(reference_free)                                                                          \
	X(reference_name_to_id)                                                                    \
	X(reference_remove)                                                                        \
	X(repository_commondir)                                                                    \
	X(repository_config)                                                                       \
	X(repository_free)                                                                         \
	X(repository_hashfile)                                                                     \
	X(repository_index)                                                                        \
	X(repository_item_path)                                                                    \
	X(repository_odb)                                                                          \
	X(repository_open_ext)                                                                     \
	X(repository_path)                                                                         \
	X(repository_set_index)                                                                    \
	X(repository_set_workdir)                                                                  \
	X(repository_workdir)                                                                      \
	X(revparse_single)                                                                         \
	X(signature_free)                                                                          \
	X(signature_new)                                                                           \
	X(tree_create_updated)                                                                     \
	X(tree_entry_byname)                                                                       \
	X(tree_entry_bypath)                                                                       \
	X(tree_entry_filemode)                                                                     \
	X(tree_entry_free)                                                                         \
	X(tree_entry_id)                                                                           \
	X(tree_entry_name)                                                                         \
	X(tree_free)                                                                               \
	X(tree_lookup)                                                                             \
	X(tree_walk)

#define MLB_GIT_MEMBER(name) __typeof__(&git_##name) name; /* NOLINT(bugprone-macro-parentheses) */

/* The functions of libgit2, without "git_". */
struct mlb_git {
	void *library;
	MLB_GIT_FUNCTIONS(MLB_GIT_MEMBER)
};

/* false, and why, where libgit2 is not there; the library is initialised. */
bool mlb_git_load(struct mlb_git *g, struct mlb_buf *why);
void mlb_git_unload(struct mlb_git *g);

/* mlb_vcs_open; heed false: GIT_DIR and the like are not heeded. */
int mlb_vcs_open_by(struct mlb_vcs **out, const char *project_dir, bool heed, struct mlb_buf *why,
		    struct mlb_err *err);

/* The rules of one file. */
struct mlb_git_rules {
	char *file;         /* absolute */
	char *dir;          /* of the work tree, below which they are: "" or "a/b/" */
	struct mlb_stat st; /* as it was read */
	unsigned checked;   /* the look (struct mlb_vcs) at which that was still so */
	struct mlb_ignore list;
};

struct mlb_vcs {
	struct mlb_git git;
	git_repository *repo;
	git_repository *bare; /* the same without work tree and index, once it is needed */
	git_index *index;
	bool is_listed; /* the index is in memory, listed by git itself */
	char *index_file;
	struct mlb_stat index_stat;    /* its file's, when it was listed */
	bool heeds_env;                /* GIT_INDEX_FILE counts */
	char *workdir;                 /* absolute, without links and without a slash at the end */
	char *prefix;                  /* the project below it: "" or "sub/dir/" */
	struct mlb_buf path;           /* of mlb_git_path */
	bool trust_exec;               /* core.filemode */
	struct mlb_strmap rules;       /* struct mlb_git_rules by dir: the .gitignore files */
	struct mlb_git_rules *exclude; /* info/exclude */
	struct mlb_git_rules *global;  /* core.excludesFile */
	unsigned look;                 /* counts the occasions on which rules may have changed */
};

/* A path of the project as one of the repository; borrowed until the next call. "." is the project itself. */
const char *mlb_git_path(struct mlb_vcs *v, const char *path);

/* Set an error with libgit2's reason behind it. */
int mlb_git_fail(struct mlb_vcs *v, struct mlb_err *err, enum mlb_code code, const char *fmt, ...)
	MLB_PRINTF(4, 5);

/* Of the repository's path: neither it nor anything below is tracked, and git's rules ignore it. */
bool mlb_git_ignored(struct mlb_vcs *v, const char *path);

/* What the rules say of an entry whose directory is not ignored; within one look no rules are read twice. */
bool mlb_git_rules_ignore(struct mlb_vcs *v, const char *path, bool is_dir);
bool mlb_git_is_tracked(struct mlb_vcs *v,
			const char *path); /* in the index, or something below it */

void mlb_git_rules_open(struct mlb_vcs *v);
void mlb_git_rules_close(struct mlb_vcs *v);

/* HEAD while paths are looked up in it, best in order. */
struct mlb_head {
	struct mlb_vcs *v;
	git_oid id;
	git_commit *commit; /* NULL: there is none yet */
	git_tree *tree;     /* its */
	MLB_VEC(struct mlb_head_level)
	level; /* directories above the path before, from the top down */
	struct mlb_arena arena;
};

int mlb_head_open(struct mlb_head *out, struct mlb_vcs *v,
		  struct mlb_err *err); /* close it in any case */
/* The same with another tree and another parent (pin_spec): ids. */
int mlb_head_open_as(struct mlb_head *out, struct mlb_vcs *v, const char *parent, const char *tree,
		     struct mlb_err *err);
void mlb_head_close(struct mlb_head *h);
unsigned mlb_head_find(struct mlb_head *h, const char *path,
		       git_oid *id); /* mode of the entry; 0: none */
int mlb_head_list(struct mlb_head *h, const char *dir,
		  struct mlb_strvec *out); /* files below, appended; or libgit2's code */

MLB_VEC_NAMED(mlb_git_updates, git_tree_update);

/* What differs from HEAD; paths of the repository, borrowed. */
struct mlb_git_changes {
	struct mlb_git_updates drop; /* before the others: a directory may take a file's place */
	struct mlb_git_updates set;
};

/* The commit with these changes, which are consumed, and its reference. */
int mlb_git_snapshot(struct mlb_head *h, struct mlb_git_changes *changes,
		     const struct mlb_pin_spec *spec, char out[MLB_OID_HEX + 1],
		     struct mlb_err *err);

/* The object of this kind that a revision leads to; free it. */
int mlb_git_peel(struct mlb_vcs *v, const char *rev, git_object_t kind, git_object **out,
		 struct mlb_err *err);

/*
 * Run git with these arguments (NULL at the end) in the work tree, and append what it prints;
 * what it says when it fails is in the error.
 */
int mlb_git_program(struct mlb_vcs *v, const char *const *args, struct mlb_buf *out,
		    struct mlb_err *err);
/* The same in a directory of whatever repository git finds there. */
int mlb_git_program_in(const char *dir, const char *const *args, struct mlb_buf *out,
		       struct mlb_err *err);
bool mlb_git_program_trusts(const char *dir); /* whether git would work there */

/* The index, that of the repository or another one, and as it is by now. */
int mlb_git_index_open(struct mlb_vcs *v, const char *other, struct mlb_err *err);
int mlb_git_index_refresh(struct mlb_vcs *v, struct mlb_err *err);
bool mlb_git_is_skipped(struct mlb_vcs *v, const char *path); /* left out of a sparse work tree */

/* The text of an attribute, in the work tree or (commit not NULL) in a commit alone; NULL: it has none. */
const char *mlb_git_attribute(struct mlb_vcs *v, const git_oid *commit, const char *path,
			      const char *name);

/* Whether libgit2 cannot convert a file alone; way is "clean" (to a blob) or "smudge". */
bool mlb_git_needs_program(struct mlb_vcs *v, const git_oid *commit, const char *path,
			   const char *way);

/* Replace text by what git's checkout of the commit would write, but for programs. */
int mlb_git_checkout_text(struct mlb_vcs *v, const git_oid *commit, const char *path,
			  struct mlb_buf *text, struct mlb_err *err);

/* The blob that git would make of a text, or of a file of the work tree; write: it is made. libgit2's code. */
int mlb_git_text_id(struct mlb_vcs *v, const char *path, const char *text, size_t len, bool write,
		    git_oid *id);
int mlb_git_file_id(struct mlb_vcs *v, const char *path, bool write, git_oid *id);

/* Make the reference PREFIX ID to the commit ID, which keeps it from git's collector; and remove any one. */
int mlb_git_keep_ref(struct mlb_vcs *v, const char *prefix, const char *id, struct mlb_err *err);
int mlb_git_drop_ref(struct mlb_vcs *v, const char *name, struct mlb_err *err);

/* Append a blob's bytes. */
int mlb_git_blob(struct mlb_vcs *v, const git_oid *id, struct mlb_buf *out, struct mlb_err *err);

/* HEAD's commit; *unborn where there is none. */
int mlb_git_head_id(struct mlb_vcs *v, git_oid *out, bool *unborn, struct mlb_err *err);

#endif
