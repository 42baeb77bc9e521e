/* References: their grammar, and the quoting of what replaces them. */
#include "unit.h"

#include "refs_unit.h"

/* ------------------------------------------------------------ helpers */

static void
assert_wrong(const char *value, bool shell, const char *words)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_pieces pieces = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	assert_err(mlb_refs_parse(&pieces, &arena, value, shell, &err), MLB_EINVALID, words);
	mlb_vec_release(&pieces);
	mlb_arena_release(&arena);
}

/* ------------------------------------------------------------ grammar */

static void
test_forms(void **state)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	static const struct {
		const char *text;
		enum mlb_ref_form form;
		const char *name, *out;
	} t[] = {
		{ "${raw}", MLB_REF_TARGET, "raw", "" },
		{ "${a.b-c_d}", MLB_REF_TARGET, "a.b-c_d", "" },
		{ "${split:train}", MLB_REF_TARGET, "split", "train" },
		{ "${model:metrics}", MLB_REF_TARGET, "model", "metrics" },
		{ "${aug:list}", MLB_REF_TARGET, "aug", "list" },
		{ "${out}", MLB_REF_OUT, "", "" },
		{ "${out:x}", MLB_REF_OUT, "", "x" },
		{ "${metrics}", MLB_REF_METRICS, "", "" },
		{ "${params:model.C}", MLB_REF_PARAM, "model.C", "" },
		{ "${params:a/b}", MLB_REF_PARAM, "a/b", "" },
		{ "${env:HOME}", MLB_REF_ENV, "HOME", "" },
		{ "${matrix:fold}", MLB_REF_MATRIX, "fold", "" },
		{ "${each}", MLB_REF_EACH, "", "" },
		{ "${each:stem}", MLB_REF_EACH, "", "stem" },
		{ "${scratch}", MLB_REF_SCRATCH, "", "" },
		{ "${outs}", MLB_REF_TARGET, "outs", "" },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(t); i++) {
		struct mlb_ref *r = only_ref(&arena, t[i].text, false);

		assert_int_equal(r->form, t[i].form);
		assert_string_equal(r->name, t[i].name);
		assert_string_equal(r->out, t[i].out);
		assert_string_equal(r->text, t[i].text);
		assert_int_equal(r->n_binds, 0);
		assert_int_equal(r->ctx, MLB_CTX_BARE);
	}
	mlb_arena_release(&arena);
}

static void
test_bindings(void **state)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_ref *r;

	(void)state;
	r = only_ref(&arena, "${fit@fold=0,kind=*:metrics}", false);
	assert_string_equal(r->name, "fit");
	assert_string_equal(r->out, "metrics");
	assert_int_equal(r->n_binds, 2);
	assert_string_equal(r->bind[0].key, "fold");
	assert_string_equal(r->bind[0].value, "0");
	assert_false(r->bind[0].all || r->bind[0].relative);
	assert_true(r->bind[1].all);
	r = only_ref(&arena, "${day@date=-29..+0}", false);
	assert_true(r->bind[0].relative);
	assert_int_equal(r->bind[0].from, -29);
	assert_int_equal(r->bind[0].to, 0);
	r = only_ref(&arena, "${day@date=2024-01-01}", false);
	assert_false(r->bind[0].relative);
	assert_string_equal(r->bind[0].value, "2024-01-01");
	mlb_arena_release(&arena);
}

static void
test_wrong_forms_say_what_to_write(void **state)
{
	(void)state;
	assert_wrong("echo ${VAR:-x}", true, "write $${VAR:-x}");
	assert_wrong("${VAR:-x}", false, "write $${VAR:-x}");
	assert_wrong("${VAR%.*}", true, "write $${VAR%.*}");
	assert_wrong("${#x}", true, "write $${#x}");
	assert_wrong("${}", true, "is not a reference");
	assert_wrong("${a b}", true, "is not a reference");
	assert_wrong("${x", true, "closing brace");
	assert_wrong("${x\n}", true, "closing brace");
	assert_wrong("${a:${b}}", true, "is not a reference");
	assert_wrong("${params:}", true, "is not a reference");
	assert_wrong("${params}", true, "is not a reference");
	assert_wrong("${env:A-B}", true, "is not a reference");
	assert_wrong("${each:size}", true, "is not a reference");
	assert_wrong("${fit@}", true, "is not a reference");
	assert_wrong("${fit@fold}", true, "is not a reference");
	assert_wrong("${fit@fold=}", true, "is not a reference");
	assert_wrong("${fit@fold=1,fold=2}", true, "is not a reference");
	assert_wrong("echo \\${x}", true, "a backslash does not protect");
	assert_wrong("echo \"\\${x}\"", true, "a backslash does not protect");
}

