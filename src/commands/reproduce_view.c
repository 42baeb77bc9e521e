#include "commands/reproduce.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "commands/jsonline.h"
#include "commands/text.h"

enum { MAX_TEXT = 64 << 20, SHOWN = 20, MARK = 16 };

void
reproduce_view_init(struct reproduce_view *v, struct out *out)
{
	*v = (struct reproduce_view){ .out = out, .text = MLB_BUF_INIT(MAX_TEXT) };
}

void
reproduce_view_release(struct reproduce_view *v)
{
	mlb_buf_release(&v->text);
}

/* ---------------------------------------------------------- for people */

static void
clean(struct reproduce_view *v, const char *text)
{
	text_clean(&v->text, text, strlen(text), 0, v->out->utf8);
}

static const char *
arrow(const struct reproduce_view *v)
{
	return v->out->utf8 ? " \xe2\x86\x92 " : " -> ";
}

/* As diff tells it: (+12.3%). */
static void
add_percent(struct reproduce_view *v, const struct mlb_changed_value *value)
{
	bool less = strtod(value->is, NULL) < strtod(value->was, NULL);

	mlb_buf_addf(&v->text, " (%+.3g%%)", 100 * (less ? -value->relative : value->relative));
}

static void
add_value(struct reproduce_view *v, const struct mlb_changed_value *value)
{
	mlb_buf_adds(&v->text, "    ");
	clean(v, value->name);
	mlb_buf_adds(&v->text, ": ");
	clean(v, value->was[0] ? value->was : "nothing");
	mlb_buf_adds(&v->text, arrow(v));
	clean(v, value->is[0] ? value->is : "nothing");
	if (value->number && !isnan(value->relative))
		add_percent(v, value);
	if (value->tolerated)
		mlb_buf_adds(&v->text, ", within tolerance");
	mlb_buf_addc(&v->text, '\n');
}

static void
add_sizes(struct reproduce_view *v, uint64_t was, uint64_t is)
{
	if (was == is)
		mlb_buf_addf(&v->text, "%" PRIu64 " byte%s", is, is == 1 ? "" : "s");
	else
		mlb_buf_addf(&v->text, "%" PRIu64 "%s%" PRIu64 " bytes", was, arrow(v), is);
}

static void
add_file(struct reproduce_view *v, const struct mlb_changed_file *f)
{
	mlb_buf_adds(&v->text, "      ");
	clean(v, f->path);
	if (!f->was || !f->is) {
		mlb_buf_adds(&v->text, f->is ? ": only now" : ": only then");
	} else {
		mlb_buf_adds(&v->text, ": ");
		if (f->first != UINT64_MAX)
			mlb_buf_addf(&v->text, "differs from byte %" PRIu64 " on, ", f->first);
		add_sizes(v, f->was_size, f->is_size);
	}
	mlb_buf_addc(&v->text, '\n');
}

static void
add_more(struct reproduce_view *v, uint64_t n, const char *what)
{
	if (n)
		mlb_buf_addf(&v->text, "      and %" PRIu64 " more %s\n", n, what);
}

static void
add_output(struct reproduce_view *v, const struct mlb_compared *o)
{
	size_t most = v->verbose ? SIZE_MAX : SHOWN;

	mlb_buf_adds(&v->text, "    ");
	clean(v, o->path);
	if (!o->was[0] || !o->is[0]) {
		mlb_buf_adds(&v->text, o->is[0] ? ": only now" : ": only then");
	} else if (o->files_changed) {
		mlb_buf_addf(&v->text, ": %" PRIu64 " file%s differ%s", o->files_changed,
			     o->files_changed == 1 ? "" : "s", o->files_changed == 1 ? "s" : "");
	} else {
		mlb_buf_adds(&v->text, ": ");
		if (o->first != UINT64_MAX)
			mlb_buf_addf(&v->text, "differs from byte %" PRIu64 " on, ", o->first);
		else if (strcmp(o->was, o->is) != 0)
			mlb_buf_adds(&v->text,
				     "other bytes (those of then are not in the cache), ");
		add_sizes(v, o->was_size, o->is_size);
	}
	mlb_buf_addc(&v->text, '\n');
	if (v->verbose)
		mlb_buf_addf(&v->text, "      was %s\n      is  %s\n", o->was, o->is);
	for (size_t i = 0; i < o->n_files && i < most; i++)
		add_file(v, &o->file[i]);
	add_more(v, o->files_changed - MLB_MIN(o->n_files, most), "files");
	for (size_t i = 0; i < o->n_values && i < most; i++)
		add_value(v, &o->value[i]);
	add_more(v, o->n_values - MLB_MIN(o->n_values, most), "values");
}

static void
add_why(struct reproduce_view *v, const char *why)
{
	for (const char *line = why; line && *line;) {
		size_t len = strcspn(line, "\n");

		mlb_buf_adds(&v->text, "    ");
		text_clean(&v->text, line, len, 0, v->out->utf8);
		mlb_buf_addc(&v->text, '\n');
		line += len + (line[len] == '\n');
	}
}

static enum paint
paint_of(enum mlb_likeness l)
{
	switch (l) {
	case MLB_LIKE_IDENTICAL:
		return PAINT_GOOD;
	case MLB_LIKE_TOLERATED:
	case MLB_LIKE_EXPECTED:
		return PAINT_WARN;
	default:
		return PAINT_BAD;
	}
}

