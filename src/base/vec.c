#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

void
mlb_strvec_push(struct mlb_strvec *v, const char *s)
{
	mlb_vec_push(v, mlb_strdup(s));
}

void
mlb_strvec_release(struct mlb_strvec *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->v[i]);
	mlb_vec_release(v);
}

static int
cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void
mlb_strvec_sort(struct mlb_strvec *v, bool unique)
{
	size_t n = 0;

	if (v->n > 1)
		qsort(v->v, v->n, sizeof(*v->v), cmp);
	if (!unique)
		return;
	for (size_t i = 0; i < v->n; i++) {
		if (n && strcmp(v->v[n - 1], v->v[i]) == 0)
			free(v->v[i]);
		else
			v->v[n++] = v->v[i];
	}
	v->n = n;
}

bool
mlb_strvec_has(const struct mlb_strvec *v, const char *s)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->v[i], s) == 0)
			return true;
	return false;
}
