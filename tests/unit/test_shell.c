/* Words of commands that may name files, and commands that need no shell. */
#include "unit.h"

#include "graph/refs.h"
#include "graph/shell_names.h"
#include "shell_unit.h"

static void
assert_words(const char *text, const char *want)
{
	struct mlb_strvec words = MLB_VEC_INIT;
	struct mlb_buf got = MLB_BUF_INIT(100000);
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_shell_words(&words, text, &err));
	for (size_t i = 0; i < words.n; i++)
		mlb_buf_addf(&got, "%s%s", i > 0 ? "|" : "", words.v[i]);
	if (strcmp(mlb_buf_str(&got), want) != 0)
		print_error("in: %s\n", text);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_strvec_release(&words);
	mlb_buf_release(&got);
}

static void
test_words(void **state)
{
	(void)state;
	assert_words("python3 src/train.py --config=conf/a.yaml -x b.csv",
		     "src/train.py|conf/a.yaml|b.csv");
	assert_words("./deploy.sh m", "./deploy.sh|m");
	assert_words("train.py x", "train.py|x");
	assert_words("make all", "all");
	assert_words("cat 'a b' \"c d\" e\\ f", "a b|c d|e f");
	assert_words("a b > out.txt c >> d 2> e >| f &> g < in.txt", "b|c|in.txt");
	assert_words("a 2>&1 b; c d && e f | g h", "b|d|f|h");
	assert_words("X=conf.ini Y=1 cmd arg", "conf.ini|arg");
	assert_words("cmd --a=b=c 10 1e-3 -5 3.5 v1", "b=c|c|v1");
	assert_words("cat $HOME/x *.csv a?b ~/c {a,b} d", "d");
	assert_words("cat $(cat list.txt) `cat other.txt` \"$(cat third.txt)\"",
		     "list.txt|other.txt|third.txt");
	assert_words("python3 -m src.scale a", "src/scale.py|src/scale/__main__.py|a");
	assert_words("python3 -m 9x a", "9x|a");
	assert_words("cat <<E\nbody.txt\nE\ncat real.txt", "real.txt");
	assert_words("cat <<-'E' first.txt\n\tbody.txt\n\tE\ncat real.txt", "first.txt|real.txt");
	assert_words("cat <<< text file", "file");
	assert_words("a # comment.txt\nb c#d", "c#d");
	assert_words("if test -f a.txt; then cat b.txt; fi", "a.txt|b.txt");
	assert_words("for f in a.txt b.txt; do cat c.txt; done", "a.txt|b.txt|c.txt");
	assert_words("case $x in a) cat b.txt;; c.d | e) ;; esac; function f { f g; }", "b.txt|g");
	assert_words("for f do cat c.txt; done; for a\nin b\ndo c in; done", "c.txt|b|in");
	assert_words("<a sort b; 3<c 2>d e f; (g) <h; $(<i) <&3", "a|b|c|f|h|i");
	assert_words("{ a; } <b; while c; do d; done <'e f' g", "b|e f|g");
	assert_words("cat \x01"
		     "each/0\x01 x\x01scratch\x01 y",
		     "y");
	assert_words("diff <(cat a.txt) >(tee b)", "a.txt|b");
	assert_words("", "");
	assert_words("'", "");
	assert_words("cat \"unclosed", "unclosed");
	assert_words("$(", "");
}

static void
assert_targets(const char *text, const char *want)
{
	struct mlb_strvec words = MLB_VEC_INIT;
	struct mlb_buf got = MLB_BUF_INIT(100000);

	mlb_shell_targets(&words, text);
	for (size_t i = 0; i < words.n; i++)
		mlb_buf_addf(&got, "%s%s", i > 0 ? "|" : "", words.v[i]);
	if (strcmp(mlb_buf_str(&got), want) != 0)
		print_error("in: %s\n", text);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_strvec_release(&words);
	mlb_buf_release(&got);
}

