/*
 * The lines that an event of a build leaves behind, on a terminal and elsewhere:
 *
 *     built  split         0.4s
 *    failed  model         12s: exit code 1
 */
#ifndef COMMANDS_LINES_H
#define COMMANDS_LINES_H

#include "commands/out.h"
#include "mlbuild.h"

struct lines {
	bool color;
	bool utf8;
	bool verbose;
	bool fold; /* what is told of single files of an `each` target leaves no line */
};

/* A right-aligned word in a colour, and what keeps a distance from it. */
void lines_mark(struct mlb_buf *b, const struct lines *l, enum paint p, const char *word);

/* What the event is about: a target, or files of one of `each`. */
void lines_subject(struct mlb_buf *b, const struct mlb_event *e);

/* Append what the event leaves behind, each line with its line feed. */
void lines_event(struct mlb_buf *b, const struct lines *l, const struct mlb_event *e);

/* Duration in whole seconds above ten: what a person wants to read. */
void lines_duration(struct mlb_buf *b, uint64_t ns);

#endif