/* What only one side has is told where that is a difference, and not where nothing could be made. */
static bool
is_shown(const struct mlb_compared *o)
{
	return o->like == MLB_LIKE_DIFFERENT ||
	       (o->like != MLB_LIKE_IDENTICAL && o->was[0] && o->is[0]);
}

/* One of `each` has an output for each of its files. */
static void
add_outputs(struct reproduce_view *v, const struct mlb_reproduced *r)
{
	size_t most = v->verbose ? SIZE_MAX : SHOWN, n = 0;

	for (size_t i = 0; i < r->n_outputs; i++)
		if (is_shown(&r->output[i]) && n++ < most)
			add_output(v, &r->output[i]);
	if (n > most)
		mlb_buf_addf(&v->text, "    and %zu more outputs\n", n - most);
}

static void
take_text(struct reproduce_view *v, const struct mlb_reproduced *r)
{
	const char *word = mlb_likeness_name(r->like);

	if (v->quiet && (r->like == MLB_LIKE_IDENTICAL || r->like == MLB_LIKE_TOLERATED))
		return;
	paint_adds(&v->text, v->out->color, paint_of(r->like), word);
	text_spaces(&v->text, (unsigned)(MARK - strlen(word)) + 2);
	clean(v, r->name);
	mlb_buf_addc(&v->text, '\n');
	add_why(v, r->why);
	add_outputs(v, r);
}

/* ---------------------------------------------------------- for programs */

static const char *const results[] = {
	[MLB_LIKE_IDENTICAL] = "identical",   [MLB_LIKE_TOLERATED] = "tolerated",
	[MLB_LIKE_EXPECTED] = "expected",     [MLB_LIKE_DIFFERENT] = "different",
	[MLB_LIKE_IMPOSSIBLE] = "impossible",
};

static void
json_value(struct mlb_json *j, const struct mlb_changed_value *value)
{
	mlb_json_object(j);
	mlb_json_key(j, "name");
	mlb_json_str(j, value->name);
	mlb_json_key(j, "was");
	mlb_json_raw(j, value->was[0] ? value->was : "null");
	mlb_json_key(j, "is");
	mlb_json_raw(j, value->is[0] ? value->is : "null");
	mlb_json_key(j, "relative");
	mlb_json_double(j, value->relative);
	mlb_json_key(j, "tolerated");
	mlb_json_bool(j, value->tolerated);
	mlb_json_end_object(j);
}

static void
json_size(struct mlb_json *j, const char *key, bool there, uint64_t n)
{
	mlb_json_key(j, key);
	if (there)
		mlb_json_int(j, (int64_t)n);
	else
		mlb_json_null(j);
}

static void
json_file(struct mlb_json *j, const struct mlb_changed_file *f)
{
	mlb_json_object(j);
	mlb_json_key(j, "path");
	mlb_json_str(j, f->path);
	json_size(j, "was_size", f->was, f->was_size);
	json_size(j, "size", f->is, f->is_size);
	json_size(j, "first_difference", f->first != UINT64_MAX, f->first);
	mlb_json_end_object(j);
}

static void
json_digest(struct mlb_json *j, const char *key, const char *hex)
{
	mlb_json_key(j, key);
	mlb_json_str(j, hex[0] ? hex : NULL);
}

static void
json_output(struct mlb_json *j, const struct mlb_compared *o)
{
	mlb_json_object(j);
	mlb_json_key(j, "path");
	mlb_json_str(j, o->path);
	mlb_json_key(j, "kind");
	mlb_json_str(j, o->kind);
	mlb_json_key(j, "result");
	mlb_json_str(j, results[o->like]);
	json_digest(j, "was", o->was);
	json_digest(j, "is", o->is);
	json_size(j, "was_size", o->was[0], o->was_size);
	json_size(j, "size", o->is[0], o->is_size);
	json_size(j, "first_difference", o->first != UINT64_MAX, o->first);
	mlb_json_key(j, "values");
	mlb_json_array(j);
	for (size_t i = 0; i < o->n_values; i++)
		json_value(j, &o->value[i]);
	mlb_json_end_array(j);
	mlb_json_key(j, "files");
	mlb_json_array(j);
	for (size_t i = 0; i < o->n_files; i++)
		json_file(j, &o->file[i]);
	mlb_json_end_array(j);
	mlb_json_key(j, "files_changed");
	mlb_json_int(j, (int64_t)o->files_changed);
	mlb_json_end_object(j);
}

static void
take_json(struct reproduce_view *v, const struct mlb_reproduced *r)
{
	struct jsonline l;

	jsonline_begin(&l, v->out);
	jsonline_str(&l, "event", "reproduced");
	jsonline_str(&l, "target", r->name);
	jsonline_str(&l, "kind", r->kind);
	jsonline_str(&l, "result", results[r->like]);
	jsonline_bool(&l, "asked", r->asked);
	jsonline_str(&l, "why", r->why);
	jsonline_str(&l, "was_key", r->was_key);
	jsonline_str(&l, "key", r->key);
	jsonline_seconds(&l, "seconds", r->duration);
	mlb_json_key(&l.j, "outputs");
	mlb_json_array(&l.j);
	for (size_t i = 0; i < r->n_outputs; i++)
		json_output(&l.j, &r->output[i]);
	mlb_json_end_array(&l.j);
	jsonline_end(&l);
}

void
reproduce_view_take(struct reproduce_view *v, const struct mlb_reproduced *r)
{
	if (v->json)
		take_json(v, r);
	else
		take_text(v, r);
}
