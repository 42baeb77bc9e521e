#include "commands/foreign.h"

#include <string.h>

#include "base/alloc.h"

static const struct {
	const char *word, *whose, *ours;
} foreign[] = {
	{ "all", "make", "'mlbuild' alone builds the default targets" },
	{ "commit", "DVC", "'mlbuild adopt TARGET' takes outputs as they are" },
	{ "dag", "DVC", "'mlbuild graph' shows it" },
	{ "exec", "other tools", "'mlbuild TARGET' builds it" },
	{ "exp", "DVC", "'mlbuild -p NAME=VALUE TARGET' builds a variant" },
	{ "freeze", "DVC", "'frozen = yes' in mlbuild.ini does that" },
	{ "get", "DVC", "'mlbuild checkout --rev REV TARGET' takes outputs of a commit" },
	{ "info", "other tools", "'mlbuild show TARGET' tells what is known of one" },
	{ "list", "other tools", "'mlbuild ls' lists targets" },
	{ "make", "other tools", "'mlbuild' builds the default targets, 'mlbuild TARGET' one" },
	{ "remove", "DVC", "'mlbuild clean TARGET' removes outputs; targets are in mlbuild.ini" },
	{ "repro", "DVC", "'mlbuild' builds the default targets, 'mlbuild TARGET' one" },
	{ "rm", "other tools", "'mlbuild clean TARGET' removes outputs" },
	{ "run", "other tools", "'mlbuild' builds the default targets, 'mlbuild TARGET' one" },
	{ "targets", "other tools", "'mlbuild ls' lists them" },
	{ "test", "other tools", "'mlbuild check' runs the checks" },
};

void
foreign_hint(struct app *app)
{
	const char *word = app->word[0];
	const char *near;

	if (app->hint)
		return;
	for (size_t i = 0; i < MLB_ARRAY_LEN(foreign); i++) {
		if (strcmp(foreign[i].word, word) == 0) {
			app->hint = mlb_asprintf("'%s' is a word of %s; here %s", word,
						 foreign[i].whose, foreign[i].ours);
			return;
		}
	}
	near = cmd_nearest(word);
	if (near)
		app->hint = mlb_asprintf("the nearest command is 'mlbuild %s'", near);
}
