#include "commands/differences.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DIGEST_SHOWN = 12 };

const char *
difference_what(const struct mlb_change *d)
{
	static const char *const words[] = { "param", "metric", "input", "output", "action" };

	return words[d->what];
}

void
number_short(struct mlb_buf *b, double v)
{
	mlb_buf_addf(b, "%.6g", v);
}

void
difference_value(struct mlb_buf *b, const struct mlb_change *d, bool after)
{
	const char *text = after ? d->after : d->before;
	const char *json = after ? d->after_json : d->before_json;

	if (!text)
		mlb_buf_adds(b, "-");
	else if (d->what == MLB_DIFF_INPUT || d->what == MLB_DIFF_OUTPUT)
		mlb_buf_addf(b, "%.*s", DIGEST_SHOWN, text);
	else if (d->what == MLB_DIFF_METRIC && json && strpbrk(json, ".eE") &&
		 strchr("-0123456789", json[0]))
		number_short(b, strtod(json, NULL));
	else
		mlb_buf_adds(b, text);
}

void
difference_change(struct mlb_buf *b, const struct mlb_change *d, bool utf8)
{
	difference_value(b, d, false);
	mlb_buf_adds(b, utf8 ? " \xe2\x86\x92 " : " -> ");
	difference_value(b, d, true);
}

void
difference_delta(struct mlb_buf *b, const struct mlb_change *d)
{
	if (!d->numeric)
		return;
	mlb_buf_addf(b, "%+.6g", d->delta);
	if (!isnan(d->relative))
		mlb_buf_addf(b, " (%+.3g%%)", 100 * d->relative);
}

void
difference_json(struct jsonline *l, const struct mlb_change *d)
{
	jsonline_str(l, "name", d->name);
	jsonline_raw(l, "before", d->before_json);
	jsonline_raw(l, "after", d->after_json);
	mlb_json_key(&l->j, "delta");
	mlb_json_double(&l->j, d->numeric ? d->delta : (double)NAN);
	mlb_json_key(&l->j, "relative");
	mlb_json_double(&l->j, d->numeric ? d->relative : (double)NAN);
}

void
differences_json(struct jsonline *l, const char *key, const struct mlb_change *d, size_t n)
{
	mlb_json_key(&l->j, key);
	mlb_json_array(&l->j);
	for (size_t i = 0; i < n; i++) {
		mlb_json_object(&l->j);
		jsonline_str(l, "what", difference_what(&d[i]));
		difference_json(l, &d[i]);
		mlb_json_end_object(&l->j);
	}
	mlb_json_end_array(&l->j);
}

void
time_here(struct mlb_buf *b, int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char when[64];
	struct tm tm;

	if (ns && localtime_r(&seconds, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm))
		mlb_buf_adds(b, when);
}

void
markdown_cell(struct mlb_buf *b, const char *text)
{
	for (; *text; text++) {
		if (strchr("|\\`*_<[", *text))
			mlb_buf_addc(b, '\\');
		mlb_buf_addc(b, (unsigned char)*text < 0x20 ? ' ' : *text);
	}
}
