/*
 * Differences between compilers and C libraries, and the few macros that every
 * file may use.  Lowest header of all: it includes nothing of ours.
 */
#ifndef BASE_COMPAT_H
#define BASE_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MLB_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MLB_UNUSED __attribute__((unused))
#define MLB_NORETURN __attribute__((noreturn))
#define MLB_MIN(a, b) ((a) < (b) ? (a) : (b))
#define MLB_MAX(a, b) ((a) > (b) ? (a) : (b))

#define MLB_KIB ((uint64_t)1024)
#define MLB_MIB (MLB_KIB * 1024)
#define MLB_GIB (MLB_MIB * 1024)

#endif
