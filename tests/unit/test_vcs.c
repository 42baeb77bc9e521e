/* Git by libgit2, beside git itself. */
#include "git_unit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <git2/version.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "os/fs.h"

/* ------------------------------------------------------------ opening */

static void
test_no_repository(void **state)
{
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	setenv("GIT_CEILING_DIRECTORIES", *state, 1);
	mkdir("plain", 0777);
	assert_ok(mlb_vcs_open(&v, "plain", &why, &err));
	unsetenv("GIT_CEILING_DIRECTORIES");
	assert_null(v);
	assert_non_null(strstr(mlb_buf_str(&why), "in no git repository"));
	mlb_vcs_close(v);
	mlb_buf_release(&why);
}

/* Where nothing looks like a repository libgit2 is not even loaded. The first test: it stays loaded. */
static void
test_nothing_loaded_for_nothing(void **state)
{
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	(void)state;
	mkdir("alone", 0777);
	assert_ok(mlb_vcs_open(&v, "alone", &why, &err));
	assert_null(v);
	assert_non_null(strstr(mlb_buf_str(&why), "in no git repository"));
	assert_null(dlopen("libgit2.so." LIBGIT2_SOVERSION, RTLD_LAZY | RTLD_NOLOAD));
	mlb_buf_release(&why);
}

/* A bare repository above may have its work tree here: only libgit2 can tell. */
static void
test_bare_repository_above(void **state)
{
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	(void)state;
	sh("git init -q --bare bare && mkdir bare/project");
	assert_ok(mlb_vcs_open(&v, "bare/project", &why, &err));
	assert_null(v);
	assert_non_null(strstr(mlb_buf_str(&why), "work tree"));
	mlb_buf_release(&why);
}

static void
assert_unusable(const char *dir, const char *words)
{
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	assert_ok(mlb_vcs_open(&v, dir, &why, &err));
	assert_null(v);
	if (!strstr(mlb_buf_str(&why), words))
		print_error("%s\n", mlb_buf_str(&why));
	assert_non_null(strstr(mlb_buf_str(&why), words));
	mlb_buf_release(&why);
}

static void
test_unusable(void **state)
{
	make_repo(state);
	sh("git init -q --bare ../bare.git; git init -q --object-format=sha256 ../sha256 2>&1");
	assert_unusable("../bare.git", "not in the work tree");
	assert_unusable("../sha256", "names its objects by SHA-256");
}

static void
test_other_owner(void **state)
{
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	make_repo(state);
	if (geteuid() != 0 || chown(".", 4711, 4711) != 0 || chown(".git", 4711, 4711) != 0)
		skip();
	unsetenv("SUDO_UID");
	assert_err(mlb_vcs_open(&v, ".", &why, &err), MLB_EINVALID, "safe.directory");
	assert_null(v);
	sh("git config --global --add safe.directory \"$PWD\"");
	v = open_here();
	mlb_vcs_close(v);
	mlb_buf_release(&why);
}

static void
test_no_commit(void **state)
{
	static const char *const path[] = { "a", "absent" };
	char head[MLB_OID_HEX + 1], id[MLB_OID_HEX + 1], again[MLB_OID_HEX + 1];
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	make_repo(state);
	put_file("a", "one\n");
	v = open_here();
	assert_ok(mlb_vcs_head(v, head, &err));
	assert_string_equal(head, "");
	pin(v, path, 2, id);
	pin(v, path, 2, again);
	assert_string_equal(id, again);
	assert_says("one\n", run("git show %s:a", id));
	assert_says("0\n", run("git rev-list --count --max-count=9 --skip=1 %s", id));
	pin(v, path + 1, 1, id);
	assert_says("", run("git ls-tree -r %s", id));
	sh("git fsck --strict 2>&1 | grep -v 'notice:' | grep . && exit 1; exit 0");
	mlb_vcs_close(v);
}

/* ------------------------------------------------------------ what git knows of paths */

