/* Paths as text: nothing here touches the disk but mlb_path_absolute. */
#ifndef OS_PATH_H
#define OS_PATH_H

#include "base/buf.h"

/*
 * A relative path made canonical: no ".", no "//", ".." resolved by text, no
 * trailing slash.  Fails (MLB_EINVALID) for an absolute path or one that
 * leaves by "..".  "." gives ".".
 */
int mlb_path_normalize(struct mlb_buf *out, const char *path, struct mlb_err *err);

void mlb_path_join(struct mlb_buf *out, const char *dir, const char *rel); /* replaces out, which neither may point into; an absolute rel wins */
int mlb_path_absolute(struct mlb_buf *out, const char *path, struct mlb_err *err); /* by getcwd */
const char *mlb_path_base(const char *path);   /* after the last '/'; borrowed */
void mlb_path_dir(struct mlb_buf *out, const char *path);       /* "a/b" for "a/b/c", "." for "c"; replaces out */
void mlb_path_stem(struct mlb_buf *out, const char *path);      /* "x.tar" for "d/x.tar.gz"; replaces out */
bool mlb_path_inside(const char *path, const char *dir);        /* path is dir or below it (both normal) */

/* path (relative to the project) as seen from dir (likewise): "../data/x". Replaces out. */
void mlb_path_relative(struct mlb_buf *out, const char *path, const char *dir);

#endif
