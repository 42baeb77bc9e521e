/*
 * References: their grammar, the quotes that they stand in, and that nothing in a
 * value can run a command, whatever the text around it. The last is tried with
 * real shells: sh, and bash where it is installed.
 */
#include "unit.h"

#include "graph/refs.h"
#include "shell_unit.h"

/* ------------------------------------------------------------ helpers */

/* The only reference of a value. */
static struct mlb_ref *
only_ref(struct mlb_arena *arena, const char *value, bool shell)
{
	struct mlb_pieces pieces = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_ref *found = NULL;

	assert_ok(mlb_refs_parse(&pieces, arena, value, shell, &err));
	for (size_t i = 0; i < pieces.n; i++)
		if (pieces.v[i].ref) {
			assert_null(found);
			found = pieces.v[i].ref;
		}
	assert_non_null(found);
	mlb_vec_release(&pieces);
	return found;
}

static void
assert_ctx(const char *value, enum mlb_ref_ctx want)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_ref *r = only_ref(&arena, value, true);

	if (r->ctx != want)
		print_error("context %d, not %d: %s\n", r->ctx, want, value);
	assert_int_equal(r->ctx, want);
	mlb_arena_release(&arena);
}

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

/* The text with every reference replaced by the value; false: refused. */
static bool
replace(struct mlb_buf *out, const char *text, const char *value)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_pieces pieces = MLB_VEC_INIT;
	bool ok = mlb_refs_parse(&pieces, &arena, text, true, NULL) == 0;

	for (size_t i = 0; i < pieces.n && ok; i++) {
		const struct mlb_ref *r = pieces.v[i].ref;

		if (!r)
			mlb_buf_add(out, pieces.v[i].text, pieces.v[i].len);
		else if (r->eof && strstr(r->eof, value))
			ok = false;
		else
			ok = mlb_refs_quote(out, (enum mlb_ref_ctx)r->ctx, &value, 1, NULL) == 0;
	}
	mlb_vec_release(&pieces);
	mlb_arena_release(&arena);
	return ok;
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

/* ------------------------------------------------------------ contexts */

static void
test_contexts(void **state)
{
	static const char *const bare[] = { "${x}",
					    "cmd ${x}",
					    "a'b'${x}",
					    "a \"b\" ${x}",
					    "a\\'${x}",
					    "a\\\"${x}",
					    "f() { g ${x}; }",
					    "if a; then b ${x}; fi",
					    "case a in b) c ${x};; esac",
					    "a # 'quote\nb ${x}",
					    "a#'b'${x}",
					    "cat <<E\nit's\nE\nb ${x}",
					    "cat <<'E' x\n\"\nE\n${x}",
					    "cat <<-E\n\t'\n\tE\n${x}",
					    "cat <<<'a' ${x}",
					    "a $(b 'c' \"d\") ${x}",
					    "a `b` ${x}",
					    "a $${HOME} ${x}",
					    "a \\\n ${x}",
					    "a $((1+2)) ${x}",
					    "$'a' ${x}",
					    "cat <<A <<B\n'\nA\n\"\nB\n${x}",
					    "a 2>&1 ${x}",
					    "python3 a.py ${x}",
					    "bash a.sh ${x}",
					    "bash -c 'a' ${x}",
					    "[ -n ${x} ]",
					    "[[ a ]] && b ${x}",
					    "a [bc] ${x}",
					    "test -f ${x}",
					    "sh -eu ${x}",
					    "(a ${x})",
					    "a $(b (c) 'd)') ${x}" };
	static const char *const dbl[] = { "\"${x}\"",       "a \"it's ${x}\"",
					   "\"a\\\"${x}\"",  "\"$(b \"c\") ${x}\"",
					   "\"a `b` ${x}\"", "\"#${x}\"",
					   "a=\"${x}\"",     "\"$${A} ${x}\"" };
	static const char *const sgl[] = { "'${x}'", "'\"${x}'", "a '\\${x}'", "'$(${x}'",
					   "a 'b\n${x}'" };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bare); i++)
		assert_ctx(bare[i], MLB_CTX_BARE);
	for (size_t i = 0; i < MLB_ARRAY_LEN(dbl); i++)
		assert_ctx(dbl[i], MLB_CTX_DOUBLE);
	for (size_t i = 0; i < MLB_ARRAY_LEN(sgl); i++)
		assert_ctx(sgl[i], MLB_CTX_SINGLE);
}

