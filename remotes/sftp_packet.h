/*
 * Packets of the SSH File Transfer Protocol, version 3: requests are made, answers
 * taken apart. How they look stands in sftp_packet.c.
 *
 * 1. Nothing here knows a connection, or what belongs to what.
 * 2. An answer is a stranger's: whatever is taken from it is checked against its end,
 *    and points into it.
 */
#ifndef REMOTES_SFTP_PACKET_H
#define REMOTES_SFTP_PACKET_H

#include "base/buf.h"

#define MLB_SFTP_VERSION 3
#define MLB_SFTP_HANDLE_MAX 256 /* bytes; section 3 */
#define MLB_SFTP_PATH_MAX 4096
/* Most bytes of a packet without its length: what OpenSSH sends and takes. */
#define MLB_SFTP_PACKET_MAX (256U * 1024)

enum mlb_sftp_type {
	MLB_SFTP_INIT = 1,
	MLB_SFTP_IS_VERSION = 2,
	MLB_SFTP_OPEN = 3,
	MLB_SFTP_CLOSE = 4,
	MLB_SFTP_READ = 5,
	MLB_SFTP_WRITE = 6,
	MLB_SFTP_FSTAT = 8,
	MLB_SFTP_OPENDIR = 11,
	MLB_SFTP_READDIR = 12,
	MLB_SFTP_REMOVE = 13,
	MLB_SFTP_MKDIR = 14,
	MLB_SFTP_STAT = 17,
	MLB_SFTP_RENAME = 18,
	MLB_SFTP_IS_STATUS = 101,
	MLB_SFTP_IS_HANDLE = 102,
	MLB_SFTP_IS_DATA = 103,
	MLB_SFTP_IS_NAME = 104,
	MLB_SFTP_IS_ATTRS = 105,
	MLB_SFTP_EXTENDED = 200,
	MLB_SFTP_IS_REPLY = 201
};

enum mlb_sftp_code {
	MLB_SFTP_OK = 0,
	MLB_SFTP_EOF = 1,
	MLB_SFTP_NO_SUCH_FILE = 2,
	MLB_SFTP_PERMISSION_DENIED = 3,
	MLB_SFTP_FAILURE = 4,
	MLB_SFTP_BAD_MESSAGE = 5,
	MLB_SFTP_NO_CONNECTION = 6,
	MLB_SFTP_CONNECTION_LOST = 7,
	MLB_SFTP_UNSUPPORTED = 8
};

/* How a file is opened. */
#define MLB_SFTP_FOR_READ 0x01U
#define MLB_SFTP_FOR_WRITE 0x02U
#define MLB_SFTP_CREATE 0x08U
#define MLB_SFTP_EXCLUSIVE 0x20U

/* ------------------------------------------------------------- requests */

/* Bytes that are no string of C: a handle, the data of a file. */
struct mlb_sftp_bytes {
	const void *at;
	size_t len;
};

/* Each adds one packet to b. */
void mlb_sftp_add_init(struct mlb_buf *b);
void mlb_sftp_add_open(struct mlb_buf *b, uint32_t id, const char *path, uint32_t how);
void mlb_sftp_add_path(struct mlb_buf *b, enum mlb_sftp_type type, uint32_t id,
		       const char *path); /* OPENDIR, REMOVE, STAT */
void mlb_sftp_add_mkdir(struct mlb_buf *b, uint32_t id, const char *path);
void mlb_sftp_add_rename(struct mlb_buf *b, uint32_t id, const char *from, const char *to);
void mlb_sftp_add_handle(struct mlb_buf *b, enum mlb_sftp_type type, uint32_t id,
			 struct mlb_sftp_bytes handle); /* CLOSE, FSTAT, READDIR */
void mlb_sftp_add_read(struct mlb_buf *b, uint32_t id, struct mlb_sftp_bytes handle,
		       uint64_t offset, uint32_t len);
void mlb_sftp_add_write(struct mlb_buf *b, uint32_t id, struct mlb_sftp_bytes handle,
			uint64_t offset, struct mlb_sftp_bytes data);

/* Extensions; the names are those by which the server says that it has them. */
#define MLB_SFTP_EXT_POSIX_RENAME "posix-rename@openssh.com"
#define MLB_SFTP_EXT_HARDLINK "hardlink@openssh.com"
#define MLB_SFTP_EXT_FSYNC "fsync@openssh.com"
#define MLB_SFTP_EXT_STATVFS "statvfs@openssh.com"
#define MLB_SFTP_EXT_LIMITS "limits@openssh.com"
/* first is a handle or a path, second a path or NULL. */
void mlb_sftp_add_extended(struct mlb_buf *b, uint32_t id, const char *extension,
			   struct mlb_sftp_bytes first, const char *second);

/* ------------------------------------------------------------- answers */

struct mlb_sftp_packet {
	uint8_t type;
	uint32_t id;         /* 0 of VERSION, which has none */
	const uint8_t *body; /* behind the id; borrowed from the bytes it was taken from */
	size_t len;
};

/*
 * The packet that the bytes begin with. Returns how many bytes it is long, 0 if more
 * must come, -1 if it can be none: its length is 0, too short or above
 * MLB_SFTP_PACKET_MAX.
 */
int64_t mlb_sftp_take(struct mlb_sftp_packet *out, const uint8_t *data, size_t len);

/* What follows returns false where the body is not what it should be. Strings are borrowed. */

struct mlb_sftp_extensions {
	bool posix_rename, hardlink, fsync, statvfs, limits;
};
bool mlb_sftp_get_version(uint32_t *version, struct mlb_sftp_extensions *ext,
			  const struct mlb_sftp_packet *p);

struct mlb_sftp_status {
	uint32_t code;               /* enum mlb_sftp_code, or another */
	struct mlb_sftp_bytes words; /* of the server; may be empty, any bytes */
};
bool mlb_sftp_get_status(struct mlb_sftp_status *out, const struct mlb_sftp_packet *p);

/* A handle (HANDLE) or bytes of a file (DATA). */
bool mlb_sftp_get_bytes(struct mlb_sftp_bytes *out, const struct mlb_sftp_packet *p);

struct mlb_sftp_attrs {
	bool has_size, has_mode;
	uint64_t size;
	uint32_t mode;
	int64_t mtime; /* seconds since 1970; 0: not told */
};
bool mlb_sftp_get_attrs(struct mlb_sftp_attrs *out, const struct mlb_sftp_packet *p);
bool mlb_sftp_is_file(const struct mlb_sftp_attrs *a); /* or it is not told */

/* Reads the names of a NAME packet, one after the other. */
struct mlb_sftp_names {
	const uint8_t *at, *end;
	uint32_t left;
};
struct mlb_sftp_name {
	struct mlb_sftp_bytes name;
	struct mlb_sftp_attrs attrs;
};
bool mlb_sftp_names_begin(struct mlb_sftp_names *n, const struct mlb_sftp_packet *p);
bool mlb_sftp_names_next(struct mlb_sftp_name *out, struct mlb_sftp_names *n); /* while left */

struct mlb_sftp_limits {
	uint64_t packet, read, write, handles; /* bytes, bytes, bytes, number; 0: no limit told */
};
bool mlb_sftp_get_limits(struct mlb_sftp_limits *out, const struct mlb_sftp_packet *p);

/* Bytes and files that this user may still store; UINT64_MAX files where that is not counted. */
bool mlb_sftp_get_space(uint64_t *bytes, uint64_t *files, const struct mlb_sftp_packet *p);

#endif
