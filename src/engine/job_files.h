/*
 * The files of a job: its outputs' old selves set aside, its new ones looked at,
 * and everything put back. Shared by job.c and, after a death, by journal.c.
 *
 * 1. Before a job's command starts, each old output rests in .mlbuild/tmp/ID/N,
 *    or (an output on another file system) beside its place as .mlbuild-ID.N.
 * 2. An output with an old self is never touched while that self is not there:
 *    so undoing may be repeated, and may be cut short at any instant.
 * 3. An output without an old self that exists during an undo was made by the job.
 *
 * Ownership: all strings are borrowed from whoever filled the struct, but
 * `made`, which belongs to the arena.
 */
#ifndef ENGINE_JOB_FILES_H
#define ENGINE_JOB_FILES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "engine/job.h"

struct mlb_jobfile {
	const char *path; /* relative to the root */
	uint8_t kind; /* enum mlb_g_okind; not known (and not needed) when undoing after a death */
	bool had_old; /* it existed before the job */
	const char *
		keep; /* absolute: where the old output goes when the new one is accepted; NULL: nowhere */
	const char *
		made; /* the topmost parent that was made for it, relative to the root; NULL: none */
};
MLB_VEC_NAMED(mlb_jobfile_vec, struct mlb_jobfile);

struct mlb_jobfiles {
	const char *job;  /* MLBUILD_JOB: ids of the jobs that this one runs in, slashes, its own */
	const char *id;   /* its own: 32 hexadecimal digits */
	const char *name; /* node */
	const char *root; /* absolute */
	const char *state_dir; /* absolute .mlbuild */
	struct mlb_arena *arena;
	struct mlb_jobfile_vec file;
	bool aside; /* .mlbuild/tmp/ID was made */
	bool kept;  /* something rests in .mlbuild/failed/NAME */
};

void mlb_jobfiles_release(struct mlb_jobfiles *f);

int mlb_jobfiles_look(struct mlb_jobfiles *f,
		      struct mlb_err *err); /* fills had_old; changes nothing */
int mlb_jobfiles_set_aside(struct mlb_jobfiles *f,
			   struct mlb_err *err); /* and makes parents and directory outputs */
int mlb_jobfiles_make_aside(struct mlb_jobfiles *f, struct mlb_err *err); /* .mlbuild/tmp/ID */

/* Empty .mlbuild/failed/NAME, then move what the job left there and return what it found. */
void mlb_jobfiles_clear_failed(struct mlb_jobfiles *f);
int mlb_jobfiles_undo(struct mlb_jobfiles *f, struct mlb_err *err);

/* After an undo: the parents that were made for output i (it has `made`) go if they are empty. */
void mlb_jobfiles_remove_made(const struct mlb_jobfiles *f, size_t i);

/*
 * Move old outputs that are to be kept where they are to be kept; all or, if it
 * fails, none. What is not set aside (any more) is passed over.
 */
bool mlb_jobfiles_keeps(const struct mlb_jobfiles *f); /* is there any? */
int mlb_jobfiles_keep(struct mlb_jobfiles *f, struct mlb_err *err);

/* Delete what was set aside and .mlbuild/tmp/ID. What cannot be deleted goes when the next journal is opened. */
void mlb_jobfiles_drop(struct mlb_jobfiles *f);

/*
 * Is every output there, and of its kind? *bad is the first that is not, or NULL,
 * and `reason` then says what is wrong.
 */
void mlb_jobfiles_check(struct mlb_jobfiles *f, const char **bad, struct mlb_buf *reason);

/* Is this a value of MLBUILD_JOB that we made? NULL is not. */
bool mlb_jobfiles_is_job(const char *job);

/* A node's name as one file name: slashes, a leading dot and too many characters replaced. Replaces out. */
void mlb_jobfiles_name(struct mlb_buf *out, const char *name);

/* Paths below the state directory. They replace out. */
void mlb_jobfiles_failed_dir(struct mlb_buf *out, const struct mlb_jobfiles *f);
void mlb_jobfiles_log_path(struct mlb_buf *out, const struct mlb_jobfiles *f);
void mlb_jobfiles_aside_dir(struct mlb_buf *out, const struct mlb_jobfiles *f);

#endif
