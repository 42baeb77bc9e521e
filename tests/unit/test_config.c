/*
 * mlbuild.ini: every key of targets, what may stand where and together, and what
 * is said where it is wrong.
 */
#include "config_test.h"

#include "os/clock.h"

/* ------------------------------------------------------------ targets */

static void
test_every_target_key(void **state)
{
	struct mlb_config *c = parse("[pool license]\n"
				     "slots = 3\n"
				     "[model m]\n"
				     "run = train ${raw} \\\n"
				     "    --out ${out}\n"
				     "out = \"models/a model.pkl\"\n"
				     "out.plot = plot.png\n"
				     "metrics = 'm.json'\n"
				     "needs = a 'b c' ${x y}\n"
				     "  d\"e f\"g params:train.*\n"
				     "fingerprint = python3 --version\n"
				     "    nvidia-smi -q -d 'a  b'\n"
				     "\n"
				     "    uname\n"
				     "matrix.k = a b 1..3\n"
				     "each = ${images}/**/*.jpg\n"
				     "batch = 256\n"
				     "dir = sub\n"
				     "shell = bash -c\n"
				     "env.A = x ${params:y}  z\n"
				     "env.B =\n"
				     "secret = TOKEN KEY\n"
				     "pool.license = 2\n"
				     "cpus = 0.5\n"
				     "mem = 1.5GiB\n"
				     "gpus = 2\n"
				     "timeout = 1h30m\n"
				     "retries = 3\n"
				     "retry_delay = 500ms\n"
				     "frozen = yes\n"
				     "deterministic = no\n"
				     "store = off\n"
				     "desc = what it is; really = this\n"
				     "owner = me\n"
				     "tags = a  b\n");
	const struct mlb_target *t = target(c, "m");

	(void)state;
	assert_int_equal(t->kind, MLB_K_MODEL);
	assert_string_equal(t->file, "mlbuild.ini");
	assert_int_equal(t->line, 3);
	assert_string_equal(t->run.s, "train ${raw} \\\n--out ${out}");
	assert_int_equal(t->run.line, 4);
	assert_null(t->use.s);
	assert_null(t->path.s);
	assert_named(&t->out, "=<models/a model.pkl> plot=<plot.png>");
	assert_int_equal(t->out.v[1].value.line, 7);
	assert_string_equal(t->metrics.s, "m.json");
	assert_words(&t->needs, "<a> <b c> <${x y}> <de fg> <params:train.*>");
	assert_int_equal(t->needs.v[0].line, 9);
	assert_int_equal(t->needs.v[3].line, 10);
	assert_words(&t->fingerprint, "<python3 --version> <nvidia-smi -q -d 'a  b'> <uname>");
	assert_int_equal(t->fingerprint.v[2].line, 14);
	assert_named(&t->matrix, "k=<a b 1..3>");
	assert_string_equal(t->each.s, "${images}/**/*.jpg");
	assert_int_equal(t->batch, 256);
	assert_string_equal(t->dir.s, "sub");
	assert_string_equal(t->shell.s, "bash -c");
	assert_named(&t->env, "A=<x ${params:y}  z> B=<>");
	assert_words(&t->secret, "<TOKEN> <KEY>");
	assert_named(&t->pool, "license=<2>");
	assert_true(t->cpus > 0.49 && t->cpus < 0.51);
	assert_true(t->mem == 3 * MLB_GIB / 2);
	assert_int_equal(t->gpus, 2);
	assert_true(t->timeout_ns == UINT64_C(5400000000000));
	assert_int_equal(t->retries, 3);
	assert_true(t->retry_delay_ns == 500000000);
	assert_true(t->frozen);
	assert_false(t->deterministic);
	assert_false(t->store);
	assert_string_equal(t->desc, "what it is; really = this");
	assert_string_equal(t->owner, "me");
	assert_string_equal(t->tags, "a b");
	mlb_config_free(c);
}

