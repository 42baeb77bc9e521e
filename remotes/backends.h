/* The backends, for registry.c. In alphabetical order. */
#ifndef REMOTES_BACKENDS_H
#define REMOTES_BACKENDS_H

#include "mlbuild/sys/remote.h"

extern const struct mlb_remote_backend mlb_remote_azure;
extern const struct mlb_remote_backend mlb_remote_dir;
extern const struct mlb_remote_backend mlb_remote_rclone;
extern const struct mlb_remote_backend mlb_remote_s3;
extern const struct mlb_remote_backend mlb_remote_ssh;
extern const struct mlb_remote_backend mlb_remote_webdav;

#endif
