/*
 * The two files that AWS's tools share: credentials and config.
 *
 * Source: AWS, "Format of the shared config and credentials files" and "Location of
 * the shared config and credentials files" (AWS SDKs and Tools reference guide).
 */
#ifndef REMOTES_AWS_FILES_H
#define REMOTES_AWS_FILES_H

#include "base/buf.h"
#include "mlbuild/sys/remote.h"

struct mlb_aws_files;

enum mlb_aws_file { MLB_AWS_CONFIG = 1, MLB_AWS_CREDENTIALS = 2, MLB_AWS_EITHER = 3 };

/* Where they are: AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, else below HOME. One that is not there is empty. */
int mlb_aws_files_read(struct mlb_aws_files **out, const struct mlb_remote_config *c,
		       struct mlb_err *err);

/* Nothing yet, to be filled by parse. */
struct mlb_aws_files *mlb_aws_files_new(void);
/* What is no setting is passed over, as AWS's own tools do. The text need not end with a NUL. */
void mlb_aws_files_parse(struct mlb_aws_files *f, enum mlb_aws_file which, const char *text,
			 size_t len);
void mlb_aws_files_free(struct mlb_aws_files *f); /* NULL is allowed */

/*
 * A setting of a profile, or NULL; borrowed. In doubt the credentials file is right, and in
 * the config file [profile default] before [default]. Keys in lower case.
 */
const char *mlb_aws_files_get(const struct mlb_aws_files *f, enum mlb_aws_file which,
			      const char *profile, const char *key);
bool mlb_aws_files_has(const struct mlb_aws_files *f, const char *profile);
const char *mlb_aws_files_path(const struct mlb_aws_files *f,
			       enum mlb_aws_file which); /* as read */

#endif
