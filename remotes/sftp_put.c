/*
 * PUT: the bytes go to a name of their own in .tmp/ below the root, which no LIST
 * tells. When all are there and synced, they get their name:
 *
 *	                replacing                     if absent
 *	extension       posix-rename                  hardlink, then REMOVE
 *	without         RENAME; where the name is     RENAME, which fails where the name is
 *	                taken, REMOVE and RENAME:     taken: by the draft, and by OpenSSH's
 *	                for a moment there is none    link(2)
 *
 * A server whose RENAME replaces what is there (against section 6.5 of the draft) cannot
 * promise that of several one succeeds; OpenSSH, and whoever has hardlink, can. A file
 * system without hard links is seen by a hardlink that fails while nothing has the name.
 */
#include <stdlib.h>
#include <string.h>

#include "remotes/sftp_int.h"

enum step {
	STEP_LOOK,  /* if absent: STAT, so that nothing is sent in vain */
	STEP_OPEN,  /* of the temporary name */
	STEP_MKDIR, /* of what lacks on the way there */
	STEP_WRITE,
	STEP_SYNC,
	STEP_SIZE,
	STEP_CLOSE,
	STEP_REPLACE, /* posix-rename, or RENAME if offset is 1 */
	STEP_VACATE,  /* REMOVE of the name, to RENAME again */
	STEP_LINK,
	STEP_RENAME, /* if absent, without links */
	STEP_TAKEN,  /* STAT: did that fail because the name is taken? */
	STEP_CLEAN,  /* REMOVE of the temporary name */
	STEP_SPACE   /* statvfs: did it fail because the disk is full? */
};

/* Directories are made for .tmp/ and for the name; who removes them meanwhile wins. */
#define MOST_WAYS 2

static struct mlb_sftp_bytes
text(const char *s)
{
	return (struct mlb_sftp_bytes){ s, strlen(s) };
}

static bool
is_code(const struct mlb_sftp_packet *p, uint32_t code)
{
	struct mlb_sftp_status status;

	return mlb_sftp_get_status(&status, p) && status.code == code;
}

static bool
is_ok(const struct mlb_sftp_packet *p)
{
	return is_code(p, MLB_SFTP_OK);
}

static void
open_tmp(struct mlb_sftp_job *j)
{
	char *name = mlb_asprintf(MLB_SFTP_TMP "/%s-%llx", j->ssh->tmp_prefix,
				  (unsigned long long)j->ssh->n_tmp++);

	free(j->tmp);
	j->tmp = mlb_sftp_path(j->ssh, name);
	free(name);
	mlb_sftp_ask_open(j, STEP_OPEN, j->tmp,
			  MLB_SFTP_FOR_WRITE | MLB_SFTP_CREATE | MLB_SFTP_EXCLUSIVE);
}

static void
begin(struct mlb_sftp_job *j)
{
	if (j->op->if_absent)
		mlb_sftp_ask_path(j, STEP_LOOK, MLB_SFTP_STAT, j->path);
	else
		open_tmp(j);
}

static void give_name(struct mlb_sftp_job *j);

static void
taken(struct mlb_sftp_job *j)
{
	mlb_sftp_job_fail(j, MLB_FAULT_EXISTS, "remote '%s' has '%s' already", j->ssh->name,
			  j->op->name);
}

/* ------------------------------------------------------------- failures */

/*
 * A failure says no more than that ("Failure"). Where the disk might be the reason, ask
 * how much is free; what is told is kept in trouble until then.
 */
static void
refused(struct mlb_sftp_job *j, const char *doing, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_status status;
	struct mlb_buf words = MLB_BUF_INIT(1000);
	uint32_t id;

	if (!is_code(p, MLB_SFTP_FAILURE) || !j->ssh->ext.statvfs) {
		mlb_sftp_job_refused(j, doing, p);
		return;
	}
	j->failing = true;
	mlb_sftp_get_status(&status, p);
	mlb_sftp_status_text(&words, &status);
	free(j->trouble);
	j->trouble = mlb_asprintf("cannot %s '%s' on '%s': %s", doing, j->path, j->ssh->who,
				  mlb_buf_str(&words));
	mlb_buf_release(&words);
	id = mlb_sftp_ask(j, STEP_SPACE, 0, 0);
	mlb_sftp_add_extended(&j->ssh->link.out, id, MLB_SFTP_EXT_STATVFS,
			      text(*j->ssh->root ? j->ssh->root : "."), NULL);
}

static void
got_space(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	uint64_t bytes, files;

	if (mlb_sftp_get_space(&bytes, &files, p) && (bytes < j->op->size || files == 0))
		mlb_sftp_job_fail(j, MLB_FAULT_FULL,
				  "%s: no space is left there; free some (mlbuild remote gc)",
				  j->trouble);
	else
		mlb_sftp_job_fail(j, MLB_FAULT_OTHER,
				  "%s; a quota there, or its disk, may be the reason", j->trouble);
}

/* ------------------------------------------------------------- directories */

