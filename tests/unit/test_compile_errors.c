/* The compiler: what it refuses, and that each message names both parties and what to do. */
#include "graph_unit.h"

#define A "[dataset a]\nrun = x > ${out}\nout = a.txt\n"

static void
test_cycles_by_their_whole_path(void **state)
{
	(void)state;
	assert_refused(
		"[dataset a]\nrun = x ${c} > ${out}\nout = a\n[dataset b]\nrun = x ${a} > ${out}\nout = b\n"
		"[dataset c]\nrun = x ${b} > ${out}\nout = c\n",
		"mlbuild.ini:1: cycle: a -> b -> c -> a");
	assert_refused("[dataset a]\nrun = x ${a} > ${out}\nout = a\n", "cycle: a -> a");
	assert_refused(
		"[dataset a]\nrun = x b > ${out}\nout = a\n[dataset b]\nrun = x a > ${out}\nout = b\n",
		"'b' is at mlbuild.ini:4");
	assert_refused(
		"[model m]\nmatrix.d = 1..3\nrun = x ${m@d=-1..+1} > ${out}\nout = m/${matrix:d}\n",
		"cycle: m@d=1 -> m@d=1");
	assert_refused(
		A "[check c]\nrun = x ${b}\n[dataset b]\nneeds = c\nrun = x > ${out}\nout = b\n",
		"cycle: c -> b -> c");
}

static void
test_outputs_of_two(void **state)
{
	(void)state;
	assert_refused(
		A "[model b]\nrun = x\nout = ./a.txt\n",
		"mlbuild.ini:6: 'a.txt' is an output of 'b' and an output of 'a' (mlbuild.ini:1)");
	assert_refused(A "[dataset b]\npath = a.txt\n",
		       "'a.txt' is the source of 'b' and an output of 'a' (mlbuild.ini:1)");
	assert_refused("[dataset b]\npath = a.txt\n" A,
		       "'a.txt' is an output of 'a' and the source of 'b' (mlbuild.ini:1)");
	assert_refused("[dataset b]\npath = x\n[dataset c]\npath = x\n",
		       "is the source of 'c' and the source of 'b'");
	assert_refused("[dataset b]\nrun = x\nout = d\n[dataset c]\nrun = x\nout = d/e\n",
		       "'d/e', an output of 'c', lies inside 'd', an output of 'b' (mlbuild.ini:1)");
	assert_refused("[dataset b]\npath = d/\n[dataset c]\nrun = x\nout = d/e/f\n",
		       "'d/e/f', an output of 'c', lies inside 'd', the source of 'b'");
	assert_refused("[dataset b]\nrun = x\nout = d/\n[dataset c]\npath = d/e\n",
		       "'d/e', the source of 'c', lies inside 'd', an output of 'b'");
	assert_refused("[dataset b]\nrun = x\nout.a = d/\nout.b = d/e\n",
		       "lies inside 'd', an output of 'b'");
	assert_refused(
		"[dataset b]\nmatrix.k = a ab\nmatrix.j = bc c\nrun = x\nout = d/${matrix:k}${matrix:j}\n",
		"'d/abc' is an output of 'b@k=ab,j=c' and an output of 'b@k=a,j=bc'");
}

static void
test_outputs_in_wrong_places(void **state)
{
	(void)state;
	assert_refused("[dataset b]\nrun = x\nout = ../x\n",
		       "'out' of 'b' is '../x', which lies outside the project");
	assert_refused("[dataset b]\nrun = x\nout = /tmp/x\n", "outside the project");
	assert_refused("[dataset b]\nrun = x\nout.o = a/../../x\n", "'out.o' of 'b'");
	assert_refused("[dataset b]\nrun = x\nout = .\n", "the whole project");
	assert_refused("[dataset b]\nrun = x\nout = .git/x\n", "not for outputs");
	assert_refused("[dataset b]\nrun = x\nout = .mlbuild\n", "not for outputs");
	assert_refused("[dataset b]\nrun = x\nout = mlbuild.ini\n", "an output cannot be a source");
	assert_refused("[dataset b]\nrun = x\nout = y\nout.list = x\n", "a meaning of its own");
}

