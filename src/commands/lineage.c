#include "commands/lineage.h"

#include <string.h>

#include "base/text.h"
#include "commands/differences.h"
#include "commands/tabular.h"

enum { MOST_INPUTS = 20, MOST_ROWS = 3, MOST_COMMITS = 5, SHORT = 8, MAX_CELL = 1 << 20 };

/* ---------------------------------------------------------- JSON */

void
named_values_json(struct jsonline *l, const char *key, const struct mlb_named_value *v, size_t n)
{
	mlb_json_key(&l->j, key);
	mlb_json_object(&l->j);
	for (size_t i = 0; i < n; i++)
		jsonline_raw(l, v[i].name, v[i].json);
	mlb_json_end_object(&l->j);
}

static void
inputs_json(struct jsonline *l, const struct mlb_lineage *line)
{
	mlb_json_key(&l->j, "inputs");
	mlb_json_array(&l->j);
	for (size_t i = 0; i < line->n_inputs; i++) {
		mlb_json_object(&l->j);
		jsonline_str(l, "path", line->input[i].path);
		jsonline_str(l, "kind", line->input[i].kind);
		jsonline_str(l, "digest", line->input[i].digest);
		jsonline_str(l, "made_by", line->input[i].made_by);
		jsonline_str(l, "key", line->input[i].key);
		jsonline_str(l, "commit", line->input[i].commit);
		mlb_json_end_object(&l->j);
	}
	mlb_json_end_array(&l->j);
}

void
lineage_json(struct jsonline *l, const char *key, const struct mlb_lineage *line, size_t n)
{
	mlb_json_key(&l->j, key);
	mlb_json_array(&l->j);
	for (size_t i = 0; i < n; i++) {
		mlb_json_object(&l->j);
		jsonline_str(l, "target", line[i].target);
		jsonline_str(l, "kind", line[i].kind);
		jsonline_str(l, "key", line[i].key);
		jsonline_str(l, "run", line[i].run);
		jsonline_str(l, "commit", line[i].commit);
		if (line[i].started)
			jsonline_time(l, "started", line[i].started);
		else
			jsonline_raw(l, "started", "");
		jsonline_seconds(l, "seconds", line[i].duration);
		jsonline_bool(l, "known", line[i].known);
		named_values_json(l, "params", line[i].param, line[i].n_params);
		inputs_json(l, &line[i]);
		mlb_json_end_object(&l->j);
	}
	mlb_json_end_array(&l->j);
}

void
digest_json(struct out *out, const struct mlb_digest_info *d)
{
	struct jsonline l;

	jsonline_begin(&l, out);
	jsonline_str(&l, "what", "digest");
	jsonline_str(&l, "digest", d->digest);
	jsonline_str(&l, "is", d->is);
	jsonline_str(&l, "target", d->target);
	jsonline_str(&l, "kind", d->kind);
	jsonline_str(&l, "path", d->path);
	jsonline_str(&l, "member", d->member);
	jsonline_int(&l, "size", d->size);
	jsonline_str(&l, "locked_by", d->commit);
	jsonline_int(&l, "commits", d->n_commits);
	mlb_json_key(&l.j, "added_by");
	mlb_json_array(&l.j);
	for (size_t i = 0; i < d->n_added; i++) {
		mlb_json_object(&l.j);
		jsonline_str(&l, "commit", d->added[i].id);
		jsonline_time(&l, "time", d->added[i].time);
		jsonline_str(&l, "author", d->added[i].author);
		jsonline_str(&l, "subject", d->added[i].subject);
		mlb_json_end_object(&l.j);
	}
	mlb_json_end_array(&l.j);
	jsonline_str(&l, "commit", d->pin);
	jsonline_str(&l, "run", d->run);
	jsonline_end(&l);
}

/* ---------------------------------------------------------- text */

static void
from(struct mlb_buf *b, const struct mlb_lineage_input *in)
{
	if (*in->made_by)
		mlb_buf_adds(b, in->made_by);
	else if (*in->key)
		mlb_buf_addf(b, "action %.12s", in->key);
	if (*in->commit)
		mlb_buf_addf(b, "%scommit %.*s", b->len ? ", " : "", SHORT, in->commit);
	if (!b->len)
		mlb_buf_adds(b, "in no commit that is known");
}

