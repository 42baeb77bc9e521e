/* What differs between two action texts, in lines for people. */
#include <string.h>

#include "base/buf.h"
#include "graph/action.h"

enum { MAX_TEXT = 1 << 20 };
#define MAX_SHOWN 60 /* characters of each side of a changed text */

static bool
is_one_of(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

static bool
is_inside_char(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80; /* of a UTF-8 character */
}

/* A part of a text, cut in the middle if it is long. */
static void
add_part(struct mlb_buf *out, const char *s, size_t len)
{
	size_t cut = MAX_SHOWN;

	mlb_buf_addc(out, '\'');
	if (len <= MAX_SHOWN + 3) {
		mlb_buf_add(out, s, len);
	} else {
		while (cut > 0 && is_inside_char(s[cut]))
			cut--;
		mlb_buf_add(out, s, cut);
		mlb_buf_adds(out, "...");
	}
	mlb_buf_addc(out, '\'');
}

/* Only the words that differ: "'--C 1.0' -> '--C 0.1'". */
static void
add_change(struct mlb_buf *out, const char *a, const char *b)
{
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);
	size_t from = 0;
	size_t same = 0;

	while (from < a_len && from < b_len && a[from] == b[from])
		from++;
	while (from > 0 && a[from - 1] != ' ')
		from--;
	while (same < a_len - from && same < b_len - from &&
	       a[a_len - 1 - same] == b[b_len - 1 - same])
		same++;
	while (same > 0 && a[a_len - same] != ' ')
		same--;
	add_part(out, a + from, a_len - same - from);
	mlb_buf_adds(out, " -> ");
	add_part(out, b + from, b_len - same - from);
}

static void
add_values(struct mlb_buf *out, const struct mlb_action_line *a, const struct mlb_action_line *b)
{
	if (!a->value)
		mlb_buf_adds(out, "unset");
	if (!b->value) {
		mlb_buf_adds(out, "is unset now");
		return;
	}
	if (!a->value) {
		mlb_buf_adds(out, " -> ");
		add_part(out, b->value, strlen(b->value));
		return;
	}
	add_change(out, a->value, b->value);
}

static void
add_name(struct mlb_buf *out, const struct mlb_action_line *l)
{
	mlb_buf_adds(out, l->type);
	if (*l->name != '\0') {
		mlb_buf_addc(out, ' ');
		if (strcmp(l->type, "fingerprint") == 0)
			add_part(out, l->name, strlen(l->name));
		else
			mlb_buf_adds(out, l->name);
	}
}

/* Is there anything to tell? */
static bool
differs(const struct mlb_action_line *a, const struct mlb_action_line *b)
{
	if (!a->value || !b->value)
		return a->value != b->value;
	return strcmp(a->value, b->value) != 0 || strcmp(a->kind, b->kind) != 0;
}

static void
add_changed(struct mlb_buf *out, const struct mlb_action_line *a, const struct mlb_action_line *b)
{
	static const char *const shown[] = { "command", "stage", "arg",   "dir", "shell",
					     "env",     "param", "stamp", "salt" };
	bool same_value = a->value && b->value && strcmp(a->value, b->value) == 0;

	add_name(out, b);
	if (is_one_of(b->type, shown, MLB_ARRAY_LEN(shown))) {
		mlb_buf_adds(out, ": ");
		add_values(out, a, b);
	} else if (strcmp(a->kind, b->kind) != 0 && same_value) {
		mlb_buf_addf(out, " was %s %s, is %s %s now",
			     strcmp(a->kind, "exec") == 0 ? "an" : "a", a->kind,
			     strcmp(b->kind, "exec") == 0 ? "an" : "a", b->kind);
	} else {
		mlb_buf_adds(out, " changed");
	}
}

/* A parameter or variable that differs says more than the command that it stands in. */
static bool
is_cause(const struct mlb_action_line *l)
{
	return strcmp(l->type, "param") == 0 || strcmp(l->type, "env") == 0;
}

static void
tell(mlb_action_change_fn *fn, void *ctx, const struct mlb_action_line *old,
     const struct mlb_action_line *new)
{
	const struct mlb_action_line *l = new ? new : old;
	struct mlb_buf text = MLB_BUF_INIT(MAX_TEXT);
	struct mlb_action_change c = {
		.type = l->type,
		.name = l->name,
		.old_kind = old ? old->kind : "",
		.kind = new ? new->kind : "",
		.old_value = old ? old->value : NULL,
		.value = new ? new->value : NULL,
		.was = old != NULL,
		.is = new != NULL,
	};

	if (old && new && !differs(old, new))
		return;
	if (old && new) {
		add_changed(&text, old, new);
	} else {
		add_name(&text, l);
		mlb_buf_adds(&text, new ? " is new" : " is gone");
	}
	c.text = mlb_buf_str(&text);
	fn(ctx, &c);
	mlb_buf_release(&text);
}

void
mlb_action_changes(const char *old_text, const char *new_text, mlb_action_change_fn *fn, void *ctx)
{
	struct mlb_action_lines a, b;

	mlb_action_read(&a, old_text);
	mlb_action_read(&b, new_text);
	for (int causes = 1; causes >= 0; causes--) {
		for (uint32_t i = 0; i < b.map.n; i++) {
			const struct mlb_action_line *l = b.map.entry[i].u.ptr;

			if (is_cause(l) == (causes == 1))
				tell(fn, ctx, mlb_strmap_get(&a.map, b.map.entry[i].key), l);
		}
		for (uint32_t i = 0; i < a.map.n; i++) {
			const struct mlb_action_line *l = a.map.entry[i].u.ptr;

			if (is_cause(l) == (causes == 1) &&
			    !mlb_strmap_get(&b.map, a.map.entry[i].key))
				tell(fn, ctx, l, NULL);
		}
	}
	mlb_action_lines_release(&a);
	mlb_action_lines_release(&b);
}

static void
add_line(void *ctx, const struct mlb_action_change *c)
{
	struct mlb_buf *out = ctx;

	mlb_buf_adds(out, c->text);
	mlb_buf_addc(out, '\n');
}

void
mlb_action_diff(struct mlb_buf *out, const char *old_text, const char *new_text)
{
	mlb_action_changes(old_text, new_text, add_line, out);
}
