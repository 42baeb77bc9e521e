/* A target's command as a script, for people who want to see for themselves what it does. */
#ifndef ENGINE_BY_HAND_H
#define ENGINE_BY_HAND_H

#include "engine/project.h"

#define MLB_BY_HAND_DIR ".mlbuild/scratch/by-hand" /* below the project's root */

/*
 * Appends the script that runs `command`, of action `a` of node n, wherever it is started: list[i] is the file
 * that the command reads the i-th list of the node from, NULL for one that shares the file of one before it.
 */
void mlb_by_hand(struct mlb_buf *out, struct mlb_plan *plan, uint32_t n, const struct mlb_action *a,
		 const char *command, const char *const *list);

#endif
