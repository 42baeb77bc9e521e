/* What snapshots need: read from git once, and known by state.db from then on. */
#include "git_unit.h"

#include "engine/pin_needs.h"
#include "engine/project.h"

/* A lock that nobody can read: each digest in it may be of anything. */
#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

static char id[4][MLB_OID_HEX + 1];

static void
commit(unsigned i, const char *lock)
{
	char *head;

	if (lock)
		put_file("mlbuild.lock", lock);
	sh("git add -A; git commit -q --allow-empty -m %u", i);
	head = run("git rev-parse HEAD");
	memcpy(id[i], head, MLB_OID_HEX);
	free(head);
}

/* What it says of a commit: the first digits of each thing needed, "-" where that was told before. */
static void
expect(struct mlb_pin_needs *n, struct mlb_project *p, const char *of, const char *want)
{
	const struct mlb_roots *need;
	struct mlb_err err = MLB_ERR_INIT;
	char found[16] = "-";

	assert_ok(mlb_pin_needs_of(n, p, of, &need, &err));
	for (size_t i = 0; need && i <= need->root.n; i++)
		found[i] = i < need->root.n ? (char)('0' + (need->root.v[i].digest.b[0] & 15)) : 0;
	assert_string_equal(found, want);
}

static void
save(struct mlb_pin_needs *n, struct mlb_project *p, bool only)
{
	struct mlb_err err = MLB_ERR_INIT;

	assert_ok(mlb_db_begin(p->db, &err));
	assert_ok(mlb_pin_needs_save(n, p->db, only, &err));
	assert_ok(mlb_db_commit(p->db, &err));
}

static void
load_again(struct mlb_pin_needs *n, struct mlb_project *p)
{
	struct mlb_err err = MLB_ERR_INIT;

	mlb_pin_needs_release(n);
	*n = (struct mlb_pin_needs)MLB_PIN_NEEDS_INIT;
	assert_ok(mlb_pin_needs_load(n, p->db, &err));
}

static void
is_remembered(void **state)
{
	struct mlb_pin_needs n = MLB_PIN_NEEDS_INIT;
	struct mlb_project p = { 0 };
	struct mlb_err err = MLB_ERR_INIT;

	make_repo(state);
	commit(0, NULL);
	commit(1, ONE "\n");
	commit(2, ONE "\n" TWO "\n");
	commit(3, NULL); /* the same lock */
	p.vcs = open_here();
	assert_ok(mlb_db_open(&p.db, "../state.db", &err));
	expect(&n, &p, id[0], "");
	expect(&n, &p, id[1], "1");
	expect(&n, &p, id[2], "12");
	expect(&n, &p, id[3], "-");
	expect(&n, &p, "0000000000000000000000000000000000000000", "-");
	assert_false(mlb_pin_needs_has(p.db, id[2]));
	save(&n, &p, false);
	assert_true(mlb_pin_needs_has(p.db, id[2]));
	sh("rm -rf .git/objects/??");
	load_again(&n, &p);
	expect(&n, &p, id[3], "12");
	expect(&n, &p, id[2], "-");
	expect(&n, &p, id[0], "");
	mlb_pin_needs_begin(&n);
	expect(&n, &p, id[2], "12");
	/* What nobody asks for is forgotten, and with it what only that needed. */
	save(&n, &p, true);
	assert_true(mlb_pin_needs_has(p.db, id[2]));
	assert_false(mlb_pin_needs_has(p.db, id[1]));
	load_again(&n, &p);
	assert_int_equal(n.commit.n, 1);
	assert_int_equal(n.set.n, 1);
	mlb_pin_needs_release(&n);
	mlb_db_close(p.db);
	mlb_vcs_close(p.vcs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
