/*
 * The text rules of mlbuild.ini(5): what is a comment, a value, a continuation,
 * an error; and that nothing of inih's limits and options shows.
 */
#include "unit.h"

#include <stdbool.h>

#include "graph/inifile.h"

/* Debian's inih has options that are changed while the program runs; others have none. */
extern bool ini_allow_multiline __attribute__((weak));
extern bool ini_allow_bom __attribute__((weak));
extern bool ini_allow_inline_comments __attribute__((weak));
extern bool ini_allow_no_value __attribute__((weak));
extern bool ini_stop_on_first_error __attribute__((weak));
extern bool ini_use_stack __attribute__((weak));
extern bool ini_allow_realloc __attribute__((weak));
extern int ini_max_line __attribute__((weak));

static void
parse(struct mlb_ini *ini, const char *text, size_t len)
{
	struct mlb_err err = MLB_ERR_INIT;

	mlb_ini_init(ini);
	assert_ok(mlb_ini_parse(ini, "f.ini", text, len, &err));
}

/* All messages of a text, which must have some. */
static void
assert_wrong(const char *text, size_t len, const char *messages)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ini ini;

	mlb_ini_init(&ini);
	assert_int_equal(mlb_ini_parse(&ini, "f.ini", text, len, &err), MLB_EINVALID);
	assert_string_equal(err.text, messages);
	mlb_err_release(&err);
	mlb_ini_release(&ini);
}

#define assert_bad(text, messages) assert_wrong(text, sizeof(text) - 1, messages)

/* The value of "[s] k = ..." in the text, in both readings. */
static void
assert_value(const char *text, const char *joined, const char *verbatim)
{
	struct mlb_ini ini;
	bool found = false;

	parse(&ini, text, strlen(text));
	for (size_t i = 0; i < ini.entry.n; i++) {
		if (!ini.entry.v[i].key || strcmp(ini.entry.v[i].key, "k") != 0)
			continue;
		assert_string_equal(mlb_ini_joined(&ini, &ini.entry.v[i]), joined);
		assert_string_equal(mlb_ini_verbatim(&ini, &ini.entry.v[i]), verbatim);
		found = true;
	}
	assert_true(found);
	mlb_ini_release(&ini);
}

static void
test_entries(void **state)
{
	static const char text[] = "; first\n"
				   "[project]\n"
				   "name = digits\n"
				   "\n"
				   "[empty]\n"
				   "# second\n"
				   "[  model \t  churn.train ]  \n"
				   "  \t\n"
				   "run=a\n"
				   "  b\n"
				   "out   =   x   \n";
	struct mlb_ini ini;
	const struct mlb_ini_entry *e;

	(void)state;
	parse(&ini, text, sizeof(text) - 1);
	assert_int_equal(ini.entry.n, 6);
	e = ini.entry.v;
	assert_string_equal(e[0].section, "project");
	assert_null(e[0].key);
	assert_int_equal(e[0].section_line, 2);
	assert_string_equal(e[1].key, "name");
	assert_string_equal(e[1].lines[0], "digits");
	assert_int_equal(e[1].line, 3);
	assert_string_equal(e[1].file, "f.ini");
	assert_string_equal(e[2].section, "empty");
	assert_null(e[2].key);
	assert_int_equal(e[2].line, 5);
	assert_string_equal(e[3].section, "model churn.train");
	assert_string_equal(e[4].key, "run");
	assert_int_equal(e[4].line, 9);
	assert_int_equal(e[4].section_line, 7);
	assert_int_equal(e[4].n_lines, 2);
	assert_string_equal(e[4].lines[1], "  b");
	assert_int_equal(mlb_ini_line(&e[4], 1), 10);
	assert_string_equal(e[5].key, "out");
	assert_string_equal(e[5].lines[0], "x");
	assert_int_equal(mlb_ini_line(&e[5], 0), 11);
	mlb_ini_release(&ini);
}

