/*
 * Small text: words, numbers with units, durations.  Parsers take the whole
 * string or fail; nothing is skipped silently.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/buf.h"

bool mlb_str_starts(const char *s, const char *prefix);
bool mlb_str_ends(const char *s, const char *suffix);

bool mlb_parse_u64(const char *s, uint64_t *out);
bool mlb_parse_size(const char *s, uint64_t *out);      /* 512, 4K, 16GiB, 1.5G: bytes; powers of 1024 */
bool mlb_parse_duration(const char *s, uint64_t *out_ns); /* 90, 90s, 2h, 1h30m, 500ms, 3d */
bool mlb_parse_bool(const char *s, bool *out);          /* yes no true false on off 1 0 */
void mlb_add_duration(struct mlb_buf *b, uint64_t ns);  /* for people: 0.3s, 4.2s, 3m12s, 2h05m */
void mlb_add_size(struct mlb_buf *b, uint64_t bytes);   /* for people: 812 B, 3.4 KiB, 1.2 GiB */
void mlb_add_shell_word(struct mlb_buf *b, const char *s); /* as one POSIX shell word, quoted only if needed */
bool mlb_is_utf8(const char *s, size_t len);
size_t mlb_utf8_char(const char *s, size_t len); /* bytes of the character at s; 0: not UTF-8 */

#endif
