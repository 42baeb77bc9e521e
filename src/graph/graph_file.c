/*
 * The compiled graph as a file (.mlbuild/graph): a cache that can be made again
 * at any time, so it is in this machine's byte order and only valid for the very
 * program that wrote it.
 *
 * offset  size
 *      0     8  "MLBGRAPH"
 *      8     4  version, 2
 *     12     4  0x01020304 in the writer's byte order
 *     16     8  length of the file
 *     24     8  checksum of all bytes from offset 32 on (checksum(), below)
 *     32    32  digest of the program: its version, its stages and theirs, the sizes of the records
 *     64    32  id: SHA-256 of all bytes from offset 96 on
 *     96     4  number of nodes
 *    100     4  inputs
 *    104     4  outputs
 *    108     4  pairs
 *    112     4  execs
 *    116     4  pools
 *    120     4  pool uses
 *    124     4  facts
 *    128     4  index entries
 *    132     4  strs entries
 *    136     4  paths
 *    140     4  exposed paths
 *    144     8  bytes of str
 *    152     4  project
 *    156     4  salt
 *    160     4  cache_dir
 *    164     4  cache_link
 *    168     8  defaults: first, n
 *    176     4  jobs
 *    180     4  remotes
 *    184        the arrays, each filled up with zeros to a multiple of 8: node, input,
 *               output, pair, exec, pool, pool_use, fact, index, strs, path,
 *               path_producer, by_name, expose, path_want, str
 *
 * The records are the structures of graph.h with their padding set to zero.
 * A reader trusts nothing: lengths, every offset, index and range are checked
 * (graph_check.c), so that a damaged file is an error and never a crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/graph_check.h"
#include "mlbuild/sys/stage.h"
#include "os/fs.h"

#define MAGIC "MLBGRAPH"
#define VERSION 3
#define ORDER 0x01020304U
#define SUMMED_FROM 32
#define ID_FROM 96

struct header {
	char magic[8];
	uint32_t version;
	uint32_t order;
	uint64_t length;
	uint64_t checksum;
	struct mlb_digest program;
	struct mlb_digest id;
	uint32_t count[12];
	uint64_t str_len;
	uint32_t project, salt, cache_dir, cache_link;
	struct mlb_range defaults;
	uint32_t jobs;
	uint32_t remotes;
};

_Static_assert(sizeof(struct header) == 184, "the header has no padding");
_Static_assert(offsetof(struct header, program) == SUMMED_FROM, "the checksum begins there");
_Static_assert(offsetof(struct header, count) == ID_FROM, "the id begins there");

/* ------------------------------------------------------------ the arrays */

/* One array of the file: where its pointer and its length stand in struct mlb_graph. */
struct array {
	size_t pointer, count, size;
};

#define ARRAY(field, n)                                                                            \
	{                                                                                          \
		offsetof(struct mlb_graph, field), offsetof(struct mlb_graph, n),                  \
			sizeof(*((struct mlb_graph *)0)->field)                                    \
	}

static const struct array arrays[] = {
	ARRAY(node, n_nodes),         ARRAY(input, n_inputs),  ARRAY(output, n_outputs),
	ARRAY(pair, n_pairs),         ARRAY(exec, n_execs),    ARRAY(pool, n_pools),
	ARRAY(pool_use, n_pool_uses), ARRAY(fact, n_facts),    ARRAY(index, n_index),
	ARRAY(strs, n_strs),          ARRAY(path, n_paths),    ARRAY(path_producer, n_paths),
	ARRAY(by_name, n_nodes),      ARRAY(expose, n_expose), ARRAY(path_want, n_paths),
};

/* Where the lengths stand, in the header's order. */
static const size_t counts[] = {
	offsetof(struct mlb_graph, n_nodes),     offsetof(struct mlb_graph, n_inputs),
	offsetof(struct mlb_graph, n_outputs),   offsetof(struct mlb_graph, n_pairs),
	offsetof(struct mlb_graph, n_execs),     offsetof(struct mlb_graph, n_pools),
	offsetof(struct mlb_graph, n_pool_uses), offsetof(struct mlb_graph, n_facts),
	offsetof(struct mlb_graph, n_index),     offsetof(struct mlb_graph, n_strs),
	offsetof(struct mlb_graph, n_paths),     offsetof(struct mlb_graph, n_expose),
};

_Static_assert(MLB_ARRAY_LEN(counts) == MLB_ARRAY_LEN(((struct header *)0)->count),
	       "as many as in the header");

static uint32_t
get_count(const struct mlb_graph *g, size_t offset)
{
	uint32_t n;

	memcpy(&n, (const char *)g + offset, sizeof(n));
	return n;
}

