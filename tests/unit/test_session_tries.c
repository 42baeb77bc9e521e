/*
 * What a session makes of a remote's failures: tries, resumes, gives up.
 *
 * Labels: tsan
 */
#include "unit.h"

#include "fake_remote.h"

#define TRANSIENT                                                                                  \
	{                                                                                          \
		FAKE_FAULT, MLB_FAULT_TRANSIENT, 0, 0                                              \
	}

/* A GET of offset and len against a script, and what it has to come to. */
static void
gets(struct fake *f, uint64_t offset, uint64_t len, const char *want,
     struct mlb_session_stats *stats)
{
	struct mlb_buf got = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s = fake_session(f);
	struct mlb_remote_op op = { .verb = MLB_REMOTE_GET,
				    .name = "a",
				    .offset = offset,
				    .len = len,
				    .sink = into_buf,
				    .ctx = &got };

	assert_ok(mlb_session_run(s, &op, NULL, &err));
	assert_string_equal(mlb_buf_str(&got), want);
	assert_int_equal(op.moved, strlen(want));
	assert_int_equal(op.total, f->size);
	mlb_session_stats(s, stats);
	mlb_session_close(s);
	mlb_buf_release(&got);
}

static void
a_range_is_what_was_asked_for(void **state)
{
	struct mlb_session_stats stats;
	struct fake f;

	(void)state;
	fake_init(&f, NULL, 0);
	gets(&f, 0, MLB_REMOTE_TO_END, "0123456789abcdefghij", &stats);
	gets(&f, 15, MLB_REMOTE_TO_END, "fghij", &stats);
	gets(&f, 15, 100, "fghij", &stats);
	gets(&f, 1, 9, "123456789", &stats);
	gets(&f, 20, 1, "", &stats);
	gets(&f, 1000, 5, "", &stats);
	assert_int_equal(stats.requests, 1);
	assert_int_equal(stats.retries, 0);
	fake_release(&f);
}

static void
a_cut_is_resumed_without_a_byte_twice(void **state)
{
	static const struct fake_step steps[] = {
		{ FAKE_CUT, 0, 3, 0 }, TRANSIENT, { FAKE_CUT, 0, 5, 0 }, { FAKE_SHORT, 0, 2, 0 }
	};
	struct mlb_session_stats stats;
	struct fake f;

	(void)state;
	fake_init(&f, steps, MLB_ARRAY_LEN(steps));
	gets(&f, 4, 14, "456789abcdefgh", &stats);
	assert_int_equal(stats.requests, 5);
	assert_int_equal(stats.retries, 4);
	assert_int_equal(stats.received, 14);
	assert_int_equal(f.offsets.v[1], 7);
	assert_int_equal(f.offsets.v[2], 7);
	assert_int_equal(f.offsets.v[3], 12);
	assert_int_equal(f.offsets.v[4], 14);
	fake_release(&f);
}

static void
a_cut_after_the_last_byte_is_none(void **state)
{
	static const struct fake_step steps[] = { { FAKE_CUT, 0, 99, 0 }, { FAKE_CUT, 0, 99, 0 } };
	struct mlb_session_stats stats;
	struct fake f;

	(void)state;
	fake_init(&f, steps, MLB_ARRAY_LEN(steps));
	gets(&f, 10, 5, "abcde", &stats);
	gets(&f, 10, MLB_REMOTE_TO_END, "abcdefghij", &stats);
	assert_int_equal(f.begun, 2);
	fake_release(&f);
}

static void
who_gets_a_good_way_further_has_all_tries_again(void **state)
{
	struct fake_step steps[12];
	struct mlb_session_stats stats;
	char *data = mlb_alloc(14 * MLB_MIB + 1);
	struct fake f;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(steps); i++)
		steps[i] = (struct fake_step){ FAKE_CUT, 0, MLB_MIB + i, 0 };
	memset(data, 'x', 14 * MLB_MIB);
	data[14 * MLB_MIB] = '\0';
	fake_init(&f, steps, MLB_ARRAY_LEN(steps));
	f.data = data;
	f.size = 14 * MLB_MIB;
	gets(&f, 0, MLB_REMOTE_TO_END, data, &stats);
	assert_int_equal(stats.requests, 13);
	fake_release(&f);
	free(data);
}

