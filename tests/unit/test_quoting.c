/*
 * The quotes that references stand in, and that nothing in a value can run a
 * command, whatever the text around it. The last is tried with real shells: sh,
 * and bash where it is installed.
 */
#include "refs_unit.h"
#include "shell_unit.h"

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

/* ------------------------------------------------------------ contexts */

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
				    "a $(b (c) 'd)') ${x}",
				    "a $(b ${x})",
				    "a \"$(b ${x})\"",
				    "a=$(b ${x})",
				    "a \"$(b; (c ${x}))\"",
				    "a \"$(b \"$(c ${x})\")\"",
				    "a $(b | c ${x}) d",
				    "diff <(a ${x}) <(b)",
				    "a $((1 + (2*3))) ${x}",
				    "a \"$((1 << 2))\" ${x}",
				    "a \"$(b '\"')\" ${x}",
				    "a \"$(b \"it's\")\" ${x}",
				    "sh -c 'a' _ ${x}",
				    "bash -c \"$A\" _ ${x}",
				    "awk -v k=${x} 'p' f",
				    "awk 'p' ${x}",
				    "awk -f p ${x}",
				    "sed -i s/a/b/ ${x}",
				    "sed -n -e p ${x}",
				    "python3 a.py --seed ${x}",
				    "a 2>|f ${x}",
				    "a ${x} -c b" };
static const char *const dbl[] = { "\"${x}\"",
				   "a \"it's ${x}\"",
				   "\"a\\\"${x}\"",
				   "\"$(b \"c\") ${x}\"",
				   "\"a `b` ${x}\"",
				   "\"#${x}\"",
				   "a=\"${x}\"",
				   "\"$${A} ${x}\"",
				   "a $(b \"${x}\")",
				   "a \"$(b \"c ${x}\")\"",
				   "a \"$(b \"$(c) ${x}\")\"",
				   "a \"$(b) ${x}\"",
				   "a \"$(b (c)) ${x}\"",
				   "a \"$((1+2)) ${x}\"",
				   "case a in b) c \"${x}\";; esac" };
static const char *const sgl[] = {
	"'${x}'",      "'\"${x}'",      "a '\\${x}'",        "'$(${x}'",
	"a 'b\n${x}'", "a $(b '${x}')", "a \"$(b '${x}')\"", "a \"$(b '\"${x}')\""
};
static const char *const unknown[] = {
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
	"a \"x$(case $y in a) b ${x};; esac)\"",
	"a \"x$(case $y in (a) b ${x};; esac)\"",
	"a $(ca\\\nse b in c) d;; esac) ${x}",
	"a \"$(if b; then case c in d) e;; esac; fi; f ${x})\"",
	"a $(b `c ${x}`)",
	"a \"$(b $((1 + ${x})))\"",
	"a $(( (1) + ${x} ))",
	"a $((b) ; c ${x})",
	"bash <(a) -c ${x}",
	"bash >|f -c ${x}",
	"bash 2> >(a) -c ${x}",
	"python3 -c'${x}'",
	"perl -ne\"a ${x}\"",
	"bash -c -e ${x}",
	"bash -c -o errexit ${x}",
	"bash -cx ${x}",
	"bash -c $A ${x}",
	"$SH -c ${x}",
	"\"$(a)\" -c ${x}",
	"exec \"$SH\" -c ${x}",
	"a >$f&sh -c ${x}",
	"/a/rather/long/path/that/is/longer/than/a/name/should/be/bin/python3 -c ${x}",
	"node --eval ${x}",
	"node -p ${x}",
	"awk '${x}'",
	"awk -F : \"{ ${x} }\"",
	"awk -v a=b '${x}' f",
	"sed -e s/a/${x}/",
	"sed -i s/a/${x}/ f",
	"gawk -i inplace '${x}' f",
	"eval \"$(a ${x})\"",
	"bash -c \"$(a ${x})\"",
	"[[ $(a ${x}) -eq 1 ]]",
	"a[$(b ${x})]=1",
	"PS4=$(a ${x})",
	"PS4=(${x})",
	"exec $(a ${x})",
	"if $(a ${x}); then b; fi",
	"a \"$\\\n(b \"c\" ${x})\"",
	"(\\\n( a = ${x} ))",
	"alias q='\"'\na ${x}",
	"a $(b; # ${x}\n)"
};

