/*
 * mlbuild.lock and table objects: the format byte by byte, and what is refused.
 */
#include "lock_test.h"

#include "os/clock.h"

static void
parse_fails(const char *text, const char *message)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_lockfile l;

	mlb_lockfile_init(&l);
	assert_int_equal(mlb_lockfile_parse(&l, text, strlen(text), &err), MLB_EINVALID);
	if (!strstr(err.text, message))
		print_error("got: %s\nwanted: %s\n", err.text, message);
	assert_non_null(strstr(err.text, message));
	/* What to do next is part of every message. */
	assert_true(strstr(err.text, "restore the file from git, or delete") ||
		    strstr(err.text, "use that version"));
	mlb_err_release(&err);
	mlb_lockfile_release(&l);
}

/* ------------------------------------------------------------ format */

#define H(c)                                                                                       \
	c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c  \
		c c c c c c c c c c c c c c c c c c c
#define HEAD                                                                                       \
	"# mlbuild.lock 1\n"                                                                       \
	"# Which bytes this commit means. Made by mlbuild: commit it, do not edit it.\n"

#define END "\n# end\n"

/* Written once by hand: a change to it breaks every lock file that is committed anywhere. */
static const char golden[] = HEAD
	"\n"
	"[model churn.train]\n"
	"key = " H("1") "\n"
			"stamp = 2024-11-02T10:00:00Z\n"
			"output = f " H(
				"2") " 2311 models/a b.pkl\n"
				     "output = t " H(
					     "3") " 0 \\x20odd\\x0a\\x5cname\\xff/\xc3\xa9\\x20\n"
						  "sum = ";

static void
golden_lock(struct mlb_lockfile *l)
{
	struct mlb_lock_output out[2] = { { "models/a b.pkl", 'f', { { 0 } }, 2311 },
					  { " odd\n\\name\xff/\xc3\xa9 ", 't', { { 0 } }, 0 } };
	struct mlb_lock_block b = { .kind = "model",
				    .name = "churn.train",
				    .stamp = "2024-11-02T10:00:00Z",
				    .output = out,
				    .n_outputs = 2 };

	memset(&b.key, 0x11, sizeof(b.key));
	memset(&out[0].digest, 0x22, sizeof(b.key));
	memset(&out[1].digest, 0x33, sizeof(b.key));
	mlb_lockfile_init(l);
	mlb_lockfile_set(l, &b);
}

static void
test_golden(void **state)
{
	struct mlb_lockfile l, back;
	char *text;

	(void)state;
	golden_lock(&l);
	text = format(&l);
	assert_memory_equal(text, golden, strlen(golden));
	assert_string_equal(text + strlen(golden), "6bad917be81e4fc9\n\n# end\n");
	parse_ok(&back, text, strlen(text));
	assert_string_equal(mlb_lockfile_get(&back, "churn.train")->output[1].path,
			    " odd\n\\name\xff/\xc3\xa9 ");
	assert_string_equal(mlb_lockfile_get(&back, "churn.train")->stamp, "2024-11-02T10:00:00Z");
	assert_false(back.conflict);
	free(text);
	mlb_lockfile_release(&back);
	mlb_lockfile_release(&l);
}

static void
test_round_trip(void **state)
{
	struct mlb_lockfile l, back;
	struct mlb_lock_block table = {
		.kind = "feature", .name = "aug", .key = digest(5), .table = digest(6)
	};
	struct mlb_lock_output src = { "data/raw.csv", 'f', digest(7), UINT64_MAX };
	struct mlb_lock_block source = {
		.kind = "dataset", .name = "raw", .output = &src, .n_outputs = 1
	};
	char *text, *again;

	(void)state;
	mlb_lockfile_init(&l);
	set(&l, "model", "z", 1, 3);
	mlb_lockfile_set(&l, &table);
	mlb_lockfile_set(&l, &source);
	set(&l, "check", "B", 2, 0);
	set(&l, "model", "gone", 3, 1);
	mlb_lockfile_remove(&l, "gone");
	mlb_lockfile_remove(&l, "never");
	assert_null(mlb_lockfile_get(&l, "gone"));
	set(&l, "model", "z", 4, 2); /* replaces */
	text = format(&l);
	parse_ok(&back, text, strlen(text));
	again = format(&back);
	assert_string_equal(text, again);

	/* Sorted bytewise, whatever the order of arrival. */
	assert_true(strstr(text, "[check B]") < strstr(text, "[feature aug]"));
	assert_true(strstr(text, "[feature aug]") < strstr(text, "[dataset raw]"));
	assert_true(strstr(text, "[dataset raw]") < strstr(text, "[model z]"));
	assert_null(strstr(text, "gone"));

	assert_true(mlb_digest_is_zero(&mlb_lockfile_get(&back, "raw")->key));
	assert_true(mlb_lockfile_get(&back, "raw")->output[0].size == UINT64_MAX);
	assert_true(mlb_digest_equal(&mlb_lockfile_get(&back, "aug")->table, &table.table));
	assert_int_equal(mlb_lockfile_get(&back, "z")->n_outputs, 2);
	assert_string_equal(mlb_lockfile_get(&back, "z")->kind, "model");
	assert_int_equal(mlb_lockfile_get(&back, "B")->n_outputs, 0);
	free(again);
	free(text);
	mlb_lockfile_release(&back);
	mlb_lockfile_release(&l);
}

