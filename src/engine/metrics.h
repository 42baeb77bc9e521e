/* Metrics of the targets asked for. */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include "engine/project.h"

/* A JSON object: node name -> the content of its metrics file. NULL without any; owned by the caller. */
char *mlb_asked_metrics(struct mlb_plan *plan);

/* Metrics in a file that calls itself JSON have to be JSON, or nobody could read them later. path is for messages. */
int mlb_check_metrics(const char *path, const char *full, struct mlb_err *err);

#endif
