#include "commands/live.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"
#include "commands/text.h"

enum {
	KEEP_ALL = 100,  /* so many lines are left behind about whatever happens; after that */
	MAX_LINE = 1000, /* bytes of a task's last line that are remembered */
	MAX_NAME = 1 << 17,
	MAX_PENDING = 1 << 16, /* bytes of lines: drawn at once when there are more */
};
#define KEEP_NS UINT64_C(1000000000) /* only about what took so long */
#define FRAME_NS UINT64_C(100000000) /* between two drawings */
#define SLOW_NS UINT64_C(1000000000)
#define MINUTE_NS (60 * SLOW_NS)

uint64_t
live_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static struct live_task *
find(struct live *l, const struct mlb_event *e)
{
	struct mlb_buf name = MLB_BUF_INIT(MAX_NAME);
	struct live_task *t = NULL;

	lines_subject(&name, e);
	for (size_t i = 0; i < l->task.n && !t; i++)
		if (strcmp(l->task.v[i].name, mlb_buf_str(&name)) == 0)
			t = &l->task.v[i];
	mlb_buf_release(&name);
	return t;
}

static void
start(struct live *l, const struct mlb_event *e)
{
	struct live_task *t = find(l, e);

	if (!t) {
		struct mlb_buf name = MLB_BUF_INIT(MAX_NAME);
		struct live_task fresh = { 0 };

		lines_subject(&name, e);
		fresh.name = mlb_strdup(mlb_buf_str(&name));
		mlb_buf_release(&name);
		mlb_vec_push(&l->task, fresh);
		t = &l->task.v[l->task.n - 1];
	}
	t->started = live_now();
	t->expected = e->expected;
}

static void
finish(struct live *l, struct live_task *t)
{
	if (!t)
		return;
	free(t->name);
	free(t->line);
	l->task.n--;
	memmove(t, t + 1, (size_t)(l->task.v + l->task.n - t) * sizeof(*t));
}

/* Remember the last line that says something. */
static void
output(struct live *l, const struct mlb_event *e)
{
	struct live_task *t = find(l, e);
	size_t end = e->len;

	while (t && end) {
		size_t begin = end, len;
		const char *line;

		while (begin && e->text[begin - 1] != '\n')
			begin--;
		len = end - begin;
		line = text_after_returns(e->text + begin, &len);
		if (len) {
			free(t->line);
			t->line_len = MLB_MIN(len, (size_t)MAX_LINE);
			t->line = mlb_strndup(line, t->line_len);
			return;
		}
		end = begin ? begin - 1 : 0;
	}
}

/* Reading many sources comes before everything else: a task like any other. */
static void
reading(struct live *l, const struct mlb_event *progress)
{
	struct mlb_buf line = MLB_BUF_INIT(MAX_LINE);
	struct mlb_event e = { .type = MLB_EV_START, .node = "sources", .kind = "", .file = "" };

	if (!find(l, &e))
		start(l, &e);
	mlb_buf_addf(&line, "%" PRIu64 " files read, ", progress->files);
	mlb_add_size(&line, progress->bytes);
	mlb_buf_adds(&line, " of ");
	mlb_add_size(&line, progress->total_bytes);
	e.text = mlb_buf_str(&line);
	e.len = line.len;
	output(l, &e);
	if (progress->bytes == progress->total_bytes)
		finish(l, find(l, &e));
	mlb_buf_release(&line);
}

static bool
leaves_line(const struct live *l, const struct mlb_event *e)
{
	switch (e->type) {
	case MLB_EV_PROGRESS:
	case MLB_EV_UNENDED:
		return false;
	case MLB_EV_START:
	case MLB_EV_OUTPUT:
		return l->lines.verbose;
	case MLB_EV_BUILT:
	case MLB_EV_RESTORED:
		return l->lines.verbose || l->kept < KEEP_ALL || e->duration >= KEEP_NS;
	default:
		return true;
	}
}

