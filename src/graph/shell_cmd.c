/* Commands and their words: the part of shell_lex.c that knows which words are programs. */
#include <string.h>

#include "graph/shell_lex.h"
#include "graph/shell_names.h"

/* ------------------------------------------------------------ what is interpreted */

/* Is the value of this assignment interpreted by the shell later? */
static bool
assigns_code(const char *word, unsigned len)
{
	static const char *const names[] = { "BASH_ENV=", "ENV=", "PROMPT_COMMAND=", "PS4=" };

	for (size_t i = 0; i < MLB_ARRAY_LEN(names); i++)
		if (len >= strlen(names[i]) && memcmp(word, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* NAME=…, as far as the word goes. */
static bool
is_assignment(const struct mlb_shlex_cmd *c)
{
	unsigned i = 0;

	while (i < c->word_len && ((c->word[i] >= 'a' && c->word[i] <= 'z') ||
				   (c->word[i] >= 'A' && c->word[i] <= 'Z') || c->word[i] == '_' ||
				   (i > 0 && c->word[i] >= '0' && c->word[i] <= '9')))
		i++;
	return i > 0 && i < c->word_len && c->word[i] == '=';
}

/* Does this option of an interpreter give a program: a letter in it, or if `ends` its last one? */
static bool
gives_code(const struct mlb_shlex_cmd *c, const char *word, bool ends)
{
	static const char *const names[] = { "--command",    "--eval",  "--execute",
					     "--expression", "--print", "--run" };
	static const char split[] = "--split-string"; /* of env */
	size_t len = strcspn(word, "=");

	if (word[0] != '-' && word[0] != '+')
		return false;
	if (word[1] != '-')
		return strchr(word, 'c') ||
		       strpbrk(ends ? word + len - 1 : word, c->long_too ? "eEprS" : "eES");
	if (len == strlen(split) && memcmp(word, split, len) == 0)
		return true;
	for (size_t i = 0; c->long_too && i < MLB_ARRAY_LEN(names); i++)
		if (strlen(names[i]) == len && memcmp(word, names[i], len) == 0)
			return true;
	return false;
}

static bool
one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

bool
mlb_shlex_interpreted(const struct mlb_shlex_cmd *c)
{
	char word[MLB_SHLEX_WORD];

	memcpy(word, c->word, c->word_len);
	word[c->word_len] = '\0';
	if (c->code || c->all_code || c->in_test || c->bracket || c->runs)
		return true;
	if (assigns_code(word, c->word_len))
		return true;
	if (c->program && !c->value &&
	    !(c->program == MLB_SHELL_AWK && word[0] == '-' && one_of(word[1], "Fv")))
		return true;
	if (c->text && c->interpreter && !c->script)
		return true; /* sh <<<… */
	return c->interpreter && gives_code(c, word, false);
}

/* ------------------------------------------------------------ words */

/* An unquoted expansion may come to nothing, and the next word takes its place. */
static bool
may_vanish(const struct mlb_shlex_cmd *c)
{
	return c->expanded && !c->quoted;
}

/* The program of awk or sed is the first word that is no option, unless -e or -f gave it. */
static void
seek_program(struct mlb_shlex_cmd *c)
{
	bool option = c->word[0] == '-' && c->word[1] != '\0';
	char last = c->word_len == 2 && option ? c->word[1] : '\0';

	if (last == 'f' || (!option && !c->value && !may_vanish(c)))
		c->program = 0;
	if (last == 'e')
		c->code = true;
	c->value = one_of(last, c->program == MLB_SHELL_AWK ? "Fvil" : "l");
}

/* Is the next word a program? Behind -c come other options, and their values, before it. */
static bool
code_follows(const struct mlb_shlex_cmd *c)
{
	bool option = c->word[0] == '-' || c->word[0] == '+';

	if (c->interpreter && gives_code(c, c->word, true) && !strchr(c->word, '='))
		return true;
	if (c->variable && strcmp(c->word, "-v") == 0)
		return true;
	return c->code && (option || c->option_value || may_vanish(c));
}

static void
classify(struct mlb_shlex *lx, struct mlb_shlex_cmd *c)
{
	const char *slash = strrchr(c->word, '/');
	unsigned traits = mlb_shell_traits(slash ? slash + 1 : c->word);
	bool option = c->word[0] == '-' || c->word[0] == '+';
	bool first = !c->named && !is_assignment(c);

	c->code = code_follows(c);
	c->option_value = c->code && option && one_of(c->word[c->word_len - 1], "oO");
	if (c->program)
		seek_program(c);
	if (traits & MLB_SHELL_INTERPRETER)
		c->script = false;
	else if (c->interpreter && !option && !is_assignment(c) && !may_vanish(c))
		c->script = true;
	c->interpreter = c->interpreter || (traits & MLB_SHELL_INTERPRETER) ||
			 c->word_len + 1 == MLB_SHLEX_WORD || (first && c->expanded);
	c->long_too = c->long_too || (traits & MLB_SHELL_LONG);
	c->variable = c->variable || (traits & MLB_SHELL_VARIABLE);
	c->all_code = c->all_code || (traits & MLB_SHELL_CODE);
	c->prefix = c->prefix || (traits & MLB_SHELL_PREFIX);
	c->named = c->named || (first && !c->prefix && !(traits & MLB_SHELL_KEYWORD));
	lx->lost = lx->lost || (traits & MLB_SHELL_DECLARES);
	if (traits & (MLB_SHELL_AWK | MLB_SHELL_SED))
		c->program = traits & (MLB_SHELL_AWK | MLB_SHELL_SED);
	if (strcmp(c->word, "[[") == 0)
		c->in_test = true;
	else if (strcmp(c->word, "]]") == 0)
		c->in_test = false;
	else if (strcmp(c->word, "case") == 0 && lx->n_cmd > 0)
		lx->lost = true; /* patterns have a ')' of their own */
}

void
mlb_shlex_word_add(struct mlb_shlex *lx, char ch)
{
	struct mlb_shlex_cmd *c = &lx->cmd[lx->n_cmd];

	c->in_word = true;
	if (c->word_len + 1 < MLB_SHLEX_WORD)
		c->word[c->word_len++] = ch;
}

void
mlb_shlex_word_end(struct mlb_shlex *lx)
{
	struct mlb_shlex_cmd *c = &lx->cmd[lx->n_cmd];

	if (!c->in_word)
		return;
	c->word[c->word_len] = '\0';
	if (!c->redirect)
		classify(lx, c);
	c->redirect = c->text = c->in_word = c->expanded = c->quoted = c->bracket = false;
	c->word_len = 0;
}

void
mlb_shlex_command_end(struct mlb_shlex *lx)
{
	struct mlb_shlex_cmd *c = &lx->cmd[lx->n_cmd];
	bool in_test, runs;

	mlb_shlex_word_end(lx);
	in_test = c->in_test; /* && and || stand inside [[ … ]] too */
	runs = c->runs;
	memset(c, 0, sizeof(*c));
	c->in_test = in_test;
	c->runs = runs;
}

void
mlb_shlex_enter(struct mlb_shlex *lx, bool in_word)
{
	struct mlb_shlex_cmd *c = &lx->cmd[lx->n_cmd];
	bool runs = in_word && !c->redirect && !c->named && !is_assignment(c);

	if (!in_word)
		mlb_shlex_command_end(lx);
	if (lx->n_cmd + 1 == MLB_SHLEX_CMDS) {
		lx->lost = true;
		return;
	}
	c = &lx->cmd[++lx->n_cmd];
	memset(c, 0, sizeof(*c));
	c->start = true;
	c->runs = runs;
}

void
mlb_shlex_leave(struct mlb_shlex *lx)
{
	mlb_shlex_command_end(lx);
	if (lx->n_cmd > 0)
		lx->n_cmd--;
}