static void
test_output_inside_a_directory_that_is_an_input(void **state)
{
	(void)state;
	put("src/a.py", "");
	assert_refused(
		"[dataset b]\nrun = x\nout = src/gen/t.py\n[model m]\nneeds = src/\nrun = x\nout = m\n",
		"'src', an input of 'm', is a directory that holds 'src/gen/t.py', an output of 'b'");
}

static void
test_missing_inputs(void **state)
{
	(void)state;
	put("data/train.csv", "");
	assert_refused(
		"[model m]\nneeds = data/trian.csv\nrun = x\nout = m\n",
		"mlbuild.ini:2: in 'm': 'data/trian.csv' in needs is neither a file nor an output of a target; "
		"nearest: data/train.csv");
	assert_refused(A "[model m]\nneeds = a.tx\nrun = x\nout = m\n", "nearest: a.txt");
	assert_refused("[model m]\nneeds = src/*.py\nrun = x\nout = m\n",
		       "no file matches 'src/*.py'");
	assert_refused("[model m]\nneeds = ../x\nrun = x\nout = m\n", "outside the project");
	assert_refused("[model m]\nneeds = m\nrun = x\nout = m\n", "cycle: m -> m");
	assert_refused("[params]\nseed = 1\n[model m]\nneeds = params:sed\nrun = x\nout = m\n",
		       "seed");
	assert_refused("[model m]\nneeds = env:A-B\nrun = x\nout = m\n",
		       "not the name of an environment variable");
}

static void
test_unknown_references(void **state)
{
	(void)state;
	assert_refused(
		"[dataset train]\npath = x\n[model m]\nrun = x ${trian}\nout = m\n",
		"mlbuild.ini:4: in 'm': ${trian}: there is no target 'trian'; nearest: train");
	assert_refused("[model m]\nrun = x ${HOME}\nout = m\n",
		       "the shell's own variable is $HOME or $${HOME}");
	assert_refused("[model m]\nrun = x ${HOME:-y}\nout = m\n", "write $${HOME:-y}");
	assert_refused(
		"[dataset s]\nrun = x\nout.train = a\nout.test = b\n[model m]\nrun = x ${s}\nout = m\n",
		"write one of ${s:train}, ${s:test}");
	assert_refused(
		"[dataset s]\nrun = x\nout.train = a\nout.test = b\n[model m]\nrun = x ${s:trian}\nout = m\n",
		"has no output 'trian'; nearest: train");
	assert_refused("[dataset s]\nrun = x\nmetrics = a\n[model m]\nrun = x ${s}\nout = m\n",
		       "${s:metrics}");
	assert_refused("[params]\nseed = 1\n[model m]\nrun = x ${params:sede}\nout = m\n",
		       "no parameter 'sede'; nearest: seed");
	assert_refused("[model m]\nrun = x ${out:b}\nout = m\n", "has no output 'b'");
	assert_refused("[model m]\nrun = x ${metrics}\nout = m\n", "has no output 'metrics'");
	assert_refused("[model m]\nrun = x ${each}\nout = m\n", "without `each`");
	assert_refused("[task t]\nrun = x\n[model m]\nrun = x ${t}\nout = m\n",
		       "the task 't' has no outputs");
	assert_refused("[task t]\nrun = x\n[model m]\nneeds = t\nrun = x\nout = m\n",
		       "runs only when it is named");
	assert_refused("[model m]\nrun = x\nout = ${scratch}/x\n", "cannot stand here");
	assert_refused(A "[model m]\nrun = x\nfingerprint = head ${a}\nout = m\n",
		       "before anything is made");
}