static void
test_what_is_not_given(void **state)
{
	struct mlb_config *c = parse("[dataset d]\npath = x\n[task t]\nrun = a\n");
	const struct mlb_target *t = target(c, "d");

	(void)state;
	assert_string_equal(t->path.s, "x");
	assert_null(t->run.s);
	assert_int_equal(t->batch, 1);
	assert_true(t->cpus > 0.99 && t->cpus < 1.01);
	assert_true(t->store && t->deterministic && !t->frozen);
	assert_true(t->mem == 0 && t->timeout_ns == 0 && t->retries == 0 && t->gpus == 0);
	assert_string_equal(t->desc, "");
	assert_string_equal(t->tags, "");
	assert_int_equal(c->target.n, 2);
	assert_int_equal(target(c, "t")->kind, MLB_K_TASK);
	assert_null(mlb_config_find(c, "T"));
	assert_string_equal(c->cache_dir, "");
	assert_string_equal(c->trust, "");
	assert_int_equal(c->jobs, 0);
	mlb_config_free(c);
}

static void
test_builtin_stage(void **state)
{
	struct mlb_config *c = parse(
		"[check c]\nuse = validate\nin = ${raw}\nschema = a\n  b\nneeds = x\nguards = r f@k=1\n");
	const struct mlb_target *t = target(c, "c");

	(void)state;
	assert_string_equal(t->use.s, "validate");
	assert_named(&t->arg, "in=<${raw}> schema=<a b>");
	assert_words(&t->needs, "<x>");
	assert_words(&t->guards, "<r> <f@k=1>");
	mlb_config_free(c);
	assert_hints("[check c]\nuse = v\na b = 1\n",
		     "mlbuild.ini:3: 'a b' cannot be the name of an argument");
	/* Without `use` an unknown key is no argument. */
	assert_hints("[check c]\nrun = v\nschema = 1\n",
		     "mlbuild.ini:3: unknown key 'schema' in [check c]");
}

static void
test_unknown_words(void **state)
{
	(void)state;
	assert_says("[model m]\nrun = a\nout = b\ncommand = c\n",
		    "mlbuild.ini:4: unknown key 'command' in [model m]: did you mean 'run'?");
	assert_says("[model m]\nrun = a\nout = b\ntimeot = 5\n",
		    "mlbuild.ini:4: unknown key 'timeot' in [model m]: did you mean 'timeout'?");
	assert_says("[model m]\nrun = a\nouts = b\n",
		    "mlbuild.ini:3: unknown key 'outs' in [model m]: did you mean 'out'?");
	assert_says(
		"[model m]\nrun = a\nout = b\nxyzzy = 5\n",
		"mlbuild.ini:4: unknown key 'xyzzy' in [model m]: mlbuild.ini(5) lists the keys");
	assert_says("[model m]\nrun = a\nout = b\nOut = c\n",
		    "mlbuild.ini:4: unknown key 'Out' in [model m]: did you mean 'out'?");
	assert_says(
		"[cache]\nplace = x\n",
		"mlbuild.ini:2: unknown key 'place' in [cache]: its keys are dir, link, salt, size");
	assert_says("[cache]\nsise = x\n",
		    "mlbuild.ini:2: unknown key 'sise' in [cache]: did you mean 'size'?");
	assert_says("[project]\nnmae = x\n",
		    "mlbuild.ini:2: unknown key 'nmae' in [project]: did you mean 'name'?");
	assert_says(
		"[remote r]\nurl = x\ntoken = y\n",
		"mlbuild.ini:3: unknown key 'token' in [remote r]: mlbuild.ini(5) lists the keys");
	assert_says("[modell m]\nrun = a\n",
		    "mlbuild.ini:1: unknown section [modell m]: did you mean 'model'?");
	assert_says("[remotes r]\n",
		    "mlbuild.ini:1: unknown section [remotes r]: did you mean 'remote'?");
	assert_hints("[xyzzy m]\n",
		     "mlbuild.ini:1: unknown section [xyzzy m]: a target is [KIND NAME]");
	assert_says("[default]\n",
		    "mlbuild.ini:1: unknown section [default]: did you mean 'defaults'?");
}

