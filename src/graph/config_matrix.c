/*
 * The values of matrix.KEY: words, ranges of whole numbers (1..5, 01..12) and
 * of days (2024-01-01..2024-03-31), in the order in which they are written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strmap.h"
#include "base/text.h"
#include "graph/config_int.h"

#define MAX_VALUES 100000
#define MAX_WORD 200

struct range {
	const struct mlb_text *at; /* of a matrix; NULL: */
	const char *param;         /* a sweep's parameter */
	struct mlb_strvec *out;
	struct mlb_err *err;
};

static int
fail(const struct range *r, const char *what, const char *word)
{
	if (!r->at)
		return mlb_err_set(r->err, MLB_EINVALID, "-p %s: '%.60s' %s", r->param, word, what);
	return mlb_err_set(r->err, MLB_EINVALID, "%s:%u: matrix value '%.60s' %s", r->at->file,
			   r->at->line, word, what);
}

static int
add(const struct range *r, const char *word)
{
	if (r->out->n >= MAX_VALUES)
		return fail(r, "makes more than 100,000 of them", word);
	mlb_strvec_push(r->out, word);
	return 0;
}

/* ------------------------------------------------------------ whole numbers */

static bool
parse_int(const char *s, size_t len, int64_t *out)
{
	bool minus = len && *s == '-';
	int64_t v = 0;

	if (minus) {
		s++;
		len--;
	}
	if (!len || len > 15)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (s[i] - '0');
	}
	*out = minus ? -v : v;
	return true;
}

/* Numbers get the width of the wider end where one begins with a zero. */
static int
int_range(const struct range *r, const char *word, int64_t from, int64_t to, size_t len_from,
	  size_t len_to)
{
	const char *last = word + len_from + 2;
	bool padded = (len_from > 1 && *word == '0') || (len_to > 1 && *last == '0');
	int width = padded ? (int)MLB_MAX(len_from, len_to) : 0;
	int rc = 0;

	if (from > to)
		return fail(r, "runs backwards: write the smaller end first", word);
	if (to - from >= MAX_VALUES)
		return fail(r, "makes more than 100,000 of them", word);
	for (int64_t i = from; i <= to && !rc; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%0*lld", width, (long long)i);
		rc = add(r, text);
	}
	return rc;
}

/* ------------------------------------------------------------ days */

struct day {
	int year, month, day;
};

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		return 29;
	return days[month - 1];
}

static bool
two_digits(const char *s, int *out)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*out = (s[0] - '0') * 10 + (s[1] - '0');
	return true;
}

/* "2024-01-31" (ISO 8601), and exactly that. */
static bool
looks_like_day(const char *s, size_t len, struct day *d)
{
	int century, year;

	if (len != 10 || s[4] != '-' || s[7] != '-' || !two_digits(s, &century) ||
	    !two_digits(s + 2, &year) || !two_digits(s + 5, &d->month) ||
	    !two_digits(s + 8, &d->day))
		return false;
	d->year = century * 100 + year;
	return true;
}

static bool
exists(const struct day *d)
{
	return d->month >= 1 && d->month <= 12 && d->day >= 1 &&
	       d->day <= days_in(d->year, d->month);
}

static bool
is_after(const struct day *a, const struct day *b)
{
	if (a->year != b->year)
		return a->year > b->year;
	return a->month != b->month ? a->month > b->month : a->day > b->day;
}

static int
day_range(const struct range *r, const char *word, struct day from, const struct day *to)
{
	if (!exists(&from) || !exists(to))
		return fail(r, "names a day that does not exist", word);
	if (is_after(&from, to))
		return fail(r, "runs backwards: write the earlier day first", word);
	while (!is_after(&from, to)) {
		char text[48];
		int rc;

		snprintf(text, sizeof(text), "%04d-%02d-%02d", from.year, from.month, from.day);
		rc = add(r, text);
		if (rc)
			return rc;
		if (++from.day > days_in(from.year, from.month)) {
			from.day = 1;
			if (++from.month > 12) {
				from.month = 1;
				from.year++;
			}
		}
	}
	return 0;
}

/* ------------------------------------------------------------ words */

/* A value is part of a target's name (fit@fold=0) and of paths. */
static bool
good_value(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f ||
		    strchr(",@=/\\*?[]{}$'\"`|&;<>()!#", *s))
			return false;
	return true;
}

/* Expand a range; *is tells whether the word is one. */
static int
add_range(const struct range *r, const char *word, bool *is)
{
	const char *dots = strstr(word, "..");
	size_t len_from = dots ? (size_t)(dots - word) : 0, len_to = dots ? strlen(dots + 2) : 0;
	struct day first, last;
	int64_t from, to;

	*is = true;
	if (dots && parse_int(word, len_from, &from) && parse_int(dots + 2, len_to, &to))
		return int_range(r, word, from, to, len_from, len_to);
	if (dots && looks_like_day(word, len_from, &first) &&
	    looks_like_day(dots + 2, len_to, &last))
		return day_range(r, word, first, &last);
	*is = false;
	return 0;
}

static int
add_word(const struct range *r, const char *word)
{
	bool is;
	int rc;

	if (!good_value(word) || strlen(word) > MAX_WORD || !strcmp(word, ".") ||
	    !strcmp(word, ".."))
		return fail(r,
			    "cannot be part of a target's name: use letters, digits, _ . - + : % ~",
			    word);
	if (!strstr(word, ".."))
		return add(r, word);
	rc = add_range(r, word, &is);
	if (rc || is)
		return rc;
	return fail(r,
		    "is a range of neither whole numbers (1..5) nor days (2024-01-01..2024-03-31)",
		    word);
}

int
mlb_range_values(struct mlb_strvec *out, const char *word, const char *param, bool *is,
		 struct mlb_err *err)
{
	struct range r = { .param = param, .out = out, .err = err };

	return add_range(&r, word, is);
}

static int
check_unique(const struct range *r)
{
	struct mlb_strmap seen = MLB_STRMAP_INIT;
	bool is_new = true;
	int rc = 0;

	for (size_t i = 0; i < r->out->n && !rc; i++) {
		mlb_strmap_add(&seen, r->out->v[i], strlen(r->out->v[i]), &is_new);
		if (!is_new)
			rc = fail(r, "is given twice", r->out->v[i]);
	}
	mlb_strmap_release(&seen);
	return rc;
}

int
mlb_matrix_values(struct mlb_strvec *out, const struct mlb_text *value, struct mlb_err *err)
{
	struct range r = { .at = value, .out = out, .err = err };
	const char *s = value->s;
	int rc = 0;

	for (s += strspn(s, " \t"); *s && !rc; s += strspn(s, " \t")) {
		size_t len = strcspn(s, " \t");
		char *word = mlb_strndup(s, len);

		rc = add_word(&r, word);
		free(word);
		s += len;
	}
	if (!rc && !out->n)
		rc = mlb_err_set(err, MLB_EINVALID, "%s:%u: a matrix without values", value->file,
				 value->line);
	return rc ? rc : check_unique(&r);
}
