/*
 * A repository that libgit2 cannot open, such as one that names its objects by
 * SHA-256: a file of its commits, by the program git.
 */
#include <string.h>

#include "store/vcs_git.h"

enum { MAX_LIST = 256 << 20, MAX_FILE = 1 << 30 };

struct foreign {
	const char *dir, *file;
	struct mlb_strmap commit, blob; /* ids that were met */
	struct mlb_arena arena;
	mlb_vcs_text_fn *fn;
	void *ctx;
	struct mlb_err *err;
};

/* Whether an id is new in a set of them; one of zeros is a branch without a commit. */
static bool
is_new(struct foreign *f, struct mlb_strmap *set, const char *id, size_t len)
{
	bool first = false;

	if (len && strspn(id, "0") < len)
		mlb_strmap_add(set, mlb_arena_strndup(&f->arena, id, len), len, &first);
	return first;
}

/* A line of `git ls-tree`: "MODE blob ID<tab>NAME", or nothing. */
static int
take_entry(struct foreign *f, const char *line)
{
	const char *const args[] = { "cat-file", "blob", NULL, NULL };
	const char *argv[MLB_ARRAY_LEN(args)];
	struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
	const char *id = strstr(line, " blob ");
	int rc = 0;

	if (!id || !is_new(f, &f->blob, id + 6, strcspn(id + 6, "\t")))
		return 0;
	memcpy(argv, args, sizeof(args));
	argv[2] = f->blob.entry[f->blob.n - 1].key;
	rc = mlb_git_program_in(f->dir, argv, &text, f->err);
	if (rc == 0)
		rc = f->fn(f->ctx, mlb_buf_str(&text), text.len, f->err);
	mlb_buf_release(&text);
	return rc;
}

static int
take_commit(struct foreign *f, const char *id, size_t len)
{
	struct mlb_buf list = MLB_BUF_INIT(MAX_LIST);
	const char *args[] = { "ls-tree", NULL, "--", f->file, NULL };
	int rc = 0;

	if (!is_new(f, &f->commit, id, len))
		return 0;
	args[1] = f->commit.entry[f->commit.n - 1].key;
	rc = mlb_git_program_in(f->dir, args, &list, f->err);
	if (rc == 0)
		rc = take_entry(f, mlb_buf_str(&list));
	mlb_buf_release(&list);
	return rc;
}

/* The commits behind a word at the beginning of the lines that git prints. */
static int
take_lines(struct foreign *f, const char *const *args, const char *word)
{
	struct mlb_buf list = MLB_BUF_INIT(MAX_LIST);
	int rc = mlb_git_program_in(f->dir, args, &list, f->err);

	for (const char *line = mlb_buf_str(&list); rc == 0 && *line;) {
		size_t len = strcspn(line, "\n"), n = strlen(word);

		if (len > n && strncmp(line, word, n) == 0)
			rc = take_commit(f, line + n, strcspn(line + n, " \n"));
		line += len + (line[len] == '\n');
	}
	mlb_buf_release(&list);
	return rc;
}

int
mlb_vcs_foreign_each(const char *project_dir, const char *file, mlb_vcs_text_fn *fn, void *ctx,
		     struct mlb_err *err)
{
	/* Of an annotated tag what it is of; a tag may be of anything. */
	static const char *const refs[] = { "for-each-ref", "--format=%(objecttype) %(objectname)",
					    NULL };
	static const char *const tags[] = { "for-each-ref",
					    "--format=%(*objecttype) %(*objectname)", NULL };
	static const char *const trees[] = { "worktree", "list", "--porcelain", NULL };
	struct foreign f = { .dir = project_dir,
			     .file = file,
			     .commit = MLB_STRMAP_INIT,
			     .blob = MLB_STRMAP_INIT,
			     .arena = MLB_ARENA_INIT,
			     .fn = fn,
			     .ctx = ctx,
			     .err = err };
	int rc = take_lines(&f, trees, "HEAD ");

	if (rc == 0)
		rc = take_lines(&f, refs, "commit ");
	if (rc == 0)
		rc = take_lines(&f, tags, "commit ");
	mlb_strmap_release(&f.commit);
	mlb_strmap_release(&f.blob);
	mlb_arena_release(&f.arena);
	return rc;
}
