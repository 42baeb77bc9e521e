#include "commands/progress.h"

#include <time.h>

#include "base/text.h"
#include "commands/lines.h"

#define SECOND 1000000000ULL
#define ERASE "\r\033[K"

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

void
progress_begin(struct progress *p, struct out *out, const char *verb, bool on)
{
	*p = (struct progress){ .out = out, .verb = verb, .on = on && out->tty };
}

void
progress_show(struct progress *p, uint64_t done, uint64_t total)
{
	struct mlb_buf *b = &p->out->buf;
	uint64_t spent;

	if (!p->on || !total)
		return;
	if (!p->began)
		p->began = now();
	spent = now() - p->began;
	/* What takes less than a second needs no line. */
	if (spent < SECOND)
		return;
	out_addf(p->out, ERASE "%s ", p->verb);
	mlb_add_size(b, done);
	out_adds(p->out, " of ");
	mlb_add_size(b, total);
	if (done) {
		double rate = (double)done * (double)SECOND / (double)spent;
		double left = total > done ? (double)(total - done) / rate : 0;

		out_adds(p->out, ", ");
		mlb_add_size(b, (uint64_t)rate);
		out_adds(p->out, "/s, ");
		lines_duration(b, (uint64_t)(left * (double)SECOND));
		out_adds(p->out, " left");
	}
	out_flush(p->out);
	p->shown = true;
}

void
progress_clear(struct progress *p)
{
	if (!p->shown)
		return;
	out_adds(p->out, ERASE);
	out_flush(p->out);
	p->shown = false;
}
