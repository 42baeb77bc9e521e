/*
 * Table objects, version 1, byte by byte: which instance of a matrix, or which
 * file of `each`, gave which outputs.
 *
 *   mlbuild-table 1
 *   row 9f2c… fit@fold=0                  key, and name to the end of the line
 *   output f 41aa… 2311 models/0.pkl      as in the lock file (lockfile.c)
 *   …                                     further outputs, further rows
 *
 * Rows are sorted bytewise by name and a name comes once. Texts are written as
 * in the lock file; lines end in LF. There is one text for one table, so that
 * equal tables are one object.
 */
#include <string.h>

#include "base/hex.h"
#include "graph/lock_int.h"

#define HEADER "mlbuild-table 1\n"

void
mlb_table_format(struct mlb_buf *out, const struct mlb_table_row *row, size_t n)
{
	mlb_buf_adds(out, HEADER);
	for (size_t i = 0; i < n; i++) {
		char hex[MLB_HEX_LEN + 1];

		mlb_digest_hex(hex, &row[i].key);
		mlb_buf_adds(out, "row ");
		mlb_buf_add(out, hex, MLB_HEX_LEN);
		mlb_buf_addc(out, ' ');
		mlb_lock_add_text(out, row[i].name);
		mlb_buf_addc(out, '\n');
		for (uint32_t k = 0; k < row[i].n_outputs; k++) {
			mlb_buf_adds(out, "output ");
			mlb_lock_add_output(out, &row[i].output[k]);
			mlb_buf_addc(out, '\n');
		}
	}
}

struct table {
	struct mlb_arena *arena;
	MLB_VEC(struct mlb_table_row) row;
	struct mlb_lock_outputs output; /* of the last row, scratch */
	unsigned line;
	struct mlb_err *err;
};

static int
damaged(const struct table *t)
{
	return mlb_err_set(t->err, MLB_ECORRUPT, "a table object is damaged at line %u", t->line);
}

static void
end_row(struct table *t)
{
	struct mlb_table_row *row;

	if (!t->row.n)
		return;
	row = &t->row.v[t->row.n - 1];
	row->output = mlb_lock_keep(t->arena, &t->output);
	row->n_outputs = (uint32_t)t->output.n;
	t->output.n = 0;
}

static int
take_row(struct table *t, const char *s, size_t len)
{
	struct mlb_table_row row = { 0 };

	end_row(t);
	if (len < MLB_HEX_LEN + 2 || !mlb_digest_parse(&row.key, s, MLB_HEX_LEN) ||
	    s[MLB_HEX_LEN] != ' ')
		return damaged(t);
	row.name = mlb_lock_text(t->arena, s + MLB_HEX_LEN + 1, len - MLB_HEX_LEN - 1);
	if (!row.name || (t->row.n && strcmp(t->row.v[t->row.n - 1].name, row.name) >= 0))
		return damaged(t);
	mlb_vec_push(&t->row, row);
	return 0;
}

static int
take_line(struct table *t, const char *s, size_t len)
{
	struct mlb_lock_output o = { 0 };

	if (len > 4 && !memcmp(s, "row ", 4))
		return take_row(t, s + 4, len - 4);
	if (!t->row.n || len < 7 || memcmp(s, "output ", 7) != 0 ||
	    !mlb_lock_output(&o, t->arena, s + 7, len - 7))
		return damaged(t);
	mlb_vec_push(&t->output, o);
	return 0;
}

static int
take_lines(struct table *t, const char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t n = strlen(HEADER);
	int rc = 0;

	t->line = 1;
	if (len < n || memcmp(text, HEADER, n) != 0)
		return damaged(t);
	for (p += n; p < end && !rc;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		t->line++;
		if (!eol)
			return damaged(t);
		rc = take_line(t, p, (size_t)(eol - p));
		p = eol + 1;
	}
	end_row(t);
	return rc;
}

int
mlb_table_parse(struct mlb_table_row **out, size_t *n, struct mlb_arena *arena, const char *text,
		size_t len, struct mlb_err *err)
{
	struct table t = { .arena = arena, .err = err };
	int rc = take_lines(&t, text, len);

	if (!rc) {
		*n = t.row.n;
		*out = mlb_arena_alloc(arena, (t.row.n + 1) * sizeof(**out));
		if (t.row.n)
			memcpy(*out, t.row.v, t.row.n * sizeof(**out));
	}
	mlb_vec_release(&t.row);
	mlb_vec_release(&t.output);
	return rc;
}
