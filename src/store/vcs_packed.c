/*
 * References that are named by what they point to: PREFIX followed by the commit's
 * id.  There may be 10,000 of them.  One file each costs git a tenth of a second
 * wherever it reads all references, so from MANY on they are put into git's own
 * packed-refs, under git's own lock; libgit2 could only pack all that there are.
 * Names are listed here too: libgit2 would open each file, and copy all of
 * packed-refs for each question.
 *
 * packed-refs, as far as it matters here: a first line "# pack-refs with: WORDS",
 * then "ID NAME" lines, where the word "sorted" is given in the bytewise order of
 * the names; "^ID" behind a line is of an annotated tag and belongs to it.  It is
 * changed by writing all of it to packed-refs.lock, which must not exist, and a
 * rename; a reference's own file counts more than a line, and is removed last.
 *
 * As such a reference never changes, nothing is lost if two do the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/io.h"
#include "store/vcs_git.h"

enum { MANY = 128 };

#define PACKED_MAX (1024 * (size_t)MLB_MIB)
#define HEADER "# pack-refs with: peeled fully-peeled sorted \n"

/* packed-refs while it is changed. */
struct packed {
	char *path, *lock; /* packed-refs, packed-refs.lock */
	int fd;            /* the lock's */
	struct mlb_buf old, new;
	mode_t mode;
};

static char *
common(const struct mlb_vcs *v, const char *name)
{
	return mlb_asprintf("%s%s", v->git.repository_commondir(v->repo), name);
}

/* ------------------------------------------------------------ packed-refs */

/* A link is that of a work tree made by git's old script; git would follow it. */
static int
read_old(struct packed *p, struct mlb_err *err)
{
	struct stat st;

	p->mode = 0;
	if (lstat(p->path, &st) < 0)
		return errno == ENOENT ? 0 : mlb_err_errno(err, errno, "cannot read '%s'", p->path);
	if (!S_ISREG(st.st_mode))
		return mlb_err_set(err, MLB_EINVALID, "'%s' is no file", p->path);
	p->mode = st.st_mode & 0777;
	return mlb_fs_read(&p->old, p->path, err);
}

static void
close_packed(struct packed *p)
{
	if (p->fd >= 0) {
		close(p->fd);
		unlink(p->lock);
	}
	mlb_buf_release(&p->old);
	mlb_buf_release(&p->new);
	free(p->lock);
	free(p->path);
}

