/*
 * The sections of mlbuild.ini that are not targets; included files, parameter
 * files, the layers of config.ini; the tables against example and manual.
 */
#include "config_test.h"

#include "example_project.h"

/* ------------------------------------------------------------ other sections */

static void
test_sections(void **state)
{
	struct mlb_config *c = parse(
		"[project]\nname = digits\ndefault = a b@k=1 'c*'\nexpose = .venv 'a b'\njobs = 7\n"
		"[cache]\ndir = '/a b/c'\nlink = hardlink\nsize = 10G\nsalt = a  b\n"
		"[trust]\nkeys = k1 k2\nmode = required\n"
		"[pool g]\nslots = 4\n"
		"[remote r]\nurl = s3://b/p?x=1;y#z\npush = yes\nstyle = virtual\ntoken_env = T\n"
		"[remote q]\nurl = /mnt\n"
		"[notify n]\non = failure\nrun = mail \\\n    me\n");

	(void)state;
	assert_string_equal(c->name, "digits");
	assert_words(&c->default_targets, "<a> <b@k=1> <c*>");
	assert_words(&c->expose, "<.venv> <a b>");
	assert_int_equal(c->jobs, 7);
	assert_string_equal(c->cache_dir, "/a b/c");
	assert_string_equal(c->cache_link, "hardlink");
	assert_true(c->cache_size == 10 * MLB_GIB);
	assert_string_equal(c->cache_salt, "a  b");
	assert_words(&c->trust_keys, "<k1> <k2>");
	assert_string_equal(c->trust, "required");
	assert_int_equal(c->pool.n, 1);
	assert_string_equal(c->pool.v[0].name, "g");
	assert_int_equal(c->pool.v[0].slots, 4);
	assert_int_equal(c->remote.n, 2);
	assert_string_equal(c->remote.v[0].name, "r");
	assert_named(&c->remote.v[0].key,
		     "url=<s3://b/p?x=1;y#z> push=<yes> style=<virtual> token_env=<T>");
	assert_named(&c->notify.v[0].key, "on=<failure> run=<mail \\\nme>");
	mlb_config_free(c);

	assert_hints("[cache]\nlink = symlink\n",
		     "link in [cache] is 'copy' or 'hardlink', not 'symlink'");
	assert_hints("[trust]\nmode = no\n", "mode in [trust] is 'required', not 'no'");
	assert_hints("[project]\nname = a b\n",
		     "name in [project] is a name (letters, digits, _ . -, at most 48), not 'a b'");
	assert_hints("[project]\njobs = 0\n",
		     "jobs in [project] is a whole number from 1, not '0'");
	assert_hints("[remote r]\nurl = x\npush = maybe\n",
		     "push in [remote r] is yes or no, not 'maybe'");
	assert_hints("[remote r]\nurl = x\nstyle = x\n",
		     "style in [remote r] is 'path' or 'virtual'");
	assert_hints("[remote r]\nurl = x\ntoken_env = A B\n",
		     "is the name of one environment variable");
	assert_hints("[remote r]\nurl =\n", "url in [remote r] is empty");
	assert_says("[remote r]\npush = no\n",
		    "mlbuild.ini:1: [remote r] has no 'url', here or in config.ini");
	assert_says("[notify n]\non = x\n",
		    "mlbuild.ini:1: [notify n] has no 'run' or 'url', one of them");
	assert_hints("[notify n]\nrun = a\nurl = x\n", "has no 'run' or 'url', one of them");
}

static void
test_home(void **state)
{
	struct mlb_config *c;
	char *old = getenv("HOME") ? mlb_strdup(getenv("HOME")) : NULL;

	(void)state;
	setenv("HOME", "/home/x", 1);
	c = parse("[cache]\ndir = ~/.cache/ml\n");
	assert_string_equal(c->cache_dir, "/home/x/.cache/ml");
	mlb_config_free(c);
	c = parse("[cache]\ndir = ~x/ml\n");
	assert_string_equal(c->cache_dir, "~x/ml");
	mlb_config_free(c);
	if (old)
		setenv("HOME", old, 1);
	free(old);
}

