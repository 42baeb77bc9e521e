/*
 * The scheduler under load: 200 small targets at once, pools, failures at
 * random, against what each of them has to come to.
 *
 * Labels: tsan
 */
#include "engine_fixture.h"

enum { N = 200, JOBS = 8, POOL = 3, MAX_DEPS = 3 };

struct target {
	int dep[MAX_DEPS], n_deps;
	bool fails, pooled;
	bool started, ended, blocked;
	bool had; /* an earlier build may have made it */
};

struct watch {
	struct target t[N];
};

/* The numbers of a linear congruence: the same graphs everywhere. */
static unsigned
draw(uint64_t *seed, unsigned below)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((*seed >> 33) % below);
}

static void
make_graph(struct target *t, uint64_t seed, unsigned failing)
{
	struct mlb_buf ini = MLB_BUF_INIT(MLB_MIB);

	memset(t, 0, N * sizeof(*t));
	mlb_buf_addf(&ini, "[pool p]\nslots = %d\n", POOL);
	for (int i = 0; i < N; i++) {
		t[i].pooled = draw(&seed, 3) == 0;
		t[i].fails = failing && draw(&seed, failing) == 0;
		for (int k = 0; k < MAX_DEPS && i > 0; k++)
			if (draw(&seed, 2)) {
				int d = (int)draw(&seed, (unsigned)i);
				bool again = false;

				for (int j = 0; j < t[i].n_deps; j++)
					again |= t[i].dep[j] == d;
				if (!again)
					t[i].dep[t[i].n_deps++] = d;
			}
		mlb_buf_addf(&ini, "[feature t%d]\nout = t%d.txt\nrun = echo begin >> ../log; ", i,
			     i);
		mlb_buf_addf(&ini, "cat /dev/null");
		for (int k = 0; k < t[i].n_deps; k++)
			mlb_buf_addf(&ini, " ${t%d}", t[i].dep[k]);
		mlb_buf_addf(&ini, " > ${out}; echo t%d >> ${out}%s\n", i,
			     t[i].fails ? "; test -e mend" : "");
		if (t[i].pooled)
			mlb_buf_adds(&ini, "pool.p = 1\n");
	}
	put_file("mlbuild.ini", mlb_buf_str(&ini));
	mlb_buf_release(&ini);
}

static void
watch_event(void *ctx, const struct mlb_event *e)
{
	struct watch *w = ctx;
	struct target *t;

	assert_true(e->finished <= e->total);
	if (e->node[0] != 't')
		return;
	t = &w->t[atol(e->node + 1)];
	switch (e->type) {
	case MLB_EV_START:
		assert_false(t->started);
		t->started = true;
		for (int k = 0; k < t->n_deps; k++)
			assert_true(w->t[t->dep[k]].had ||
				    (w->t[t->dep[k]].started && !w->t[t->dep[k]].fails));
		break;
	case MLB_EV_BUILT:
	case MLB_EV_FAILED:
		assert_true(t->started);
		assert_false(t->ended);
		assert_int_equal(e->type == MLB_EV_FAILED, t->fails);
		t->ended = true;
		break;
	case MLB_EV_BLOCKED:
		assert_false(t->started);
		t->blocked = true;
		break;
	default:
		break;
	}
}

/* Does it or anything it is made from fail? */
static bool
cannot_be(const struct target *t, int i)
{
	for (int k = 0; k < t[i].n_deps; k++)
		if (t[t[i].dep[k]].fails || t[t[i].dep[k]].blocked)
			return true;
	return false;
}

static int
run(struct watch *w, bool keep_going, struct mlb_report *report)
{
	struct mlb_build b = {
		.jobs = JOBS, .keep_going = keep_going, .on_event = watch_event, .ctx = w
	};
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *p = open_project();
	int rc = mlb_build(p, &b, report, &err);

	if (rc && rc != MLB_EFAILED)
		print_error("%s\n", err.text);
	mlb_err_release(&err);
	mlb_project_close(p);
	return rc;
}

static void
begin_again(struct watch *w)
{
	for (int i = 0; i < N; i++)
		w->t[i].had = w->t[i].ended && !w->t[i].fails;
	for (int i = 0; i < N; i++)
		w->t[i].started = w->t[i].ended = w->t[i].blocked = false;
}

