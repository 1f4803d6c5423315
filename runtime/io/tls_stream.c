/* OpenSSL reads and writes the socket through our own BIO, because the built-in one would raise SIGPIPE.
 *
 * OpenSSL's error queue belongs to the thread. Every operation empties it first, and converts a failure to text before
 * it returns, so that no error is left for others.
 *
 * An unfinished write must be repeated with the same bytes and length. `retry` is the length of that record.
 */
#include "tls_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "address.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sys.h"
#include "tls_context.h"

enum {
  WS_TLS_RECORD = 16 * 1024,
  WS_TLS_ALLOWANCE = 64 * 1024, /* the most bytes that one operation reads from the socket */
  WS_TLS_MESSAGES = 16,         /* TLS's own messages in a second; a peer needs few in an hour */
};

struct ws_tls {
  SSL *ssl;
  struct ws_tls_context *context;
  char *host;           /* for a client: the server's name */
  size_t retry;         /* the length of the unfinished record; 0: none */
  unsigned read_needs;  /* what reading waits for: WS_READ or WS_WRITE */
  unsigned write_needs; /* what writing waits for */
  size_t allowance;     /* bytes that this operation may still read from the socket */
  int64_t second;       /* of the clock, in which so many of TLS's own messages came or went */
  unsigned messages;
  int error;        /* the errno of a socket failure */
  int failed_depth; /* of the certificate that was not accepted; 0: the peer's own */
  bool failed_root; /* it is self-signed */
  bool handshaken;
  bool failed;
  bool at_end;  /* the socket has no more to read, ever */
  bool drained; /* it had less than OpenSSL asked for: it becomes ready if there is more */
  bool ended;   /* the peer's end of stream was read */
  bool flooded; /* by more than WS_TLS_MESSAGES */
  bool deaf;    /* that was reported: input is discarded */
  bool more;    /* the owner should read again without waiting */
  struct ws_why why;
};

/* ---- the BIO over the socket; its data is the stream */

static int ws_tls_stream_bio_result(BIO *bio, ssize_t count, bool reading) {
  struct ws_stream *stream = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (count >= 0)
    return (int)count;
  if (errno != EAGAIN && errno != EINTR)
    stream->tls->error = errno;
  else if (reading)
    BIO_set_retry_read(bio);
  else
    BIO_set_retry_write(bio);
  return -1;
}

/* OpenSSL keeps reading while records without data arrive. A peer that sends them fast enough would occupy the thread.
 * When the allowance is used up, the socket appears empty; the remaining bytes make it ready
 * again.
 */
static int ws_tls_stream_bio_read(BIO *bio, char *bytes, int size) {
  struct ws_stream *stream = BIO_get_data(bio);
  if (stream->tls->allowance == 0) {
    errno = EAGAIN;
    return ws_tls_stream_bio_result(bio, -1, true);
  }
  ssize_t count = ws_sys_recv(stream->watch.fd, bytes, (size_t)size);
  size_t taken = count > 0 ? (size_t)count : 0;
  stream->tls->at_end = count == 0;
  stream->tls->drained = count < size;
  stream->tls->allowance -= taken < stream->tls->allowance ? taken : stream->tls->allowance;
  return ws_tls_stream_bio_result(bio, count, true);
}

/* A message of TLS itself, a key update above all, costs 10 µs for 27 bytes, and OpenSSL handles all that it has read
 * before it returns. Past the limit it is told that the peer has shut down: it discards the rest. */