static void
test_params(void **state)
{
	struct mlb_config *c = parse(
		"[params]\nseed = 7\nmodel.C = 1.0\ntext = a  ; b # c\nlong = a\n   b\nempty =\n");

	(void)state;
	assert_string_equal(mlb_params_get(&c->params, "seed")->text, "7");
	assert_string_equal(mlb_params_get(&c->params, "model")->text, "{\"C\":1.0}");
	assert_string_equal(mlb_params_get(&c->params, "text")->text, "a  ; b # c");
	assert_string_equal(mlb_params_get(&c->params, "long")->text, "a b");
	assert_string_equal(mlb_params_get(&c->params, "empty")->text, "");
	assert_int_equal(mlb_params_get(&c->params, "model.C")->line, 3);
	mlb_config_free(c);
	assert_says(
		"[params]\na b = 1\n.c = 2\n",
		"mlbuild.ini:2: 'a b' cannot be the name of a parameter: letters, digits, _ - and dots between\n"
		"mlbuild.ini:3: '.c' cannot be the name of a parameter");
}

/* ------------------------------------------------------------ files */

static struct mlb_config *
load(const char *user, const struct mlb_override *o, size_t n)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_config *c = NULL;

	assert_ok(mlb_config_load(&c, ".", user, o, n, &err));
	return c;
}

static void
assert_load_fails(const struct mlb_override *o, size_t n, enum mlb_code code, const char *message)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_config *c = NULL;
	int rc = mlb_config_load(&c, ".", NULL, o, n, &err);

	if (rc != (int)code || !strstr(err.text, message))
		print_error("wanted: %s\ngot:    %s\n", message, err.text ? err.text : "success");
	assert_int_equal(rc, code);
	assert_non_null(strstr(err.text, message));
	mlb_err_release(&err);
}

static void
test_includes(void **state)
{
	struct mlb_config *c;

	(void)state;
	mlb_fs_mkdirs("p/deep", NULL);
	put_file("mlbuild.ini", "[include]\nfiles = p/*.ini ./p/../c.ini\n"
				"[defaults]\nneeds = root\nenv.A = 1\ncpus = 2\n"
				"[task root]\nrun = x\n");
	put_file("p/b.ini",
		 "[task b]\nrun = x\nneeds = b\n[defaults]\nneeds = of-b\nenv.A = 2\nenv.B = 3\n");
	put_file(
		"p/a.ini",
		"[task a]\nrun = x\n[include]\nfiles = p/deep/x.ini p/b.ini\n[pool q]\nslots = 1\n");
	put_file("p/deep/x.ini", "[task x]\nrun = x\n[include]\nfiles = mlbuild.ini\n");
	put_file("c.ini", "");
	c = load(NULL, NULL, 0);
	assert_int_equal(c->target.n, 4);
	assert_string_equal(c->target.v[0]->name, "root");
	assert_string_equal(target(c, "x")->file, "p/deep/x.ini");
	assert_int_equal(target(c, "x")->line, 1);
	/* The root's [defaults] cover all, an included file's cover that file besides. */
	assert_words(&target(c, "root")->needs, "<root>");
	assert_words(&target(c, "a")->needs, "<root>");
	assert_words(&target(c, "b")->needs, "<root> <of-b> <b>");
	assert_named(&target(c, "b")->env, "A=<2> B=<3>");
	assert_named(&target(c, "a")->env, "A=<1>");
	assert_true(target(c, "b")->cpus > 1.9);
	assert_true(mlb_strvec_has(&c->files, "mlbuild.ini"));
	assert_true(mlb_strvec_has(&c->files, "p/a.ini"));
	assert_true(mlb_strvec_has(&c->files, "p/deep/x.ini"));
	assert_true(mlb_strvec_has(&c->files, "c.ini"));
	assert_true(mlb_strvec_has(&c->files, ".mlbuild/config.ini"));
	assert_int_equal(c->include_globs.n, 1);
	assert_string_equal(c->include_globs.v[0], "p/*.ini");
	mlb_config_free(c);

	put_file("p/b.ini", "[task a]\nrun = x\ncommand = y\n[pool q]\nslots = 2\n");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  "p/b.ini:1: 'a' is the name of [task a] already, at p/a.ini:1");
	assert_load_fails(NULL, 0, MLB_EINVALID, "p/b.ini:3: unknown key 'command' in [task a]");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  "p/b.ini:5: 'slots' of [pool q] is given already in p/a.ini:5");
	put_file("mlbuild.ini", "[include]\nfiles = none.ini q/*.ini /etc/passwd ../x.ini\n");
	assert_load_fails(NULL, 0, MLB_EINVALID, "mlbuild.ini:2: there is no file 'none.ini'");
	assert_load_fails(NULL, 0, MLB_EINVALID, "mlbuild.ini:2: no file matches 'q/*.ini'");
	assert_load_fails(NULL, 0, MLB_EINVALID, "mlbuild.ini:2: path '/etc/passwd' is absolute");
	assert_load_fails(NULL, 0, MLB_EINVALID, "mlbuild.ini:2: path '../x.ini' leaves");
}

