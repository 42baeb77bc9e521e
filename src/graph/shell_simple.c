/* Commands that need no shell: nothing in them that it would act upon. */
#include <stdlib.h>
#include <string.h>

#include "graph/refs.h"
#include "graph/shell_names.h"

/* One word of plain and quoted parts; false: the shell would do something with it. */
static bool
simple_word(struct mlb_buf *word, const char **pp)
{
	const char *p = *pp;

	while (*p != '\0' && *p != ' ' && *p != '\t') {
		if (*p == '\'' || *p == '"') {
			const char *close = strchr(p + 1, *p);

			if (!close ||
			    (*p == '"' && strcspn(p + 1, "$`\\") < (size_t)(close - p - 1)))
				return false;
			mlb_buf_add(word, p + 1, (size_t)(close - p - 1));
			p = close + 1;
		} else if (strchr("\n\r;&|<>()$`\\*?[]{}~#!^", *p)) {
			return false;
		} else {
			mlb_buf_addc(word, *p++);
		}
	}
	*pp = p;
	return true;
}

bool
mlb_shell_simple(struct mlb_strvec *argv, const char *text)
{
	struct mlb_buf word = MLB_BUF_INIT(SIZE_MAX / 2);
	size_t before = argv->n;
	bool ok = true;

	for (;;) {
		text += strspn(text, " \t");
		if (*text == '\0')
			break;
		mlb_buf_clear(&word);
		ok = simple_word(&word, &text);
		if (ok && argv->n == before)
			ok = word.len > 0 && !strchr(mlb_buf_str(&word), '=') &&
			     !(mlb_shell_traits(mlb_buf_str(&word)) & MLB_SHELL_BUILTIN);
		if (!ok)
			break;
		mlb_strvec_push(argv, word.len > 0 ? mlb_buf_str(&word) : "");
	}
	mlb_buf_release(&word);
	if (ok && argv->n > before)
		return true;
	while (argv->n > before)
		free(argv->v[--argv->n]);
	return false;
}
