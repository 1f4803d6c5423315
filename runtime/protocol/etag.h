#pragma once
/* Entity tags (RFC 9110 section 8.8.3): what a page's bytes are, and whether a client has them already. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_head.h"

enum { WS_ETAG_SIZE = 34 }; /* 32 hexadecimal digits in double quotes */

/* Writes the strong tag of a content type and n bytes (of SHA-256), and a NUL. 0, or -1: no memory. */
int ws_etag_make(char etag[WS_ETAG_SIZE + 1], const char *type, const uint8_t *bytes, size_t n);

/* Returns true if If-None-Match is "*" or has the tag in its list, weak or strong (RFC 9110 section 13.1.2). */
bool ws_etag_is_known(const struct ws_http_head *head, const char *etag);
