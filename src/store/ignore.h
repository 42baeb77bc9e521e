/*
 * Rules of what to leave out, in the syntax of gitignore(5), and exactly as git
 * reads them: the last rule that matches decides.
 *
 * That nothing below an ignored directory can be taken back is the caller's
 * part: it asks for the directories above a path first, from the top down.
 *
 * Ownership: a list owns its rules.
 */
#ifndef STORE_IGNORE_H
#define STORE_IGNORE_H

#include "base/vec.h"

enum mlb_ignore_answer { MLB_IGNORE_SILENT = 0 /* no rule matches */, MLB_IGNORE_OUT, MLB_IGNORE_IN /* by "!" */ };

struct mlb_ignore_rule {
	char *pattern;  /* without "!", and without the slash at the end */
	size_t len;
	size_t literal; /* how many of its characters stand for themselves, from the first on */
	bool back;      /* "!": takes back what a rule before ignored */
	bool dir_only;  /* it had a slash at the end */
	bool path;      /* it has a slash: matches the path, not the name alone */
};

struct mlb_ignore {
	MLB_VEC(struct mlb_ignore_rule) rule;
};

void mlb_ignore_parse(struct mlb_ignore *out, const char *text, size_t len); /* adds the lines of a file */
void mlb_ignore_release(struct mlb_ignore *list);

/* What the rules say of a path below the directory of their file; no slash at its end. */
enum mlb_ignore_answer mlb_ignore_match(const struct mlb_ignore *list, const char *path, bool is_dir);

/*
 * Whether a pattern matches the whole text: * ? [a-z] [!x] [[:alpha:]] and \;
 * with path set no wildcard but "**" between slashes matches a slash.
 */
bool mlb_wildcard_match(const char *pattern, size_t len, const char *text, bool path);

#endif