static void ws_tls_stream_heard(int written, int version, int type, const void *bytes, size_t n, SSL *ssl, void *self) {
  struct ws_tls *tls = self;
  int64_t second = ws_clock_coarse_ms() / 1000;
  (void)written;
  (void)version;
  (void)bytes;
  (void)n;
  if (type != SSL3_RT_HANDSHAKE && type != SSL3_RT_ALERT)
    return;
  tls->messages = second == tls->second ? tls->messages + 1 : 1;
  tls->second = second;
  if (tls->messages <= WS_TLS_MESSAGES)
    return;
  tls->flooded = true;
  SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

static int ws_tls_stream_bio_write(BIO *bio, const char *bytes, int size) {
  struct ws_stream *stream = BIO_get_data(bio);
  return ws_tls_stream_bio_result(bio, ws_sys_send(stream->watch.fd, bytes, (size_t)size), false);
}

/* With SSL_OP_IGNORE_UNEXPECTED_EOF, the end of the stream counts as the peer's close_notify, if OpenSSL can ask for
 * it: the peer has no more to say, but may still be told something (RFC 8446 section 6.1). Nothing is cut unseen,
 * because heads and frames tell where they end. */
static long ws_tls_stream_bio_control(BIO *bio, int command, long number, void *pointer) {
  const struct ws_stream *stream = BIO_get_data(bio);
  (void)number;
  (void)pointer;
  return command == BIO_CTRL_EOF ? stream->tls->at_end : command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *ws_tls_stream_bio_method;

/* Made once per process and never freed, because connections may live until the process ends. */
static void ws_tls_stream_make_bio_method(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
  if (!method)
    return;
  BIO_meth_set_read(method, ws_tls_stream_bio_read);
  BIO_meth_set_write(method, ws_tls_stream_bio_write);
  BIO_meth_set_ctrl(method, ws_tls_stream_bio_control);
  ws_tls_stream_bio_method = method;
}

static BIO *ws_tls_stream_bio_new(struct ws_stream *stream) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, ws_tls_stream_make_bio_method);
  BIO *bio = ws_tls_stream_bio_method ? BIO_new(ws_tls_stream_bio_method) : NULL;
  if (!bio)
    return NULL;
  BIO_set_data(bio, stream);
  BIO_set_init(bio, 1);
  return bio;
}

/* ---- failures as sentences */

/* Notes which certificate of the chain is not accepted. */
static int ws_tls_stream_verified(int accepted, X509_STORE_CTX *chain) {
  SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
  struct ws_tls *tls = SSL_get_app_data(ssl);
  if (!accepted) {
    X509 *certificate = X509_STORE_CTX_get_current_cert(chain);
    tls->failed_depth = X509_STORE_CTX_get_error_depth(chain);
    tls->failed_root = certificate && X509_self_signed(certificate, 0) == 1;
  }
  return accepted;
}

/* Only a client verifies a certificate. */
static void ws_tls_stream_explain_certificate(struct ws_tls *tls, long result) {
  const char *host = tls->host;
  switch (result) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
    if (tls->failed_depth == 0)
      ws_why_set(&tls->why, "the certificate of %s has expired", host);
    else
      ws_why_set(&tls->why, "%s certificate that the one of %s relies on has expired",
                 tls->failed_root ? "the root" : "an intermediate", host);
    break;
  case X509_V_ERR_CERT_NOT_YET_VALID:
    ws_why_set(&tls->why, "the certificate of %s is not valid yet", host);
    break;
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    ws_why_set(&tls->why, "the certificate is not for %s but for another host", host);
    break;
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    ws_why_set(&tls->why, "the certificate of %s is not trusted: it is self-signed", host);
    break;
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    ws_why_set(&tls->why, "the certificate of %s is not trusted: its issuer is unknown", host);
    break;
  default:
    ws_why_set(&tls->why, "the certificate of %s is not accepted: %s", host, X509_verify_cert_error_string(result));
  }
}

static void ws_tls_stream_explain_library(struct ws_tls *tls, unsigned long error) {
  int reason = ERR_GET_REASON(error);
  const char *text = ERR_reason_error_string(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET) {
    ws_why_set(&tls->why, "the peer broke off TLS: %s", text ? text : "unknown alert");
    return;
  }
  switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? reason : 0) {
  case SSL_R_CERTIFICATE_VERIFY_FAILED:
    ws_tls_stream_explain_certificate(tls, SSL_get_verify_result(tls->ssl));
    break;
  case SSL_R_WRONG_VERSION_NUMBER:
  case SSL_R_HTTP_REQUEST:
  case SSL_R_HTTPS_PROXY_REQUEST:
  case SSL_R_PACKET_LENGTH_TOO_LONG:
  case SSL_R_RECORD_LENGTH_MISMATCH:
    ws_why_set(&tls->why, "the peer does not speak TLS");
    break;
  case SSL_R_UNSUPPORTED_PROTOCOL:
    ws_why_set(&tls->why, "the peer speaks no TLS version from 1.2 on");
    break;
  default:
    ws_why_set(&tls->why, "TLS failed: %s", text ? text : "unknown error");
  }
}

