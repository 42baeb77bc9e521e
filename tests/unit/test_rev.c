/* What a word names as a point of history, and the way through it. */
#include "engine_fixture.h"

#include "base/hex.h"
#include "engine/origin.h"
#include "engine/rev.h"
#include "store/vcs_walk.h"

#define sh(text) free(run_shell(text))

/* All commits are of one second: what comes first is not a matter of time. */
static void
be_ada(void)
{
	setenv("GIT_AUTHOR_NAME", "Ada", 1);
	setenv("GIT_AUTHOR_EMAIL", "ada@example.org", 1);
	setenv("GIT_COMMITTER_NAME", "Ada", 1);
	setenv("GIT_COMMITTER_EMAIL", "ada@example.org", 1);
	setenv("GIT_AUTHOR_DATE", "1700000000 +0000", 1);
	setenv("GIT_COMMITTER_DATE", "1700000000 +0000", 1);
}

/* A repository with three versions of a model, and a directory of files. */
static void
make_history(void)
{
	be_ada();
	put_file(
		"mlbuild.ini",
		"[params]\nc = 1\n"
		"[dataset raw]\npath = raw.txt\n"
		"[feature d]\nrun = mkdir -p d/in; cp ${raw} d/in/one.txt; echo ${params:c} > d/two.txt\n"
		"out = d/\n"
		"[model m]\nrun = cat ${d}/in/one.txt > ${out}; echo ${params:c} >> ${out}\nout = m.txt\n");
	put_file("raw.txt", "raw bytes\n");
	sh("git init -q -b main . && git add mlbuild.ini raw.txt && git commit -qm one");
	build_ok("");
	sh("git add -A && git commit -qm two");
	sh("sed -i 's/^c = 1/c = 2/' mlbuild.ini && git commit -qam three");
	build_ok("");
	sh("git add -A && git commit -qm four");
}

static char *
line(const char *command)
{
	char *text = run_shell(command);

	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void
expect_rev(struct mlb_project *p, const char *word, enum mlb_rev_what what, const char *git)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *command = mlb_asprintf("git rev-parse '%s'", git);
	char *want = line(command);
	struct mlb_rev r;

	assert_ok(mlb_find_rev(&r, p, word, &err));
	assert_string_equal(r.commit, want);
	assert_int_equal(r.what, what);
	mlb_rev_release(&r);
	free(want);
	free(command);
}

static void
words(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;
	struct mlb_rev r;
	char *old, *now, *part, *run;

	(void)state;
	make_history();
	p = open_project();
	expect_rev(p, "HEAD~1", MLB_REV_GIT, "HEAD~1");
	expect_rev(p, "main", MLB_REV_GIT, "HEAD");
	now = line("sha256sum m.txt | sed 's/^/sha256:/; s/ .*//'");
	old = line(
		"git show HEAD~2:mlbuild.lock | sed -n 's/^output = f \\([0-9a-f]*\\) .* m.txt/\\1/p'");
	assert_int_equal(strlen(old), 64);
	expect_rev(p, now, MLB_REV_DIGEST, "HEAD");
	expect_rev(p, old, MLB_REV_DIGEST, "HEAD~1");
	part = mlb_strndup(old, 12);
	expect_rev(p, part, MLB_REV_DIGEST, "HEAD~1");
	assert_ok(mlb_find_rev(&r, p, part, &err));
	assert_string_equal(r.target, "m");
	assert_string_equal(r.path, "m.txt");
	mlb_rev_release(&r);
	assert_err((mlb_find_rev(&r, p, "nonesuch", &err)), MLB_ENOTFOUND, "nonesuch");
	mlb_rev_release(&r);
	assert_err((mlb_find_rev(&r, p, "sha256:00000000", &err)), MLB_ENOTFOUND, "00000000");
	mlb_rev_release(&r);
	run = mlb_strdup(last.report.run);
	assert_int_equal(strlen(run), 20);
	expect_rev(p, run, MLB_REV_RUN, "HEAD~1");
	mlb_project_close(p);

	/* The same from the cache's records alone. */
	sh("rm -f .mlbuild/state.db*");
	p = open_project();
	expect_rev(p, run, MLB_REV_RUN, "HEAD~1");
	mlb_project_close(p);
	sh("git update-ref refs/mlbuild/experiments/brave-ada HEAD~1");
	p = open_project();
	expect_rev(p, "brave-ada", MLB_REV_EXPERIMENT, "HEAD~1");
	mlb_project_close(p);
	free(run);
	free(part);
	free(old);
	free(now);
}

static void
expect_origin(struct mlb_project *p, const char *command, enum mlb_origin_as as, const char *target,
	      const char *path, const char *sub)
{
	struct mlb_err err = MLB_ERR_INIT;
	char *digest = line(command);
	struct mlb_origin o;

	digest[strcspn(digest, " ")] = '\0';
	assert_ok(mlb_origin_find(&o, p, digest, false, &err));
	assert_int_equal(o.as, as);
	assert_string_equal(o.target, target);
	assert_string_equal(o.path, path);
	assert_string_equal(o.sub, sub);
	mlb_origin_release(&o);
	free(digest);
}

