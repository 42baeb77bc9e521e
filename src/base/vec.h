/*
 * Growable arrays by macro: MLB_VEC(int) numbers = MLB_VEC_INIT;
 * The vector owns its array, not what the elements point to.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdlib.h> /* free, in mlb_vec_release */

#include "base/alloc.h"

#define MLB_VEC(type)   \
	struct {        \
		type *v; \
		size_t n; \
		size_t cap; \
	}
#define MLB_VEC_INIT { NULL, 0, 0 }

/* A vector type that can be passed to functions: MLB_VEC_NAMED(mlb_strvec, char *); */
#define MLB_VEC_NAMED(name, type) \
	struct name {             \
		type *v;          \
		size_t n;         \
		size_t cap;       \
	}

#define mlb_vec_reserve(vec, want)                                                            \
	do {                                                                                  \
		if ((want) > (vec)->cap) {                                                    \
			size_t mlb_cap_ = (vec)->cap ? (vec)->cap : 8;                        \
			while (mlb_cap_ < (want))                                             \
				mlb_cap_ *= 2;                                                \
			(vec)->v = mlb_realloc((vec)->v, mlb_cap_, sizeof(*(vec)->v));        \
			(vec)->cap = mlb_cap_;                                                \
		}                                                                             \
	} while (0)

#define mlb_vec_push(vec, item)                       \
	do {                                          \
		mlb_vec_reserve((vec), (vec)->n + 1); \
		(vec)->v[(vec)->n++] = (item);        \
	} while (0)

/* Frees the array; the vector may be used again. */
#define mlb_vec_release(vec)     \
	do {                     \
		free((vec)->v);  \
		(vec)->v = NULL; \
		(vec)->n = 0;    \
		(vec)->cap = 0;  \
	} while (0)

MLB_VEC_NAMED(mlb_strvec, char *);      /* owns its strings */
void mlb_strvec_push(struct mlb_strvec *v, const char *s);  /* copies s */
void mlb_strvec_release(struct mlb_strvec *v);              /* frees the strings too */
void mlb_strvec_sort(struct mlb_strvec *v, bool unique);    /* bytewise; unique drops repeats */
bool mlb_strvec_has(const struct mlb_strvec *v, const char *s);

#endif
