/* --json: one object per line. Field names are part of the interface; mlbuild(1) lists them. */
#ifndef COMMANDS_JSONLINE_H
#define COMMANDS_JSONLINE_H

#include "base/json.h"
#include "commands/out.h"

struct jsonline {
	struct mlb_json j;
	struct out *out;
};

void jsonline_begin(struct jsonline *l, struct out *out);
void jsonline_end(struct jsonline *l); /* and make it seen at once */
void jsonline_str(struct jsonline *l, const char *key, const char *value);
void jsonline_int(struct jsonline *l, const char *key, uint64_t value);
void jsonline_bool(struct jsonline *l, const char *key, bool value);
void jsonline_seconds(struct jsonline *l, const char *key, uint64_t ns);
void jsonline_time(struct jsonline *l, const char *key, int64_t ns); /* 2026-11-21T02:55:46Z */
void jsonline_raw(struct jsonline *l, const char *key, const char *json); /* "" is null */

#endif
