/* What the files that implement fs.h share. Not for others. */
#ifndef OS_FS_PRIV_H
#define OS_FS_PRIV_H

#include <sys/types.h>

#include "os/fs.h"

uint8_t mlb_ftype_of_mode(unsigned mode); /* enum mlb_ftype of st_mode */

ssize_t mlb_fd_read(int fd, void *data, size_t len);         /* read(2), over interruptions */
int mlb_fd_write(int fd, const void *data, size_t len);      /* all of it; 0 or an errno */

/* Replaces out by a name in dir ("." for a bare file name) that nobody else uses. */
int mlb_temp_name(struct mlb_buf *out, const char *dir, const char *prefix, struct mlb_err *err);

#endif
