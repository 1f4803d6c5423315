/* The echo of echo.osp on libwebsockets.
 *
 *   echo_lws PORT [tls CERTIFICATE KEY]
 *
 * The library hands over a message in the pieces that were received.
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ = 256 * 1024 };

struct message {
  struct message *next;
  size_t size;
  enum lws_write_protocol kind;
  unsigned char bytes[]; /* LWS_PRE bytes of room, then the payload */
};

struct session {
  struct message *first, *last; /* that wait to be sent */
  struct message *partial;      /* that is being received, or NULL */
};

static void add_piece(struct session *session, const void *bytes, size_t size) {
  size_t before = session->partial ? session->partial->size : 0;
  struct message *message = realloc(session->partial, sizeof *message + LWS_PRE + before + size);
  if (!message)
    exit(1);
  memcpy(message->bytes + LWS_PRE + before, bytes, size);
  message->size = before + size;
  session->partial = message;
}

static void queue_message(struct lws *connection, struct session *session) {
  struct message *message = session->partial;
  session->partial = NULL;
  message->next = NULL;
  message->kind = lws_frame_is_binary(connection) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
  if (session->first)
    session->last->next = message;
  else
    session->first = message;
  session->last = message;
  lws_callback_on_writable(connection);
}

static int write_first(struct lws *connection, struct session *session) {
  struct message *message = session->first;
  if (!message)
    return 0;
  session->first = message->next;
  int written = lws_write(connection, message->bytes + LWS_PRE, message->size, message->kind);
  free(message);
  if (session->first)
    lws_callback_on_writable(connection);
  return written < 0 ? -1 : 0;
}

static int serve(struct lws *connection, enum lws_callback_reasons reason, void *data, void *bytes, size_t size) {
  struct session *session = data;
  switch ((int)reason) {
  case LWS_CALLBACK_RECEIVE:
    add_piece(session, bytes, size);
    if (lws_is_final_fragment(connection) && lws_remaining_packet_payload(connection) == 0)
      queue_message(connection, session);
    return 0;
  case LWS_CALLBACK_SERVER_WRITEABLE:
    return write_first(connection, session);
  case LWS_CALLBACK_CLOSED:
    for (struct message *next; session->first; session->first = next) {
      next = session->first->next;
      free(session->first);
    }
    free(session->partial);
    return 0;
  default:
    return 0;
  }
}

int main(int argc, char **argv) {
  static const struct lws_protocols protocols[] = {
      {.name = "echo", .callback = serve, .per_session_data_size = sizeof(struct session), .rx_buffer_size = READ},
      {.name = NULL}};
  struct lws_context_creation_info options = {.port = argc > 1 ? atoi(argv[1]) : 0,
                                              .iface = "127.0.0.1",
                                              .protocols = protocols,
                                              .pt_serv_buf_size = READ,
                                              .keepalive_timeout = 3600};
  if (argc == 5 && strcmp(argv[2], "tls") == 0) {
    options.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    options.ssl_cert_filepath = argv[3];
    options.ssl_private_key_filepath = argv[4];
  }
  lws_set_log_level(LLL_ERR, NULL);
  struct lws_context *context = lws_create_context(&options);
  if (!context)
    return 1;
  puts("listening");
  fflush(stdout);
  while (lws_service(context, 0) >= 0)
    ;
  return 0;
}
