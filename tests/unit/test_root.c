/* Private roots: the project's files and the inputs, whatever an action does to them, and nothing else. */
#include "unit.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "engine/root.h"
#include "os/fs.h"
#include "store/cas.h"
#include "store/db.h"
#include "store/result.h"
#include "store/tree.h"

#define INI                                                                                        \
	"[project]\nname = p\nexpose = ./venv/ missing\n"                                          \
	"[dataset raw]\npath = data/raw.csv\n"                                                     \
	"[feature made]\nrun = cp ${raw} ${out}\nout = data/made.csv\n"                            \
	"[feature tree]\nrun = touch ${out}/x\nout = data/tree/\n"                                 \
	"[dataset photos]\npath = photos/\n"                                                       \
	"[feature small]\neach = ${photos}/*.jpg\nrun = cp ${each} ${out}\nout = small/${each:stem}.png\n"

/* A project in the scratch directory's p/, its graph and a store beside it. */
struct world {
	char *root, *state;
	struct mlb_config *config;
	struct mlb_graph *graph;
	struct mlb_vcs *vcs;
	struct mlb_db *db;
	struct mlb_cas *cas;
	struct mlb_root_stock *roots;
};

static void
sh(const char *command)
{
	FILE *f = (popen)(command, "r");

	assert_non_null(f);
	assert_int_equal(pclose(f), 0);
}

static void
world_open(struct world *w, const char *dir, bool git)
{
	struct mlb_compile c = { .vcs = NULL };
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;

	memset(w, 0, sizeof(*w));
	w->root = mlb_asprintf("%s/p", dir);
	w->state = mlb_asprintf("%s/p/.mlbuild", dir);
	sh("mkdir -p p/src/pkg p/data/tree p/venv/bin p/photos p/small p/.mlbuild p/empty");
	put_file("p/mlbuild.ini", INI);
	put_file("p/src/pkg/a.py", "a\n");
	put_file("p/src/run.sh", "#!/bin/sh\n");
	put_file("p/params.yaml", "seed: 1\n");
	put_file("p/data/raw.csv", "raw\n");
	put_file("p/data/made.csv", "an old output\n");
	put_file("p/data/tree/x", "an old output\n");
	put_file("p/photos/one.jpg", "1\n");
	put_file("p/small/one.png", "an old output\n");
	put_file("p/venv/bin/python", "exposed\n");
	put_file("outside.txt", "outside\n");
	sh("chmod +x p/src/run.sh; touch -d 2001-02-03 p/src/pkg/a.py; ln -s pkg/a.py p/src/inner; "
	   "ln -s ../../outside.txt p/src/outer; ln -s /etc/hostname p/src/absolute; mkfifo p/src/fifo");
	if (git) {
		put_file("p/.gitignore",
			 "/data/made.csv\n/data/tree\n/venv\n/data/raw.csv\n/small\n.mlbuild\n");
		sh("cd p && git init -q . && git add -A && git commit -qm one");
		put_file("p/src/new.py", "git would add it\n");
		assert_ok(mlb_vcs_open(&w->vcs, w->root, &why, &err));
		assert_non_null(w->vcs);
	}
	assert_ok(mlb_config_load(&w->config, w->root, NULL, NULL, 0, &err));
	c.root = w->root;
	c.vcs = w->vcs;
	c.config = w->config;
	assert_ok(mlb_graph_compile(&w->graph, &c, &err));
	assert_ok(mlb_db_open(&w->db, "state.db", &err));
	assert_ok(mlb_cas_open(&w->cas, "cache/v1", w->db, &err));
	mlb_buf_release(&why);
}

static int
open_roots(struct world *w, const struct mlb_root_file *file, size_t n, struct mlb_err *err)
{
	struct mlb_root_stock_spec spec = { .project = w->root,
					    .state_dir = w->state,
					    .vcs = w->vcs,
					    .graph = w->graph,
					    .cas = w->cas,
					    .file = file,
					    .n_files = n };

	return mlb_root_stock_new(&w->roots, &spec, err);
}

static void
world_close(struct world *w)
{
	mlb_root_stock_free(w->roots);
	mlb_cas_close(w->cas);
	mlb_db_close(w->db);
	mlb_graph_free(w->graph);
	mlb_config_free(w->config);
	mlb_vcs_close(w->vcs);
	free(w->root);
	free(w->state);
}

static struct mlb_digest
stored(struct world *w, const char *text)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest d;

	assert_ok(mlb_cas_put(w->cas, &d, text, strlen(text), &err));
	return d;
}