static void
test_ordinary_characters(void **state)
{
	(void)state;
	/* What inih would cut, split or take for something else. */
	assert_value("[s]\nk = a ; b # c\n", "a ; b # c", "a ; b # c");
	assert_value("[s]\nk = ; a\n", "; a", "; a");
	assert_value("[s]\nk = a = b == c\n", "a = b == c", "a = b == c");
	assert_value("[s]\nk = http://h:80/p\n", "http://h:80/p", "http://h:80/p");
	assert_value("[s]\nk = [x]\n", "[x]", "[x]");
	assert_value("[s]\nk = %s %(x)s $x ${y} \\\n", "%s %(x)s $x ${y} \\",
		     "%s %(x)s $x ${y} \\");
	assert_value("[s]\nk = \"quoted\" 'too'\n", "\"quoted\" 'too'", "\"quoted\" 'too'");
	assert_value("[s]\nk =\n", "", "");
	assert_value("[s]\nk=\xc3\xa9\xf0\x9f\x98\x80\n", "\xc3\xa9\xf0\x9f\x98\x80",
		     "\xc3\xa9\xf0\x9f\x98\x80");
	/* A form feed is no blank, a lone CR no line end. */
	assert_value("[s]\nk = \f a\rb\n", "\f a\rb", "\f a\rb");
}

static void
test_keys(void **state)
{
	static const char text[] = "[s]\na:b c = 1\nkey with ] and [ = 2\n";
	struct mlb_ini ini;

	(void)state;
	parse(&ini, text, sizeof(text) - 1);
	assert_string_equal(ini.entry.v[1].key, "a:b c");
	assert_string_equal(ini.entry.v[2].key, "key with ] and [");
	mlb_ini_release(&ini);
}

static void
test_continuation(void **state)
{
	(void)state;
	assert_value("[s]\nk = a \\\n      -b\n", "a \\ -b", "a \\\n-b");
	assert_value("[s]\nk = a\n\tb\n\t\tc\n", "a b c", "a\nb\n\tc");
	/* The first line may be empty; blank lines between are kept, those behind are not. */
	assert_value("[s]\nk =\n    for i in 1 2; do\n\n      echo $i\n    done\n\n\n",
		     "for i in 1 2; do echo $i done", "for i in 1 2; do\n\n  echo $i\ndone");
	assert_value("[s]\nk =   \n  a\n", "a", "a");
	/* A comment inside of a value is not part of it; an indented one is. */
	assert_value("[s]\nk = a\n; no\n  b\n# no\n\n  c\n", "a b c", "a\nb\n\nc");
	assert_value("[s]\nk = a\n  ; yes\n  # yes\n", "a ; yes # yes", "a\n; yes\n# yes");
	/* Only what all lines begin with goes. */
	assert_value("[s]\nk = a\n \tb\n  c\n", "a b c", "a\n\tb\n c");
	assert_value("[s]\nk = a\n    b\n   \n  c\n", "a b c", "a\n  b\n\nc");
	/* Inner blanks at line ends are the shell's business, those at the ends of the value are not. */
	assert_value("[s]\nk = a  \n  b \t \n  c  \n", "a b c", "a  \nb \t \nc");
	assert_value("[s]\nk = a\n  = b\n  [c]\n", "a = b [c]", "a\n= b\n[c]");
	/* At the end of the file without a line end. */
	assert_value("[s]\nk = a\n  b", "a b", "a\nb");
	assert_value("[s]\nk =", "", "");
}

static void
test_line_numbers_of_a_value(void **state)
{
	static const char text[] = "[s]\nk = a\n; c\n\n  b\n# c\n  c\n";
	struct mlb_ini ini;
	const struct mlb_ini_entry *e;

	(void)state;
	parse(&ini, text, sizeof(text) - 1);
	e = &ini.entry.v[1];
	assert_int_equal(e->n_lines, 4);
	assert_int_equal(mlb_ini_line(e, 0), 2);
	assert_int_equal(mlb_ini_line(e, 1), 4);
	assert_int_equal(mlb_ini_line(e, 2), 5);
	assert_int_equal(mlb_ini_line(e, 3), 7);
	mlb_ini_release(&ini);
}

