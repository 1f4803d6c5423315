#pragma once
/* The binary interface of Osprey's WebSocket runtime.
 *
 * One function for each builtin of spec/ws_builtins.def. Code lowered by osprey_ws_codegen calls them; a C program may
 * too. tools/generate writes the prototypes. spec/websocket.md has the requirements that the comments name.
 *
 * Values. An Int is an int64_t, a String is a NUL-terminated UTF-8 string in which the two bytes C0 80 stand for
 * U+0000. A record and a function value are pointers (spec/abi.md has the layouts). Every pointer parameter is borrowed
 * for the call and must not be null. The runtime retains what it keeps, a handler's closure cell. A returned string or
 * record carries one reference, which the caller releases with osp_release.
 *
 * Errors. The last parameter receives the error and is always written. On success it is null. On failure it is a
 * sentence that the caller owns and releases, or a static one if its allocation failed; releasing a static one has no
 * effect. spec/ws_errors.def lists the sentences. On failure a function returns 0 or null. A function without a result
 * returns 0.
 *
 * Threads. Every function may be called from any thread, and from inside a handler. Handlers run on the runtime's loop
 * thread, or on one of several if OSPREY_WS_LOOPS is more than 1. The handlers of a connection run in order and never
 * at the same time. On a loop thread no function blocks on the loop: a close or stop is started, and a send to a full
 * queue fails at once. Connecting runs the loop until its own handshake ends; messages of the calling connection wait.
 *
 * IDs are positive, and never reused: a number could return only after 2^31 uses of its place in a table.
 *
 * Handlers are closure cells. The code is in word 0. It is called with the cell, then the arguments, which are
 * borrowed. It returns a Result block, which the runtime releases. An Error closes the connection with code 1011. An
 * Error of an open handler refuses the connection with status 403.
 *
 * When main returns, queued output is sent, every connection is closed with code 1001 and every block of the memory
 * hooks is released, within 5 s. Buffers of the runtime and of OpenSSL stay until the process has ended. */
#include <stdint.h>

#if defined(__GNUC__)
#define OSP_WS_API __attribute__((visibility("default")))
#else
#define OSP_WS_API
#endif

/* [WS-CONNECT] Connects to `url` (ws:// or wss://, without fragment or user information) and returns the connection's
 * ID after the handshake. `handler`, fn(String) -> Result<Success, String>, is called for every text message, and may
 * run before this function returns. A binary message closes the connection with code 1003. Fails after 10 s, including
 * name lookup and TLS. */
OSP_WS_API int64_t osp_ws_connect(const char *url, void *handler, char **error);

/* [WS-CONNECTWITH] Same as osp_ws_connect, with `options`, a WebSocketOptions record:
 *   headers          additional request headers, lines of `Name: value`; headers of the handshake are refused
 *   protocols        subprotocols to offer, comma-separated, the preferred first
 *   compression      whether to offer permessage-deflate
 *   maxMessageBytes  1 to 2^30, 0 for 1,048,576; a longer message closes the connection with code 1009
 *   timeoutMs        1 to 2^31-1, the time limit for connecting, 0 for 10,000
 *   keepAliveMs      1 to 2^30, 0 for 60,000; after this time without a byte from the server a ping is sent, after the
 *                    same time again the connection is closed with code 1001
 * `handler` is fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>, and is called for text and binary
 * messages. */
OSP_WS_API int64_t osp_ws_connect_with(const char *url, const void *options, void *handler, char **error);

/* [WS-CLIENTCLOSE] Sets `handler`, fn(WebSocketConnection, Int, String) -> Result<Success, String>. It is called once
 * when the client connection `ws_id` has ended (each, if the client dials again), with the close code (1005: none
 * received, 1006: no close frame) and the reason. If the connection has already ended, it is called at once, on the
 * loop thread. */
OSP_WS_API int64_t osp_ws_on_close(int64_t ws_id, void *handler, char **error);

/* [WS-RECONNECT] Makes the client of connection `ws_id` dial again, under the same ID, whenever its connection is lost.
 * The delay is random, from 0 to a bound that doubles from the first to the longest (ms). `handler`,
 * fn(WebSocketConnection) -> Result<Success, String>, is called after each new handshake, not after the first. */
OSP_WS_API int64_t osp_ws_reconnect(int64_t ws_id, int64_t first_delay_ms, int64_t longest_delay_ms, void *handler,
                                    char **error);

/* [WS-SEND] Sends a text message. Success means that the message is in the connection's queue. Fails if `message` is
 * not UTF-8, and reports the offset of the invalid byte. If the queue is full, waits up to 5 s, then fails; on a loop
 * thread fails at once. A message within the queue's limit always fits into an empty queue. */
OSP_WS_API int64_t osp_ws_send(int64_t ws_id, const char *message, char **error);

/* [WS-SENDBINARY] Decodes `base64` (RFC 4648 section 4, padded, canonical) and sends the bytes as a binary message.
 * Otherwise the same as osp_ws_send. */