static void
test_paths(void **state)
{
	struct mlb_vcs *v;
	struct mlb_buf got = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	char *head, id[MLB_OID_HEX + 1], *here;

	make_repo(state);
	mkdir("sub", 0777);
	mkdir("sub/p", 0777);
	mkdir("sub/p/out", 0777);
	put_file(".gitignore", "*.log\nout/\n!keep.log\n");
	put_file("sub/p/a.txt", "a");
	put_file("sub/p/b.log", "b");
	put_file("sub/p/forced.log", "f");
	put_file("sub/p/keep.log", "k");
	put_file("sub/p/out/x", "x");
	sh("git add -A && git add -f sub/p/forced.log && git commit -qm one");
	put_file("sub/p/new", "n");
	assert_int_equal(chdir("sub/p"), 0);
	v = open_here();
	here = run("cd ../.. && pwd -P | tr -d '\\n'");
	assert_string_equal(mlb_vcs_workdir(v), here);
	free(here);
	assert_true(mlb_vcs_tracked(v, "a.txt") && mlb_vcs_tracked(v, "forced.log") &&
		    mlb_vcs_tracked(v, "."));
	assert_false(mlb_vcs_tracked(v, "new") || mlb_vcs_tracked(v, "b.log") ||
		     mlb_vcs_tracked(v, "out"));
	assert_true(mlb_vcs_keeps(v, "a.txt") && mlb_vcs_has_below(v, "."));
	assert_false(mlb_vcs_keeps(v, ".") || mlb_vcs_keeps(v, "new") ||
		     mlb_vcs_has_below(v, "a.txt"));
	assert_true(mlb_vcs_ignored(v, "b.log") && mlb_vcs_ignored(v, "out") &&
		    mlb_vcs_ignored(v, "out/x"));
	assert_true(mlb_vcs_ignored(v, "out/absent") && mlb_vcs_ignored(v, "absent.log"));
	assert_false(mlb_vcs_ignored(v, "forced.log") || mlb_vcs_ignored(v, "new") ||
		     mlb_vcs_ignored(v, "keep.log"));
	assert_ok(mlb_vcs_head(v, id, &err));
	head = run("git rev-parse HEAD | tr -d '\\n'");
	assert_string_equal(id, head);
	free(head);
	assert_ok(mlb_vcs_read(v, "HEAD", "a.txt", &got, &err));
	assert_string_equal(mlb_buf_str(&got), "a");
	assert_err(mlb_vcs_read(v, "HEAD", "new", &got, &err), MLB_ENOTFOUND,
		   "no file 'new' in 'HEAD'");
	assert_err(mlb_vcs_read(v, "HEAD", ".", &got, &err), MLB_ENOTFOUND, "no file");
	assert_err(mlb_vcs_read(v, "nowhere", "a.txt", &got, &err), MLB_ENOTFOUND,
		   "'nowhere' is no revision");
	mlb_buf_release(&got);
	mlb_vcs_close(v);
}

/* git's own list: files of the index or addable, less what is no file on disk, or dir itself. */
static char *
git_files(const char *dir)
{
	return run(
		"git ls-files -z -co --exclude-standard -- '%s' | sort -zu | xargs -0 -r sh -c '"
		"for f; do if [ -L \"$f\" ] || [ -f \"$f\" ]; then echo \"$f\"; fi; done' sh | { grep -vxF '%s' || true; }",
		dir, dir);
}

static void
assert_files(struct mlb_vcs *v, const char *dir)
{
	struct mlb_strvec found = MLB_VEC_INIT;
	struct mlb_buf got = MLB_BUF_INIT(1 << 20);
	struct mlb_err err = MLB_ERR_INIT;
	char *want = git_files(dir);

	assert_ok(mlb_vcs_files(v, dir, &found, &err));
	for (size_t i = 0; i < found.n; i++)
		mlb_buf_addf(&got, "%s\n", found.v[i]);
	if (strcmp(mlb_buf_str(&got), want) != 0) {
		put_file("../got", mlb_buf_str(&got));
		put_file("../want", want);
		fail_msg(
			"git lists (>) in '%s': %s", dir,
			run("diff ../got ../want; head -50 .gitignore */.gitignore; git ls-files -s | cut -f2; true"));
	}
	mlb_strvec_release(&found);
	mlb_buf_release(&got);
	free(want);
}

