/*
 * What goes wrong, in words: of a status (draft-ietf-secsh-filexfer-02, section 7) and
 * of ssh, which has one exit code (255) for everything and tells the rest on stderr.
 */
#include <string.h>
#include <strings.h>

#include "remotes/sftp_int.h"

#define MOST_WORDS 200

/* A stranger's text as part of one line: no control character, not too long. */
static void
add_words(struct mlb_buf *out, const char *words, size_t len)
{
	/* Nor full stops, and what ssh frames its warnings with. */
	while (len && strchr("\r .@", words[len - 1]))
		len--;
	for (; len && strchr(" @", *words); words++)
		len--;
	for (size_t i = 0; i < len && i < MOST_WORDS; i++)
		mlb_buf_addc(out,
			     (unsigned char)words[i] < ' ' || words[i] == 0x7f ? '?' : words[i]);
	if (len > MOST_WORDS)
		mlb_buf_adds(out, "…");
}

/* ------------------------------------------------------------- status */

static const struct {
	uint32_t code;
	enum mlb_remote_fault fault;
	const char *text;
	const char *usual; /* what OpenSSH says, which tells no more */
} statuses[] = {
	{ MLB_SFTP_EOF, MLB_FAULT_OTHER, "there is nothing more", "End of file" },
	{ MLB_SFTP_NO_SUCH_FILE, MLB_FAULT_ABSENT, "no such file or directory", "No such file" },
	{ MLB_SFTP_PERMISSION_DENIED, MLB_FAULT_DENIED, "permission denied", "Permission denied" },
	{ MLB_SFTP_FAILURE, MLB_FAULT_OTHER, "the server says no more than 'failure'", "Failure" },
	{ MLB_SFTP_BAD_MESSAGE, MLB_FAULT_OTHER, "the server does not take such a request",
	  "Bad message" },
	{ MLB_SFTP_NO_CONNECTION, MLB_FAULT_TRANSIENT, "the server has no connection",
	  "No connection" },
	{ MLB_SFTP_CONNECTION_LOST, MLB_FAULT_TRANSIENT, "the server lost its connection",
	  "Connection lost" },
	{ MLB_SFTP_UNSUPPORTED, MLB_FAULT_OTHER, "the server cannot do that",
	  "Operation unsupported" },
};

enum mlb_remote_fault
mlb_sftp_status_fault(uint32_t code)
{
	for (size_t i = 0; i < MLB_ARRAY_LEN(statuses); i++)
		if (statuses[i].code == code)
			return statuses[i].fault;
	return MLB_FAULT_OTHER;
}

void
mlb_sftp_status_text(struct mlb_buf *out, const struct mlb_sftp_status *status)
{
	const char *usual = "";
	size_t i;

	for (i = 0; i < MLB_ARRAY_LEN(statuses) && statuses[i].code != status->code; i++)
		;
	if (i < MLB_ARRAY_LEN(statuses)) {
		mlb_buf_adds(out, statuses[i].text);
		usual = statuses[i].usual;
	} else {
		mlb_buf_addf(out, "status %u", (unsigned)status->code);
	}
	if (status->words.len == 0 || (status->words.len == strlen(usual) &&
				       !strncasecmp(status->words.at, usual, strlen(usual))))
		return;
	mlb_buf_adds(out, " (");
	add_words(out, status->words.at, status->words.len);
	mlb_buf_addc(out, ')');
}

/* ------------------------------------------------------------- ssh */