static void
test_bom_and_crlf(void **state)
{
	(void)state;
	assert_value("\xef\xbb\xbf[s]\r\nk = a\r\n\r\n  b\r\n", "a b", "a\n\nb");
	assert_value("[s]\r\nk = a\r", "a", "a");
	assert_value("\xef\xbb\xbf; c\n[s]\nk = a", "a", "a");
	/* In the middle a BOM is text. */
	assert_value("[s]\nk = \xef\xbb\xbf"
		     "a\n",
		     "\xef\xbb\xbf"
		     "a",
		     "\xef\xbb\xbf"
		     "a");
}

static void
test_no_limits(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(16 * MLB_MIB), name = MLB_BUF_INIT(MLB_MIB);
	struct mlb_ini ini;
	const char *value;

	(void)state;
	while (name.len < 5000)
		mlb_buf_adds(&name, "long.name-");
	mlb_buf_addf(&text, "[model %s]\n%s = ", name.data, name.data);
	while (text.len < 2 * MLB_MIB)
		mlb_buf_adds(&text, "word ; # : [x] = ");
	mlb_buf_adds(&text, "end\n");
	for (int i = 0; i < 1000; i++)
		mlb_buf_adds(&text, "\tmore\n");
	parse(&ini, text.data, text.len);
	assert_int_equal(ini.entry.n, 2);
	assert_string_equal(ini.entry.v[1].key, name.data);
	assert_string_equal(ini.entry.v[1].section + 6, name.data);
	assert_int_equal(ini.entry.v[1].n_lines, 1001);
	value = ini.entry.v[1].lines[0];
	assert_string_equal(value + strlen(value) - 6, " = end");
	mlb_ini_release(&ini);
	mlb_buf_release(&text);
	mlb_buf_release(&name);
}

/* Whatever the options, the result is the same. */
static void
test_options_of_inih(void **state)
{
	static const char *const text = "\xef\xbb\xbf[s]\nk = a ; b\n   c\n";

	(void)state;
	if (!&ini_max_line)
		skip();
	for (unsigned bits = 0; bits < 128; bits++) {
		ini_allow_multiline = bits & 1;
		ini_allow_bom = bits & 2;
		ini_allow_inline_comments = bits & 4;
		ini_allow_no_value = bits & 8;
		ini_stop_on_first_error = bits & 16;
		ini_use_stack = bits & 32;
		ini_allow_realloc = bits & 64;
		assert_value(text, "a ; b c", "a ; b\nc");
	}
	ini_allow_multiline = ini_allow_bom = ini_allow_inline_comments = ini_use_stack = true;
	ini_allow_no_value = ini_stop_on_first_error = ini_allow_realloc = false;
}

/* An inih that cannot even take a short line is not believed. */
static void
test_inih_that_fails(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ini ini;

	(void)state;
	if (!&ini_max_line)
		skip();
	mlb_ini_init(&ini);
	ini_max_line = 4;
	assert_err(mlb_ini_parse(&ini, "f.ini", "[s]\nk = v\n", 10, &err), MLB_ESYSTEM,
		   "the inih library does not work as it should");
	ini_max_line = 200;
	mlb_ini_release(&ini);
}

