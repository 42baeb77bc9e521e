/*
 * Sessions: who may call what from where, in which order, and how they end.
 *
 * Labels: tsan
 */
#include "unit.h"

#include <stdatomic.h>

#include "fake_remote.h"

#define CROWD 8u
#define EACH ((size_t)200)

struct counter {
	atomic_uint done, cancelled;
	unsigned again; /* how often done submits its operation anew */
	struct mlb_session *session;
};

static void
count_done(struct mlb_remote_op *op)
{
	struct counter *c = op->ctx;

	if (op->rc == MLB_EINTERRUPTED)
		atomic_fetch_add(&c->cancelled, 1);
	mlb_err_release(&op->err);
	if (c->again) {
		c->again--;
		mlb_session_submit(c->session, op, MLB_SESSION_LATER);
	}
	atomic_fetch_add(&c->done, 1);
}

static struct mlb_remote_op
stat_of(const char *name, struct counter *c)
{
	return (struct mlb_remote_op){
		.verb = MLB_REMOTE_STAT, .name = name, .done = count_done, .ctx = c
	};
}

/* One that is asked last among its like is also answered last. */
static void
drain(struct mlb_session *s, struct counter *c, unsigned n)
{
	while (atomic_load(&c->done) < n) {
		struct mlb_remote_op op = { .verb = MLB_REMOTE_STAT, .name = "drain" };
		struct mlb_err err = MLB_ERR_INIT;

		assert_ok(mlb_session_run(s, &op, NULL, &err));
	}
}

struct member {
	pthread_t thread;
	struct mlb_session *session;
	struct mlb_remote_op op[EACH];
	struct counter *counter;
};

static void *
submit_all(void *arg)
{
	struct member *m = arg;

	for (unsigned i = 0; i < EACH; i++) {
		m->op[i] = stat_of("a", m->counter);
		mlb_session_submit(m->session, &m->op[i], i % 2);
	}
	return NULL;
}

static void
a_crowd_may_submit(void **state)
{
	struct member *m = mlb_calloc(CROWD, sizeof(*m));
	struct mlb_session_stats stats;
	struct counter c = { .again = 0 };
	struct mlb_session *s;
	struct fake f;

	(void)state;
	fake_init(&f, NULL, 0);
	s = fake_session(&f);
	for (unsigned i = 0; i < CROWD; i++) {
		m[i].session = s;
		m[i].counter = &c;
		assert_int_equal(pthread_create(&m[i].thread, NULL, submit_all, &m[i]), 0);
	}
	for (unsigned i = 0; i < CROWD; i++)
		pthread_join(m[i].thread, NULL);
	drain(s, &c, CROWD * EACH);
	mlb_session_stats(s, &stats);
	assert_true(stats.requests >= CROWD * EACH);
	assert_int_equal(stats.retries, 0);
	mlb_session_close(s);
	assert_int_equal(c.done, CROWD * EACH);
	assert_int_equal(c.cancelled, 0);
	assert_in_range(f.most_going, 1, 16);
	fake_release(&f);
	free(m);
}

static void
the_limit_is_kept(void **state)
{
	struct mlb_remote_op op[12];
	struct counter c = { .again = 0 };
	struct mlb_session *s;
	struct fake f;

	(void)state;
	fake_init(&f, NULL, 0);
	f.gate = true;
	s = fake_session(&f);
	for (unsigned i = 0; i < MLB_ARRAY_LEN(op); i++) {
		op[i] = stat_of("a", &c);
		mlb_session_submit(s, &op[i], MLB_SESSION_LATER);
	}
	fake_open_gate(&f);
	drain(s, &c, MLB_ARRAY_LEN(op));
	mlb_session_close(s);
	assert_in_range(f.most_going, 1, 4);
	fake_release(&f);
}