/* Marks the stream as failed, with the reason. */
static int ws_tls_stream_fail(struct ws_stream *stream) {
  struct ws_tls *tls = stream->tls;
  unsigned long error = ERR_peek_error();
  if (error)
    ws_tls_stream_explain_library(tls, error);
  else if (tls->error)
    ws_why_set(&tls->why, "%s", ws_why_errno(tls->error));
  else
    ws_why_set(&tls->why, "the peer closed the connection%s", tls->handshaken ? "" : " during the TLS handshake");
  ERR_clear_error();
  tls->failed = true;
  return WS_STREAM_FAILED;
}

/* Converts the failure of an SSL operation. Returns 0 for the peer's end of stream. */
static int ws_tls_stream_outcome(struct ws_stream *stream, int result, unsigned *needs) {
  struct ws_tls *tls = stream->tls;
  switch (SSL_get_error(tls->ssl, result)) {
  case SSL_ERROR_WANT_READ:
    *needs = WS_READ;
    return WS_STREAM_AGAIN;
  case SSL_ERROR_WANT_WRITE:
    *needs = WS_WRITE;
    return WS_STREAM_AGAIN;
  case SSL_ERROR_ZERO_RETURN:
    if (tls->handshaken)
      return 0;
    return ws_tls_stream_fail(stream);
  default:
    return ws_tls_stream_fail(stream);
  }
}

/* ---- operations */

static int ws_tls_stream_handshake(struct ws_stream *stream) {
  struct ws_tls *tls = stream->tls;
  if (tls->failed)
    return WS_STREAM_FAILED;
  ERR_clear_error();
  tls->allowance = WS_TLS_ALLOWANCE;
  int result = SSL_do_handshake(tls->ssl);
  if (result != 1)
    return ws_tls_stream_outcome(stream, result, &tls->read_needs);
  tls->handshaken = true;
  SSL_set_msg_callback(tls->ssl, ws_tls_stream_heard);
  SSL_set_msg_callback_arg(tls->ssl, tls);
  tls->read_needs = WS_READ;
  /* OpenSSL may have read data together with the last flight. The socket will not announce it again. */
  tls->more = SSL_has_pending(tls->ssl);
  return 0;
}

/* Takes bytes from the socket unseen. */
static ssize_t ws_tls_stream_discard(struct ws_stream *stream, uint8_t *bytes, size_t size) {
  struct ws_tls *tls = stream->tls;
  ssize_t count = ws_sys_recv(stream->watch.fd, bytes, size);
  tls->ended = count == 0;
  if (count >= 0)
    return count == 0 ? 0 : WS_STREAM_AGAIN;
  if (errno == EAGAIN || errno == EINTR)
    return WS_STREAM_AGAIN;
  tls->error = errno;
  ERR_clear_error();
  return ws_tls_stream_fail(stream);
}

static ssize_t ws_tls_stream_read(struct ws_stream *stream, uint8_t *bytes, size_t size) {
  struct ws_tls *tls = stream->tls;
  tls->more = false;
  if (tls->failed || tls->ended)
    return tls->failed ? WS_STREAM_FAILED : 0;
  if (tls->deaf)
    return ws_tls_stream_discard(stream, bytes, size);
  size_t got = 0;
  int outcome = WS_STREAM_AGAIN;
  ERR_clear_error();
  tls->allowance = WS_TLS_ALLOWANCE;
  while (got < size) {
    size_t count;
    int result = SSL_read_ex(tls->ssl, bytes + got, size - got, &count);
    if (result != 1) {
      outcome = ws_tls_stream_outcome(stream, result, &tls->read_needs);
      break;
    }
    got += count;
    tls->read_needs = WS_READ;
    /* A further read would only fail. */
    if (tls->drained && !SSL_has_pending(tls->ssl))
      break;
  }
  if (tls->flooded && outcome == 0)
    outcome = WS_STREAM_FLOODED;
  tls->deaf = outcome == WS_STREAM_FLOODED && got == 0;
  tls->ended = outcome == 0;
  if (got == 0)
    return outcome;
  tls->more = got == size ? SSL_has_pending(tls->ssl) : outcome != WS_STREAM_AGAIN;
  return (ssize_t)got;
}

/* A position in the parts of a write. */
struct ws_tls_stream_cursor {
  const struct iovec *part;
  int left; /* remaining parts, this one included */
  size_t offset;
};

static void ws_tls_stream_skip_empty(struct ws_tls_stream_cursor *at) {
  while (at->left > 0 && at->offset == at->part->iov_len) {
    at->part++;
    at->left--;
    at->offset = 0;
  }
}