static void
test_parameter_files(void **state)
{
	struct mlb_config *c;

	(void)state;
	mlb_fs_mkdirs("conf", NULL);
	put_file("mlbuild.ini", "[params]\nfile = params.yaml conf/p.json\nseed = 7\n");
	put_file("params.yaml", "model: {C: 1e-3}\n");
	put_file("conf/p.json", "{\"layers\": [1, 2]}");
	c = load(NULL, NULL, 0);
	assert_string_equal(mlb_params_get(&c->params, "model.C")->text, "1e-3");
	assert_string_equal(mlb_params_get(&c->params, "layers")->text, "[1,2]");
	assert_words(&c->param_files, "<params.yaml> <conf/p.json>");
	assert_true(mlb_strvec_has(&c->files, "params.yaml"));
	mlb_config_free(c);

	put_file("params.yaml", "model: {C: 1e-3}\nseed: 8\n");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  "params.yaml:2: parameter 'seed' is given already at mlbuild.ini:3");
	put_file("params.yaml", "model: {C: 1e-3\n");
	assert_load_fails(NULL, 0, MLB_EINVALID, "params.yaml:2: not YAML");
	put_file("mlbuild.ini", "[params]\nfile = none.yaml p.toml conf/p.json conf/p.json\n");
	assert_load_fails(NULL, 0, MLB_EINVALID, "mlbuild.ini:2: there is no file 'none.yaml'");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  "mlbuild.ini:2: 'p.toml': parameters come from YAML or JSON files");
	assert_load_fails(NULL, 0, MLB_EINVALID, "mlbuild.ini:2: 'conf/p.json' is read already");
}

static void
test_overrides(void **state)
{
	struct mlb_override o[2] = { { "model.C", "0.1", NULL }, { NULL, "dev.json", "dev.json" } };
	struct mlb_config *c;

	(void)state;
	put_file("mlbuild.ini", "[params]\nfile = params.yaml\nseed = 7\n");
	put_file("params.yaml", "model: {C: 1, l: [1, 2]}\nname: x\n");
	put_file("dev.json", "{\"model\": {\"l\": [3]}, \"seed\": 8}");
	c = load(NULL, o, 2);
	assert_string_equal(mlb_params_get(&c->params, "model")->text, "{\"C\":0.1,\"l\":[3]}");
	assert_string_equal(mlb_params_get(&c->params, "seed")->text, "8");
	assert_string_equal(mlb_params_get(&c->params, "seed")->file, "-p");
	assert_string_equal(mlb_params_get(&c->params, "model.l")->file, "-p");
	assert_string_equal(mlb_params_get(&c->params, "model.C")->file, "-p");
	assert_string_equal(mlb_params_get(&c->params, "name")->file, "params.yaml");
	mlb_config_free(c);
	o[0].name = "model.c";
	assert_load_fails(o, 1, MLB_EINVALID, "no parameter 'model.c': did you mean 'model.C'?");
	o[0].name = "model";
	assert_load_fails(o, 1, MLB_EINVALID, "'model' is a group of parameters");
	put_file("dev.json", "{\"sede\": 8}");
	assert_load_fails(&o[1], 1, MLB_EINVALID,
			  "dev.json: no parameter 'sede': did you mean 'seed'?");
	o[1].value = o[1].given = "none.json";
	assert_load_fails(&o[1], 1, MLB_EINVALID, "none.json");
}

