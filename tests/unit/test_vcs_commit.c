/* Commits, their files, and commits that the caller composes; beside git itself. */
#include "git_unit.h"

#include "os/fs.h"

static void
make_pin(struct mlb_vcs *v, const struct mlb_pin_spec *spec, char out[MLB_OID_HEX + 1])
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_vcs_pin(v, spec, out, &err));
}

/* ------------------------------------------------------------ composed commits */

static void
test_given_files(void **state)
{
	static const struct mlb_pin_file same[] = { { "a", "one\n", 4 } };
	static const struct mlb_pin_file file[] = { { "a", "two\n", 4 },
						    { "new/deep", "x", 1 },
						    { "gone", NULL, 0 },
						    { "mlbuild.lock", "lock\n", 5 } };
	static const char *const path[] = { "a", "gone", "mlbuild.lock" };
	char id[MLB_OID_HEX + 1], again[MLB_OID_HEX + 1];
	struct mlb_pin_spec spec = { .path = path, .n = 3, .file = file, .n_file = 4 };
	struct mlb_vcs *v;

	make_repo(state);
	sh("echo one > a; chmod +x a; echo g > gone; echo mlbuild.lock > .gitignore; git add -A; git commit -qm one");
	sh("echo disk > a; echo other > mlbuild.lock");
	v = open_here();
	make_pin(v, &(struct mlb_pin_spec){ .path = path, .n = 2, .file = same, .n_file = 1 }, id);
	assert_is_head(id); /* the disk does not matter */
	spec.also = "mlbuild.lock";
	make_pin(v, &spec, id);
	assert_says("two\n", run("git show %s:a", id));
	assert_says("lock\n", run("git show %s:mlbuild.lock", id)); /* ignored, and given */
	assert_says(".gitignore\na\nmlbuild.lock\nnew/deep\n",
		    run("git ls-tree -r --name-only %s", id));
	assert_says("100755\n", run("git ls-tree %s a | cut -c1-6", id));
	make_pin(v, &spec, again);
	assert_string_equal(id, again);
	assert_says("disk\n", run("cat a"));
	assert_says("", run("git fsck --strict 2>&1 | grep -v notice: | cat"));
	mlb_vcs_close(v);
}

/* An experiment: a commit of its own in any case, with its own subject and place. */
static void
test_experiment(void **state)
{
	static const struct mlb_pin_file file[] = { { "a", "one\r\n", 5 } };
	char id[MLB_OID_HEX + 1], again[MLB_OID_HEX + 1];
	struct mlb_pin_spec spec = { .file = file,
				     .n_file = 1,
				     .subject = "sweep: model",
				     .trailers = "Mlbuild-Param: C=1\nMlbuild-Param: seed=2",
				     .refs = MLB_EXPERIMENTS,
				     .always = true };
	struct mlb_strvec refs = MLB_VEC_INIT;
	struct mlb_buf text = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs_commit c;
	struct mlb_vcs *v;

	make_repo(state);
	sh("echo '* text=auto' > .gitattributes; echo one > a; git add -A; git commit -qm one");
	v = open_here();
	make_pin(v, &spec, id);
	make_pin(v, &spec, again);
	assert_string_equal(id, again);
	assert_says("", run("git diff HEAD %s", id)); /* the line end is git's business */
	assert_ok(mlb_vcs_refs(v, MLB_EXPERIMENTS, &refs, &err));
	assert_int_equal(refs.n, 1);
	assert_string_equal(refs.v[0] + strlen(MLB_EXPERIMENTS), id);
	assert_ok(mlb_vcs_commit_info(v, refs.v[0], &c, &err));
	assert_string_equal(c.id, id);
	assert_is_head(c.parent);
	assert_int_equal(c.n_parents, 1);
	assert_int_equal(c.time, 1700000000);
	assert_int_equal(c.offset, 60);
	assert_string_equal(c.subject, "sweep: model");
	assert_string_equal(c.author, "Ada");
	assert_string_equal(c.email, "ada@example.org");
	mlb_vcs_commit_release(&c);
	assert_ok(mlb_vcs_message(v, id, &text, &err));
	assert_string_equal(mlb_buf_str(&text),
			    "sweep: model\n\nMlbuild-Param: C=1\nMlbuild-Param: seed=2\n");
	assert_says(
		"C=1,seed=2\n",
		run("git log -1 --format='%%(trailers:key=Mlbuild-Param,valueonly,separator=%%x2C)' %s",
		    id));
	mlb_buf_release(&text);
	mlb_strvec_release(&refs);
	mlb_vcs_close(v);
}