static void
test_files(void **state)
{
	static const char *const dirs[] = { ".",   "a",      "ign", "nested",
					    "sub", "absent", "a/b", "data" };
	struct mlb_vcs *v;

	make_repo(state);
	setenv("LC_ALL", "C", 1);
	sh("git init -q ../lib && cd ../lib && echo l > l.py && git add -A && git commit -qm lib");
	sh("mkdir -p a/b ign/deep data nested link.d && git submodule -q add ../lib sub 2>&1");
	put_file(".gitignore", "/ign/\n*.tmp\n/data/*\n!/data/.keep\n");
	put_file("a/.gitignore", "x*\n!xy\n");
	sh("touch a/x1 a/xy a/b/x2 a/b/c a/t.tmp ign/forced ign/deep/f 'a/sp ace' data/1 data/.keep link.d/f gone was");
	sh("ln -s link.d link; ln -s nowhere dangling; touch a-b a.c; git init -q nested; touch nested/n");
	sh("git add -A ':!nested' && git add -f ign/forced && git commit -qm one; rm gone was; mkdir was; touch was/f new");
	sh("printf 'secret*\\n' >> .git/info/exclude; touch secret1 a/secret2");
	sh("printf '*.user\\n' > ../ignore; git config core.excludesFile \"$PWD/../ignore\"; touch a/b/my.user");
	v = open_here();
	for (size_t i = 0; i < MLB_ARRAY_LEN(dirs); i++)
		assert_files(v, dirs[i]);
	sh("git rm -q --cached a/xy; touch later");
	assert_files(v, "."); /* the index is read anew */
	mlb_vcs_close(v);
	assert_int_equal(chdir("a"), 0);
	v = open_here();
	assert_files(v, ".");
	assert_files(v, "b");
	mlb_vcs_close(v);
}

static unsigned
dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

static void
random_path(char out[64], uint64_t *seed)
{
	static const char *const word[] = { "a", "b", "ab", "a.x", "b.x", "d", "tmp" };
	size_t at = 0;

	for (unsigned i = 0, depth = dice(seed, 4); i <= depth; i++)
		at += (size_t)snprintf(out + at, 64 - at, "%s%s", i ? "/" : "",
				       word[dice(seed, 7)]);
}

static void
random_rules(const char *path, uint64_t *seed)
{
	static const char *const rule[] = {
		"a",      "/a",          "a/",    "*.x",    "!b.x",   "d/*",    "!d/a",    "**/tmp",
		"ab/**",  "/d/**/b",     "a?",    "[ab].x", "# no",   "!a",     "d/b/",    "b/a",
		"!ab/",   "\\a",         "a**/b", "**",     "!**/a/", "*",      "!*/",     "[!a]",
		"[a-c]/", "d**",         "/*",    "!/d",    "*a*",    "a/**/b", "**/d/**", "tmp  ",
		"tmp\\ ", "[[:alpha:]]", "!*.x",  "[]a]",   "b\r",    "/",      "!",       "a//b",
		"d/**/",  "[a",          "*[.]x", "**.x",   "a/*/b",  "?/?",
	};
	FILE *f = fopen(path, "w");

	if (!f) /* no such directory this time */
		return;
	for (unsigned k = dice(seed, 4); k > 0; k--)
		fprintf(f, "%s\n", rule[dice(seed, MLB_ARRAY_LEN(rule))]);
	fclose(f);
}