static void
what_is_wanted_soon_comes_first(void **state)
{
	struct mlb_remote_backend one = fake_backend;
	struct counter c = { .again = 0 };
	struct mlb_remote_op op[3] = { stat_of("first", &c), stat_of("later", &c),
				       stat_of("soon", &c) };
	size_t later = 0, soon = 0;
	struct mlb_session *s;
	struct fake f;

	(void)state;
	one.most = 1;
	fake_init(&f, NULL, 0);
	f.gate = true;
	s = fake_session_of(&f, &one);
	mlb_session_hurry(s, 1, 0);
	mlb_session_submit(s, &op[0], MLB_SESSION_LATER);
	mlb_session_submit(s, &op[1], MLB_SESSION_LATER);
	mlb_session_submit(s, &op[2], MLB_SESSION_SOON);
	fake_open_gate(&f);
	drain(s, &c, 3);
	mlb_session_close(s);
	for (size_t i = 0; i < f.names.n; i++) {
		later = !strcmp(f.names.v[i], "later") ? i : later;
		soon = !strcmp(f.names.v[i], "soon") ? i : soon;
	}
	assert_true(soon < later);
	assert_int_equal(f.most_going, 1);
	fake_release(&f);
}

static void
done_may_submit_again(void **state)
{
	struct counter c = { .again = 9 };
	struct mlb_remote_op op = stat_of("a", &c);
	struct mlb_session *s;
	struct fake f;

	(void)state;
	fake_init(&f, NULL, 0);
	s = fake_session(&f);
	c.session = s;
	mlb_session_submit(s, &op, MLB_SESSION_LATER);
	drain(s, &c, 10);
	mlb_session_close(s);
	assert_int_equal(c.done, 10);
	fake_release(&f);
}

static void
cancel_ends_everything(void **state)
{
	struct mlb_remote_op op[20], late = { .verb = MLB_REMOTE_STAT, .name = "late" };
	struct mlb_err err = MLB_ERR_INIT;
	enum mlb_remote_fault fault;
	struct counter c = { .again = 0 };
	struct mlb_session *s;
	struct fake f;

	(void)state;
	fake_init(&f, NULL, 0);
	f.gate = true;
	s = fake_session(&f);
	mlb_session_hurry(s, 0, 0);
	for (unsigned i = 0; i < MLB_ARRAY_LEN(op); i++) {
		op[i] = stat_of("a", &c);
		mlb_session_submit(s, &op[i], MLB_SESSION_LATER);
	}
	mlb_session_cancel(s);
	assert_err(mlb_session_run(s, &late, &fault, &err), MLB_EINTERRUPTED, "cancelled");
	assert_int_equal(fault, MLB_FAULT_CANCELLED);
	mlb_session_close(s);
	assert_int_equal(c.cancelled, MLB_ARRAY_LEN(op));
	fake_release(&f);
}

static void
close_ends_what_goes_on_and_what_waits(void **state)
{
	static const struct fake_step steps[] = {
		{ FAKE_STALL, 0, 3, 0 },
		{ FAKE_FAULT, MLB_FAULT_BUSY, 0, 60000 },
	};
	struct mlb_buf got = MLB_BUF_INIT(100);
	struct counter c = { .again = 3 };
	struct mlb_remote_op op[12];
	struct mlb_session *s;
	struct fake f;

	(void)state;
	fake_init(&f, steps, MLB_ARRAY_LEN(steps));
	s = fake_session(&f);
	mlb_session_hurry(s, 0, 0);
	c.session = s;
	for (unsigned i = 0; i < MLB_ARRAY_LEN(op); i++) {
		op[i] = stat_of("a", &c);
		mlb_session_submit(s, &op[i], MLB_SESSION_LATER);
	}
	mlb_session_close(s);
	assert_int_equal(c.done, MLB_ARRAY_LEN(op) + 3);
	fake_release(&f);
	mlb_buf_release(&got);
}

static void
a_dead_remote_says_so_every_time(void **state)
{
	static const struct fake_step step = { FAKE_DEATH, 0, 0, 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s;
	struct fake f;

	(void)state;
	fake_init(&f, &step, 1);
	s = fake_session(&f);
	for (unsigned i = 0; i < 3; i++) {
		struct mlb_remote_op op = { .verb = MLB_REMOTE_STAT, .name = "a" };

		assert_err(mlb_session_run(s, &op, NULL, &err), MLB_EREMOTE, "died");
	}
	assert_int_equal(f.begun, 1);
	mlb_session_close(s);
	fake_release(&f);
}

static int
note_entry(struct mlb_remote_op *op, const struct mlb_remote_entry *e, struct mlb_err *err)
{
	(void)err;
	mlb_buf_addf(op->ctx, "%s=%d ", e->name, (int)e->size);
	return 0;
}

static void
a_listing_has_no_strange_names(void **state)
{
	struct mlb_buf got = MLB_BUF_INIT(100);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_LIST, .name = "", .entry = note_entry, .ctx = &got
	};
	struct mlb_session *s;
	struct fake f;

	(void)state;
	fake_init(&f, NULL, 0);
	s = fake_session(&f);
	assert_ok(mlb_session_run(s, &op, NULL, &err));
	assert_string_equal(mlb_buf_str(&got), "a=0 b=3 ");
	mlb_session_close(s);
	fake_release(&f);
	mlb_buf_release(&got);
}

