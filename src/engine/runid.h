/* The name of a run: in logs, records and .mlbuild/aside. */
#ifndef ENGINE_RUNID_H
#define ENGINE_RUNID_H

/* "20261121-025546-3f9a": sorted by time, unique by chance within a second. Owned by the caller. */
#include <stdbool.h>

char *mlb_new_run_id(void);
bool mlb_is_run_id(const char *word); /* it looks like one */

#endif
