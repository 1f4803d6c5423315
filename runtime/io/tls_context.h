#pragma once
/* What TLS connections share: certificate and key of a server, trust store of clients. Reference-counted, usable from
 * any thread. TLS 1.2 at least, no renegotiation, no compression, session tickets for clients that come back.
 */
#include <openssl/types.h>

#include "why.h"

struct ws_tls_context;

/* A server's, from PEM files: the certificate (its chain after it) and its private key. NULL with a reason that names
 * the file and what is wrong: missing, unreadable, not PEM, encrypted, key of another certificate.
 */
struct ws_tls_context *ws_tls_context_new_server(const char *certificate_file, const char *key_file,
                                                 struct ws_why *why);

/* A client's: trusts the system's store, or that of SSL_CERT_FILE and SSL_CERT_DIR. NULL with the reason. */
struct ws_tls_context *ws_tls_context_new_client(struct ws_why *why);

struct ws_tls_context *ws_tls_context_ref(struct ws_tls_context *context);
/* Gives up one reference; NULL does nothing. Streams hold their own. */
void ws_tls_context_unref(struct ws_tls_context *context);

/* The OpenSSL context from which tls_stream.c makes its sessions; valid as long as the reference. */
SSL_CTX *ws_tls_context_ssl(const struct ws_tls_context *context);
