/*
 * Writing JSON (RFC 8259) into a buffer, one value after the other; reading is
 * jansson's.  Strings that are not UTF-8 are written with U+FFFD for each bad
 * byte.  Commas and colons are put in by the writer; nesting is limited to 64.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

struct mlb_json {
	struct mlb_buf *out; /* borrowed */
	uint64_t has_items;  /* bit per depth: a comma is due */
	unsigned depth;
	bool after_key;
};

void mlb_json_init(struct mlb_json *j, struct mlb_buf *out);
void mlb_json_object(struct mlb_json *j);
void mlb_json_end_object(struct mlb_json *j);
void mlb_json_array(struct mlb_json *j);
void mlb_json_end_array(struct mlb_json *j);
void mlb_json_key(struct mlb_json *j, const char *key);
void mlb_json_str(struct mlb_json *j, const char *s);           /* NULL writes null */
void mlb_json_strn(struct mlb_json *j, const char *s, size_t len);
void mlb_json_int(struct mlb_json *j, int64_t v);
void mlb_json_double(struct mlb_json *j, double v);              /* shortest text that reads back; NaN, inf: null */
void mlb_json_bool(struct mlb_json *j, bool v);
void mlb_json_null(struct mlb_json *j);
void mlb_json_raw(struct mlb_json *j, const char *text);         /* text that is JSON already */

#endif
