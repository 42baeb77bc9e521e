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

MLB_VEC_NAMED(updates, git_tree_update);

struct pin {
	struct mlb_vcs *v;
	struct mlb_head head;
	struct updates drop; /* before the others: a directory may take a file's place */
	struct updates set;
	struct mlb_strmap seen; /* paths dealt with */
	struct mlb_arena arena; /* their names */
	int64_t index_time;     /* when the index was written: what is younger is not trusted */
	const char *last_dir;   /* of the path before */
	bool last_beyond;       /* what beyond() said of it */
};

static void
update(struct updates *list, const char *path, const git_oid *id, unsigned mode)
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
	git_oid now;
	int rc;

	if (index_vouches(p, path, st, id))
		return true;
	if (S_ISLNK(st->st_mode))
		rc = hash_link(p, path, &now);
	else
		rc = p->v->git.repository_hashfile(&now, p->v->repo, path, GIT_OBJECT_BLOB, NULL);
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
		update(&p->drop, path, NULL, 0);
	for (char *slash; (slash = strrchr(dir, '/')) != NULL;) {
		unsigned mode;
		bool is_new;

		*slash = '\0';
		mode = mlb_head_find(&p->head, dir, &id);
		if (mode == 0 || mode == GIT_FILEMODE_TREE)
			continue;
		mlb_strmap_add(&p->seen, dir, strlen(dir), &is_new);
		if (is_new)
			update(&p->drop, dir, NULL, 0);
		break;
	}
}

static int
set_file(struct pin *p, const char *path, const struct stat *st, unsigned head_mode,
	 struct mlb_err *err)
{
	git_oid id;

	if (p->v->git.blob_create_from_workdir(&id, p->v->repo, path) < 0)
		return mlb_git_fail(p->v, err, MLB_ESYSTEM, "cannot write '%s' to git", path);
	drop_in_the_way(p, path, head_mode);
	update(&p->set, path, &id, mode_of(p, st, head_mode));
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
	if (there && file_in_head && mode == mode_of(p, &st, mode) &&
	    same_content(p, path, &st, &id))
		return 0;
	if (there && (uint64_t)st.st_size <= LARGE && !mlb_git_ignored(p->v, path))
		return set_file(p, path, &st, mode, err);
	if (file_in_head)
		update(&p->drop, path, NULL, 0);
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

/* ------------------------------------------------------------ the commit */

/* Whether a path is below one of these. */
static bool
is_below(const struct mlb_strmap *paths, const char *path)
{
	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/'))
		if (mlb_strmap_find(paths, path, (size_t)(s - path)))
			return true;
	return false;
}

/*
 * What is below something dropped goes with it.  Where nothing is set in the
 * place of what is dropped, all is one list: no tree is written in between.
 */
static void
unite(struct pin *p)
{
	struct mlb_strmap dropped = MLB_STRMAP_INIT;
	bool apart = false;
	size_t kept = 0;

	for (size_t i = 0; i < p->drop.n; i++)
		mlb_strmap_add(&dropped, p->drop.v[i].path, strlen(p->drop.v[i].path), NULL);
	for (size_t i = 0; i < p->drop.n; i++)
		if (!is_below(&dropped, p->drop.v[i].path))
			p->drop.v[kept++] = p->drop.v[i];
	p->drop.n = kept;
	for (size_t i = 0; i < p->set.n && !apart; i++)
		apart = is_below(&dropped, p->set.v[i].path) ||
			mlb_strmap_find(&dropped, p->set.v[i].path, strlen(p->set.v[i].path));
	for (; !apart && p->drop.n; p->drop.n--)
		mlb_vec_push(&p->set, p->drop.v[p->drop.n - 1]);
	mlb_strmap_release(&dropped);
}

/* The tree with these changes; *tree is replaced. */
static int
change_tree(struct pin *p, git_tree **tree, const struct updates *list, struct mlb_err *err)
{
	git_tree *changed;
	git_oid id;

	if (p->v->git.tree_create_updated(&id, p->v->repo, *tree, list->n, list->v) < 0 ||
	    p->v->git.tree_lookup(&changed, p->v->repo, &id) < 0)
		return mlb_git_fail(p->v, err, MLB_ESYSTEM, "cannot write a tree to git");
	if (*tree && *tree != p->head.tree)
		p->v->git.tree_free(*tree);
	*tree = changed;
	return 0;
}

static int
write_commit(struct pin *p, const git_tree *tree, const char *trailers, git_oid *out,
	     struct mlb_err *err)
{
	const struct mlb_git *g = &p->v->git;
	size_t len = strlen(trailers);
	char *message = mlb_asprintf("mlbuild snapshot\n%s%s%s", len ? "\n" : "", trailers,
				     len && trailers[len - 1] != '\n' ? "\n" : "");
	const git_commit *parents[] = { p->head.commit };
	git_signature *nobody = NULL;
	git_buf text = { NULL, 0, 0 };
	git_odb *odb = NULL;
	int rc = p->head.commit ? 0
				: g->signature_new(&nobody, "mlbuild", "mlbuild@localhost", 0, 0);

