/*
 * What every unit test includes: cmocka with the headers it needs, and a scratch
 * directory that is gone afterwards.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/compat.h"
#include "mlbuild/err.h"

/* Expects success and shows the message otherwise. */
#define assert_ok(call)                                                              \
	do {                                                                         \
		int rc_ = (call);                                                    \
		if (rc_)                                                             \
			print_error("%s: %d %s\n", #call, rc_, err.text ? err.text : ""); \
		assert_int_equal(rc_, MLB_OK);                                       \
		assert_null(err.text);                                               \
	} while (0)

/* Expects this code and these words in the message; then empties the error. */
#define assert_err(call, want, words)                                                \
	do {                                                                         \
		int rc_ = (call);                                                    \
		assert_int_equal(rc_, want);                                         \
		assert_int_equal(err.code, want);                                    \
		assert_non_null(err.text);                                           \
		if (!strstr(err.text, words))                                        \
			print_error("no '%s' in: %s\n", words, err.text);            \
		assert_non_null(strstr(err.text, words));                            \
		mlb_err_release(&err);                                               \
	} while (0)

/* Makes a new directory and enters it; *state is its path. */
static inline int
scratch_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = mlb_asprintf("%s/mlbuild-unit.XXXXXX", tmp && *tmp ? tmp : "/tmp");

	if (!mkdtemp(dir) || chdir(dir) != 0)
		return -1;
	*state = dir;
	return 0;
}

static inline int
scratch_teardown(void **state)
{
	char *dir = *state;
	char *command = mlb_asprintf("chmod -R u+rwX '%s' 2>/dev/null; rm -rf '%s'", dir, dir);
	FILE *p;
	int rc;

	if (chdir("/") != 0)
		return -1;
	/* Not by our own remove_tree: that is what may be under test. */
	p = (popen)(command, "r");
	rc = p ? pclose(p) : -1;
	free(command);
	free(dir);
	return rc;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

static inline void
put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static inline void
assert_file(const char *path, const char *text)
{
	char got[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(got, 1, sizeof(got) - 1, f);
	got[n] = '\0';
	fclose(f);
	assert_string_equal(got, text);
}

#endif
