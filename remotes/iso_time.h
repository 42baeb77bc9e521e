/* Times as object stores write them in XML and JSON. */
#ifndef REMOTES_ISO_TIME_H
#define REMOTES_ISO_TIME_H

#include "base/compat.h"

/*
 * Seconds since 1970 of an ISO 8601 time with date, time of day and zone:
 * "2026-12-01T07:20:11Z", with a fraction, or with "+01:00" for Z. False: it is none.
 */
bool mlb_iso_time(int64_t *out, const char *text);

#endif
