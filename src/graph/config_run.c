/*
 * A command over several lines that was meant to be one.
 */
#include <string.h>

#include "graph/config_int.h"
#include "graph/shell_lex.h"

/* Does a line below this '\n' begin with '-', and does the one that it ends not continue? */
static bool
looks_lost(const char *run, const char *newline)
{
	const char *next = newline + 1 + strspn(newline + 1, " \t");

	return *next == '-' && newline > run && newline[-1] != '\\';
}

static bool
any_looks_lost(const char *run)
{
	for (const char *p = strchr(run, '\n'); p; p = strchr(p + 1, '\n'))
		if (looks_lost(run, p))
			return true;
	return false;
}

/* Inside of quotes, here-documents and the like such a line is ordinary text. */
unsigned
mlb_lost_continuation(const char *run)
{
	struct mlb_shlex lx;
	unsigned line = 0;

	if (!any_looks_lost(run))
		return 0;
	mlb_shlex_init(&lx);
	for (const char *p = run; *p; p++) {
		const char *close;

		if (p[0] == '$' && p[1] == '{' && (close = strchr(p, '}')) != NULL) {
			mlb_shlex_ref(&lx);
			p = close;
			continue;
		}
		mlb_shlex_feed(&lx, p);
		if (*p != '\n')
			continue;
		line++;
		if (looks_lost(run, p) && mlb_shlex_ctx(&lx) == MLB_CTX_BARE)
			return line;
	}
	return 0;
}