static void
add_listing(struct mlb_buf *out, const char *dir, const char *prefix)
{
	struct mlb_dirents list = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_fs_list(&list, dir, &err));
	for (size_t i = 0; i < list.n; i++) {
		char *full = mlb_asprintf("%s/%s", dir, list.v[i].name);
		char *path = mlb_asprintf("%s%s", prefix, list.v[i].name);
		struct stat st;

		assert_int_equal(lstat(full, &st), 0);
		mlb_buf_addf(out, "%s%s ", path,
			     S_ISLNK(st.st_mode)   ? "@"
			     : S_ISDIR(st.st_mode) ? "/"
			     : st.st_mode & 0100   ? "*"
						   : "");
		if (S_ISDIR(st.st_mode)) {
			char *below = mlb_asprintf("%s/", path);
			add_listing(out, full, below);
			free(below);
		}
		free(path);
		free(full);
	}
	mlb_dirents_release(&list);
}

static void
assert_listing(const char *dir, const char *want)
{
	struct mlb_buf b = MLB_BUF_INIT(1 << 20);

	add_listing(&b, dir, "");
	assert_string_equal(mlb_buf_str(&b), want);
	mlb_buf_release(&b);
}

static void
assert_in(const struct mlb_root *r, const char *path, const char *text)
{
	char *full = mlb_asprintf("%s/%s", mlb_root_dir(r), path);

	assert_file(full, text);
	free(full);
}

static struct mlb_root *
take(struct world *w)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_root *r;

	assert_ok(mlb_root_take(&r, w->roots, &err));
	return r;
}

/* Run a command in a root. */
static void
in_root(const struct mlb_root *r, const char *command)
{
	char *line = mlb_asprintf("cd '%s' && %s", mlb_root_dir(r), command);

	sh(line);
	free(line);
}

static const char plain[] =
	"data/ data/raw.csv mlbuild.ini params.yaml photos/ photos/one.jpg src/ src/absolute@ src/inner@ src/outer@ "
	"src/pkg/ src/pkg/a.py src/run.sh* venv@ ";

static void
the_projects_files(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct world w;
	struct mlb_root *r;
	struct stat a, b;
	char *copy;

	world_open(&w, *state, false);
	assert_ok(open_roots(&w, NULL, 0, &err));
	r = take(&w);
	assert_listing(mlb_root_dir(r), plain);
	assert_in(r, "src/inner", "a\n");
	assert_in(r, "src/outer", "outside\n");
	assert_in(r, "venv/bin/python", "exposed\n");
	assert_int_equal(stat("p/src/pkg/a.py", &a), 0);
	copy = mlb_asprintf("%s/src/pkg/a.py", mlb_root_dir(r));
	assert_int_equal(stat(copy, &b), 0);
	assert_int_equal(a.st_mtime, b.st_mtime);
	assert_true(a.st_ino != b.st_ino);
	in_root(r, "echo changed > src/pkg/a.py; rm data/raw.csv");
	assert_file("p/src/pkg/a.py", "a\n");
	assert_file("p/data/raw.csv", "raw\n");
	mlb_root_give(w.roots, r);
	free(copy);
	world_close(&w);
	assert_int_equal(access("p/.mlbuild/roots", F_OK), -1);
	assert_file("p/venv/bin/python", "exposed\n"); /* the link goes, not what it names */
}

static void
the_projects_files_by_git(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct world w;
	struct mlb_root *r;

	if (system("git --version >/dev/null 2>&1") != 0)
		skip();
	setenv("GIT_AUTHOR_NAME", "n", 1);
	setenv("GIT_AUTHOR_EMAIL", "e", 1);
	setenv("GIT_COMMITTER_NAME", "n", 1);
	setenv("GIT_COMMITTER_EMAIL", "e", 1);
	world_open(&w, *state, true);
	assert_ok(open_roots(&w, NULL, 0, &err));
	r = take(&w);
	assert_listing(
		mlb_root_dir(r),
		".gitignore mlbuild.ini params.yaml photos/ photos/one.jpg src/ src/absolute@ "
		"src/inner@ src/new.py src/outer@ src/pkg/ src/pkg/a.py src/run.sh* venv@ ");
	mlb_root_give(w.roots, r);
	world_close(&w);
}

