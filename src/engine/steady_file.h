/*
 * What steady.h says of a state in which nothing is to be done, once more in a
 * file, with the stat of every path: where all of that still is as it was, a
 * build ends without opening state.db, which takes half of its time otherwise.
 *
 * 1. It is written by a build that found nothing to do, and only where every
 *    path's stat proves its content: not for what is racy, nor for directories
 *    that have to be walked.
 * 2. Whatever is said anew, or no more, ends it before that is committed: the
 *    file goes first. (After a power cut it can be back although the commit is
 *    there, if that was not told: SQLite syncs the directory before it is.)
 * 3. Nothing in it is believed that can be looked at: the file only tells that
 *    the stats of all paths, of mlbuild.lock, .gitignore and the database are
 *    those of that moment.
 */
#ifndef ENGINE_STEADY_FILE_H
#define ENGINE_STEADY_FILE_H

#include "engine/steady.h"

/* Is there one that this build may go by? Looks only whether it exists. */
bool mlb_steady_file_there(const struct mlb_project *p, const struct mlb_build *opt);

/*
 * Whether nothing is to be done for these words. Loads the graph and looks at its
 * paths, which need not be done again then (mlb_project_peek). With the workspace claimed.
 */
bool mlb_steady_file_holds(struct mlb_steady *out, struct mlb_project *p,
			   const struct mlb_plan_options *o);

/* After a build that had nothing to do, with its scan saved. It is no failure of anything if it cannot be written. */
void mlb_steady_file_write(struct mlb_project *p);

void mlb_steady_file_drop(const struct mlb_project *p);

#endif
