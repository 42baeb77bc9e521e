/* What is parsed is written back byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "store/roots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_buf out = MLB_BUF_INIT(64 * MLB_MIB);
	struct mlb_roots roots;

	if (mlb_roots_parse(&roots, (const char *)data, size, NULL) != 0)
		return 0;
	mlb_roots_format(&out, &roots);
	if (out.len != size || memcmp(mlb_buf_str(&out), data, size) != 0)
		abort();
	mlb_roots_release(&roots);
	mlb_buf_release(&out);
	return 0;
}