/* mlbuild.ini, then the user's, then the project's own config.ini: the later one wins, key by key. */
static void
test_layers(void **state)
{
	struct mlb_config *c;

	(void)state;
	mlb_fs_mkdirs(".mlbuild", NULL);
	put_file("mlbuild.ini",
		 "[remote r]\nread = yes\npush = no\n[cache]\nsize = 1G\nsalt = a\n"
		 "[project]\ndefault = a b\nexpose = x\n[task a]\nrun = x\npool.p = 1\n");
	put_file("user.ini",
		 "[remote r]\nurl = /user\nregion = u\n[cache]\nsize = 2G\ndir = /u\n[project]\njobs = 3\n"
		 "[pool p]\nslots = 1\n");
	put_file(
		".mlbuild/config.ini",
		"[remote r]\nurl = /local\n[cache]\ndir = /l\n[project]\ndefault = c\n[pool p]\nslots = 5\n");
	c = load("user.ini", NULL, 0);
	assert_int_equal(c->remote.n, 1);
	assert_named(&c->remote.v[0].key, "read=<yes> push=<no> url=</local> region=<u>");
	assert_true(c->cache_size == 2 * MLB_GIB);
	assert_string_equal(c->cache_dir, "/l");
	assert_string_equal(c->cache_salt, "a");
	assert_int_equal(c->jobs, 3);
	assert_words(&c->default_targets, "<c>");
	assert_words(&c->expose, "<x>");
	assert_int_equal(c->pool.n, 1);
	assert_int_equal(c->pool.v[0].slots, 5);
	assert_true(mlb_strvec_has(&c->files, "user.ini"));
	mlb_config_free(c);

	put_file(
		".mlbuild/config.ini",
		"[task b]\nrun = x\n[params]\na = 1\n[defaults]\ncpus = 1\n[include]\nfiles = x\n[truss]\n");
	assert_load_fails(
		NULL, 0, MLB_EINVALID,
		".mlbuild/config.ini:1: [task b] is a target: it belongs into mlbuild.ini");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  ".mlbuild/config.ini:3: [params] belongs into mlbuild.ini");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  ".mlbuild/config.ini:5: [defaults] belongs into mlbuild.ini");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  ".mlbuild/config.ini:7: [include] belongs into mlbuild.ini");
	assert_load_fails(NULL, 0, MLB_EINVALID,
			  ".mlbuild/config.ini:9: unknown section [truss]: did you mean 'trust'?");
}

static void
test_project_name(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_config *c;

	(void)state;
	assert_load_fails(NULL, 0, MLB_ENOTFOUND,
			  "there is no mlbuild.ini in '.': 'mlbuild init' makes one");
	mlb_fs_mkdirs("a project!", NULL);
	put_file("a project!/mlbuild.ini", "");
	assert_ok(mlb_config_load(&c, "a project!", NULL, NULL, 0, &err));
	assert_string_equal(c->name, "a-project-");
	assert_int_equal(c->target.n, 0);
	mlb_config_free(c);
}

/* ------------------------------------------------------------ matrix */

static void
assert_matrix(const char *value, const char *want)
{
	struct mlb_text text = { value, "f.ini", 3 };
	struct mlb_strvec got = MLB_VEC_INIT;
	struct mlb_buf joined = MLB_BUF_INIT(MLB_MIB);
	struct mlb_err err = MLB_ERR_INIT;
	int rc = mlb_matrix_values(&got, &text, &err);

	if (!rc)
		for (size_t i = 0; i < got.n; i++)
			mlb_buf_addf(&joined, "%s%s", i ? " " : "", got.v[i]);
	else if (strstr(err.text, want))
		mlb_buf_adds(&joined, want);
	else
		mlb_buf_adds(&joined, err.text);
	assert_string_equal(mlb_buf_str(&joined), want);
	assert_int_equal(rc, rc ? MLB_EINVALID : 0);
	mlb_err_release(&err);
	mlb_buf_release(&joined);
	mlb_strvec_release(&got);
}

