/*
 * The text of a result record, version 1.
 *
 * Lines end in a line feed; fields are separated by one space.  A text is the
 * last field of its line; in it `\` and bytes below 0x20 are written \xHH (lower
 * case).  Numbers are decimal without needless zeros.  A line in brackets is
 * left out where its value is empty; otherwise all stand in this order:
 *
 *   mlbuild-result 1
 *   key DIGEST
 *   [output KIND DIGEST SIZE PATH]   any number; KIND: file, exec, tree or metrics
 *   [log DIGEST]
 *   [verdict no]
 *   started NANOSECONDS              since 1970, may be negative
 *   duration NANOSECONDS
 *   max_rss BYTES
 *   [platform TEXT]
 *   [pin TEXT]
 *   [params TEXT]
 *   [run TEXT]
 *
 * So a record has exactly one text, and its digest names it.  A PATH is relative,
 * without empty, "." and ".." components.
 */
#include "store/result.h"

#include <inttypes.h>
#include <string.h>

#include "base/hex.h"
#include "store/text_lines.h"

#define MAGIC "mlbuild-result 1"

static const struct {
	const char *word;
	uint8_t kind;
} kinds[] = {
	{ "exec", MLB_O_EXEC },
	{ "file", MLB_O_FILE },
	{ "metrics", MLB_O_METRICS },
	{ "tree", MLB_O_TREE },
};

/* ---------------------------------------------------------- writing */

static void
add_text_line(struct mlb_buf *out, const char *name, const char *s)
{
	if (!s || !*s)
		return;
	mlb_buf_adds(out, name);
	mlb_buf_addc(out, ' ');
	mlb_text_escape(out, s);
	mlb_buf_addc(out, '\n');
}

static void
add_digest_line(struct mlb_buf *out, const char *name, const struct mlb_digest *d)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_digest_hex(hex, d);
	mlb_buf_addf(out, "%s %s\n", name, hex);
}

static const char *
kind_word(uint8_t kind)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].word;
	return "file";
}

void
mlb_result_format(struct mlb_buf *out, const struct mlb_result *r)
{
	char hex[MLB_HEX_LEN + 1];

	mlb_buf_adds(out, MAGIC "\n");
	add_digest_line(out, "key", &r->key);
	for (uint32_t i = 0; i < r->n_outputs; i++) {
		const struct mlb_output *o = &r->output[i];

		mlb_digest_hex(hex, &o->digest);
		mlb_buf_addf(out, "output %s %s %" PRIu64 " ", kind_word(o->kind), hex, o->size);
		mlb_text_escape(out, o->path);
		mlb_buf_addc(out, '\n');
	}
	if (!mlb_digest_is_zero(&r->log))
		add_digest_line(out, "log", &r->log);
	if (r->verdict_no)
		mlb_buf_adds(out, "verdict no\n");
	mlb_buf_addf(out, "started %" PRId64 "\nduration %" PRIu64 "\nmax_rss %" PRIu64 "\n",
		     r->started, r->duration, r->max_rss);
	add_text_line(out, "platform", r->platform);
	add_text_line(out, "pin", r->pin);
	add_text_line(out, "params", r->params);
	add_text_line(out, "run", r->run);
}

/* ---------------------------------------------------------- reading */

struct reader {
	struct mlb_text_reader in;
	struct mlb_arena *arena;
};

static bool
take(struct reader *r, const char *word)
{
	return mlb_text_take(&r->in, word);
}

static bool
take_digest(struct reader *r, struct mlb_digest *out)
{
	return mlb_text_take_digest(&r->in, out);
}

