/*
 * Names that a writer who died has left in .tmp/ go: those that are a day older than what
 * was written just now, by the server's clock. Once for each open remote, by a LIST and a
 * DELETE of our own, whose failures are nobody's.
 */
#include <stdlib.h>

#include "remotes/sftp_int.h"

#define ABANDONED (INT64_C(24) * 60 * 60) /* s */

struct mlb_sftp_sweep {
	struct mlb_ssh *ssh;
	struct mlb_remote_op op;
	int64_t before; /* mtime of what goes is below */
	struct mlb_strvec names;
};

static int
look(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	struct mlb_sftp_sweep *w = op->ctx;

	(void)err;
	if (e->mtime && e->mtime < w->before && w->names.n < MLB_REMOTE_BATCH)
		mlb_vec_push(&w->names, mlb_asprintf(MLB_SFTP_TMP "/%s", e->name));
	return MLB_OK;
}

static void
ended(struct mlb_remote_op *op)
{
	mlb_err_release(&op->err);
}

static void
listed(struct mlb_remote_op *op)
{
	struct mlb_sftp_sweep *w = op->ctx;
	bool ok = !op->rc;

	mlb_err_release(&op->err);
	if (!ok || !w->names.n)
		return;
	*op = (struct mlb_remote_op){ .verb = MLB_REMOTE_DELETE,
				      .names = (const char *const *)w->names.v,
				      .n_names = w->names.n,
				      .done = ended };
	mlb_sftp_job_new(w->ssh, op);
}

void
mlb_sftp_sweep(struct mlb_ssh *s, int64_t now)
{
	struct mlb_sftp_sweep *w;

	if (s->sweep)
		return;
	w = s->sweep = mlb_calloc(1, sizeof(*w));
	w->ssh = s;
	w->before = now - ABANDONED;
	w->op = (struct mlb_remote_op){ .verb = MLB_REMOTE_LIST,
					.name = MLB_SFTP_TMP,
					.entry = look,
					.done = listed,
					.ctx = w };
	mlb_sftp_job_new(s, &w->op);
}

void
mlb_sftp_sweep_free(struct mlb_ssh *s)
{
	if (!s->sweep)
		return;
	mlb_strvec_release(&s->sweep->names);
	free(s->sweep);
	s->sweep = NULL;
}
