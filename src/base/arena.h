/*
 * A bump allocator for things that die together.  Whoever made the arena owns
 * all that came out of it; nothing is freed singly.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/compat.h"

struct mlb_arena_chunk;

struct mlb_arena {
	struct mlb_arena_chunk *head; /* the chunk being filled; older ones behind it */
	size_t total;                 /* bytes handed out */
};

#define MLB_ARENA_INIT { NULL, 0 }

void *mlb_arena_alloc(struct mlb_arena *a, size_t size);                  /* cleared, aligned for any type */
char *mlb_arena_strdup(struct mlb_arena *a, const char *s);
char *mlb_arena_strndup(struct mlb_arena *a, const char *s, size_t len);
char *mlb_arena_printf(struct mlb_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mlb_arena_release(struct mlb_arena *a);                              /* frees all; may be used again */

#endif
