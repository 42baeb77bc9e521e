/*
 * What the tests of the configuration share: parse a text, or expect its message.
 */
#ifndef TESTS_CONFIG_TEST_H
#define TESTS_CONFIG_TEST_H

#include "unit.h"

#include "graph/config_int.h"

static inline struct mlb_config *
parse(const char *text)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_config *c = NULL;

	assert_ok(mlb_config_parse(&c, ".", text, strlen(text), &err));
	assert_non_null(c);
	return c;
}

static inline void
assert_message(const char *text, const char *message, bool whole)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_config *c = NULL;
	int rc = mlb_config_parse(&c, ".", text, strlen(text), &err);

	if (rc != MLB_EINVALID || !(whole ? !strcmp(err.text, message) : strstr(err.text, message) != NULL))
		print_error("wanted: %s\ngot:    %s\nof:\n%s\n", message, err.text ? err.text : "success", text);
	assert_int_equal(rc, MLB_EINVALID);
	if (whole)
		assert_string_equal(err.text, message);
	else
		assert_non_null(strstr(err.text, message));
	assert_null(c);
	mlb_err_release(&err);
}

/* The one message (or several lines of them). */
#define assert_says(text, message) assert_message(text, message, true)
#define assert_hints(text, message) assert_message(text, message, false)

static inline struct mlb_target *
target(const struct mlb_config *c, const char *name)
{
	struct mlb_target *t = mlb_config_find(c, name);

	if (!t)
		print_error("no target %s\n", name);
	assert_non_null(t);
	return t;
}

static inline void
assert_words(const struct mlb_text_vec *v, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);

	for (size_t i = 0; i < v->n; i++)
		mlb_buf_addf(&got, "%s<%s>", i ? " " : "", v->v[i].s);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

static inline void
assert_named(const struct mlb_named_vec *v, const char *want)
{
	struct mlb_buf got = MLB_BUF_INIT(MLB_MIB);

	for (size_t i = 0; i < v->n; i++)
		mlb_buf_addf(&got, "%s%s=<%s>", i ? " " : "", v->v[i].name, v->v[i].value.s);
	assert_string_equal(mlb_buf_str(&got), want);
	mlb_buf_release(&got);
}

#endif
