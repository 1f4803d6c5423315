#include "tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "sys.h"

struct ws_tls_context {
  SSL_CTX *ssl;
  _Atomic unsigned references;
};

/* Returns the reason of the oldest error in OpenSSL's queue, and empties the queue. */
static const char *ws_tls_reason(void) {
  unsigned long error = ERR_get_error();
  const char *reason = ERR_SYSTEM_ERROR(error) ? ws_why_errno(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason ? reason : "out of memory";
}

static void ws_tls_context_set_modes(SSL_CTX *ssl) {
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(ssl, 1);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
}

static struct ws_tls_context *ws_tls_context_new(const SSL_METHOD *method, struct ws_why *why) {
  ERR_clear_error();
  struct ws_tls_context *context = ws_mem_alloc(sizeof *context);
  if (!context) {
    ws_why_set(why, "out of memory");
    return NULL;
  }
  context->ssl = SSL_CTX_new(method);
  if (!context->ssl) {
    ws_why_set(why, "TLS cannot be set up: %s", ws_tls_reason());
    ws_mem_free(context);
    return NULL;
  }
  atomic_init(&context->references, 1);
  ws_tls_context_set_modes(context->ssl);
  return context;
}

struct ws_tls_context *ws_tls_context_ref(struct ws_tls_context *context) {
  atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
  return context;
}

void ws_tls_context_unref(struct ws_tls_context *context) {
  if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
    return;
  SSL_CTX_free(context->ssl);
  ws_mem_free(context);
}

SSL_CTX *ws_tls_context_ssl(const struct ws_tls_context *context) {
  return context->ssl;
}

/* ---- files */

/* Checks that a file can be opened, because OpenSSL's message for that is poor. */
static int ws_tls_check_file(const char *kind, const char *file, struct ws_why *why) {
  if (!*file)
    return ws_why_set(why, "%s \"\": the name is empty", kind);
  FILE *opened = ws_sys_fopen(file);
  if (!opened)
    return ws_why_set(why, "%s %s: %s", kind, file, ws_why_errno(errno));
  errno = 0;
  int first = fgetc(opened);
  int error = first == EOF && ferror(opened) ? errno : 0;
  fclose(opened);
  if (error)
    return ws_why_set(why, "%s %s: %s", kind, file, ws_why_errno(error));
  return first == EOF ? ws_why_set(why, "%s %s: the file is empty", kind, file) : 0;
}

static bool ws_tls_queue_says_no_pem(void) {
  unsigned long error = ERR_peek_error();
  return (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) ||
         ERR_GET_LIB(error) == ERR_LIB_OSSL_DECODER;
}

/* The reason why a file has no readable certificate, from OpenSSL's error queue. */
static int ws_tls_certificate_wrong(const char *kind, const char *file, struct ws_why *why) {
  bool none = ws_tls_queue_says_no_pem() || ERR_GET_REASON(ERR_peek_error()) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND;
  const char *reason = ws_tls_reason();
  return ws_why_set(why, "%s %s: %s", kind, file, none ? "holds no PEM certificate" : reason);
}

/* ---- client */

static const char *ws_tls_variable(const char *name) {
  const char *value = ws_sys_environment(name);
  return value && *value ? value : NULL;
}

/* Loads the trusted authorities: the system's, or only those of SSL_CERT_FILE and SSL_CERT_DIR. */
static int ws_tls_load_trusted(SSL_CTX *ssl, struct ws_why *why) {
  static const char variable[] = "SSL_CERT_FILE";
  const char *file = ws_tls_variable(variable);
  bool directory_named = ws_tls_variable("SSL_CERT_DIR") != NULL;
  if (directory_named || !file)
    SSL_CTX_set_default_verify_dir(ssl);
  if (!directory_named && !file)
    SSL_CTX_load_verify_file(ssl, X509_get_default_cert_file());
  ERR_clear_error(); /* a system may have only one of the two */
  if (!file)
    return 0;
  if (ws_tls_check_file(variable, file, why))
    return -1;
  return SSL_CTX_load_verify_file(ssl, file) == 1 ? 0 : ws_tls_certificate_wrong(variable, file, why);
}

struct ws_tls_context *ws_tls_context_new_client(struct ws_why *why) {
  static const unsigned char protocols[] = "\x08http/1.1";
  struct ws_tls_context *context = ws_tls_context_new(TLS_client_method(), why);
  if (!context)
    return NULL;
  SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
  if (SSL_CTX_set_alpn_protos(context->ssl, protocols, sizeof protocols - 1) != 0)
    ws_why_set(why, "TLS cannot be set up: %s", ws_tls_reason());
  else if (ws_tls_load_trusted(context->ssl, why) == 0)
    return context;
  ws_tls_context_unref(context);
  return NULL;
}

/* ---- server */

/* Selects http/1.1 by ALPN, the only protocol that a WebSocket handshake can follow. */
static int ws_tls_choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                                  const unsigned char *offered, unsigned length, void *context) {
  static const unsigned char spoken[] = "\x08http/1.1";
  (void)ssl;
  (void)context;
  unsigned char *chosen;
  if (SSL_select_next_proto(&chosen, out_length, spoken, sizeof spoken - 1, offered, length) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/* Notes that a passphrase was requested, instead of prompting on the terminal. */
static int ws_tls_no_passphrase(char *buffer, int size, int writing, void *context) {
  (void)buffer;
  (void)size;
  (void)writing;
  *(bool *)context = true;
  return -1;
}

static int ws_tls_load_certificate(SSL_CTX *ssl, const char *file, struct ws_why *why) {
  static const char kind[] = "certificate file";
  if (ws_tls_check_file(kind, file, why))
    return -1;
  return SSL_CTX_use_certificate_chain_file(ssl, file) == 1 ? 0 : ws_tls_certificate_wrong(kind, file, why);
}

static int ws_tls_load_key(SSL_CTX *ssl, const char *certificate_file, const char *file, struct ws_why *why) {
  if (ws_tls_check_file("key file", file, why))
    return -1;
  bool encrypted = false;
  SSL_CTX_set_default_passwd_cb(ssl, ws_tls_no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(ssl, &encrypted);
  bool loaded = SSL_CTX_use_PrivateKey_file(ssl, file, SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(ssl, NULL);
  bool no_pem = !loaded && ws_tls_queue_says_no_pem();
  bool mismatch = loaded ? SSL_CTX_check_private_key(ssl) != 1 : ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509;
  if (loaded && !mismatch)
    return 0;
  if (encrypted)
    ws_why_set(why, "key file %s: the key is encrypted; give one without a passphrase", file);
  else if (mismatch)
    ws_why_set(why, "key file %s: is not the key of the certificate in %s", file, certificate_file);
  else if (no_pem)
    ws_why_set(why, "key file %s: holds no PEM private key", file);
  else
    return ws_why_set(why, "key file %s: %s", file, ws_tls_reason());
  ERR_clear_error();
  return -1;
}

struct ws_tls_context *ws_tls_context_new_server(const char *certificate_file, const char *key_file,
                                                 struct ws_why *why) {
  static const unsigned char session_id_context[] = "osprey";
  struct ws_tls_context *context = ws_tls_context_new(TLS_server_method(), why);
  if (!context)
    return NULL;
  SSL_CTX_set_session_id_context(context->ssl, session_id_context, sizeof session_id_context - 1);
  SSL_CTX_set_num_tickets(context->ssl, 1);
  SSL_CTX_set_alpn_select_cb(context->ssl, ws_tls_choose_protocol, NULL);
  if (ws_tls_load_certificate(context->ssl, certificate_file, why) ||
      ws_tls_load_key(context->ssl, certificate_file, key_file, why)) {
    ws_tls_context_unref(context);
    return NULL;
  }
  return context;
}
