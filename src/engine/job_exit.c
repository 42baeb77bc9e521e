/* What an exit code or a signal means, said for people. */
#include <signal.h>
#include <string.h>

#include "engine/job_int.h"

static bool
cut_suffix(const char *text, size_t *len, const char *suffix)
{
	size_t n = strlen(suffix);

	if (*len < n || memcmp(text + *len - n, suffix, n) != 0)
		return false;
	*len -= n;
	return true;
}

/* Shells write "sh: 1: X: not found" or "bash: line 1: X: command not found": X, if the last line does. */
static void
add_not_found(struct mlb_buf *out, const char *log, size_t len)
{
	size_t start;

	while (len > 0 && (log[len - 1] == '\n' || log[len - 1] == '\r'))
		len--;
	for (start = len; start > 0 && log[start - 1] != '\n'; start--)
		;
	log += start;
	len -= start;
	if (!cut_suffix(log, &len, ": not found") && !cut_suffix(log, &len, ": command not found"))
		return;
	for (start = len;
	     start > 0 && !(log[start - 1] == ' ' && start > 1 && log[start - 2] == ':'); start--)
		;
	mlb_buf_adds(out, ": ");
	mlb_buf_add(out, log + start, len - start);
}

void
mlb_job_explain_exit(struct mlb_buf *out, const struct mlb_exit *x, const char *log, size_t len)
{
	if (x->signal) {
		mlb_buf_addf(out, "killed by signal %d (%s)", x->signal, strsignal(x->signal));
		if (x->signal == SIGKILL)
			mlb_buf_adds(out, ": by hand, or for want of memory");
	} else if (x->code == 127) {
		mlb_buf_adds(out, "exit code 127: command not found");
		add_not_found(out, log, len);
	} else if (x->code == 126) {
		mlb_buf_adds(out, "exit code 126: a command could not be executed");
	} else if (x->code > 128 && x->code <= 128 + SIGRTMAX) {
		mlb_buf_addf(out, "exit code %d (signal %d, %s)", x->code, x->code - 128,
			     strsignal(x->code - 128));
	} else {
		mlb_buf_addf(out, "exit code %d", x->code);
	}
}
