/*
 * The journal of running jobs: .mlbuild/jobs, one fixed slot per job, written
 * with pwrite (surviving kill -9 of this process; power loss is harmless since
 * nothing is durable but what the store has synced). The format stands at the
 * top of journal.c. Only the holder of the build lock opens it.
 */
#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include <sys/types.h>

#include "base/buf.h"
#include "mlbuild/err.h"

struct mlb_journal;

/*
 * Open, after undoing what a dead mlbuild left: its survivors are killed, old
 * outputs return, partial ones go to failed/, temporary files go. *undone
 * counts the jobs undone; note (may be NULL) says so for people.
 */
int mlb_journal_open(struct mlb_journal **out, const char *root, const char *state_dir,
		     unsigned *undone, struct mlb_buf *note, struct mlb_err *err);
void mlb_journal_close(struct mlb_journal *j);

/* Does another running job of this root have an output inside this directory (relative to the root)? */
bool mlb_journal_in_use(const struct mlb_journal *j, unsigned slot, const char *root,
			const char *dir);

/*
 * A job is about to change files: what mlb_jobfiles_undo needs (engine/job_files.h)
 * is written down. `files` is borrowed until mlb_journal_end.
 */
struct mlb_jobfiles;
int mlb_journal_begin(struct mlb_journal *j, unsigned *slot, const struct mlb_jobfiles *files,
		      struct mlb_err *err);
int mlb_journal_started(struct mlb_journal *j, unsigned slot, pid_t group, uint64_t start,
			struct mlb_err *err);

/* failed/NAME was emptied for this job: an undo that is interrupted and begun again must keep what is there by now. */
int mlb_journal_undoing(struct mlb_journal *j, unsigned slot, struct mlb_err *err);

/* Old outputs that are to be kept are about to be moved: this is completed, not undone. */
int mlb_journal_accepting(struct mlb_journal *j, unsigned slot, struct mlb_err *err);

/* Accepted, or wholly undone. From here on nothing of this job is ever undone. */
int mlb_journal_end(struct mlb_journal *j, unsigned slot, struct mlb_err *err);

/* Its files could not be put back: forget `files`, and leave the undoing to the next mlbuild. */
void mlb_journal_abandon(struct mlb_journal *j, unsigned slot);

#endif
