#include "engine/tolerance.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/ignore.h"

/* A number that is not negative, with a '%' behind it or not. */
static bool
parse_number(const char *text, double *out, bool *relative)
{
	char *end;

	/* strtod takes blanks, names ("nan") and hexadecimal too: nobody means them. */
	if (!*text || text[strspn(text, "0123456789.eE+-%")])
		return false;
	errno = 0;
	*out = strtod(text, &end);
	*relative = *end == '%';
	if (*relative)
		*out /= 100;
	return end != text && end[*relative ? 1 : 0] == '\0' && isfinite(*out) && *out >= 0 &&
	       !signbit(*out);
}

int
mlb_tolerance_add(struct mlb_tolerances *list, const char *text, struct mlb_err *err)
{
	const char *eq = strrchr(text, '='), *colon;
	struct mlb_tolerance t = { NULL, NULL, 0, false };

	if (!eq || eq == text || !parse_number(eq + 1, &t.most, &t.relative))
		return mlb_err_set(
			err, MLB_EINVALID,
			"--tolerance '%s' is not NAME=NUMBER: write "
			"'metrics.accuracy=1e-6', or 'metrics.accuracy=0.1%%' of the value",
			text);
	colon = memchr(text, ':', (size_t)(eq - text));
	if (colon == text || (colon && colon + 1 == eq))
		return mlb_err_set(err, MLB_EINVALID,
				   "--tolerance '%s' has nothing before or behind the ':'", text);
	if (colon)
		t.target = mlb_strndup(text, (size_t)(colon - text));
	colon = colon ? colon + 1 : text;
	t.name = mlb_strndup(colon, (size_t)(eq - colon));
	mlb_vec_push(list, t);
	return 0;
}

void
mlb_tolerances_release(struct mlb_tolerances *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].target);
		free(list->v[i].name);
	}
	mlb_vec_release(list);
}

static bool
matches(const char *pattern, const char *text)
{
	return !pattern || mlb_wildcard_match(pattern, strlen(pattern), text, false);
}

bool
mlb_tolerated(const struct mlb_tolerances *list, const char *target, const char *name, double was,
	      double is)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct mlb_tolerance *t = &list->v[i];
		double most = t->relative ? t->most * fabs(was) : t->most;

		/* A decimal fraction and a difference are rounded: 0.505 is 1 % from 0.5. */
		most += (most > 0) * 2 * DBL_EPSILON * fmax(fabs(was), fabs(is));
		if (matches(t->target, target) && matches(t->name, name) && fabs(is - was) <= most)
			return true;
	}
	return false;
}
