/*
 * Signals while a build runs: SIGINT, SIGTERM and SIGHUP stop it in an orderly
 * way; SIGTSTP suspends it with the commands that run, which a display has to know. Outside of a build they
 * do what they usually do. The only state of the program that is not in struct
 * app lives here, because a handler has no argument.
 */
#ifndef COMMANDS_SIGNALS_H
#define COMMANDS_SIGNALS_H

#include <stdbool.h>

struct mlb_project;

/* tell: write to stderr that the build is being stopped (a live display shows it itself). */
void signals_begin(struct mlb_project *p, bool tell);
void signals_end(void);
unsigned signals_stops(void);      /* how often it was asked to stop */
unsigned signals_continues(void);  /* how often it came back from being suspended */
bool signals_suspended(void);      /* it is about to be suspended: a display must not draw */

#endif