static void
test_names(void **state)
{
	static const char *const good[] = { "a",
					    "A1",
					    "churn.train",
					    "a-b_c.d",
					    "0",
					    "_x",
					    "a23456789012345678901234567890123456789012345678" };
	static const char *const bad[] = { "a b", "-a",  ".a",       "..",  "a/b",
					   "a@b", "a:b", "\xc3\xa9", "a,b", "${x}" };
	static const char *const reserved[] = { "params",  "env",  "matrix", "out",
						"metrics", "each", "scratch" };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(good); i++) {
		char *text = mlb_asprintf("[dataset %s]\npath = x\n", good[i]);

		mlb_config_free(parse(text));
		free(text);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(bad); i++) {
		char *text = mlb_asprintf("[dataset %s]\npath = x\n", bad[i]);

		assert_hints(text, "cannot be a name: letters, digits, _ . -");
		free(text);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(reserved); i++) {
		char *text = mlb_asprintf("[dataset %s]\npath = x\n", reserved[i]);

		assert_hints(text, "has a meaning of its own in references");
		free(text);
	}
	assert_hints("[dataset a234567890123456789012345678901234567890123456789]\npath = x\n",
		     "is longer than 48 characters");
	assert_hints("[dataset]\npath = x\n",
		     "mlbuild.ini:1: [dataset] needs a name: [dataset NAME]");
	assert_says("[dataset d]\npath = x\n[model d]\nrun = a\nout = b\n",
		    "mlbuild.ini:3: 'd' is the name of [dataset d] already, at mlbuild.ini:1");
	assert_hints("[project x]\n", "mlbuild.ini:1: [project] takes no name");
	assert_hints("[defaults x]\n", "mlbuild.ini:1: [defaults] takes no name");
	assert_hints("[pool]\nslots = 1\n", "mlbuild.ini:1: [pool] needs a name: [pool NAME]");
	assert_hints("[remote a/b]\nurl = x\n", "'a/b' cannot be a name");
}

static void
test_what_goes_together(void **state)
{
	(void)state;
	assert_says("[model m]\nrun = a\nuse = b\nout = c\n",
		    "mlbuild.ini:3: [model m] has both 'run' and 'use': it is made in one way");
	assert_says(
		"[model m]\nrun = a\npath = b\n",
		"mlbuild.ini:2: 'run' has no meaning in [model m]: it has a path, so it is a source that exists already");
	assert_hints("[model m]\nuse = a\npath = b\n",
		     "mlbuild.ini:2: 'use' has no meaning in [model m]: it has a path");
	assert_hints("[dataset m]\npath = b\nneeds = x\n",
		     "mlbuild.ini:3: 'needs' has no meaning in [dataset m]");
	assert_hints("[dataset m]\npath = b\nout = x\n",
		     "mlbuild.ini:3: 'out' has no meaning in [dataset m]");
	mlb_config_free(parse(
		"[dataset m]\npath = b\nstore = no\nowner = a\ndesc = b\ntags = c\nmatrix.k = 1\n"));
	assert_says(
		"[model m]\nout = c\n",
		"mlbuild.ini:1: [model m] says not how it is made: give it 'run' or 'use', or 'path' if it exists already");
	assert_says("[check m]\n",
		    "mlbuild.ini:1: [check m] says not how it is made: give it 'run' or 'use'");
	assert_says(
		"[model m]\nrun = a\n",
		"mlbuild.ini:1: [model m] has no 'out': say what it makes, or make it a check or a task");
	mlb_config_free(parse("[report m]\nrun = a\nmetrics = b\n"));
	mlb_config_free(parse("[check m]\nrun = a\nout = b\nmetrics = c\nout.x = d\n"));
	assert_says(
		"[task t]\nrun = a\nout = b\n",
		"mlbuild.ini:3: 'out' has no meaning in [task t]: a task makes nothing that is kept");
	assert_hints("[task t]\nrun = a\nout.x = b\n", "'out.x' has no meaning in [task t]");
	assert_hints("[task t]\nrun = a\nmetrics = b\n", "'metrics' has no meaning in [task t]");
	assert_hints("[task t]\nrun = a\nfrozen = yes\n", "'frozen' has no meaning in [task t]");
	assert_hints("[task t]\nrun = a\npath = b\n", "'path' has no meaning in [task t]");
	assert_hints("[check c]\npath = b\n", "'path' has no meaning in [check c]");
	assert_hints("[check c]\nrun = b\neach = *.x\n", "'each' has no meaning in [check c]");
	assert_says("[model m]\nrun = a\nout = b\nguards = c\n",
		    "mlbuild.ini:4: 'guards' has no meaning in [model m]: only a check guards");
	assert_says("[model m]\nrun = a\nout = b\nbatch = 5\n",
		    "mlbuild.ini:4: 'batch' has no meaning in [model m]: 'batch' goes with 'each'");
	assert_hints("[model m]\nrun = a\nout. = b\n",
		     "'out.' in [model m]: a name must follow the dot");
	assert_hints("[model m]\nrun = a\nout.list = b\n",
		     "'out.list' in [model m]: this name has a meaning of its own");
	assert_hints("[model m]\nrun = a\nout.metrics = b\n",
		     "'out.metrics' in [model m]: this name has a meaning");
	assert_hints("[model m]\nrun = a\nout.a/b = b\n", "'a/b' is not a name");
	assert_hints("[model m]\nrun = a\nenv.1A = b\nout = c\n",
		     "'1A' is not the name of an environment variable");
	assert_hints("[model m]\nrun = a\nenv = b\nout = c\n",
		     "unknown key 'env' in [model m]: did you mean 'env.VARIABLE'?");
}