static void *
get_pointer(const struct mlb_graph *g, size_t offset)
{
	void *p;

	memcpy(&p, (const char *)g + offset, sizeof(p));
	return p;
}

static uint64_t
padded(uint64_t len)
{
	return (len + 7) / 8 * 8;
}

static uint64_t
total_length(const struct mlb_graph *g)
{
	uint64_t len = sizeof(struct header);

	for (size_t i = 0; i < MLB_ARRAY_LEN(arrays); i++)
		len += padded((uint64_t)get_count(g, arrays[i].count) * arrays[i].size);
	return len + padded(g->str_len);
}

/* Point g's arrays into the block. */
static void
attach(struct mlb_graph *g, char *block)
{
	char *at = block + sizeof(struct header);

	for (size_t i = 0; i < MLB_ARRAY_LEN(arrays); i++) {
		void *p = at;

		memcpy((char *)g + arrays[i].pointer, &p, sizeof(p));
		at += padded((uint64_t)get_count(g, arrays[i].count) * arrays[i].size);
	}
	g->str = at;
}

/* ------------------------------------------------------------ sums */

/* Four lanes, so that it runs at the speed of memory: it tells damage, not malice. */
static uint64_t
checksum(const char *p, size_t len)
{
	uint64_t lane[4] = { 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb, len };
	uint64_t word[4];

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(word, p, sizeof(word));
		for (int i = 0; i < 4; i++) {
			lane[i] = (lane[i] ^ word[i]) * 0xd6e8feb86659fd93;
			lane[i] ^= lane[i] >> 32;
		}
	}
	memset(word, 0, sizeof(word));
	memcpy(word, p, len);
	for (int i = 0; i < 4; i++)
		lane[0] = ((lane[0] ^ lane[i] ^ word[i]) * 0xd6e8feb86659fd93) ^ (lane[i] >> 29);
	return lane[0];
}

void
mlb_graph_seal(void *block, size_t len)
{
	uint64_t sum = checksum((char *)block + SUMMED_FROM, len - SUMMED_FROM);

	memcpy((char *)block + offsetof(struct header, checksum), &sum, sizeof(sum));
}

static void
program_digest(struct mlb_digest *out)
{
	struct mlb_sha256 h;

	mlb_sha256_init(&h);
	mlb_sha256_update(&h, MLB_VERSION, sizeof(MLB_VERSION));
	for (size_t i = 0; i < MLB_ARRAY_LEN(arrays); i++)
		mlb_sha256_update(&h, &arrays[i].size, sizeof(arrays[i].size));
	for (const struct mlb_stage *const *s = mlb_stages(); *s; s++) {
		mlb_sha256_update(&h, (*s)->name, strlen((*s)->name) + 1);
		mlb_sha256_update(&h, &(*s)->version, sizeof((*s)->version));
	}
	mlb_sha256_final(&h, out);
}

/* ------------------------------------------------------------ memory */

static struct mlb_graph *
graph_new(void *map, size_t len)
{
	struct mlb_graph *g = mlb_calloc(1, sizeof(*g));

	g->map = map;
	g->map_len = len;
	return g;
}

void
mlb_graph_free(struct mlb_graph *g)
{
	if (!g)
		return;
	if (g->map)
		munmap(g->map, g->map_len);
	free(g);
}

int
mlb_graph_pack(struct mlb_graph **out, const struct mlb_graph *from, struct mlb_err *err)
{
	struct header h = { .version = VERSION, .order = ORDER };
	uint64_t len = total_length(from);
	struct mlb_graph *g;
	char *map;

	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return mlb_err_errno(err, errno, "cannot get memory for the graph");
	g = mlb_alloc(sizeof(*g));
	*g = *from;
	g->map = map;
	g->map_len = len;
	attach(g, map);
	for (size_t i = 0; i < MLB_ARRAY_LEN(arrays); i++) {
		const void *p = get_pointer(from, arrays[i].pointer);
		size_t n = (size_t)get_count(from, arrays[i].count) * arrays[i].size;

		if (n > 0)
			memcpy(get_pointer(g, arrays[i].pointer), p, n);
	}
	memcpy(g->str, from->str, from->str_len);
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	h.length = len;
	for (size_t i = 0; i < MLB_ARRAY_LEN(counts); i++)
		h.count[i] = get_count(g, counts[i]);
	h.str_len = g->str_len;
	h.project = g->project;
	h.salt = g->salt;
	h.cache_dir = g->cache_dir;
	h.cache_link = g->cache_link;
	h.defaults = g->defaults;
	h.jobs = g->jobs;
	h.remotes = g->remotes;
	program_digest(&h.program);
	memcpy(map, &h, sizeof(h));
	mlb_sha256_of(&h.id, map + ID_FROM, len - ID_FROM);
	memcpy(map, &h, sizeof(h));
	mlb_graph_seal(map, len);
	g->id = h.id;
	*out = g;
	return 0;
}