static void
test_crlf_and_empty(void **state)
{
	struct mlb_lockfile l, back;
	struct mlb_buf crlf = MLB_BUF_INIT(MAX);
	char *text, *again;

	(void)state;
	golden_lock(&l);
	set(&l, "report", "r", 9, 2);
	text = format(&l);
	for (const char *s = text; *s; s++) {
		if (*s == '\n')
			mlb_buf_addc(&crlf, '\r');
		mlb_buf_addc(&crlf, *s);
	}
	parse_ok(&back, mlb_buf_str(&crlf), crlf.len);
	again = format(&back);
	assert_string_equal(text, again);
	mlb_lockfile_release(&back);

	parse_ok(&back, "", 0);
	assert_int_equal(back.map.n, 0);
	mlb_lockfile_release(&back);
	parse_ok(&back, HEAD END, strlen(HEAD END));
	assert_int_equal(back.map.n, 0);
	mlb_lockfile_release(&back);
	/* A last line without its end is whole all the same. */
	parse_ok(&back, text, strlen(text) - 1);
	assert_int_equal(back.map.n, 2);
	mlb_lockfile_release(&back);
	free(again);
	free(text);
	mlb_buf_release(&crlf);
	mlb_lockfile_release(&l);
}

/* What a change to one byte of a good file may do: be refused, or (in a comment) nothing. Never another meaning. */
static void
test_every_byte_counts(void **state)
{
	struct mlb_lockfile l;
	size_t len, body;
	char *text;

	(void)state;
	golden_lock(&l);
	text = format(&l);
	len = strlen(text);
	body = (size_t)(strstr(text, "[model") - text);
	for (size_t i = body; i < len - strlen(END); i++) {
		struct mlb_lockfile got;
		struct mlb_err err = MLB_ERR_INIT;
		char old = text[i];

		text[i] = old == 'e' ? 'd' : old == '1' ? '2' : old == 'm' ? 'n' : (char)(old ^ 1);
		mlb_lockfile_init(&got);
		if (mlb_lockfile_parse(&got, text, len, &err) == 0) {
			print_error("byte %zu: %s\n", i, text);
			fail();
		}
		text[i] = old;
		mlb_err_release(&err);
		mlb_lockfile_release(&got);
	}
	/* Cut short anywhere: refused. */
	for (size_t i = 1; i + 1 < len; i++) {
		struct mlb_lockfile got;
		struct mlb_err err = MLB_ERR_INIT;

		mlb_lockfile_init(&got);
		assert_int_not_equal(mlb_lockfile_parse(&got, text, i, &err), 0);
		mlb_err_release(&err);
		mlb_lockfile_release(&got);
	}
	free(text);
	mlb_lockfile_release(&l);
}

