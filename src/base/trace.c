#include "base/trace.h"

#include "base/json.h"

#define TRACE_MAX (256 * MLB_MIB)

void
mlb_trace_init(struct mlb_trace *t)
{
	mlb_buf_init(&t->out, TRACE_MAX);
	t->any = false;
}

/* The format's unit is the microsecond. */
static void
add_time(struct mlb_json *j, const char *key, uint64_t ns)
{
	struct mlb_buf text = MLB_BUF_INIT(64);

	mlb_buf_addf(&text, "%llu.%03u", (unsigned long long)(ns / 1000), (unsigned)(ns % 1000));
	mlb_json_key(j, key);
	mlb_json_raw(j, mlb_buf_str(&text));
	mlb_buf_release(&text);
}

static void
begin(struct mlb_trace *t, struct mlb_json *j, const char *name, const char *phase, unsigned lane)
{
	mlb_buf_adds(&t->out, t->any ? ",\n" : "[\n");
	t->any = true;
	mlb_json_init(j, &t->out);
	mlb_json_object(j);
	mlb_json_key(j, "name");
	mlb_json_str(j, name);
	mlb_json_key(j, "ph");
	mlb_json_str(j, phase);
	mlb_json_key(j, "pid");
	mlb_json_int(j, 1);
	mlb_json_key(j, "tid");
	mlb_json_int(j, lane);
}

void
mlb_trace_complete(struct mlb_trace *t, const char *name, const char *category, unsigned lane,
		   uint64_t start_ns, uint64_t end_ns)
{
	struct mlb_json j;

	begin(t, &j, name, "X", lane);
	mlb_json_key(&j, "cat");
	mlb_json_str(&j, category);
	add_time(&j, "ts", start_ns);
	add_time(&j, "dur", end_ns > start_ns ? end_ns - start_ns : 0);
	mlb_json_end_object(&j);
}

void
mlb_trace_instant(struct mlb_trace *t, const char *name, unsigned lane, uint64_t at_ns)
{
	struct mlb_json j;

	begin(t, &j, name, "i", lane);
	add_time(&j, "ts", at_ns);
	mlb_json_key(&j, "s");
	mlb_json_str(&j, "t");
	mlb_json_end_object(&j);
}

const char *
mlb_trace_finish(struct mlb_trace *t)
{
	mlb_buf_adds(&t->out, t->any ? "\n]\n" : "[]\n");
	return mlb_buf_str(&t->out);
}

void
mlb_trace_release(struct mlb_trace *t)
{
	mlb_buf_release(&t->out);
}