static void
test_values(void **state)
{
	static const char *const cases[][2] = {
		{ "cpus = 0",
		  "cpus in [model m] is a number of processors above 0, such as 2 or 0.5, not '0'" },
		{ "cpus = -1", "above 0" },
		{ "cpus = 1,5", "above 0" },
		{ "cpus = 2x", "above 0" },
		{ "cpus = .", "above 0" },
		{ "cpus = 1e3", "above 0" },
		{ "cpus = 70000", "above 0" },
		{ "mem = lots", "mem in [model m] is a size such as 512M or 1.5GiB, not 'lots'" },
		{ "gpus = -1", "gpus in [model m] is a whole number from 0, not '-1'" },
		{ "gpus = 1.5", "a whole number from 0" },
		{ "gpus =", "a whole number from 0" },
		{ "gpus = 99999999999999999999", "a whole number from 0" },
		{ "retries = x", "a whole number from 0" },
		{ "timeout = 0",
		  "timeout in [model m] is a time such as 90s, 30m or 1h30m, not '0'" },
		{ "timeout = soon", "a time such as" },
		{ "retry_delay = 5x", "a time such as" },
		{ "frozen = maybe", "frozen in [model m] is yes or no, not 'maybe'" },
		{ "store =", "yes or no, not ''" },
		{ "pool.x = 0", "pool.x in [model m] is a whole number from 1, not '0'" },
		{ "secret = A-B",
		  "secret in [model m] is the names of environment variables, not 'A-B'" },
		{ "needs =", "needs in [model m] is empty" },
		{ "needs = ''", "a list of words that are not empty" },
		{ "needs = 'a", "a quote in 'needs' is not closed on its line" },
		{ "needs = 'a\n  b'", "a quote in 'needs' is not closed on its line" },
		{ "fingerprint =", "fingerprint in [model m] is empty" },
		{ "metrics = a b",
		  "metrics in [model m] takes one word: put it in quotes if it has blanks" },
		{ "metrics = ''", "metrics in [model m] takes one word" },
		{ "dir = a b", "dir in [model m] takes one word" },
		{ "shell =", "shell in [model m] is empty" },
		{ "each = a b", "each in [model m] takes one word" },
		{ "each = *.x\nbatch = 0", "batch in [model m] is a whole number from 1, not '0'" },
		{ "matrix.k = 5..1", "matrix value '5..1' runs backwards" },
		{ "out.b = x y", "out.b in [model m] takes one word" },
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(cases); i++) {
		char *text = mlb_asprintf("[model m]\nrun = a\nout = b\n%s\n", cases[i][0]);

		assert_hints(text, cases[i][1]);
		free(text);
	}
	assert_hints("[model m]\nrun =\nout = b\n", "run in [model m] is empty");
	assert_hints("[model m]\nrun =\n\n\nout = b\n", "run in [model m] is empty");
}