static void
test_contexts(void **state)
{
	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bare); i++)
		assert_ctx(bare[i], MLB_CTX_BARE);
	for (size_t i = 0; i < MLB_ARRAY_LEN(dbl); i++)
		assert_ctx(dbl[i], MLB_CTX_DOUBLE);
	for (size_t i = 0; i < MLB_ARRAY_LEN(sgl); i++)
		assert_ctx(sgl[i], MLB_CTX_SINGLE);
	for (size_t i = 0; i < MLB_ARRAY_LEN(unknown); i++)
		assert_ctx(unknown[i], MLB_CTX_UNKNOWN);
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
	")); >pwned; ((",
	";; esac); >pwned; #",
	"\"); >pwned; \"$(",
	"'); >pwned; '",
	"$((a[$(>pwned)]))",
	"a[$(>pwned)]",
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
test_hostile_values_pass_through_substitutions(void **state)
{
	static const struct {
		const char *before, *after;
	} around[] = {
		{ "\"$(q ", ")\"" },
		{ "\"$(q \"", "\")\"" },
		{ "\"$(q '", "')\"" },
		{ "\"$(q \"$(q ", ")\")\"" },
		{ "\"$((1+1))$(q ", ")\"" },
		{ "\"$(q \"it's $(q '\"') ", "\")\"" },
		{ "\"$(a=$(q ", "); q \"$a\")\"" },
		{ "\"$( (q ", ") )\"" },
	};
	struct mlb_buf text = MLB_BUF_INIT(10000);
	char got[4096];

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(around); i++)
		for (size_t k = 0; k < MLB_ARRAY_LEN(hostile); k++)
			for (size_t s = 0; s < MLB_ARRAY_LEN(shells); s++) {
				char full[1000];

				mlb_buf_clear(&text);
				mlb_buf_adds(&text, "q() { printf '%s.' \"$@\"; }\n");
				snprintf(full, sizeof(full), "printf '<%%s>' %s${x}%s",
					 around[i].before, around[i].after);
				assert_true(replace(&text, full, hostile[k]));
				got[run_shell(shells[s], mlb_buf_str(&text), got, sizeof(got) - 1)] =
					'\0';
				if (!strstr(got, hostile[k]))
					print_error("%s: %s gave %s\n", shells[s],
						    mlb_buf_str(&text), got);
				assert_non_null(strstr(got, hostile[k]));
				assert_int_not_equal(access("pwned", F_OK), 0);
			}
	mlb_buf_release(&text);
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
					    "\"$(",
					    ")\"",
					    "case $a in a) ",
					    " b) ",
					    ";; ",
					    "esac)",
					    "$\\\n(",
					    ">|f ",
					    " -e ",
					    "awk ",
					    "sed ",
					    "$A ",
					    "PS4=(",
					    "alias a=",
					    "]",
					    "a=",
					    "\t",
					    "\r",
					    "%" };
	uint32_t n = 1 + next_random(seed) % 14;

	for (uint32_t i = 0; i < n; i++)
		mlb_buf_adds(out, part[next_random(seed) % MLB_ARRAY_LEN(part)]);
}

/* What stands for the programs that interpret a word: the shells here find no program. */
static const char interpreters[] =
	"sh() { c=; while :; do case $1 in -*c*) c=1;; [-+]*o) shift;; [-+]*) ;; *) break; esac; shift; done\n"
	"if [ \"$c\" ]; then eval \"$1\"; fi; }\n"
	"bash() { sh \"$@\"; }\n"
	"awk() { while :; do case $1 in -[vFil]) shift;; -e) shift; eval \"$1\";; -f) return;; -*) ;; *) break; esac; shift; done\n"
	"eval \"$1\"; }\n"
	"sed() { while :; do case $1 in -l) shift;; -e) shift; eval \"$1\"; d=1;; -f) return;; -*) ;; *) break; esac; shift; done\n"
	"if [ ! \"$d\" ]; then eval \"$1\"; fi; }\n"
	"SH=sh y=a f=f\n";

/* Is nothing run when these values replace the references of the text? */
static void
assert_harmless(const char *text, size_t first, size_t step)
{
	struct mlb_buf whole = MLB_BUF_INIT(100000);
	char got[65536];

	for (size_t k = first; k < MLB_ARRAY_LEN(hostile); k += step) {
		mlb_buf_clear(&whole);
		mlb_buf_adds(&whole, interpreters);
		if (!replace(&whole, text, hostile[k]))
			continue;
		for (size_t s = 0; s < MLB_ARRAY_LEN(shells); s++) {
			run_shell(shells[s], mlb_buf_str(&whole), got, sizeof(got));
			if (access("pwned", F_OK) != 0)
				continue;
			print_error("%s\n--- text\n%s\n--- value\n%s\n--- gave\n%s\n", shells[s],
				    text, hostile[k], mlb_buf_str(&whole));
			fail();
		}
	}
	mlb_buf_release(&whole);
}

static void
test_no_value_runs_in_any_of_these(void **state)
{
	size_t step = getenv("MLBUILD_TEST_ROUNDS") ? 1 : 3;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(bare); i++)
		assert_harmless(bare[i], i % step, step);
	for (size_t i = 0; i < MLB_ARRAY_LEN(dbl); i++)
		assert_harmless(dbl[i], i % step, step);
	for (size_t i = 0; i < MLB_ARRAY_LEN(sgl); i++)
		assert_harmless(sgl[i], i % step, step);
	for (size_t i = 0; i < MLB_ARRAY_LEN(unknown); i++)
		assert_harmless(unknown[i], i % step, step);
}

static void
test_no_text_lets_a_value_run(void **state)
{
	const char *rounds = getenv("MLBUILD_TEST_ROUNDS");
	long n = rounds ? strtol(rounds, NULL, 10) : 150;
	uint32_t seed = rounds ? (uint32_t)getpid() : 1;
	struct mlb_buf text = MLB_BUF_INIT(100000);

	(void)state;
	for (long i = 0; i < n; i++) {
		uint32_t first = next_random(&seed) % 4;

		mlb_buf_clear(&text);
		random_text(&text, &seed);
		if (strstr(mlb_buf_str(&text), "${x}"))
			assert_harmless(mlb_buf_str(&text), first, 1 + next_random(&seed) % 4);
	}
	mlb_buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_comment_after_a_reference_that_may_be_empty),
		cmocka_unit_test(test_here_document_may_not_be_ended),
		scratch_test(test_hostile_values_come_out_as_they_are),
		scratch_test(test_hostile_values_pass_through_substitutions),
		scratch_test(test_no_value_runs_in_any_of_these),
		scratch_test(test_no_text_lets_a_value_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