static void
files_with_another_text(void **state)
{
	static const struct mlb_root_file file[] = {
		{ "params.yaml", "seed: 2\n", 8 },
		{ "conf/extra.yaml", "x: 1\n", 5 },
	};
	static const struct mlb_root_file exposed = { "venv/params.yaml", "x", 1 };
	struct mlb_err err = MLB_ERR_INIT;
	struct world w;
	struct mlb_root *r;

	world_open(&w, *state, false);
	assert_err(open_roots(&w, &exposed, 1, &err), MLB_EINVALID, "venv/params.yaml");
	assert_ok(open_roots(&w, file, 2, &err));
	for (int i = 0; i < 2; i++) {
		r = take(&w);
		assert_in(r, "params.yaml", "seed: 2\n");
		assert_in(r, "conf/extra.yaml", "x: 1\n");
		assert_file("p/params.yaml", "seed: 1\n");
		in_root(r, "echo 9 > params.yaml; rm -r conf; echo 9 > conf");
		mlb_root_give(w.roots, r);
	}
	world_close(&w);
	assert_file("p/params.yaml", "seed: 1\n");
	assert_int_equal(access("p/conf", F_OK), -1);
}

/* Everything an action may do to a root; the next one sees none of it. */
static void
what_actions_leave_goes(void **state)
{
	static const char *const deed[] = {
		"true",
		"mkdir -p out/deep; echo x > out/deep/x; echo x > stray; ln -s / data/link",
		"rm -r src",
		"rm -r src; echo 'a file' > src",
		"rm src/pkg/a.py; mkdir -p src/pkg/a.py/dir",
		"printf 'b\\n' > src/pkg/a.py; touch -d 2001-02-03 src/pkg/a.py", /* same size, same mtime */
		"chmod -x src/run.sh; rm src/inner; ln -s /etc/passwd src/inner",
		"rm venv; mkdir venv; echo x > venv/x",
		"mkdir locked; echo x > locked/x; chmod 0 locked; mkfifo pipe",
		"mv src moved; mkdir -p .mlbuild/roots; rm -rf data",
		"rm -rf -- * .[a-z]*",
		"mkdir empty; mkdir src/pkg/__pycache__; touch src/pkg/__pycache__/a.pyc",
	};
	struct mlb_err err = MLB_ERR_INIT;
	struct world w;
	char *dir = NULL;

	world_open(&w, *state, false);
	assert_ok(open_roots(&w, NULL, 0, &err));
	for (size_t i = 0; i < MLB_ARRAY_LEN(deed); i++) {
		struct mlb_root *r = take(&w);

		assert_listing(mlb_root_dir(r), plain);
		assert_in(r, "src/pkg/a.py", "a\n");
		assert_in(r, "src/inner", "a\n");
		assert_in(r, "data/raw.csv", "raw\n");
		if (dir)
			assert_string_equal(mlb_root_dir(r),
					    dir); /* one is enough: it is used again */
		else
			dir = mlb_strdup(mlb_root_dir(r));
		in_root(r, deed[i]);
		mlb_root_give(w.roots, r);
	}
	free(dir);
	world_close(&w);
	assert_file("p/venv/bin/python", "exposed\n");
}