/* Make the next directory on the way from the root to path; false: there is none left. */
static bool
make_next(struct mlb_sftp_job *j, const char *path)
{
	size_t root = strlen(j->ssh->root);
	const char *at = path + root;
	char *dir;

	for (uint32_t i = 0; at && i <= j->deep; i++)
		at = strchr(at + 1, '/');
	if (!at)
		return false;
	dir = mlb_strndup(path, (size_t)(at - path));
	j->deep++;
	mlb_sftp_add_mkdir(&j->ssh->link.out, mlb_sftp_ask(j, STEP_MKDIR, 0, 0), dir);
	free(dir);
	return true;
}

/* Make what lacks on the way to path: its last directory is one of ours. */
static void
make_way(struct mlb_sftp_job *j, const char *path)
{
	free(j->way);
	j->way = mlb_strdup(path);
	j->deep = 0;
	if (j->ways++ >= MOST_WAYS || !make_next(j, path))
		mlb_sftp_job_fail(j, MLB_FAULT_TRANSIENT,
				  "cannot write '%s' on '%s': its directory is not there, although "
				  "it was made",
				  j->path, j->ssh->who);
}

static void
opened(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	char *tmp;

	if (p->type != MLB_SFTP_IS_STATUS) {
		mlb_sftp_keep_handle(j, p);
		return;
	}
	tmp = j->tmp;
	j->tmp = NULL; /* it is not there */
	if (is_code(p, MLB_SFTP_NO_SUCH_FILE))
		make_way(j, tmp);
	else
		refused(j, "write", p);
	free(tmp);
}

/* One that is there already fails, like one that cannot be made: what needs it will tell. */
static void
made(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_status status;

	if (!mlb_sftp_get_status(&status, p))
		mlb_sftp_job_odd(j, "an answer that does not fit the question");
	else if (status.code == MLB_SFTP_PERMISSION_DENIED)
		mlb_sftp_job_refused(j, "make the directory of", p);
	else if (make_next(j, j->way))
		return;
	else if (j->tmp)
		give_name(j);
	else
		open_tmp(j);
}

/* ------------------------------------------------------------- bytes */

/* All is sent: what follows on the same handle is answered in that order. */
static void
finish_file(struct mlb_sftp_job *j)
{
	const struct mlb_sftp_bytes handle = { j->handle, j->handle_len };

	if (j->ssh->ext.fsync)
		mlb_sftp_add_extended(&j->ssh->link.out, mlb_sftp_ask(j, STEP_SYNC, 0, 0),
				      MLB_SFTP_EXT_FSYNC, handle, NULL);
	mlb_sftp_ask_handle(j, STEP_SIZE, MLB_SFTP_FSTAT);
	mlb_sftp_ask_handle(j, STEP_CLOSE, MLB_SFTP_CLOSE);
	j->open = false;
}

static bool
more(struct mlb_sftp_job *j)
{
	const struct mlb_sftp_bytes handle = { j->handle, j->handle_len };
	struct mlb_sftp_bytes data = { NULL, MLB_MIN(j->op->size - j->at, j->ssh->write_max) };

	if (!j->open || j->failing)
		return false;
	if (data.len) {
		data.at = (const char *)j->op->data + j->at;
		mlb_sftp_add_write(&j->ssh->link.out,
				   mlb_sftp_ask(j, STEP_WRITE, j->at, (uint32_t)data.len), handle,
				   j->at, data);
	}
	j->at += data.len;
	if (j->at == j->op->size)
		finish_file(j);
	return true;
}

static void
check_size(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_attrs a = { 0 };

	if (p->type == MLB_SFTP_IS_STATUS)
		refused(j, "write", p);
	else if (!mlb_sftp_get_attrs(&a, p))
		mlb_sftp_job_odd(j, "attributes that are none");
	else if (a.has_size && a.size != j->op->size)
		mlb_sftp_job_fail(j, MLB_FAULT_OTHER,
				  "'%s' on '%s' has %llu bytes after %zu were written", j->path,
				  j->ssh->who, (unsigned long long)a.size, j->op->size);
	else
		j->op->mtime = a.mtime;
	if (!j->ended && a.mtime)
		mlb_sftp_sweep(j->ssh, a.mtime);
}

/* ------------------------------------------------------------- its name */

static void
ask_two(struct mlb_sftp_job *j, uint8_t step, const char *extension)
{
	uint32_t id = mlb_sftp_ask(j, step, !extension, 0);

	if (extension)
		mlb_sftp_add_extended(&j->ssh->link.out, id, extension, text(j->tmp), j->path);
	else
		mlb_sftp_add_rename(&j->ssh->link.out, id, j->tmp, j->path);
}

static void
give_name(struct mlb_sftp_job *j)
{
	const struct mlb_sftp_extensions *ext = &j->ssh->ext;

	if (!j->op->if_absent)
		ask_two(j, STEP_REPLACE, ext->posix_rename ? MLB_SFTP_EXT_POSIX_RENAME : NULL);
	else if (ext->hardlink)
		ask_two(j, STEP_LINK, MLB_SFTP_EXT_HARDLINK);
	else
		ask_two(j, STEP_RENAME, NULL);
}

