#include <string.h>

#include "mlbuild/sys/remote.h"

/* In alphabetical order; remotes/README.md says how to add one. */
static const struct mlb_remote_backend *const backends[] = {
	NULL,
};

const struct mlb_remote_backend *const *
mlb_remote_backends(void)
{
	return backends;
}