static void
test_errors(void **state)
{
	(void)state;
	assert_bad("k = v\n", "f.ini:1: 'k' stands before any section: begin with [project]");
	assert_bad("[s\n", "f.ini:1: a section header without its ']'");
	assert_bad("[]\n", "f.ini:1: a section header without a name");
	assert_bad("[ \t]\n", "f.ini:1: a section header without a name");
	assert_bad("[s] x\n", "f.ini:1: 'x' after the section header");
	assert_bad(
		"[s] ; c\n",
		"f.ini:1: '; c' after the section header: a comment begins in the first column of its line");
	assert_bad("[s]\nnothing here\n", "f.ini:2: 'nothing here' is not 'key = value'");
	assert_bad("[s]\nkey: v\n",
		   "f.ini:2: 'key: v' is not 'key = value': '=' separates them, ':' does not");
	assert_bad("[s]\n= v\n", "f.ini:2: a value without a key");
	assert_bad("[s]\n  k = v\n",
		   "f.ini:2: an indented line, but there is no value above that it continues");
	assert_bad("  k = v\n",
		   "f.ini:1: an indented line, but there is no value above that it continues");
	assert_bad("[s]\nk = 1\nl = 2\nk = 3\n",
		   "f.ini:4: 'k' is given twice in [s]: first at line 2");
	assert_bad("[s]\nk = 1\n[t]\n[s]\nk = 2\n",
		   "f.ini:4: section [s] is given twice: it began at line 1");
	assert_bad("[m  x]\n[m x]\n", "f.ini:2: section [m x] is given twice: it began at line 1");
	assert_bad("[s]\nk = \xff\n", "f.ini:2: text that is not UTF-8: save the file as UTF-8");
	assert_bad("; \xc0\x80\n[s]\n", "f.ini:1: text that is not UTF-8: save the file as UTF-8");
	assert_bad("[s]\nk = a\0b\n", "f.ini:2: a NUL byte: this is not a text file");
	assert_bad("[s]\nk = a\n  \0\n  c\n", "f.ini:3: a NUL byte: this is not a text file");
}

static void
test_all_errors_at_once(void **state)
{
	(void)state;
	assert_bad("junk\n"
		   "  its continuation\n"
		   "[a\n"
		   "key = of the wrong section, not an error of its own\n"
		   "key = nor this\n"
		   "[b]\n"
		   "x = 1\n"
		   "x = 2\n"
		   "  more of it\n"
		   "y\n"
		   "[b]\n"
		   "x = 3\n",
		   "f.ini:1: 'junk' is not 'key = value'\n"
		   "f.ini:3: a section header without its ']'\n"
		   "f.ini:8: 'x' is given twice in [b]: first at line 7\n"
		   "f.ini:10: 'y' is not 'key = value'\n"
		   "f.ini:11: section [b] is given twice: it began at line 6");
}

static void
test_the_rest_is_kept(void **state)
{
	static const char text[] = "[s]\njunk\nk = 1\nk = 2\nl = 3\n";
	struct mlb_diag diag = MLB_DIAG_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ini ini;

	(void)state;
	mlb_ini_init(&ini);
	assert_ok(mlb_ini_read(&ini, "f.ini", text, sizeof(text) - 1, &diag, &err));
	assert_true(mlb_diag_any(&diag));
	assert_int_equal(diag.line.n, 2);
	assert_int_equal(ini.entry.n, 3);
	assert_string_equal(ini.entry.v[1].lines[0], "1");
	assert_string_equal(ini.entry.v[2].key, "l");
	mlb_diag_release(&diag);
	mlb_ini_release(&ini);
}

static void
test_several_files(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ini ini;

	(void)state;
	mlb_ini_init(&ini);
	assert_ok(mlb_ini_parse(&ini, "a.ini", "[s]\nk = 1\n", 10, &err));
	assert_ok(mlb_ini_parse(&ini, "b.ini", "[s]\nk = 2\n", 10,
				&err)); /* another file: another matter */
	assert_ok(mlb_ini_parse(&ini, "c.ini", "", 0, &err));
	assert_int_equal(ini.entry.n, 4);
	assert_string_equal(ini.entry.v[0].file, "a.ini");
	assert_string_equal(ini.entry.v[3].file, "b.ini");
	assert_err(mlb_ini_parse(&ini, "d.ini", "  x\n", 4, &err), MLB_EINVALID, "d.ini:1: ");
	mlb_ini_release(&ini);
}