/* A GET against a script, which has to fail. */
static void
fails(const struct fake_step *steps, size_t n, enum mlb_remote_fault want, const char *words,
      size_t begun)
{
	struct mlb_buf got = MLB_BUF_INIT(1000);
	struct mlb_err err = MLB_ERR_INIT;
	enum mlb_remote_fault fault = MLB_FAULT_NONE;
	struct mlb_session *s;
	struct fake f;
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_GET, .name = "a", .len = 20, .sink = into_buf, .ctx = &got
	};

	fake_init(&f, steps, n);
	s = fake_session(&f);
	assert_err(mlb_session_run(s, &op, &fault, &err), mlb_remote_fault_code(want), words);
	assert_int_equal(fault, want);
	assert_int_equal(f.begun, begun);
	mlb_session_close(s);
	fake_release(&f);
	mlb_buf_release(&got);
}

static void
it_is_tried_five_times(void **state)
{
	static const struct fake_step steps[] = {
		TRANSIENT, TRANSIENT, { FAKE_FAULT, MLB_FAULT_BUSY, 0, 0 }, TRANSIENT, TRANSIENT
	};
	struct mlb_session_stats stats;
	struct fake f;

	(void)state;
	fails(steps, 5, MLB_FAULT_TRANSIENT, "after 5 tries: the script says so", 5);
	fake_init(&f, steps, 4);
	gets(&f, 0, 20, f.data, &stats);
	assert_int_equal(f.begun, 5);
	fake_release(&f);
}

static void
what_does_not_pass_is_not_tried_again(void **state)
{
	static const enum mlb_remote_fault faults[] = { MLB_FAULT_ABSENT, MLB_FAULT_DENIED,
							MLB_FAULT_CLOCK,  MLB_FAULT_TRUST,
							MLB_FAULT_FULL,   MLB_FAULT_PLACE,
							MLB_FAULT_OTHER };

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(faults); i++) {
		const struct fake_step step = { FAKE_FAULT, faults[i], 0, 0 };

		fails(&step, 1, faults[i], "the script says so", 1);
	}
}

static void
more_than_was_asked_for_is_an_error(void **state)
{
	static const struct fake_step step = { FAKE_MORE, 0, 1, 0 };

	(void)state;
	fails(&step, 1, MLB_FAULT_OTHER, "sends more of 'a'", 1);
}

static int
replacing(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	struct fake *f = op->ctx;

	(void)data;
	(void)len;
	(void)err;
	f->mtime++; /* called by the thread that serves */
	return 0;
}

static void
two_versions_are_not_put_together(void **state)
{
	static const struct fake_step step = { FAKE_CUT, 0, 7, 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s;
	struct fake f;
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_GET, .name = "a", .len = 20, .sink = replacing, .ctx = &f
	};

	(void)state;
	fake_init(&f, &step, 1);
	s = fake_session(&f);
	assert_err(mlb_session_run(s, &op, NULL, &err), MLB_EREMOTE, "replaced while it was read");
	mlb_session_close(s);
	fake_release(&f);
}

static int
refusing(struct mlb_remote_op *op, const void *data, size_t len, struct mlb_err *err)
{
	(void)op;
	(void)data;
	(void)len;
	return mlb_err_set(err, MLB_ECORRUPT, "not what I want");
}

static void
what_the_caller_refuses_ends_it(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s;
	struct fake f;
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_GET, .name = "a", .len = 20, .sink = refusing
	};

	(void)state;
	fake_init(&f, NULL, 0);
	s = fake_session(&f);
	assert_err(mlb_session_run(s, &op, NULL, &err), MLB_ECORRUPT, "not what I want");
	assert_int_equal(f.begun, 1);
	mlb_session_close(s);
	fake_release(&f);
}

static void
what_stalls_is_cut_and_resumed(void **state)
{
	static const struct fake_step steps[] = { { FAKE_STALL, 0, 5, 0 },
						  { FAKE_STALL, 0, 0, 0 } };
	struct mlb_session_stats stats;
	struct fake f;

	(void)state;
	fake_init(&f, steps, MLB_ARRAY_LEN(steps));
	gets(&f, 0, MLB_REMOTE_TO_END, f.data, &stats);
	assert_int_equal(stats.stalls, 2);
	assert_int_equal(stats.retries, 2);
	assert_int_equal(f.offsets.v[2], 5);
	fake_release(&f);
}