static void
test_matrix(void **state)
{
	(void)state;
	assert_matrix("a b c", "a b c");
	assert_matrix("  c\ta  b ", "c a b");
	assert_matrix("1..5", "1 2 3 4 5");
	assert_matrix("-2..1 x", "-2 -1 0 1 x");
	assert_matrix("08..11", "08 09 10 11");
	assert_matrix("7..7", "7");
	assert_matrix("0..2", "0 1 2");
	assert_matrix("1e-3 1e-4 0.5 resnet-50 v1.2 a:b", "1e-3 1e-4 0.5 resnet-50 v1.2 a:b");
	assert_matrix("2024-02-27..2024-03-02",
		      "2024-02-27 2024-02-28 2024-02-29 2024-03-01 2024-03-02");
	assert_matrix("2023-02-28..2023-03-01", "2023-02-28 2023-03-01");
	assert_matrix("1900-02-28..1900-03-01", "1900-02-28 1900-03-01");
	assert_matrix("2000-02-28..2000-03-01", "2000-02-28 2000-02-29 2000-03-01");
	assert_matrix("2023-12-30..2024-01-02", "2023-12-30 2023-12-31 2024-01-01 2024-01-02");
	assert_matrix("5..1",
		      "f.ini:3: matrix value '5..1' runs backwards: write the smaller end first");
	assert_matrix("2024-01-02..2024-01-01", "runs backwards: write the earlier day first");
	assert_matrix("2024-02-30..2024-03-01", "names a day that does not exist");
	assert_matrix("2024-13-01..2024-13-02", "names a day that does not exist");
	assert_matrix("a..b", "is a range of neither whole numbers (1..5) nor days");
	assert_matrix("1..2..3", "is a range of neither");
	assert_matrix("1..", "is a range of neither");
	assert_matrix("2024-01-01..5", "is a range of neither");
	assert_matrix("1..1000000", "makes more than 100,000 of them");
	assert_matrix("99999999999999999..99999999999999999", "is a range of neither");
	assert_matrix("a b a", "matrix value 'a' is given twice");
	assert_matrix("1..3 2", "matrix value '2' is given twice");
	assert_matrix("a/b", "cannot be part of a target's name");
	assert_matrix("a,b", "cannot be part of a target's name");
	assert_matrix("..", "cannot be part of a target's name");
	assert_matrix("${params:x}", "cannot be part of a target's name");
	assert_matrix("", "a matrix without values");
}

/* ------------------------------------------------------------ tables, example, manual */

/* bsearch finds every key, and nothing else. */
static void
test_key_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_TARGET_KEYS; i++) {
		const struct key_def *def = &mlb_target_keys[i];
		const char *rest;
		char *text = mlb_asprintf("%s%s", def->name, def->flags & K_PREFIX ? "X" : "");

		assert_ptr_equal(mlb_target_key(text, &rest), def);
		assert_string_equal(rest, def->flags & K_PREFIX ? "X" : "");
		free(text);
		text = mlb_asprintf("%sx", def->flags & K_PREFIX ? "x" : def->name);
		assert_null(mlb_target_key(text, &rest));
		free(text);
		if (i)
			assert_true(strcmp(mlb_target_keys[i - 1].name, def->name) < 0);
	}
}

static const char *const other_keys[] = {
	"[project]", "name =",    "default =", "expose =",       "jobs =",      "[include]",
	"files =",   "[params]",  "file =",    "[defaults]",     "[pool ",      "slots =",
	"[cache]",   "dir =",     "link =",    "size =",         "salt =",      "[remote ",
	"url =",     "region =",  "profile =", "endpoint =",     "style =",     "read =",
	"write =",   "push =",    "user =",    "password_env =", "token_env =", "cert =",
	"key =",     "[notify ",  "on =",      "run =",          "[trust]",     "keys =",
	"mode =",    "[dataset ", "[feature ", "[model ",        "[report ",    "[check ",
	"[task ",
};

