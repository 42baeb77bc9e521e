#include "remotes/session_int.h"

#define FIRST 4
#define HOLD 16
#define MEASURE_NS 50000000.0 /* at least; in it must end as many as go on at once */
#define NS_PER_S 1e9
#define GAIN 1.1
#define RETRY_AFTER_MOST 60000 /* ms */

void
session_tune_init(struct session_tune *t, unsigned most)
{
	*t = (struct session_tune){ .most = MLB_MIN(most, SESSION_MOST) };
	t->limit = MLB_MIN(FIRST, t->most);
}

void
session_tune_moved(struct session_tune *t, uint64_t bytes)
{
	t->bytes += bytes;
}

static void
begin_measuring(struct session_tune *t, uint64_t now)
{
	t->since = now;
	t->bytes = 0;
	t->answers = 0;
}

static void
raise_limit(struct session_tune *t, double bytes, double answers)
{
	t->best_bytes = bytes;
	t->best_answers = answers;
	t->before = 0;
	if (t->limit < t->most) {
		t->before = t->limit;
		t->limit = MLB_MIN(t->limit * 2, t->most);
		t->settling = true;
	}
}

static void
decide(struct session_tune *t, double bytes, double answers)
{
	if (t->settling) {
		t->settling = false;
	} else if (t->before && bytes < t->best_bytes * GAIN && answers < t->best_answers * GAIN) {
		t->limit = t->before;
		t->before = 0;
		t->hold = HOLD;
	} else if (t->hold) {
		t->hold--;
	} else {
		raise_limit(t, bytes, answers);
	}
}

void
session_tune_answer(struct session_tune *t, uint64_t now, bool full)
{
	double took = (double)(now - t->since);

	t->answers++;
	if (!full || !t->since) {
		begin_measuring(t, now);
	} else if (t->answers >= t->limit && took >= MEASURE_NS) {
		decide(t, (double)t->bytes / took * NS_PER_S, (double)t->answers / took * NS_PER_S);
		begin_measuring(t, now);
	}
}

void
session_tune_busy(struct session_tune *t, uint64_t began, uint64_t now)
{
	if (began < t->halved)
		return; /* that was the same crowd */
	t->limit = MLB_MAX(t->limit / 2, 1);
	t->halved = now;
	t->before = 0;
	t->hold = HOLD;
	t->settling = false;
	begin_measuring(t, now);
}

uint32_t
session_backoff(uint32_t first, unsigned tries, uint32_t retry_after, uint64_t random)
{
	uint64_t most = (uint64_t)first << (MLB_MAX(tries, 1) - 1);
	uint64_t part = random % (most + 1);

	/* A little later than it asked for, so that not all come back at once. */
	if (retry_after)
		part = MLB_MIN(retry_after, RETRY_AFTER_MOST) + random % (first + (uint64_t)1);
	return (uint32_t)MLB_MIN(part, UINT32_MAX);
}
