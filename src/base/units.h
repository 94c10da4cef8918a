/*
 * Numbers with units as people write and read them: sizes, spans of time, instants.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

uint64_t time_now_ms(void);                               /* CLOCK_REALTIME */
uint64_t time_mono_ns(void);                              /* CLOCK_MONOTONIC */

int parse_uint(const char *text, uint64_t min, uint64_t max, uint64_t *ret);       /* 0, -EINVAL, -ERANGE */
/* "512", "512k", "1.5g", "64MiB": powers of 1024. 0 or -EINVAL. */
int parse_size(const char *text, uint64_t *ret_bytes);
/* "90", "90s", "1m30s", "2h", "7d", "250ms"; a bare number is seconds. 0 or -EINVAL. */
int parse_span_ms(const char *text, uint64_t *ret_ms);
/* An instant: RFC 3339 (UTC or with an offset), or a span before @now_ms. 0 or -EINVAL. */
int parse_instant_ms(const char *text, uint64_t now_ms, uint64_t *ret_ms);

void str_add_size(struct str *s, uint64_t bytes);         /* 1.5M */
void str_add_span(struct str *s, uint64_t ms);            /* 3s, 5m, 2h, 4d */
void str_add_instant(struct str *s, uint64_t ms);         /* 2026-11-22T15:04:05.123Z (RFC 3339) */
