/*
 * Format: lines, of which those are empty or comments that begin with '#' or ';'.
 *
 *	[default]         a section: in the credentials file the profile of that name,
 *	[profile NAME]    in the config file one is written so; NAME may be in quotes;
 *	                  other sections there (sso-session, services) are no profiles
 *	key = value       a setting; keys know no case; " #" and " ;" begin a comment
 *	key =             with settings indented below it: a group of settings of one
 *	  inner = value   service, none of which is read here
 */
#include "remotes/aws_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/vec.h"
#include "os/fs.h"

enum { MAX_FILE = 4 << 20 };

struct setting {
	enum mlb_aws_file which;
	bool plain; /* of [default] in the config file */
	char *profile;
	char *key; /* "": that there is such a section */
	char *value;
};

struct mlb_aws_files {
	MLB_VEC(struct setting) setting; /* as they stand in the files; later ones win */
	char *path[3];                   /* by enum mlb_aws_file */
};

struct mlb_aws_files *
mlb_aws_files_new(void)
{
	return mlb_calloc(1, sizeof(struct mlb_aws_files));
}

void
mlb_aws_files_free(struct mlb_aws_files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->setting.n; i++) {
		free(f->setting.v[i].profile);
		free(f->setting.v[i].key);
		free(f->setting.v[i].value);
	}
	mlb_vec_release(&f->setting);
	free(f->path[MLB_AWS_CONFIG]);
	free(f->path[MLB_AWS_CREDENTIALS]);
	free(f);
}

/* -------------------------------------------------------------- parsing */

struct span {
	const char *s;
	size_t len;
};

struct parser {
	struct mlb_aws_files *f;
	enum mlb_aws_file which;
	char *profile; /* of the section that goes on, NULL: none of a profile's; owned */
	bool plain;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span
trim(const char *s, size_t len)
{
	while (len && is_blank(*s)) {
		s++;
		len--;
	}
	while (len && is_blank(s[len - 1]))
		len--;
	return (struct span){ s, len };
}

static void
add(struct parser *p, struct span key, struct span value)
{
	struct setting s = { p->which, p->plain, mlb_strdup(p->profile),
			     mlb_strndup(key.s, key.len), mlb_strndup(value.s, value.len) };

	for (char *c = s.key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	mlb_vec_push(&p->f->setting, s);
}

/* The name of a profile, without its quotes. */
static struct span
unquoted(struct span name)
{
	if (name.len >= 2 && (name.s[0] == '"' || name.s[0] == '\'') &&
	    name.s[name.len - 1] == name.s[0])
		return (struct span){ name.s + 1, name.len - 2 };
	return name;
}

static void
begin_section(struct parser *p, struct span head)
{
	static const char word[] = "profile", standard[] = "default";
	size_t n = sizeof(word) - 1;

	free(p->profile);
	p->profile = NULL;
	p->plain = false;
	if (p->which == MLB_AWS_CONFIG) {
		if (head.len > n && memcmp(head.s, word, n) == 0 && is_blank(head.s[n]))
			head = trim(head.s + n, head.len - n);
		else if (head.len == sizeof(standard) - 1 && memcmp(head.s, standard, head.len) == 0)
			p->plain = true;
		else
			return;
	}
	head = unquoted(head);
	if (head.len == 0)
		return;
	p->profile = mlb_strndup(head.s, head.len);
	add(p, (struct span){ "", 0 }, (struct span){ "", 0 });
}

/* The value up to a comment that a blank precedes. */
static struct span
without_comment(struct span v)
{
	for (size_t i = 1; i < v.len; i++) {
		if ((v.s[i] == '#' || v.s[i] == ';') && is_blank(v.s[i - 1]))
			return trim(v.s, i);
	}
	return v;
}

static void
take_line(struct parser *p, const char *s, size_t len)
{
	struct span line = trim(s, len);
	const char *end, *eq;

	if (line.len == 0 || line.s[0] == '#' || line.s[0] == ';')
		return;
	if (line.s[0] == '[') {
		end = memchr(line.s, ']', line.len);
		if (end)
			begin_section(p, trim(line.s + 1, (size_t)(end - line.s) - 1));
		return;
	}
	eq = memchr(line.s, '=', line.len);
	if (!p->profile || is_blank(*s) || !eq || eq == line.s)
		return;
	add(p, trim(line.s, (size_t)(eq - line.s)),
	    without_comment(trim(eq + 1, line.len - (size_t)(eq - line.s) - 1)));
}

void
mlb_aws_files_parse(struct mlb_aws_files *f, enum mlb_aws_file which, const char *text, size_t len)
{
	struct parser p = { f, which, NULL, false };

	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;

		if (!memchr(text, '\0', n))
			take_line(&p, text, n);
		n += nl != NULL;
		text += n;
		len -= n;
	}
	free(p.profile);
}

/* -------------------------------------------------------------- reading */

static int
read_one(struct mlb_aws_files *f, const struct mlb_remote_config *c, enum mlb_aws_file which,
	 const char *variable, const char *below_home, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_FILE);
	const char *path = c->env(c, variable), *home = c->env(c, "HOME");
	int rc = 0;

	if (path && *path)
		f->path[which] = mlb_strdup(path);
	else if (home && *home)
		f->path[which] = mlb_asprintf("%s/%s", home, below_home);
	else
		return 0;
	if (mlb_fs_exists(f->path[which]))
		rc = mlb_fs_read(&text, f->path[which], err);
	if (rc == 0)
		mlb_aws_files_parse(f, which, mlb_buf_str(&text), text.len);
	mlb_buf_release(&text);
	return rc;
}

int
mlb_aws_files_read(struct mlb_aws_files **out, const struct mlb_remote_config *c,
		   struct mlb_err *err)
{
	struct mlb_aws_files *f = mlb_aws_files_new();
	int rc = read_one(f, c, MLB_AWS_CREDENTIALS, "AWS_SHARED_CREDENTIALS_FILE",
			  ".aws/credentials", err);

	if (rc == 0)
		rc = read_one(f, c, MLB_AWS_CONFIG, "AWS_CONFIG_FILE", ".aws/config", err);
	if (rc) {
		mlb_aws_files_free(f);
		return rc;
	}
	*out = f;
	return 0;
}

/* -------------------------------------------------------------- looking up */

static int
rank(const struct setting *s)
{
	return s->which == MLB_AWS_CREDENTIALS ? 2 : s->plain ? 0 : 1;
}

static const struct setting *
find(const struct mlb_aws_files *f, enum mlb_aws_file which, const char *profile, const char *key)
{
	const struct setting *best = NULL;

	for (size_t i = 0; i < f->setting.n; i++) {
		const struct setting *s = &f->setting.v[i];

		if (((unsigned)s->which & (unsigned)which) && strcmp(s->profile, profile) == 0 &&
		    strcmp(s->key, key) == 0 && (!best || rank(s) >= rank(best)))
			best = s;
	}
	return best;
}

const char *
mlb_aws_files_get(const struct mlb_aws_files *f, enum mlb_aws_file which, const char *profile,
		  const char *key)
{
	const struct setting *s = find(f, which, profile, key);

	return s && *s->value ? s->value : NULL;
}

bool
mlb_aws_files_has(const struct mlb_aws_files *f, const char *profile)
{
	return find(f, MLB_AWS_EITHER, profile, "") != NULL;
}

const char *
mlb_aws_files_path(const struct mlb_aws_files *f, enum mlb_aws_file which)
{
	return f->path[which] ? f->path[which] : "";
}
