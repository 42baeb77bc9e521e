#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void
mlb_buf_init(struct mlb_buf *b, size_t max)
{
	*b = (struct mlb_buf)MLB_BUF_INIT(max);
}

void
mlb_buf_release(struct mlb_buf *b)
{
	free(b->data);
	mlb_buf_init(b, b->max);
}

void
mlb_buf_clear(struct mlb_buf *b)
{
	b->full = false;
	mlb_buf_truncate(b, 0);
}

bool
mlb_buf_reserve(struct mlb_buf *b, size_t extra)
{
	size_t want, cap;

	if (b->full || extra > b->max - b->len || b->len + extra == SIZE_MAX) {
		b->full = true;
		return false;
	}
	want = b->len + extra + 1;
	if (want <= b->cap)
		return true;
	cap = MLB_MAX(b->cap, 64);
	while (cap < want)
		cap = cap > SIZE_MAX / 2 ? want : cap * 2;
	/* Never more than the maximum and the NUL. */
	if (cap - 1 > b->max)
		cap = b->max + 1;
	b->data = mlb_realloc(b->data, cap, 1);
	b->cap = cap;
	b->data[b->len] = '\0';
	return true;
}

void
mlb_buf_add(struct mlb_buf *b, const void *data, size_t len)
{
	if (!mlb_buf_reserve(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
mlb_buf_adds(struct mlb_buf *b, const char *s)
{
	mlb_buf_add(b, s, strlen(s));
}

void
mlb_buf_addc(struct mlb_buf *b, char c)
{
	mlb_buf_add(b, &c, 1);
}

/* Formats in place; only what does not fit is formatted twice. */
void
mlb_buf_addf(struct mlb_buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	if (b->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(room ? b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if ((size_t)n >= room) {
		if (room)
			b->data[b->len] = '\0';
		if (!mlb_buf_reserve(b, (size_t)n))
			return;
		va_start(ap, fmt);
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void
mlb_buf_truncate(struct mlb_buf *b, size_t len)
{
	if (len > b->len)
		return;
	b->len = len;
	if (b->data)
		b->data[len] = '\0';
}

const char *
mlb_buf_str(const struct mlb_buf *b)
{
	return b->data ? b->data : "";
}

char *
mlb_buf_detach(struct mlb_buf *b)
{
	char *data = b->data ? b->data : mlb_strdup("");

	mlb_buf_init(b, b->max);
	return data;
}

int
mlb_buf_check(const struct mlb_buf *b, const char *what, struct mlb_err *err)
{
	if (!b->full)
		return MLB_OK;
	return mlb_err_set(err, MLB_ETOOBIG, "%s is larger than %zu bytes", what, b->max);
}
