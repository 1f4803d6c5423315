#pragma once
/* Media types: the Content-Type of a page (RFC 9110 section 8.3). */
#include <stdbool.h>

enum { WS_MEDIA_TYPE_MAX = 255 };

/* Returns true for type/subtype with optional parameters, of visible ASCII and spaces: nothing that could end the
 * header. */
bool ws_media_type_valid(const char *type);

/* The type of a file by the end of its name, in any case; application/octet-stream if that says nothing. */
const char *ws_media_type_of(const char *file);
