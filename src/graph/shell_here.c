/* Here-documents: the part of shell_lex.c that knows lines. */
#include <string.h>

#include "graph/shell_lex.h"

/* `p` stands behind "<<": remember what ends the document. */
void
mlb_shlex_here_begin(struct mlb_shlex *lx, const char *p)
{
	struct mlb_shlex_here *h;
	char quote = '\0';
	size_t len;

	if (lx->n_here == MLB_SHLEX_HERE) {
		lx->lost = true;
		return;
	}
	h = &lx->here[lx->n_here];
	h->tabs = *p == '-';
	if (h->tabs)
		p++;
	while (*p == ' ' || *p == '\t')
		p++;
	if (*p == '\'' || *p == '"')
		quote = *p++;
	len = quote ? strcspn(p, "'\"\\$`\n") : strcspn(p, " \t\n;&|<>()'\"\\$`");
	if (len == 0 || len >= sizeof(h->delim) || (quote && p[len] != quote)) {
		lx->lost = true;
		return;
	}
	memcpy(h->delim, p, len);
	h->delim[len] = '\0';
	p += len + (quote ? 1 : 0);
	if (*p != '\0' && !strchr(" \t\n;&|<>()", *p)) {
		lx->lost = true; /* a delimiter in several parts */
		return;
	}
	lx->n_here++;
}

static bool
here_line_ends(const struct mlb_shlex_here *h, const char *line)
{
	size_t len = strlen(h->delim);

	while (h->tabs && *line == '\t')
		line++;
	return strncmp(line, h->delim, len) == 0 && (line[len] == '\n' || line[len] == '\0');
}

bool
mlb_shlex_here_feed(struct mlb_shlex *lx, const char *p)
{
	if (p == lx->line)
		lx->here_end = here_line_ends(&lx->here[0], p);
	if (*p != '\n')
		return false;
	if (p > lx->line && p[-1] == '\\') {
		lx->lost = true; /* sh and bash do not agree where such a line ends */
		return false;
	}
	lx->line = p + 1;
	if (!lx->here_end)
		return false;
	lx->here_end = false;
	lx->n_here--;
	memmove(&lx->here[0], &lx->here[1], lx->n_here * sizeof(lx->here[0]));
	return lx->n_here == 0;
}

const char *
mlb_shlex_here_end(const struct mlb_shlex *lx)
{
	const struct mlb_shlex_here *h = &lx->here[0];
	const char *line = lx->line;
	size_t i;

	if (lx->lost || !lx->in_here)
		return NULL;
	while (h->tabs && *line == '\t')
		line++;
	for (i = 0; h->delim[i] != '\0' && line[i] == h->delim[i]; i++)
		;
	return line[i] == '$' && line[i + 1] == '{' ? h->delim : NULL;
}