static void
all_of_them(void **state)
{
	struct watch *w = mlb_calloc(1, sizeof(*w));
	struct mlb_report report;

	(void)state;
	make_graph(w->t, 1, 0);
	assert_int_equal(run(w, false, &report), 0);
	assert_int_equal(report.built, N);
	mlb_report_release(&report);
	for (int i = 0; i < N; i++)
		assert_true(w->t[i].ended);
	begin_again(w);
	assert_int_equal(run(w, false, &report), 0);
	assert_int_equal(report.current, N);
	assert_int_equal(report.built, 0);
	mlb_report_release(&report);
	/* All gone from the workspace: all back, by many workers. */
	sh("rm -f t*.txt");
	assert_int_equal(run(w, false, &report), 0);
	assert_int_equal(report.restored, N);
	assert_int_equal(report.built, 0);
	mlb_report_release(&report);
	free(w);
}

static void
failures_at_random(void **state)
{
	struct watch *w = mlb_calloc(1, sizeof(*w));

	(void)state;
	for (uint64_t seed = 2; seed < 5; seed++) {
		struct mlb_report report;
		uint32_t failed = 0, blocked = 0;

		sh("chmod -R u+w .mlbuild 2>/dev/null; rm -rf .mlbuild mlbuild.lock t*.txt mend");
		make_graph(w->t, seed, 25);
		assert_int_equal(run(w, true, &report), MLB_EFAILED);
		for (int i = 0; i < N; i++) {
			bool no = cannot_be(w->t, i);

			assert_int_equal(w->t[i].blocked, no);
			assert_int_equal(w->t[i].ended, !no);
			blocked += no;
			failed += !no && w->t[i].fails;
		}
		assert_int_equal(report.failed, failed);
		assert_int_equal(report.blocked, blocked);
		assert_int_equal(report.built, N - failed - blocked);
		mlb_report_release(&report);
		/* Mended: what failed and what waited for it, and nothing else. */
		begin_again(w);
		put_file("mend", "");
		for (int i = 0; i < N; i++)
			w->t[i].fails = false;
		assert_int_equal(run(w, false, &report), 0);
		assert_int_equal(report.built, failed + blocked);
		mlb_report_release(&report);
	}
	free(w);
}

/* Without keep_going nothing starts after the first failure, and what runs ends. */
static void
the_first_failure_stops(void **state)
{
	struct watch *w = mlb_calloc(1, sizeof(*w));
	struct mlb_report report;
	unsigned started = 0;

	(void)state;
	make_graph(w->t, 7, 10);
	assert_int_equal(run(w, false, &report), MLB_EFAILED);
	assert_true(report.failed >= 1 && report.failed <= JOBS);
	for (int i = 0; i < N; i++) {
		assert_int_equal(w->t[i].started, w->t[i].ended);
		started += w->t[i].started;
	}
	assert_int_equal(started, report.built + report.failed);
	mlb_report_release(&report);
	free(w);
}

/* Each command notes how many of its pool hold a slot while it has one. */
static void
limits(void **state)
{
	struct mlb_buf ini = MLB_BUF_INIT(MLB_MIB);
	char *most;

	(void)state;
	mlb_buf_addf(&ini, "[pool p]\nslots = %d\n", POOL);
	for (int i = 0; i < 40; i++)
		mlb_buf_addf(
			&ini,
			"[feature t%d]\nout = t%d.txt\npool.p = %d\n"
			"run = mkdir -p held; for k in %s; do touch held/%d.$k; done; ls held | wc -l >> ../most; "
			"sleep 0.01; ls held | wc -l >> ../most; rm held/%d.*; touch ${out}\n",
			i, i, i % POOL + 1,
			i % POOL == 0   ? "1"
			: i % POOL == 1 ? "1 2"
					: "1 2 3",
			i, i);
	put_file("mlbuild.ini", mlb_buf_str(&ini));
	mlb_buf_release(&ini);
	assert_int_equal(build_with("", (struct mlb_build){ .jobs = JOBS }), 0);
	assert_int_equal(last.report.built, 40);
	most = run_shell("sort -n ../most | tail -n 1");
	assert_int_equal(atol(most), POOL);
	free(most);
}