static void
test_a_check_is_never_an_input(void **state)
{
	(void)state;
	assert_refused(
		"[check c]\nrun = x > ${out}\nout = c.html\n[model m]\nrun = x ${c}\nout = m\n",
		"the check 'c' is never an input; to wait for it, name it in `needs`");
	assert_refused(
		"[check c]\nrun = x > ${out}\nout = c.html\n[model m]\nrun = x c.html\nout = m\n",
		"an output of the check 'c', and a check is never an input");
	assert_refused(
		"[check c]\nrun = x > ${out}\nout = c.html\n[model m]\nneeds = c.html\nrun = x\nout = m\n",
		"name the check itself");
	assert_refused("[check c]\nguards = d\nrun = x\n[check d]\nrun = x\n",
		       "'c' guards 'd', which is a check");
	assert_refused(A "[check c]\nguards = b\nrun = x\n",
		       "'c' guards 'b', but there is no such target");
}

static void
test_matrices(void **state)
{
	(void)state;
	assert_refused("[model m]\nmatrix.k = 1 2\nmatrix.j = 1 2\nrun = x\nout = m${matrix:k}\n",
		       "'out' of 'm' does not use ${matrix:j}");
	assert_refused("[model m]\nmatrix.k = 1 2\nrun = x\nout = m${matrix:k}\nmetrics = m.json\n",
		       "'metrics' of 'm' does not use ${matrix:k}");
	assert_refused("[model m]\nmatrix.k = 1 2\nrun = x ${matrix:j}\nout = m${matrix:k}\n",
		       "no matrix key 'j'");
	assert_refused(
		"[model m]\nmatrix.k = 1..5\nrun = x\nout = m${matrix:k}\n[report r]\nrun = x ${m@k=7}\nout = r\n",
		"'m' has no k=7");
	assert_refused(
		"[model m]\nmatrix.k = 1..5\nrun = x\nout = m${matrix:k}\n[report r]\nrun = x ${m@j=1}\nout = r\n",
		"'m' has no matrix key 'j'");
	assert_refused(
		"[model m]\nmatrix.k = 1..5\nrun = x\nout = m${matrix:k}\n[report r]\nrun = x ${m@k=-1..+0}\nout = r\n",
		"is relative, but 'r' has no matrix key 'k' itself");
	assert_refused("[model m]\nmatrix.k = 1 2\nrun = x\nout = m${matrix:k}\n"
		       "[report r]\nmatrix.k = 1 3\nrun = x ${m}\nout = r${matrix:k}\n",
		       "'m' has no k=3");
	assert_refused("[model m]\nmatrix.k = a,b\nrun = x\nout = m${matrix:k}\n",
		       "cannot be part of a target's name");
	assert_refused(
		"[model m]\nmatrix.a = 1..2000\nmatrix.b = 1..2000\nrun = x\nout = ${matrix:a}/${matrix:b}\n",
		"more than 1000000 combinations");
}

static void
test_each(void **state)
{
	(void)state;
	assert_refused("[feature f]\neach = in/*.txt\nrun = x ${each} ${out}\nout = out/x\n",
		       "does not use ${each}");
	assert_refused(
		"[feature f]\neach = in/*.txt\nrun = x ${each} ${out}\nout = ${each:stem}.x\n",
		"need one directory of their own");
	assert_refused(
		"[feature f]\neach = in/*.txt\nrun = x\nout.a = a/${each:stem}\nout.b = b/${each:stem}\n",
		"need one directory of their own");
	assert_refused("[feature f]\neach = in/a.txt\nrun = x\nout = o/${each:stem}\n",
		       "needs a glob");
	assert_refused("[feature f]\neach = ../*.txt\nrun = x\nout = o/${each:stem}\n",
		       "looks outside the project");
	assert_refused("[feature f]\neach = o/*.txt\nrun = x\nout = o/${each:stem}\n",
		       "looks into its own outputs");
	assert_refused(
		"[feature f]\neach = in/*.txt\nbatch = 8\nrun = x --in=${each}\nout = o/${each:stem}\n",
		"must be a word of its own");
	assert_refused(
		"[feature f]\neach = in/*.txt\nrun = cat <<E\n        ${each}\n        E\nout = o/${each:stem}\n",
		"may end the here-document");
}

