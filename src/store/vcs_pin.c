/*
 * Pins: the commit that stands for the files on disk.
 *
 * A path in HEAD with the bytes on disk needs nothing.  Any other is a change
 * of HEAD's tree: set to the file on disk, or dropped where it is absent,
 * ignored or above 1 MiB, so that a snapshot never holds bytes that were not
 * there.  Without a change HEAD is the pin.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "store/vcs_git.h"

#define LARGE MLB_MIB /* a file above this stays out of git */

struct pin {
	struct mlb_vcs *v;
	struct mlb_head head;
	struct mlb_git_changes change;
	struct mlb_strmap seen; /* paths dealt with */
	struct mlb_arena arena; /* their names */
	int64_t index_time;     /* when the index was written: what is younger is not trusted */
	const char *last_dir;   /* of the path before */
	bool last_beyond;       /* what beyond() said of it */
};

static void
update(struct mlb_git_updates *list, const char *path, const git_oid *id, unsigned mode)
{
	git_tree_update u = { .action = id ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE,
			      .path = path };

	if (id) {
		u.id = *id;
		u.filemode = (git_filemode_t)mode;
	}
	mlb_vec_push(list, u);
}

static char *
on_disk(const struct pin *p, const char *path)
{
	return mlb_asprintf("%s/%s", p->v->workdir, path);
}

/* Whether a directory is another repository's, or a link: git looks no further there. */
static bool
is_border(const struct pin *p, const char *dir)
{
	char *full = on_disk(p, dir);
	char *dot_git = mlb_asprintf("%s/.git", full);
	struct stat st;
	bool border = (lstat(full, &st) == 0 && S_ISLNK(st.st_mode)) || mlb_fs_exists(dot_git);

	free(dot_git);
	free(full);
	return border;
}

/* Whether a path lies beyond such a border. */
static bool
beyond(struct pin *p, const char *path)
{
	const char *end = strrchr(path, '/');
	char *dir;

	if (!end)
		return false;
	dir = mlb_arena_strndup(&p->arena, path, (size_t)(end - path));
	if (p->last_dir && strcmp(p->last_dir, dir) == 0)
		return p->last_beyond;
	p->last_dir = mlb_arena_strdup(&p->arena, dir);
	p->last_beyond = is_border(p, dir);
	for (char *slash; !p->last_beyond && (slash = strrchr(dir, '/')) != NULL;) {
		*slash = '\0';
		p->last_beyond = is_border(p, dir);
	}
	return p->last_beyond;
}

/* ------------------------------------------------------------ the same as in HEAD? */

/* Whether the index vouches for the file: it has HEAD's content and the file's stat. */
static bool
index_vouches(const struct pin *p, const char *path, const struct stat *st, const git_oid *id)
{
	const git_index_entry *e = p->v->git.index_get_bypath(p->v->index, path, 0);
	int64_t mtime = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;

	return e && memcmp(&e->id, id, sizeof(*id)) == 0 && mtime < p->index_time &&
	       e->file_size == (uint32_t)st->st_size && e->ino == (uint32_t)st->st_ino &&
	       e->mtime.seconds == (int32_t)st->st_mtim.tv_sec &&
	       e->mtime.nanoseconds == (uint32_t)st->st_mtim.tv_nsec &&
	       e->ctime.seconds == (int32_t)st->st_ctim.tv_sec &&
	       e->ctime.nanoseconds == (uint32_t)st->st_ctim.tv_nsec;
}

static int
hash_link(const struct pin *p, const char *path, git_oid *id)
{
	char text[PATH_MAX];
	char *full = on_disk(p, path);
	ssize_t len = readlink(full, text, sizeof(text));

	free(full);
	return len < 0 ? -1 : p->v->git.odb_hash(id, text, (size_t)len, GIT_OBJECT_BLOB);
}

static bool
same_content(const struct pin *p, const char *path, const struct stat *st, const git_oid *id)
{
	const git_index_entry *e = p->v->git.index_get_bypath(p->v->index, path, 0);
	git_oid now;
	int rc;

	if (index_vouches(p, path, st, id))
		return true;
	/* A large one is not read only to be told that it has another length. */
	if ((uint64_t)st->st_size > LARGE && e && memcmp(&e->id, id, sizeof(*id)) == 0 &&
	    e->file_size && e->file_size != (uint32_t)st->st_size)
		return false;
	if (S_ISLNK(st->st_mode))
		rc = hash_link(p, path, &now);
	else
		rc = mlb_git_file_id(p->v, path, false, &now);
	return rc == 0 && memcmp(&now, id, sizeof(now)) == 0;
}

static unsigned
mode_of(const struct pin *p, const struct stat *st, unsigned head_mode)
{
	if (S_ISLNK(st->st_mode))
		return GIT_FILEMODE_LINK;
	if (!p->v->trust_exec &&
	    (head_mode == GIT_FILEMODE_BLOB || head_mode == GIT_FILEMODE_BLOB_EXECUTABLE))
		return head_mode;
	return st->st_mode & S_IXUSR ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
}

