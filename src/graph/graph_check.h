/* Between the compiler and the two files of the graph's format; private to them. */
#ifndef GRAPH_GRAPH_CHECK_H
#define GRAPH_GRAPH_CHECK_H

#include "graph/graph.h"

/* graph_check.c: NULL if the graph is safe to use, else what is wrong: something out of bounds, or a node before its inputs. */
const char *mlb_graph_check(const struct mlb_graph *g);

/* graph_file.c: one block that is also the file; from's arrays are copied into it. Fills map, map_len and id. */
int mlb_graph_pack(struct mlb_graph **out, const struct mlb_graph *from, struct mlb_err *err);

/* graph_file.c: give a block that was changed its right checksum again (fuzzing). */
void mlb_graph_seal(void *block, size_t len);

#endif
