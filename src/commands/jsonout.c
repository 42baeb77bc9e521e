/* --json: every event is one object. mlbuild(1) documents the fields; they only ever grow. */
#include "commands/jsonline.h"
#include "commands/ui.h"

static const char *const names[] = {
	[MLB_EV_PLAN] = "plan",       [MLB_EV_WAIT] = "wait",     [MLB_EV_START] = "start",
	[MLB_EV_OUTPUT] = "output",   [MLB_EV_BUILT] = "built",   [MLB_EV_RESTORED] = "restored",
	[MLB_EV_RETRY] = "retry",     [MLB_EV_FAILED] = "failed", [MLB_EV_NO] = "no",
	[MLB_EV_BLOCKED] = "blocked", [MLB_EV_NOTE] = "note",     [MLB_EV_PROGRESS] = "progress",
	[MLB_EV_UNENDED] = NULL, /* for who looks on */
};

static void
add_failure(struct jsonline *l, const struct mlb_failure *f)
{
	jsonline_str(l, "reason", f->reason);
	jsonline_str(l, "command", f->command);
	jsonline_str(l, "log", f->log_path);
	jsonline_str(l, "log_tail", f->log_tail);
	jsonline_str(l, "kept", f->kept);
}

static void
json_event(struct ui *ui, const struct mlb_event *e)
{
	struct jsonline l;

	if (!names[e->type])
		return;
	jsonline_begin(&l, &ui->app->out);
	jsonline_str(&l, "event", names[e->type]);
	if (ui->label)
		jsonline_str(&l, "combination", ui->label);
	if (e->node && *e->node) {
		jsonline_str(&l, "target", e->node);
		jsonline_str(&l, "kind", e->kind);
		if (e->n_files) {
			jsonline_str(&l, "file", e->file);
			jsonline_int(&l, "files", e->n_files);
		}
	}
	if (e->type == MLB_EV_OUTPUT) {
		mlb_json_key(&l.j, "text");
		mlb_json_strn(&l.j, e->text, e->len);
	} else if (e->type == MLB_EV_START) {
		jsonline_str(&l, "command", e->text);
	} else if (e->type == MLB_EV_BUILT) {
		if (e->text && *e->text)
			jsonline_raw(&l, "metrics", e->text);
	} else if (e->text && *e->text && !e->failure && e->type != MLB_EV_NO) {
		jsonline_str(&l, "text", e->text);
	}
	if (e->type == MLB_EV_BLOCKED && e->by && *e->by)
		jsonline_str(&l, "by", e->by);
	if (e->type == MLB_EV_BUILT || e->type == MLB_EV_FAILED || e->type == MLB_EV_NO)
		jsonline_seconds(&l, "seconds", e->duration);
	if (e->type == MLB_EV_PLAN || e->type == MLB_EV_START)
		jsonline_seconds(&l, "expected", e->expected);
	if (e->type == MLB_EV_PROGRESS) {
		jsonline_seconds(&l, "seconds", e->duration);
		jsonline_int(&l, "files", e->files);
		jsonline_int(&l, "bytes", e->bytes);
		jsonline_int(&l, "total_bytes", e->total_bytes);
	}
	if (e->failure)
		add_failure(&l, e->failure);
	else if (e->type == MLB_EV_NO)
		add_failure(&l, &(struct mlb_failure){ "", e->text, "", "", "" });
	jsonline_int(&l, "finished", e->finished);
	jsonline_int(&l, "total", e->total);
	jsonline_end(&l);
}

const struct ui_display ui_json = { .event = json_event };