static void
inputs(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest file, tree, other;
	struct world w;
	struct mlb_root *r;
	struct stat st;
	uint64_t size;
	char *path;
	ino_t first;

	world_open(&w, *state, false);
	sh("mkdir -p in/sub; echo 1 > in/one; echo 2 > in/sub/two; echo t > tool; chmod +x tool");
	file = stored(&w, "an input\n");
	other = stored(&w, "another\n");
	assert_ok(mlb_tree_store(&tree, &size, "in", w.cas, &err));
	assert_ok(open_roots(&w, NULL, 0, &err));
	r = take(&w);
	path = mlb_asprintf("%s/data/made.csv", mlb_root_dir(r));
	assert_ok(mlb_root_input(r, "data/made.csv", MLB_O_FILE, &file, &err));
	assert_ok(mlb_root_input(r, "data/tree", MLB_O_TREE, &tree, &err));
	assert_ok(mlb_root_input(r, "bin/tool", MLB_O_EXEC, &other, &err));
	assert_ok(mlb_root_input(r, "m.json", MLB_O_METRICS, &other, &err));
	assert_ok(mlb_root_input(r, "src/pkg/a.py", MLB_O_FILE, &other,
				 &err)); /* over a file of the project */
	assert_ok(mlb_root_input(r, "venv/x", MLB_O_FILE, &other, &err)); /* exposed: left alone */
	assert_listing(
		mlb_root_dir(r),
		"bin/ bin/tool* data/ data/made.csv data/raw.csv data/tree/ data/tree/one data/tree/sub/ "
		"data/tree/sub/two m.json mlbuild.ini params.yaml photos/ photos/one.jpg src/ src/absolute@ "
		"src/inner@ src/outer@ src/pkg/ src/pkg/a.py src/run.sh* venv@ ");
	assert_in(r, "data/made.csv", "an input\n");
	assert_in(r, "data/tree/sub/two", "2\n");
	assert_in(r, "src/pkg/a.py", "another\n");
	assert_int_equal(stat(path, &st), 0);
	first = st.st_ino;
	mlb_root_give(w.roots, r);

	/* None of them is there for the next action; what it wants again is moved, not copied. */
	r = take(&w);
	assert_listing(mlb_root_dir(r), plain);
	assert_in(r, "src/pkg/a.py", "a\n");
	assert_ok(mlb_root_input(r, "data/made.csv", MLB_O_FILE, &file, &err));
	assert_ok(mlb_root_input(r, "elsewhere", MLB_O_TREE, &tree, &err));
	assert_in(r, "data/made.csv", "an input\n");
	assert_in(r, "elsewhere/sub/two", "2\n");
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_ino == first);

	/* What an action wrote into its inputs is no input of the next. */
	in_root(r,
		"chmod -R u+w . && printf 'AN INPUT\\n' > data/made.csv && echo 3 > elsewhere/sub/two && "
		"rm elsewhere/one && touch elsewhere/more");
	mlb_root_give(w.roots, r);
	r = take(&w);
	assert_listing(mlb_root_dir(r), plain);
	assert_ok(mlb_root_input(r, "data/made.csv", MLB_O_FILE, &file, &err));
	assert_ok(mlb_root_input(r, "elsewhere", MLB_O_TREE, &tree, &err));
	assert_in(r, "data/made.csv", "an input\n");
	assert_in(r, "elsewhere/sub/two", "2\n");
	assert_in(r, "elsewhere/one", "1\n");
	in_root(r, "test ! -e elsewhere/more");
	mlb_root_give(w.roots, r);
	free(path);
	world_close(&w);
	assert_int_equal(access("p/venv/x", F_OK), -1);
}

static void
an_input_over_a_directory_of_sources(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_digest tree, missing;
	struct world w;
	struct mlb_root *r;
	uint64_t size;

	world_open(&w, *state, false);
	assert_ok(open_roots(&w, NULL, 0, &err));
	assert_ok(mlb_tree_store(&tree, &size, "p/photos", w.cas, &err));
	for (int i = 0; i < 2; i++) {
		r = take(&w);
		assert_ok(mlb_root_input(r, "photos", MLB_O_TREE, &tree, &err));
		assert_ok(mlb_root_input(r, "src/pkg", MLB_O_TREE, &tree, &err));
		assert_in(r, "src/pkg/one.jpg", "1\n");
		assert_listing(
			mlb_root_dir(r),
			"data/ data/raw.csv mlbuild.ini params.yaml photos/ photos/one.jpg src/ "
			"src/absolute@ src/inner@ src/outer@ src/pkg/ src/pkg/one.jpg src/run.sh* venv@ ");
		mlb_root_give(w.roots, r);
	}
	r = take(&w);
	assert_listing(mlb_root_dir(r), plain);
	memset(&missing, 7, sizeof(missing));
	assert_true(mlb_root_input(r, "data/made.csv", MLB_O_FILE, &missing, &err) < 0);
	mlb_err_release(&err);
	mlb_root_give(w.roots, r);
	world_close(&w);
}

static void
many_at_once(void **state)
{
	enum { N = 4 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_root *r[N];
	struct world w;

	world_open(&w, *state, false);
	sh("mkdir -p p/.mlbuild/roots/0/stale && touch p/.mlbuild/roots/0/stale/x"); /* of a killed mlbuild */
	assert_ok(open_roots(&w, NULL, 0, &err));
	for (int i = 0; i < N; i++) {
		r[i] = take(&w);
		assert_listing(mlb_root_dir(r[i]), plain);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(mlb_root_dir(r[i]), mlb_root_dir(r[k]));
	}
	mlb_root_give(w.roots, r[2]);
	r[2] = take(&w);
	for (int i = 0; i < N; i++)
		mlb_root_give(w.roots, r[i]);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(the_projects_files),
		scratch_test(the_projects_files_by_git),
		scratch_test(files_with_another_text),
		scratch_test(what_actions_leave_goes),
		scratch_test(inputs),
		scratch_test(an_input_over_a_directory_of_sources),
		scratch_test(many_at_once),
	};

	return cmocka_run_group_tests_name("root", tests, NULL, NULL);
}
