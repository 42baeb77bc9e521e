#include "commands/jsonline.h"

#include <time.h>

void
jsonline_begin(struct jsonline *l, struct out *out)
{
	l->out = out;
	mlb_json_init(&l->j, &out->buf);
	mlb_json_object(&l->j);
}

void
jsonline_end(struct jsonline *l)
{
	mlb_json_end_object(&l->j);
	mlb_buf_addc(&l->out->buf, '\n');
	out_flush(l->out);
}

void
jsonline_str(struct jsonline *l, const char *key, const char *value)
{
	mlb_json_key(&l->j, key);
	mlb_json_str(&l->j, value);
}

void
jsonline_int(struct jsonline *l, const char *key, uint64_t value)
{
	mlb_json_key(&l->j, key);
	mlb_json_int(&l->j, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void
jsonline_bool(struct jsonline *l, const char *key, bool value)
{
	mlb_json_key(&l->j, key);
	mlb_json_bool(&l->j, value);
}

void
jsonline_seconds(struct jsonline *l, const char *key, uint64_t ns)
{
	const uint64_t ms = ns / 1000000; /* less than that says nothing */

	mlb_json_key(&l->j, key);
	mlb_json_double(&l->j, (double)ms / 1e3);
}

void
jsonline_time(struct jsonline *l, const char *key, int64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000);
	char text[64];
	struct tm tm;

	mlb_json_key(&l->j, key);
	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		mlb_json_str(&l->j, text);
	else
		mlb_json_null(&l->j);
}

void
jsonline_raw(struct jsonline *l, const char *key, const char *json)
{
	size_t at;

	mlb_json_key(&l->j, key);
	if (!json || !*json) {
		mlb_json_null(&l->j);
		return;
	}
	at = l->out->buf.len;
	mlb_json_raw(&l->j, json);
	/* JSON has no line feeds inside of strings, so that they may go from everywhere. */
	for (; at < l->out->buf.len; at++)
		if (l->out->buf.data[at] == '\n' || l->out->buf.data[at] == '\r')
			l->out->buf.data[at] = ' ';
}
