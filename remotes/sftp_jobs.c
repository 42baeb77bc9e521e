#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "remotes/fault.h"
#include "remotes/sftp_int.h"

#define NO_REQUEST UINT32_MAX
#define SLOT_BITS 12 /* of an id: which request; the others are a number of its own */
#define SLOTS (1U << SLOT_BITS)
/* As many as OpenSSH's own channel lets be under way (CHAN_SES_WINDOW_DEFAULT: 2 MiB), twice. */
#define WINDOW (4 * MLB_MIB)
#define MOST_ASKED 512
/* Nothing more begins then: all that has begun may ask three more, to tidy up. */
#define MOST_BEFORE_BEGIN 1024
#define MOST_UNSENT MLB_MIB

char *
mlb_sftp_path(const struct mlb_ssh *s, const char *name)
{
	if (!*name)
		return mlb_strdup(*s->root ? s->root : ".");
	if (!*s->root)
		return mlb_strdup(name);
	return mlb_asprintf("%s%s%s", s->root, mlb_str_ends(s->root, "/") ? "" : "/", name);
}

/* ------------------------------------------------------------- lists */

static void
unlink_job(struct mlb_sftp_job *j)
{
	struct mlb_ssh *s = j->ssh;
	struct mlb_sftp_job **first = j->ended ? &s->over : &s->jobs;

	if (j->prev)
		j->prev->next = j->next;
	else
		*first = j->next;
	if (j->next)
		j->next->prev = j->prev;
	else if (!j->ended)
		s->last = j->prev;
	if (!j->ended)
		s->n_jobs--;
	j->prev = j->next = NULL;
}

static void
append_job(struct mlb_sftp_job *j)
{
	struct mlb_ssh *s = j->ssh;

	j->prev = s->last;
	if (s->last)
		s->last->next = j;
	else
		s->jobs = j;
	s->last = j;
	s->n_jobs++;
}

static const struct mlb_sftp_verb *
verb_of(const struct mlb_remote_op *op)
{
	switch (op->verb) {
	case MLB_REMOTE_GET:
		return &mlb_sftp_get;
	case MLB_REMOTE_PUT:
		return &mlb_sftp_put;
	case MLB_REMOTE_LIST:
		return &mlb_sftp_list;
	case MLB_REMOTE_DELETE:
		return &mlb_sftp_delete;
	case MLB_REMOTE_STAT:
		break;
	}
	return &mlb_sftp_stat;
}

void
mlb_sftp_job_new(struct mlb_ssh *s, struct mlb_remote_op *op)
{
	struct mlb_sftp_job *j = mlb_calloc(1, sizeof(*j));

	j->ssh = s;
	j->op = op;
	j->verb = verb_of(op);
	if (op->verb != MLB_REMOTE_DELETE)
		j->path = mlb_sftp_path(s, op->name);
	mlb_remote_begin(op);
	op->backend = j;
	append_job(j);
}

void
mlb_sftp_job_over(struct mlb_sftp_job *j)
{
	struct mlb_remote_op *op = j->op;

	unlink_job(j);
	free(j->path);
	free(j->tmp);
	free(j->trouble);
	free(j->way);
	free(j);
	op->backend = NULL;
	op->done(op);
}

/* ------------------------------------------------------------- requests */

static struct mlb_sftp_request *
new_request(struct mlb_ssh *s)
{
	struct mlb_sftp_request *q;
	uint32_t slot = s->free_request;

	if (slot == NO_REQUEST) {
		slot = (uint32_t)s->requests.n;
		mlb_vec_push(&s->requests, (struct mlb_sftp_request){ 0 });
	} else {
		s->free_request = s->requests.v[slot].next_free;
	}
	q = &s->requests.v[slot];
	*q = (struct mlb_sftp_request){ .used = true,
					.id = s->generation++ << SLOT_BITS | (slot % SLOTS) };
	s->asked++;
	return q;
}

uint32_t
mlb_sftp_ask(struct mlb_sftp_job *j, uint8_t step, uint64_t offset, uint32_t len)
{
	struct mlb_sftp_request *q = new_request(j->ssh);

	q->job = j;
	q->step = step;
	q->offset = offset;
	q->len = len;
	j->pending++;
	j->ssh->under_way += len;
	return q->id;
}