/* Random rules, files and commits: what is ignored and listed is what git says. */
static void
test_random_ignores(void **state)
{
	uint64_t seed = 7;

	setenv("LC_ALL", "C", 1);
	for (int round = 0; round < 15; round++) {
		struct mlb_vcs *v;

		make_repo(state);
		for (int i = 0; i < 40; i++) {
			char path[64];
			struct mlb_err err = MLB_ERR_INIT;

			random_path(path, &seed);
			if (mlb_fs_mkparents(path, &err) == 0)
				mlb_fs_write(path, "x", 1, false, &err);
			mlb_err_release(&err);
			if (i == 20)
				sh("git add -A 2>/dev/null; git commit -qm one");
		}
		random_rules(".gitignore", &seed);
		random_rules("a/.gitignore", &seed);
		random_rules("d/.gitignore", &seed);
		v = open_here();
		assert_files(v, ".");
		assert_files(v, "d");
		for (int i = 0; i < 60; i++) {
			char path[64], *said;

			random_path(path, &seed);
			said = run("git check-ignore -q '%s'; echo $?", path);
			if (said[0] != '0' &&
			    said[0] != '1') /* beyond a file that is no directory */
				print_message("%s: %s", path, said);
			else if (mlb_vcs_ignored(v, path) != (said[0] == '0'))
				fail_msg(
					"round %d: '%s': git says %s%s", round, path, said,
					run("head -50 .gitignore */.gitignore; git check-ignore -v %s || true",
					    path));
			free(said);
		}
		mlb_vcs_close(v);
		assert_int_equal(chdir(*state), 0);
		sh("rm -rf r");
	}
}

/* ------------------------------------------------------------ pins */

/* All that a pin must leave alone. */
static char *
traces(void)
{
	return run(
		"cat .git/HEAD; sha256sum < \"$(git rev-parse --git-path index)\"; git status --porcelain=v2; "
		"git for-each-ref | grep -v refs/mlbuild/pins/; find .git/logs -type f | sort | xargs cat; git stash list");
}

static void
test_pin_head(void **state)
{
	static const char *const path[] = { ".gitignore", "a", "dir", "ignored", "link", "run" };
	char id[MLB_OID_HEX + 1], *before, *after;
	struct mlb_vcs *v;

	make_repo(state);
	sh("mkdir dir; echo 1 > dir/x; echo a > a; echo r > run; chmod +x run; ln -s a link; echo ignored > .gitignore");
	sh("echo i > ignored; git add -A; git commit -qm one");
	v = open_here();
	before = traces();
	pin(v, path, 6, id);
	assert_is_head(id);
	sh("touch a run dir/x"); /* other stat, same content */
	pin(v, path, 6, id);
	assert_is_head(id);
	after = traces();
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_says("", run("git for-each-ref refs/mlbuild"));
	mlb_vcs_close(v);
}

static void
test_pin_snapshot(void **state)
{
	static const char *const path[] = { "a",    "big",           "dir", "gone",  "ignored",
					    "link", "new/deep/file", "run", "unread" };
	char id[MLB_OID_HEX + 1], again[MLB_OID_HEX + 1], *before, *after;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	make_repo(state);
	sh("mkdir dir; echo 1 > dir/x; echo 2 > dir/y; echo a > a; echo r > run; ln -s a link; echo ignored > .gitignore");
	sh("echo g > gone; echo other > other; echo u > unread; git add -A; git commit -qm one");
	sh("echo changed > a; rm gone dir/y; echo z > dir/z; chmod +x run; ln -sfn run link; mkdir -p new/deep");
	sh("echo f > new/deep/file; echo i > ignored; head -c 2000000 /dev/zero > big; echo not asked > other");
	v = open_here();
	before = traces();
	pin(v, path, 9, id);
	after = traces();
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_says("changed\n", run("git show %s:a", id));
	assert_says("other\n", run("git show %s:other", id));
	assert_says(".gitignore\na\ndir/x\ndir/z\nlink\nnew/deep/file\nother\nrun\nunread\n",
		    run("git ls-tree -r --name-only %s", id));
	assert_says("100755\n", run("git ls-tree %s run | cut -c1-6", id));
	assert_says("run", run("git show %s:link", id));
	assert_says("Ada ada@example.org 1700000000 mlbuild snapshot\n\n",
		    run("git log -1 --format='%%an %%ae %%at %%B' %s", id));
	after = run("git rev-parse %s^ | tr -d '\\n'", id);
	assert_is_head(after);
	free(after);
	assert_says(
		id,
		run("git for-each-ref --format='%%(objectname)' refs/mlbuild/pins/%s | tr -d '\\n'",
		    id));
	pin(v, path, 9, again);
	assert_string_equal(id, again);
	assert_ok(mlb_vcs_pin(
		v, &(struct mlb_pin_spec){ .path = path, .n = 9, .trailers = "Param: C=1" }, again,
		&err));
	assert_string_not_equal(id, again);
	assert_says("mlbuild snapshot\n\nParam: C=1\n\n", run("git log -1 --format=%%B %s", again));
	assert_says("", run("git fsck --strict 2>&1 | grep -v notice: | cat"));
	sh("git gc -q --prune=now; git show %s:a > /dev/null", id); /* the reference holds it */
	mlb_vcs_close(v);
}