/* OpenSSH's messages, the more telling first: those of a changed key come with others. */
static const struct {
	const char *words;
	enum mlb_remote_fault fault;
} sayings[] = {
	{ "REMOTE HOST IDENTIFICATION HAS CHANGED", MLB_FAULT_TRUST },
	{ "host key is known for", MLB_FAULT_TRUST },
	{ "Host key verification failed", MLB_FAULT_TRUST },
	{ "Permission denied (", MLB_FAULT_DENIED },
	{ "Too many authentication failures", MLB_FAULT_DENIED },
	{ "authentication methods", MLB_FAULT_DENIED },
	{ "account is currently not available", MLB_FAULT_DENIED },
	{ "account has expired", MLB_FAULT_DENIED },
	{ "Temporary failure in name resolution", MLB_FAULT_TRANSIENT },
	{ "Could not resolve hostname", MLB_FAULT_PLACE },
	{ "hostname contains invalid characters", MLB_FAULT_PLACE },
	{ "subsystem request failed", MLB_FAULT_OTHER },
	{ "Unable to negotiate", MLB_FAULT_OTHER },
	{ "onfiguration option", MLB_FAULT_OTHER },
	{ "an't open user config", MLB_FAULT_OTHER },
	{ "Bad owner or permissions on", MLB_FAULT_OTHER },
	{ "usage: ssh", MLB_FAULT_OTHER },
	{ "Not allowed at this time", MLB_FAULT_BUSY },
	{ "MaxStartups", MLB_FAULT_BUSY },
	{ "Connection refused", MLB_FAULT_TRANSIENT },
	{ "timed out", MLB_FAULT_TRANSIENT },
	{ "No route to host", MLB_FAULT_TRANSIENT },
	{ "etwork is unreachable", MLB_FAULT_TRANSIENT },
	{ "Connection reset", MLB_FAULT_TRANSIENT },
	{ "onnection closed", MLB_FAULT_TRANSIENT },
	{ "Broken pipe", MLB_FAULT_TRANSIENT },
};

/* The place of the most telling saying; *which is its index. */
static const char *
find_saying(size_t *which, const char *words)
{
	for (*which = 0; *which < MLB_ARRAY_LEN(sayings); ++*which) {
		const char *at = strstr(words, sayings[*which].words);

		if (at)
			return at;
	}
	return NULL;
}

enum mlb_remote_fault
mlb_ssh_fault(const char *words, const struct mlb_exit *x)
{
	size_t which;

	if (find_saying(&which, words))
		return sayings[which].fault;
	/* 255 is ssh's own; what else it ends with came from the server, or from a shell. */
	return x->code == 255 || x->signal ? MLB_FAULT_TRANSIENT : MLB_FAULT_OTHER;
}

/* The line around at; or the last one, if at is NULL. */
static void
add_line(struct mlb_buf *out, const char *words, const char *at)
{
	const char *end = words + strlen(words);

	while (!at && end > words && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	if (!at)
		at = end > words ? end - 1 : end;
	while (at > words && at[-1] != '\n')
		at--;
	add_words(out, at, strcspn(at, "\n"));
}

static void
add_advice(struct mlb_buf *out, const struct mlb_ssh *s, enum mlb_remote_fault fault)
{
	switch (fault) {
	case MLB_FAULT_TRUST:
		if (strstr(mlb_buf_str(&s->link.words), "HAS CHANGED")) {
			mlb_buf_adds(out,
				     "; somebody may be listening, or the server was set up anew: "
				     "ask whoever runs it, and 'ssh-keygen -R' forgets the old key");
			return;
		}
		mlb_buf_addf(out,
			     "; if you can tell that the key is the server's own, put it into "
			     "~/.ssh/known_hosts: '%s' asks for that",
			     s->login);
		return;
	case MLB_FAULT_DENIED:
		mlb_buf_addf(out,
			     "; '%s' must be able to log in: with -v it tells which keys it tries, "
			     "and 'ssh-add -l' which your agent has",
			     s->login);
		return;
	case MLB_FAULT_PLACE:
		mlb_buf_adds(out, "; correct the host in the url, or name it in ~/.ssh/config");
		return;
	case MLB_FAULT_OTHER:
		mlb_buf_addf(out, "; does '%s' work?", s->login);
		return;
	default:
		return;
	}
}

void
mlb_ssh_explain(struct mlb_buf *out, const struct mlb_ssh *s, enum mlb_remote_fault fault,
		const struct mlb_exit *x)
{
	const char *words = mlb_buf_str(&s->link.words);
	size_t which;
	const char *at = find_saying(&which, words);

	if (at || words[strspn(words, "\r\n ")])
		add_line(out, words, at);
	else if (x->signal)
		mlb_buf_addf(out, "ssh was ended by signal %d", x->signal);
	else
		mlb_buf_addf(out, "ssh ended with exit code %d and said nothing", x->code);
	if (at && strstr(at, "subsystem"))
		mlb_buf_adds(out, "; the server offers no SFTP: its sshd_config needs a line "
				  "'Subsystem sftp internal-sftp'");
	else
		add_advice(out, s, fault);
}
