#include "engine/grid.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/strmap.h"
#include "base/text.h"
#include "graph/config.h"

enum { MAX_COMBINATIONS = 100000 };

/* ---------------------------------------------------------- reading */

static int
push_unique(struct mlb_axis *a, struct mlb_strmap *seen, size_t from, struct mlb_err *err)
{
	for (size_t i = from; i < a->value.n; i++) {
		bool is_new;

		mlb_strmap_add(seen, a->value.v[i], strlen(a->value.v[i]), &is_new);
		if (!is_new)
			return mlb_err_set(err, MLB_EINVALID,
					   "-p %s: the value '%s' is given twice", a->name,
					   a->value.v[i]);
	}
	return 0;
}

/* "0.1..0.5": nobody can say how many steps that has. */
static bool
looks_like_numbers(const char *word)
{
	const char *dots = strstr(word, "..");

	return dots && dots > word && dots[2] && dots[2] != '.' &&
	       strspn(word, "0123456789.eE+-") == strlen(word);
}

static int
add_plain(struct mlb_axis *a, const char *word, struct mlb_err *err)
{
	bool is;
	int rc = mlb_range_values(&a->value, word, a->name, &is, err);

	if (rc || is)
		return rc;
	if (looks_like_numbers(word))
		return mlb_err_set(err, MLB_EINVALID,
				   "-p %s: '%s' is a range of neither whole numbers (1..5) nor days "
				   "(2024-01-01..2024-03-31): write the values out, with commas",
				   a->name, word);
	mlb_strvec_push(&a->value, word);
	return 0;
}

/* One value from *s on, up to a comma that is not in quotes, unquoted into w. False: a quote is left open. */
static bool
cut_value(const char **s, char *w, bool *quoted)
{
	const char *p = *s;
	char quote = '\0';

	*quoted = false;
	for (; *p && (quote || *p != ','); p++) {
		if (quote ? *p == quote : (*p == '\'' || *p == '"')) {
			quote = quote ? '\0' : *p;
			*quoted = true;
		} else {
			*w++ = *p;
		}
	}
	*w = '\0';
	*s = p;
	return !quote;
}

static int
read_values(struct mlb_axis *a, const char *s, struct mlb_err *err)
{
	char *word = mlb_alloc(strlen(s) + 1);
	struct mlb_strmap seen = MLB_STRMAP_INIT;
	bool more = true, single = !strchr(s, ',');
	int rc = 0;

	while (more && rc == 0) {
		bool quoted;
		size_t from = a->value.n;

		if (!cut_value(&s, word, &quoted))
			rc = mlb_err_set(err, MLB_EINVALID, "-p %s: a quote is not closed",
					 a->name);
		else if (!*word && !quoted && !single)
			rc = mlb_err_set(
				err, MLB_EINVALID,
				"-p %s: a value is missing beside a comma: write '' for an empty one",
				a->name);
		else if (quoted || !*word)
			mlb_strvec_push(&a->value, word);
		else
			rc = add_plain(a, word, err);
		if (rc == 0)
			rc = push_unique(a, &seen, from, err);
		more = *s == ',';
		s += more;
	}
	mlb_strmap_release(&seen);
	free(word);
	return rc;
}

static int
add_axis(struct mlb_grid *g, const char *text, struct mlb_err *err)
{
	const char *eq = strchr(text, '=');
	struct mlb_axis a = { 0 };

	if (!eq || eq == text)
		return mlb_err_set(err, MLB_EINVALID,
				   "-p '%s' is neither NAME=VALUE,VALUE nor @FILE", text);
	a.name = mlb_strndup(text, (size_t)(eq - text));
	mlb_vec_push(&g->axis, a);
	for (size_t i = 0; i + 1 < g->axis.n; i++)
		if (strcmp(g->axis.v[i].name, a.name) == 0)
			return mlb_err_set(
				err, MLB_EINVALID,
				"-p %s is given twice: give all of its values at once, with commas",
				a.name);
	return read_values(&g->axis.v[g->axis.n - 1], eq + 1, err);
}