/* ------------------------------------------------------------ many */

static void
pin_text(struct mlb_vcs *v, unsigned i, char out[MLB_OID_HEX + 1])
{
	char text[16];
	const struct mlb_pin_file file = { "a", text,
					   (size_t)snprintf(text, sizeof(text), "%u\n", i) };

	make_pin(v, &(struct mlb_pin_spec){ .file = &file, .n_file = 1 }, out);
}

static void
assert_refs(unsigned loose, unsigned all)
{
	char *found = run(
		"find .git/refs/mlbuild/pins -type f | wc -l; git for-each-ref refs/mlbuild/pins | wc -l");
	char *want = mlb_asprintf("%u\n%u\n", loose, all);

	assert_string_equal(found, want);
	free(found);
	free(want);
}

/* They are put into packed-refs, and what git has in there stays as it is. */
static void
test_many(void **state)
{
	char id[300][MLB_OID_HEX + 1], name[96], *before, *after;
	struct mlb_strvec drop = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	make_repo(state);
	sh("echo x > a; git add -A; git commit -qm one; git tag -a -m t v1; git branch old; git tag z; git pack-refs --all");
	sh("git commit -q --allow-empty -m two; chmod 640 .git/packed-refs");
	before = run("git for-each-ref");
	v = open_here();
	for (unsigned i = 0; i < 127; i++)
		pin_text(v, i, id[i]);
	assert_refs(127, 127);
	put_file(".git/packed-refs.lock", ""); /* git is at it: the next time will do */
	pin_text(v, 127, id[127]);
	assert_refs(128, 128);
	sh("rm .git/packed-refs.lock");
	pin_text(v, 128, id[128]);
	assert_refs(0, 129);
	for (unsigned i = 0; i < 300; i++)
		pin_text(v, i, id[i]); /* 129 are there, packed, and are not written again */
	assert_refs(300 - 129 - 128, 300);
	assert_says("", run("git fsck --strict 2>&1 | grep -v notice: | cat"));
	assert_says("# pack-refs with: peeled fully-peeled sorted \n640\n",
		    run("head -n 1 .git/packed-refs; stat -c %%a .git/packed-refs"));
	for (unsigned i = 0; i < 300; i += 2) {
		snprintf(name, sizeof(name), "%s%s", MLB_PINS, id[i]);
		mlb_strvec_push(&drop, name);
	}
	mlb_strvec_push(&drop, MLB_PINS "0000000000000000000000000000000000000000");
	sh("touch .git/packed-refs.lock");
	assert_err(mlb_vcs_drop_refs(v, &drop, &err), MLB_EEXISTS, "packed-refs.lock' exists");
	mlb_err_release(&err);
	sh("rm .git/packed-refs.lock");
	assert_ok(mlb_vcs_drop_refs(v, &drop, &err));
	assert_says("150\n", run("git for-each-ref refs/mlbuild/pins | wc -l"));
	assert_says("1\n", run("git for-each-ref | grep -c pins/%s", id[1]));
	after = run("git for-each-ref | grep -v mlbuild");
	assert_string_equal(before, after);
	sh("git gc -q --prune=now; git cat-file -e %s; git pack-refs --all; git fsck --strict 2> /dev/null",
	   id[1]);
	pin_text(v, 1000, id[0]);
	assert_refs(1, 151);
	free(before);
	free(after);
	mlb_strvec_release(&drop);
	mlb_vcs_close(v);
}

/* A packed-refs that nobody says is sorted: there every pin keeps a file of its own. */
static void
test_unsorted(void **state)
{
	char id[140][MLB_OID_HEX + 1], name[96];
	struct mlb_strvec drop = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	make_repo(state);
	sh("echo x > a; git add -A; git commit -qm one; git tag b; git tag a; git pack-refs --all");
	sh("sed -i '1d; 2{h;d}; 3G' .git/packed-refs; git for-each-ref > /dev/null");
	v = open_here();
	for (unsigned i = 0; i < 140; i++)
		pin_text(v, i, id[i]);
	assert_refs(140, 140);
	sh("git pack-refs --all");
	sh("sed -i 1d .git/packed-refs");
	snprintf(name, sizeof(name), "%s%s", MLB_PINS, id[7]);
	mlb_strvec_push(&drop, name);
	assert_ok(mlb_vcs_drop_refs(v, &drop, &err));
	assert_refs(0, 139);
	mlb_strvec_release(&drop);
	mlb_vcs_close(v);
}

