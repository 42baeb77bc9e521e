/* A part of the ready queue: a binary heap, dearest critical path on top, then the older. */
#ifndef ENGINE_HEAP_H
#define ENGINE_HEAP_H

#include "engine/builder.h"

bool mlb_heap_before(const struct mlb_work *a, const struct mlb_work *b); /* a is started first */
void mlb_heap_push(struct mlb_works *heap, struct mlb_work *w);
struct mlb_work *mlb_heap_pop(struct mlb_works *heap); /* NULL if it is empty */

#endif