/* Returns the bytes of the next record: in place if they are contiguous, otherwise copied to the scratch. The length is
 * that of a full record, or exactly that of the unfinished record.
 */
static const uint8_t *ws_tls_stream_next_record(struct ws_tls_stream_cursor at, size_t retry, uint8_t *scratch,
                                                size_t *length) {
  size_t most = retry ? retry : WS_TLS_RECORD;
  const uint8_t *direct = (const uint8_t *)at.part->iov_base + at.offset;
  size_t here = at.part->iov_len - at.offset;
  if (here >= most || at.left == 1) {
    *length = here < most ? here : most;
    return direct;
  }
  size_t gathered = 0;
  while (at.left > 0 && gathered < most) {
    size_t count = at.part->iov_len - at.offset;
    if (count > most - gathered)
      count = most - gathered;
    memcpy(scratch + gathered, (const uint8_t *)at.part->iov_base + at.offset, count);
    gathered += count;
    at.offset += count;
    ws_tls_stream_skip_empty(&at);
  }
  *length = gathered;
  return scratch;
}

static void ws_tls_stream_advance(struct ws_tls_stream_cursor *at, size_t count) {
  while (count > 0) {
    size_t here = at->part->iov_len - at->offset;
    size_t step = count < here ? count : here;
    at->offset += step;
    count -= step;
    ws_tls_stream_skip_empty(at);
  }
}

static ssize_t ws_tls_stream_writev(struct ws_stream *stream, const struct iovec *parts, int count) {
  struct ws_tls *tls = stream->tls;
  struct ws_tls_stream_cursor at = {parts, count, 0};
  uint8_t scratch[WS_TLS_RECORD];
  size_t done = 0;
  if (tls->failed)
    return WS_STREAM_FAILED;
  ERR_clear_error();
  ws_tls_stream_skip_empty(&at);
  while (at.left > 0) {
    size_t length;
    const uint8_t *record = ws_tls_stream_next_record(at, tls->retry, scratch, &length);
    size_t written;
    int result = SSL_write_ex(tls->ssl, record, length, &written);
    if (result != 1) {
      int outcome = ws_tls_stream_outcome(stream, result, &tls->write_needs);
      tls->retry = outcome == WS_STREAM_AGAIN ? length : 0;
      if (done > 0)
        break;
      return outcome == WS_STREAM_AGAIN ? outcome : WS_STREAM_FAILED;
    }
    tls->retry = 0;
    tls->write_needs = WS_WRITE;
    done += written;
    ws_tls_stream_advance(&at, written);
  }
  return (ssize_t)done;
}

static int ws_tls_stream_shutdown(struct ws_stream *stream) {
  struct ws_tls *tls = stream->tls;
  if (tls->failed)
    return WS_STREAM_FAILED;
  ERR_clear_error();
  int result = tls->handshaken ? SSL_shutdown(tls->ssl) : 0;
  if (result < 0) {
    int outcome = ws_tls_stream_outcome(stream, result, &tls->write_needs);
    return outcome == WS_STREAM_AGAIN ? outcome : WS_STREAM_FAILED;
  }
  if (ws_sys_shutdown(stream->watch.fd, SHUT_WR) == 0)
    return 0;
  tls->error = errno;
  return ws_tls_stream_fail(stream);
}

static void ws_tls_stream_close(struct ws_stream *stream) {
  struct ws_tls *tls = stream->tls;
  SSL_free(tls->ssl);
  ws_tls_context_unref(tls->context);
  ws_mem_free(tls->host);
  ws_mem_free(tls);
}

static bool ws_tls_stream_pending(const struct ws_stream *stream) {
  return stream->tls->more;
}

static bool ws_tls_stream_keep(struct ws_stream *stream, bool keep) {
  struct ws_tls *tls = stream->tls;
  if (keep)
    SSL_clear_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS);
  else if (SSL_free_buffers(tls->ssl) == 1)
    SSL_set_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS);
  else
    return false;
  return true;
}

static unsigned ws_tls_stream_interest(const struct ws_stream *stream, unsigned wanted) {
  const struct ws_tls *tls = stream->tls;
  if (!tls->handshaken)
    return wanted ? tls->read_needs : 0;
  return (wanted & WS_READ ? tls->read_needs : 0) | (wanted & WS_WRITE ? tls->write_needs : 0);
}