/* -j is a limit, and is reached. */
static void
as_many_as_asked_for(void **state)
{
	struct mlb_buf ini = MLB_BUF_INIT(MLB_MIB);
	char *most;

	(void)state;
	for (int i = 0; i < 24; i++)
		mlb_buf_addf(
			&ini,
			"[feature t%d]\nout = t%d.txt\nrun = mkdir -p held; touch held/%d; sleep 0.1; "
			"ls held | wc -l >> ../most; rm held/%d; touch ${out}\n",
			i, i, i, i);
	put_file("mlbuild.ini", mlb_buf_str(&ini));
	mlb_buf_release(&ini);
	assert_int_equal(build_with("", (struct mlb_build){ .jobs = JOBS }), 0);
	most = run_shell("sort -n ../most | tail -n 1");
	assert_in_range(atol(most), 2, JOBS);
	free(most);
}

struct stop {
	struct mlb_project *p;
	unsigned starts, after;
	unsigned at;
	bool cancelled;
};

static void
stop_after(void *ctx, const struct mlb_event *e)
{
	struct stop *s = ctx;

	if (e->type != MLB_EV_START)
		return;
	s->after += s->cancelled;
	if (++s->starts == s->at) {
		mlb_cancel(s->p);
		s->cancelled = true;
	}
}

/* Cancelled in the middle, at several places; the next build ends it, and makes nothing twice. */
static void
cancelled_in_the_middle(void **state)
{
	struct watch *w = mlb_calloc(1, sizeof(*w));
	uint32_t built = 0;
	struct mlb_report report;

	(void)state;
	make_graph(w->t, 9, 0);
	for (unsigned at = 1; at < 60; at += 19) {
		struct stop s = { .p = open_project(), .at = at };
		struct mlb_build b = { .jobs = JOBS, .on_event = stop_after, .ctx = &s };

		assert_int_equal(mlb_build(s.p, &b, &report, NULL), MLB_EINTERRUPTED);
		assert_true(s.after < JOBS);
		assert_int_equal(report.failed, 0);
		built += report.built;
		mlb_report_release(&report);
		mlb_project_close(s.p);
	}
	for (int i = 0; i < N; i++)
		w->t[i].had = true;
	assert_int_equal(run(w, false, &report), 0);
	assert_int_equal(report.built, N - built);
	mlb_report_release(&report);
	free(w);
}

/*
 * Two chains that always have something dearer to start, each step of which takes
 * half of what one big job needs: it gets its turn when what ran first has ended.
 */
static void
a_big_job_is_not_starved(void **state)
{
	struct mlb_buf ini = MLB_BUF_INIT(MLB_MIB);
	const char *starts;
	char *at;

	(void)state;
	mlb_buf_adds(&ini, "[pool p]\nslots = 2\n");
	mlb_buf_adds(&ini, "[report big]\nrun = echo big > ${out}\nout = big\npool.p = 2\n");
	for (int i = 0; i < 10; i++)
		for (int c = 0; c < 2; c++) {
			mlb_buf_addf(&ini, "[feature %c%d]\npool.p = 1\nout = %c%d\n", 'a' + c, i,
				     'a' + c, i);
			if (i)
				mlb_buf_addf(&ini, "run = cat ${%c%d} > ${out}\n", 'a' + c, i - 1);
			else
				mlb_buf_adds(&ini, "run = echo 1 > ${out}\n");
		}
	put_file("mlbuild.ini", mlb_buf_str(&ini));
	mlb_buf_release(&ini);
	assert_int_equal(build_with("", (struct mlb_build){ .jobs = 4 }), 0);
	starts = names(MLB_EV_START);
	at = strstr(starts, "big");
	assert_non_null(at);
	/* The first of each chain were there first. */
	assert_int_equal(count_in(starts, " "), 20);
	*at = '\0';
	assert_true(count_in(starts, " ") <= 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(all_of_them),
		engine_test(failures_at_random),
		engine_test(the_first_failure_stops),
		engine_test(limits),
		engine_test(as_many_as_asked_for),
		engine_test(a_big_job_is_not_starved),
		engine_test(cancelled_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
