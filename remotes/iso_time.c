#include "remotes/iso_time.h"

#include <string.h>
#include <time.h>

/* "Z", "+01:00" or "+0100": seconds east of Greenwich. */
static bool
zone(int64_t *out, const char *s)
{
	int v[4];
	size_t n = 0;

	*out = 0;
	if (*s == 'Z' || *s == 'z')
		return s[1] == '\0';
	if (*s != '+' && *s != '-')
		return false;
	for (const char *p = s + 1; *p; p++) {
		if (*p == ':' && n == 2)
			continue;
		if (*p < '0' || *p > '9' || n == 4)
			return false;
		v[n++] = *p - '0';
	}
	if (n != 4)
		return false;
	*out = (v[0] * 10 + v[1]) * 3600 + (v[2] * 10 + v[3]) * 60;
	if (*s == '-')
		*out = -*out;
	return true;
}

bool
mlb_iso_time(int64_t *out, const char *text)
{
	struct tm tm;
	const char *s;
	int64_t east;

	memset(&tm, 0, sizeof(tm));
	s = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!s)
		return false;
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	if (!zone(&east, s))
		return false;
	*out = (int64_t)timegm(&tm) - east;
	return true;
}
