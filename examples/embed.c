/*
 * Building a project from your own program, with libmlbuild.
 *
 *	cc -std=c11 -o embed embed.c $(pkg-config --cflags --libs mlbuild)
 *	./embed examples/minimal model
 *
 * It opens the project in the directory of the first argument, says what a build
 * of the other arguments would do, builds, and prints what came of it. The
 * library never prints or exits: everything that is shown is shown here.
 */
#include <mlbuild.h>

#include <inttypes.h>
#include <stdio.h>

static const char *const fate_names[] = { "up to date", "restore", "run",
					  "may run",    "blocked", "refused" };

static int
on_plan(void *ctx, const struct mlb_plan_info *i)
{
	(void)ctx;
	printf("plan: %s %s: %s%s%s\n", i->kind, i->name, fate_names[i->fate],
	       *i->reason ? ", " : "", i->reason);
	return 0;
}

/* Events come on the thread that called mlb_build; what they point to is borrowed. */
static void
on_event(void *ctx, const struct mlb_event *e)
{
	unsigned *events = ctx;

	(*events)++;
	switch (e->type) {
	case MLB_EV_START:
		printf("%s: %s\n", e->node, e->text);
		break;
	case MLB_EV_BUILT:
		printf("%s: built in %.2f s (%" PRIu32 " of %" PRIu32 ")\n", e->node,
		       (double)e->duration / 1e9, e->finished, e->total);
		break;
	case MLB_EV_RESTORED:
		printf("%s: from the cache\n", e->node);
		break;
	case MLB_EV_FAILED:
	case MLB_EV_NO:
		printf("%s: %s\n%s", e->node, e->failure->reason, e->failure->log_tail);
		break;
	default:
		break;
	}
}

static int
build(struct mlb_project *project, const char *const *word, size_t n_words, struct mlb_err *err)
{
	struct mlb_report report = { 0 };
	unsigned events = 0;
	struct mlb_build options = { .word = word,
				     .n_words = n_words,
				     .command_line = "embed",
				     .on_event = on_event,
				     .ctx = &events };
	int rc = mlb_build(project, &options, &report, err);

	printf("report: %" PRIu32 " built, %" PRIu32 " restored, %" PRIu32 " up to date, %" PRIu32
	       " failed\n",
	       report.built, report.restored, report.current, report.failed);
	if (report.metrics)
		printf("metrics: %s\n", report.metrics);
	mlb_report_release(&report);
	return rc;
}

int
main(int argc, char **argv)
{
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_project *project = NULL;
	const char *const *word = (const char *const *)argv + 2;
	size_t n_words = argc > 2 ? (size_t)argc - 2 : 0;
	struct mlb_open where = { .dir = argc > 1 ? argv[1] : NULL };
	int rc;

	rc = mlb_project_open(&project, &where, &err);
	if (rc == 0)
		printf("project: %s in %s\n", mlb_project_name(project), mlb_project_root(project));
	if (rc == 0)
		rc = mlb_plan(project, word, n_words, on_plan, NULL, &err);
	if (rc == 0)
		rc = build(project, word, n_words, &err);
	if (rc)
		fprintf(stderr, "embed: %s\n", err.text ? err.text : "failed");
	mlb_project_close(project);
	mlb_err_release(&err);
	return mlb_exit_code(rc);
}