static void
test_unknown_contexts(void **state)
{
	static const char *const t[] = {
		"`a ${x}`",
		"\"`a ${x}`\"",
		"$(a ${x})",
		"\"$(a \"${x}\")\"",
		"$(a '${x}')",
		"a # ${x}",
		"# it's\na; # ${x}",
		"cat <<E\n${x} b\nE",
		"cat <<'E'\na ${x}\nE",
		"cat <<E\na\\\nE\n${x}",
		"cat <<\\E\na\nE\n${x}",
		"cat <<$Y\na\n${x}",
		"$'a${x}'",
		"$'a\\'' ${x}",
		"$${A:-${x}}",
		"a $${A:-'b'} ${x}",
		"$(case a in b) c;; esac) ${x}",
		"a $(b # c) ${x}",
		"a $(cat <<E\n)\nE\n) ${x}",
		"bash -c ${x}",
		"bash $(a) -c ${x}",
		"sh -c <a ${x}",
		"sh -c 2>a ${x}",
		"cat <<E ${x}",
		"cat <<E \"${x}\"",
		"bash `a` -c \"${x}\"",
		"bash \"$(a)\" -c '${x}'",
		"bash -c '${x}'",
		"bash -c \"a ${x}\"",
		"env A=1 sh -ec \"a ${x}\"",
		"python3 -c 'print(\"${x}\")'",
		"perl -e \"${x}\"",
		"eval ${x}",
		"eval \"${x}\"",
		"ssh host a ${x}",
		"trap '${x}' EXIT",
		"parallel a ::: ${x}",
		"$[ ${x} ]",
		"\"$[ ${x} ]\"",
		"(( a = ${x} ))",
		"$((${x}))",
		"[[ a -eq ${x} ]]",
		"[[ a && ${x} ]]",
		"a[${x}]=1",
		"a=([${x}]=1)",
		"let ${x}",
		"test -v ${x}",
		"printf -v ${x} a",
		"declare -i n; n=${x}",
		"unset ${x}",
		"read ${x}",
		"PS4=${x}",
		"BASH_ENV=\"${x}\" a",
		"alias a=${x}",
		"flock f -c \"${x}\"",
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(t); i++)
		assert_ctx(t[i], MLB_CTX_UNKNOWN);
}

static void
test_comment_after_a_reference_that_may_be_empty(void **state)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_pieces p = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(mlb_refs_parse(&p, &arena, "${a}#'b' ${c}", true, &err));
	assert_int_equal(p.v[2].ref->ctx, MLB_CTX_UNKNOWN);
	mlb_vec_release(&p);
	mlb_arena_release(&arena);
}