/* Close it in any case. MLB_EEXISTS: another process is at it. */
static int
open_packed(struct packed *p, const struct mlb_vcs *v, struct mlb_err *err)
{
	p->path = common(v, "packed-refs");
	p->lock = common(v, "packed-refs.lock");
	mlb_buf_init(&p->old, PACKED_MAX);
	mlb_buf_init(&p->new, PACKED_MAX);
	p->fd = open(p->lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (p->fd < 0 && errno == EEXIST)
		return mlb_err_set(err, MLB_EEXISTS,
				   "'%s' exists: a git is at work there, or one has died", p->lock);
	if (p->fd < 0)
		return mlb_err_errno(err, errno, "cannot write '%s'", p->lock);
	return read_old(p, err);
}

static int
commit_packed(struct packed *p, struct mlb_err *err)
{
	int e = mlb_io_write_all(&mlb_io_os, p->fd, mlb_buf_str(&p->new), p->new.len);

	if (!e && p->mode && fchmod(p->fd, p->mode) < 0)
		e = errno;
	if (!e && fsync(p->fd) < 0)
		e = errno;
	if (!e && rename(p->lock, p->path) < 0)
		e = errno;
	if (e)
		return mlb_err_errno(err, e, "cannot write '%s'", p->path);
	close(p->fd);
	p->fd = -1;
	return 0;
}

/* A line and what belongs to it; the name of its reference, "" for a comment. */
struct entry {
	const char *at, *name;
	size_t len, name_len;
};

static bool
next_entry(struct entry *e, const char **at, const char *end)
{
	const char *eol;

	if (*at >= end)
		return false;
	*e = (struct entry){ .at = *at, .name = *at };
	eol = memchr(*at, '\n', (size_t)(end - *at));
	if (**at != '#' && **at != '^') {
		const char *blank = memchr(*at, ' ', (size_t)((eol ? eol : end) - *at));

		if (blank) {
			e->name = blank + 1;
			e->name_len = (size_t)((eol ? eol : end) - e->name);
		}
	}
	*at = eol ? eol + 1 : end;
	while (*at < end && **at == '^') {
		eol = memchr(*at, '\n', (size_t)(end - *at));
		*at = eol ? eol + 1 : end;
	}
	e->len = (size_t)(*at - e->at);
	return true;
}

static int
compare(const struct entry *e, const char *name)
{
	size_t len = strlen(name);
	int rc = memcmp(e->name, name, MLB_MIN(e->name_len, len));

	return rc ? rc : (e->name_len > len) - (e->name_len < len);
}

static void
add_name(struct mlb_buf *out, const char *name)
{
	mlb_buf_addf(out, "%s %s\n", strrchr(name, '/') + 1, name);
}

/* The new text: the old one with these names, in their order; or (drop) without them. */
static int
change(struct packed *p, const struct mlb_strvec *names, bool drop, struct mlb_err *err)
{
	const char *at = mlb_buf_str(&p->old), *end = at + p->old.len;
	struct entry e;
	size_t i = 0;

	if (!p->old.len)
		mlb_buf_adds(&p->new, HEADER);
	while (next_entry(&e, &at, end)) {
		for (; e.name_len && i < names->n && compare(&e, names->v[i]) > 0; i++)
			if (!drop)
				add_name(&p->new, names->v[i]);
		if (e.name_len && i < names->n && compare(&e, names->v[i]) == 0) {
			i++;
			if (drop)
				continue;
		}
		mlb_buf_add(&p->new, e.at, e.len);
		if (e.len && e.at[e.len - 1] != '\n')
			mlb_buf_addc(&p->new, '\n');
	}
	for (; i < names->n && !drop; i++)
		add_name(&p->new, names->v[i]);
	return mlb_buf_check(&p->new, p->path, err);
}

/* In a file that is not sorted a name may be anywhere, so it is taken for sorted only if it says so. */
static bool
is_sorted(const struct packed *p)
{
	const char *text = mlb_buf_str(&p->old);
	size_t len = strcspn(text, "\n");
	char *line = mlb_asprintf("%.*s ", (int)len, text);
	bool sorted = !p->old.len || (line[0] == '#' && strstr(line, " sorted "));

	free(line);
	return sorted;
}

/* ------------------------------------------------------------ names */

/* What is asked for. */
struct names {
	const char *prefix;
	const char *but; /* what begins with this is left out; NULL: nothing */
	struct mlb_strvec *out;
};

static bool
starts(const char *s, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && memcmp(s, with, n) == 0;
}

static void
take_name(const struct names *n, const char *name, size_t len)
{
	if (starts(name, len, n->prefix) && !(n->but && starts(name, len, n->but)))
		mlb_vec_push(n->out, mlb_asprintf("%.*s", (int)len, name));
}

/* Git writes NAME.lock beside a reference, and takes no name that begins with a dot. */
static bool
is_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && !(len > 5 && strcmp(name + len - 5, ".lock") == 0);
}

/* May something in this directory, whose name ends in a slash, be asked for? */
static bool
is_wanted(const struct names *n, const char *dir)
{
	size_t len = strlen(dir);

	return memcmp(dir, n->prefix, MLB_MIN(len, strlen(n->prefix))) == 0 &&
	       !(n->but && starts(dir, len, n->but));
}

/* Those that have a file of their own below a directory of git's, "refs/" or deeper. */
static int
list_files(const struct names *n, const char *git, const char *dir, struct mlb_err *err)
{
	char *full = mlb_asprintf("%s%s", git, dir);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_list(&list, full, NULL);

	/* Git removes a directory once it is empty. */
	if (rc && mlb_fs_exists(full))
		rc = mlb_fs_list(&list, full, err);
	else
		rc = 0;
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		bool is_dir = list.v[i].type == MLB_F_DIR;
		char *name = mlb_asprintf("%s%s%s", dir, list.v[i].name, is_dir ? "/" : "");

		if (is_dir && is_wanted(n, name))
			rc = list_files(n, git, name, err);
		else if (!is_dir && is_name(list.v[i].name))
			take_name(n, name, strlen(name));
		free(name);
	}
	mlb_dirents_release(&list);
	free(full);
	return rc;
}

static int
list_packed(const struct names *n, const struct mlb_vcs *v, struct mlb_err *err)
{
	struct mlb_buf text = MLB_BUF_INIT(PACKED_MAX);
	char *path = common(v, "packed-refs");
	int rc = mlb_fs_exists(path) ? mlb_fs_read(&text, path, err) : 0;
	const char *at = mlb_buf_str(&text), *end = at + text.len;
	struct entry e;

	while (rc == 0 && next_entry(&e, &at, end))
		if (e.name_len)
			take_name(n, e.name, e.name_len);
	free(path);
	mlb_buf_release(&text);
	return rc;
}

