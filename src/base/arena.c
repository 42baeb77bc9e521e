#include "base/arena.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define CHUNK_FIRST ((size_t)4096)
#define CHUNK_LAST ((size_t)1024 * 1024)

struct mlb_arena_chunk {
	struct mlb_arena_chunk *next;
	size_t used;
	size_t cap;
	max_align_t data[]; /* cleared */
};

static struct mlb_arena_chunk *
chunk_new(size_t cap)
{
	struct mlb_arena_chunk *c;

	if (cap > SIZE_MAX - sizeof(*c))
		abort();
	c = mlb_calloc(1, sizeof(*c) + cap);
	c->cap = cap;
	return c;
}

/* What does not fit gets a chunk; a large one goes behind the head, which stays in use. */
static struct mlb_arena_chunk *
chunk_for(struct mlb_arena *a, size_t size)
{
	size_t cap = a->head ? MLB_MIN(a->head->cap * 2, CHUNK_LAST) : CHUNK_FIRST;
	struct mlb_arena_chunk *c;

	if (a->head && a->head->cap - a->head->used >= size)
		return a->head;
	if (a->head && size > cap / 2) {
		c = chunk_new(size);
		c->next = a->head->next;
		a->head->next = c;
		return c;
	}
	c = chunk_new(MLB_MAX(cap, size));
	c->next = a->head;
	a->head = c;
	return c;
}

void *
mlb_arena_alloc(struct mlb_arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct mlb_arena_chunk *c;
	void *p;

	if (size > SIZE_MAX / 2)
		abort();
	size = size ? (size + align - 1) / align * align : align;
	c = chunk_for(a, size);
	p = (char *)c->data + c->used;
	c->used += size;
	a->total += size;
	return p;
}

char *
mlb_arena_strdup(struct mlb_arena *a, const char *s)
{
	return mlb_arena_strndup(a, s, strlen(s));
}

char *
mlb_arena_strndup(struct mlb_arena *a, const char *s, size_t len)
{
	char *p = mlb_arena_alloc(a, len + 1);

	if (len)
		memcpy(p, s, len);
	return p;
}

char *
mlb_arena_printf(struct mlb_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text, *p;

	va_start(ap, fmt);
	mlb_vasprintf(&text, fmt, ap);
	va_end(ap);
	p = mlb_arena_strdup(a, text);
	free(text);
	return p;
}

void
mlb_arena_release(struct mlb_arena *a)
{
	for (struct mlb_arena_chunk *c = a->head, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	a->head = NULL;
	a->total = 0;
}
