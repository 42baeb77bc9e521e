#include "commands/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "commands/text.h"

#define OUT_MAX ((size_t)64 << 20)
#define OUT_FLUSH ((size_t)32 << 10) /* write when that much is waiting */

static bool
env_set(const char *name)
{
	const char *v = getenv(name);

	return v && *v;
}

static bool
terminal_is_dumb(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || strcmp(term, "dumb") == 0;
}

static bool
locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++) {
		const char *v = getenv(names[i]);

		if (!v || !*v)
			continue;
		return strstr(v, "UTF-8") || strstr(v, "utf8") || strstr(v, "utf-8") ||
		       strstr(v, "UTF8");
	}
	return false;
}

void
out_init(struct out *o, int fd, const char *color)
{
	memset(o, 0, sizeof(*o));
	o->fd = fd;
	o->tty = isatty(fd) == 1;
	o->utf8 = locale_is_utf8();
	if (strcmp(color, "always") == 0)
		o->color = true;
	else if (strcmp(color, "auto") == 0)
		o->color = o->tty && !terminal_is_dumb() && !env_set("NO_COLOR");
	mlb_buf_init(&o->buf, OUT_MAX);
}

void
out_release(struct out *o)
{
	mlb_buf_release(&o->buf);
}

static void
write_all(struct out *o, const char *data, size_t len)
{
	while (len != 0 && o->error == 0) {
		ssize_t n = write(o->fd, data, len);

		if (n < 0) {
			if (errno != EINTR)
				o->error = errno;
			continue;
		}
		data += n;
		len -= (size_t)n;
	}
}

void
out_flush(struct out *o)
{
	write_all(o, mlb_buf_str(&o->buf), o->buf.len);
	mlb_buf_clear(&o->buf);
}

static void
flush_if_due(struct out *o)
{
	if (o->buf.len >= OUT_FLUSH)
		out_flush(o);
}

void
out_add(struct out *o, const char *text, size_t len)
{
	if (len >= OUT_FLUSH) {
		out_flush(o);
		write_all(o, text, len);
		return;
	}
	mlb_buf_add(&o->buf, text, len);
	flush_if_due(o);
}

void
out_adds(struct out *o, const char *text)
{
	out_add(o, text, strlen(text));
}

void
out_addf(struct out *o, const char *fmt, ...)
{
	char small[512];
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		out_add(o, small, (size_t)n);
	} else if (n > 0) {
		char *big = mlb_alloc((size_t)n + 1);

		(void)vsnprintf(big, (size_t)n + 1, fmt, again);
		out_add(o, big, (size_t)n);
		free(big);
	}
	va_end(again);
}

void
out_clean(struct out *o, const char *text)
{
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		text_clean(&o->buf, text, (size_t)(end - text), 0, o->utf8);
		mlb_buf_addc(&o->buf, '\n');
		flush_if_due(o);
	}
	text_clean(&o->buf, text, strlen(text), 0, o->utf8);
	flush_if_due(o);
}

bool
out_closed(const struct out *o)
{
	return o->error != 0;
}

int
out_finish(struct out *o, const char *name, struct mlb_err *err)
{
	out_flush(o);
	if (o->error == 0 || o->error == EPIPE)
		return 0;
	return mlb_err_errno(err, o->error, "cannot write to %s", name);
}

unsigned
out_columns(const struct out *o)
{
	struct winsize w;

	if (!o->tty)
		return 0;
	if (ioctl(o->fd, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

const char *
paint_on(bool color, enum paint p)
{
	static const char *const sgr[] = {
		[PAINT_PLAIN] = "",        [PAINT_BOLD] = "\x1b[1m",   [PAINT_DIM] = "\x1b[2m",
		[PAINT_GOOD] = "\x1b[32m", [PAINT_BAD] = "\x1b[1;31m", [PAINT_WARN] = "\x1b[33m",
		[PAINT_BUSY] = "\x1b[36m",
	};

	return color ? sgr[p] : "";
}

const char *
paint_off(bool color, enum paint p)
{
	return color && p != PAINT_PLAIN ? "\x1b[0m" : "";
}

void
paint_adds(struct mlb_buf *b, bool color, enum paint p, const char *text)
{
	mlb_buf_adds(b, paint_on(color, p));
	mlb_buf_adds(b, text);
	mlb_buf_adds(b, paint_off(color, p));
}
