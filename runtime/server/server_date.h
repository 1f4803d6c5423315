#pragma once
/* The Date of a response. */

enum { WS_SERVER_DATE = 32 };

/* Writes the present time as an IMF-fixdate (RFC 9110 section 5.6.7), which does not depend on the locale. Returns
 * `to`. */
const char *ws_server_date(char to[static WS_SERVER_DATE]);