OSP_WS_API int64_t osp_ws_send_binary(int64_t ws_id, const char *base64, char **error);

/* [WS-CLOSE] Closes with code 1000. Returns after the close handshake, or drops the connection after 5 s. On a loop
 * thread returns at once. */
OSP_WS_API int64_t osp_ws_close(int64_t ws_id, char **error);

/* [WS-CLOSEWITH] Same as osp_ws_close, with `code` (1000 to 1003, 1007 to 1014 or 3000 to 4999) and `reason` (UTF-8, at
 * most 123 bytes). */
OSP_WS_API int64_t osp_ws_close_with(int64_t ws_id, int64_t code, const char *reason, char **error);

/* [WS-CONNECTION] Returns the connection's WebSocketConnection record. */
OSP_WS_API void *osp_ws_connection(int64_t ws_id, char **error);

/* [WS-REMOTE] Returns the peer's address and port, as "192.0.2.1:51342" or "[2001:db8::1]:51342". */
OSP_WS_API char *osp_ws_remote_address(int64_t ws_id, char **error);

/* [WS-QUEUED] Returns the bytes of frames that are accepted but not yet written to the socket. */
OSP_WS_API int64_t osp_ws_queued_bytes(int64_t ws_id, char **error);

/* [WS-HEADER] Returns the value of the header `name` (in any case) in the handshake of a server's client. Joins the
 * values of repeated headers with ", ". Fails if there is no such header. */
OSP_WS_API char *osp_ws_request_header(int64_t ws_id, const char *name, char **error);

/* [WS-REQUESTPATH] Returns the path of the request of a server's client, percent-decoded, without host and query. */
OSP_WS_API char *osp_ws_request_path(int64_t ws_id, char **error);

/* [WS-REQUESTQUERY] Returns the value of the first parameter `name` in the query of the request of a server's client,
 * decoded as a form. Fails if there is no such parameter. */
OSP_WS_API char *osp_ws_request_query(int64_t ws_id, const char *name, char **error);

/* [WS-PROTOCOL] Returns the negotiated subprotocol, "" for none. */
OSP_WS_API char *osp_ws_protocol(int64_t ws_id, char **error);

/* [WS-CREATE] Binds a server to `port` (1 to 65535) of `address` (an IPv4 or IPv6 address or a host name) for `path`
 * (starts with '/', no query). Returns the server's ID. Accepts nothing before osp_ws_server_listen. */
OSP_WS_API int64_t osp_ws_create_server(int64_t port, const char *address, const char *path, char **error);

/* [WS-SECURE] Same as osp_ws_create_server for wss, with a certificate chain and its private key from PEM files. */
OSP_WS_API int64_t osp_ws_create_secure_server(int64_t port, const char *address, const char *path,
                                               const char *certificate_file, const char *key_file, char **error);

/* [WS-ONMESSAGE] Before listen: sets `handler`, fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>,
 * which is called for every message of every client. A server without this handler reads and discards messages. */
OSP_WS_API int64_t osp_ws_server_on_message(int64_t server_id, void *handler, char **error);

/* [WS-ONOPEN] Before listen: sets `handler`, fn(WebSocketConnection) -> Result<Success, String>, which is called before
 * the upgrade is answered. During the call the ID is valid, isConnected is false, headers can be read, and sent
 * messages are queued behind the answer. An Error refuses the client with status 403; its text is logged, not sent. */
OSP_WS_API int64_t osp_ws_server_on_open(int64_t server_id, void *handler, char **error);

/* [WS-ONCLOSE] Before listen: sets `handler`, fn(WebSocketConnection, Int, String) -> Result<Success, String>, which is
 * called exactly once for every admitted client, with code and reason. */
OSP_WS_API int64_t osp_ws_server_on_close(int64_t server_id, void *handler, char **error);

/* [WS-ORIGIN] Before listen: admits pages of `origin` ("https://example.org", an exact match), or of any origin with
 * "*". */
OSP_WS_API int64_t osp_ws_server_allow_origin(int64_t server_id, const char *origin, char **error);

/* [WS-LIMIT] Before listen: sets a limit by its name. spec/websocket.md lists the limits. */
OSP_WS_API int64_t osp_ws_server_limit(int64_t server_id, const char *limit, int64_t value, char **error);

/* [WS-PROTOCOLS] Before listen: sets the subprotocols that the server speaks, comma-separated, the preferred first. */
OSP_WS_API int64_t osp_ws_server_protocols(int64_t server_id, const char *protocols, char **error);

/* [WS-LISTEN] Starts to accept connections. Fails on a second call. */
OSP_WS_API int64_t osp_ws_server_listen(int64_t server_id, char **error);

/* [WS-BROADCAST] Sends a text message to every open connection; succeeds if there is none. A receiver whose queue is
 * full is closed with code 1008. */
OSP_WS_API int64_t osp_ws_server_broadcast(int64_t server_id, const char *message, char **error);

/* [WS-SERVERSEND] Same as osp_ws_send, if `ws_id` is a connection of `server_id`. Otherwise fails. */
OSP_WS_API int64_t osp_ws_server_send(int64_t server_id, int64_t ws_id, const char *message, char **error);

