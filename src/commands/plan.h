/* What would happen to each target, and why: for `status` and for a dry run. */
#ifndef COMMANDS_PLAN_H
#define COMMANDS_PLAN_H

#include "base/vec.h"
#include "commands/cmd.h"
#include "commands/jsonline.h"
#include "commands/tabular.h"

/* Instances of one target that come to the same, told in one line where they are many. */
struct plan_fold {
	char *base;               /* the target; NULL: nothing is held back */
	struct mlb_strvec name;   /* of the instances */
	struct mlb_strvec reason; /* of each */
	int fate;
	bool differ; /* the reasons are not all the same */
};

struct plan_view {
	struct app *app;
	struct plan_fold fold;
	struct tabular table;
	bool all;          /* list what is up to date, too */
	bool future;       /* say what will be done, not what is the matter */
	uint32_t count[6]; /* by fate */
	uint32_t total;
	uint64_t expected; /* ns that what runs will take, one after the other */
};

void plan_view_init(struct plan_view *v, struct app *app);
void plan_view_release(struct plan_view *v);
int plan_view_take(void *view, const struct mlb_plan_info *i); /* an mlb_plan_fn */
void plan_view_print(struct plan_view *v); /* not with --json, which prints as it goes */
const char *plan_fate_json(int fate);      /* enum mlb_fate as --json has it */
void plan_add_failure(struct jsonline *l,
		      const struct mlb_past_failure *f); /* "failed"; NULL adds nothing */
bool plan_view_stale(const struct plan_view *v);         /* something has to run or cannot */

#endif
