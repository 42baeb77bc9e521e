/* How an operation ends with a failure. For backends and the session. */
#ifndef REMOTES_FAULT_H
#define REMOTES_FAULT_H

#include "mlbuild/sys/remote.h"

/* The code that belongs to a fault: MLB_ENOTFOUND for ABSENT, and so on; MLB_EREMOTE for most. */
int mlb_remote_fault_code(enum mlb_remote_fault fault);

/* Sets rc, fault and err of an operation; the first failure wins. Does not call done. */
void mlb_remote_fail(struct mlb_remote_op *op, enum mlb_remote_fault fault, const char *fmt, ...)
	MLB_PRINTF(3, 4);

/* The same for what sink or entry returned, with err set by them. */
void mlb_remote_fail_caller(struct mlb_remote_op *op, int rc);

/* Makes ready what a backend sets, at its start. */
void mlb_remote_begin(struct mlb_remote_op *op);

#endif
