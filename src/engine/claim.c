#include "engine/claim.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/journal.h"

enum { MAX_NOTE = 64 * 1024 };

static char *
lock_path(const struct mlb_project *p)
{
	return mlb_asprintf("%s/lock", p->state_dir);
}

static char *
note_of(const char *who)
{
	return mlb_asprintf("process %ld: %s", (long)getpid(), who ? who : "mlbuild");
}

int
mlb_claim_try(struct mlb_lock *out, const struct mlb_project *p, const char *who, bool *got,
	      struct mlb_buf *holder, struct mlb_err *err)
{
	char *path = lock_path(p), *note = note_of(who);
	int rc = mlb_lock_try(out, path, true, note, got, holder, err);

	free(note);
	free(path);
	return rc;
}

int
mlb_claim(struct mlb_lock *out, struct mlb_project *p, const char *who,
	  void (*waits)(void *ctx, const char *holder), void *ctx, struct mlb_err *err)
{
	char *path = lock_path(p), *note = note_of(who);
	struct mlb_buf holder = MLB_BUF_INIT(MAX_NOTE);
	bool got = false;
	int rc = mlb_lock_try(out, path, true, note, &got, &holder, err);

	if (rc == 0 && !got) {
		if (waits)
			waits(ctx, mlb_buf_str(&holder));
		rc = mlb_lock_wait(out, path, true, note, p->cancel_fd, err);
	}
	mlb_buf_release(&holder);
	free(note);
	free(path);
	return rc;
}

static int
take_now(struct mlb_lock *out, const struct mlb_project *p, const char *who, struct mlb_err *err)
{
	struct mlb_buf holder = MLB_BUF_INIT(MAX_NOTE);
	bool got = false;
	int rc = mlb_claim_try(out, p, who, &got, &holder, err);

	if (rc == 0 && !got)
		rc = mlb_err_set(err, MLB_ESYSTEM,
				 "another mlbuild is at work here (%s): wait for its end",
				 holder.len ? mlb_buf_str(&holder) : "it does not say which");
	mlb_buf_release(&holder);
	return rc;
}

int
mlb_claim_now(struct mlb_lock *out, struct mlb_project *p, const char *who, struct mlb_err *err)
{
	struct mlb_journal *journal = NULL;
	unsigned undone = 0;
	int rc = mlb_project_write(p, err);

	if (rc == 0)
		rc = take_now(out, p, who, err);
	if (rc)
		return rc;
	rc = mlb_journal_open(&journal, p->root, p->state_dir, &undone, NULL, err);
	mlb_journal_close(journal);
	if (rc)
		mlb_lock_release(out);
	return rc;
}
