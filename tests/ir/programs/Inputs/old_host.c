/* A member of the host's archive that defines the old functions and another one. Calling an old one aborts. */
#include <stdint.h>
#include <stdlib.h>

int64_t http_listen(void) {
  return 80;
}

int64_t websocket_create_server(int64_t port, char *address, char *path) {
  abort();
}
int64_t websocket_server_listen(int64_t server) {
  abort();
}
int64_t websocket_server_broadcast(int64_t server, char *message) {
  abort();
}
int64_t websocket_connect(char *url) {
  abort();
}
int64_t websocket_send(int64_t connection, char *message) {
  abort();
}
int64_t websocket_close(int64_t connection) {
  abort();
}
int64_t websocket_stop_server(int64_t server) {
  abort();
}
void websocket_keep_alive(void) {
  abort();
}
