/* Dates as servers write them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "remotes/http.h"

#define NS_PER_SECOND 1000000000
#define ASKED_MAX 3600U /* seconds: nobody waits longer because a server says so */

struct civil {
	int year, month, day, hour, minute, second;
};

/* Days since 1970-01-01 of a date of the Gregorian calendar; month from 1. */
static int64_t
days(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t y = month > 2 ? year
			      : year - 1; /* the leap day of the year itself counts from March on */

	return (int64_t)365 * (year - 1970) + y / 4 - y / 100 + y / 400 - 477 + before[month - 1] +
	       day - 1;
}

static bool
seconds(const struct civil *c, int64_t *out)
{
	if (c->year < 1900 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->day > 31 || c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 ||
	    c->second < 0 || c->second > 60)
		return false;
	*out = days(c->year, c->month, c->day) * 86400 + (int64_t)c->hour * 3600 +
	       (int64_t)c->minute * 60 + c->second;
	return true;
}

static int
month_of(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (!strncmp(name, months + (size_t)i * 3, 3))
			return i + 1;
	return 0;
}

bool
mlb_http_date(const char *text, int64_t *out)
{
	struct civil c = { 0 };
	char month[4] = "";
	int end = 0;

	/* Sun, 06 Nov 1994 08:49:37 GMT */
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &c.day, month,
		   &c.year, &c.hour, &c.minute, &c.second, &end) == 6 &&
	    end && !text[end]) {
		c.month = month_of(month);
		return seconds(&c, out);
	}
	/* Sunday, 06-Nov-94 08:49:37 GMT: a year of this century, unless that is long to come */
	if (sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &c.day, month,
		   &c.year, &c.hour, &c.minute, &c.second, &end) == 6 &&
	    end && !text[end]) {
		c.month = month_of(month);
		c.year += c.year < 70 ? 2000 : 1900;
		return seconds(&c, out);
	}
	/* Sun Nov  6 08:49:37 1994 */
	if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &c.day, &c.hour,
		   &c.minute, &c.second, &c.year, &end) == 6 &&
	    end && !text[end]) {
		c.month = month_of(month);
		return seconds(&c, out);
	}
	return false;
}

uint32_t
mlb_http_retry_after(const char *value, const char *date)
{
	int64_t at, now;
	uint64_t wait;

	if (!value)
		return 0;
	if (!mlb_parse_u64(value, &wait)) {
		if (!mlb_http_date(value, &at))
			return 0;
		if (!date || !mlb_http_date(date, &now))
			now = mlb_clock_wall() / NS_PER_SECOND;
		wait = at > now ? (uint64_t)(at - now) : 0;
	}
	return (uint32_t)MLB_MIN(wait, ASKED_MAX) * 1000;
}
