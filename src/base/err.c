#include "mlbuild/err.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/compat.h"

static char *format(const char *fmt, va_list ap) MLB_PRINTF(1, 0);

static char *
format(const char *fmt, va_list ap)
{
	char *text = NULL;

	mlb_vasprintf(&text, fmt, ap);
	return text;
}

int
mlb_err_set(struct mlb_err *err, enum mlb_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->code != MLB_OK)
		return code;
	va_start(ap, fmt);
	err->code = code;
	err->text = format(fmt, ap);
	va_end(ap);
	return code;
}

int
mlb_err_errno(struct mlb_err *err, int errnum, const char *fmt, ...)
{
	char room[128];
	va_list ap;
	char *what;

	if (!err || err->code != MLB_OK)
		return MLB_ESYSTEM;
	va_start(ap, fmt);
	what = format(fmt, ap);
	va_end(ap);
	err->code = MLB_ESYSTEM;
	err->text = mlb_asprintf("%s: %s", what, strerror_r(errnum, room, sizeof(room)));
	free(what);
	return MLB_ESYSTEM;
}

int
mlb_err_wrap(struct mlb_err *err, const char *fmt, ...)
{
	va_list ap;
	char *context, *text;

	if (!err)
		return MLB_ESYSTEM;
	if (err->code == MLB_OK)
		return MLB_OK;
	va_start(ap, fmt);
	context = format(fmt, ap);
	va_end(ap);
	text = mlb_asprintf("%s: %s", context, err->text ? err->text : "");
	free(context);
	free(err->text);
	err->text = text;
	return err->code;
}

void
mlb_err_release(struct mlb_err *err)
{
	if (!err)
		return;
	free(err->text);
	err->text = NULL;
	err->code = MLB_OK;
}

int
mlb_exit_code(int code)
{
	switch ((enum mlb_code)code) {
	case MLB_OK:
		return 0;
	case MLB_EINVALID:
	case MLB_ENOTFOUND:
	case MLB_EEXISTS:
		return 2;
	case MLB_ECHECK:
		return 3;
	case MLB_ESTALE:
		return 4;
	case MLB_EREMOTE:
		return 5;
	case MLB_EINTERRUPTED:
		return 130;
	case MLB_EFAILED:
	case MLB_ESYSTEM:
	case MLB_ECORRUPT:
	case MLB_ETOOBIG:
		return 1;
	}
	return 1;
}
