#include "engine/builder.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "os/clock.h"

static void
send(struct mlb_builder *b, struct mlb_event *e)
{
	e->total = b->plan ? b->plan->n_wanted : 0;
	e->finished = b->finished;
	if (!e->text)
		e->text = "";
	if (!e->by)
		e->by = "";
	if (!e->len)
		e->len = strlen(e->text);
	if (b->opt->on_event)
		b->opt->on_event(b->opt->ctx, e);
}

static struct mlb_event
event_about(struct mlb_builder *b, enum mlb_event_type type, const struct mlb_about *a)
{
	struct mlb_event e = {
		.type = type, .node = "", .kind = "", .file = a->file, .n_files = a->n_files
	};

	if (a->node != MLB_NONE) {
		e.node = mlb_g_str(b->g, b->g->node[a->node].name);
		e.kind = mlb_kind_names[b->g->node[a->node].kind];
	}
	return e;
}

void
mlb_tell_about(struct mlb_builder *b, enum mlb_event_type type, const struct mlb_about *a,
	       const char *text, uint64_t ns)
{
	struct mlb_event e = event_about(b, type, a);

	e.text = text;
	if (type == MLB_EV_BLOCKED && b->plan->node[a->node].blocked_by)
		e.by = mlb_g_str(b->g, b->g->node[b->plan->node[a->node].blocked_by - 1].name);
	if (type == MLB_EV_PLAN || type == MLB_EV_START)
		e.expected = ns;
	else
		e.duration = ns;
	send(b, &e);
}

void
mlb_tell(struct mlb_builder *b, enum mlb_event_type type, uint32_t n, const char *text, uint64_t ns)
{
	const struct mlb_about a = { n, "", 0 };

	mlb_tell_about(b, type, &a, text, ns);
}

void
mlb_tell_output(struct mlb_builder *b, enum mlb_event_type type, const struct mlb_about *a,
		const char *text, size_t len)
{
	struct mlb_event e = event_about(b, type, a);

	e.text = text;
	e.len = len;
	send(b, &e);
}

void
mlb_tell_failure(struct mlb_builder *b, enum mlb_event_type type, const struct mlb_about *a,
		 const struct mlb_failure *f, uint64_t duration)
{
	struct mlb_event e = event_about(b, type, a);

	e.text = f->reason;
	e.duration = duration;
	e.failure = f;
	if (type == MLB_EV_FAILED)
		mlb_flight_failure(b, a->node, f);
	send(b, &e);
}

/* The last lines of a log, at most this many bytes. */
enum { TAIL_BYTES = 2000, MAX_LOG = 64 << 20 };

/* A check that said no, once that is durable: its reports stay, its log is in the store. */
void
mlb_tell_no(struct mlb_builder *b, const struct mlb_about *a, const struct mlb_digest *log,
	    struct mlb_failure *f, uint64_t duration)
{
	struct mlb_buf text = MLB_BUF_INIT(MAX_LOG);
	const char *tail;

	if (!mlb_digest_is_zero(log))
		mlb_cas_read(b->p->cas, &text, log, NULL);
	tail = mlb_buf_str(&text) + (text.len > TAIL_BYTES ? text.len - TAIL_BYTES : 0);
	if (text.len > TAIL_BYTES && strchr(tail, '\n'))
		tail = strchr(tail, '\n') + 1;
	f->log_tail = tail;
	mlb_tell_failure(b, MLB_EV_NO, a, f, duration);
	mlb_buf_release(&text);
}

void
mlb_note(struct mlb_builder *b, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	mlb_tell(b, MLB_EV_NOTE, MLB_NONE, text, 0);
}

static bool
is_cancelled(const struct mlb_project *p)
{
	struct pollfd fd = { .fd = p->cancel_fd, .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

bool
mlb_tell_progress(void *builder, const struct mlb_scan_progress *p)
{
	struct mlb_builder *b = builder;
	struct mlb_buf size = MLB_BUF_INIT(MLB_KIB);
	struct mlb_event e = {
		.type = MLB_EV_PROGRESS,
		.node = "",
		.kind = "",
		.file = "",
		.files = p->files,
		.bytes = p->bytes,
		.total_bytes = p->total_bytes,
	};

	e.duration = mlb_clock_mono() - b->trace_start;
	send(b, &e);
	if (p->files < p->total_files)
		return !is_cancelled(b->p);
	mlb_add_size(&size, p->bytes);
	mlb_note(b, "read %" PRIu64 " files of sources (%s)", p->files, mlb_buf_str(&size));
	mlb_buf_release(&size);
	return true;
}
