/* The URL parser on every text of up to 10 bytes, and its host and port alone on every text of up to 6. */
#include "eva.h"

#include "url.h"

#define URL_MOST 10
#define HOST_MOST 6

int main(void) {
  for (size_t n = 0; n <= URL_MOST; n++) {
    struct ws_url url;

    ws_url_parse(&url, any_input(n), n);
  }
  for (size_t n = 0; n <= HOST_MOST; n++) {
    struct ws_authority authority;
    struct ws_slice text = {any_input(n), n};

    if (ws_authority_parse(&authority, text) == WS_URL_OK)
      ws_host_is_loopback(&authority);
  }
  return 0;
}
