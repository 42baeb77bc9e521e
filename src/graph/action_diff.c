/* What differs between two action texts, in lines for people. */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strmap.h"
#include "graph/action.h"

enum { MAX_TEXT = 1 << 20 };
#define MAX_SHOWN 60 /* characters of each side of a changed text */

/* One line of an action text, cut. */
struct line {
	const char *type;
	const char *name;  /* what it is about; "" where there is one line of the type */
	const char *kind;  /* input, output: file, exec, tree, … */
	const char *value; /* digest or text; NULL: unset */
};

struct text {
	struct mlb_arena arena;
	struct mlb_strmap map; /* type and name -> struct line * */
};

/* ------------------------------------------------------------ reading */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A field as it was; line feeds as \n, markers as ${…}, other control characters stay \xHH. */
static const char *
plain(struct mlb_arena *arena, const char *s, size_t len)
{
	char *out =
		mlb_arena_alloc(arena, len + 1); /* an escape is longer than what it stands for */
	bool mark = false;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool escape = s[i] == '\\' && len - i > 3 && s[i + 1] == 'x';
		int high = escape ? hex_digit(s[i + 2]) : -1;
		int low = escape ? hex_digit(s[i + 3]) : -1;
		int c = high < 0 || low < 0 ? -1 : high * 16 + low;

		if (c < 0 || (c < 0x20 && c != '\n' && c != MLB_MARK)) {
			out[n++] = s[i];
			continue;
		}
		i += 3;
		if (c == MLB_MARK) {
			mark = !mark;
			if (!mark && n >= 2 && out[n - 2] == '/')
				n -= 2; /* the quoting context */
			out[n++] = mark ? '$' : '}';
			if (mark)
				out[n++] = '{';
		} else if (c == '\n') {
			out[n++] = '\\';
			out[n++] = 'n';
		} else {
			out[n++] = (char)c;
		}
	}
	return mlb_arena_strndup(arena, out, n);
}

/* The next field of the line, up to a space; `last`: all that is left. */
static const char *
field(struct mlb_arena *arena, const char **p, const char *end, bool last)
{
	const char *space = last ? NULL : memchr(*p, ' ', (size_t)(end - *p));
	const char *stop = space ? space : end;
	const char *s = plain(arena, *p, (size_t)(stop - *p));

	*p = space ? space + 1 : end;
	return s;
}

static bool
is_one_of(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

static void
read_line(struct text *t, const char *p, const char *end)
{
	static const char *const named[] = { "arg", "env", "param" };
	struct line *l = mlb_arena_alloc(&t->arena, sizeof(*l));
	char *key;

	l->type = field(&t->arena, &p, end, false);
	l->name = l->kind = "";
	if (strcmp(l->type, "input") == 0) {
		l->kind = field(&t->arena, &p, end, false);
		l->name = field(&t->arena, &p, end, false);
		l->value = field(&t->arena, &p, end, true);
	} else if (strcmp(l->type, "output") == 0) {
		l->kind = field(&t->arena, &p, end, false);
		l->name = field(&t->arena, &p, end, true);
		l->value = "";
	} else if (strcmp(l->type, "fingerprint") == 0) {
		l->value = field(&t->arena, &p, end, false);
		l->name = field(&t->arena, &p, end, true);
	} else if (is_one_of(l->type, named, MLB_ARRAY_LEN(named))) {
		bool set = memchr(p, ' ', (size_t)(end - p)) != NULL;

		l->name = field(&t->arena, &p, end, false);
		l->value = set ? field(&t->arena, &p, end, true) : NULL;
	} else {
		l->value = field(&t->arena, &p, end, true);
	}
	key = mlb_arena_printf(&t->arena, "%s %s", l->type, l->name);
	mlb_strmap_set(&t->map, key, l);
}

static void
read_text(struct text *t, const char *s)
{
	memset(t, 0, sizeof(*t));
	while (*s != '\0') {
		size_t len = strcspn(s, "\n");

		if (len > 0)
			read_line(t, s, s + len);
		s += len;
		s += *s == '\n';
	}
}

static void
release(struct text *t)
{
	mlb_strmap_release(&t->map);
	mlb_arena_release(&t->arena);
}

/* ------------------------------------------------------------ writing */

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
add_values(struct mlb_buf *out, const struct line *a, const struct line *b)
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
add_name(struct mlb_buf *out, const struct line *l)
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
differs(const struct line *a, const struct line *b)
{
	if (!a->value || !b->value)
		return a->value != b->value;
	return strcmp(a->value, b->value) != 0 || strcmp(a->kind, b->kind) != 0;
}

static void
add_changed(struct mlb_buf *out, const struct line *a, const struct line *b)
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
is_cause(const struct line *l)
{
	return strcmp(l->type, "param") == 0 || strcmp(l->type, "env") == 0;
}

static void
tell(mlb_action_change_fn *fn, void *ctx, const struct line *old, const struct line *new)
{
	const struct line *l = new ? new : old;
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
	struct text a, b;

	read_text(&a, old_text);
	read_text(&b, new_text);
	for (int causes = 1; causes >= 0; causes--) {
		for (uint32_t i = 0; i < b.map.n; i++) {
			const struct line *l = b.map.entry[i].u.ptr;

			if (is_cause(l) == (causes == 1))
				tell(fn, ctx, mlb_strmap_get(&a.map, b.map.entry[i].key), l);
		}
		for (uint32_t i = 0; i < a.map.n; i++) {
			const struct line *l = a.map.entry[i].u.ptr;

			if (is_cause(l) == (causes == 1) &&
			    !mlb_strmap_get(&b.map, a.map.entry[i].key))
				tell(fn, ctx, l, NULL);
		}
	}
	release(&a);
	release(&b);
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