/* A file where there was a directory, a directory where there was a file. */
static void
test_pin_places_change(void **state)
{
	static const char *const path[] = { "d", "d/x", "d/y/z", "f", "f/g", "h/i" };
	char id[MLB_OID_HEX + 1];
	struct mlb_vcs *v;

	make_repo(state);
	sh("mkdir -p d/y; echo 1 > d/x; echo 2 > d/y/z; echo 3 > f; echo 4 > h; git add -A; git commit -qm one");
	sh("rm -r d f h; echo file > d; mkdir f h; echo inside > f/g; echo deep > h/i");
	v = open_here();
	pin(v, path, 6, id);
	assert_says("d\nf/g\nh/i\n", run("git ls-tree -r --name-only %s", id));
	assert_says("file\ninside\ndeep\n", run("git show %s:d %s:f/g %s:h/i", id, id, id));
	sh("git fsck --strict --no-dangling 2>&1 | grep -v notice: | grep . && exit 1; exit 0");
	sh("rm -r d f h; mkdir h; echo h > .gitignore"); /* nothing that git would add */
	pin(v, path, 6, id);
	assert_says("h\n", run("git ls-tree -r --name-only %s", id)); /* which nobody asked about */
	mlb_vcs_close(v);
}

static void
test_pin_filters(void **state)
{
	static const char *const path[] = { "crlf.txt" };
	char id[MLB_OID_HEX + 1];
	struct mlb_vcs *v;

	make_repo(state);
	sh("echo '*.txt text eol=crlf' > .gitattributes; printf 'a\\r\\nb\\r\\n' > crlf.txt; git add -A; git commit -qm one");
	assert_says("a\nb\n", run("git show HEAD:crlf.txt"));
	v = open_here();
	sh("touch crlf.txt");
	pin(v, path, 1, id);
	assert_is_head(id);
	sh("printf 'a\\r\\nc\\r\\n' > crlf.txt");
	pin(v, path, 1, id);
	assert_says("a\nc\n", run("git show %s:crlf.txt", id));
	mlb_vcs_close(v);
}

/* Changed right after the commit, same size, within the clock's tick. */
static void
test_pin_racy(void **state)
{
	static const char *const path[] = { "a" };
	char id[MLB_OID_HEX + 1];
	struct mlb_vcs *v;

	make_repo(state);
	for (int i = 0; i < 20; i++) {
		sh("echo %02d1 > a; git add a; git commit -qm one; echo %02d2 > a", i, i);
		v = open_here();
		pin(v, path, 1, id);
		assert_says("2\n", run("git show %s:a | cut -c3", id));
		mlb_vcs_close(v);
	}
}

