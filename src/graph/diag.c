#include "graph/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define TEXT_MAX (4 * MLB_MIB)

/* Diagnostics come in runs about one file, so the last file is looked at first. */
static unsigned
file_index(struct mlb_diag *d, const char *file)
{
	for (size_t i = d->file.n; i > 0; i--)
		if (!strcmp(d->file.v[i - 1], file))
			return (unsigned)(i - 1);
	mlb_strvec_push(&d->file, file);
	return (unsigned)(d->file.n - 1);
}

static void
add_owned(struct mlb_diag *d, const char *file, unsigned line, char *text)
{
	struct mlb_diag_line l = { .text = text, .line = line, .order = (unsigned)d->line.n };

	if (d->line.n >= MLB_DIAG_MAX) {
		d->dropped++;
		free(text);
		return;
	}
	l.file = file_index(d, file);
	mlb_vec_push(&d->line, l);
}

void
mlb_diag_add(struct mlb_diag *d, const char *file, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int len;
	char *text;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	text = mlb_alloc((size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	add_owned(d, file, line, text);
}

/* Cut "FILE:LINE: " off: what follows, or NULL if there is none. The first ":LINE: " ends it. */
static const char *
cut_place(const char *text, char **file, unsigned *line)
{
	for (const char *p = strchr(text, ':'); p; p = strchr(p + 1, ':')) {
		size_t digits = strspn(p + 1, "0123456789");

		if (!digits || digits > 9 || p[digits + 1] != ':' || p[digits + 2] != ' ')
			continue;
		*file = mlb_strndup(text, (size_t)(p - text));
		*line = (unsigned)strtoul(p + 1, NULL, 10);
		return p + digits + 3;
	}
	return NULL;
}

void
mlb_diag_take(struct mlb_diag *d, const char *file, unsigned line, struct mlb_err *from)
{
	const char *text = from->text ? from->text : "unknown error";
	char *own = NULL;
	const char *rest = file ? NULL : cut_place(text, &own, &line);

	if (rest)
		mlb_diag_add(d, own, line, "%s", rest);
	else
		mlb_diag_add(d, file ? file : "", line, "%s", text);
	free(own);
	mlb_err_release(from);
}

bool
mlb_diag_any(const struct mlb_diag *d)
{
	return d->line.n > 0;
}

void
mlb_diag_append(struct mlb_diag *d, const struct mlb_diag *from)
{
	for (size_t i = 0; i < from->line.n; i++)
		add_owned(d, from->file.v[from->line.v[i].file], from->line.v[i].line,
			  mlb_strdup(from->line.v[i].text));
	d->dropped += from->dropped;
}

/* Is it told already, at the same place? The lines are sorted. */
static bool
is_told(const struct mlb_diag *d, size_t i)
{
	const struct mlb_diag_line *l = &d->line.v[i];

	for (size_t k = i; k > 0; k--) {
		const struct mlb_diag_line *before = &d->line.v[k - 1];

		if (before->file != l->file || before->line != l->line)
			return false;
		if (!strcmp(before->text, l->text))
			return true;
	}
	return false;
}

static int
by_place(const void *a, const void *b)
{
	const struct mlb_diag_line *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

int
mlb_diag_finish(struct mlb_diag *d, struct mlb_err *err)
{
	struct mlb_buf b = MLB_BUF_INIT(TEXT_MAX);
	int rc;

	if (!d->line.n)
		return 0;
	qsort(d->line.v, d->line.n, sizeof(*d->line.v), by_place);
	for (size_t i = 0; i < d->line.n; i++) {
		const struct mlb_diag_line *l = &d->line.v[i];
		const char *file = d->file.v[l->file];

		if (is_told(d, i))
			continue;
		if (i)
			mlb_buf_addc(&b, '\n');
		if (*file && l->line)
			mlb_buf_addf(&b, "%s:%u: ", file, l->line);
		else if (*file)
			mlb_buf_addf(&b, "%s: ", file);
		mlb_buf_adds(&b, l->text);
	}
	if (d->dropped)
		mlb_buf_addf(&b, "\nand %zu more errors", d->dropped);
	rc = mlb_err_set(err, MLB_EINVALID, "%s", mlb_buf_str(&b));
	mlb_buf_release(&b);
	return rc;
}

void
mlb_diag_release(struct mlb_diag *d)
{
	for (size_t i = 0; i < d->line.n; i++)
		free(d->line.v[i].text);
	mlb_vec_release(&d->line);
	mlb_strvec_release(&d->file);
	d->dropped = 0;
}
