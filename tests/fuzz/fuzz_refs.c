/*
 * Text of commands: references, quoting, words, imports and globs. The pieces of a
 * value put together again are the value; nothing reads past its end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "graph/glob.h"
#include "graph/pyimport.h"
#include "graph/refs.h"
#include "graph/shell_lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
add_escaped(struct mlb_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '$' && i + 1 < len && s[i + 1] == '{')
			mlb_buf_addc(out, '$');
		mlb_buf_addc(out, s[i]);
	}
}

static void
check_value(const char *value, bool shell)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_pieces pieces = MLB_VEC_INIT;
	struct mlb_buf again = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_buf quoted = MLB_BUF_INIT(SIZE_MAX / 2);

	if (mlb_refs_parse(&pieces, &arena, value, shell, NULL) == 0) {
		for (size_t i = 0; i < pieces.n; i++) {
			const struct mlb_ref *r = pieces.v[i].ref;

			if (r) {
				mlb_buf_adds(&again, r->text);
				mlb_refs_quote(&quoted, (enum mlb_ref_ctx)r->ctx, &value, 1, NULL);
			} else {
				add_escaped(&again, pieces.v[i].text, pieces.v[i].len);
			}
		}
		if (strcmp(mlb_buf_str(&again), value) != 0)
			abort();
	}
	mlb_buf_release(&again);
	mlb_buf_release(&quoted);
	mlb_vec_release(&pieces);
	mlb_arena_release(&arena);
}

static void
check_words(const char *text)
{
	struct mlb_strvec words = MLB_VEC_INIT;
	struct mlb_strvec argv = MLB_VEC_INIT;
	struct mlb_buf joined = MLB_BUF_INIT(SIZE_MAX / 2);

	mlb_shell_words(&words, text, NULL);
	if (mlb_shell_simple(&argv, text) != (argv.n > 0))
		abort();
	mlb_shell_join(&joined, text);
	if (joined.len > strlen(text))
		abort();
	mlb_strvec_release(&words);
	mlb_strvec_release(&argv);
	mlb_buf_release(&joined);
}

static void
check_python(const uint8_t *data, size_t size)
{
	struct mlb_py_imports imports = MLB_VEC_INIT;
	struct mlb_arena arena = MLB_ARENA_INIT;
	char *exact = mlb_alloc(size ? size : 1); /* without a NUL behind it */

	if (size)
		memcpy(exact, data, size);
	mlb_py_parse(&imports, &arena, exact, size);
	free(exact);
	mlb_vec_release(&imports);
	mlb_arena_release(&arena);
}

/* The first line is a pattern, the rest a path. */
static void
check_glob(char *text)
{
	struct mlb_buf escaped = MLB_BUF_INIT(SIZE_MAX / 2);
	struct mlb_buf base = MLB_BUF_INIT(SIZE_MAX / 2);
	char *path = strchr(text, '\n');

	mlb_glob_base(&base, text);
	if (path)
		*path++ = '\0';
	if (path && *path && !strstr(path, "//") && *path != '/' && path[strlen(path) - 1] != '/') {
		mlb_glob_match(text, path);
		mlb_glob_escape(&escaped, path);
		if (!mlb_glob_match(mlb_buf_str(&escaped), path))
			abort();
	}
	mlb_buf_release(&escaped);
	mlb_buf_release(&base);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_ref ref;
	char *text;

	if (size > 4096)
		return 0;
	text = mlb_strndup((const char *)data, size);
	check_value(text, true);
	check_value(text, false);
	check_words(text);
	check_python(data, size);
	mlb_ref_target(&ref, &arena, text);
	check_glob(text);
	mlb_arena_release(&arena);
	free(text);
	return 0;
}