/* Worktree, submodule, sub-directory, detached, merging, shallow. */
static void
test_pin_places(void **state)
{
	static const char *const path[] = { "a", "sub/l", "nested/n" };
	static const char *const one[] = { "a" };
	char id[MLB_OID_HEX + 1];
	struct mlb_vcs *v;

	make_repo(state);
	sh("git init -q ../lib && cd ../lib && echo l > l && git add -A && git commit -qm lib");
	sh("mkdir p; echo 1 > p/a; git submodule -q add ../lib p/sub 2>&1; git add -A; git commit -qm one");
	sh("git init -q p/nested; echo n > p/nested/n; echo 2 > p/a; echo changed > p/sub/l");
	assert_int_equal(chdir("p"), 0);
	v = open_here();
	pin(v, path, 3, id);
	assert_says(".gitmodules\np/a\np/sub\n",
		    run("git ls-tree -r --full-tree --name-only %s", id));
	assert_says("2\n", run("git show %s:p/a", id));
	mlb_vcs_close(v);

	assert_int_equal(chdir("sub"), 0); /* the submodule is a repository of its own */
	v = open_here();
	pin(v, (const char *const[]){ "l" }, 1, id);
	assert_says("changed\n", run("git show %s:l", id));
	mlb_vcs_close(v);
	assert_int_equal(chdir("../.."), 0);

	sh("git worktree add -q ../wt 2>&1; git config extensions.worktreeConfig true; cd ../wt; echo wt > p/a");
	assert_int_equal(chdir("../wt/p"), 0);
	v = open_here();
	pin(v, one, 1, id);
	assert_says("wt\n", run("git show %s:p/a", id));
	mlb_vcs_close(v);
	assert_int_equal(chdir("../../r"), 0);

	sh("git checkout -q --detach; git stash -q; git checkout -qb other; echo o > p/a; git commit -qam o; "
	   "git checkout -q main; echo m > p/a; git commit -qam m; git merge other > /dev/null 2>&1; true");
	assert_int_equal(chdir("p"), 0);
	v = open_here();
	pin(v, one, 1, id); /* in the middle of a merge: the file with its markers */
	assert_says("1\n", run("git show %s:p/a | grep -c '<<<<<<<'", id));
	assert_true(mlb_vcs_tracked(v, "a"));
	mlb_vcs_close(v);

	assert_int_equal(chdir("../.."), 0);
	sh("git clone -q --depth 1 file://$PWD/r shallow 2>&1; cd shallow; echo s > p/a");
	assert_int_equal(chdir("shallow/p"), 0);
	v = open_here();
	pin(v, one, 1, id);
	assert_says("s\n", run("git show %s:p/a", id));
	assert_says("", run("git fsck --strict 2>&1 | grep -v notice: | cat"));
	mlb_vcs_close(v);
}

/* As in a hook: GIT_DIR and GIT_INDEX_FILE are set, perhaps for another repository. */
static void
test_environment(void **state)
{
	static const char *const path[] = { "a" };
	char id[MLB_OID_HEX + 1];
	struct mlb_vcs *v;

	make_repo(state);
	sh("echo a > a; git add a; git commit -qm one; git init -q ../else; cp .git/index ../index; echo b > b; "
	   "GIT_INDEX_FILE=../index git add b");
	setenv("GIT_DIR", ".git", 1);
	setenv("GIT_INDEX_FILE", "../index", 1);
	v = open_here();
	assert_true(mlb_vcs_tracked(v, "b"));
	pin(v, path, 1, id);
	assert_is_head(id);
	mlb_vcs_close(v);
	unsetenv("GIT_INDEX_FILE");
	setenv("GIT_DIR", "../else/.git", 1);
	v = open_here();
	assert_true(mlb_vcs_tracked(v, "a"));
	assert_false(mlb_vcs_tracked(v, "b"));
	mlb_vcs_close(v);
	unsetenv("GIT_DIR");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_nothing_loaded_for_nothing),
		scratch_test(test_bare_repository_above),
		scratch_test(test_no_repository),
		scratch_test(test_unusable),
		scratch_test(test_other_owner),
		scratch_test(test_no_commit),
		scratch_test(test_paths),
		scratch_test(test_files),
		scratch_test(test_random_ignores),
		scratch_test(test_pin_head),
		scratch_test(test_pin_snapshot),
		scratch_test(test_pin_places_change),
		scratch_test(test_pin_filters),
		scratch_test(test_pin_racy),
		scratch_test(test_pin_places),
		scratch_test(test_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