/* ------------------------------------------------------------ the changes */

/* What in HEAD stands where the path needs a directory, or is one where it needs a file. */
static void
drop_in_the_way(struct pin *p, const char *path, unsigned head_mode)
{
	char *dir = mlb_arena_strdup(&p->arena, path);
	git_oid id;

	if (head_mode == GIT_FILEMODE_TREE)
		update(&p->change.drop, path, NULL, 0);
	for (char *slash; (slash = strrchr(dir, '/')) != NULL;) {
		unsigned mode;
		bool is_new;

		*slash = '\0';
		mode = mlb_head_find(&p->head, dir, &id);
		if (mode == 0 || mode == GIT_FILEMODE_TREE)
			continue;
		mlb_strmap_add(&p->seen, dir, strlen(dir), &is_new);
		if (is_new)
			update(&p->change.drop, dir, NULL, 0);
		break;
	}
}

static int
set_file(struct pin *p, const char *path, const struct stat *st, unsigned head_mode,
	 struct mlb_err *err)
{
	git_oid id;
	int rc = S_ISLNK(st->st_mode) ? p->v->git.blob_create_from_workdir(&id, p->v->repo, path)
				      : mlb_git_file_id(p->v, path, true, &id);

	if (rc < 0)
		return mlb_git_fail(p->v, err, MLB_ESYSTEM, "cannot write '%s' to git", path);
	drop_in_the_way(p, path, head_mode);
	update(&p->change.set, path, &id, mode_of(p, st, head_mode));
	return 0;
}

/* What git was given with "git add" it has, however large it is. */
static bool
set_staged(struct pin *p, const char *path, const struct stat *st, unsigned head_mode)
{
	const git_index_entry *e = p->v->git.index_get_bypath(p->v->index, path, 0);

	if (!e || e->mode == GIT_FILEMODE_COMMIT || !same_content(p, path, st, &e->id))
		return false;
	drop_in_the_way(p, path, head_mode);
	update(&p->change.set, path, &e->id, mode_of(p, st, head_mode));
	return true;
}

/* What a sparse work tree leaves out is as the index has it. */
static int
keep_skipped(struct pin *p, const char *path, unsigned head_mode, const git_oid *head)
{
	const git_index_entry *e = p->v->git.index_get_bypath(p->v->index, path, 0);

	if (head_mode == e->mode && memcmp(&e->id, head, sizeof(*head)) == 0)
		return 0;
	drop_in_the_way(p, path, head_mode);
	update(&p->change.set, path, &e->id, e->mode);
	return 0;
}

static int
pin_file(struct pin *p, const char *path, struct mlb_err *err)
{
	char *full = on_disk(p, path);
	struct stat st;
	bool there = lstat(full, &st) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
	git_oid id;
	unsigned mode = mlb_head_find(&p->head, path, &id);
	bool file_in_head = mode != 0 && mode != GIT_FILEMODE_TREE;
	bool is_new;

	free(full);
	mlb_strmap_add(&p->seen, path, strlen(path), &is_new);
	if (!is_new || mode == GIT_FILEMODE_COMMIT)
		return 0;
	if (beyond(p, path))
		there = false;
	/* A sparse work tree leaves it out; nobody has deleted it. */
	if (!there && mlb_git_is_skipped(p->v, path))
		return keep_skipped(p, path, mode, &id);
	if (there && file_in_head && mode == mode_of(p, &st, mode) &&
	    same_content(p, path, &st, &id))
		return 0;
	if (there && (uint64_t)st.st_size <= LARGE && !mlb_git_ignored(p->v, path))
		return set_file(p, path, &st, mode, err);
	if (there && set_staged(p, path, &st, mode))
		return 0;
	if (file_in_head)
		update(&p->change.drop, path, NULL, 0);
	return 0;
}

/* A directory stands for its files: those on disk and those in HEAD. */
static int
pin_dir(struct pin *p, const char *path, struct mlb_err *err)
{
	struct mlb_strvec found = MLB_VEC_INIT;
	char *full = mlb_strdup(mlb_git_path(p->v, path));
	int rc = mlb_vcs_files(p->v, path, &found, err);

	for (size_t i = 0; i < found.n; i++) {
		char *relative = found.v[i];

		found.v[i] = mlb_strdup(mlb_git_path(p->v, relative));
		free(relative);
	}
	if (rc == 0 && mlb_head_list(&p->head, full, &found) < 0)
		rc = mlb_git_fail(p->v, err, MLB_ESYSTEM, "cannot read HEAD's '%s'", full);
	for (size_t i = 0; i < found.n && rc == 0; i++)
		rc = pin_file(p, mlb_arena_strdup(&p->arena, found.v[i]), err);
	free(full);
	mlb_strvec_release(&found);
	return rc;
}

