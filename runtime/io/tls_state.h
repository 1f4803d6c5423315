#pragma once
/*
 * What the two TLS files share, and nobody else includes.
 */
#include <openssl/ssl.h>
#include <stdatomic.h>

#include "tls_context.h"

struct ws_tls_context {
  SSL_CTX *ssl;
  _Atomic unsigned references;
};