static int
list_names(struct mlb_vcs *v, const char *prefix, const char *but, struct mlb_strvec *out,
	   struct mlb_err *err)
{
	const struct names n = { prefix, but, out };
	const char *git = v->git.repository_path(v->repo);
	const char *shared = v->git.repository_commondir(v->repo);
	int rc = list_files(&n, shared, "refs/", err);

	/* A work tree has some of its own. */
	if (rc == 0 && strcmp(git, shared) != 0)
		rc = list_files(&n, git, "refs/", err);
	/* Last: what is packed meanwhile had a file. */
	if (rc == 0)
		rc = list_packed(&n, v, err);
	mlb_strvec_sort(out, true);
	return rc;
}

int
mlb_vcs_refs(struct mlb_vcs *v, const char *prefix, struct mlb_strvec *out, struct mlb_err *err)
{
	return list_names(v, prefix, NULL, out, err);
}

int
mlb_vcs_refs_but_pins(struct mlb_vcs *v, struct mlb_strvec *out, struct mlb_err *err)
{
	return list_names(v, "refs/", MLB_PINS, out, err);
}

/* ------------------------------------------------------------ one file each */

static bool
is_id(const char *s)
{
	return strlen(s) == MLB_OID_HEX && strspn(s, "0123456789abcdef") == MLB_OID_HEX;
}

/* The names of those that have a file of their own, sorted. */
static int
list_loose(const struct mlb_vcs *v, const char *prefix, struct mlb_strvec *out)
{
	char *dir = common(v, prefix);
	struct mlb_dirents list = MLB_VEC_INIT;
	int rc = mlb_fs_list(&list, dir, NULL);

	for (size_t i = 0; rc == 0 && i < list.n; i++)
		if (list.v[i].type == MLB_F_FILE && is_id(list.v[i].name))
			mlb_vec_push(out, mlb_asprintf("%s%s", prefix, list.v[i].name));
	mlb_dirents_release(&list);
	free(dir);
	return rc;
}

static void
remove_loose(const struct mlb_vcs *v, const struct mlb_strvec *names)
{
	for (size_t i = 0; i < names->n; i++) {
		char *path = common(v, names->v[i]);

		unlink(path);
		free(path);
	}
}

/* Once they are many. Whatever is in the way, or fails, the references are there as they were. */
static void
pack_many(const struct mlb_vcs *v, const char *prefix)
{
	struct mlb_strvec names = MLB_VEC_INIT;
	struct packed p = { .fd = -1 };

	if (list_loose(v, prefix, &names) == 0 && names.n >= MANY) {
		if (open_packed(&p, v, NULL) == 0 && is_sorted(&p) &&
		    change(&p, &names, false, NULL) == 0 && commit_packed(&p, NULL) == 0)
			remove_loose(v, &names);
		close_packed(&p);
	}
	mlb_strvec_release(&names);
}

int
mlb_git_keep_ref(struct mlb_vcs *v, const char *prefix, const char *id, struct mlb_err *err)
{
	char *name = mlb_asprintf("%s%s", prefix, id), *path = common(v, name);
	char *text = mlb_asprintf("%s\n", id);
	git_oid there;
	int rc = 0;

	/* It is a file, or a line of packed-refs, which libgit2 keeps in memory. */
	if (!mlb_fs_exists(path) && v->git.reference_name_to_id(&there, v->repo, name) != 0) {
		rc = mlb_fs_mkparents(path, err);
		if (rc == 0)
			rc = mlb_fs_write(path, text, strlen(text), true, err);
		if (rc == 0)
			pack_many(v, prefix);
	}
	free(text);
	free(path);
	free(name);
	return rc;
}

/* ------------------------------------------------------------ dropping */

int
mlb_vcs_drop_refs(struct mlb_vcs *v, struct mlb_strvec *names, struct mlb_err *err)
{
	struct packed p = { .fd = -1 };
	bool sorted;
	int rc;

	if (!names->n)
		return 0;
	mlb_strvec_sort(names, true);
	rc = open_packed(&p, v, err);
	sorted = rc == 0 && is_sorted(&p);
	if (rc == 0 && sorted && p.old.len) {
		rc = change(&p, names, true, err);
		if (rc == 0 && p.new.len != p.old.len)
			rc = commit_packed(&p, err);
	}
	if (rc == 0 && sorted)
		remove_loose(v, names);
	close_packed(&p);
	for (size_t i = 0; rc == 0 && !sorted && i < names->n; i++)
		rc = mlb_git_drop_ref(v, names->v[i], err);
	return rc;
}
