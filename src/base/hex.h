/* Digests as 64 lower-case hexadecimal characters. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/hash.h"

void mlb_hex_encode(char *out, const void *data, size_t len);          /* 2 * len characters and a NUL */
bool mlb_hex_decode(void *out, const char *hex, size_t len);           /* len bytes from 2 * len lower-case characters */
void mlb_digest_hex(char out[MLB_HEX_LEN + 1], const struct mlb_digest *d);
bool mlb_digest_parse(struct mlb_digest *out, const char *hex, size_t len); /* len must be 64 */

#endif