/* Many errors are counted, not kept. */
static void
test_many_errors(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ini ini;

	(void)state;
	mlb_ini_init(&ini);
	mlb_buf_adds(&text, "[s]\n");
	for (int i = 0; i < MLB_DIAG_MAX + 7; i++)
		mlb_buf_adds(&text, "junk\n");
	assert_err(mlb_ini_parse(&ini, "f.ini", text.data, text.len, &err), MLB_EINVALID,
		   "\nand 7 more errors");
	mlb_buf_release(&text);
	mlb_ini_release(&ini);
}

/* ------------------------------------------------------------ at random */

static unsigned seed = 7;

static unsigned
rnd(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* A text without blanks at its ends, of characters that mean something somewhere. */
static void
random_text(struct mlb_buf *out, bool may_be_empty)
{
	static const char *const bits[] = { "a", "B", "7",  ";",  "#",  ":", "=",       "[",
					    "]", " ", "\t", "\\", "\"", "$", "\xc3\xa9" };
	unsigned n = rnd(12) + !may_be_empty;

	mlb_buf_clear(out);
	for (unsigned i = 0; i < n; i++)
		mlb_buf_adds(out, bits[i && i + 1 < n ? rnd(MLB_ARRAY_LEN(bits)) : rnd(9)]);
}

struct random_entry {
	char key[16];
	char *lines[4];
	unsigned n;
};

/* What was written is what is read, whatever stands between. */
static void
test_random_texts(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB), bit = MLB_BUF_INIT(MLB_KIB);

	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		const char *eol = round % 2 ? "\n" : "\r\n";
		struct random_entry want[20];
		unsigned n = rnd(20);
		struct mlb_ini ini;

		mlb_buf_clear(&text);
		mlb_buf_addf(&text, "%s[s]%s", rnd(2) ? "\xef\xbb\xbf" : "", eol);
		for (unsigned i = 0; i < n; i++) {
			struct random_entry *e = &want[i];

			snprintf(e->key, sizeof(e->key), "k%u", i);
			e->n = 1 + rnd(4);
			for (unsigned k = 0; k < e->n; k++) {
				random_text(&bit, k == 0);
				e->lines[k] = k ? mlb_asprintf("%s%s", rnd(2) ? "  " : "\t",
							       mlb_buf_str(&bit))
						: mlb_strdup(mlb_buf_str(&bit));
				if (k)
					mlb_buf_addf(&text, "%s%s", e->lines[k], eol);
				else
					mlb_buf_addf(&text, "%s%s=%s%s%s", e->key,
						     rnd(2) ? " " : "", rnd(2) ? "\t" : "",
						     e->lines[0], eol);
				if (!rnd(4))
					mlb_buf_addf(&text, "%c comment = [x]%s",
						     rnd(2) ? ';' : '#', eol);
			}
			if (!rnd(3))
				mlb_buf_addf(&text, "  %s", eol);
		}
		if (rnd(2))
			mlb_buf_truncate(&text, text.len - strlen(eol));
		parse(&ini, text.data, text.len);
		assert_int_equal(ini.entry.n, n + 1);
		for (unsigned i = 0; i < n; i++) {
			const struct mlb_ini_entry *e = &ini.entry.v[i + 1];

			assert_string_equal(e->key, want[i].key);
			assert_int_equal(e->n_lines, want[i].n);
			for (unsigned k = 0; k < want[i].n; k++) {
				assert_string_equal(e->lines[k], want[i].lines[k]);
				free(want[i].lines[k]);
			}
		}
		mlb_ini_release(&ini);
	}
	mlb_buf_release(&text);
	mlb_buf_release(&bit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_ordinary_characters),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_continuation),
		cmocka_unit_test(test_line_numbers_of_a_value),
		cmocka_unit_test(test_bom_and_crlf),
		cmocka_unit_test(test_no_limits),
		cmocka_unit_test(test_options_of_inih),
		cmocka_unit_test(test_inih_that_fails),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_all_errors_at_once),
		cmocka_unit_test(test_the_rest_is_kept),
		cmocka_unit_test(test_several_files),
		cmocka_unit_test(test_many_errors),
		cmocka_unit_test(test_random_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