/* [WS-COUNT] Returns the number of open connections. */
OSP_WS_API int64_t osp_ws_server_connections(int64_t server_id, char **error);

/* [WS-STOP] Stops accepting, sends queued output, closes every connection with code 1001 and frees the port.
 * Returns when this is done, or after closeTimeoutMs, when the remaining connections are dropped. On a loop thread
 * returns at once. */
OSP_WS_API int64_t osp_ws_stop_server(int64_t server_id, char **error);

/* [RUN-IO-4] Blocks the calling thread for this many milliseconds, or until the program ends or osp_ws_keep_alive stops
 * its servers. */
OSP_WS_API void osp_ws_sleep(int64_t milliseconds);

/* [WS-KEEPALIVE] Waits for SIGINT or SIGTERM, then stops every server. Fails on a loop thread. */
OSP_WS_API int64_t osp_ws_keep_alive(char **error);

/* [WS-EVERY] Starts a timer: calls the handler with the timer's ID at an interval, until it is cancelled. */
OSP_WS_API int64_t osp_ws_every(int64_t milliseconds, void *handler, char **error);

/* [WS-AFTER] Starts a timer that calls the handler with its ID once. */
OSP_WS_API int64_t osp_ws_after(int64_t milliseconds, void *handler, char **error);

/* [WS-CANCEL] Ends a timer. */
OSP_WS_API int64_t osp_ws_cancel(int64_t timer_id, char **error);

/* [WS-SETVALUE] Keeps a string with a connection or a server, under a key. */
OSP_WS_API int64_t osp_ws_set_value(int64_t id, const char *key, const char *value, char **error);

/* [WS-VALUE] Looks up a string that is kept with a connection or a server. */
OSP_WS_API char *osp_ws_value(int64_t id, const char *key, char **error);

/* [WS-REMOVEVALUE] Forgets a string that is kept with a connection or a server. */
OSP_WS_API int64_t osp_ws_remove_value(int64_t id, const char *key, char **error);

/* [WS-PATH] Lets clients connect at a further path too; one that ends in a star stands for all that begin so. */
OSP_WS_API int64_t osp_ws_server_path(int64_t server_id, const char *path, char **error);

/* [WS-PAGE] Serves a text at a path of the server's port. */
OSP_WS_API int64_t osp_ws_server_page(int64_t server_id, const char *path, const char *content_type, const char *body,
                                      char **error);

/* [WS-FILE] Serves a file, read at the call, at a path of the server's port. */
OSP_WS_API int64_t osp_ws_server_file(int64_t server_id, const char *path, const char *file, char **error);

/* [WS-METRICS] Serves counts of the server, in the text format of Prometheus, to clients on the same machine. */
OSP_WS_API int64_t osp_ws_server_metrics(int64_t server_id, const char *path, char **error);

/* [WS-SUBSCRIBE] Subscribes a client of a server to a topic: it gets what is published there. */
OSP_WS_API int64_t osp_ws_subscribe(int64_t ws_id, const char *topic, char **error);

/* [WS-UNSUBSCRIBE] Ends the subscription of a client to a topic. */
OSP_WS_API int64_t osp_ws_unsubscribe(int64_t ws_id, const char *topic, char **error);

/* [WS-PUBLISH] Sends a text message to every client of a server that has subscribed to a topic. */
OSP_WS_API int64_t osp_ws_publish(int64_t server_id, const char *topic, const char *message, char **error);

/* [WS-PUBLISHFROM] Publishes to the other clients of a client's server. */
OSP_WS_API int64_t osp_ws_publish_from(int64_t ws_id, const char *topic, const char *message, char **error);

/* [WS-SUBSCRIBERS] Counts the open connections of a server that have subscribed to a topic. */
OSP_WS_API int64_t osp_ws_subscribers(int64_t server_id, const char *topic, char **error);

/* [WS-REFUSE] Refuses a client, in its open handler, with an HTTP status from 400 to 599 and a reason. */
OSP_WS_API int64_t osp_ws_refuse(int64_t ws_id, int64_t status, const char *reason, char **error);

/* [WS-ANSWER] Adds a header, in the open handler, to the answer that admits or refuses a client. */
OSP_WS_API int64_t osp_ws_answer_header(int64_t ws_id, const char *name, const char *value, char **error);

/* [WS-HOST] Admits requests for a host name that a proxy passes on, besides the names of this machine. */
OSP_WS_API int64_t osp_ws_server_allow_host(int64_t server_id, const char *host, char **error);

/* [WS-PROXY] Believes the proxies of an address or network about the addresses of their clients. */
OSP_WS_API int64_t osp_ws_server_trust_proxy(int64_t server_id, const char *network, char **error);

/* [WS-CLUSTER] Joins a cluster of processes over NATS: what one publishes or broadcasts reaches the clients of all. */
OSP_WS_API int64_t osp_ws_server_cluster(int64_t server_id, const char *url, char **error);
