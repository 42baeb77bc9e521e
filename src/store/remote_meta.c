/*
 * mlbuild-remote.json: one JSON object (RFC 8259).
 *
 *   "format"   1; a reader refuses a greater one
 *   "id"       128 random bits in lower-case hexadecimal: by it copies of what this
 *              remote has are known again, wherever it is reached
 *   "by"       the version of mlbuild that made it, for people
 *
 * The first push makes it, and it is never written again. Other keys are passed over.
 */
#include "store/remote_meta.h"

#include <jansson.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "os/machine.h"

#define FORMAT 1

int
mlb_remote_meta_new(struct mlb_remote_meta *out, struct mlb_err *err)
{
	uint8_t random[MLB_REMOTE_ID_LEN / 2];
	int rc = mlb_machine_random(random, sizeof(random), err);

	if (rc == 0)
		mlb_hex_encode(out->id, random, sizeof(random));
	return rc;
}

void
mlb_remote_meta_format(struct mlb_buf *out, const struct mlb_remote_meta *m)
{
	struct mlb_json j;

	mlb_json_init(&j, out);
	mlb_json_object(&j);
	mlb_json_key(&j, "format");
	mlb_json_int(&j, FORMAT);
	mlb_json_key(&j, "id");
	mlb_json_str(&j, m->id);
	mlb_json_key(&j, "by");
	mlb_json_str(&j, "mlbuild " MLB_VERSION);
	mlb_json_end_object(&j);
	mlb_buf_addc(out, '\n');
}

int
mlb_remote_meta_parse(struct mlb_remote_meta *out, const char *text, size_t len,
		      struct mlb_err *err)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *format = json_object_get(root, "format");
	const char *id = json_string_value(json_object_get(root, "id"));
	uint8_t raw[MLB_REMOTE_ID_LEN / 2];
	int rc = 0;

	if (json_is_integer(format) && json_integer_value(format) > FORMAT)
		rc = mlb_err_set(err, MLB_EINVALID,
				 "the remote is of format %lld, which a later mlbuild made: this "
				 "one knows up to %d; upgrade it",
				 (long long)json_integer_value(format), FORMAT);
	else if (!json_is_integer(format) || json_integer_value(format) != FORMAT || !id ||
		 strlen(id) != MLB_REMOTE_ID_LEN || !mlb_hex_decode(raw, id, sizeof(raw)))
		rc = mlb_err_set(err, MLB_EINVALID,
				 "'" MLB_REMOTE_META "' there is not one of mlbuild's: restore it "
				 "from a backup, or use another place");
	else
		memcpy(out->id, id, sizeof(out->id));
	json_decref(root);
	return rc;
}
