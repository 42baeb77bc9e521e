#include "os/clock.h"

#include <time.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t
now(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t
mlb_clock_mono(void)
{
	return (uint64_t)now(CLOCK_MONOTONIC);
}

int64_t
mlb_clock_wall(void)
{
	return now(CLOCK_REALTIME);
}

void
mlb_add_time(struct mlb_buf *b, int64_t wall_ns)
{
	time_t s = (time_t)(wall_ns / NS_PER_S - (wall_ns % NS_PER_S < 0));
	char text[64];
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	mlb_buf_adds(b, text);
}