int
mlb_grid_parse(struct mlb_grid *out, const char *const *param, size_t n, struct mlb_err *err)
{
	int rc = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (param[i][0] == '@')
			mlb_strvec_push(&out->file, param[i]);
		else
			rc = add_axis(out, param[i], err);
	}
	if (rc == 0 && !out->axis.n)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "a sweep needs values: give '-p NAME=VALUE,VALUE' at least once");
	out->total = 1;
	for (size_t i = 0; i < out->axis.n && rc == 0; i++) {
		if (out->total > UINT64_MAX / out->axis.v[i].value.n)
			rc = mlb_err_set(err, MLB_EINVALID,
					 "there are more combinations than can be counted");
		else
			out->total *= out->axis.v[i].value.n;
	}
	return rc;
}

void
mlb_grid_release(struct mlb_grid *g)
{
	for (size_t i = 0; i < g->axis.n; i++) {
		free(g->axis.v[i].name);
		mlb_strvec_release(&g->axis.v[i].value);
	}
	mlb_vec_release(&g->axis);
	mlb_strvec_release(&g->file);
}

/* ---------------------------------------------------------- choosing */

/* SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014). */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Each number below n as likely as any other: what is above the last multiple of n is drawn again. */
static uint64_t
random_below(uint64_t *state, uint64_t n)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % n, v;

	do
		v = next_random(state);
	while (v >= limit);
	return v % n;
}

/* Floyd's sample without repeats (Bentley, Floyd: "A Sample of Brilliance", 1987), as it is drawn. */
static void
draw(uint64_t total, size_t n, uint64_t seed, uint64_t *out)
{
	struct mlb_strmap seen = MLB_STRMAP_INIT;
	uint64_t *key = mlb_alloc((n + 1) * sizeof(*key));

	for (size_t i = 0; i < n; i++) {
		uint64_t last = total - n + i;
		bool is_new;

		key[i] = random_below(&seed, last + 1);
		mlb_strmap_add(&seen, (const char *)&key[i], sizeof(key[i]), &is_new);
		if (!is_new) {
			key[i] = last;
			mlb_strmap_add(&seen, (const char *)&key[i], sizeof(key[i]), NULL);
		}
		out[i] = key[i];
	}
	mlb_strmap_release(&seen);
	free(key);
}

int
mlb_grid_choose(const struct mlb_grid *g, uint64_t random, uint64_t seed, uint64_t **out, size_t *n,
		struct mlb_err *err)
{
	uint64_t want = random && random < g->total ? random : g->total;

	*out = NULL;
	*n = 0;
	if (want > MAX_COMBINATIONS)
		return mlb_err_set(err, MLB_EINVALID,
				   "that makes %llu combinations: at most %d are built at once; "
				   "--random N draws some of them",
				   (unsigned long long)want, MAX_COMBINATIONS);
	*n = (size_t)want;
	*out = mlb_alloc((*n + 1) * sizeof(**out));
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = i;
	if (want < g->total)
		draw(g->total, *n, seed, *out);
	return 0;
}

/* Which value of axis i the combination has: the last axis varies fastest. */
const char *
mlb_grid_value(const struct mlb_grid *g, uint64_t number, size_t i)
{
	for (size_t k = g->axis.n; k-- > i + 1;)
		number /= g->axis.v[k].value.n;
	return g->axis.v[i].value.v[number % g->axis.v[i].value.n];
}

void
mlb_grid_params(const struct mlb_grid *g, uint64_t number, struct mlb_strvec *out)
{
	for (size_t i = 0; i < g->file.n; i++)
		mlb_strvec_push(out, g->file.v[i]);
	for (size_t i = 0; i < g->axis.n; i++) {
		char *one = mlb_asprintf("%s=%s", g->axis.v[i].name, mlb_grid_value(g, number, i));

		mlb_strvec_push(out, one);
		free(one);
	}
}

void
mlb_grid_label(const struct mlb_grid *g, uint64_t number, struct mlb_buf *out)
{
	for (size_t i = 0; i < g->axis.n; i++) {
		mlb_buf_addf(out, "%s%s=", i ? " " : "", g->axis.v[i].name);
		mlb_add_shell_word(out, mlb_grid_value(g, number, i));
	}
}
