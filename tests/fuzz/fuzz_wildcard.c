/* Rules of any kind about any path: no crash, and an answer in bounded time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = memchr(text, '\0', size);
	struct mlb_ignore list = { MLB_VEC_INIT };
	char *path;

	if (!nul || size > 2000)
		return 0;
	path = mlb_strndup(nul + 1, (size_t)(text + size - nul - 1));
	mlb_ignore_parse(&list, text, (size_t)(nul - text));
	mlb_ignore_match(&list, path, false);
	mlb_ignore_match(&list, path, true);
	mlb_wildcard_match(text, (size_t)(nul - text), path, true);
	mlb_ignore_release(&list);
	free(path);
	return 0;
}