static void
named(struct mlb_sftp_job *j)
{
	free(j->tmp); /* it is the name now */
	j->tmp = NULL;
	mlb_sftp_job_ok(j);
}

static void
replaced(struct mlb_sftp_job *j, const struct mlb_sftp_request *q, const struct mlb_sftp_packet *p)
{
	if (is_ok(p))
		named(j);
	else if (is_code(p, MLB_SFTP_NO_SUCH_FILE))
		make_way(j, j->path);
	else if (q->offset == 1 && is_code(p, MLB_SFTP_FAILURE) && !j->finished)
		mlb_sftp_ask_path(j, STEP_VACATE, MLB_SFTP_REMOVE, j->path);
	else
		refused(j, "write", p);
}

static void
vacated(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	j->finished = true; /* a second failure is one */
	if (is_ok(p) || is_code(p, MLB_SFTP_NO_SUCH_FILE))
		ask_two(j, STEP_REPLACE, NULL);
	else
		mlb_sftp_job_refused(j, "replace", p);
}

/* Neither a link nor a rename tells why it failed. */
static void
look_why(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p, bool renamed)
{
	struct mlb_sftp_status status;
	struct mlb_buf words = MLB_BUF_INIT(1000);

	if (!mlb_sftp_get_status(&status, p)) {
		mlb_sftp_job_odd(j, "an answer that does not fit the question");
		return;
	}
	mlb_sftp_status_text(&words, &status);
	free(j->trouble);
	j->trouble = mlb_strdup(mlb_buf_str(&words));
	j->trouble_fault = mlb_sftp_status_fault(status.code);
	mlb_buf_release(&words);
	j->finished = renamed;
	mlb_sftp_ask_path(j, STEP_TAKEN, MLB_SFTP_STAT, j->path);
}

static void
told_why(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	if (p->type == MLB_SFTP_IS_ATTRS)
		taken(j);
	else if (!j->finished && is_code(p, MLB_SFTP_NO_SUCH_FILE))
		ask_two(j, STEP_RENAME, NULL); /* no links there */
	else
		mlb_sftp_job_fail(j, j->trouble_fault, "cannot give '%s' on '%s' its name: %s",
				  j->path, j->ssh->who, j->trouble);
}

/* ------------------------------------------------------------- answers */

static void
answer_write(struct mlb_sftp_job *j, const struct mlb_sftp_request *q,
	     const struct mlb_sftp_packet *p)
{
	if (j->failing)
		return; /* the first failure counts, and is being looked into */
	if (q->step == STEP_SIZE)
		check_size(j, p);
	else if (is_ok(p))
		j->op->moved += q->len;
	else if (q->step != STEP_SYNC || !is_code(p, MLB_SFTP_UNSUPPORTED))
		refused(j, "write", p);
	if (!j->ended && !j->failing && !j->open && !j->pending)
		give_name(j);
}

static void
answer(struct mlb_sftp_job *j, const struct mlb_sftp_request *q, const struct mlb_sftp_packet *p)
{
	switch ((enum step)q->step) {
	case STEP_LOOK:
		if (p->type == MLB_SFTP_IS_ATTRS)
			taken(j);
		else if (is_code(p, MLB_SFTP_NO_SUCH_FILE))
			open_tmp(j);
		else
			mlb_sftp_job_refused(j, "look at", p);
		return;
	case STEP_OPEN:
		opened(j, p);
		return;
	case STEP_MKDIR:
		made(j, p);
		return;
	case STEP_WRITE:
	case STEP_SYNC:
	case STEP_SIZE:
	case STEP_CLOSE:
		answer_write(j, q, p);
		return;
	case STEP_REPLACE:
		replaced(j, q, p);
		return;
	case STEP_VACATE:
		vacated(j, p);
		return;
	case STEP_LINK:
		if (is_ok(p))
			mlb_sftp_ask_path(j, STEP_CLEAN, MLB_SFTP_REMOVE, j->tmp);
		else if (is_code(p, MLB_SFTP_NO_SUCH_FILE))
			make_way(j, j->path);
		else
			look_why(j, p, false);
		return;
	case STEP_RENAME:
		if (is_ok(p))
			named(j);
		else if (is_code(p, MLB_SFTP_NO_SUCH_FILE))
			make_way(j, j->path);
		else
			look_why(j, p, true);
		return;
	case STEP_TAKEN:
		told_why(j, p);
		return;
	case STEP_CLEAN:
		named(j); /* what could not be removed is told by no LIST */
		return;
	case STEP_SPACE:
		got_space(j, p);
		return;
	}
}

static void
end(struct mlb_sftp_job *j, bool up)
{
	if (j->tmp && up)
		mlb_sftp_remove_there(j->ssh, j->tmp);
}

const struct mlb_sftp_verb mlb_sftp_put = {
	.begin = begin, .more = more, .answer = answer, .end = end
};
