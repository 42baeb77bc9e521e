#include "commands/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/compat.h"
#include "mlbuild.h"

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT };

/*
 * The one global of the program. A handler is given nothing but the signal's number, and
 * must act itself: SIGTSTP stops the whole process, so that no thread would be left to read
 * of it from a pipe, and a descriptor would need a global as well. The library has none.
 */
static struct {
	struct mlb_project *volatile project;
	atomic_uint stops,
		continues; /* and the next: the display's thread reads what the handler writes */
	atomic_bool suspended;
	volatile sig_atomic_t say;
	volatile sig_atomic_t deaf; /* SIGINT was ignored when we were started */
	struct sigaction before[MLB_ARRAY_LEN(caught)];
} heard;

static void
write_text(const char *text, size_t len)
{
	ssize_t ignored = write(STDERR_FILENO, text, len);

	(void)ignored;
}

static void handler(int sig, siginfo_t *info, void *context);

/*
 * Be heard.suspended, and return when we go on. The count rises heard.before anything else
 * runs again: otherwise the display's thread could draw over what the shell wrote.
 */
static void
suspend(void)
{
	struct sigaction usual, ours;
	sigset_t tstp;

	heard.suspended = true;
	if (heard.project)
		mlb_suspend(heard.project);
	memset(&usual, 0, sizeof(usual));
	usual.sa_handler = SIG_DFL;
	sigemptyset(&usual.sa_mask);
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	(void)sigaction(SIGTSTP, &usual, &ours);
	(void)raise(SIGTSTP);
	(void)pthread_sigmask(SIG_UNBLOCK, &tstp, NULL); /* here it stops */
	(void)pthread_sigmask(SIG_BLOCK, &tstp, NULL);
	(void)sigaction(SIGTSTP, &ours, NULL);
	heard.continues++;
	heard.suspended = false;
	if (heard.project)
		mlb_continue(heard.project);
}

static void
handler(int sig, siginfo_t *info, void *context MLB_UNUSED)
{
	static const char first[] = "mlbuild: stopping: commands are ended, outputs restored\n";
	static const char again[] = "mlbuild: still restoring outputs\n";
	int saved = errno;

	if (sig == SIGINT && heard.deaf && info->si_code == SI_KERNEL)
		return; /* Ctrl-C is for what runs in the foreground */
	if (sig == SIGTSTP) {
		suspend();
	} else if (sig == SIGCONT) {
		heard.continues++;
	} else {
		if (heard.say && heard.stops == 0)
			write_text(first, sizeof(first) - 1);
		else if (heard.say)
			write_text(again, sizeof(again) - 1);
		heard.stops++;
		if (heard.project)
			mlb_cancel(heard.project);
	}
	errno = saved;
}

void
signals_begin(struct mlb_project *p, bool tell)
{
	struct sigaction action;

	heard.project = p;
	heard.stops = heard.continues = 0;
	heard.suspended = false;
	heard.say = tell;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_RESTART | SA_SIGINFO;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < MLB_ARRAY_LEN(caught); i++)
		sigaddset(&action.sa_mask, caught[i]);
	for (size_t i = 0; i < MLB_ARRAY_LEN(caught); i++) {
		(void)sigaction(caught[i], NULL, &heard.before[i]);
		/*
		 * A script's background job is started with SIGINT ignored, so that Ctrl-C does
		 * not end it. A kill -INT that names it is meant for it all the same, as ninja
		 * has it. What nohup and the like ignore stays ignored.
		 */
		if (caught[i] == SIGINT)
			heard.deaf = heard.before[i].sa_handler == SIG_IGN;
		if (caught[i] == SIGINT || heard.before[i].sa_handler != SIG_IGN)
			(void)sigaction(caught[i], &action, NULL);
	}
}

void
signals_end(void)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(caught); i++)
		(void)sigaction(caught[i], &heard.before[i], NULL);
	heard.project = NULL;
}

unsigned
signals_stops(void)
{
	return heard.stops;
}

unsigned
signals_continues(void)
{
	return heard.continues;
}

bool
signals_suspended(void)
{
	return heard.suspended;
}
