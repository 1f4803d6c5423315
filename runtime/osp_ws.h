#pragma once
/* The binary interface of Osprey's WebSocket runtime.
 *
 * One function for each builtin of spec/ws_builtins.def. Code that osprey_ws_codegen lowers calls them; a C program may.
 *
 * Values. INT is int64_t, STRING a NUL-terminated UTF-8 string in which the two bytes C0 80 stand for U+0000, a record and
 * a function value are pointers (spec/abi.md has the layouts). Every pointer parameter is borrowed for the call and must
 * not be null; what the runtime keeps (a handler's closure cell) it retains. A returned string or record carries one
 * reference, which the caller releases with osp_release.
 *
 * Errors. The last parameter is where a failure is reported. It is always written: a null pointer on success; on failure
 * a sentence that the caller owns and releases (or a constant one where even that allocation failed; releasing it is
 * harmless). After a failure the returned value is 0 or null. A function that returns nothing of interest returns 0.
 * What the sentences are: spec/ws_errors.def.
 *
 * Threads. Every function may be called from any thread, and from inside a handler. Handlers run on the runtime's loop
 * thread (on one of them, if OSPREY_WS_LOOPS is more than 1), for one connection in order and never two at once. On a loop
 * thread no function waits for the loop: a close or stop is started, a send into a full queue fails at once, and
 * connecting turns the loop until its own handshake has ended, while messages of the calling connection wait.
 *
 * Identifiers are positive. One that is closed or stopped is never given to another connection or server within reach.
 *
 * Handlers are closure cells: word 0 is the code, called with the cell first and then the arguments, which are borrowed.
 * It returns a Result block, which the runtime releases. An Error closes the connection with 1011 (that of an open handler
 * refuses it with 403).
 *
 * When main returns, what is queued is sent, every connection is closed with 1001 and all memory is freed, within 5 s.
 */
#include <stdint.h>

#if defined(__GNUC__)
#define OSP_WS_API __attribute__((visibility("default")))
#else
#define OSP_WS_API
#endif

/* ---- clients ---- */

/* [WS-CONNECT] Connects to `url` (ws:// or wss://, no fragment, no user) and returns the connection's identifier after the
 * handshake. Every text message is handed to `handler`, fn(String) -> Result<Success, String>, which may run before this
 * returns; a binary message closes the connection with 1003. Fails after 10 s, the name look-up and TLS included. */
OSP_WS_API int64_t osp_ws_connect(const char *url, void *handler, char **error);

/* [WS-CONNECTWITH] The same with `options`, a WebSocketOptions record:
 *   headers          further request headers, `Name: value` lines; those of the handshake itself are refused
 *   protocols        subprotocols to offer, comma-separated, the preferred first
 *   compression      offers permessage-deflate
 *   maxMessageBytes  1 to 2^30, 0 for 1,048,576; a longer message closes with 1009
 *   timeoutMs        1 to 2^31-1 for the whole of connecting, 0 for 10,000
 *   keepAliveMs      1 to 2^30: a ping after that long without a byte from the server, closed with 1001 after as long
 *                    again; 0 for 60,000
 * `handler` is fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>; it hears text and binary. */
OSP_WS_API int64_t osp_ws_connect_with(const char *url, const void *options, void *handler, char **error);

/* [WS-CLIENTCLOSE] Sets `handler`, fn(WebSocketConnection, Int, String) -> Result<Success, String>, to be called once when
 * the client connection `ws_id` has ended, with the close code (1005: none came, 1006: no close frame) and the reason; at
 * once, on the loop thread, if it has ended already. */
OSP_WS_API int64_t osp_ws_on_close(int64_t ws_id, void *handler, char **error);

/* ---- connections, a client's or a server's ---- */

/* [WS-SEND] Sends a text message: success means that it was accepted into the connection's queue. Fails, naming the
 * byte's offset, if `message` is not UTF-8. With the queue full it waits up to 5 s, on a loop thread not at all, and fails;
 * a message within the queue's cap always fits into an empty queue. */
OSP_WS_API int64_t osp_ws_send(int64_t ws_id, const char *message, char **error);

/* [WS-SENDBINARY] Sends the bytes that `base64` stands for (RFC 4648 section 4, padded, canonical) as a binary message;
 * otherwise as osp_ws_send. */
OSP_WS_API int64_t osp_ws_send_binary(int64_t ws_id, const char *base64, char **error);

/* [WS-CLOSE] Closes with code 1000. Returns when the close handshake has ended or after 5 s, when the connection is
 * dropped; on a loop thread at once. */
OSP_WS_API int64_t osp_ws_close(int64_t ws_id, char **error);