static struct mlb_sftp_bytes
handle_of(const struct mlb_sftp_job *j)
{
	return (struct mlb_sftp_bytes){ j->handle, j->handle_len };
}

void
mlb_sftp_ask_path(struct mlb_sftp_job *j, uint8_t step, enum mlb_sftp_type type, const char *path)
{
	uint32_t id = mlb_sftp_ask(j, step, 0, 0);

	j->ssh->requests.v[id % SLOTS].opens = type == MLB_SFTP_OPENDIR;
	mlb_sftp_add_path(&j->ssh->link.out, type, id, path);
}

void
mlb_sftp_ask_open(struct mlb_sftp_job *j, uint8_t step, const char *path, uint32_t how)
{
	uint32_t id = mlb_sftp_ask(j, step, 0, 0);

	j->ssh->requests.v[id % SLOTS].opens = true;
	mlb_sftp_add_open(&j->ssh->link.out, id, path, how);
}

void
mlb_sftp_ask_handle(struct mlb_sftp_job *j, uint8_t step, enum mlb_sftp_type type)
{
	mlb_sftp_add_handle(&j->ssh->link.out, type, mlb_sftp_ask(j, step, 0, 0), handle_of(j));
}

static void
close_raw(struct mlb_ssh *s, struct mlb_sftp_bytes handle)
{
	mlb_sftp_add_handle(&s->link.out, MLB_SFTP_CLOSE, new_request(s)->id, handle);
}

void
mlb_sftp_close_handle(struct mlb_sftp_job *j)
{
	if (j->open)
		close_raw(j->ssh, handle_of(j));
	j->open = false;
}

void
mlb_sftp_remove_there(struct mlb_ssh *s, const char *path)
{
	mlb_sftp_add_path(&s->link.out, MLB_SFTP_REMOVE, new_request(s)->id, path);
}

bool
mlb_sftp_keep_handle(struct mlb_sftp_job *j, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_bytes handle;

	if (p->type != MLB_SFTP_IS_HANDLE || !mlb_sftp_get_bytes(&handle, p)) {
		mlb_sftp_job_odd(j, "a handle that is none");
		return false;
	}
	memcpy(j->handle, handle.at, handle.len);
	j->handle_len = (uint32_t)handle.len;
	j->open = true;
	return true;
}

/* Nobody waits for this any more. */
static void
drop_answer(struct mlb_ssh *s, const struct mlb_sftp_request *q, const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_bytes handle;

	if (q->opens && p->type == MLB_SFTP_IS_HANDLE && mlb_sftp_get_bytes(&handle, p))
		close_raw(s, handle);
}

bool
mlb_sftp_dispatch(struct mlb_ssh *s, const struct mlb_sftp_packet *p, const char **why)
{
	uint32_t slot = p->id % SLOTS;
	struct mlb_sftp_request q;

	if (p->type < MLB_SFTP_IS_STATUS ||
	    (p->type > MLB_SFTP_IS_ATTRS && p->type != MLB_SFTP_IS_REPLY)) {
		*why = "a packet of a type that is no answer";
		return false;
	}
	if (slot >= s->requests.n || !s->requests.v[slot].used || s->requests.v[slot].id != p->id) {
		*why = "an answer to what nobody asked";
		return false;
	}
	q = s->requests.v[slot];
	s->requests.v[slot] = (struct mlb_sftp_request){ .next_free = s->free_request };
	s->free_request = slot;
	s->asked--;
	s->under_way -= q.len;
	if (!q.job) {
		drop_answer(s, &q, p);
		return true;
	}
	q.job->pending--;
	q.job->verb->answer(q.job, &q, p);
	return true;
}

void
mlb_sftp_forget(struct mlb_ssh *s)
{
	s->requests.n = 0;
	s->free_request = NO_REQUEST;
	s->asked = 0;
	s->under_way = 0;
}

/* ------------------------------------------------------------- going on */

bool
mlb_sftp_room(const struct mlb_ssh *s)
{
	return s->under_way + s->held < WINDOW && s->asked < MOST_ASKED &&
	       mlb_sftp_link_unsent(&s->link) < MOST_UNSENT;
}