/* ------------------------------------------------------------ revisions */

static void
test_resolve(void **state)
{
	char id[MLB_OID_HEX + 1];
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;

	make_repo(state);
	sh("echo 1 > a; git add -A; git commit -qm one; git tag -a -m t v1; echo 2 > a; git commit -qam two");
	v = open_here();
	assert_ok(mlb_vcs_resolve(v, "HEAD", id, &err));
	assert_is_head(id);
	assert_ok(mlb_vcs_resolve(v, "main", id, &err));
	assert_is_head(id);
	assert_ok(mlb_vcs_resolve(v, "v1", id, &err));
	assert_says(id, run("git rev-parse HEAD~1 | tr -d '\\n'"));
	assert_ok(mlb_vcs_resolve(v, "main^", id, &err));
	assert_says(id, run("git rev-parse v1^{commit} | tr -d '\\n'"));
	assert_err(mlb_vcs_resolve(v, "nowhere", id, &err), MLB_ENOTFOUND,
		   "'nowhere' is no revision");
	mlb_err_release(&err);
	assert_err(mlb_vcs_resolve(v, "HEAD:a", id, &err), MLB_EINVALID, "'HEAD:a' is no commit");
	mlb_err_release(&err);
	mlb_vcs_close(v);
}

/* ------------------------------------------------------------ files */

static int
list_entry(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	static const char kind[] = { 'f', 'x', 'l', 's' };

	(void)err;
	mlb_buf_addf(ctx, "%c %s\n", kind[e->kind], e->path);
	return 0;
}

static int
stop_at_once(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	++*(int *)ctx;
	return mlb_err_set(err, MLB_EINTERRUPTED, "stopped at '%s'", e->path);
}

static void
assert_lists(struct mlb_vcs *v, const char *rev, const char *dir, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_vcs_tree_each(v, rev, dir, list_entry, &got, &err));
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

static void
test_tree(void **state)
{
	struct mlb_buf got = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v;
	int calls = 0;

	make_repo(state);
	sh("git init -q ../lib && cd ../lib && echo l > l && git add -A && git commit -qm lib");
	sh("echo above > above; git add -A; git commit -qm zero; mkdir -p p/d/e");
	sh("echo f > p/f; echo x > p/d/x; chmod +x p/d/x; ln -s f p/d/e/l; git submodule -q add ../lib p/sub 2>&1");
	sh("git add -A; git commit -qm one");
	assert_int_equal(chdir("p"), 0);
	v = open_here();
	assert_lists(v, "HEAD", ".", "l d/e/l\nx d/x\nf f\ns sub\n");
	assert_lists(v, "HEAD", "d", "l d/e/l\nx d/x\n");
	assert_lists(v, "HEAD~1", ".", ""); /* from before the project */
	assert_err(mlb_vcs_tree_each(v, "HEAD", "f", list_entry, &got, &err), MLB_ENOTFOUND,
		   "no directory 'f'");
	mlb_err_release(&err);
	assert_err(mlb_vcs_tree_each(v, "HEAD", ".", stop_at_once, &calls, &err), MLB_EINTERRUPTED,
		   "stopped at 'd/e/l'");
	assert_int_equal(calls, 1);
	mlb_err_release(&err);
	mlb_buf_release(&got);
	mlb_vcs_close(v);
}

/* Where to, and what was found on the way. */
struct writing {
	struct mlb_vcs *v;
	const char *rev;
	struct mlb_buf told;
};

static int
write_entry(void *ctx, const struct mlb_vcs_entry *e, struct mlb_err *err)
{
	struct writing *w = ctx;
	struct mlb_vcs_written is;
	struct mlb_buf to = MLB_BUF_INIT(4096);
	uint64_t size = 0;
	int rc;

	mlb_buf_addf(&to, "../out/%s", e->path);
	rc = mlb_vcs_blob_write(w->v, w->rev, e, mlb_buf_str(&to), &is, err);
	if (rc == 0 && is.is_lfs)
		mlb_buf_addf(&w->told, "%s lfs %.8s %d\n", e->path, is.lfs_digest,
			     (int)is.lfs_size);
	if (rc == 0 && is.is_unfiltered)
		mlb_buf_addf(&w->told, "%s unfiltered\n", e->path);
	if (rc == 0)
		rc = mlb_vcs_blob_size(w->v, e->id, &size, err);
	assert_true(rc != 0 || size > 0);
	mlb_buf_release(&to);
	return rc;
}

