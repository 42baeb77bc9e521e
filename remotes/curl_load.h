/*
 * libcurl, loaded by dlopen at first use: linking it would double the time of every start.
 * Every function that remotes/ calls is in the table below; its type is the header's, so
 * the compiler checks each call.
 */
#ifndef REMOTES_CURL_LOAD_H
#define REMOTES_CURL_LOAD_H

#include <curl/curl.h>

#include "base/buf.h"

#define MLB_CURL_FUNCTIONS(X)  \
	X(easy_cleanup)        \
	X(easy_getinfo)        \
	X(easy_init)           \
	X(easy_reset)          \
	X(easy_setopt)         \
	X(easy_strerror)       \
	X(global_cleanup)      \
	X(global_init)         \
	X(multi_add_handle)    \
	X(multi_cleanup)       \
	X(multi_info_read)     \
	X(multi_init)          \
	X(multi_perform)       \
	X(multi_poll)          \
	X(multi_remove_handle) \
	X(multi_setopt)        \
	X(multi_strerror)      \
	X(slist_append)        \
	X(slist_free_all)      \
	X(version_info)

#define MLB_CURL_MEMBER(name) __typeof__(&curl_##name) name; /* NOLINT(bugprone-macro-parentheses) */

/* The functions of libcurl, without "curl_". */
struct mlb_curl {
	void *library;
	MLB_CURL_FUNCTIONS(MLB_CURL_MEMBER)
};

/* false, and why, where libcurl is not there; the library is initialised. From any thread. */
bool mlb_curl_load(struct mlb_curl *c, struct mlb_buf *why);
void mlb_curl_unload(struct mlb_curl *c);

#endif
