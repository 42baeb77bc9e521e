/*
 * Errors of the library.
 *
 * Every function that can fail returns 0 on success or a negative enum
 * mlb_code, and takes a struct mlb_err as its last parameter.  Success leaves
 * the error untouched.  A NULL error is allowed: then only the code is lost to
 * nobody.  The caller owns the error and releases it.
 */
#ifndef MLBUILD_ERR_H
#define MLBUILD_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MLB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define MLB_PRINTF(fmt, args)
#endif

#if defined(MLB_BUILD_SHARED) && defined(__GNUC__)
#define MLB_API __attribute__((visibility("default")))
#else
#define MLB_API
#endif

/* What kind of thing went wrong; decides the exit code (mlb_exit_code). */
enum mlb_code {
	MLB_OK = 0,
	MLB_ESYSTEM = -1,      /* the operating system refused: disk full, no rights, ... */
	MLB_EINVALID = -2,     /* bad input: ini, lock, option, name (exit 2) */
	MLB_ENOTFOUND = -3,    /* what was asked for does not exist (exit 2) */
	MLB_EEXISTS = -4,      /* it exists already */
	MLB_ECORRUPT = -5,     /* stored bytes are not what their name says */
	MLB_ETOOBIG = -6,      /* a limit that the caller chose was exceeded */
	MLB_EFAILED = -7,      /* a target failed (exit 1) */
	MLB_ECHECK = -8,       /* a check or gate said no (exit 3) */
	MLB_ESTALE = -9,       /* something is stale that must not be (exit 4) */
	MLB_EREMOTE = -10,     /* a remote failed (exit 5) */
	MLB_EINTERRUPTED = -11 /* asked to stop (exit 130) */
};

struct mlb_err {
	enum mlb_code code; /* MLB_OK while nothing failed */
	char *text;         /* what, with what, what to do next; may hold several lines; owned */
};

#define MLB_ERR_INIT                                                                               \
	{                                                                                          \
		MLB_OK, 0                                                                          \
	}

/* Fill err (if not NULL and still empty: the first error wins) and return code. */
MLB_API int mlb_err_set(struct mlb_err *err, enum mlb_code code, const char *fmt, ...)
	MLB_PRINTF(3, 4);

/* The same with ": " and strerror(errnum) appended; the code is MLB_ESYSTEM. */
MLB_API int mlb_err_errno(struct mlb_err *err, int errnum, const char *fmt, ...) MLB_PRINTF(3, 4);

/* Put "context: " before the text of an error that is set; returns its code (NULL: MLB_ESYSTEM). */
MLB_API int mlb_err_wrap(struct mlb_err *err, const char *fmt, ...) MLB_PRINTF(2, 3);

/* Free the text and make the error empty, ready for use again. */
MLB_API void mlb_err_release(struct mlb_err *err);

/* The program's exit code for a result of the library (DESIGN section 8). */
MLB_API int mlb_exit_code(int code);

#ifdef __cplusplus
}
#endif

#endif