/* The attributes are those of the commit, not those of today. */
static void
test_write(void **state)
{
	struct writing w = { .rev = "HEAD~1", .told = MLB_BUF_INIT(4096) };
	struct mlb_err err = MLB_ERR_INIT;

	make_repo(state);
	sh("git config filter.rot.smudge 'tr a-z b-za'; git config filter.rot.clean 'tr b-za a-z'");
	sh("printf 'crlf text eol=crlf\n*.bin filter=lfs -text\nrot filter=rot\nnone filter=none\n' > .gitattributes");
	sh("printf 'a\nb\n' > crlf; printf 'a\nb\n' > plain; echo r > rot; echo n > none; cp plain run; chmod +x run; ln -s run link");
	sh("printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%%064d\nsize 12345\n' 7 > a.bin; cp a.bin pointer; echo real > b.bin");
	sh("git add -A; git commit -qm one; printf 'plain text eol=crlf\n' > .gitattributes; git commit -qam two; mkdir ../out");
	w.v = open_here();
	assert_ok(mlb_vcs_tree_each(w.v, w.rev, ".", write_entry, &w, &err));
	assert_string_equal(mlb_buf_str(&w.told), "a.bin lfs 00000000 12345\nrot unfiltered\n");
	assert_says("a\r\nb\r\n", run("cat ../out/crlf"));
	assert_says("a\nb\n", run("cat ../out/plain"));
	assert_says("real\n", run("cat ../out/b.bin"));
	assert_says("run\n", run("readlink ../out/link"));
	sh("cmp -s pointer ../out/pointer; test -x ../out/run; test ! -x ../out/plain; test ! -e ../out/a.bin");
	mlb_vcs_close(w.v);
	mlb_buf_release(&w.told);
}

/* ------------------------------------------------------------ names */

static char *
names(struct mlb_vcs *v, const char *prefix)
{
	struct mlb_buf text = MLB_BUF_INIT(MLB_MIB);
	struct mlb_strvec found = MLB_VEC_INIT;
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(prefix ? mlb_vcs_refs(v, prefix, &found, &err)
			 : mlb_vcs_refs_but_pins(v, &found, &err));
	for (size_t i = 0; i < found.n; i++)
		mlb_buf_addf(&text, "%s\n", found.v[i]);
	mlb_strvec_release(&found);
	return mlb_buf_detach(&text);
}

static void
assert_names(struct mlb_vcs *v, const char *prefix, const char *command)
{
	char *found = names(v, prefix), *want = run("%s", command);

	assert_string_equal(found, want);
	free(found);
	free(want);
}

/* The same as git's, packed or not, of each work tree. */
static void
test_names(void **state)
{
	static const char *const all = "git for-each-ref --format='%(refname)'";
	static const char *const other =
		"git for-each-ref --format='%(refname)' | grep -v refs/mlbuild/pins/";
	struct mlb_vcs *v;

	make_repo(state);
	sh("git commit -q --allow-empty -m one; git tag -a -m t v1; git branch x/y/z; git branch xx; git branch old");
	sh("git update-ref refs/mlbuild/pins/a HEAD; git pack-refs --all; git branch new; git update-ref refs/mlbuild/pins/b HEAD");
	sh("git branch -f xx; git update-ref refs/remotes/o/main HEAD; git symbolic-ref refs/remotes/o/HEAD refs/remotes/o/main");
	sh("touch .git/refs/heads/new.lock; git worktree add -q ../tree; cd ../tree; git update-ref refs/worktree/own HEAD");
	v = open_here();
	assert_names(v, "refs/", all);
	assert_names(v, NULL, other);
	assert_names(v, "refs/heads/x",
		     "git for-each-ref --format='%(refname)' | grep ^refs/heads/x");
	assert_names(v, "refs/heads/x/", "echo refs/heads/x/y/z");
	assert_names(v, "refs/nothing/", "true");
	assert_names(v, MLB_PINS, "printf 'refs/mlbuild/pins/%s\n' a b");
	mlb_vcs_close(v);
	assert_int_equal(chdir("../tree"), 0);
	v = open_here();
	assert_names(v, "refs/", all);
	mlb_vcs_close(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_given_files), scratch_test(test_experiment),
		scratch_test(test_many),        scratch_test(test_unsorted),
		scratch_test(test_names),       scratch_test(test_resolve),
		scratch_test(test_tree),        scratch_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
