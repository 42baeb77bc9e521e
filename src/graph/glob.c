#include "graph/glob.h"

#include <stdlib.h>
#include <string.h>

#include "os/fs.h"
#include "os/path.h"

/* ------------------------------------------------------------ matching */

bool
mlb_glob_is(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

/* p points to '[': match c against the set; what follows it, or NULL if it is not closed (an ordinary character then). */
static const char *
match_set(const char *p, const char *end, char c, bool *yes)
{
	const unsigned char u = (unsigned char)c;
	bool negate = p + 1 < end && (p[1] == '!' || p[1] == '^');
	const char *first = p + (negate ? 2 : 1);
	bool found = false;

	for (p = first; p < end; p++) {
		unsigned char low = (unsigned char)*p;
		unsigned char high = low;

		if (*p == ']' && p > first) {
			*yes = found != negate;
			return p + 1;
		}
		if (p + 2 < end && p[1] == '-' && p[2] != ']') {
			high = (unsigned char)p[2];
			p += 2;
		}
		if (low <= u && u <= high)
			found = true;
	}
	return NULL;
}

/* One character of the pattern against c; what follows it in the pattern, NULL: no match. */
static const char *
match_char(const char *p, const char *end, char c)
{
	const char *after;
	bool yes;

	if (*p == '?')
		return p + 1;
	if (*p == '[') {
		after = match_set(p, end, c, &yes);
		if (after)
			return yes ? after : NULL;
	}
	return *p == c ? p + 1 : NULL;
}

/* One component against one name, both without '/'. A single place to go back to is enough for '*'. */
static bool
match_name(const char *p, const char *end, const char *s, const char *s_end)
{
	const char *star = NULL;
	const char *star_s = NULL;

	if (s < s_end && *s == '.' && (p == end || *p != '.'))
		return false; /* a leading dot must be named */
	while (s < s_end) {
		const char *after = NULL;

		if (p < end && *p == '*') {
			star = ++p;
			star_s = s;
			continue;
		}
		if (p < end)
			after = match_char(p, end, *s);
		if (after) {
			p = after;
			s++;
		} else if (star) {
			p = star;
			s = ++star_s;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}

static const char *
component_end(const char *s)
{
	return s + strcspn(s, "/");
}

static bool
is_double_star(const char *p, const char *end)
{
	return end - p == 2 && p[0] == '*' && p[1] == '*';
}

bool
mlb_glob_match(const char *pattern, const char *path)
{
	const char *back = NULL;      /* pattern behind the last ** */
	const char *back_path = NULL; /* where it goes on next time */

	for (;;) {
		const char *p_end = component_end(pattern);
		const char *s_end = component_end(path);

		if (is_double_star(pattern, p_end)) {
			if (*p_end == '\0') {
				while (*path != '\0') { /* files below, none of them hidden */
					if (*path == '.')
						return false;
					path = component_end(path);
					path += *path == '/';
				}
				return true;
			}
			back = pattern = p_end + 1;
			back_path = path;
			continue;
		}
		if (*path != '\0' && match_name(pattern, p_end, path, s_end) &&
		    (*p_end == '/') == (*s_end == '/')) {
			if (*p_end == '\0')
				return true;
			pattern = p_end + 1;
			path = s_end + 1;
			continue;
		}
		if (!back || *back_path == '\0' || *back_path == '.')
			return false;
		back_path = component_end(back_path);
		if (*back_path == '\0')
			return false;
		path = ++back_path;
		pattern = back;
	}
}

bool
mlb_glob_reaches(const char *pattern, const char *dir)
{
	for (;;) {
		const char *p_end = component_end(pattern);
		const char *s_end = component_end(dir);

		if (*dir == '\0')
			return *pattern != '\0';
		if (is_double_star(pattern, p_end)) {
			/* It takes all that is left, unless that is hidden. */
			while (*dir != '\0' && *dir != '.') {
				dir = component_end(dir);
				dir += *dir == '/';
			}
			return *dir == '\0';
		}
		if (*p_end == '\0' || !match_name(pattern, p_end, dir, s_end))
			return false;
		pattern = p_end + 1;
		dir = s_end + (*s_end == '/');
	}
}

/* One character of fixed text at p: itself, or [x] for x; its length in the pattern, 0 for a glob character. */
static size_t
fixed_char(const char *p, char *c)
{
	if (*p == '[' && p[1] != '\0' && p[1] != '!' && p[1] != '^' && p[2] == ']') {
		*c = p[1];
		return 3;
	}
	*c = *p;
	return *p == '\0' || strchr("*?[", *p) ? 0 : 1;
}

void
mlb_glob_base(struct mlb_buf *out, const char *pattern)
{
	size_t fixed = 0;
	size_t n;
	char c;

	mlb_buf_clear(out);
	for (; (n = fixed_char(pattern, &c)) > 0; pattern += n) {
		if (c == '/')
			fixed = out->len;
		mlb_buf_addc(out, c);
	}
	mlb_buf_truncate(out, fixed);
	if (fixed == 0)
		mlb_buf_addc(out, '.');
}

void
mlb_glob_escape(struct mlb_buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr("*?[", *text)) {
			mlb_buf_addc(out, '[');
			mlb_buf_addc(out, *text);
			mlb_buf_addc(out, ']');
		} else {
			mlb_buf_addc(out, *text);
		}
	}
}

/* ------------------------------------------------------------ walking */

struct walk {
	struct mlb_strvec *out;
	struct mlb_strvec *dirs;
	const char *root;
	bool (*keep)(void *ctx, const char *path);
	void *ctx;
	struct mlb_buf full; /* scratch: absolute path */
	struct mlb_err *err;
};

static int walk_dir(struct walk *w, const char *dir, const char *pattern, bool below_star);

static bool
never_entered(const char *name)
{
	return strcmp(name, ".git") == 0 || strcmp(name, ".mlbuild") == 0 ||
	       strcmp(name, "__pycache__") == 0;
}

/* The type of an entry, links followed. */
static int
type_of(struct walk *w, const char *path, uint8_t *type)
{
	struct mlb_stat st;
	int rc;

	if (*type != MLB_F_SYMLINK)
		return 0;
	mlb_path_join(&w->full, w->root, path);
	rc = mlb_fs_stat(&st, mlb_buf_str(&w->full), w->err);
	*type = st.type;
	return rc;
}

/* An entry that the component matches: the rest of the pattern is looked for below it. */
static int
walk_match(struct walk *w, const char *path, uint8_t type, const char *rest)
{
	struct mlb_buf below = MLB_BUF_INIT(SIZE_MAX / 2);
	int rc = type_of(w, path, &type);

	if (rc == 0 && *rest == '\0') {
		if (type == MLB_F_FILE && (!w->keep || w->keep(w->ctx, path)))
			mlb_strvec_push(w->out, path);
	} else if (rc == 0 && type == MLB_F_DIR) {
		mlb_buf_adds(&below, path);
		mlb_buf_addc(&below, '/');
		if (!w->keep || w->keep(w->ctx, mlb_buf_str(&below)))
			rc = walk_dir(w, path, rest + 1, false);
	}
	mlb_buf_release(&below);
	return rc;
}

static int
walk_entry(struct walk *w, const char *dir, const struct mlb_dirent *e, const char *pattern,
	   bool star)
{
	struct mlb_buf path = MLB_BUF_INIT(SIZE_MAX / 2);
	const char *end = component_end(pattern);
	const char *name = e->name;
	int rc = 0;

	mlb_path_join(&path, dir, name);
	if (!star && match_name(pattern, end, name, name + strlen(name)))
		rc = walk_match(w, mlb_buf_str(&path), e->type, end);
	/* ** does not follow links to directories: they may lead in a circle */
	if (star && e->type == MLB_F_DIR && name[0] != '.') {
		struct mlb_buf below = MLB_BUF_INIT(SIZE_MAX / 2);

		mlb_buf_adds(&below, mlb_buf_str(&path));
		mlb_buf_addc(&below, '/');
		if (!w->keep || w->keep(w->ctx, mlb_buf_str(&below)))
			rc = walk_dir(w, mlb_buf_str(&path), pattern, true);
		mlb_buf_release(&below);
	}
	mlb_buf_release(&path);
	return rc;
}

/* pattern begins with **: what follows it matches here and in all directories below. */
static int
walk_star(struct walk *w, const char *dir, const char *pattern, const struct mlb_dirents *entries)
{
	const char *end = component_end(pattern);
	const char *rest = *end == '/' ? end + 1 : "*";
	int rc = 0;

	if (is_double_star(rest, component_end(rest)))
		return walk_dir(w, dir, rest, true);
	for (size_t i = 0; i < entries->n && rc == 0; i++) {
		if (never_entered(entries->v[i].name))
			continue;
		rc = walk_entry(w, dir, &entries->v[i], rest, false);
		if (rc == 0)
			rc = walk_entry(w, dir, &entries->v[i], pattern, true);
	}
	return rc;
}

static int
walk_fixed(struct walk *w, const char *dir, const char *pattern)
{
	struct mlb_buf name = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_buf path = MLB_BUF_INIT(SIZE_MAX / 2);
	const char *end = component_end(pattern);
	struct mlb_stat st;
	int rc;

	mlb_buf_add(&name, pattern, (size_t)(end - pattern));
	mlb_path_join(&path, dir, mlb_buf_str(&name));
	mlb_path_join(&w->full, w->root, mlb_buf_str(&path));
	rc = mlb_fs_stat(&st, mlb_buf_str(&w->full), w->err);
	if (rc == 0 && st.type == MLB_F_ABSENT && w->dirs)
		mlb_strvec_push(w->dirs, mlb_buf_str(&path)); /* its absence matters */
	if (rc == 0 && st.type != MLB_F_ABSENT && !never_entered(mlb_buf_str(&name)))
		rc = walk_match(w, mlb_buf_str(&path), st.type, end);
	mlb_buf_release(&name);
	mlb_buf_release(&path);
	return rc;
}

static int
walk_dir(struct walk *w, const char *dir, const char *pattern, bool below_star)
{
	struct mlb_dirents entries = MLB_VEC_INIT;
	const char *end = component_end(pattern);
	int rc;

	if (!below_star && *pattern == '\0')
		return 0;
	if (!memchr(pattern, '*', (size_t)(end - pattern)) &&
	    !memchr(pattern, '?', (size_t)(end - pattern)) &&
	    !memchr(pattern, '[', (size_t)(end - pattern)))
		return walk_fixed(w, dir, pattern);
	if (w->dirs)
		mlb_strvec_push(w->dirs, dir);
	mlb_path_join(&w->full, w->root, dir);
	rc = mlb_fs_list(&entries, mlb_buf_str(&w->full), w->err);
	if (rc == 0 && is_double_star(pattern, end))
		rc = walk_star(w, dir, pattern, &entries);
	else
		for (size_t i = 0; i < entries.n && rc == 0; i++)
			if (!never_entered(entries.v[i].name))
				rc = walk_entry(w, dir, &entries.v[i], pattern, false);
	mlb_dirents_release(&entries);
	return rc;
}

int
mlb_glob_files(struct mlb_strvec *out, struct mlb_strvec *dirs, const char *root,
	       const char *pattern, bool (*keep)(void *ctx, const char *path), void *ctx,
	       struct mlb_err *err)
{
	struct walk w = {
		.out = out, .dirs = dirs, .root = root, .keep = keep, .ctx = ctx, .err = err
	};
	int rc;

	mlb_buf_init(&w.full, SIZE_MAX / 2);
	rc = walk_dir(&w, ".", pattern, false);
	mlb_buf_release(&w.full);
	mlb_strvec_sort(out, true);
	if (dirs)
		mlb_strvec_sort(dirs, true);
	return rc;
}
