#include "engine/runid.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "os/clock.h"
#include "os/machine.h"

char *
mlb_new_run_id(void)
{
	struct mlb_buf at = MLB_BUF_INIT(MLB_KIB);
	uint16_t salt = 0;
	const char *t;
	char *id;

	mlb_add_time(&at, mlb_clock_wall());
	mlb_machine_random(&salt, sizeof(salt), NULL);
	t = mlb_buf_str(&at); /* 2026-11-21T02:55:46Z */
	id = mlb_asprintf("%.4s%.2s%.2s-%.2s%.2s%.2s-%04x", t, t + 5, t + 8, t + 11, t + 14, t + 17,
			  salt);
	mlb_buf_release(&at);
	return id;
}