/* ------------------------------------------------------------ files */

int
mlb_graph_save(const struct mlb_graph *g, const char *path, struct mlb_err *err)
{
	return mlb_fs_write(path, g->map, g->map_len, false, err);
}

static int
corrupt(const char *path, const char *why, struct mlb_err *err)
{
	return mlb_err_set(err, MLB_ECORRUPT, "'%s' is not a graph of this program: %s", path, why);
}

/* Fill g from its mapping. */
static int
read_block(struct mlb_graph *g, const char *path, struct mlb_err *err)
{
	struct mlb_digest program;
	struct header h;
	char *map = g->map;
	const char *why;

	if (g->map_len < sizeof(h))
		return corrupt(path, "it is too short", err);
	memcpy(&h, map, sizeof(h));
	if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 || h.version != VERSION ||
	    h.order != ORDER)
		return corrupt(path, "another format", err);
	program_digest(&program);
	if (!mlb_digest_equal(&program, &h.program))
		return corrupt(path, "another version wrote it", err);
	if (h.length != g->map_len || h.str_len > g->map_len)
		return corrupt(path, "another length", err);
	for (size_t i = 0; i < MLB_ARRAY_LEN(counts); i++)
		memcpy((char *)g + counts[i], &h.count[i], sizeof(h.count[i]));
	g->str_len = h.str_len;
	if (total_length(g) != g->map_len)
		return corrupt(path, "another length", err);
	if (checksum(map + SUMMED_FROM, g->map_len - SUMMED_FROM) != h.checksum)
		return corrupt(path, "its checksum is wrong", err);
	g->project = h.project;
	g->salt = h.salt;
	g->cache_dir = h.cache_dir;
	g->cache_link = h.cache_link;
	g->defaults = h.defaults;
	g->jobs = h.jobs;
	g->remotes = h.remotes;
	g->id = h.id;
	attach(g, map);
	why = mlb_graph_check(g);
	return why ? corrupt(path, why, err) : 0;
}

int
mlb_graph_load(struct mlb_graph **out, const char *path, struct mlb_err *err)
{
	struct mlb_graph *g;
	struct stat st;
	void *map;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0 && errno == ENOENT)
		return mlb_err_set(err, MLB_ENOTFOUND, "there is no '%s'", path);
	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = mlb_err_errno(err, errno, "cannot read '%s'", path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct header)) {
		close(fd);
		return corrupt(path, "it is too short", err);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	rc = map == MAP_FAILED ? mlb_err_errno(err, errno, "cannot map '%s'", path) : 0;
	close(fd);
	if (rc < 0)
		return rc;
	g = graph_new(map, (size_t)st.st_size);
	rc = read_block(g, path, err);
	if (rc < 0)
		mlb_graph_free(g);
	else
		*out = g;
	return rc;
}

/* ------------------------------------------------------------ looking up */

uint32_t
mlb_graph_find(const struct mlb_graph *g, const char *name)
{
	uint32_t low = 0;
	uint32_t high = g->n_nodes;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int cmp = strcmp(name, mlb_g_str(g, g->node[g->by_name[mid]].name));

		if (cmp == 0)
			return g->by_name[mid];
		if (cmp < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return MLB_NONE;
}

uint32_t *
mlb_graph_instances(const struct mlb_graph *g, size_t n_targets, uint32_t **next)
{
	uint32_t *first;

	for (uint32_t i = 0; i < g->n_nodes; i++)
		n_targets = MLB_MAX(n_targets, (size_t)g->node[i].target + 1);
	first = mlb_alloc((n_targets + 1) * sizeof(*first));
	*next = mlb_alloc(((size_t)g->n_nodes + 1) * sizeof(**next));
	for (size_t t = 0; t < n_targets; t++)
		first[t] = MLB_NONE;
	for (uint32_t i = g->n_nodes; i-- > 0;) {
		(*next)[i] = first[g->node[i].target];
		first[g->node[i].target] = i;
	}
	return first;
}

uint32_t
mlb_graph_path_from(const struct mlb_graph *g, const char *text)
{
	uint32_t low = 0, high = g->n_paths;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (strcmp(mlb_g_path(g, mid), text) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t
mlb_graph_path(const struct mlb_graph *g, const char *path)
{
	uint32_t at = mlb_graph_path_from(g, path);

	return at < g->n_paths && strcmp(mlb_g_path(g, at), path) == 0 ? at : MLB_NONE;
}
