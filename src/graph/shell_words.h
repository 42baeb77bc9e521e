/* The words of a shell text that may name files, one after the other (see mlb_shell_words). */
#ifndef GRAPH_SHELL_WORDS_H
#define GRAPH_SHELL_WORDS_H

#include "graph/refs.h"

enum mlb_word_kind {
	MLB_WORD_PATH,   /* may name a file */
	MLB_WORD_MODULE, /* after -m: a dotted Python module */
	MLB_WORD_TARGET  /* after '>': a file that is written */
};

typedef void mlb_word_fn(void *ctx, const char *word, enum mlb_word_kind kind);

void mlb_shell_scan(const char *text, mlb_word_fn *fn, void *ctx);

#endif
