/*
 * .mlbuild/jobs, version 1: slots of 4096 bytes, one per job that runs. Written
 * on the machine that reads it: numbers are native. A slot is
 *
 *   offset  size
 *        0     8  "mlbjob1\n"
 *        8     1  state: 'R' running, 'U' being undone, 'A' accepted but for the old
 *                 outputs that are to be kept, 'E' ended (the slot is free)
 *        9     3  zero
 *       12     4  length of the body
 *       16     8  process group, 0 until it is known
 *       24     8  start time of its leader (os/spawn.h)
 *       32     8  mlb_hash64 of the body, seed 1
 *       40        body
 *
 * The body is a run of NUL-terminated strings: boot id, MLBUILD_JOB, node, root
 * (relative to the project, "" for the project itself; absolute if it is not
 * inside), then for each output one that begins with a letter and goes on with
 * its path relative to the root: 'n' if it did not exist before the job, 'o' if it
 * did, 'k' if it did and is to be kept: where, is the next string (relative to the
 * project if it is inside). Outputs that do not fit are in tmp/ID/outputs, in the
 * same form, and the string "f" says so.
 *
 * 1. A slot is no larger than a page and written by one pwrite: a SIGKILL leaves
 *    it as it was or as it is to be. After a power loss it may hold anything; then
 *    the hash, or the files themselves (engine/job_files.h), tell.
 * 2. The file is empty while no job runs: an orderly end truncates it.
 */
#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "engine/journal_int.h"
#include "os/fs.h"
#include "os/machine.h"
#include "os/path.h"

#define SLOT MLB_JOURNAL_SLOT
#define MAX_OUTPUTS_FILE ((size_t)64 << 20)
#define STATE_AT offsetof(struct head, state)
#define GROUP_AT offsetof(struct head, group)

struct head {
	char magic[8];
	char state;
	char zero[3];
	uint32_t len;
	int64_t group;
	uint64_t start;
	uint64_t hash;
};
_Static_assert(sizeof(struct head) == 40, "the journal's header has no padding");

static const char magic[8] = { 'm', 'l', 'b', 'j', 'o', 'b', '1', '\n' };

/* ----------------------------------------------------------------- writing */

static int
write_at(struct mlb_journal *j, unsigned slot, const void *data, size_t len, size_t at,
	 struct mlb_err *err)
{
	ssize_t n;

	do {
		n = pwrite(j->fd, data, len, (off_t)slot * SLOT + (off_t)at);
	} while (n < 0 && errno == EINTR);
	if (n < 0 || (size_t)n != len)
		return mlb_err_errno(err, n < 0 ? errno : ENOSPC, "cannot write '%s'", j->path);
	return 0;
}

static void
add_string(struct mlb_buf *b, const char *s)
{
	mlb_buf_add(b, s, strlen(s) + 1);
}

/* A path as the project sees it: it may have moved by the time this is read. */
static const char *
from_project(const struct mlb_journal *j, const char *path)
{
	if (!mlb_path_inside(path, j->root))
		return path;
	path += strlen(j->root);
	return path + (path[0] == '/');
}

static void
add_outputs(struct mlb_journal *j, struct mlb_buf *b, const struct mlb_jobfiles *f)
{
	for (size_t i = 0; i < f->file.n; i++) {
		const struct mlb_jobfile *o = &f->file.v[i];

		mlb_buf_addc(b, !o->had_old ? 'n' : o->keep ? 'k' : 'o');
		add_string(b, o->path);
		if (o->had_old && o->keep)
			add_string(b, from_project(j, o->keep));
	}
}

static int
write_outputs_file(struct mlb_journal *j, const struct mlb_jobfiles *f, struct mlb_err *err)
{
	struct mlb_buf list = MLB_BUF_INIT(MAX_OUTPUTS_FILE), path = MLB_BUF_INIT(PATH_MAX);
	int rc;

	mlb_buf_addf(&path, "%s/tmp/%s/outputs", j->state_dir, f->id);
	add_outputs(j, &list, f);
	rc = mlb_buf_check(&list, "the list of outputs", err);
	if (rc == 0)
		rc = mlb_fs_mkparents(mlb_buf_str(&path), err);
	if (rc == 0)
		rc = mlb_fs_write(mlb_buf_str(&path), list.data, list.len, false, err);
	mlb_buf_release(&path);
	mlb_buf_release(&list);
	return rc;
}

static int
make_body(struct mlb_journal *j, struct mlb_buf *body, const struct mlb_jobfiles *f,
	  struct mlb_err *err)
{
	size_t fixed;

	add_string(body, mlb_buf_str(&j->boot_id));
	add_string(body, f->job);
	add_string(body, f->name);
	add_string(body, from_project(j, f->root));
	fixed = body->len;
	add_outputs(j, body, f);
	if (!body->full)
		return 0;
	mlb_buf_truncate(body, fixed);
	body->full = false;
	add_string(body, "f");
	if (body->full)
		return mlb_err_set(err, MLB_ETOOBIG,
				   "the name of '%s' and the path of its root are too long",
				   f->name);
	return write_outputs_file(j, f, err);
}

