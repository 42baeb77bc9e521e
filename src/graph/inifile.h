/*
 * Reading INI text: the one file that includes ini.h is inifile.c.
 *
 * Our own reader cuts the text into logical lines by the rules of
 * mlbuild.ini(5) and hands inih short tokens that stand for them, so that no
 * limit, inline comment, ':' separator or build option of any inih can shorten
 * or change a value. Values are kept line by line, as written.
 *
 * Ownership: the ini owns every string; entries borrow from its arena.
 */
#ifndef GRAPH_INIFILE_H
#define GRAPH_INIFILE_H

#include "base/arena.h"
#include "base/vec.h"
#include "graph/diag.h"
#include "mlbuild/err.h"

struct mlb_ini_entry {
	const char *section;      /* text between the brackets, blanks at the ends removed, inner ones single */
	const char *key;          /* NULL: the section header itself (so that empty sections are seen) */
	const char *const *lines; /* first line of the value, then continuation lines with their indentation */
	const unsigned *numbers;  /* line number of each of them; NULL where there is one line */
	const char *file;         /* as given to the reader */
	unsigned section_line;
	unsigned n_lines;
	unsigned line;            /* of the key, from 1 */
};

struct mlb_ini {
	struct mlb_arena arena;   /* owns every string */
	MLB_VEC(struct mlb_ini_entry) entry;
	bool lost_section;        /* a header could not be read: what it stands for is not here */
};

void mlb_ini_init(struct mlb_ini *ini);
void mlb_ini_release(struct mlb_ini *ini);

/* Append the entries of this text; all errors of the text are reported at once, one line each "FILE:LINE: …". */
int mlb_ini_parse(struct mlb_ini *ini, const char *file, const char *text, size_t len, struct mlb_err *err);

/*
 * The same for a caller that has more to say about the text: what is wrong in
 * it goes to diag and the rest is still appended. Fails only where inih itself
 * does not do as it should.
 */
int mlb_ini_read(struct mlb_ini *ini, const char *file, const char *text, size_t len, struct mlb_diag *diag,
		 struct mlb_err *err);

/* The value as one line: parts joined by a space, blanks trimmed. From the arena. */
const char *mlb_ini_joined(struct mlb_ini *ini, const struct mlb_ini_entry *e);
/* The value verbatim: lines joined by '\n', less the common indentation of the continuation lines. */
const char *mlb_ini_verbatim(struct mlb_ini *ini, const struct mlb_ini_entry *e);

/*
 * Append a text with another value of one key, which begins on this line: comments,
 * layout and line ends stay as they are. MLB_EINVALID if the value would not read
 * back the same (ini_edit.c).
 */
struct mlb_buf;
int mlb_ini_edit(struct mlb_buf *out, const char *file, const char *text, size_t len, unsigned line,
		 const char *value, struct mlb_err *err);

/* The line number of the i-th line of a value. */
static inline unsigned mlb_ini_line(const struct mlb_ini_entry *e, unsigned i)
{
	return e->numbers ? e->numbers[i] : e->line;
}

#endif