static void
step(struct tabular *t, const struct mlb_lineage *l)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CELL);
	const char *target = *l->target ? l->target : "(unknown)";

	for (size_t i = 0; i < l->n_inputs && i < MOST_INPUTS; i++) {
		mlb_buf_clear(&b);
		from(&b, &l->input[i]);
		tabular_add(t, PAINT_BOLD, i ? "" : target);
		tabular_add(t, PAINT_PLAIN, l->input[i].path);
		tabular_addf(t, PAINT_DIM, "%.12s", l->input[i].digest);
		tabular_add(t, PAINT_PLAIN, mlb_buf_str(&b));
		tabular_end_row(t);
	}
	mlb_buf_clear(&b);
	if (!l->known)
		mlb_buf_adds(&b,
			     "from what is not known any more: the cache has its action no more");
	else if (l->n_inputs > MOST_INPUTS)
		mlb_buf_addf(&b, "and %zu more: '--json' has them all", l->n_inputs - MOST_INPUTS);
	else if (l->n_inputs == 0)
		mlb_buf_adds(&b, "from nothing but its command");
	if (b.len) {
		tabular_add(t, PAINT_BOLD, l->n_inputs ? "" : target);
		tabular_add(t, PAINT_DIM, mlb_buf_str(&b));
		tabular_end_row(t);
	}
	mlb_buf_release(&b);
}

/* Files of `each`, "aug[img/1.png]", are the same few times over. */
static bool
same_base(const struct mlb_lineage *a, const struct mlb_lineage *b)
{
	size_t n = strcspn(a->target, "[");

	return a->target[n] == '[' && strncmp(a->target, b->target, n + 1) == 0;
}

void
lineage_print(struct out *out, const struct mlb_lineage *l, size_t n)
{
	struct tabular t;
	size_t alike = 0;

	tabular_init(&t, out);
	for (size_t i = 0; i < n; i++) {
		alike = i && same_base(&l[i - 1], &l[i]) ? alike + 1 : 0;
		if (alike < MOST_ROWS)
			step(&t, &l[i]);
		if (alike >= MOST_ROWS && (i + 1 == n || !same_base(&l[i], &l[i + 1]))) {
			tabular_add(&t, PAINT_BOLD, "");
			tabular_addf(&t, PAINT_DIM, "and %zu more files alike",
				     alike + 1 - MOST_ROWS);
			tabular_end_row(&t);
		}
	}
	if (n)
		paint_adds(&out->buf, out->color, PAINT_DIM, "  made from\n");
	tabular_print(&t, out, "    ");
	tabular_release(&t);
}

static void
fact(struct tabular *t, const char *name, const char *value)
{
	tabular_add(t, PAINT_DIM, name);
	tabular_add(t, PAINT_PLAIN, value);
	tabular_end_row(t);
}

/* "m.bin of model m, 21 B" */
static void
what_it_is(struct mlb_buf *b, const struct mlb_digest_info *d)
{
	if (strcmp(d->is, "key") == 0)
		mlb_buf_adds(b, "the key of the action that made ");
	mlb_buf_adds(b, d->path);
	if (*d->member)
		mlb_buf_addf(b, "/%s", d->member);
	if (strcmp(d->is, "input") == 0)
		mlb_buf_adds(b, ", which is read by");
	else if (*d->target)
		mlb_buf_adds(b, " of");
	if (*d->target)
		mlb_buf_addf(b, " %s%s%s", d->kind, *d->kind ? " " : "", d->target);
	else if (strcmp(d->is, "input") == 0)
		mlb_buf_adds(b, " an action");
	if (d->size && strcmp(d->is, "output") == 0) {
		mlb_buf_adds(b, ", ");
		mlb_add_size(b, d->size);
	}
}

static void
commits(struct tabular *t, const struct mlb_digest_info *d)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CELL);

	if (!*d->commit)
		fact(t, "commits", "no commit's mlbuild.lock names it");
	else
		mlb_buf_addf(&b, "%s", d->commit);
	if (*d->commit && d->n_commits > 1)
		mlb_buf_addf(&b, "  and %u more: their mlbuild.lock names it", d->n_commits - 1);
	else if (*d->commit)
		mlb_buf_adds(&b, "  its mlbuild.lock names it");
	if (b.len)
		fact(t, "commits", mlb_buf_str(&b));
	for (size_t i = 0; i < d->n_added && i < MOST_COMMITS; i++) {
		mlb_buf_clear(&b);
		mlb_buf_addf(&b, "%.*s  ", SHORT, d->added[i].id);
		time_here(&b, d->added[i].time);
		mlb_buf_addf(&b, "  %s: %s", d->added[i].author, d->added[i].subject);
		fact(t, i ? "" : "since", mlb_buf_str(&b));
	}
	mlb_buf_release(&b);
}

void
digest_print(struct out *out, const struct mlb_digest_info *d)
{
	struct mlb_buf b = MLB_BUF_INIT(MAX_CELL);
	struct tabular t;

	out_addf(out, "sha256:%s\n", d->digest);
	tabular_init(&t, out);
	what_it_is(&b, d);
	fact(&t, "is", mlb_buf_str(&b));
	commits(&t, d);
	if (*d->pin)
		fact(&t, "built from", d->pin);
	if (*d->run)
		fact(&t, "run", d->run);
	tabular_print(&t, out, "  ");
	tabular_release(&t);
	mlb_buf_release(&b);
}