static unsigned
free_slot(struct mlb_journal *j)
{
	struct mlb_journal_slot none = { NULL, false };
	size_t i;

	for (i = 0; i < j->slot.n; i++)
		if (!j->slot.v[i].taken)
			return (unsigned)i;
	mlb_vec_push(&j->slot, none);
	return (unsigned)i;
}

int
mlb_journal_begin(struct mlb_journal *j, unsigned *slot, const struct mlb_jobfiles *files,
		  struct mlb_err *err)
{
	union {
		struct head head;
		char bytes[SLOT];
	} page;
	struct mlb_buf body = MLB_BUF_INIT(SLOT - sizeof(struct head));
	unsigned n = free_slot(j);
	int rc = make_body(j, &body, files, err);

	if (rc == 0) {
		memset(&page.head, 0, sizeof(page.head));
		memcpy(page.head.magic, magic, sizeof(magic));
		page.head.state = 'R';
		page.head.len = (uint32_t)body.len;
		page.head.hash = mlb_hash64(body.data, body.len, 1);
		memcpy(page.bytes + sizeof(struct head), body.data, body.len);
		rc = write_at(j, n, page.bytes, sizeof(struct head) + body.len, 0, err);
	}
	if (rc == 0) {
		j->slot.v[n].files = files;
		j->slot.v[n].taken = true;
		*slot = n;
	}
	mlb_buf_release(&body);
	return rc;
}

int
mlb_journal_started(struct mlb_journal *j, unsigned slot, pid_t group, uint64_t start,
		    struct mlb_err *err)
{
	struct {
		int64_t group;
		uint64_t start;
	} who = { group, start };

	return write_at(j, slot, &who, sizeof(who), GROUP_AT, err);
}

int
mlb_journal_state(struct mlb_journal *j, unsigned slot, char state, struct mlb_err *err)
{
	return write_at(j, slot, &state, 1, STATE_AT, err);
}

int
mlb_journal_undoing(struct mlb_journal *j, unsigned slot, struct mlb_err *err)
{
	return mlb_journal_state(j, slot, 'U', err);
}

int
mlb_journal_accepting(struct mlb_journal *j, unsigned slot, struct mlb_err *err)
{
	return mlb_journal_state(j, slot, 'A', err);
}

int
mlb_journal_end(struct mlb_journal *j, unsigned slot, struct mlb_err *err)
{
	int rc = mlb_journal_state(j, slot, 'E', err);

	if (rc == 0) {
		j->slot.v[slot].files = NULL;
		j->slot.v[slot].taken = false;
	}
	return rc;
}

void
mlb_journal_abandon(struct mlb_journal *j, unsigned slot)
{
	j->slot.v[slot].files = NULL;
}

bool
mlb_journal_in_use(const struct mlb_journal *j, unsigned slot, const char *root, const char *dir)
{
	for (size_t i = 0; i < j->slot.n; i++) {
		const struct mlb_jobfiles *f = j->slot.v[i].files;
		if (!f || i == slot || strcmp(f->root, root) != 0)
			continue;
		for (size_t k = 0; k < f->file.n; k++)
			if (mlb_path_inside(f->file.v[k].path, dir))
				return true;
	}
	return false;
}

/* ----------------------------------------------------------------- reading */

/* The next string of a body, or NULL at its end or where it is cut. */
static const char *
next_string(const char **p, const char *end)
{
	const char *s = *p, *nul;

	if (s >= end)
		return NULL;
	nul = memchr(s, '\0', (size_t)(end - s));
	if (!nul)
		return NULL;
	*p = nul + 1;
	return s;
}

/* What from_project left of a path. */
static const char *
in_project(const struct mlb_journal *j, struct mlb_arena *arena, const char *path)
{
	if (path[0] == '/')
		return path;
	return path[0] ? mlb_arena_printf(arena, "%s/%s", j->root, path) : j->root;
}

static bool
read_outputs(const struct mlb_journal *j, struct mlb_dead *d, struct mlb_arena *arena,
	     const char *p, const char *end)
{
	const char *s, *keep;

	while ((s = next_string(&p, end))) {
		struct mlb_jobfile f = { .kind = MLB_G_FILE };
		if (!strchr("onk", s[0]) || s[0] == '\0' || s[1] == '\0' || s[1] == '/')
			return false;
		f.had_old = s[0] != 'n';
		f.path = mlb_arena_strdup(arena, s + 1);
		if (s[0] == 'k') {
			keep = next_string(&p, end);
			if (!keep || !keep[0])
				return false;
			f.keep = mlb_arena_strdup(arena, in_project(j, arena, keep));
		}
		mlb_vec_push(&d->files.file, f);
	}
	return p == end;
}

static bool
read_outputs_file(struct mlb_journal *j, struct mlb_dead *d, struct mlb_arena *arena)
{
	struct mlb_buf list = MLB_BUF_INIT(MAX_OUTPUTS_FILE), path = MLB_BUF_INIT(PATH_MAX);
	bool ok;

	mlb_buf_addf(&path, "%s/tmp/%s/outputs", j->state_dir, d->files.id);
	ok = mlb_fs_read(&list, mlb_buf_str(&path), NULL) == 0 &&
	     read_outputs(j, d, arena, mlb_buf_str(&list), mlb_buf_str(&list) + list.len);
	mlb_buf_release(&path);
	mlb_buf_release(&list);
	return ok;
}

