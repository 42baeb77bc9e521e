/* A record that is accepted is the text of itself: there is one text for each. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/result.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_buf again = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_arena arena = MLB_ARENA_INIT;
	struct mlb_err err = MLB_ERR_INIT;
	struct mlb_result r;

	if (mlb_result_parse(&r, &arena, (const char *)data, size, &err) == 0) {
		mlb_result_format(&again, &r);
		if (again.len != size || memcmp(again.data, data, size) != 0)
			abort();
	} else if (err.code != MLB_ECORRUPT) {
		abort();
	}
	mlb_err_release(&err);
	mlb_arena_release(&arena);
	mlb_buf_release(&again);
	return 0;
}
