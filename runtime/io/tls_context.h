#pragma once
/* The shared state of TLS connections: the certificate and key of a server, or the trust store of clients.
 * Reference-counted. Any thread. TLS 1.2 or later, without renegotiation and compression, with session tickets for
 * resumption. */
#include <openssl/types.h>

#include "why.h"

struct ws_tls_context;

/* Makes a server's context from PEM files: the certificate, followed by its chain, and the private key. Returns NULL
 * with a reason that names the file and the problem: missing, unreadable, not PEM, encrypted, key of another
 * certificate. */
struct ws_tls_context *ws_tls_context_new_server(const char *certificate_file, const char *key_file,
                                                 struct ws_why *why);

/* Makes a client's context, which trusts the system's store, or SSL_CERT_FILE and SSL_CERT_DIR. Returns NULL with the
 * reason. */
struct ws_tls_context *ws_tls_context_new_client(struct ws_why *why);

struct ws_tls_context *ws_tls_context_ref(struct ws_tls_context *context);
/* Drops a reference. NULL has no effect. Each stream has its own reference. */
void ws_tls_context_unref(struct ws_tls_context *context);

/* The OpenSSL context for new sessions. Valid as long as the reference. */
SSL_CTX *ws_tls_context_ssl(const struct ws_tls_context *context);