static void
test_targets(void **state)
{
	(void)state;
	assert_targets("a b > out.txt c >> d 2> e >| f &> g < in.txt", "out.txt|d|e|f|g");
	assert_targets("a >'b c' >\"d\" >e\\ f", "b c|d|e f");
	assert_targets("a 2>&1 >&2 b", "");
	assert_targets("a >$x >\"$y/z\" >*.txt >~/w", "");
	assert_targets("cat <<< text <in.txt", "");
	assert_targets("cat <<E >real.txt\necho > body.txt\nE\n", "real.txt");
	assert_targets("x=$(a >inner.txt); b # > comment.txt", "inner.txt");
	assert_targets("diff <(cat a.txt) >(tee b)", "");
	assert_targets("echo '> no.txt' \"> no.txt\" \\> no.txt", "");
}

static void
assert_simple(const char *text, const char *want)
{
	struct mlb_strvec argv = MLB_VEC_INIT;
	struct mlb_buf got = MLB_BUF_INIT(100000);
	bool simple = mlb_shell_simple(&argv, text);

	for (size_t i = 0; i < argv.n; i++)
		mlb_buf_addf(&got, "%s%s", i > 0 ? "|" : "", argv.v[i]);
	if (simple != (want != NULL))
		print_error("in: %s\n", text);
	assert_int_equal(simple, want != NULL);
	assert_string_equal(mlb_buf_str(&got), want ? want : "");
	mlb_strvec_release(&argv);
	mlb_buf_release(&got);
}

static void
test_simple_commands(void **state)
{
	static const char *const no[] = { "",          "  ",         "a | b",    "a; b",  "a && b",
					  "a > b",     "a $b",       "a \"$b\"", "a `b`", "a *.c",
					  "a ?",       "a [b]",      "A=1 b",    "cd x",  "echo a",
					  "exit 1",    "a \\ b",     "a\nb",     "a 'b",  "a {b,c}",
					  "a ~/b",     "a #b",       "if a",     "! a",   "''",
					  "test -f a", "a \"b\\n\"", "time a",   ": a",   ". a" };

	(void)state;
	assert_simple("python3 a.py --seed=7 'b c' \"d e\" ''", "python3|a.py|--seed=7|b c|d e|");
	assert_simple("cp a b", "cp|a|b");
	assert_simple(" ./x\ta%b ", "./x|a%b");
	assert_simple("a'b'\"c\"d", "abcd");
	for (size_t i = 0; i < MLB_ARRAY_LEN(no); i++)
		assert_simple(no[i], NULL);
}

static void
test_names_are_found(void **state)
{
	static const char *const names[] = { "!",    "[",     "[[",  "alias", "bash",
					     "echo", "while", "zsh", "{",     "}" };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++)
		assert_int_not_equal(mlb_shell_traits(names[i]), 0);
	assert_int_equal(mlb_shell_traits("python3.11"), MLB_SHELL_INTERPRETER);
	assert_int_equal(mlb_shell_traits("cp"), 0);
	assert_int_equal(mlb_shell_traits(""), 0);
}

/* A command that is started without a shell gets the words that the shell would have made. */
static void
test_simple_words_are_those_of_the_shell(void **state)
{
	static const char *const t[] = { "x a b", "x 'a b' c\"d e\"f", "x '' \"\" 'a\"b' \"a'b\"",
					 "x a=b -c --d=e,f:g@h%i+j", "x \xc3\xa4 \xff" };
	char out[4096];

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(t); i++) {
		struct mlb_strvec argv = MLB_VEC_INIT;
		struct mlb_buf got = MLB_BUF_INIT(1000);
		struct mlb_buf text = MLB_BUF_INIT(1000);
		size_t len;

		assert_true(mlb_shell_simple(&argv, t[i]));
		for (size_t k = 1; k < argv.n; k++)
			mlb_buf_addf(&got, "<%s>", argv.v[k]);
		mlb_buf_addf(&text, "x() { for a do printf '<%%s>' \"$a\"; done; }\n%s", t[i]);
		len = run_shell("/bin/sh", mlb_buf_str(&text), out, sizeof(out) - 1);
		out[len] = '\0';
		assert_string_equal(out, mlb_buf_str(&got));
		mlb_strvec_release(&argv);
		mlb_buf_release(&got);
		mlb_buf_release(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_simple_commands),
		cmocka_unit_test(test_names_are_found),
		cmocka_unit_test(test_simple_words_are_those_of_the_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
