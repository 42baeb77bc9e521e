/*
 * Allocation that cannot fail.
 *
 * Small objects come from here.  When memory is gone the process ends by
 * abort(): the store and the workspace are safe against death at any
 * instruction (see store/cas.h), so dying is the tested path, and every caller
 * is spared a path that nobody runs.  Sizes that input decides must not come
 * here unchecked: a growable mlb_buf has a maximum for that.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdarg.h>

#include "base/compat.h"

void *mlb_alloc(size_t size);                              /* not cleared */
void *mlb_calloc(size_t n, size_t size);                   /* cleared; checks n * size */
void *mlb_realloc(void *p, size_t n, size_t size);         /* checks n * size */
void *mlb_alloc_aligned(size_t unit, size_t size);         /* at a multiple of unit, a power of two */
char *mlb_strdup(const char *s);
char *mlb_strndup(const char *s, size_t len);              /* exactly len bytes and a NUL */
char *mlb_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void mlb_vasprintf(char **out, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

#endif
