/* The second half of a job's life: how it ended, and what becomes of its files. */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/job_int.h"
#include "engine/journal.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"

static void
explain(struct mlb_job *j, const struct mlb_exit *x)
{
	size_t len;
	const char *log = mlb_joblog_text(&j->log, &len);

	if (j->timed_out) {
		mlb_buf_adds(&j->reason, "timed out after ");
		mlb_add_duration(&j->reason, j->timeout_ns);
	} else if (j->stopping) {
		mlb_buf_adds(&j->reason, "interrupted");
	} else {
		mlb_job_explain_exit(&j->reason, x, log, len);
	}
}

int
mlb_job_finish(struct mlb_job *j, struct mlb_job_end *end, struct mlb_err *err)
{
	const char *bad = NULL;
	int rc;

	memset(end, 0, sizeof(*end));
	end->duration_ns = mlb_clock_mono() - j->started;
	end->started_wall = (uint64_t)j->started_wall;
	(void)mlb_spawn_kill_job(j->files.job, j->child.pid);
	j->state = JOB_ENDED;
	rc = mlb_child_reap(&end->exit, &j->child, err);
	if (rc)
		return rc;
	/* Only now: while a survivor held the pipe its end would not come. */
	mlb_job_drain(j);
	j->deadline = 0;

	end->timed_out = j->timed_out;
	end->cancelled = j->stopping && !j->timed_out;
	if (j->stopping || end->exit.code != 0) {
		explain(j, &end->exit);
		end->no = !j->stopping && end->exit.code >= 1 && end->exit.code <= 125;
	} else {
		mlb_jobfiles_check(&j->files, &bad, &j->reason);
	}
	end->ok = !j->stopping && end->exit.code == 0 && !bad;
	end->missing = bad ? bad : "";
	end->reason = mlb_buf_str(&j->reason);
	return 0;
}

const char *
mlb_job_log(struct mlb_job *j, size_t *len)
{
	return mlb_joblog_text(&j->log, len);
}

void
mlb_job_failed_dir(struct mlb_buf *out, const struct mlb_job *j)
{
	mlb_jobfiles_failed_dir(out, &j->files);
}

const char *
mlb_job_kept(const struct mlb_job *j)
{
	return mlb_buf_str(&j->kept);
}

const char *
mlb_job_log_path(const struct mlb_job *j)
{
	return mlb_buf_str(&j->log_path);
}

/* An absolute path below the state directory as the project sees it: ".mlbuild/…". */
static void
from_project(const struct mlb_job *j, struct mlb_buf *out, const char *path)
{
	const char *base = mlb_path_base(j->files.state_dir);

	mlb_buf_clear(out);
	mlb_buf_adds(out, path + (base - j->files.state_dir));
}

static int
write_log(struct mlb_job *j, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	size_t len;
	const char *text = mlb_joblog_text(&j->log, &len);
	int rc;

	mlb_jobfiles_log_path(&path, &j->files);
	rc = mlb_fs_write(mlb_buf_str(&path), text, len, false, NULL);
	if (rc) {
		rc = mlb_fs_mkparents(mlb_buf_str(&path), err);
		if (rc == 0)
			rc = mlb_fs_write(mlb_buf_str(&path), text, len, false, err);
	}
	if (rc == 0)
		from_project(j, &j->log_path, mlb_buf_str(&path));
	mlb_buf_release(&path);
	return rc;
}

/*
 * The new outputs stay. Old ones that are to be kept go first, and the journal
 * knows that this is under way: dying here must not bring others of them back.
 */
static int
let_stay(struct mlb_job *j, struct mlb_err *err)
{
	bool keeps = mlb_jobfiles_keeps(&j->files);
	int rc = 0;

	if (keeps && j->journaled)
		rc = mlb_journal_accepting(j->journal, j->slot, err);
	if (rc == 0 && keeps)
		rc = mlb_jobfiles_keep(&j->files, err);
	if (rc)
		return rc;
	j->state = JOB_CLOSED;
	if (j->journaled)
		rc = mlb_journal_end(j->journal, j->slot, err);
	if (rc == 0) {
		j->journaled = false;
		mlb_jobfiles_drop(&j->files);
	}
	return rc;
}

int
mlb_job_accept(struct mlb_job *j, struct mlb_err *err)
{
	int rc = let_stay(j, err);

	if (rc == 0 && j->scratch[0])
		rc = mlb_fs_remove_tree(j->scratch, err);
	return rc;
}

static void
remove_made_parents(struct mlb_job *j)
{
	for (size_t i = 0; i < j->files.file.n; i++) {
		const char *made = j->files.file.v[i].made;
		if (made &&
		    !(j->journal && mlb_journal_in_use(j->journal, j->slot, j->files.root, made)))
			mlb_jobfiles_remove_made(&j->files, i);
	}
}

/* The slot stays taken when files could not be put back: the next mlbuild tries again. */
static int
put_back(struct mlb_job *j, struct mlb_err *err)
{
	struct mlb_buf path = MLB_BUF_INIT(PATH_MAX);
	int rc;

	if (j->started)
		mlb_jobfiles_clear_failed(&j->files);
	if (j->started && j->journaled)
		(void)mlb_journal_undoing(j->journal, j->slot, NULL);
	rc = mlb_jobfiles_undo(&j->files, err);
	remove_made_parents(j);
	if (j->files.kept) {
		mlb_jobfiles_failed_dir(&path, &j->files);
		from_project(j, &j->kept, mlb_buf_str(&path));
	}
	mlb_buf_release(&path);
	j->state = JOB_CLOSED;
	if (rc == 0 && j->journaled) {
		rc = mlb_journal_end(j->journal, j->slot, err);
		j->journaled = rc != 0;
	}
	if (rc == 0)
		mlb_jobfiles_drop(&j->files);
	return rc;
}

int
mlb_job_reject(struct mlb_job *j, bool keep_outputs, struct mlb_err *err)
{
	int rc;

	/* What several of them leave must not replace each other's. */
	if (!keep_outputs && j->part)
		j->files.name = mlb_arena_printf(&j->arena, "%s %s", j->files.name, j->part);
	j->part = NULL;
	rc = keep_outputs ? let_stay(j, err) : put_back(j, err);
	if (j->started) {
		int r = write_log(j, rc ? NULL : err);
		rc = rc ? rc : r;
	}
	return rc;
}

void
mlb_job_free(struct mlb_job *j)
{
	struct mlb_job_end end;

	if (!j)
		return;
	if (j->state == JOB_RUNNING) {
		j->stopping++;
		mlb_child_signal(&j->child, SIGKILL);
		(void)mlb_job_finish(j, &end, NULL);
	}
	if (j->state == JOB_ENDED)
		(void)mlb_job_reject(j, false, NULL);
	if (j->journaled)
		mlb_journal_abandon(j->journal, j->slot);
	if (j->out_fd >= 0)
		close(j->out_fd);
	mlb_jobfiles_release(&j->files);
	mlb_joblog_release(&j->log);
	mlb_buf_release(&j->reason);
	mlb_buf_release(&j->kept);
	mlb_buf_release(&j->log_path);
	mlb_arena_release(&j->arena);
	free(j);
}
