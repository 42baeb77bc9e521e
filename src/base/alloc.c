#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
mlb_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		abort();
	return p;
}

void *
mlb_alloc_aligned(size_t unit, size_t size)
{
	void *p;

	if (posix_memalign(&p, unit, size ? size : 1) != 0)
		abort();
	return p;
}

void *
mlb_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		abort();
	return p;
}

void *
mlb_realloc(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		abort();
	p = realloc(p, total ? total : 1);
	if (!p)
		abort();
	return p;
}

char *
mlb_strdup(const char *s)
{
	return mlb_strndup(s, strlen(s));
}

char *
mlb_strndup(const char *s, size_t len)
{
	char *p = mlb_alloc(len + 1);

	if (len)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void
mlb_vasprintf(char **out, const char *fmt, va_list ap)
{
	if (vasprintf(out, fmt, ap) < 0)
		abort();
}

char *
mlb_asprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	mlb_vasprintf(&text, fmt, ap);
	va_end(ap);
	return text;
}
