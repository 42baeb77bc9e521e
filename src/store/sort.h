/* Sorting strings: a radix sort, several times faster than qsort with strcmp. */
#ifndef STORE_SORT_H
#define STORE_SORT_H

#include "base/compat.h"

/* order[i] becomes the index of the i-th of n strings (fewer than 2^32) in bytewise order; stable. */
void mlb_sort_strings(uint32_t *order, const char *const *s, size_t n);

#endif
