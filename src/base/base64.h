/* Base64 (RFC 4648, section 4): with padding, without line ends. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

void mlb_base64_add(struct mlb_buf *out, const void *data, size_t len);
/* All of text or nothing: false where it is no base64. What is added may be no text. */
bool mlb_base64_decode(struct mlb_buf *out, const char *text, size_t len);

#endif