static void
begin_jobs(struct mlb_ssh *s)
{
	struct mlb_sftp_job *next;

	for (struct mlb_sftp_job *j = s->jobs; j && s->asked < MOST_BEFORE_BEGIN; j = next) {
		next = j->next;
		if (!j->begun) {
			j->begun = true;
			j->verb->begin(j);
		}
	}
}

void
mlb_sftp_pump(struct mlb_ssh *s)
{
	unsigned idle = 0;

	begin_jobs(s);
	/* One request each in turn: none is to stand still because another is large. */
	while (idle < s->n_jobs && mlb_sftp_room(s)) {
		struct mlb_sftp_job *j = s->jobs;

		unlink_job(j);
		append_job(j);
		if (j->begun && j->verb->more && j->verb->more(j))
			idle = 0;
		else
			idle++;
	}
}

/* ------------------------------------------------------------- ends */

/* Nobody waits for what it asked; it waits for its done. */
static void
end(struct mlb_sftp_job *j)
{
	struct mlb_ssh *s = j->ssh;

	for (size_t i = 0; j->pending && i < s->requests.n; i++)
		if (s->requests.v[i].used && s->requests.v[i].job == j) {
			s->requests.v[i].job = NULL;
			j->pending--;
		}
	if (s->phase == MLB_SSH_UP)
		mlb_sftp_close_handle(j); /* first: not everywhere can an open file be removed */
	if (j->verb->end)
		j->verb->end(j, s->phase == MLB_SSH_UP);
	unlink_job(j);
	j->ended = true;
	j->next = s->over;
	if (s->over)
		s->over->prev = j;
	s->over = j;
}

void
mlb_sftp_job_ok(struct mlb_sftp_job *j)
{
	if (!j->ended)
		end(j);
}

void
mlb_sftp_job_stopped(struct mlb_sftp_job *j, int rc)
{
	mlb_remote_fail_caller(j->op, rc);
	end(j);
}

void
mlb_sftp_job_fail(struct mlb_sftp_job *j, enum mlb_remote_fault fault, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	if (j->ended)
		return;
	va_start(ap, fmt);
	mlb_vasprintf(&text, fmt, ap);
	va_end(ap);
	mlb_remote_fail(j->op, fault, "%s", text);
	free(text);
	end(j);
}

void
mlb_sftp_job_odd(struct mlb_sftp_job *j, const char *what)
{
	mlb_sftp_job_fail(
		j, MLB_FAULT_OTHER,
		"'%s': the SFTP server of '%s' sent %s; it is broken, or not to be trusted",
		j->path ? j->path : "", j->ssh->who, what);
}

void
mlb_sftp_job_refused(struct mlb_sftp_job *j, const char *doing, const struct mlb_sftp_packet *p)
{
	struct mlb_buf text = MLB_BUF_INIT(1000);
	struct mlb_sftp_status status;

	if (!mlb_sftp_get_status(&status, p) || status.code == MLB_SFTP_OK) {
		mlb_sftp_job_odd(j, "an answer that does not fit the question");
		return;
	}
	mlb_sftp_status_text(&text, &status);
	if (status.code == MLB_SFTP_NO_SUCH_FILE)
		mlb_sftp_job_fail(j, MLB_FAULT_ABSENT, "remote '%s' has no '%s'", j->ssh->name,
				  j->op->name);
	else
		mlb_sftp_job_fail(j, mlb_sftp_status_fault(status.code),
				  "cannot %s '%s' on '%s': %s", doing, j->path, j->ssh->who,
				  mlb_buf_str(&text));
	mlb_buf_release(&text);
}

bool
mlb_sftp_tell_ended(struct mlb_ssh *s)
{
	bool any = s->over != NULL;

	while (s->over)
		mlb_sftp_job_over(s->over);
	return any;
}

void
mlb_sftp_all_fail(struct mlb_ssh *s, enum mlb_remote_fault fault, const char *text)
{
	while (s->jobs)
		mlb_sftp_job_fail(s->jobs, fault, "%s", text);
}
