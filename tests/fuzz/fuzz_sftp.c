/*
 * Any bytes as what an SFTP server sends: packets are taken one after the other, and each
 * is read as everything that it could be. Whatever is taken lies within the bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "remotes/sftp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *from, *to;

/* Reads the bytes too, so that a sanitizer sees where they are. */
static void
check(struct mlb_sftp_bytes b)
{
	static volatile uint8_t sum;
	const uint8_t *at = b.at;

	if (b.len && (at < from || b.len > (size_t)(to - at)))
		abort();
	for (size_t i = 0; i < b.len; i++)
		sum = (uint8_t)(sum + at[i]);
}

static void
try_names(const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_names names;
	struct mlb_sftp_name one;

	if (!mlb_sftp_names_begin(&names, p))
		return;
	while (names.left && mlb_sftp_names_next(&one, &names))
		check(one.name);
}

static void
try_packet(const struct mlb_sftp_packet *p)
{
	struct mlb_sftp_extensions ext;
	struct mlb_sftp_status status;
	struct mlb_sftp_limits limits;
	struct mlb_sftp_bytes bytes;
	struct mlb_sftp_attrs attrs;
	uint64_t space, files;
	uint32_t version;

	check((struct mlb_sftp_bytes){ p->body, p->len });
	mlb_sftp_get_version(&version, &ext, p);
	if (mlb_sftp_get_status(&status, p))
		check(status.words);
	if (mlb_sftp_get_bytes(&bytes, p)) {
		check(bytes);
		if (p->type == MLB_SFTP_IS_HANDLE && bytes.len > MLB_SFTP_HANDLE_MAX)
			abort();
	}
	if (mlb_sftp_get_attrs(&attrs, p))
		mlb_sftp_is_file(&attrs);
	mlb_sftp_get_limits(&limits, p);
	mlb_sftp_get_space(&space, &files, p);
	try_names(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mlb_sftp_packet p;

	from = data;
	to = data + size;
	for (size_t at = 0; at < size;) {
		int64_t n = mlb_sftp_take(&p, data + at, size - at);

		if (n <= 0)
			return 0;
		if ((uint64_t)n > size - at || n < 9 || n > MLB_SFTP_PACKET_MAX + 4)
			abort();
		try_packet(&p);
		at += (size_t)n;
	}
	return 0;
}