bool
mlb_journal_read(struct mlb_journal *j, unsigned slot, struct mlb_dead *d)
{
	struct mlb_arena *arena = &d->arena;
	const char *p, *end, *root;
	struct head head;

	memset(d, 0, sizeof(*d));
	p = d->page + sizeof(head);
	if (pread(j->fd, d->page, SLOT, (off_t)slot * SLOT) < (ssize_t)sizeof(head))
		return false;
	memcpy(&head, d->page, sizeof(head));
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 || head.len > SLOT - sizeof(head) ||
	    head.state == '\0' || !strchr("RUAE", head.state) ||
	    mlb_hash64(p, head.len, 1) != head.hash)
		return false;
	end = p + head.len;
	d->state = head.state;
	d->group = (pid_t)head.group;
	d->start = head.start;
	d->boot_id = next_string(&p, end);
	d->files.job = next_string(&p, end);
	d->files.name = next_string(&p, end);
	root = next_string(&p, end);
	if (!root || !mlb_jobfiles_is_job(d->files.job))
		return false;
	d->files.id = d->files.job + strlen(d->files.job) - 32;
	d->files.root = in_project(j, arena, root);
	d->files.state_dir = j->state_dir;
	d->files.arena = arena;
	d->files.aside = true;
	if (end - p == 2 && p[0] == 'f')
		return read_outputs_file(j, d, arena);
	return read_outputs(j, d, arena, p, end);
}

void
mlb_dead_release(struct mlb_dead *d)
{
	mlb_jobfiles_release(&d->files);
	mlb_arena_release(&d->arena);
}

/* -------------------------------------------------------- opening, closing */

/* What is left in .mlbuild/tmp and .mlbuild/roots was of jobs that have ended. */
static void
clear_tmp(struct mlb_journal *j)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	struct mlb_dirents list = MLB_VEC_INIT;

	mlb_buf_addf(&path, "%s/roots", j->state_dir);
	if (access(mlb_buf_str(&path), F_OK) == 0)
		(void)mlb_fs_remove_tree(mlb_buf_str(&path), NULL);
	mlb_buf_clear(&path);

	mlb_buf_addf(&path, "%s/tmp", j->state_dir);
	if (access(mlb_buf_str(&path), F_OK) == 0 &&
	    mlb_fs_list(&list, mlb_buf_str(&path), NULL) == 0) {
		for (size_t i = 0; i < list.n; i++) {
			mlb_buf_clear(&path);
			mlb_buf_addf(&path, "%s/tmp/%s", j->state_dir, list.v[i].name);
			(void)mlb_fs_remove_tree(mlb_buf_str(&path), NULL);
		}
	}
	mlb_dirents_release(&list);
	mlb_buf_release(&path);
}

static int
open_file(struct mlb_journal *j, off_t *size, struct mlb_err *err)
{
	struct stat st;

	j->fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (j->fd < 0 || fstat(j->fd, &st) != 0)
		return mlb_err_errno(err, errno, "cannot open '%s'", j->path);
	*size = st.st_size;
	return 0;
}

int
mlb_journal_open(struct mlb_journal **out, const char *root, const char *state_dir,
		 unsigned *undone, struct mlb_buf *note, struct mlb_err *err)
{
	struct mlb_journal *j = mlb_calloc(1, sizeof(*j));
	off_t size = 0;
	int rc;

	*undone = 0;
	j->fd = -1;
	j->root = mlb_strdup(root);
	j->state_dir = mlb_strdup(state_dir);
	j->path = mlb_asprintf("%s/jobs", state_dir);
	mlb_buf_init(&j->boot_id, 128);
	mlb_machine_boot_id(&j->boot_id);
	rc = open_file(j, &size, err);
	if (rc == 0 && size > 0)
		rc = mlb_journal_undo(j, (uint64_t)size, undone, note, err);
	if (rc == 0 && size > 0 && ftruncate(j->fd, 0) != 0)
		rc = mlb_err_errno(err, errno, "cannot truncate '%s'", j->path);
	if (rc) {
		j->failed = true;
		mlb_journal_close(j);
		return rc;
	}
	clear_tmp(j);
	*out = j;
	return 0;
}

void
mlb_journal_close(struct mlb_journal *j)
{
	bool busy;

	if (!j)
		return;
	busy = j->failed;
	for (size_t i = 0; i < j->slot.n; i++)
		busy = busy || j->slot.v[i].taken;
	/* Should it not be emptied: free slots are read again, and tell of nothing. */
	if (j->fd >= 0 && !busy)
		(void)!ftruncate(j->fd, 0);
	if (j->fd >= 0)
		close(j->fd);
	mlb_vec_release(&j->slot);
	mlb_buf_release(&j->boot_id);
	free(j->root);
	free(j->state_dir);
	free(j->path);
	free(j);
}
