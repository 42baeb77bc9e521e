#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define DEPTH_MAX 64

void
mlb_json_init(struct mlb_json *j, struct mlb_buf *out)
{
	*j = (struct mlb_json){ .out = out };
}

/* What has to stand before a value or a key. */
static void
comma(struct mlb_json *j)
{
	uint64_t bit = j->depth ? UINT64_C(1) << (j->depth - 1) : 0;

	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (j->has_items & bit)
		mlb_buf_addc(j->out, ',');
	j->has_items |= bit;
}

static void
open_level(struct mlb_json *j, char c)
{
	comma(j);
	mlb_buf_addc(j->out, c);
	if (j->depth >= DEPTH_MAX)
		abort(); /* our own documents are a few levels deep */
	j->depth++;
	j->has_items &= ~(UINT64_C(1) << (j->depth - 1));
}

static void
close_level(struct mlb_json *j, char c)
{
	if (!j->depth)
		abort();
	j->depth--;
	j->after_key = false;
	mlb_buf_addc(j->out, c);
}

void
mlb_json_object(struct mlb_json *j)
{
	open_level(j, '{');
}

void
mlb_json_end_object(struct mlb_json *j)
{
	close_level(j, '}');
}

void
mlb_json_array(struct mlb_json *j)
{
	open_level(j, '[');
}

void
mlb_json_end_array(struct mlb_json *j)
{
	close_level(j, ']');
}

static void
add_escaped(struct mlb_buf *out, unsigned char c)
{
	static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *n = names; *n; n += 2) {
		if ((unsigned char)*n == c) {
			mlb_buf_addc(out, '\\');
			mlb_buf_addc(out, n[1]);
			return;
		}
	}
	mlb_buf_addf(out, "\\u%04x", c);
}

static void
add_string(struct mlb_buf *out, const char *s, size_t len)
{
	size_t plain = 0; /* where the run of characters that need nothing began */

	mlb_buf_addc(out, '"');
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)s[i];
		size_t n = mlb_utf8_char(s + i, len - i);

		if (n && c >= 0x20 && c != '"' && c != '\\') {
			i += n;
			continue;
		}
		mlb_buf_add(out, s + plain, i - plain);
		if (n)
			add_escaped(out, c);
		else
			mlb_buf_adds(out, "\xef\xbf\xbd");
		plain = ++i;
	}
	mlb_buf_add(out, s + plain, len - plain);
	mlb_buf_addc(out, '"');
}

void
mlb_json_key(struct mlb_json *j, const char *key)
{
	comma(j);
	add_string(j->out, key, strlen(key));
	mlb_buf_addc(j->out, ':');
	j->after_key = true;
}

void
mlb_json_str(struct mlb_json *j, const char *s)
{
	if (s)
		mlb_json_strn(j, s, strlen(s));
	else
		mlb_json_null(j);
}

void
mlb_json_strn(struct mlb_json *j, const char *s, size_t len)
{
	comma(j);
	add_string(j->out, s, len);
}

void
mlb_json_int(struct mlb_json *j, int64_t v)
{
	comma(j);
	mlb_buf_addf(j->out, "%lld", (long long)v);
}

void
mlb_json_double(struct mlb_json *j, double v)
{
	/* Every normal number of up to 15 digits comes back from 15 digits. */
	int digits = fabs(v) < DBL_MIN ? 1 : 15;
	char text[48];

	if (!isfinite(v)) {
		mlb_json_null(j);
		return;
	}
	do
		snprintf(text, sizeof(text), "%.*g", digits, v);
	while (digits++ < 17 && (strtod(text, NULL) < v || strtod(text, NULL) > v));
	/* The program that uses the library may have set a locale. */
	for (char *c = text; *c; c++)
		if (*c == ',')
			*c = '.';
	comma(j);
	mlb_buf_adds(j->out, text);
}

void
mlb_json_bool(struct mlb_json *j, bool v)
{
	mlb_json_raw(j, v ? "true" : "false");
}

void
mlb_json_null(struct mlb_json *j)
{
	mlb_json_raw(j, "null");
}

void
mlb_json_raw(struct mlb_json *j, const char *text)
{
	comma(j);
	mlb_buf_adds(j->out, text);
}