static void
test_lost_continuation(void **state)
{
	static const char *const wrong[] = {
		"run = a b\n    -c\n",
		"run = a b\n    --c d\n    --e\n",
		"run = a ${x}\n\n; c\n\n    -c\n",
		"run =\n    a\n    -c\n",
		"run = a <<'E'\n    x\n    E\n    -c\n",
		"run = a 'b\n    c'\n    -d\n",
	};
	static const unsigned line[] = { 3, 3, 6, 4, 5, 4 };
	static const char *const right[] = {
		"run = a b \\\n    -c\n",
		"run = a 'b\n    - c\n    '\n",
		"run = a <<E\n    - x\n    - y\n    E\n",
		"run = a \"b\n    -c\"\n",
		"run = a\n    b -c\n",
		"run = -a\n",
		"run =\n    -a\n",
		"run = a # it's\n    b\n",
	};

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(wrong); i++) {
		char *text = mlb_asprintf("[task t]\n%s", wrong[i]);
		char *message = mlb_asprintf(
			"mlbuild.ini:%u: this line begins with '-', but the line above it does not "
			"end in a backslash: add ' \\' there to continue the command",
			line[i]);

		assert_says(text, message);
		free(message);
		free(text);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(right); i++) {
		char *text = mlb_asprintf("[task t]\n%s", right[i]);

		mlb_config_free(parse(text));
		free(text);
	}
}

static void
test_all_errors_at_once(void **state)
{
	(void)state;
	assert_says(
		"[project]\n"
		"colour = red\n"
		"[model m]\n"
		"run = a\n"
		"out = b\n"
		"cpus = none\n"
		"junk\n"
		"[dataset params]\n"
		"path = x\n"
		"path = y\n"
		"[what]\n"
		"[params]\n"
		"a = 1\n"
		"a.b = 2\n",
		"mlbuild.ini:2: unknown key 'colour' in [project]: its keys are default, expose, jobs, name\n"
		"mlbuild.ini:6: cpus in [model m] is a number of processors above 0, such as 2 or 0.5, not 'none'\n"
		"mlbuild.ini:7: 'junk' is not 'key = value'\n"
		"mlbuild.ini:8: 'params' cannot be a name: ${params} has a meaning of its own in references\n"
		"mlbuild.ini:10: 'path' is given twice in [dataset params]: first at line 9\n"
		"mlbuild.ini:11: unknown section [what]: a target is [KIND NAME] with a kind of dataset, feature, "
		"model, report, check, task\n"
		"mlbuild.ini:14: 'a' cannot hold 'a.b': it is a value already at mlbuild.ini:13");
}

/* ------------------------------------------------------------ [defaults] */

static void
test_defaults(void **state)
{
	struct mlb_config *c = parse(
		"[model m]\n"
		"run = a\nout = b\nneeds = own\nenv.A = mine\ncpus = 4\ntags = t2\n"
		"[task t]\nrun = a\n"
		"[dataset d]\npath = x\n"
		"[pool p]\nslots = 2\n"
		"[defaults]\n" /* covers what stands above it too */
		"shell = bash -c\nneeds = uv.lock 'b c'\nenv.A = theirs\nenv.B = b\ncpus = 2\n"
		"pool.p = 1\nfrozen = yes\nstore = no\ntags = t1\nowner = o\nsecret = S\n"
		"fingerprint = f\ntimeout = 1s\n");
	const struct mlb_target *m = target(c, "m"), *t = target(c, "t"), *d = target(c, "d");

	(void)state;
	assert_words(&m->needs, "<uv.lock> <b c> <own>");
	assert_named(&m->env, "A=<mine> B=<b>");
	assert_true(m->cpus > 3.9 && t->cpus < 2.1);
	assert_string_equal(m->tags, "t1 t2");
	assert_string_equal(m->shell.s, "bash -c");
	assert_true(m->frozen);
	assert_false(m->store);
	assert_named(&t->env, "A=<theirs> B=<b>");
	assert_named(&t->pool, "p=<1>");
	assert_words(&t->needs, "<uv.lock> <b c>");
	assert_words(&t->secret, "<S>");
	assert_false(t->frozen); /* has no meaning for a task */
	assert_true(t->store);
	assert_true(t->timeout_ns == 1000000000);
	assert_int_equal(d->needs.n, 0);
	assert_int_equal(d->env.n, 0);
	assert_null(d->shell.s);
	assert_false(d->store);
	assert_string_equal(d->owner, "o");
	assert_ptr_equal(t->needs.v, target(c, "t")->needs.v);
	mlb_config_free(c);
	assert_says("[defaults]\nrun = a\nout = b\n",
		    "mlbuild.ini:2: 'run' cannot be in [defaults]: give it in each target\n"
		    "mlbuild.ini:3: 'out' cannot be in [defaults]: give it in each target");
	assert_hints("[defaults]\nneds = a\n",
		     "unknown key 'neds' in [defaults]: did you mean 'needs'?");
}