/* [WS-CLOSEWITH] The same with `code` (1000-1003, 1007-1014 or 3000-4999) and `reason` (UTF-8, at most 123 bytes). */
OSP_WS_API int64_t osp_ws_close_with(int64_t ws_id, int64_t code, const char *reason, char **error);

/* [WS-CONNECTION] The connection's WebSocketConnection record. */
OSP_WS_API void *osp_ws_connection(int64_t ws_id, char **error);

/* [WS-REMOTE] The peer as "192.0.2.1:51342" or "[2001:db8::1]:51342". */
OSP_WS_API char *osp_ws_remote_address(int64_t ws_id, char **error);

/* [WS-QUEUED] Bytes of frames accepted and not yet written to the socket. */
OSP_WS_API int64_t osp_ws_queued_bytes(int64_t ws_id, char **error);

/* [WS-HEADER] The value of the header `name` (any case) in the handshake of a server's client; several of one name are
 * joined by ", ". Fails if there is none. */
OSP_WS_API char *osp_ws_request_header(int64_t ws_id, const char *name, char **error);

/* [WS-PROTOCOL] The negotiated subprotocol, "" for none. */
OSP_WS_API char *osp_ws_protocol(int64_t ws_id, char **error);

/* ---- servers ---- */

/* [WS-CREATE] Binds a server to `port` (1-65535) of `address` (IPv4, IPv6 or a host's name) for `path` (begins with '/', no
 * query). Returns the server's identifier. Nothing is accepted before osp_ws_server_listen. */
OSP_WS_API int64_t osp_ws_create_server(int64_t port, const char *address, const char *path, char **error);

/* [WS-SECURE] The same for wss, with a certificate chain and its private key from PEM files. */
OSP_WS_API int64_t osp_ws_create_secure_server(int64_t port, const char *address, const char *path,
                                               const char *certificate_file, const char *key_file, char **error);

/* [WS-ONMESSAGE] Before listen: `handler`, fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>, hears every
 * message of every client. A server without it reads and discards. */
OSP_WS_API int64_t osp_ws_server_on_message(int64_t server_id, void *handler, char **error);

/* [WS-ONOPEN] Before listen: `handler`, fn(WebSocketConnection) -> Result<Success, String>, is called before the upgrade is
 * answered. The identifier is valid, isConnected false, headers can be read and sends queue behind the answer. Its Error
 * refuses the client with 403; the text is logged, not sent. */
OSP_WS_API int64_t osp_ws_server_on_open(int64_t server_id, void *handler, char **error);

/* [WS-ONCLOSE] Before listen: `handler`, fn(WebSocketConnection, Int, String) -> Result<Success, String>, is called exactly
 * once for every client that was admitted, with code and reason. */
OSP_WS_API int64_t osp_ws_server_on_close(int64_t server_id, void *handler, char **error);

/* [WS-ORIGIN] Before listen: admits pages of `origin` ("https://example.org", exact), or of any origin with "*". */
OSP_WS_API int64_t osp_ws_server_allow_origin(int64_t server_id, const char *origin, char **error);

/* [WS-LIMIT] Before listen: sets a limit by its name, as spec/websocket.md lists them. */
OSP_WS_API int64_t osp_ws_server_limit(int64_t server_id, const char *limit, int64_t value, char **error);

/* [WS-PROTOCOLS] Before listen: the subprotocols the server speaks, comma-separated, the preferred first. */
OSP_WS_API int64_t osp_ws_server_protocols(int64_t server_id, const char *protocols, char **error);

/* [WS-LISTEN] Accepts connections from now on. Fails on a second call. */
OSP_WS_API int64_t osp_ws_server_listen(int64_t server_id, char **error);

/* [WS-BROADCAST] Sends a text message to every open connection; none is a success. A receiver whose queue has no room is
 * closed with 1008. */
OSP_WS_API int64_t osp_ws_server_broadcast(int64_t server_id, const char *message, char **error);

/* [WS-SERVERSEND] osp_ws_send to `ws_id` if it is a connection of `server_id`. */
OSP_WS_API int64_t osp_ws_server_send(int64_t server_id, int64_t ws_id, const char *message, char **error);

/* [WS-COUNT] How many connections are open. */
OSP_WS_API int64_t osp_ws_server_connections(int64_t server_id, char **error);

/* [WS-STOP] Stops accepting, sends what is queued, closes every connection with 1001 and frees the port. Returns when
 * that is done or after 5 s, when the rest is dropped; on a loop thread at once. */
OSP_WS_API int64_t osp_ws_stop_server(int64_t server_id, char **error);

/* [WS-KEEPALIVE] Waits for SIGINT or SIGTERM, then stops every server. Fails on a loop thread. */
OSP_WS_API int64_t osp_ws_keep_alive(char **error);