static bool
take_u64(struct reader *r, uint64_t *out)
{
	const char *start = r->in.at;
	uint64_t v = 0;

	for (; r->in.at < r->in.end && *r->in.at >= '0' && *r->in.at <= '9'; r->in.at++) {
		unsigned digit = (unsigned)(*r->in.at - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return r->in.at > start && (*start != '0' || r->in.at == start + 1);
}

static bool
take_i64(struct reader *r, int64_t *out)
{
	bool negative = take(r, "-");
	uint64_t v;

	if (!take_u64(r, &v) || v > (uint64_t)INT64_MAX || (negative && v == 0))
		return false;
	*out = negative ? -(int64_t)v : (int64_t)v;
	return true;
}

/* Up to the end of the line, which is taken too; not empty. */
static bool
take_text(struct reader *r, const char **out)
{
	size_t len = mlb_text_line(&r->in);
	char *s;

	if (len == SIZE_MAX || !len)
		return false;
	*out = s = mlb_arena_alloc(r->arena, len + 1);
	return mlb_text_take_rest(&r->in, s);
}

/* A line that may be left out. */
static bool
take_text_line(struct reader *r, const char *name, const char **out)
{
	*out = "";
	return !take(r, name) || take_text(r, out);
}

static bool
good_path(const char *p)
{
	do {
		size_t len = strcspn(p, "/");

		if (len == 0 || (len == 1 && p[0] == '.') ||
		    (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += len;
	} while (*p && *++p);
	return p[-1] != '/';
}

static bool
take_output(struct reader *r, struct mlb_output *out)
{
	out->kind = 0;
	for (size_t i = 0; i < MLB_ARRAY_LEN(kinds) && !out->kind; i++)
		if (take(r, kinds[i].word))
			out->kind = kinds[i].kind;
	return out->kind && take(r, " ") && take_digest(r, &out->digest) && take(r, " ") &&
	       take_u64(r, &out->size) && take(r, " ") && take_text(r, &out->path) &&
	       good_path(out->path);
}

/* How many lines begin with "output "; never more than are read. */
static uint32_t
count_outputs(const struct reader *r)
{
	const char *p = r->in.at;
	uint32_t n = 0;

	while (r->in.end - p > 7 && memcmp(p, "output ", 7) == 0) {
		p = memchr(p, '\n', (size_t)(r->in.end - p));
		if (!p)
			break;
		p++;
		n++;
	}
	return n;
}

static bool
take_outputs(struct reader *r, struct mlb_result *out)
{
	uint32_t n = count_outputs(r);

	out->output = mlb_arena_alloc(r->arena, (n + 1) * sizeof(*out->output));
	for (out->n_outputs = 0; out->n_outputs < n; out->n_outputs++)
		if (!take(r, "output ") || !take_output(r, &out->output[out->n_outputs]))
			return false;
	return true;
}

static bool
take_all(struct reader *r, struct mlb_result *out)
{
	if (!take(r, MAGIC "\nkey ") || !take_digest(r, &out->key) || !take(r, "\n") ||
	    !take_outputs(r, out))
		return false;
	if (take(r, "log ") &&
	    (!take_digest(r, &out->log) || mlb_digest_is_zero(&out->log) || !take(r, "\n")))
		return false;
	out->verdict_no = take(r, "verdict no\n");
	return take(r, "started ") && take_i64(r, &out->started) && take(r, "\nduration ") &&
	       take_u64(r, &out->duration) && take(r, "\nmax_rss ") && take_u64(r, &out->max_rss) &&
	       take(r, "\n") && take_text_line(r, "platform ", &out->platform) &&
	       take_text_line(r, "pin ", &out->pin) && take_text_line(r, "params ", &out->params) &&
	       take_text_line(r, "run ", &out->run) && r->in.at == r->in.end;
}

int
mlb_result_parse(struct mlb_result *out, struct mlb_arena *arena, const char *text, size_t len,
		 struct mlb_err *err)
{
	struct reader r = { { text, text, text + len }, arena };
	struct mlb_result parsed;

	memset(&parsed, 0, sizeof(parsed));
	if (!take_all(&r, &parsed))
		return mlb_err_set(err, MLB_ECORRUPT, "a result record is damaged at byte %zu",
				   (size_t)(r.in.at - text));
	*out = parsed;
	return 0;
}
