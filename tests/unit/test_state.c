/* Accessors of the small tables. */
#include "unit.h"

#include "store/db.h"
#include "store/state.h"

static struct mlb_db *db;

static int
setup(void **state)
{
	struct mlb_err err = MLB_ERR_INIT;

	return scratch_setup(state) || mlb_db_open(&db, "state.db", &err);
}

static int
teardown(void **state)
{
	mlb_db_close(db);
	return scratch_teardown(state);
}

#define state_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

struct list {
	struct mlb_buf text;
	int stop_after; /* 0: never */
};

static int
list_end(struct list *l)
{
	mlb_buf_addc(&l->text, '\n');
	return l->stop_after && --l->stop_after == 0 ? MLB_EINTERRUPTED : 0;
}

static int
list_memo(void *ctx, const struct mlb_memo *m, struct mlb_err *err)
{
	struct list *l = ctx;

	(void)err;
	mlb_buf_addf(&l->text, "%s %02x%02x%02x %llu %u %u", m->node, m->sig.b[0], m->key.b[0],
		     m->outs.b[0], (unsigned long long)m->duration, m->kind, m->flags);
	return list_end(l);
}

static void
memos_come_in_bytewise_order(void **state)
{
	static const char *const name[] = { "b", "a@k=2", "a", "B", "\xc3\xa4", "a.b", "a-b" };
	struct list l = { MLB_BUF_INIT(10000), 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_memo m;

	(void)state;
	memset(&m, 0, sizeof(m));
	for (size_t i = 0; i < MLB_ARRAY_LEN(name); i++) {
		m.node = name[i];
		m.sig.b[0] = (uint8_t)i;
		m.key.b[0] = (uint8_t)(i + 16);
		m.outs.b[0] = (uint8_t)(i + 32);
		m.duration = UINT64_C(1) << (8 * i);
		m.kind = (uint8_t)i;
		m.flags = MLB_MEMO_NO;
		assert_ok(mlb_memo_set(db, &m, &err));
	}
	m.node = "a";
	m.flags = 0;
	m.duration = 0;
	assert_ok(mlb_memo_set(db, &m, &err));
	assert_ok(mlb_memo_each(db, list_memo, &l, &err));
	assert_string_equal(mlb_buf_str(&l.text), "B 031323 16777216 3 1\n"
						  "a 061626 0 6 0\n"
						  "a-b 061626 281474976710656 6 1\n"
						  "a.b 051525 1099511627776 5 1\n"
						  "a@k=2 011121 256 1 1\n"
						  "b 001020 1 0 1\n"
						  "\xc3\xa4 041424 4294967296 4 1\n");
	mlb_buf_clear(&l.text);
	l.stop_after = 2;
	assert_int_equal(mlb_memo_each(db, list_memo, &l, &err), MLB_EINTERRUPTED);
	assert_string_equal(mlb_buf_str(&l.text), "B 031323 16777216 3 1\na 061626 0 6 0\n");
	mlb_buf_release(&l.text);
}

static int
list_run(void *ctx, const struct mlb_run *r, struct mlb_err *err)
{
	struct list *l = ctx;

	(void)err;
	mlb_buf_addf(&l->text, "%s %lld %llu '%s' '%s' %d %u %u %u", r->id, (long long)r->started,
		     (unsigned long long)r->duration, r->words, r->commit, r->status, r->built,
		     r->restored, r->failed);
	return list_end(l);
}

static void
runs_come_newest_first(void **state)
{
	struct list l = { MLB_BUF_INIT(10000), 0 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_run r = { "one", 100, 5, "model -k", "abc", -1, 1, 2, 3 };

	(void)state;
	assert_ok(mlb_run_set(db, &r, &err));
	r.id = "two";
	r.started = 50; /* the clock went back */
	r.words = r.commit = "";
	assert_ok(mlb_run_set(db, &r, &err));
	r.id = "one";
	r.status = 0;
	assert_ok(mlb_run_set(db, &r, &err));
	assert_ok(mlb_run_each(db, 10, list_run, &l, &err));
	assert_string_equal(mlb_buf_str(&l.text),
			    "two 50 5 '' '' -1 1 2 3\none 50 5 '' '' 0 1 2 3\n");
	mlb_buf_clear(&l.text);
	assert_ok(mlb_run_each(db, 1, list_run, &l, &err));
	assert_string_equal(mlb_buf_str(&l.text), "two 50 5 '' '' -1 1 2 3\n");
	mlb_buf_clear(&l.text);
	l.stop_after = 1;
	assert_int_equal(mlb_run_each(db, 10, list_run, &l, &err), MLB_EINTERRUPTED);
	mlb_buf_release(&l.text);
}

static int
list_action(void *ctx, const struct mlb_run_action *a, struct mlb_err *err)
{
	struct list *l = ctx;

	(void)err;
	mlb_buf_addf(&l->text, "%s %s %02x %s %llu %s %02x", a->run, a->node, a->key.b[31], a->what,
		     (unsigned long long)a->duration, a->metrics, a->log.b[31]);
	return list_end(l);
}

static void
expect_actions(const char *run, const char *node, unsigned limit, const char *want)
{
	struct list l = { MLB_BUF_INIT(10000), 0 };
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_run_actions(db, run, node, limit, list_action, &l, &err));
	assert_string_equal(mlb_buf_str(&l.text), want);
	mlb_buf_release(&l.text);
}

static void
actions_by_run_and_by_node(void **state)
{
	struct list l = { MLB_BUF_INIT(10000), 1 };
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_run_action a = {
		.run = "r1", .node = "x", .what = "built", .duration = 7, .metrics = "{}"
	};

	(void)state;
	a.key.b[31] = 1;
	a.log.b[31] = 2;
	assert_ok(mlb_run_add_action(db, &a, &err));
	a.node = "y";
	a.what = "failed";
	assert_ok(mlb_run_add_action(db, &a, &err));
	a.run = "r2";
	a.metrics = "";
	assert_ok(mlb_run_add_action(db, &a, &err));
	expect_actions("r1", NULL, 10, "r1 y 01 failed 7 {} 02\nr1 x 01 built 7 {} 02\n");
	expect_actions(NULL, "y", 10, "r2 y 01 failed 7  02\nr1 y 01 failed 7 {} 02\n");
	expect_actions("r2", "y", 10, "r2 y 01 failed 7  02\n");
	expect_actions("r2", "x", 10, "");
	expect_actions(NULL, NULL, 2, "r2 y 01 failed 7  02\nr1 y 01 failed 7 {} 02\n");
	assert_int_equal(mlb_run_actions(db, NULL, NULL, 9, list_action, &l, &err),
			 MLB_EINTERRUPTED);
	mlb_buf_release(&l.text);
}

static void
meta_takes_any_bytes(void **state)
{
	struct mlb_buf got = MLB_BUF_INIT(8);
	struct mlb_err err = MLB_ERR_INIT;

	(void)state;
	assert_ok(mlb_meta_set(db, "x", "a\0b", 3, &err));
	assert_ok(mlb_meta_get(db, "x", &got, &err));
	assert_int_equal(got.len, 3);
	assert_memory_equal(got.data, "a\0b", 3);
	assert_ok(mlb_meta_set(db, "x", NULL, 0, &err));
	assert_ok(mlb_meta_get(db, "x", &got, &err));
	assert_int_equal(got.len, 0);
	assert_ok(mlb_meta_set(db, "x", "123456789", 9, &err));
	assert_err(mlb_meta_get(db, "x", &got, &err), MLB_ETOOBIG, "x");
	mlb_buf_release(&got);
}

static int
list_meta(void *ctx, const char *name, const void *v, size_t len, struct mlb_err *err)
{
	struct list *l = ctx;

	(void)err;
	mlb_buf_addf(&l->text, "%s=%.*s", name, (int)len, (const char *)v);
	return list_end(l);
}

static void
meta_by_prefix(void **state)
{
	static const char *const name[] = { "a", "b", "b 2", "b 1", "b!", "c" };
	struct list l = { MLB_BUF_INIT(10000), 0 };
	struct mlb_err err = MLB_ERR_INIT;
	bool has;

	(void)state;
	for (size_t i = 0; i < MLB_ARRAY_LEN(name); i++)
		assert_ok(mlb_meta_set(db, name[i], "v", 1, &err));
	assert_ok(mlb_meta_each(db, "b ", list_meta, &l, &err));
	assert_string_equal(mlb_buf_str(&l.text), "b 1=v\nb 2=v\n");
	assert_ok(mlb_meta_has(db, "b 1", &has, &err));
	assert_true(has);
	assert_ok(mlb_meta_has(db, "b 3", &has, &err));
	assert_false(has);
	mlb_buf_release(&l.text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		state_test(memos_come_in_bytewise_order),
		state_test(runs_come_newest_first),
		state_test(actions_by_run_and_by_node),
		state_test(meta_takes_any_bytes),
		state_test(meta_by_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
