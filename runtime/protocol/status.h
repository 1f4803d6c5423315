#pragma once
/* HTTP status codes. */

/* The reason phrase of an error status, as registered with IANA; "Refused" for a status without one. */
const char *ws_status_phrase(int status);
