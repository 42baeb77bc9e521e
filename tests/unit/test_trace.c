#include "unit.h"

#include <jansson.h>

#include "base/trace.h"

static void
empty_is_an_empty_array(void **state)
{
	struct mlb_trace t;

	(void)state;
	mlb_trace_init(&t);
	assert_string_equal(mlb_trace_finish(&t), "[]\n");
	mlb_trace_release(&t);
}

static void
events_are_in_microseconds(void **state)
{
	struct mlb_trace t;
	json_t *doc, *e;

	(void)state;
	mlb_trace_init(&t);
	mlb_trace_complete(&t, "train \"a\"", "run", 3, 1500, 1001500);
	mlb_trace_instant(&t, "cancel", 0, 2000);
	mlb_trace_complete(&t, "clock went back", "run", 1, 10, 5);
	doc = json_loads(mlb_trace_finish(&t), 0, NULL);
	assert_non_null(doc);
	assert_int_equal(json_array_size(doc), 3);
	e = json_array_get(doc, 0);
	assert_string_equal(json_string_value(json_object_get(e, "name")), "train \"a\"");
	assert_string_equal(json_string_value(json_object_get(e, "cat")), "run");
	assert_string_equal(json_string_value(json_object_get(e, "ph")), "X");
	assert_int_equal(json_integer_value(json_object_get(e, "tid")), 3);
	assert_true(json_real_value(json_object_get(e, "ts")) == 1.5);
	assert_true(json_real_value(json_object_get(e, "dur")) == 1000.0);
	e = json_array_get(doc, 1);
	assert_string_equal(json_string_value(json_object_get(e, "ph")), "i");
	assert_true(json_real_value(json_object_get(e, "ts")) == 2.0);
	assert_true(json_real_value(json_object_get(json_array_get(doc, 2), "dur")) == 0.0);
	json_decref(doc);
	mlb_trace_release(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_an_empty_array),
		cmocka_unit_test(events_are_in_microseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
