/* What the files scan*.c share. Not for others. */
#ifndef STORE_SCAN_PRIV_H
#define STORE_SCAN_PRIV_H

#include <pthread.h>

#include "store/scan.h"
#include "store/scan_walk.h"

struct mlb_scan_own {
	int root;             /* descriptor of the project's directory */
	const uint8_t *want;  /* of each path, taken by mlb_scan_run; NULL: all content */
	struct mlb_stat *now; /* of each path, for the next mlb_scan_run; NULL: not looked at */
	char *clock_dir;      /* where mlb_fs_clock may make a file */
	pthread_mutex_t lock; /* problem */
	char **problem;       /* one text per path, or NULL; NULL while there is none at all */
};

/* What a path is, following links: 0, or a negative code with the reason why it is bad. */
int mlb_scan_look(const struct mlb_scan *s, size_t i, struct mlb_stat *st, struct mlb_err *err);

/* Keep why a path is bad; releases the error. */
void mlb_scan_problem_add(struct mlb_scan *s, size_t i, struct mlb_err *err);

/* Whether the state's stat is this one, by rules 2 and 5 of scan.h. */
bool mlb_scan_fits(const struct mlb_path_state *p, const struct mlb_stat *st);

/* State i becomes this; changed and dirty are set where kind or digest (NULL: none) differ. */
void mlb_scan_settle(struct mlb_path_state *p, uint8_t kind, const struct mlb_digest *digest, uint64_t size);
void mlb_scan_take_walk(struct mlb_path_state *p, struct mlb_walk *walk); /* owned; NULL: none */

/* Some paths whose stat is known: bring their states up to date. What fails makes a path bad. */
struct mlb_examine {
	struct mlb_scan *s;
	const size_t *which;        /* indices of the paths; NULL: all */
	size_t n;
	const struct mlb_stat *now; /* as mlb_scan_look gave them, or type MLB_F_OTHER with the problem added */
	struct mlb_cas *cas;        /* store all content there; NULL: no */
	const struct mlb_io *unless; /* asked within large files; NULL: it is not */
	bool ask;                   /* s->store whether to store what must be read, and s->progress whether to go on */
	bool stopped;               /* it was not to: the states say nothing */
};

void mlb_scan_examine(struct mlb_examine *x);

#endif