/* "name   =" in the text at the start of a line, with any blanks between. */
static bool
has_key(const char *text, const char *key)
{
	size_t len = strcspn(key, " =");

	if (*key == '[')
		return strstr(text, key) != NULL;
	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (!strncmp(p, key, len) && p[len + strspn(p + len, " ")] == '=')
			return true;
	}
	return false;
}

static void
test_example(void **state)
{
	char *text = source_file("mlbuild.ini.example");
	struct mlb_config *c;

	(void)state;
	make_example_project();
	c = load(NULL, NULL, 0);
	assert_string_equal(c->name, "digits");
	assert_int_equal(target(c, "model")->gpus, 1);
	assert_string_equal(target(c, "extra")->file, "pipelines/extra.ini");
	assert_words(&target(c, "extra")->needs, "<uv.lock>");
	assert_string_equal(mlb_params_get(&c->params, "train.lr")->text, "1e-3");
	assert_int_equal(c->remote.n, 4);
	mlb_config_free(c);
	/* It shows all there is. */
	for (size_t i = 0; i < N_TARGET_KEYS; i++) {
		const struct key_def *def = &mlb_target_keys[i];
		char *line = mlb_asprintf("\n%s%s", def->name, def->flags & K_PREFIX ? "" : " ");

		if (!strstr(text, line))
			print_error("mlbuild.ini.example lacks '%s'\n", def->name);
		assert_non_null(strstr(text, line));
		free(line);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(other_keys); i++) {
		if (!has_key(text, other_keys[i]))
			print_error("mlbuild.ini.example lacks '%s'\n", other_keys[i]);
		assert_true(has_key(text, other_keys[i]));
	}
	free(text);
}

/* Every key has its place in the manual: ".It Ic key" (a prefix: ".It Ic out.NAME"). */
static void
test_manual(void **state)
{
	char *text = source_file("man/mlbuild.ini.5");

	(void)state;
	for (size_t i = 0; i < N_TARGET_KEYS; i++) {
		const struct key_def *def = &mlb_target_keys[i];
		char *line = mlb_asprintf("\n.It Ic %s", def->name);
		bool found = false;

		for (const char *p = strstr(text, line); p && !found; p = strstr(p + 1, line))
			found = def->flags & K_PREFIX || strchr(" \n", p[strlen(line)]);
		if (!found)
			print_error("mlbuild.ini(5) lacks '%s'\n", def->name);
		assert_true(found);
		free(line);
	}
	for (size_t i = 0; i < MLB_ARRAY_LEN(other_keys); i++) {
		char *line = other_keys[i][0] == '['
				     ? mlb_asprintf("%.*s", (int)strcspn(other_keys[i] + 1, " ]"),
						    other_keys[i] + 1)
				     : mlb_asprintf("\n.It Ic %.*s\n",
						    (int)strcspn(other_keys[i], " ="),
						    other_keys[i]);

		if (!strstr(text, line))
			print_error("mlbuild.ini(5) lacks '%s'\n", line);
		assert_non_null(strstr(text, line));
		free(line);
	}
	free(text);
}

/* Every example of the manual is a project. */
static void
test_manual_examples(void **state)
{
	char *text = source_file("man/mlbuild.ini.5");
	const char *p = text;
	unsigned n = 0;

	(void)state;
	while ((p = strstr(p, "\n.Bd -literal")) != NULL) {
		const char *from = strchr(p + 1, '\n') + 1;
		const char *to = strstr(from, "\n.Ed");
		struct mlb_buf ini = MLB_BUF_INIT(MLB_MIB);

		assert_non_null(to);
		for (p = from; p <= to; p++) {
			mlb_buf_addc(&ini, *p);
			if (p[0] == '\\' && p[1] == 'e') /* mdoc's backslash */
				p++;
		}
		mlb_config_free(parse(mlb_buf_str(&ini)));
		mlb_buf_release(&ini);
		n++;
	}
	assert_true(n >= 4);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_params),
		scratch_test(test_includes),
		scratch_test(test_parameter_files),
		scratch_test(test_overrides),
		scratch_test(test_layers),
		scratch_test(test_project_name),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_key_table),
		scratch_test(test_example),
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_manual_examples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