static void
what_cannot_be_asked_is_not_begun(void **state)
{
	static const char *const names[MLB_REMOTE_BATCH + 1] = { "a", "../b" };
	const char *many[MLB_REMOTE_BATCH + 1];
	struct mlb_remote_op op[] = {
		{ .verb = MLB_REMOTE_GET, .name = "../b", .len = 1 },
		{ .verb = MLB_REMOTE_GET, .name = "", .len = 1 },
		{ .verb = MLB_REMOTE_STAT, .name = "a//b" },
		{ .verb = MLB_REMOTE_PUT, .name = "/a", .data = "", .size = 0 },
		{ .verb = MLB_REMOTE_LIST, .name = ".a" },
		{ .verb = MLB_REMOTE_DELETE, .names = names, .n_names = 2 },
		{ .verb = MLB_REMOTE_DELETE, .names = many, .n_names = MLB_ARRAY_LEN(many) },
		{ .verb = MLB_REMOTE_GET, .name = "a", .len = 0 },
	};
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s;
	struct fake f;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(many); i++)
		many[i] = "a";
	fake_init(&f, NULL, 0);
	s = fake_session(&f);
	for (size_t i = 0; i < MLB_ARRAY_LEN(op); i++)
		assert_err(mlb_session_run(s, &op[i], NULL, &err), MLB_EINVALID, "");
	assert_int_equal(f.begun, 0);
	mlb_session_close(s);
	fake_release(&f);
}

static void
a_busy_server_halves_the_limit_once_for_a_crowd(void **state)
{
	struct session_tune t;

	(void)state;
	session_tune_init(&t, 64);
	assert_int_equal(t.limit, 4);
	t.limit = 32;
	session_tune_busy(&t, 100, 200);
	session_tune_busy(&t, 150, 201); /* it had begun before */
	assert_int_equal(t.limit, 16);
	session_tune_busy(&t, 201, 300);
	assert_int_equal(t.limit, 8);
	for (uint64_t i = 0; i < 10; i++)
		session_tune_busy(&t, 400 + i, 400 + i);
	assert_int_equal(t.limit, 1);
	session_tune_init(&t, 2);
	assert_int_equal(t.limit, 2);
}

/* A server that answers `best` at once in 100 ms, however many it is asked. */
static unsigned
limit_against(unsigned best, unsigned most, bool full)
{
	struct session_tune t;
	double now = 1e9;

	session_tune_init(&t, most);
	for (unsigned i = 0; i < 20000; i++) {
		now += 1e8 / MLB_MIN(best, t.limit);
		session_tune_moved(&t, 1000);
		session_tune_answer(&t, (uint64_t)now, full);
	}
	return t.before ? t.before : t.limit; /* it may just be looking whether more helps */
}

static void
the_limit_grows_while_that_helps(void **state)
{
	(void)state;
	assert_int_equal(limit_against(64, 64, true), 64);
	assert_int_equal(limit_against(64, 16, true), 16);
	assert_int_equal(limit_against(4, 64, true), 4);
	assert_int_equal(limit_against(16, 64, true), 16);
	/* Where there is not enough to do, nothing is to be learned. */
	assert_int_equal(limit_against(64, 64, false), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crowd_may_submit),
		cmocka_unit_test(the_limit_is_kept),
		cmocka_unit_test(what_is_wanted_soon_comes_first),
		cmocka_unit_test(done_may_submit_again),
		cmocka_unit_test(cancel_ends_everything),
		cmocka_unit_test(close_ends_what_goes_on_and_what_waits),
		cmocka_unit_test(a_dead_remote_says_so_every_time),
		cmocka_unit_test(a_listing_has_no_strange_names),
		cmocka_unit_test(what_cannot_be_asked_is_not_begun),
		cmocka_unit_test(a_busy_server_halves_the_limit_once_for_a_crowd),
		cmocka_unit_test(the_limit_grows_while_that_helps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