static void
take(struct live *l, const struct mlb_event *e)
{
	l->finished = e->finished;
	l->total = e->total;
	if (e->type == MLB_EV_PLAN && e->expected) {
		l->expected = e->expected;
		l->planned = live_now();
	} else if (e->type == MLB_EV_START) {
		start(l, e);
	} else if (e->type == MLB_EV_OUTPUT || e->type == MLB_EV_UNENDED) {
		output(l, e);
	} else if (e->type == MLB_EV_PROGRESS) {
		reading(l, e);
	} else if (e->node && *e->node && e->type != MLB_EV_NOTE) {
		finish(l, find(l, e));
		l->restored += e->type == MLB_EV_RESTORED;
	}
	if (leaves_line(l, e)) {
		lines_event(&l->pending, &l->lines, e);
		l->kept++;
	}
	if (!l->dirty)
		pthread_cond_signal(&l->wake);
	l->dirty = true;
}

/* From one drawing to the next: minutes change slowly. */
static uint64_t
pause_ns(const struct live *l, uint64_t now)
{
	if (l->dirty)
		return FRAME_NS;
	for (size_t i = 0; i < l->task.n; i++)
		if (now - l->task.v[i].started < MINUTE_NS)
			return FRAME_NS;
	return l->task.n ? SLOW_NS : MINUTE_NS;
}

static void *
draw_thread(void *arg)
{
	struct live *l = arg;

	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		uint64_t now = live_now(), when = l->drawn + pause_ns(l, now);
		const struct timespec t = { .tv_sec = (time_t)(when / 1000000000),
					    .tv_nsec = (long)(when % 1000000000) };

		if (now >= when)
			frame_draw(l, false);
		else
			(void)pthread_cond_timedwait(&l->wake, &l->lock, &t);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

static void
start_thread(struct live *l)
{
	sigset_t all, before;

	sigfillset(&all);
	/* Signals are for the thread that builds. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	l->threaded = pthread_create(&l->thread, NULL, draw_thread, l) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
live_begin(struct ui *ui)
{
	struct live *l = mlb_calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	l->out = &ui->app->err;
	l->lines = ui->lines;
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->wake, &attr);
	pthread_condattr_destroy(&attr);
	mlb_buf_init(&l->pending, (size_t)16 << 20);
	mlb_buf_init(&l->region, (size_t)1 << 20);
	/* The first drawing comes after a tenth of a second: what is over by then needs none. */
	l->dirty = true;
	l->drawn = live_now();
	start_thread(l);
	ui->state = l;
}

static void
live_event(struct ui *ui, const struct mlb_event *e)
{
	struct live *l = ui->state;

	pthread_mutex_lock(&l->lock);
	take(l, e);
	if (l->pending.len > MAX_PENDING || (!l->threaded && live_now() >= l->drawn + FRAME_NS))
		frame_draw(l, false);
	pthread_mutex_unlock(&l->lock);
}

static void
changed(struct live *l)
{
	if (!l->dirty)
		pthread_cond_signal(&l->wake);
	l->dirty = true;
	pthread_mutex_unlock(&l->lock);
}

static void
live_line(struct ui *ui, const char *text)
{
	struct live *l = ui->state;

	pthread_mutex_lock(&l->lock);
	mlb_buf_adds(&l->pending, text);
	if (l->pending.len > MAX_PENDING)
		frame_draw(l, false);
	changed(l);
}

static void
live_fact(struct ui *ui, const char *text)
{
	struct live *l = ui->state;

	pthread_mutex_lock(&l->lock);
	free(l->fact);
	l->fact = mlb_strdup(text);
	changed(l);
}

static void
live_end(struct ui *ui)
{
	struct live *l = ui->state;

	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	if (l->threaded)
		pthread_join(l->thread, NULL);
	frame_draw(l, true);
	while (l->task.n)
		finish(l, &l->task.v[0]);
	mlb_vec_release(&l->task);
	mlb_vec_release(&l->width);
	free(l->fact);
	mlb_buf_release(&l->pending);
	mlb_buf_release(&l->region);
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->lock);
	free(l);
	ui->state = NULL;
}

const struct ui_display ui_live = { .begin = live_begin,
				    .event = live_event,
				    .line = live_line,
				    .fact = live_fact,
				    .end = live_end };