	if (rc == 0)
		rc = g->commit_create_buffer(&text, p->v->repo,
					     nobody ? nobody : g->commit_author(p->head.commit),
					     nobody ? nobody : g->commit_committer(p->head.commit),
					     NULL, message, tree, p->head.commit ? 1 : 0, parents);
	if (rc == 0)
		rc = g->repository_odb(&odb, p->v->repo);
	if (rc == 0)
		rc = g->odb_write(out, odb, text.ptr, text.size, GIT_OBJECT_COMMIT);
	if (rc < 0)
		rc = mlb_git_fail(p->v, err, MLB_ESYSTEM, "cannot write a snapshot to git");
	if (odb)
		g->odb_free(odb);
	if (nobody)
		g->signature_free(nobody);
	g->buf_dispose(&text);
	free(message);
	return rc;
}

/* The reference keeps git's collector from the snapshot. */
static int
write_reference(struct pin *p, const git_oid *id, char hex[MLB_OID_HEX + 1], struct mlb_err *err)
{
	git_reference *ref = NULL;
	char *name;
	int rc;

	p->v->git.oid_tostr(hex, MLB_OID_HEX + 1, id);
	name = mlb_asprintf("refs/mlbuild/pins/%s", hex);
	rc = p->v->git.reference_create(&ref, p->v->repo, name, id, 0, NULL);
	if (rc < 0 && rc != GIT_EEXISTS)
		rc = mlb_git_fail(p->v, err, MLB_ESYSTEM, "cannot write '%s'", name);
	else
		rc = 0;
	if (ref)
		p->v->git.reference_free(ref);
	free(name);
	return rc;
}

static int
snapshot(struct pin *p, const char *trailers, char out[MLB_OID_HEX + 1], struct mlb_err *err)
{
	git_tree *tree = p->head.tree;
	git_oid id;
	int rc = 0;

	unite(p);
	if (p->drop.n)
		rc = change_tree(p, &tree, &p->drop, err);
	if (rc == 0 && (p->set.n || !tree))
		rc = change_tree(p, &tree, &p->set, err);
	if (rc == 0)
		rc = write_commit(p, tree, trailers ? trailers : "", &id, err);
	if (rc == 0)
		rc = write_reference(p, &id, out, err);
	if (tree && tree != p->head.tree)
		p->v->git.tree_free(tree);
	return rc;
}

/* The index vouches for files that are older than itself. */
static int
open_index(struct pin *p, struct mlb_err *err)
{
	const char *path = p->v->git.index_path(p->v->index);
	struct mlb_stat st = { 0 };

	if (p->v->git.index_read(p->v->index, 0) < 0)
		return mlb_git_fail(p->v, err, MLB_EINVALID, "cannot read the index of '%s'",
				    p->v->workdir);
	if (path && mlb_fs_lstat(&st, path, NULL) == 0)
		p->index_time = st.mtime;
	return 0;
}

int
mlb_vcs_pin(struct mlb_vcs *v, const char *const *path, size_t n, const char *also,
	    const char *trailers, char out[MLB_OID_HEX + 1], struct mlb_err *err)
{
	struct pin p = { .v = v, .seen = MLB_STRMAP_INIT, .arena = MLB_ARENA_INIT };
	int rc = mlb_head_open(&p.head, v, err);
	bool is_head = false;

	if (rc == 0)
		rc = open_index(&p, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = pin_path(&p, path[i], err);
	if (rc == 0)
		is_head = p.head.commit && !p.drop.n && !p.set.n;
	if (rc == 0 && !is_head && also)
		rc = pin_path(&p, also, err);
	if (rc == 0 && is_head)
		v->git.oid_tostr(out, MLB_OID_HEX + 1, &p.head.id);
	else if (rc == 0)
		rc = snapshot(&p, trailers, out, err);
	mlb_head_close(&p.head);
	mlb_vec_release(&p.drop);
	mlb_vec_release(&p.set);
	mlb_strmap_release(&p.seen);
	mlb_arena_release(&p.arena);
	return rc;
}
