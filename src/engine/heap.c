#include "engine/heap.h"

bool
mlb_heap_before(const struct mlb_work *a, const struct mlb_work *b)
{
	return a->cost != b->cost ? a->cost > b->cost : a->seq < b->seq;
}

void
mlb_heap_push(struct mlb_works *heap, struct mlb_work *w)
{
	size_t i = heap->n;

	mlb_vec_push(heap, w);
	while (i && mlb_heap_before(w, heap->v[(i - 1) / 2])) {
		heap->v[i] = heap->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap->v[i] = w;
}

struct mlb_work *
mlb_heap_pop(struct mlb_works *heap)
{
	struct mlb_work *top, *last;
	size_t i = 0;

	if (heap->n == 0)
		return NULL;
	top = heap->v[0];
	last = heap->v[--heap->n];
	for (;;) {
		size_t c = 2 * i + 1;

		if (c >= heap->n)
			break;
		if (c + 1 < heap->n && mlb_heap_before(heap->v[c + 1], heap->v[c]))
			c++;
		if (!mlb_heap_before(heap->v[c], last))
			break;
		heap->v[i] = heap->v[c];
		i = c;
	}
	if (heap->n)
		heap->v[i] = last;
	return top;
}
