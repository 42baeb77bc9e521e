/* How far numbers may be apart: what --tolerance says. */
#ifndef ENGINE_TOLERANCE_H
#define ENGINE_TOLERANCE_H

#include "base/vec.h"
#include "mlbuild/err.h"

struct mlb_tolerance {
	char *target; /* pattern; NULL: any */
	char *name;   /* pattern of OUTPUT.NAME */
	double most;
	bool relative; /* to the value expected */
};
MLB_VEC_NAMED(mlb_tolerances, struct mlb_tolerance);

/* "[TARGET:]OUTPUT.NAME=NUMBER[%]", appended; MLB_EINVALID. */
int mlb_tolerance_add(struct mlb_tolerances *list, const char *text, struct mlb_err *err);
void mlb_tolerances_release(struct mlb_tolerances *list);

/* May these two numbers of that name be apart as they are? */
bool mlb_tolerated(const struct mlb_tolerances *list, const char *target, const char *name,
		   double was, double is);

#endif