static void
test_here_document_may_not_be_ended(void **state)
{
	struct mlb_arena arena = MLB_ARENA_INIT;

	(void)state;
	assert_string_equal(only_ref(&arena, "cat <<EOF\n${x}\nEOF", true)->eof, "EOF");
	assert_string_equal(only_ref(&arena, "cat <<EOF\nE${x}\nEOF", true)->eof, "EOF");
	assert_string_equal(only_ref(&arena, "cat <<-EOF\n\t${x}\nEOF", true)->eof, "EOF");
	assert_null(only_ref(&arena, "cat <<EOF\nlr: ${x}\nEOF", true)->eof);
	assert_null(only_ref(&arena, "cat <<EOF\n\t${x}\nEOF", true)->eof);
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

/* ------------------------------------------------------------ real shells */

static const char *const hostile[] = {
	"; >pwned",
	"$(>pwned)",
	"`>pwned`",
	"' ; >pwned ; '",
	"\" ; >pwned ; \"",
	"'\"; >pwned #",
	"\"'; >pwned #",
	"\n>pwned\n",
	"'\n>pwned\n'",
	"\"\n>pwned\n\"",
	"\nE\n>pwned\n",
	"E",
	"\\",
	"\\'; >pwned; '",
	"a\\\n>pwned",
	") ; >pwned ; (",
	"} ; >pwned ; {",
	"| >pwned",
	"&& >pwned",
	"& >pwned",
	"> pwned",
	"x=`>pwned`",
	"-n",
	"*",
	"a  b\tc",
	"$HOME",
	"${HOME}",
	"!x",
	"#x",
	"~root",
	"{a,b}",
	"2",
	"$'\\n>pwned\\n'",
	"\x1b[0m\x7f",
	"\xff\xfe",
	"",
};

/* The value must come out as one word, or as part of one, exactly. */
static void
check_word(const char *shell, const char *before, const char *after, const char *value)
{
	struct mlb_buf text = MLB_BUF_INIT(100000);
	struct mlb_buf whole = MLB_BUF_INIT(100000);
	char got[4096];
	size_t len;

	mlb_buf_addf(&text, "p %s${x}%s", before, after);
	mlb_buf_adds(&whole, "p() { for a do printf '<%s>' \"$a\"; done; }\n");
	assert_true(replace(&whole, mlb_buf_str(&text), value));
	len = run_shell(shell, mlb_buf_str(&whole), got, sizeof(got) - 1);
	got[len] = '\0';
	mlb_buf_clear(&text);
	mlb_buf_addf(&text, "<%s>", value);
	if (strcmp(got, mlb_buf_str(&text)) != 0)
		print_error("%s: %s gave %s\n", shell, mlb_buf_str(&whole), got);
	assert_string_equal(got, mlb_buf_str(&text));
	assert_int_not_equal(access("pwned", F_OK), 0);
	mlb_buf_release(&text);
	mlb_buf_release(&whole);
}

static void
test_hostile_values_come_out_as_they_are(void **state)
{
	(void)state;
	for (size_t s = 0; s < MLB_ARRAY_LEN(shells); s++) {
		if (access(shells[s], X_OK) != 0)
			continue;
		for (size_t i = 0; i < MLB_ARRAY_LEN(hostile); i++) {
			check_word(shells[s], "", "", hostile[i]);
			check_word(shells[s], "\"", "\"", hostile[i]);
			check_word(shells[s], "'", "'", hostile[i]);
			check_word(shells[s], "''\"\"", "\\\n", hostile[i]);
		}
	}
}

/* The next of a sequence that is the same on every machine. */
static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

/*
 * Texts put together at random from what confuses lexers. They hold no '>' of
 * their own, so a file can only come from a value.
 */
static void
random_text(struct mlb_buf *out, uint32_t *seed)
{
	static const char *const part[] = { "'",
					    "\"",
					    "\\",
					    "`",
					    "$(",
					    ")",
					    "(",
					    "#",
					    " ",
					    "\n",
					    " ",
					    "a",
					    "$",
					    "$'",
					    "$\"",
					    "$${",
					    "}",
					    "<<E\n",
					    "\nE\n",
					    "<<-E\n",
					    "<<'E'\n",
					    "<<<",
					    "E",
					    ";",
					    "|",
					    "&",
					    "{ ",
					    " }",
					    "case a in b) ",
					    " esac",
					    "eval ",
					    "sh -c ",
					    "$((",
					    "))",
					    "\\\n",
					    "=",
					    "${x}",
					    "${x}",
					    "${x}",
					    "${x}",
					    "${x}",
					    "\"${x}\"",
					    "'${x}'",
					    " ${x} ",
					    "<<E ${x}\n",
					    "bash ",
					    "-c ",
					    "#'\n",
					    ": ",
					    "! ",
					    "if :; then ",
					    "; fi",
					    "[[ a =~ ",
					    " ]]",
					    "*",
					    "?",
					    "~",
					    "<(",
					    "$[",
					    "]",
					    "a=",
					    "\t",
					    "\r",
					    "%" };
	uint32_t n = 1 + next_random(seed) % 14;

	for (uint32_t i = 0; i < n; i++)
		mlb_buf_adds(out, part[next_random(seed) % MLB_ARRAY_LEN(part)]);
}

static void
test_no_text_lets_a_value_run(void **state)
{
	static const char interpreters[] = "sh() { case $1 in -*c) eval \"$2\"; esac; }\n"
					   "bash() { sh \"$@\"; }\n";
	const char *rounds = getenv("MLBUILD_TEST_ROUNDS");
	long n = rounds ? strtol(rounds, NULL, 10) : 150;
	uint32_t seed = rounds ? (uint32_t)getpid() : 1;
	struct mlb_buf text = MLB_BUF_INIT(100000);
	struct mlb_buf whole = MLB_BUF_INIT(100000);
	char got[65536];

	(void)state;
	for (long i = 0; i < n; i++) {
		mlb_buf_clear(&text);
		random_text(&text, &seed);
		if (!strstr(mlb_buf_str(&text), "${x}"))
			continue;
		for (size_t k = 0; k < MLB_ARRAY_LEN(hostile); k += 1 + next_random(&seed) % 4) {
			mlb_buf_clear(&whole);
			mlb_buf_adds(&whole, interpreters);
			if (!replace(&whole, mlb_buf_str(&text), hostile[k]))
				continue;
			for (size_t s = 0; s < MLB_ARRAY_LEN(shells); s++) {
				run_shell(shells[s], mlb_buf_str(&whole), got, sizeof(got));
				if (access("pwned", F_OK) == 0) {
					print_error(
						"%s\n--- text\n%s\n--- value\n%s\n--- gave\n%s\n",
						shells[s], mlb_buf_str(&text), hostile[k],
						mlb_buf_str(&whole));
					fail();
				}
			}
		}
	}
	mlb_buf_release(&text);
	mlb_buf_release(&whole);
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
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_unknown_contexts),
		cmocka_unit_test(test_comment_after_a_reference_that_may_be_empty),
		cmocka_unit_test(test_here_document_may_not_be_ended),
		cmocka_unit_test(test_quoting),
		scratch_test(test_hostile_values_come_out_as_they_are),
		scratch_test(test_no_text_lets_a_value_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
