#include "engine/job_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define MASK "******"
#define MAX_LINE ((size_t)64 * 1024)  /* a longer line is given in parts */
#define MAX_WAITING ((size_t)8 << 20) /* lines that nobody takes */
#define MIN_SECRET_LINE 8             /* shorter lines of a secret are too common to hide */

static void
add_secret(struct mlb_joblog *log, const char *text, size_t len)
{
	if (len == 0)
		return;
	char *copy = mlb_strndup(text, len);
	mlb_vec_push(&log->secret, copy);
	log->first[(unsigned char)copy[0]] = true;
}

/* A key in PEM form is printed with its lines indented, or one by one. */
static void
add_secret_lines(struct mlb_joblog *log, const char *text, size_t len)
{
	const char *end = text + len;

	if (!memchr(text, '\n', len))
		return;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text);
		while (n > 0 && (text[n - 1] == '\r' || text[n - 1] == ' '))
			n--;
		if (n >= MIN_SECRET_LINE)
			add_secret(log, text, n);
		text = nl ? nl + 1 : end;
	}
}

static int
longest_first(const void *a, const void *b)
{
	size_t la = strlen(*(const char *const *)a), lb = strlen(*(const char *const *)b);
	return la < lb ? 1 : la > lb ? -1 : 0;
}

void
mlb_joblog_init(struct mlb_joblog *log, size_t max, const char *const *secret)
{
	memset(log, 0, sizeof(*log));
	log->half = max / 2;
	mlb_buf_init(&log->head, log->half);
	mlb_buf_init(&log->tail, log->half * 2);
	mlb_buf_init(&log->whole, max + 128);
	mlb_buf_init(&log->line, MAX_WAITING);
	mlb_buf_init(&log->held, SIZE_MAX);
	for (; secret && *secret; secret++) {
		size_t len = strlen(*secret);
		while (len > 0 && ((*secret)[len - 1] == '\n' || (*secret)[len - 1] == '\r'))
			len--;
		add_secret(log, *secret, len);
		add_secret_lines(log, *secret, len);
	}
	if (log->secret.n)
		qsort(log->secret.v, log->secret.n, sizeof(char *), longest_first);
}

void
mlb_joblog_release(struct mlb_joblog *log)
{
	mlb_buf_release(&log->head);
	mlb_buf_release(&log->tail);
	mlb_buf_release(&log->whole);
	mlb_buf_release(&log->line);
	mlb_buf_release(&log->held);
	mlb_strvec_release(&log->secret);
}

/* ---------------------------------------------------------------- keeping */

static void
cut_tail(struct mlb_joblog *log, size_t keep)
{
	size_t drop = log->tail.len - keep;

	memmove(log->tail.data, log->tail.data + drop, keep);
	mlb_buf_truncate(&log->tail, keep);
	log->left_out += drop;
}

static void
keep(struct mlb_joblog *log, const char *data, size_t len)
{
	size_t room = log->half - log->head.len;
	size_t n = MLB_MIN(len, room);

	mlb_buf_add(&log->head, data, n);
	data += n;
	len -= n;
	while (len > 0) {
		if (log->tail.len == log->half * 2) {
			if (log->half == 0) {
				log->left_out += len;
				return;
			}
			cut_tail(log, log->half);
		}
		n = MLB_MIN(len, log->half * 2 - log->tail.len);
		mlb_buf_add(&log->tail, data, n);
		data += n;
		len -= n;
	}
}

static void
emit(struct mlb_joblog *log, const char *data, size_t len)
{
	if (len == 0)
		return;
	keep(log, data, len);
	if (len > MAX_WAITING - log->line.len)
		mlb_buf_clear(&log->line); /* nobody is listening */
	mlb_buf_add(&log->line, data, MLB_MIN(len, MAX_WAITING));
}

/* ---------------------------------------------------------------- masking */

/* The longest secret at p; *maybe: these bytes may become one (a longer one) when more follows. */
static size_t
match_secret(const struct mlb_joblog *log, const char *p, size_t len, bool *maybe)
{
	*maybe = false;
	for (size_t i = 0; i < log->secret.n; i++) {
		size_t n = strlen(log->secret.v[i]);
		if (n > len) {
			if (memcmp(log->secret.v[i], p, len) == 0)
				*maybe = true;
		} else if (memcmp(log->secret.v[i], p, n) == 0) {
			return n;
		}
	}
	return 0;
}

