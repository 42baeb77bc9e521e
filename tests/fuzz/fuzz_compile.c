/* Any mlbuild.ini is compiled or refused; what is compiled passes the check of graphs that are read from files. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An empty directory, so that globs and includes find nothing. */
static const char *
empty_dir(void)
{
	static char dir[] = "/tmp/mlbuild-fuzz.XXXXXX";
	static bool made;

	if (!made && !mkdtemp(dir))
		abort();
	made = true;
	return dir;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_compile in = { empty_dir(), NULL, NULL, NULL };
	struct mlb_config *config = NULL;
	struct mlb_graph *g = NULL;

	if (size > 4096)
		return 0;
	if (mlb_config_parse(&config, in.root, (const char *)data, size, NULL) < 0)
		return 0;
	in.config = config;
	if (mlb_graph_compile(&g, &in, NULL) == 0 && mlb_graph_check(g))
		abort();
	mlb_graph_free(g);
	mlb_config_free(config);
	return 0;
}
