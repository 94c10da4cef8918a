/*
 * SHA-1 (RFC 3174), which the handshake of WebSocket asks for. It protects nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA1_SIZE = 20 };
void sha1(const void *data, size_t n, uint8_t ret[SHA1_SIZE]);
