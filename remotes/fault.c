#include "remotes/fault.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"

int
mlb_remote_fault_code(enum mlb_remote_fault fault)
{
	switch (fault) {
	case MLB_FAULT_NONE:
		return MLB_OK;
	case MLB_FAULT_ABSENT:
		return MLB_ENOTFOUND;
	case MLB_FAULT_EXISTS:
		return MLB_EEXISTS;
	case MLB_FAULT_CANCELLED:
		return MLB_EINTERRUPTED;
	case MLB_FAULT_TRANSIENT:
	case MLB_FAULT_BUSY:
	case MLB_FAULT_DENIED:
	case MLB_FAULT_CLOCK:
	case MLB_FAULT_TRUST:
	case MLB_FAULT_FULL:
	case MLB_FAULT_PLACE:
	case MLB_FAULT_OTHER:
		break;
	}
	return MLB_EREMOTE;
}

void
mlb_remote_fail(struct mlb_remote_op *op, enum mlb_remote_fault fault, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (op->rc)
		return;
	va_start(ap, fmt);
	mlb_vasprintf(&text, fmt, ap);
	va_end(ap);
	op->fault = fault;
	op->rc = mlb_err_set(&op->err, (enum mlb_code)mlb_remote_fault_code(fault), "%s", text);
	free(text);
}

void
mlb_remote_fail_caller(struct mlb_remote_op *op, int rc)
{
	if (op->rc)
		return;
	op->rc = rc;
	op->fault = rc == MLB_EINTERRUPTED ? MLB_FAULT_CANCELLED : MLB_FAULT_OTHER;
}

void
mlb_remote_begin(struct mlb_remote_op *op)
{
	op->rc = MLB_OK;
	op->fault = MLB_FAULT_NONE;
	op->err = (struct mlb_err)MLB_ERR_INIT;
	op->moved = 0;
	op->total = 0;
	op->mtime = 0;
	op->retry_after = 0;
	op->backend = NULL;
	op->next = NULL;
}