static void
test_refused(void **state)
{
	(void)state;
	parse_fails("[model m]\n", "mlbuild.lock:1: this is not a lock file");
	parse_fails("# mlbuild.lock 2\n", "mlbuild.lock:1: a newer mlbuild");
	parse_fails("# mlbuild.lock 1x\n", "mlbuild.lock:1: a newer mlbuild");
	parse_fails(HEAD, "mlbuild.lock:2: the end is missing");
	parse_fails(HEAD END "[model m]\n", "mlbuild.lock:5: a line behind the end");
	parse_fails(HEAD "junk\n", "mlbuild.lock:3: a line that belongs to no block");
	parse_fails(HEAD "[model m]\nkey = 12\nsum = 0000000000000000\n",
		    "mlbuild.lock:4: a damaged line");
	parse_fails(HEAD "[model m]\nhash = 12\n", "mlbuild.lock:4: a line that is not known");
	parse_fails(HEAD "[model m]\n\n[model n]\n", "mlbuild.lock:3: [model m] is not whole");
	parse_fails(HEAD "[model m]\n", "mlbuild.lock:3: [model m] is not whole");
	parse_fails(HEAD "[model m]\nsum = 0000000000000000\n",
		    "mlbuild.lock:3: [model m] is not as mlbuild wrote it");
	parse_fails(HEAD "[stage m]\n", "mlbuild.lock:3: a block that is no target's");
	parse_fails(HEAD "[model ../m]\n", "mlbuild.lock:3: a block that is no target's");
	parse_fails(HEAD "[model]\n", "mlbuild.lock:3: not a block's header");
	parse_fails(HEAD "[model m\n", "mlbuild.lock:3: not a block's header");
	parse_fails(HEAD "[model m]\nstamp = a\nkey = " H("1") "\n",
		    "mlbuild.lock:5: a line out of place");
	parse_fails(HEAD "[model m]\nkey = " H("1") "\nkey = " H("1") "\n",
		    "mlbuild.lock:5: a line out of place");
	parse_fails(HEAD "[model m]\nkey = " H("A") "\n", "mlbuild.lock:4: a damaged line");
	parse_fails(HEAD "[model m]\ntable = " H("1") "\noutput = f " H("1") " 1 a\n",
		    "mlbuild.lock:5: a damaged line");
	static const char *const outputs[] = {
		"q " H("1") " 1 a",
		"f " H("1") " 01 a",
		"f " H("1") " 1",
		"f " H("1") " 1 ",
		"f " H("1") "  1 a",
		"f " H("1") " 18446744073709551616 a",
		"f " H("1") " -1 a",
		"f " H("1") " 1 /etc/passwd",
		"f " H("1") " 1 ../a",
		"f " H("1") " 1 a/../../b",
		"f " H("1") " 1 a//b",
		"f " H("1") " 1 a/",
		"f " H("1") " 1 ./a",
		"f " H("1") " 1 .",
		"f " H("1") " 1 a\\x00b",
		"f " H("1") " 1 a\\x0Ab",
		"f " H("1") " 1 a\\n",
		"f " H("1") " 1 a\\x1",
		"f " H("1") " 1 \\x2e\\x2e/a",
		"",
		"f",
	};
	for (size_t i = 0; i < MLB_ARRAY_LEN(outputs); i++) {
		char *text = mlb_asprintf(HEAD "[model m]\noutput = %s\n", outputs[i]);

		parse_fails(text, "mlbuild.lock:4: a damaged line");
		free(text);
	}
	parse_fails(HEAD "=======\n", "mlbuild.lock:3: a conflict marker out of place");
	parse_fails(HEAD "<<<<<<< a\n", "mlbuild.lock:3: a conflict without its end");
	parse_fails(HEAD "<<<<<<< a\n<<<<<<< b\n",
		    "mlbuild.lock:4: a conflict marker out of place");
	parse_fails(HEAD "<<<<<<< a\n=======\n=======\n",
		    "mlbuild.lock:5: a conflict marker out of place");
	parse_fails(HEAD "<<<<<< a\n", "mlbuild.lock:3: a conflict marker out of place");
}

/* Git can merge so that a block is there twice: both are candidates, equal ones are one. */
static void
test_second_block(void **state)
{
	struct mlb_lockfile l, other, got;
	char *text, *text2, *twice;
	size_t block;

	(void)state;
	mlb_lockfile_init(&l);
	mlb_lockfile_init(&other);
	set(&l, "model", "m", 1, 1);
	set(&other, "feature", "m", 2, 1);
	text = format(&l);
	text2 = format(&other);
	block = strlen(text) - strlen(HEAD END);
	twice = mlb_asprintf("%.*s%.*s%s", (int)(strlen(HEAD) + block), text, (int)block,
			     text + strlen(HEAD), text2 + strlen(HEAD));
	parse_ok(&got, twice, strlen(twice));
	assert_false(got.conflict);
	assert_string_equal(mlb_lockfile_get(&got, "m")->kind, "model");
	assert_string_equal(mlb_lockfile_get(&got, "m")->other->kind, "feature");
	assert_null(mlb_lockfile_get(&got, "m")->other->other);
	mlb_lockfile_release(&got);
	free(twice);
	free(text2);
	free(text);
	mlb_lockfile_release(&other);
	mlb_lockfile_release(&l);
}

/* ------------------------------------------------------------ conflicts by hand */

