#include "engine/runid.h"

#include <stdlib.h>
#include <string.h>

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

/* "20261121-025546-3f9a" */
bool
mlb_is_run_id(const char *word)
{
	return strlen(word) == 20 && strspn(word, "0123456789") == 8 && word[8] == '-' &&
	       strspn(word + 9, "0123456789") == 6 && word[15] == '-' &&
	       strspn(word + 16, "0123456789abcdef") == 4;
}
