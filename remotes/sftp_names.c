/* LIST, STAT and DELETE. */
#include <stdlib.h>
#include <string.h>

#include "remotes/sftp_int.h"

enum step { STEP_OPEN, STEP_READ, STEP_STAT, STEP_REMOVE, STEP_WHY };

/* Of one directory at once: each brings about a hundred names. */
#define MOST_READS 8
/* More are not a listing, but a server that never ends. */
#define MOST_NAMES 50000000

static bool
is_code(const struct mlb_sftp_packet *p, uint32_t code)
{
	struct mlb_sftp_status status;

	return mlb_sftp_get_status(&status, p) && status.code == code;
}

/* ------------------------------------------------------------- LIST */

static void
list_begin(struct mlb_sftp_job *j)
{
	mlb_sftp_ask_path(j, STEP_OPEN, MLB_SFTP_OPENDIR, j->path);
}

static bool
list_more(struct mlb_sftp_job *j)
{
	if (!j->open || j->finished || j->pending >= MOST_READS)
		return false;
	mlb_sftp_ask_handle(j, STEP_READ, MLB_SFTP_READDIR);
	return true;
}

static void
list_opened(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	if (is_code(p, MLB_SFTP_NO_SUCH_FILE))
		mlb_sftp_job_ok(j); /* one that is not there is empty */
	else if (p->type == MLB_SFTP_IS_STATUS)
		mlb_sftp_job_refused(j, "list", p);
	else
		mlb_sftp_keep_handle(j, p);
}

/* A file's name that could be one of ours; others may rest there too, but no path. */
static void
list_entry(struct mlb_sftp_job *j, const struct mlb_sftp_name *n)
{
	struct mlb_remote_entry e = { .size = n->attrs.size, .mtime = n->attrs.mtime };
	struct mlb_remote_op *op = j->op;
	char name[MLB_REMOTE_NAME_MAX + 1];
	int rc;

	if (n->name.len &&
	    (memchr(n->name.at, '/', n->name.len) || memchr(n->name.at, '\0', n->name.len))) {
		mlb_sftp_job_odd(j, "a name with '/' or a NUL in a listing");
		return;
	}
	if (++j->at > MOST_NAMES) {
		mlb_sftp_job_odd(j, "a listing without an end");
		return;
	}
	if (n->name.len > MLB_REMOTE_NAME_MAX || !mlb_sftp_is_file(&n->attrs))
		return;
	memcpy(name, n->name.at, n->name.len);
	name[n->name.len] = '\0';
	if (!mlb_remote_name_valid(name))
		return;
	e.name = name;
	rc = op->entry(op, &e, &op->err);
	if (rc < 0)
		mlb_sftp_job_stopped(j, rc);
}

static void
list_names(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_names names;
	struct mlb_sftp_name one;

	if (!mlb_sftp_names_begin(&names, p)) {
		mlb_sftp_job_odd(j, "a listing that is none");
		return;
	}
	if (!names.left)
		j->finished = true;
	while (names.left && !j->ended) {
		if (mlb_sftp_names_next(&one, &names))
			list_entry(j, &one);
		else
			mlb_sftp_job_odd(j, "a listing that is cut off");
	}
}

static void
list_answer(struct mlb_sftp_job *j, const struct mlb_sftp_request *q,
	    const struct mlb_sftp_packet *p)
{
	if (q->step == STEP_OPEN) {
		list_opened(j, p);
		return;
	}
	if (p->type == MLB_SFTP_IS_NAME)
		list_names(j, p);
	else if (is_code(p, MLB_SFTP_EOF))
		j->finished = true;
	else
		mlb_sftp_job_refused(j, "list", p);
	if (j->finished && !j->pending)
		mlb_sftp_job_ok(j);
}

/* ------------------------------------------------------------- STAT */

static void
stat_begin(struct mlb_sftp_job *j)
{
	mlb_sftp_ask_path(j, STEP_STAT, MLB_SFTP_STAT, j->path);
}

