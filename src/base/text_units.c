/* Numbers with units, read and written. */
#include <string.h>

#include "base/text.h"

#define NS_PER_S UINT64_C(1000000000)

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits from *s on; moves *s behind them. */
static bool
digits(const char **s, uint64_t *out)
{
	uint64_t v = 0;

	if (!is_digit(**s))
		return false;
	for (; is_digit(**s); (*s)++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(**s - '0'), &v))
			return false;
	*out = v;
	return true;
}

bool
mlb_parse_u64(const char *s, uint64_t *out)
{
	uint64_t v;

	if (!digits(&s, &v) || *s)
		return false;
	*out = v;
	return true;
}

/* A number that may have a fraction, of which nine digits count: whole + nano / 10^9. */
struct decimal {
	uint64_t whole;
	uint64_t nano;
};

static bool
decimal(const char **s, struct decimal *out)
{
	uint64_t unit = NS_PER_S;

	out->nano = 0;
	if (!digits(s, &out->whole))
		return false;
	if (**s != '.')
		return true;
	(*s)++;
	if (!is_digit(**s))
		return false;
	for (; is_digit(**s); (*s)++) {
		unit /= 10;
		out->nano += unit * (uint64_t)(**s - '0');
	}
	return true;
}

__extension__ typedef unsigned __int128 wide;

/* d * unit, rounded down. */
static bool
scale(const struct decimal *d, uint64_t unit, uint64_t *out)
{
	uint64_t whole, part;

	if (__builtin_mul_overflow(d->whole, unit, &whole))
		return false;
	part = (uint64_t)((wide)d->nano * unit / NS_PER_S);
	return !__builtin_add_overflow(whole, part, out);
}

bool
mlb_parse_size(const char *s, uint64_t *out)
{
	static const char letters[] = "kmgtpe";
	uint64_t unit = 1, v;
	struct decimal d;
	const char *letter;

	if (!decimal(&s, &d))
		return false;
	if (*s == ' ')
		s++;
	letter = *s ? strchr(letters, *s | 0x20) : NULL;
	if (letter) {
		unit <<= 10 * (letter - letters + 1);
		s++;
		if (*s == 'i')
			s++;
	}
	if (*s == 'B' || *s == 'b')
		s++;
	if (*s || (unit == 1 && d.nano) || !scale(&d, unit, &v))
		return false;
	*out = v;
	return true;
}

struct time_unit {
	const char *name;
	uint64_t ns;
};

/* Longest first, which is also the order in which they may follow each other. */
static const struct time_unit time_units[] = {
	{ "d", 86400 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
	{ "min", 60 * NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "s", NS_PER_S },
	{ "ms", 1000000 },
	{ "us", 1000 },
	{ "ns", 1 },
};

static const struct time_unit *
time_unit(const char **s)
{
	size_t len = 0;

	while ((*s)[len] >= 'a' && (*s)[len] <= 'z')
		len++;
	for (size_t i = 0; i < MLB_ARRAY_LEN(time_units); i++) {
		if (strlen(time_units[i].name) == len && memcmp(time_units[i].name, *s, len) == 0) {
			*s += len;
			return &time_units[i];
		}
	}
	return NULL;
}

bool
mlb_parse_duration(const char *s, uint64_t *out_ns)
{
	uint64_t total = 0, last = UINT64_MAX, v;
	const struct time_unit *u;
	struct decimal d;

	do {
		if (!decimal(&s, &d))
			return false;
		if (!*s && last == UINT64_MAX) { /* a bare number is seconds */
			if (!scale(&d, NS_PER_S, &total))
				return false;
			break;
		}
		u = time_unit(&s);
		if (!u || u->ns >= last || !scale(&d, u->ns, &v) ||
		    __builtin_add_overflow(total, v, &total))
			return false;
		last = u->ns;
	} while (*s);
	*out_ns = total;
	return true;
}

void
mlb_add_duration(struct mlb_buf *b, uint64_t ns)
{
	uint64_t tenths = ns / 100000000 + (ns % 100000000 >= 50000000);
	uint64_t s = ns / NS_PER_S + (ns % NS_PER_S >= NS_PER_S / 2);
	uint64_t m = s / 60 + (s % 60 >= 30);

	if (tenths < 600)
		mlb_buf_addf(b, "%u.%us", (unsigned)(tenths / 10), (unsigned)(tenths % 10));
	else if (s < 3600)
		mlb_buf_addf(b, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		mlb_buf_addf(b, "%lluh%02um", (unsigned long long)(m / 60), (unsigned)(m % 60));
}

void
mlb_add_size(struct mlb_buf *b, uint64_t bytes)
{
	static const char letters[] = "KMGTPE";
	double v = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		mlb_buf_addf(b, "%u B", (unsigned)bytes);
		return;
	}
	/* 1023.95 would be shown as 1024.0. */
	while (v >= 1023.95 && letters[i + 1]) {
		v /= 1024;
		i++;
	}
	mlb_buf_addf(b, "%.1f %ciB", v, letters[i]);
}