static void
origins(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p;
	struct mlb_origin o;
	char *raw;

	(void)state;
	make_history();
	p = open_project();
	expect_origin(p, "sha256sum m.txt", MLB_ORIGIN_OUTPUT, "m", "m.txt", "");
	expect_origin(p, "printf '2\\n' | sha256sum", MLB_ORIGIN_MEMBER, "d", "d", "two.txt");
	expect_origin(p, "printf '1\\n' | sha256sum", MLB_ORIGIN_MEMBER, "d", "d", "two.txt");
	expect_origin(p, "printf 'raw bytes\\n' | sha256sum", MLB_ORIGIN_OUTPUT, "raw", "raw.txt",
		      "");
	expect_origin(p, "printf 'nobody\\n' | sha256sum", MLB_ORIGIN_NONE, "", "", "");
	raw = line("sha256sum raw.txt | cut -c1-64");
	assert_ok(mlb_origin_find(&o, p, raw, false, &err));
	assert_int_equal(o.n_holding, 3);
	assert_int_equal(o.added.n, 1);
	assert_string_equal(o.added.v[0].subject, "two");
	mlb_origin_release(&o);
	free(raw);
	mlb_project_close(p);
}

/* Subjects of the commits that changed a file, newest first. */
static int
add_subject(void *ctx, const struct mlb_vcs_step *s, struct mlb_err *err)
{
	(void)err;
	if (s->changed)
		mlb_buf_addf(ctx, "%s ", s->subject);
	return 0;
}

static struct mlb_vcs *
open_git(void)
{
	struct mlb_buf why = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	char *here = getcwd(NULL, 0);
	struct mlb_vcs *v;

	assert_ok(mlb_vcs_open(&v, here, &why, &err));
	assert_non_null(v);
	mlb_buf_release(&why);
	free(here);
	return v;
}

static void
expect_walk(const char *const *rev, size_t n, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(4096);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_vcs *v = open_git();

	assert_ok(mlb_vcs_walk(v, rev, n, "f", add_subject, &got, &err));
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
	mlb_vcs_close(v);
}

static void
expect_range(const char *from, const char *to)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_strvec got = MLB_VEC_INIT;
	struct mlb_buf text = MLB_BUF_INIT(1 << 20);
	char *command = mlb_asprintf("git rev-list --reverse --topo-order %s..%s | sort", from, to);
	char *want = run_shell(command);
	struct mlb_vcs *v = open_git();

	assert_ok(mlb_vcs_range(v, from, to, 1000, &got, &err));
	mlb_strvec_sort(&got, true);
	for (size_t i = 0; i < got.n; i++)
		mlb_buf_addf(&text, "%s\n", got.v[i]);
	assert_string_equal(mlb_buf_str(&text), want);
	mlb_strvec_release(&got);
	mlb_buf_release(&text);
	mlb_vcs_close(v);
	free(want);
	free(command);
}

static void
walks(void **state)
{
	static const char *const head[] = { "HEAD" };
	static const char *const old[] = { "HEAD~2" };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_strvec many = MLB_VEC_INIT;
	struct mlb_vcs *v;

	(void)state;
	be_ada();
	sh("git init -q -b main . && echo 0 > g && git add g && git commit -qm none"
	   " && echo 1 > f && git add f && git commit -qm one && git checkout -qb side"
	   " && echo 2 > f && git commit -qam two && git checkout -q main"
	   " && echo 1 > g && git commit -qam other && git merge -q side -m merge"
	   " && git rm -q f && git commit -qm gone && echo 3 > g && git commit -qam last");
	expect_walk(head, 1, "gone two one ");
	expect_walk(old, 1, "two one ");
	expect_walk(NULL, 0, "two gone one "); /* the branch's end was met before */
	expect_range("main~4", "main");
	expect_range("main", "main");
	expect_range("main", "main~3");
	expect_range("side", "main");
	expect_range("main~2^1", "side");
	v = open_git();
	assert_err((mlb_vcs_range(v, "main~4", "main", 2, &many, &err)), MLB_ETOOBIG,
		   "main~4..main");
	assert_err((mlb_vcs_range(v, "nonesuch", "main", 2, &many, &err)), MLB_ENOTFOUND,
		   "nonesuch");
	mlb_strvec_release(&many);
	mlb_vcs_close(v);
	/* A shallow clone ends somewhere. */
	sh("git clone -q --depth 3 \"file://$PWD\" s");
	assert_int_equal(chdir("s"), 0);
	expect_walk(head, 1, "gone merge ");
	assert_int_equal(chdir(".."), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(words),
		engine_test(origins),
		engine_test(walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