static void
stat_answer(struct mlb_sftp_job *j, const struct mlb_sftp_request *q,
	    const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_attrs a;

	(void)q;
	if (p->type == MLB_SFTP_IS_STATUS) {
		mlb_sftp_job_refused(j, "look at", p);
	} else if (!mlb_sftp_get_attrs(&a, p) || !a.has_size) {
		mlb_sftp_job_odd(j, "attributes that are none");
	} else if (!mlb_sftp_is_file(&a)) {
		mlb_sftp_job_fail(j, MLB_FAULT_ABSENT, "'%s' on '%s' is not a file", j->path,
				  j->ssh->who);
	} else {
		j->op->total = a.size;
		j->op->mtime = a.mtime;
		mlb_sftp_job_ok(j);
	}
}

/* ------------------------------------------------------------- DELETE */

static void
ask_of_name(struct mlb_sftp_job *j, enum step step, enum mlb_sftp_type type, uint64_t which)
{
	char *path = mlb_sftp_path(j->ssh, j->op->names[which]);

	mlb_sftp_add_path(&j->ssh->link.out, type, mlb_sftp_ask(j, (uint8_t)step, which, 0), path);
	free(path);
}

static bool
delete_more(struct mlb_sftp_job *j)
{
	if (j->at == j->op->n_names)
		return false;
	ask_of_name(j, STEP_REMOVE, MLB_SFTP_REMOVE, j->at++);
	return true;
}

static void
delete_begin(struct mlb_sftp_job *j)
{
	if (!delete_more(j))
		mlb_sftp_job_ok(j);
}

/* The others are deleted all the same; the first that could not be is told. */
static void
not_deleted(struct mlb_sftp_job *j, uint64_t which, const struct mlb_sftp_status *status)
{
	struct mlb_buf words = MLB_BUF_INIT(1000);

	if (j->trouble)
		return;
	mlb_buf_addf(&words, "cannot delete '%s' on '%s': ", j->op->names[which], j->ssh->who);
	mlb_sftp_status_text(&words, status);
	j->trouble = mlb_strdup(mlb_buf_str(&words));
	j->trouble_fault = mlb_sftp_status_fault(status->code);
	mlb_buf_release(&words);
}

static void
removed(struct mlb_sftp_job *j, uint64_t which, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_status status;

	if (!mlb_sftp_get_status(&status, p))
		mlb_sftp_job_odd(j, "an answer that does not fit the question");
	else if (status.code == MLB_SFTP_FAILURE)
		ask_of_name(j, STEP_WHY, MLB_SFTP_STAT, which); /* a directory is no name */
	else if (status.code != MLB_SFTP_OK && status.code != MLB_SFTP_NO_SUCH_FILE)
		not_deleted(j, which, &status);
}

static void
told_why(struct mlb_sftp_job *j, uint64_t which, const struct mlb_sftp_packet *p)
{
	const struct mlb_sftp_status failure = { MLB_SFTP_FAILURE, { NULL, 0 } };
	struct mlb_sftp_attrs a;

	if (is_code(p, MLB_SFTP_NO_SUCH_FILE) ||
	    (mlb_sftp_get_attrs(&a, p) && !mlb_sftp_is_file(&a)))
		return;
	not_deleted(j, which, &failure);
}

static void
delete_answer(struct mlb_sftp_job *j, const struct mlb_sftp_request *q,
	      const struct mlb_sftp_packet *p)
{
	if (q->step == STEP_REMOVE)
		removed(j, q->offset, p);
	else
		told_why(j, q->offset, p);
	if (j->pending || j->at < j->op->n_names)
		return;
	if (j->trouble)
		mlb_sftp_job_fail(j, j->trouble_fault, "%s", j->trouble);
	else
		mlb_sftp_job_ok(j);
}

const struct mlb_sftp_verb mlb_sftp_list = { .begin = list_begin,
					     .more = list_more,
					     .answer = list_answer };
const struct mlb_sftp_verb mlb_sftp_stat = { .begin = stat_begin, .answer = stat_answer };
const struct mlb_sftp_verb mlb_sftp_delete = { .begin = delete_begin,
					       .more = delete_more,
					       .answer = delete_answer };