static void
test_escaped_dollar_is_literal(void **state)
{
	struct mlb_buf out = MLB_BUF_INIT(1000);

	(void)state;
	assert_true(replace(&out, "a $${HOME} ${x} $HOME $$ $${y}", "v"));
	assert_string_equal(mlb_buf_str(&out), "a ${HOME} v $HOME $$ ${y}");
	mlb_buf_release(&out);
}

static void
test_target_words(void **state)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_ref r;

	(void)state;
	assert_true(mlb_ref_target(&r, &arena, "fit@fold=1:model"));
	assert_string_equal(r.name, "fit");
	assert_string_equal(r.out, "model");
	assert_true(mlb_ref_target(&r, &arena, "uv.lock"));
	assert_false(mlb_ref_target(&r, &arena, "src/train.py"));
	assert_false(mlb_ref_target(&r, &arena, "*.py"));
	assert_false(mlb_ref_target(&r, &arena, "-x"));
	mlb_arena_release(&arena);
}

/* ------------------------------------------------------------ quoting */

static void
assert_quoted(enum mlb_ref_ctx ctx, const char *word, const char *want)
{
	struct mlb_buf out = MLB_BUF_INIT(1000);
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_refs_quote(&out, ctx, &word, 1, &err));
	assert_string_equal(mlb_buf_str(&out), want);
	mlb_buf_release(&out);
}

static void
test_quoting(void **state)
{
	static const char *const words[] = { "a", "b c", "" };
	struct mlb_buf out = MLB_BUF_INIT(1000);
	struct mlb_err err = MLB_ERR_INIT;
	const char *bad = "a b";

	(void)state;
	assert_quoted(MLB_CTX_BARE, "data/x-1.0_a,b:c@d%e+f", "data/x-1.0_a,b:c@d%e+f");
	assert_quoted(MLB_CTX_BARE, "", "''");
	assert_quoted(MLB_CTX_BARE, "it's", "'it'\\''s'");
	assert_quoted(MLB_CTX_BARE, "a=b", "'a=b'");
	assert_quoted(MLB_CTX_BARE, "d/date=2024", "d/date=2024");
	assert_quoted(MLB_CTX_BARE, "~", "'~'");
	assert_quoted(MLB_CTX_BARE, "{a,b}", "'{a,b}'");
	assert_quoted(MLB_CTX_BARE, "\xc3\xa4", "'\xc3\xa4'");
	assert_quoted(MLB_CTX_DOUBLE, "$a`b\"c\\d'e", "\\$a\\`b\\\"c\\\\d'e");
	assert_quoted(MLB_CTX_SINGLE, "a'b$c", "a'\\''b$c");
	assert_quoted(MLB_CTX_UNKNOWN, "a/b-1.csv", "a/b-1.csv");
	assert_err(mlb_refs_quote(&out, MLB_CTX_UNKNOWN, &bad, 1, &err), MLB_EINVALID, "env.NAME");
	mlb_buf_clear(&out);
	assert_ok(mlb_refs_quote(&out, MLB_CTX_BARE, words, 3, &err));
	assert_string_equal(mlb_buf_str(&out), "a 'b c' ''");
	mlb_buf_clear(&out);
	assert_ok(mlb_refs_quote(&out, MLB_CTX_DOUBLE, words, 2, &err));
	assert_string_equal(mlb_buf_str(&out), "a b c");
	mlb_buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_bindings),
		cmocka_unit_test(test_wrong_forms_say_what_to_write),
		cmocka_unit_test(test_escaped_dollar_is_literal),
		cmocka_unit_test(test_target_words),
		cmocka_unit_test(test_quoting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
