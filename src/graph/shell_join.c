#include "graph/shell_lex.h"

void
mlb_shell_join(struct mlb_buf *out, const char *text)
{
	struct mlb_shlex lx;

	mlb_shlex_init(&lx);
	while (*text != '\0') {
		enum mlb_ref_ctx ctx = mlb_shlex_ctx(&lx);
		bool quoted = ctx == MLB_CTX_SINGLE || ctx == MLB_CTX_UNKNOWN;

		if (text[0] == '\\' && text[1] == '\n' && !lx.skip && !quoted) {
			text += 2;
			continue;
		}
		if (text[0] == '$' && text[1] == '{') {
			mlb_shlex_brace(&lx);
			mlb_buf_adds(out, "${");
			text += 2;
			continue;
		}
		mlb_shlex_feed(&lx, text);
		mlb_buf_addc(out, *text++);
	}
}
