/* Where git looks for hooks. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/vcs_git.h"

/* core.hooksPath, which counts from the root of the work tree, as git runs hooks there. */
static char *
configured(struct mlb_vcs *v, bool *is_own)
{
	git_buf path = { NULL, 0, 0 };
	git_config_entry *entry = NULL;
	git_config *config;
	char *dir = NULL;

	if (v->git.repository_config(&config, v->repo) < 0)
		return NULL;
	if (v->git.config_get_path(&path, config, "core.hookspath") == 0 && path.size)
		dir = path.ptr[0] == '/' ? mlb_strdup(path.ptr)
					 : mlb_asprintf("%s/%s", v->workdir, path.ptr);
	*is_own = v->git.config_get_entry(&entry, config, "core.hookspath") < 0 ||
		  entry->level >= GIT_CONFIG_LEVEL_LOCAL;
	if (entry)
		v->git.config_entry_free(entry);
	v->git.buf_dispose(&path);
	v->git.config_free(config);
	return dir;
}

char *
mlb_vcs_hooks(struct mlb_vcs *v, bool *is_own)
{
	char *dir;

	*is_own = true;
	dir = configured(v, is_own);
	if (dir)
		return dir;
	return mlb_asprintf("%shooks", v->git.repository_commondir(v->repo));
}

const char *
mlb_vcs_prefix(const struct mlb_vcs *v)
{
	return v->prefix;
}
