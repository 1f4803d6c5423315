/* The URL parser on every text of up to 10 bytes, and the parser of host and port on every text of up to 6. (WP proves
 * both for texts of every size, except that they use no uninitialised value.) */
#include "eva.h"

#include "protocol/url.h"

#define URL_MOST 10
#define HOST_MOST 6

int main(void) {
  for (size_t n = 0; n <= URL_MOST; n++) {
    struct ws_url url;

    if (ws_url_parse(&url, any_input(n), n) == WS_URL_OK)
      ws_url_target_valid(url.path);
  }
  for (size_t n = 0; n <= HOST_MOST; n++) {
    struct ws_authority authority;
    struct ws_slice text = {any_input(n), n};

    if (ws_url_authority_parse(&authority, text) == WS_URL_OK)
      ws_url_host_is_loopback(&authority);
  }
  return 0;
}