/* PUT if absent of "mine", where the remote has `has` (NULL: nothing). */
static int
put_if_absent(const struct fake_step *steps, size_t n, const char *has, size_t *begun)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_session *s;
	struct fake f;
	struct mlb_remote_op op = {
		.verb = MLB_REMOTE_PUT, .name = "a", .data = "mine", .size = 4, .if_absent = true
	};
	int rc;

	fake_init(&f, steps, n);
	f.absent = !has;
	f.data = has;
	f.size = has ? strlen(has) : 0;
	s = fake_session(&f);
	rc = mlb_session_run(s, &op, NULL, &err);
	assert_int_equal(err.code, rc);
	if (rc == 0)
		assert_int_equal(op.moved, 4);
	mlb_session_close(s);
	*begun = f.begun;
	fake_release(&f);
	mlb_err_release(&err);
	return rc;
}

static void
a_lost_answer_of_put_if_absent_is_looked_into(void **state)
{
	static const struct fake_step lost[] = { { FAKE_CUT, 0, 0, 0 } };
	static const struct fake_step refused[] = { TRANSIENT };
	static const struct fake_step worse[] = { { FAKE_CUT, 0, 0, 0 },
						  { FAKE_OK, 0, 0, 0 },
						  { FAKE_CUT, 0, 2, 0 } };
	size_t begun;

	(void)state;
	/* It had arrived: PUT, PUT (EXISTS), GET. */
	assert_int_equal(put_if_absent(lost, 1, NULL, &begun), 0);
	assert_int_equal(begun, 3);
	assert_int_equal(put_if_absent(worse, 3, NULL, &begun), 0);
	assert_int_equal(begun, 4);
	/* It had not, and someone else was first. */
	assert_int_equal(put_if_absent(refused, 1, "other", &begun), MLB_EEXISTS);
	assert_int_equal(put_if_absent(refused, 1, "min", &begun), MLB_EEXISTS);
	assert_int_equal(put_if_absent(refused, 1, "mine, and more", &begun), MLB_EEXISTS);
	/* Without a cut there is no doubt. */
	assert_int_equal(put_if_absent(NULL, 0, "mine", &begun), MLB_EEXISTS);
	assert_int_equal(begun, 1);
	assert_int_equal(put_if_absent(NULL, 0, NULL, &begun), 0);
}

static void
the_wait_grows_and_honours_what_was_asked(void **state)
{
	(void)state;
	for (unsigned tries = 1; tries < 5; tries++) {
		uint32_t most = 250u << (tries - 1);

		assert_int_equal(session_backoff(250, tries, 0, 0), 0);
		assert_int_equal(session_backoff(250, tries, 0, most), most);
		assert_int_equal(session_backoff(250, tries, 0, most + 1), 0);
	}
	assert_int_equal(session_backoff(250, 1, 7000, 0), 7000);
	assert_int_equal(session_backoff(250, 4, 7000, 250), 7250);
	assert_int_equal(session_backoff(250, 1, 3600000, 0), 60000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_what_was_asked_for),
		cmocka_unit_test(a_cut_is_resumed_without_a_byte_twice),
		cmocka_unit_test(a_cut_after_the_last_byte_is_none),
		cmocka_unit_test(who_gets_a_good_way_further_has_all_tries_again),
		cmocka_unit_test(it_is_tried_five_times),
		cmocka_unit_test(what_does_not_pass_is_not_tried_again),
		cmocka_unit_test(more_than_was_asked_for_is_an_error),
		cmocka_unit_test(two_versions_are_not_put_together),
		cmocka_unit_test(what_the_caller_refuses_ends_it),
		cmocka_unit_test(what_stalls_is_cut_and_resumed),
		cmocka_unit_test(a_lost_answer_of_put_if_absent_is_looked_into),
		cmocka_unit_test(the_wait_grows_and_honours_what_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
