/*
 * A graph file that was tampered with: it is refused, or everything in it can be
 * used. The input is a list of changes to a real file, 6 bytes each: a place and
 * what to write there; the checksum is made right again.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "graph/action.h"
#include "graph/graph_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ini[] =
	"[project]\nname = p\ndefault = m\nexpose = .venv\n[params]\nseed = 7\n[pool db]\nslots = 2\n"
	"[dataset raw]\npath = raw.csv\n[check c]\nguards = raw\nrun = check ${raw}\n"
	"[dataset img]\nrun = x\nout = img/\n[feature aug]\neach = ${img}/*.jpg\nrun = x ${each} ${out}\nout = aug/${each:stem}\n"
	"[model m]\nmatrix.k = 1 2\nrun = x ${raw} ${aug:list} ${params:seed} ${scratch} ${out}\nout = m/${matrix:k}\n"
	"env.A = 1\nneeds = env:NONE_SUCH\nsecret = B\nfingerprint = cc --version\npool.db = 1\n";

static const struct mlb_graph *
original(void)
{
	static struct mlb_graph *g;
	struct mlb_config *config = NULL;
	struct mlb_compile in = { "/nonexistent", NULL, NULL, NULL };

	if (g)
		return g;
	if (mlb_config_parse(&config, in.root, ini, strlen(ini), NULL) < 0)
		abort();
	in.config = config;
	if (mlb_graph_compile(&g, &in, NULL) < 0)
		abort();
	mlb_config_free(config);
	return g;
}

static void
use_node(const struct mlb_graph *g, uint32_t n)
{
	const struct mlb_a_input file = { "img/a.jpg", 'f', { { 1 } } };
	const char *const list[] = { "a", "b" };
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_buf text = MLB_BUF_INIT(1 << 20);
	struct mlb_action a, shared;

	mlb_action_from_node(&a, &arena, g, n);
	shared = a;
	mlb_action_text(&text, g, &a);
	mlb_buf_clear(&text);
	mlb_action_command(&text, &a, "scratch", list, 2, NULL);
	mlb_buf_clear(&text);
	mlb_action_each_shared(&shared, g, n);
	mlb_action_for_each(&a, &arena, g, n, &shared, &file);
	mlb_action_text(&text, g, &a);
	for (uint32_t i = 0; i < g->node[n].dep.n; i++)
		if (g->index[g->node[n].dep.first + i] >= n)
			abort();
	mlb_buf_release(&text);
	mlb_arena_release(&arena);
}

static void
use_graph(const struct mlb_graph *g)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < g->n_nodes && i < 100; i++) {
		use_node(g, i);
		mlb_graph_find(g, mlb_g_str(g, g->node[i].name));
		sum += strlen(mlb_kind_names[g->node[i].kind]);
	}
	for (uint32_t i = 0; i < g->n_paths; i++)
		sum += strlen(mlb_g_path(g, i)) + mlb_graph_path(g, mlb_g_path(g, i));
	for (uint32_t i = 0; i < g->n_inputs; i++)
		sum += strlen(mlb_g_path(g, g->input[i].path));
	if (sum == SIZE_MAX)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mlb_graph *from = original();
	struct mlb_graph *g = NULL;
	size_t len = from->map_len;
	char path[64];
	char *copy;
	int fd;

	if (size > 600)
		return 0;
	copy = mlb_alloc(len);
	memcpy(copy, from->map, len);
	for (; size >= 6; data += 6, size -= 6) {
		size_t at = ((size_t)data[0] | (size_t)data[1] << 8) * 4 % len;

		memcpy(copy + at, data + 2, len - at < 4 ? len - at : 4);
	}
	len -= size * 4; /* what is left over cuts the file */
	mlb_graph_seal(copy, len);
	fd = memfd_create("graph", MFD_CLOEXEC);
	if (fd < 0 || write(fd, copy, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mlb_graph_load(&g, path, NULL) == 0)
		use_graph(g);
	mlb_graph_free(g);
	close(fd);
	free(copy);
	return 0;
}
