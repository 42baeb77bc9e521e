/* Metrics of the targets asked for. */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include "engine/project.h"

/* A JSON object: node name -> the content of its metrics file. NULL without any; owned by the caller. */
char *mlb_asked_metrics(struct mlb_plan *plan);

/* The content of a metrics file as one line of JSON; NULL if it cannot be read. The caller frees it. */
char *mlb_metrics_text(const char *path, const char *text, size_t len);

/* What calls itself JSON or YAML has to be that, or nobody could read it later. path is for messages. */
int mlb_check_metrics(const char *path, const char *full, struct mlb_err *err);

#endif
