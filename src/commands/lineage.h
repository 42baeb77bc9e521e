/* How a lineage is shown, and a digest: as text and as JSON. */
#ifndef COMMANDS_LINEAGE_H
#define COMMANDS_LINEAGE_H

#include "commands/jsonline.h"
#include "mlbuild.h"

/* A table of what each action read and where that is from. */
void lineage_print(struct out *out, const struct mlb_lineage *l, size_t n);
void lineage_json(struct jsonline *l, const char *key, const struct mlb_lineage *line, size_t n);

void digest_print(struct out *out, const struct mlb_digest_info *d);
void digest_json(struct out *out, const struct mlb_digest_info *d); /* one line */

/* Parameters by name, into an object. */
void named_values_json(struct jsonline *l, const char *key, const struct mlb_named_value *v, size_t n);

#endif
