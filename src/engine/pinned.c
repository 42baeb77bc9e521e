#include "engine/pinned.h"

#include <string.h>

#include "base/hex.h"

enum { MAX_ACTION = 256 << 20 };

struct load {
	struct mlb_pinned *out;
	struct mlb_project *p;
	const char *commit, *run;
	bool of_run; /* this pass takes those of the run */
	struct mlb_buf text;
};

static void
set(struct load *l, const char *path, size_t len, uint8_t kind, const struct mlb_digest *digest,
    uint64_t size)
{
	const char *key = mlb_arena_strndup(&l->out->arena, path, len);
	struct mlb_now *now = mlb_arena_alloc(&l->out->arena, sizeof(*now));

	*now = (struct mlb_now){ *digest, size, kind };
	mlb_strmap_set(&l->out->path, key, now);
}

/* A field as it was before it was written (graph/action.c), in place; its length. */
static size_t
unescape(char *s)
{
	size_t n = 0;

	for (size_t i = 0; s[i]; i++) {
		unsigned char c;

		if (s[i] == '\\' && s[i + 1] == 'x' && mlb_hex_decode(&c, s + i + 2, 1)) {
			s[n++] = (char)c;
			i += 3;
		} else {
			s[n++] = s[i];
		}
	}
	s[n] = '\0';
	return n;
}

/* "input KIND PATH DIGEST" */
static void
take_input(struct load *l, const char *line, size_t len)
{
	static const struct {
		const char *word;
		uint8_t kind;
	} kinds[] = { { "file ", MLB_O_FILE }, { "exec ", MLB_O_EXEC }, { "tree ", MLB_O_TREE } };
	struct mlb_digest d;
	size_t n;

	if (len < MLB_HEX_LEN + 6 || line[len - MLB_HEX_LEN - 1] != ' ' ||
	    !mlb_digest_parse(&d, line + len - MLB_HEX_LEN, MLB_HEX_LEN))
		return;
	for (size_t i = 0; i < MLB_ARRAY_LEN(kinds); i++) {
		char *path;

		if (strncmp(line, kinds[i].word, 5) != 0)
			continue;
		path = mlb_arena_strndup(&l->out->arena, line + 5, len - 5 - MLB_HEX_LEN - 1);
		n = unescape(path);
		if (!mlb_strmap_find(&l->out->path, path, n) || l->of_run)
			set(l, path, n, kinds[i].kind, &d, 0);
	}
}

static void
take_inputs(struct load *l, const struct mlb_digest *key)
{
	mlb_buf_clear(&l->text);
	if (mlb_cas_read(l->p->cas, &l->text, key, NULL))
		return;
	for (const char *s = mlb_buf_str(&l->text); *s;) {
		size_t len = strcspn(s, "\n");

		if (strncmp(s, "input ", 6) == 0)
			take_input(l, s + 6, len - 6);
		s += len + (s[len] == '\n');
	}
}

static int
take_record(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct load *l = ctx;
	bool of_run = l->run && strcmp(r->run, l->run) == 0;

	(void)err;
	if (of_run != l->of_run || (!of_run && strcmp(r->pin, l->commit) != 0))
		return 0;
	take_inputs(l, &r->key);
	for (uint32_t i = 0; i < r->n_outputs; i++)
		set(l, r->output[i].path, strlen(r->output[i].path), r->output[i].kind,
		    &r->output[i].digest, r->output[i].size);
	return 0;
}

int
mlb_pinned_load(struct mlb_pinned *out, struct mlb_project *p, const char *commit, const char *run,
		struct mlb_err *err)
{
	struct load l = {
		.out = out, .p = p, .commit = commit, .run = run, .text = MLB_BUF_INIT(MAX_ACTION)
	};
	int rc = mlb_project_cache(p, err);

	if (rc == 0)
		rc = mlb_results_each(p->results, take_record, &l, err);
	l.of_run = true;
	if (rc == 0 && run)
		rc = mlb_results_each(p->results, take_record, &l, err);
	mlb_buf_release(&l.text);
	return rc;
}

void
mlb_pinned_release(struct mlb_pinned *pinned)
{
	mlb_strmap_release(&pinned->path);
	mlb_arena_release(&pinned->arena);
}

/* ---------------------------------------------------------- parameters */

struct params {
	struct mlb_strvec *out;
	const char *run;
	const struct mlb_digest *made;
};

static bool
is_meant(const struct params *s, const struct mlb_result *r)
{
	if (s->run)
		return strcmp(r->run, s->run) == 0;
	for (uint32_t i = 0; i < r->n_outputs; i++)
		if (mlb_digest_equal(&r->output[i].digest, s->made))
			return true;
	return false;
}

static int
take_params(void *ctx, const struct mlb_result *r, struct mlb_err *err)
{
	struct params *s = ctx;

	(void)err;
	if (!is_meant(s, r))
		return 0;
	for (const char *line = r->params; *line;) {
		size_t len = strcspn(line, "\n");
		char *text = mlb_strndup(line, len);

		mlb_vec_push(s->out, text);
		line += len + (line[len] == '\n');
	}
	return 1; /* all records of a run have the same */
}

int
mlb_pinned_params(struct mlb_strvec *out, struct mlb_project *p, const char *run,
		  const struct mlb_digest *made, struct mlb_err *err)
{
	struct params s = { out, run, made };
	int rc = mlb_project_cache(p, err);

	if (rc == 0)
		rc = mlb_results_each(p->results, take_params, &s, err);
	return rc < 0 ? rc : 0;
}