static void
scan(struct mlb_joblog *log, bool last)
{
	const char *p = mlb_buf_str(&log->held);
	size_t n = log->held.len, i, plain = log->covered, covered = log->covered;

	for (i = 0; i < n; i++) {
		bool maybe;
		size_t found;
		if (!log->first[(unsigned char)p[i]])
			continue;
		found = match_secret(log, p + i, n - i, &maybe);
		if (maybe && !last)
			break;
		if (found == 0)
			continue;
		if (i >= covered) {
			emit(log, p + plain, i - plain);
			emit(log, MASK, strlen(MASK));
		}
		covered = MLB_MAX(covered, i + found);
		plain = covered;
	}
	if (i > plain)
		emit(log, p + plain, i - plain);
	log->covered = covered > i ? covered - i : 0;
	if (i < n)
		memmove(log->held.data, log->held.data + i, n - i);
	mlb_buf_truncate(&log->held, n - i);
}

void
mlb_joblog_add(struct mlb_joblog *log, const char *data, size_t len)
{
	if (log->secret.n == 0) {
		emit(log, data, len);
		return;
	}
	mlb_buf_add(&log->held, data, len);
	scan(log, false);
}

void
mlb_joblog_end(struct mlb_joblog *log)
{
	if (log->held.len)
		scan(log, true);
}

/* ------------------------------------------------------------------ lines */

/* Progress bars overwrite their line: only its last state is worth a line of ours. */
static const char *
last_state(const char *text, size_t *len)
{
	size_t begin;

	while (*len > 0 && text[*len - 1] == '\r')
		--*len;
	for (begin = *len; begin > 0 && text[begin - 1] != '\r'; begin--)
		;
	*len -= begin;
	return text + begin;
}

const char *
mlb_joblog_unended(const struct mlb_joblog *log, size_t *len)
{
	*len = log->line.len;
	return log->line.len ? last_state(log->line.data, len) : "";
}

void
mlb_joblog_lines(struct mlb_joblog *log, bool last,
		 void (*fn)(void *ctx, const char *text, size_t len), void *ctx)
{
	const char *p = mlb_buf_str(&log->line), *end = p + log->line.len;

	if (!fn) {
		mlb_buf_clear(&log->line);
		return;
	}
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p), given;
		const char *state;
		if (!nl && !last && len < MAX_LINE)
			break;
		given = len;
		state = last_state(p, &given);
		fn(ctx, state, given);
		p += len + (nl ? 1 : 0);
	}
	size_t rest = (size_t)(end - p);
	if (rest && rest < log->line.len)
		memmove(log->line.data, p, rest);
	if (rest < log->line.len)
		mlb_buf_truncate(&log->line, rest);
}

const char *
mlb_joblog_text(struct mlb_joblog *log, size_t *len)
{
	const char *tail;
	size_t n;

	if (log->tail.len > log->half)
		cut_tail(log, log->half);
	if (log->tail.len == 0 && log->left_out == 0) {
		*len = log->head.len;
		return mlb_buf_str(&log->head);
	}
	tail = mlb_buf_str(&log->tail);
	n = log->tail.len;
	if (log->left_out) { /* begin the second half with a whole line */
		const char *nl = memchr(tail, '\n', MLB_MIN(n, (size_t)4096));
		if (nl) {
			n -= (size_t)(nl + 1 - tail);
			tail = nl + 1;
		}
	}
	mlb_buf_clear(&log->whole);
	mlb_buf_add(&log->whole, log->head.data, log->head.len);
	if (log->left_out) {
		uint64_t gap = log->left_out + (log->tail.len - n);
		mlb_buf_addf(&log->whole, "\n[... %llu bytes left out ...]\n",
			     (unsigned long long)gap);
	}
	mlb_buf_add(&log->whole, tail, n);
	*len = log->whole.len;
	return mlb_buf_str(&log->whole);
}
