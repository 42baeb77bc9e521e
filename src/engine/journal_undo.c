/* After a death: each job that ran is undone, or what was accepted completed. */
#include <limits.h>
#include <string.h>

#include "engine/journal_int.h"
#include "os/spawn.h"

#define MAX_SLOTS 65536 /* more is not a journal */

/* Dead after its outputs were accepted. */
static int
complete_slot(struct mlb_journal *j, unsigned slot, struct mlb_dead *d, struct mlb_err *err)
{
	int rc = 0;

	if (d->state == 'A') {
		rc = mlb_jobfiles_keep(&d->files, err);
		if (rc == 0)
			rc = mlb_journal_state(j, slot, 'E', err);
	}
	if (rc == 0)
		mlb_jobfiles_drop(&d->files);
	return rc;
}

static int
undo_slot(struct mlb_journal *j, unsigned slot, struct mlb_dead *d, struct mlb_err *err)
{
	int rc = 0;

	(void)mlb_spawn_kill_survivors(d->files.job, d->group, d->start, d->boot_id);
	if (d->state == 'R') {
		mlb_jobfiles_clear_failed(&d->files);
		rc = mlb_journal_undoing(j, slot, err);
	}
	if (rc == 0)
		rc = mlb_jobfiles_undo(&d->files, err);
	if (rc == 0)
		rc = mlb_journal_state(j, slot, 'E', err);
	if (rc == 0)
		mlb_jobfiles_drop(&d->files);
	return rc;
}

static void
add_note(struct mlb_buf *note, unsigned undone, const struct mlb_dead *d)
{
	if (!note)
		return;
	mlb_buf_addf(note, "%s%s",
		     undone ? ", " : "undone after an mlbuild that was killed: ", d->files.name);
	if (d->files.kept) {
		struct mlb_buf name = MLB_BUF_INIT(PATH_MAX);
		mlb_jobfiles_name(&name, d->files.name);
		mlb_buf_addf(note, " (what it left is in .mlbuild/failed/%s)", mlb_buf_str(&name));
		mlb_buf_release(&name);
	}
}

int
mlb_journal_undo(struct mlb_journal *j, uint64_t size, unsigned *undone, struct mlb_buf *note,
		 struct mlb_err *err)
{
	uint64_t n = MLB_MIN((size + MLB_JOURNAL_SLOT - 1) / MLB_JOURNAL_SLOT, (uint64_t)MAX_SLOTS);
	int rc = 0;

	for (unsigned i = 0; i < n; i++) {
		struct mlb_dead d;
		int r = 0;

		if (mlb_journal_read(j, i, &d)) {
			if (d.state == 'A' || d.state == 'E') {
				r = complete_slot(j, i, &d, rc ? NULL : err);
			} else {
				r = undo_slot(j, i, &d, rc ? NULL : err);
				if (r == 0)
					add_note(note, (*undone)++, &d);
			}
		}
		mlb_dead_release(&d);
		rc = rc ? rc : r;
	}
	return rc;
}