static int
pin_path(struct pin *p, const char *path, struct mlb_err *err)
{
	const char *full = mlb_arena_strdup(&p->arena, mlb_git_path(p->v, path));
	char *disk = on_disk(p, full);
	struct stat st;
	bool is_dir = lstat(disk, &st) == 0 && S_ISDIR(st.st_mode);
	git_oid id;
	unsigned mode = full[0] ? mlb_head_find(&p->head, full, &id) : GIT_FILEMODE_TREE;
	int rc = 0;

	free(disk);
	if (is_dir || mode == GIT_FILEMODE_TREE)
		rc = pin_dir(p, path, err);
	if (rc == 0 && full[0] && (!is_dir || mode != GIT_FILEMODE_TREE))
		rc = pin_file(p, full, err);
	return rc;
}

/* ------------------------------------------------------------ files that the caller gives */

static int
pin_text(struct pin *p, const struct mlb_pin_file *f, struct mlb_err *err)
{
	const char *path = mlb_arena_strdup(&p->arena, mlb_git_path(p->v, f->path));
	git_oid id, now;
	unsigned mode = mlb_head_find(&p->head, path, &id);
	bool file_in_head = mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
	bool is_new;

	mlb_strmap_add(&p->seen, path, strlen(path), &is_new);
	if (!is_new)
		return 0;
	if (!f->text) {
		if (mode != 0 && mode != GIT_FILEMODE_TREE)
			update(&p->change.drop, path, NULL, 0);
		return 0;
	}
	if (file_in_head && mlb_git_text_id(p->v, path, f->text, f->len, false, &now) == 0 &&
	    memcmp(&now, &id, sizeof(now)) == 0)
		return 0;
	if (mlb_git_text_id(p->v, path, f->text, f->len, true, &now) < 0)
		return mlb_git_fail(p->v, err, MLB_ESYSTEM, "cannot write '%s' to git", path);
	drop_in_the_way(p, path, mode);
	update(&p->change.set, path, &now, file_in_head ? mode : GIT_FILEMODE_BLOB);
	return 0;
}

/* The index vouches for files that are older than itself; one that git listed knows no file's stat. */
static int
open_index(struct pin *p, struct mlb_err *err)
{
	struct mlb_stat st = { 0 };
	int rc = mlb_git_index_refresh(p->v, err);

	if (rc == 0 && !p->v->is_listed && mlb_fs_lstat(&st, p->v->index_file, NULL) == 0)
		p->index_time = st.mtime;
	return rc;
}

int
mlb_vcs_pin(struct mlb_vcs *v, const struct mlb_pin_spec *spec, char out[MLB_OID_HEX + 1],
	    struct mlb_err *err)
{
	struct pin p = { .v = v, .seen = MLB_STRMAP_INIT, .arena = MLB_ARENA_INIT };
	int rc = spec->tree ? mlb_head_open_as(&p.head, v, spec->parent, spec->tree, err)
			    : mlb_head_open(&p.head, v, err);
	bool is_head = false;

	if (rc == 0 && (spec->n || spec->also))
		rc = open_index(&p, err);
	for (size_t i = 0; i < spec->n_file && rc == 0; i++)
		rc = pin_text(&p, &spec->file[i], err);
	for (size_t i = 0; i < spec->n && rc == 0; i++)
		rc = pin_path(&p, spec->path[i], err);
	if (rc == 0)
		is_head = p.head.commit && !spec->always && !p.change.drop.n && !p.change.set.n;
	if (rc == 0 && !is_head && spec->also_file)
		rc = pin_text(&p, spec->also_file, err);
	if (rc == 0 && !is_head && spec->also)
		rc = pin_path(&p, spec->also, err);
	if (rc == 0 && is_head)
		v->git.oid_tostr(out, MLB_OID_HEX + 1, &p.head.id);
	else if (rc == 0)
		rc = mlb_git_snapshot(&p.head, &p.change, spec, out, err);
	mlb_head_close(&p.head);
	mlb_vec_release(&p.change.drop);
	mlb_vec_release(&p.change.set);
	mlb_strmap_release(&p.seen);
	mlb_arena_release(&p.arena);
	return rc;
}

bool
mlb_vcs_keeps(struct mlb_vcs *v, const char *path)
{
	struct pin p = { .v = v };
	const char *full = mlb_git_path(v, path);
	const git_index_entry *e = v->git.index_get_bypath(v->index, full, 0);
	char *disk = on_disk(&p, full);
	struct stat st;
	bool keeps = false;

	if (e && (e->mode == GIT_FILEMODE_BLOB || e->mode == GIT_FILEMODE_BLOB_EXECUTABLE) &&
	    lstat(disk, &st) == 0 && S_ISREG(st.st_mode))
		keeps = (uint64_t)st.st_size <= LARGE ||
			(open_index(&p, NULL) == 0 && same_content(&p, full, &st, &e->id));
	free(disk);
	return keeps;
}
