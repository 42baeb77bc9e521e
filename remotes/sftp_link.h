/*
 * The user's ssh as a process, and packets to and from it.
 *
 * 1. One thread. Nothing blocks but mlb_sftp_link_stop, which waits for ssh's end,
 *    and not for long.
 * 2. Where ssh asks for a passphrase or about a host key it does so on /dev/tty: so it
 *    stays in our process group. Where there is no terminal it fails by itself.
 * 3. What it prints on stderr is kept, the last MLB_SFTP_WORDS_MAX bytes: it is all
 *    that tells why there is no connection.
 *
 * Ownership: whoever made a link stops it; packets point into it until the next call.
 */
#ifndef REMOTES_SFTP_LINK_H
#define REMOTES_SFTP_LINK_H

#include <poll.h>

#include "base/buf.h"
#include "os/spawn.h"
#include "remotes/sftp_packet.h"

#define MLB_SFTP_WORDS_MAX 4096

struct mlb_sftp_link {
	struct mlb_child child;
	int sock;           /* ssh's stdin and stdout; -1: it does not run */
	int stderr_fd;      /* -1: at its end */
	struct mlb_buf out; /* packets for the server */
	size_t out_at;      /* of them: written */
	uint8_t *in;        /* bytes of the server, IN_SIZE */
	size_t in_at, in_len;
	struct mlb_buf words; /* of ssh's stderr */
	uint64_t heard;       /* mlb_clock_mono() of the last byte that came from the server */
	bool ended;           /* nothing more will come */
};

void mlb_sftp_link_init(struct mlb_sftp_link *l);
/* Start ssh; MLB_ENOTFOUND if there is no such program. */
int mlb_sftp_link_start(struct mlb_sftp_link *l, const char *const *argv, struct mlb_err *err);
bool mlb_sftp_link_runs(const struct mlb_sftp_link *l);
size_t mlb_sftp_link_unsent(const struct mlb_sftp_link *l); /* bytes */

#define MLB_SFTP_LINK_FDS 3
/* What to wait for, into p[0 … MLB_SFTP_LINK_FDS). */
void mlb_sftp_link_poll(const struct mlb_sftp_link *l, struct pollfd *p);
/* Send what can be sent now. */
void mlb_sftp_link_send(struct mlb_sftp_link *l);
/* Take what has come; sets ended at the end. */
void mlb_sftp_link_receive(struct mlb_sftp_link *l, const struct pollfd *p);
/* The next packet that came whole: 1; 0: none; -1: what came is no packet. */
int mlb_sftp_link_next(struct mlb_sftp_packet *out, struct mlb_sftp_link *l);
/* What came and is no packet, as text for a message: at most size bytes with the NUL. */
void mlb_sftp_link_junk(char *out, size_t size, const struct mlb_sftp_link *l);

/*
 * End it: gently it may send what is to be sent and end by itself, else it is killed.
 * Its last words are in l->words until the next start.
 */
void mlb_sftp_link_stop(struct mlb_exit *out, struct mlb_sftp_link *l, bool gently);
void mlb_sftp_link_release(struct mlb_sftp_link *l); /* of one that does not run */

#endif
