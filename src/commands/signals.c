#include "commands/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/compat.h"
#include "mlbuild.h"

static struct mlb_project *volatile project;
static atomic_uint stops,
	continues; /* and the next: the display's thread reads what the handler writes */
static atomic_bool suspended;
static volatile sig_atomic_t say;
static volatile sig_atomic_t deaf; /* SIGINT was ignored when we were started */

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT };
static struct sigaction before[MLB_ARRAY_LEN(caught)];

static void
write_text(const char *text, size_t len)
{
	ssize_t ignored = write(STDERR_FILENO, text, len);

	(void)ignored;
}

static void handler(int sig, siginfo_t *info, void *context);

/*
 * Be suspended, and return when we go on. The count rises before anything else
 * runs again: otherwise the display's thread could draw over what the shell wrote.
 */
static void
suspend(void)
{
	struct sigaction usual, ours;
	sigset_t tstp;

	suspended = true;
	if (project)
		mlb_suspend(project);
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
	continues++;
	suspended = false;
	if (project)
		mlb_continue(project);
}

static void
handler(int sig, siginfo_t *info, void *context MLB_UNUSED)
{
	static const char first[] = "mlbuild: stopping: commands are ended, outputs restored\n";
	static const char again[] = "mlbuild: still restoring outputs\n";
	int saved = errno;

	if (sig == SIGINT && deaf && info->si_code == SI_KERNEL)
		return; /* Ctrl-C is for what runs in the foreground */
	if (sig == SIGTSTP) {
		suspend();
	} else if (sig == SIGCONT) {
		continues++;
	} else {
		if (say && stops == 0)
			write_text(first, sizeof(first) - 1);
		else if (say)
			write_text(again, sizeof(again) - 1);
		stops++;
		if (project)
			mlb_cancel(project);
	}
	errno = saved;
}

void
signals_begin(struct mlb_project *p, bool tell)
{
	struct sigaction action;

	project = p;
	stops = continues = 0;
	suspended = false;
	say = tell;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_RESTART | SA_SIGINFO;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < MLB_ARRAY_LEN(caught); i++)
		sigaddset(&action.sa_mask, caught[i]);
	for (size_t i = 0; i < MLB_ARRAY_LEN(caught); i++) {
		(void)sigaction(caught[i], NULL, &before[i]);
		/*
		 * A script's background job is started with SIGINT ignored, so that Ctrl-C does
		 * not end it. A kill -INT that names it is meant for it all the same, as ninja
		 * has it. What nohup and the like ignore stays ignored.
		 */
		if (caught[i] == SIGINT)
			deaf = before[i].sa_handler == SIG_IGN;
		if (caught[i] == SIGINT || before[i].sa_handler != SIG_IGN)
			(void)sigaction(caught[i], &action, NULL);
	}
}

void
signals_end(void)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(caught); i++)
		(void)sigaction(caught[i], &before[i], NULL);
	project = NULL;
}

unsigned
signals_stops(void)
{
	return stops;
}

unsigned
signals_continues(void)
{
	return continues;
}

bool
signals_suspended(void)
{
	return suspended;
}