static void
test_pools(void **state)
{
	(void)state;
	assert_says("[pool gpu]\nslots = 2\n[task t]\nrun = a\npool.gpi = 1\n",
		    "mlbuild.ini:5: no [pool gpi]: did you mean 'gpu'?");
	assert_says("[task t]\nrun = a\npool.gpu = 1\n",
		    "mlbuild.ini:3: no [pool gpu]: add the section, with 'slots = N'");
	assert_says("[pool gpu]\nslots = 2\n[task t]\nrun = a\npool.gpu = 3\n",
		    "mlbuild.ini:5: [t] takes 3 slots of [pool gpu], which has 2");
	assert_says("[defaults]\npool.x = 1\n[task t]\nrun = a\n[task u]\nrun = a\npool.y = 1\n",
		    "mlbuild.ini:2: no [pool x]: add the section, with 'slots = N'\n"
		    "mlbuild.ini:7: no [pool y]: add the section, with 'slots = N'");
	assert_says("[pool gpu]\n", "mlbuild.ini:1: [pool gpu] has no 'slots'");
	assert_hints("[pool gpu]\nslots = 0\n",
		     "slots in [pool gpu] is a whole number from 1, not '0'");
}

/* ------------------------------------------------------------ many */

static void
test_many(void **state)
{
	struct mlb_buf text = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_config *c;
	uint64_t start;

	(void)state;
	mlb_buf_adds(&text, "[defaults]\nneeds = uv.lock\nenv.A = 1\n");
	for (int i = 0; i < 100000; i++)
		mlb_buf_addf(
			&text,
			"\n[feature t%d]\nrun = python3 tool.py ${t%d} ${t%d} --flag \\\n      --out ${out}\n"
			"out = data/t%d.out\nneeds = src/a.py src/b.py\n",
			i, i / 2, i / 3, i);
	start = mlb_clock_mono();
	c = parse(text.data);
	print_message("100,000 targets, %zu bytes: %.0f ms\n", text.len,
		      (double)(mlb_clock_mono() - start) / 1e6);
	assert_int_equal(c->target.n, 100000);
	assert_string_equal(target(c, "t99999")->out.v[0].value.s, "data/t99999.out");
	mlb_config_free(c);

	/* One section with very many keys. */
	mlb_buf_clear(&text);
	mlb_buf_adds(&text, "[model m]\nuse = x\nout = y\n");
	for (int i = 0; i < 100000; i++)
		mlb_buf_addf(&text, "arg%d = %d\nenv.A%d = x\n", i, i, i);
	c = parse(text.data);
	assert_int_equal(target(c, "m")->arg.n, 100000);
	assert_int_equal(target(c, "m")->env.n, 100000);
	mlb_config_free(c);
	mlb_buf_release(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_target_key),
		cmocka_unit_test(test_what_is_not_given),
		cmocka_unit_test(test_builtin_stage),
		cmocka_unit_test(test_unknown_words),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_goes_together),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_lost_continuation),
		cmocka_unit_test(test_all_errors_at_once),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_pools),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
