/* The files of a SQLite database, without SQLite. */
#ifndef STORE_DB_FILES_H
#define STORE_DB_FILES_H

#include "base/buf.h"

/* Renames the database and its journals to PATH.broken and so on, in place of what has these names. */
int mlb_db_files_aside(const char *path, struct mlb_err *err);
/* Owned. As a URI: without its journal SQLite reads a database only if it is told that nobody writes it. */
char *mlb_db_immutable_uri(const char *path);

#endif