static void
test_secrets_and_the_rest(void **state)
{
	(void)state;
	setenv("MLB_T_TOKEN", "x", 1);
	assert_refused("[model m]\nsecret = MLB_T_TOKEN\nrun = x ${env:MLB_T_TOKEN}\nout = m\n",
		       "is a secret");
	assert_refused(
		"[model m]\nsecret = MLB_T_TOKEN\nneeds = env:MLB_T_TOKEN\nrun = x\nout = m\n",
		"is a secret");
	assert_refused("[model m]\nsecret = A\nenv.A = 1\nrun = x\nout = m\n",
		       "cannot be a secret");
	assert_refused("[model m]\nenv.A = ${scratch}\nrun = x\nout = m\n", "cannot stand here");
	assert_refused("[model m]\nuse = trian\nout = m\n", "there is no stage 'trian'");
	assert_refused("[model m]\npool.gpu = 1\nrun = x\nout = m\n", "[pool gpu]");
	assert_refused("[params]\np = a b\n[model m]\nrun = x `y ${params:p}`\nout = m\n",
		       "cannot be quoted safely");
	assert_refused("[params]\np = a\x01"
		       "b\n[model m]\nrun = x ${params:p}\nout = m\n",
		       "0x01");
	assert_refused("[model m]\nrun = x \x01scratch/0\x01\nout = m\n", "0x01");
	assert_refused("[model m]\ndir = ../x\nrun = x\nout = m\n", "outside the project");
}

static void
test_all_errors_at_once(void **state)
{
	struct mlb_graph *g = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_int_equal(
		compile_ini(
			&g,
			"[model a]\nrun = x ${nope}\nout = a\n[model b]\nrun = x ${nada}\nout = ../b\n"
			"[model c]\nneeds = none.txt\nrun = x ${params:q}\nout = a\n",
			&err),
		MLB_EINVALID);
	assert_non_null(strstr(err.text, "mlbuild.ini:2: in 'a': ${nope}"));
	assert_non_null(strstr(err.text, "mlbuild.ini:5: in 'b': ${nada}"));
	assert_non_null(strstr(err.text, "mlbuild.ini:6: 'out' of 'b'"));
	assert_non_null(strstr(err.text, "mlbuild.ini:8: in 'c': 'none.txt'"));
	assert_non_null(strstr(err.text, "mlbuild.ini:9: in 'c': there is no parameter 'q'"));
	assert_non_null(
		strstr(err.text, "mlbuild.ini:10: 'a' is an output of 'c' and an output of 'a'"));
	mlb_err_release(&err);
}

/* One mistake in a matrix is one message, not one for each instance. */
static void
test_instances_do_not_repeat_an_error(void **state)
{
	struct mlb_graph *g = NULL;
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_int_equal(
		compile_ini(&g, "[model a]\nmatrix.k = 1..500\nrun = x ${nope}\nout = ${matrix:k}\n",
			    &err),
		MLB_EINVALID);
	assert_null(strchr(err.text, '\n'));
	mlb_err_release(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_cycles_by_their_whole_path),
		scratch_test(test_outputs_of_two),
		scratch_test(test_outputs_in_wrong_places),
		scratch_test(test_output_inside_a_directory_that_is_an_input),
		scratch_test(test_missing_inputs),
		scratch_test(test_unknown_references),
		scratch_test(test_a_check_is_never_an_input),
		scratch_test(test_matrices),
		scratch_test(test_each),
		scratch_test(test_secrets_and_the_rest),
		scratch_test(test_all_errors_at_once),
		scratch_test(test_instances_do_not_repeat_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
