/* Shared by journal.c (which knows the format) and journal_undo.c (which puts things right). */
#ifndef ENGINE_JOURNAL_INT_H
#define ENGINE_JOURNAL_INT_H

#include "base/arena.h"
#include "base/vec.h"
#include "engine/job_files.h"
#include "engine/journal.h"

#define MLB_JOURNAL_SLOT 4096

struct mlb_journal_slot {
	const struct mlb_jobfiles *files; /* NULL: free, or abandoned */
	bool taken;
};

struct mlb_journal {
	int fd;
	char *path;
	char *root; /* absolute project */
	char *state_dir;
	struct mlb_buf boot_id;
	MLB_VEC(struct mlb_journal_slot) slot;
	bool failed; /* a slot could not be undone: keep the file */
};

/* A job of a mlbuild that died, as its slot tells it. */
struct mlb_dead {
	char page[MLB_JOURNAL_SLOT];
	struct mlb_arena arena;
	char state; /* R, U, A or E */
	pid_t group;
	uint64_t start;
	const char *boot_id;       /* in page */
	struct mlb_jobfiles files; /* strings in page and arena */
};

/* False for a slot that was never whole. Release d in any case. */
bool mlb_journal_read(struct mlb_journal *j, unsigned slot, struct mlb_dead *d);
void mlb_dead_release(struct mlb_dead *d);
int mlb_journal_state(struct mlb_journal *j, unsigned slot, char state, struct mlb_err *err);

/* Put right what the slots of a file of this size tell. */
int mlb_journal_undo(struct mlb_journal *j, uint64_t size, unsigned *undone, struct mlb_buf *note,
		     struct mlb_err *err);

#endif