static unsigned ws_tls_stream_ready(struct ws_stream *stream, unsigned events) {
  const struct ws_tls *tls = stream->tls;
  if (!tls->handshaken)
    return WS_READ | WS_WRITE;
  return (events & tls->read_needs ? WS_READ : 0u) | (events & tls->write_needs ? WS_WRITE : 0u);
}

static const char *ws_tls_stream_error(const struct ws_stream *stream) {
  return stream->tls->why.text;
}

static const struct ws_stream_ops ws_tls_stream_ops = {
    .handshake = ws_tls_stream_handshake,
    .read = ws_tls_stream_read,
    .writev = ws_tls_stream_writev,
    .shutdown = ws_tls_stream_shutdown,
    .close = ws_tls_stream_close,
    .pending = ws_tls_stream_pending,
    .keep = ws_tls_stream_keep,
    .interest = ws_tls_stream_interest,
    .ready = ws_tls_stream_ready,
    .error = ws_tls_stream_error,
    .secure = true,
};

/* ---- opening */

/* Makes the TLS state, SSL and BIO. On failure nothing is allocated, and the stream is unchanged. */
static struct ws_tls *ws_tls_stream_new(struct ws_stream *stream, struct ws_tls_context *context) {
  struct ws_tls *tls = ws_mem_calloc(1, sizeof *tls);
  if (!tls)
    return NULL;
  ERR_clear_error();
  tls->ssl = SSL_new(ws_tls_context_ssl(context));
  BIO *bio = tls->ssl ? ws_tls_stream_bio_new(stream) : NULL;
  if (!bio) {
    ERR_clear_error();
    SSL_free(tls->ssl);
    ws_mem_free(tls);
    return NULL;
  }
  SSL_set_bio(tls->ssl, bio, bio);
  tls->context = ws_tls_context_ref(context);
  tls->read_needs = WS_READ;
  tls->write_needs = WS_WRITE;
  return tls;
}

static void ws_tls_stream_open(struct ws_stream *stream, int fd, struct ws_tls *tls) {
  *stream =
      (struct ws_stream){.ops = &ws_tls_stream_ops, .watch = {.ready = stream->watch.ready, .fd = fd}, .tls = tls};
}

int ws_tls_stream_open_server(struct ws_stream *stream, int fd, struct ws_tls_context *context, struct ws_why *why) {
  struct ws_tls *tls = ws_tls_stream_new(stream, context);
  if (!tls)
    return ws_why_set(why, "out of memory");
  SSL_set_accept_state(tls->ssl);
  ws_tls_stream_open(stream, fd, tls);
  return 0;
}

/* Sets the host that the certificate must match. A name is also sent (SNI), an address is not. */
static bool ws_tls_stream_expect_host(struct ws_tls *tls) {
  struct ws_address address;
  X509_VERIFY_PARAM *expected = SSL_get0_param(tls->ssl);
  if (ws_address_parse(tls->host, 0, &address))
    return X509_VERIFY_PARAM_set1_ip_asc(expected, tls->host) == 1;
  /* Ignores a name that is only in the subject, as browsers do (RFC 9525 section 2). */
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_host(expected, tls->host, 0) == 1 && SSL_set_tlsext_host_name(tls->ssl, tls->host) == 1;
}

int ws_tls_stream_open_client(struct ws_stream *stream, int fd, struct ws_tls_context *context, const char *host,
                              struct ws_why *why) {
  struct ws_tls *tls = ws_tls_stream_new(stream, context);
  if (!tls)
    return ws_why_set(why, "out of memory");
  tls->host = ws_mem_strdup(host);
  /* A host name may end with a dot; a name in a certificate does not. */
  size_t length = tls->host ? strlen(tls->host) : 0;
  if (length > 1 && tls->host[length - 1] == '.')
    tls->host[length - 1] = '\0';
  if (!tls->host || !ws_tls_stream_expect_host(tls)) {
    ERR_clear_error();
    stream->tls = tls;
    ws_tls_stream_close(stream);
    stream->tls = NULL;
    return ws_why_set(why, "the host %s cannot be checked against a certificate", host);
  }
  SSL_set_app_data(tls->ssl, tls);
  SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, ws_tls_stream_verified);
  SSL_set_connect_state(tls->ssl);
  ws_tls_stream_open(stream, fd, tls);
  return 0;
}

bool ws_tls_stream_distrusts(const struct ws_stream *stream) {
  return SSL_get_verify_result(stream->tls->ssl) != X509_V_OK;
}
