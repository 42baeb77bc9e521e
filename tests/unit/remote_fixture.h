/* Operations of a remote, one after the other, against a server that answers by a list. */
#ifndef TESTS_REMOTE_FIXTURE_H
#define TESTS_REMOTE_FIXTURE_H

#include "http_fixture.h"

/* Answers in order, the last one again and again; what was asked is kept. */
struct script {
	const char *const *answer; /* whole answers of HTTP, NULL-terminated */
	size_t at, n_asked;
	struct mlb_buf asked;
};

static inline void
script_answer(struct fake_server *s, const struct mlb_buf *request, struct mlb_buf *out)
{
	struct script *script = s->ctx;

	mlb_buf_add(&script->asked, request->data, request->len);
	mlb_buf_addc(&script->asked, '\n');
	script->n_asked++;
	mlb_buf_adds(out, script->answer[script->at]);
	if (script->answer[script->at + 1])
		script->at++;
}

/* From here on these answers; nothing was asked yet. */
static inline void
script_set(struct fake_server *s, const char *const *answer)
{
	struct script *script = s->ctx;

	pthread_mutex_lock(&s->lock);
	script->answer = answer;
	script->at = script->n_asked = 0;
	mlb_buf_clear(&script->asked);
	pthread_mutex_unlock(&s->lock);
}

static inline bool
script_has(struct fake_server *s, const char *text)
{
	struct script *script = s->ctx;
	bool found;

	pthread_mutex_lock(&s->lock);
	found = strstr(mlb_buf_str(&script->asked), text) != NULL;
	pthread_mutex_unlock(&s->lock);
	return found;
}

/* The same, which shows what was asked if it was not that. */
static inline bool
script_was_asked(struct fake_server *s, const char *text)
{
	bool found = script_has(s, text);

	if (!found)
		print_error("no '%s' in: %s\n", text,
			    mlb_buf_str(&((struct script *)s->ctx)->asked));
	return found;
}

static inline size_t
script_count(struct fake_server *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = ((struct script *)s->ctx)->n_asked;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static inline void
op_done(struct mlb_remote_op *op)
{
	*(bool *)op->ctx = true;
}

/* Start it and wait for its end. */
static inline void
op_run(struct mlb_remote *r, struct mlb_remote_op *op)
{
	struct mlb_err err = MLB_ERR_INIT;
	bool over = false;

	op->done = op_done;
	op->ctx = &over;
	r->backend->start(r, op);
	while (!over)
		assert_ok(r->backend->wait(r, -1, &err));
}

/* What it came to, with words that the text must have (NULL: none are asked for). */
static inline void
op_expect(struct mlb_remote_op *op, enum mlb_remote_fault fault, const char *words)
{
	if (op->fault != fault || (words && !strstr(op->err.text ? op->err.text : "", words)))
		print_error("fault %d, not %d, or no '%s' in: %s\n", (int)op->fault, (int)fault,
			    words ? words : "", op->err.text ? op->err.text : "");
	assert_int_equal(op->fault, fault);
	assert_int_equal(op->rc != 0, fault != MLB_FAULT_NONE);
	if (words) {
		assert_non_null(op->err.text);
		assert_non_null(strstr(op->err.text, words));
	}
	mlb_err_release(&op->err);
}

#endif
