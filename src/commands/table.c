#include <string.h>

#include "base/nearest.h"
#include "commands/cmd.h"

/* In alphabetical order. */
const struct cmd *const cmd_table[] = {
	&cmd_complete, /* __complete */
	&cmd_add,      &cmd_adopt,      &cmd_apply,  &cmd_build,     &cmd_cat,    &cmd_checkout,
	&cmd_clean,    &cmd_completion, &cmd_diff,   &cmd_doctor,    &cmd_du,     &cmd_experiments,
	&cmd_fetch,    &cmd_fsck,       &cmd_gc,     &cmd_graph,     &cmd_help,   &cmd_init,
	&cmd_key,      &cmd_log,        &cmd_ls,     &cmd_metrics,   &cmd_params, &cmd_pins,
	&cmd_pull,     &cmd_push,       &cmd_remote, &cmd_reproduce, &cmd_show,   &cmd_stage,
	&cmd_status,   &cmd_sweep,      &cmd_update, &cmd_version,   &cmd_why,    NULL,
};

const struct cmd_option cmd_common_options[] = {
	{ "color", NULL },   { "directory", NULL }, { "help", NULL },
	{ "version", NULL }, CMD_OPTIONS_END,
};

const struct cmd *
cmd_find(const char *name)
{
	for (const struct cmd *const *c = cmd_table; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

const char *
cmd_nearest(const char *word)
{
	const char *names[MLB_ARRAY_LEN(cmd_table)];
	size_t n = 0;

	for (const struct cmd *const *c = cmd_table; *c; c++)
		if (!(*c)->hidden)
			names[n++] = (*c)->name;
	return mlb_nearest(word, names, n);
}

static bool
in_list(const struct cmd_option *list, const char *name)
{
	for (; list->name; list++)
		if (strcmp(list->name, name) == 0)
			return true;
	return false;
}

bool
cmd_takes(const struct cmd *cmd, const char *option)
{
	return in_list(cmd->option, option) || in_list(cmd_common_options, option);
}