static void
test_conflict_styles(void **state)
{
	static const char *const base_part[] = {
		"", "||||||| base\n", "||||||| base\nkey = whatever\n<<<<<<<<< nested\n"
	};
	struct mlb_lockfile ours, theirs;
	char *a, *b;

	(void)state;
	mlb_lockfile_init(&ours);
	mlb_lockfile_init(&theirs);
	set(&ours, "model", "m", 1, 2);
	set(&theirs, "model", "m", 2, 2);
	a = format(&ours);
	b = format(&theirs);
	for (size_t i = 0; i < MLB_ARRAY_LEN(base_part); i++) {
		const char *body_a = strstr(a, "key"), *body_b = strstr(b, "key");
		int len_a = (int)(strstr(body_a, END) - body_a),
		    len_b = (int)(strstr(body_b, END) - body_b);
		char *text = mlb_asprintf(
			"%.*s<<<<<<< HEAD\n%.*s%s=======\n%.*s>>>>>>> branch\n" END,
			(int)(body_a - a), a, len_a, body_a, base_part[i], len_b, body_b);
		struct mlb_lock_block *m;
		struct mlb_lockfile l;
		char *written;

		parse_ok(&l, text, strlen(text));
		assert_true(l.conflict);
		m = mlb_lockfile_get(&l, "m");
		assert_non_null(m->other);
		assert_null(m->other->other);
		assert_true(mlb_digest_equal(&m->key, &mlb_lockfile_get(&ours, "m")->key));
		assert_true(mlb_digest_equal(&m->other->key, &mlb_lockfile_get(&theirs, "m")->key));
		assert_int_equal(m->other->n_outputs, 2);
		/* Written again it has no markers, and the first candidate only. */
		written = format(&l);
		assert_string_equal(written, a);
		free(written);
		/* What is built replaces all candidates. */
		set(&l, "model", "m", 2, 2);
		assert_null(mlb_lockfile_get(&l, "m")->other);
		written = format(&l);
		assert_string_equal(written, b);
		free(written);
		mlb_lockfile_release(&l);
		free(text);
	}
	free(a);
	free(b);
	mlb_lockfile_release(&ours);
	mlb_lockfile_release(&theirs);
}

/* ------------------------------------------------------------ tables */

static void
test_table(void **state)
{
	struct mlb_lock_output out = { "data/a b", 'f', digest(1), 5 };
	struct mlb_table_row row[3] = { { "fit@fold=0", digest(2), &out, 1 },
					{ "img/\xff\n.png", digest(3), &out, 1 },
					{ "z", digest(4), NULL, 0 } };
	struct mlb_buf text = MLB_BUF_INIT(MAX), again = MLB_BUF_INIT(MAX);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_table_row *back;
	size_t n;

	(void)state;
	mlb_table_format(&text, row, 3);
	assert_memory_equal(mlb_buf_str(&text), "mlbuild-table 1\nrow ", 20);
	assert_int_equal(mlb_table_parse(&back, &n, &arena, text.data, text.len, &err), 0);
	assert_int_equal(n, 3);
	assert_string_equal(back[1].name, "img/\xff\n.png");
	assert_string_equal(back[1].output[0].path, "data/a b");
	assert_true(mlb_digest_equal(&back[2].key, &row[2].key));
	assert_int_equal(back[2].n_outputs, 0);
	mlb_table_format(&again, back, n);
	assert_string_equal(text.data, again.data);

	/* Cut anywhere but behind a row or an output, unsorted, of another version: damaged. */
	for (size_t i = 0; i < text.len; i++) {
		if (i && text.data[i - 1] == '\n')
			continue;
		assert_int_equal(mlb_table_parse(&back, &n, &arena, text.data, i, &err),
				 MLB_ECORRUPT);
		mlb_err_release(&err);
	}
	mlb_buf_clear(&again);
	row[2].name = "a";
	mlb_table_format(&again, row, 3);
	assert_int_equal(mlb_table_parse(&back, &n, &arena, again.data, again.len, &err),
			 MLB_ECORRUPT);
	mlb_err_release(&err);
	again.data[14] = '2';
	assert_int_equal(mlb_table_parse(&back, &n, &arena, again.data, again.len, &err),
			 MLB_ECORRUPT);
	mlb_err_release(&err);
	mlb_arena_release(&arena);
	mlb_buf_release(&text);
	mlb_buf_release(&again);
}

/* 100,000 blocks: the time is printed, not judged; that it is linear shows in that the test ends. */
static void
test_many(void **state)
{
	struct mlb_lockfile l, back;
	uint64_t start, read, written;
	char *text, *again;

	(void)state;
	mlb_lockfile_init(&l);
	for (unsigned i = 0; i < 100000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%u", i);
		set(&l, "feature", name, i, 1);
	}
	text = format(&l);
	start = mlb_clock_mono();
	parse_ok(&back, text, strlen(text));
	read = mlb_clock_mono();
	again = format(&back);
	written = mlb_clock_mono();
	print_message("100,000 blocks, %zu bytes: read in %.0f ms, written in %.0f ms\n",
		      strlen(text), (double)(read - start) / 1e6, (double)(written - read) / 1e6);
	assert_int_equal(back.map.n, 100000);
	assert_string_equal(text, again);
	free(text);
	free(again);
	mlb_lockfile_release(&l);
	mlb_lockfile_release(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_crlf_and_empty),
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_second_block),
		cmocka_unit_test(test_conflict_styles),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
