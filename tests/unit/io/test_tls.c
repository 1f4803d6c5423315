/* TLS: trust, the sentences for its errors, and the data. The tests make their certificates. A peer that misbehaves is
 * OpenSSL used directly, or bytes written to the socket. */
#include "io/tls_stream.h"
#include "io_test.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/ioctl.h>

#include "io/stream.h"
#include "io/tls_context.h"
#include "support/tls_fixture.h"

static struct tls_identity authority, stranger;
static struct tls_identity for_localhost, for_address, expired, not_yet, elsewhere, self_signed, issued_by_stranger;
static struct ws_tls_context *trusting; /* of clients: trusts the authority */

static void issue(struct tls_identity *identity, const char *name, const char *alternatives, int from, int to,
                  const struct tls_identity *issuer) {
  tls_fixture_issue(identity, &(struct tls_request){name, alternatives, from, to, issuer, NULL, 0, 0});
}

static int set_up(void **state) {
  (void)state;
  struct ws_why why;
  tls_fixture_issue(&authority, &(struct tls_request){.name = "authority", .to_days = 10, .authority = 1});
  tls_fixture_issue(&stranger, &(struct tls_request){.name = "stranger", .to_days = 10, .authority = 1});
  issue(&for_localhost, "for-localhost", "DNS:localhost", 0, 10, &authority);
  issue(&for_address, "for-address", "IP:127.0.0.1,IP:::1", 0, 10, &authority);
  issue(&expired, "expired", "DNS:localhost", -10, -1, &authority);
  issue(&not_yet, "not-yet", "DNS:localhost", 1, 10, &authority);
  issue(&elsewhere, "elsewhere", "DNS:example.org,DNS:127.0.0.1", 0, 10, &authority);
  issue(&self_signed, "self-signed", "DNS:localhost", 0, 10, NULL);
  issue(&issued_by_stranger, "issued-by-stranger", "DNS:localhost", 0, 10, &stranger);
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
  trusting = ws_tls_context_new_client(&why);
  return trusting ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  struct tls_identity *all[] = {&authority, &stranger,  &for_localhost, &for_address,       &expired,
                                &not_yet,   &elsewhere, &self_signed,   &issued_by_stranger};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    tls_fixture_free(all[i]);
  ws_tls_context_unref(trusting);
  tls_fixture_remove();
  return 0;
}

/* Runs after each test. */
static int nothing_left_in_the_queue(void **state) {
  (void)state;
  return ERR_peek_error() == 0 ? 0 : -1;
}

struct meeting {
  struct ws_loop *loop;
  struct ws_stream client;
  struct ws_stream server;
  int client_result;
  int server_result;
};

static void never_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)loop;
  (void)watch;
  (void)events;
}

/* Connects a client that expects `host` to a server with this identity, until both handshakes have ended. */
static void meet(struct meeting *meeting, const struct tls_identity *identity, const char *host) {
  struct ws_why why;
  int fds[2];
  test_tcp_pair(fds);
  *meeting = (struct meeting){.client_result = WS_STREAM_AGAIN, .server_result = WS_STREAM_AGAIN};
  meeting->loop = ws_loop_new();
  meeting->client.watch.ready = never_ready;
  meeting->server.watch.ready = never_ready;
  struct ws_tls_context *context = ws_tls_context_new_server(identity->certificate_file, identity->key_file, &why);
  assert_non_null(context);
  assert_int_equal(ws_tls_stream_open_client(&meeting->client, fds[0], trusting, host, &why), 0);
  assert_int_equal(ws_tls_stream_open_server(&meeting->server, fds[1], context, &why), 0);
  ws_tls_context_unref(context);
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while (meeting->client_result == WS_STREAM_AGAIN || meeting->server_result == WS_STREAM_AGAIN) {
    if (meeting->client_result == WS_STREAM_AGAIN)
      meeting->client_result = ws_stream_handshake(&meeting->client);
    if (meeting->server_result == WS_STREAM_AGAIN)
      meeting->server_result = ws_stream_handshake(&meeting->server);
    assert_true(test_now() < give_up);
  }
}

static void part(struct meeting *meeting) {
  ws_stream_close(meeting->loop, &meeting->client);
  ws_stream_close(meeting->loop, &meeting->server);
  ws_loop_free(meeting->loop);
}

static void assert_accepted(const struct tls_identity *identity, const char *host) {
  struct meeting meeting;
  meet(&meeting, identity, host);
  assert_int_equal(meeting.client_result, 0);
  assert_int_equal(meeting.server_result, 0);
  part(&meeting);
}

static void assert_refused(const struct tls_identity *identity, const char *host, const char *sentence) {
  struct meeting meeting;
  meet(&meeting, identity, host);
  assert_int_equal(meeting.client_result, WS_STREAM_FAILED);
  assert_string_equal(ws_stream_error(&meeting.client), sentence);
  part(&meeting);
}

/* Only the authority of SSL_CERT_FILE is trusted: TLS-1 TLS-11 */
static void test_valid(void **state) {
  (void)state;
  assert_accepted(&for_localhost, "localhost");
  assert_accepted(&for_localhost, "LOCALHOST");
  assert_accepted(&for_localhost, "localhost.");
}

/* TLS-11 */
static void test_the_file_of_trust(void **state) {
  struct ws_why why;
  char expected[256];
  (void)state;
  snprintf(expected, sizeof expected, "SSL_CERT_FILE %s: holds no PEM certificate", authority.key_file);
  const char *wrong[][2] = {
      {"/nowhere/at-all.pem", "SSL_CERT_FILE /nowhere/at-all.pem: No such file or directory"},
      {"/", "SSL_CERT_FILE /: Is a directory"},
      {"/dev/null", "SSL_CERT_FILE /dev/null: the file is empty"},
      {authority.key_file, expected},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    setenv("SSL_CERT_FILE", wrong[i][0], 1);
    assert_null(ws_tls_context_new_client(&why));
    assert_string_equal(why.text, wrong[i][1]);
  }
  setenv("SSL_CERT_FILE", "", 1);
  struct ws_tls_context *by_default = ws_tls_context_new_client(&why);
  assert_non_null(by_default);
  ws_tls_context_unref(by_default);
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
}

/* Files in the directory are named by the hash of the subject, as by c_rehash: TLS-11 */
static void test_the_directory_of_trust(void **state) {
  char directory[] = "/tmp/osprey-trust-XXXXXX";
  char link[64];
  struct ws_why why;
  struct ws_tls_context *by_file = trusting;
  (void)state;
  FILE *file = fopen(authority.certificate_file, "r");
  X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
  fclose(file);
  assert_non_null(mkdtemp(directory));
  snprintf(link, sizeof link, "%s/%08lx.0", directory, X509_subject_name_hash(certificate));
  assert_int_equal(symlink(authority.certificate_file, link), 0);
  setenv("SSL_CERT_FILE", stranger.certificate_file, 1);
  setenv("SSL_CERT_DIR", directory, 1);
  trusting = ws_tls_context_new_client(&why);
  assert_accepted(&for_localhost, "localhost");
  assert_accepted(&issued_by_stranger, "localhost");
  ws_tls_context_unref(trusting);
  unsetenv("SSL_CERT_DIR");
  trusting = ws_tls_context_new_client(&why);
  assert_refused(&for_localhost, "localhost", "the certificate of localhost is not trusted: its issuer is unknown");
  ws_tls_context_unref(trusting);
  trusting = by_file;
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
  unlink(link);
  rmdir(directory);
  X509_free(certificate);
}

/* TLS-2 */
static void test_addresses(void **state) {
  (void)state;
  assert_accepted(&for_address, "127.0.0.1");
  assert_accepted(&for_address, "::1");
  assert_refused(&for_address, "127.0.0.2", "the certificate is not for 127.0.0.2 but for another host");
  assert_refused(&elsewhere, "127.0.0.1", "the certificate is not for 127.0.0.1 but for another host");
}

/* TLS-3 */
static void test_expired(void **state) {
  (void)state;
  assert_refused(&expired, "localhost", "the certificate of localhost has expired");
}

/* TLS-3: which certificate of the chain has expired. */
static void test_expired_root(void **state) {
  struct tls_identity old = {0}, issued_by_old = {0};
  struct ws_tls_context *usual = trusting;
  struct ws_why why;
  (void)state;
  tls_fixture_issue(&old, &(struct tls_request){.name = "old", .from_days = -10, .to_days = -1, .authority = 1});
  issue(&issued_by_old, "issued-by-old", "DNS:localhost", 0, 10, &old);
  setenv("SSL_CERT_FILE", old.certificate_file, 1);
  trusting = ws_tls_context_new_client(&why);
  assert_refused(&issued_by_old, "localhost", "the root certificate that the one of localhost relies on has expired");
  ws_tls_context_unref(trusting);
  trusting = usual;
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
  tls_fixture_free(&old);
  tls_fixture_free(&issued_by_old);
}

/* Appends the certificate to the file of another, so that a server sends both. */
static void append_certificate(const struct tls_identity *to, const struct tls_identity *more) {
  FILE *file = fopen(to->certificate_file, "a");
  assert_non_null(file);
  assert_int_equal(PEM_write_X509(file, more->certificate), 1);
  fclose(file);
}

static void test_expired_intermediate(void **state) {
  struct tls_identity old = {0}, issued_by_old = {0};
  (void)state;
  tls_fixture_issue(&old,
                    &(struct tls_request){
                        .name = "intermediate", .from_days = -10, .to_days = -1, .authority = 1, .issuer = &authority});
  issue(&issued_by_old, "issued-by-intermediate", "DNS:localhost", 0, 10, &old);
  append_certificate(&issued_by_old, &old);
  assert_refused(&issued_by_old, "localhost",
                 "an intermediate certificate that the one of localhost relies on has expired");
  tls_fixture_free(&old);
  tls_fixture_free(&issued_by_old);
}

/* Without SSL_CERT_FILE and SSL_CERT_DIR the system's authorities are trusted: TLS-11 */
static void test_the_trust_of_the_system(void **state) {
  struct ws_tls_context *by_file = trusting;
  struct ws_why why;
  (void)state;
  unsetenv("SSL_CERT_FILE");
  trusting = ws_tls_context_new_client(&why);
  assert_refused(&for_localhost, "localhost", "the certificate of localhost is not trusted: its issuer is unknown");
  ws_tls_context_unref(trusting);
  trusting = by_file;
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
}

/* TLS-4 */
static void test_not_yet_valid(void **state) {
  (void)state;
  assert_refused(&not_yet, "localhost", "the certificate of localhost is not valid yet");
}

/* TLS-5 */
static void test_wrong_host(void **state) {
  (void)state;
  struct tls_identity subject_only;
  issue(&subject_only, "localhost", NULL, 0, 10, &authority);
  assert_refused(&elsewhere, "localhost", "the certificate is not for localhost but for another host");
  assert_refused(&subject_only, "localhost", "the certificate is not for localhost but for another host");
  tls_fixture_free(&subject_only);
}

/* TLS-6 */
static void test_untrusted(void **state) {
  (void)state;
  assert_refused(&self_signed, "localhost", "the certificate of localhost is not trusted: it is self-signed");
  assert_refused(&issued_by_stranger, "localhost",
                 "the certificate of localhost is not trusted: its issuer is unknown");
}

/* Other faults of a certificate are reported in OpenSSL's words: TLS-6 */
static void test_wrong_purpose(void **state) {
  (void)state;
  struct tls_identity for_clients;
  tls_fixture_issue(&for_clients, &(struct tls_request){.name = "for-clients",
                                                        .alternatives = "DNS:localhost",
                                                        .to_days = 10,
                                                        .issuer = &authority,
                                                        .purpose = "clientAuth"});
  assert_refused(&for_clients, "localhost",
                 "the certificate of localhost is not accepted: unsuitable certificate purpose");
  tls_fixture_free(&for_clients);
}

/* The server reports the alert of its client: TLS-14 */
static void test_alert_of_the_peer(void **state) {
  (void)state;
  struct meeting meeting;
  uint8_t byte;
  meet(&meeting, &self_signed, "localhost");
  ssize_t result = meeting.server_result;
  while (result == 0 && (result = ws_stream_read(&meeting.server, &byte, 1)) == WS_STREAM_AGAIN)
    result = 0;
  assert_int_equal(result, WS_STREAM_FAILED);
  assert_non_null(strstr(ws_stream_error(&meeting.server), "the peer broke off TLS: "));
  assert_non_null(strstr(ws_stream_error(&meeting.server), "unknown ca"));
  part(&meeting);
}

/* A stream whose other end is a bare socket. */
struct lone {
  struct ws_loop *loop;
  struct ws_stream stream;
  int peer;
};

static void lone_open(struct lone *lone, bool server) {
  struct ws_why why;
  int fds[2];
  test_tcp_pair(fds);
  *lone = (struct lone){.loop = ws_loop_new(), .peer = fds[1]};
  lone->stream.watch.ready = never_ready;
  if (server) {
    struct ws_tls_context *context =
        ws_tls_context_new_server(for_localhost.certificate_file, for_localhost.key_file, &why);
    assert_int_equal(ws_tls_stream_open_server(&lone->stream, fds[0], context, &why), 0);
    ws_tls_context_unref(context);
  } else {
    assert_int_equal(ws_tls_stream_open_client(&lone->stream, fds[0], trusting, "localhost", &why), 0);
  }
}

static void lone_close(struct lone *lone) {
  ws_stream_close(lone->loop, &lone->stream);
  ws_loop_free(lone->loop);
  if (lone->peer >= 0)
    close(lone->peer);
}

static void assert_handshake_fails(struct lone *lone, const char *sentence) {
  int result;
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while ((result = ws_stream_handshake(&lone->stream)) == WS_STREAM_AGAIN)
    assert_true(test_now() < give_up);
  assert_int_equal(result, WS_STREAM_FAILED);
  assert_string_equal(ws_stream_error(&lone->stream), sentence);
  assert_int_equal(ws_stream_handshake(&lone->stream), WS_STREAM_FAILED);
}

/* TLS-7 */
static void test_not_tls(void **state) {
  (void)state;
  static const char *const answers[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.example.org ESMTP\r\n",
                                        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"};
  for (int i = 0; i < 3; i++) {
    struct lone lone;
    lone_open(&lone, i == 2);
    assert_true(write(lone.peer, answers[i], strlen(answers[i])) > 0);
    assert_handshake_fails(&lone, "the peer does not speak TLS");
    lone_close(&lone);
  }
}

/* TLS-8 */
static void test_closed_during_the_handshake(void **state) {
  (void)state;
  for (int server = 0; server < 2; server++) {
    struct lone lone;
    lone_open(&lone, server);
    assert_int_equal(ws_stream_handshake(&lone.stream), WS_STREAM_AGAIN);
    shutdown(lone.peer, SHUT_WR);
    assert_handshake_fails(&lone, "the peer closed the connection during the TLS handshake");
    lone_close(&lone);
  }
}

/* The peer closes with an alert: TLS-8 */
static void test_close_notify_during_the_handshake(void **state) {
  (void)state;
  static const char close_notify[] = "\x15\x03\x03\x00\x02\x01\x00";
  struct lone lone;
  lone_open(&lone, false);
  assert_int_equal(ws_stream_handshake(&lone.stream), WS_STREAM_AGAIN);
  assert_int_equal(write(lone.peer, close_notify, sizeof close_notify - 1), sizeof close_notify - 1);
  assert_handshake_fails(&lone, "the peer closed the connection during the TLS handshake");
  lone_close(&lone);
}

/* Before the end of the handshake only the socket is shut down: TLS-13 */
static void test_shutdown_before_the_handshake(void **state) {
  (void)state;
  struct lone lone;
  char byte;
  lone_open(&lone, true);
  assert_int_equal(ws_stream_want(lone.loop, &lone.stream, 0), 0);
  assert_int_equal(ws_stream_shutdown(&lone.stream), 0);
  assert_int_equal(read(lone.peer, &byte, 1), 0);
  lone_close(&lone);
}

static void drive(struct lone *lone, SSL *peer, int *ours, int *theirs) {
  *ours = WS_STREAM_AGAIN;
  *theirs = WS_STREAM_AGAIN;
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while (*ours == WS_STREAM_AGAIN || *theirs == WS_STREAM_AGAIN) {
    if (*ours == WS_STREAM_AGAIN)
      *ours = ws_stream_handshake(&lone->stream);
    if (*theirs == WS_STREAM_AGAIN) {
      int result = SSL_do_handshake(peer);
      bool waits = result != 1 && SSL_get_error(peer, result) == SSL_ERROR_WANT_READ;
      *theirs = result == 1 ? 0 : waits ? WS_STREAM_AGAIN : WS_STREAM_FAILED;
      ERR_clear_error();
    }
    assert_true(test_now() < give_up);
  }
}

static SSL *raw_peer(SSL_CTX *context, int fd, bool server) {
  SSL *peer = SSL_new(context);
  SSL_set_fd(peer, fd);
  if (server)
    SSL_set_accept_state(peer);
  else
    SSL_set_connect_state(peer);
  return peer;
}

static SSL_CTX *raw_server(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  assert_int_equal(SSL_CTX_use_certificate_file(context, for_localhost.certificate_file, SSL_FILETYPE_PEM), 1);
  assert_int_equal(SSL_CTX_use_PrivateKey_file(context, for_localhost.key_file, SSL_FILETYPE_PEM), 1);
  return context;
}

/* The peer is limited to `version`, as server and as client: TLS-10 */
static void assert_version(int version, bool accepted) {
  for (int server = 0; server < 2; server++) {
    SSL_CTX *context = server ? SSL_CTX_new(TLS_client_method()) : raw_server();
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    struct lone lone;
    lone_open(&lone, server);
    SSL *peer = raw_peer(context, lone.peer, !server);
    int ours, theirs;
    drive(&lone, peer, &ours, &theirs);
    assert_int_equal(ours, accepted ? 0 : WS_STREAM_FAILED);
    if (!accepted)
      assert_true(strcmp(ws_stream_error(&lone.stream), "the peer speaks no TLS version from 1.2 on") == 0 ||
                  strstr(ws_stream_error(&lone.stream), "protocol version"));
    SSL_free(peer);
    SSL_CTX_free(context);
    lone_close(&lone);
  }
}

static void test_versions(void **state) {
  (void)state;
  assert_version(TLS1_1_VERSION, false);
  assert_version(TLS1_2_VERSION, true);
  assert_version(TLS1_3_VERSION, true);
}

/* TLS-17 */
static void test_a_client_of_another_protocol(void **state) {
  static const unsigned char both[] = "\x02h2\x08http/1.1";
  (void)state;
  for (unsigned length = 3; length < sizeof both; length += sizeof both - 4) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_alpn_protos(context, both, length);
    struct lone lone;
    lone_open(&lone, true);
    SSL *peer = raw_peer(context, lone.peer, false);
    int ours, theirs;
    drive(&lone, peer, &ours, &theirs);
    assert_int_equal(ours | theirs, 0);
    const unsigned char *chosen;
    unsigned chosen_length;
    SSL_get0_alpn_selected(peer, &chosen, &chosen_length);
    assert_int_equal(chosen_length, length == 3 ? 0 : 8);
    SSL_free(peer);
    SSL_CTX_free(context);
    lone_close(&lone);
  }
}

/* Bytes that are no TLS record fail the stream for both directions and for good. */
static void test_garbage_after_the_handshake(void **state) {
  (void)state;
  SSL_CTX *context = raw_server();
  struct lone lone;
  uint8_t byte = 'x';
  lone_open(&lone, false);
  SSL *peer = raw_peer(context, lone.peer, true);
  int ours, theirs;
  drive(&lone, peer, &ours, &theirs);
  assert_int_equal(ours | theirs, 0);
  assert_int_equal(write(lone.peer, "no record at all", 16), 16);
  ssize_t count;
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while ((count = ws_stream_read(&lone.stream, &byte, 1)) == WS_STREAM_AGAIN)
    assert_true(test_now() < give_up);
  assert_int_equal(count, WS_STREAM_FAILED);
  assert_true(strlen(ws_stream_error(&lone.stream)) > 0);
  assert_int_equal(ws_stream_read(&lone.stream, &byte, 1), WS_STREAM_FAILED);
  assert_int_equal(ws_stream_writev(&lone.stream, &(struct iovec){&byte, 1}, 1), WS_STREAM_FAILED);
  assert_int_equal(ws_stream_shutdown(&lone.stream), WS_STREAM_FAILED);
  SSL_free(peer);
  SSL_CTX_free(context);
  lone_close(&lone);
}

/* TLS-9 */
static void test_server_name(void **state) {
  (void)state;
  static const char *const hosts[] = {"localhost", "127.0.0.1", "::1"};
  SSL_CTX *context = raw_server();
  for (int i = 0; i < 3; i++) {
    struct ws_why why;
    struct lone lone;
    lone_open(&lone, false);
    int fd = dup(lone.stream.watch.fd);
    ws_stream_close(lone.loop, &lone.stream);
    assert_int_equal(ws_tls_stream_open_client(&lone.stream, fd, trusting, hosts[i], &why), 0);
    SSL *peer = raw_peer(context, lone.peer, true);
    int ours, theirs;
    drive(&lone, peer, &ours, &theirs);
    const char *name = SSL_get_servername(peer, TLSEXT_NAMETYPE_host_name);
    if (i == 0)
      assert_string_equal(name, "localhost");
    else
      assert_null(name);
    SSL_free(peer);
    lone_close(&lone);
  }
  SSL_CTX_free(context);
}

/* Opens a client and shakes hands. Returns its peer, a server. */
static SSL *lone_shake(struct lone *lone) {
  SSL_CTX *context = raw_server();
  lone_open(lone, false);
  SSL *peer = raw_peer(context, lone->peer, true);
  int ours, theirs;
  drive(lone, peer, &ours, &theirs);
  assert_int_equal(ours | theirs, 0);
  SSL_CTX_free(context);
  return peer;
}

/* TLS-13 */
static void test_records_and_close_notify(void **state) {
  (void)state;
  struct lone lone;
  SSL *peer = lone_shake(&lone);

  static uint8_t bytes[40000];
  struct iovec parts[] = {{bytes, 3}, {bytes, 100}, {bytes, 0}, {bytes, 1}};
  assert_int_equal(ws_stream_writev(&lone.stream, parts, 4), 104);
  assert_int_equal(SSL_read(peer, bytes, sizeof bytes), 104);

  assert_int_equal(ws_stream_shutdown(&lone.stream), 0);
  int result = SSL_read(peer, bytes, sizeof bytes);
  assert_int_equal(SSL_get_error(peer, result), SSL_ERROR_ZERO_RETURN);
  assert_int_equal(SSL_get_shutdown(peer) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  SSL_free(peer);
  lone_close(&lone);
}

static ssize_t read_soon(struct ws_stream *stream, uint8_t *byte) {
  ssize_t count;
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while ((count = ws_stream_read(stream, byte, 1)) == WS_STREAM_AGAIN)
    assert_true(test_now() < give_up);
  return count;
}

/* Buffers that are kept, freed, and kept again, and freed by each record: TLS-20 */
static void test_buffers_that_are_kept(void **state) {
  (void)state;
  struct lone lone;
  SSL *peer = lone_shake(&lone);
  for (int i = 0; i < 6; i++) {
    bool keep = i % 3 != 2;
    uint8_t bytes[100] = "kept";
    struct iovec part = {bytes, 5};
    assert_true(ws_stream_keep_buffers(&lone.stream, keep));
    assert_int_equal(ws_stream_writev(&lone.stream, &part, 1), 5);
    assert_int_equal(SSL_read(peer, bytes, sizeof bytes), 5);
    assert_int_equal(SSL_write(peer, "back", 4), 4);
    assert_int_equal(read_soon(&lone.stream, bytes), 1);
    /* Three bytes are left: they are not lost. */
    assert_false(ws_stream_keep_buffers(&lone.stream, false));
    assert_int_equal(ws_stream_read(&lone.stream, bytes, sizeof bytes), 3);
    assert_memory_equal(bytes, "ack", 3);
    assert_true(ws_stream_keep_buffers(&lone.stream, false));
  }
  SSL_free(peer);
  lone_close(&lone);
}

/* Sends key updates, and a byte of data behind them, in one write. */
static void send_key_updates(SSL *peer, int count) {
  BIO *records = BIO_new(BIO_s_mem()), *socket = SSL_get_wbio(peer);
  BIO_up_ref(socket);
  SSL_set0_wbio(peer, records);
  for (int i = 0; i < count; i++) {
    assert_int_equal(SSL_key_update(peer, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    assert_int_equal(SSL_do_handshake(peer), 1);
  }
  assert_int_equal(SSL_write(peer, "x", 1), 1);
  char *bytes;
  long size = BIO_get_mem_data(records, &bytes);
  assert_int_equal(BIO_write(socket, bytes, (int)size), size);
  SSL_set0_wbio(peer, socket);
}

/* A peer may change its keys, but not without end; then nothing more is read: TLS-18 */
static void test_key_updates(void **state) {
  (void)state;
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  struct lone lone;
  lone_open(&lone, true);
  SSL *peer = raw_peer(context, lone.peer, false);
  int ours, theirs;
  uint8_t byte = 0;
  drive(&lone, peer, &ours, &theirs);
  assert_int_equal(ours | theirs, 0);
  send_key_updates(peer, 10);
  assert_int_equal(read_soon(&lone.stream, &byte), 1);
  assert_int_equal(byte, 'x');
  send_key_updates(peer, 600);
  assert_int_equal(read_soon(&lone.stream, &byte), WS_STREAM_FLOODED);
  send_key_updates(peer, 1);
  assert_int_equal(ws_stream_read(&lone.stream, &byte, 1), WS_STREAM_AGAIN);
  /* The end can still be said. */
  struct iovec part = {"y", 1};
  assert_int_equal(ws_stream_writev(&lone.stream, &part, 1), 1);
  assert_int_equal(SSL_read(peer, &byte, 1), 1);
  assert_int_equal(byte, 'y');
  SSL_free(peer);
  SSL_CTX_free(context);
  lone_close(&lone);
}

static void assert_no_context(const char *certificate, const char *key, const char *file, const char *reason) {
  struct ws_why why;
  assert_null(ws_tls_context_new_server(certificate, key, &why));
  if (!strstr(why.text, file) || !strstr(why.text, reason))
    fail_msg("'%s' should hold '%s' and '%s'", why.text, file, reason);
}

static void write_encrypted_key(const char *path) {
  FILE *file = fopen(path, "w");
  PEM_write_PKCS8PrivateKey(file, for_localhost.key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL);
  fclose(file);
}

static void write_rsa_key(const char *path) {
  FILE *file = fopen(path, "w");
  EVP_PKEY *key = EVP_RSA_gen(2048);
  PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
  EVP_PKEY_free(key);
  fclose(file);
}

/* WS-SECURE-2 */
static void test_files_of_a_server(void **state) {
  (void)state;
  char garbage[128], empty[128], encrypted[128];
  strcpy(garbage, tls_fixture_write("garbage", "this is no certificate\n"));
  strcpy(empty, tls_fixture_write("empty", ""));
  strcpy(encrypted, tls_fixture_write("encrypted.key", ""));
  write_encrypted_key(encrypted);
  const char *certificate = for_localhost.certificate_file;
  const char *key = for_localhost.key_file;
  assert_no_context("", key, "certificate file \"\": the name is empty", "");
  assert_no_context("/nonexistent/c.pem", key, "certificate file /nonexistent/c.pem", "No such file or directory");
  assert_no_context(certificate, "/nonexistent/k.pem", "key file /nonexistent/k.pem", "No such file or directory");
  assert_no_context(garbage, key, garbage, "holds no PEM certificate");
  assert_no_context(certificate, garbage, garbage, "holds no PEM private key");
  assert_no_context(key, key, key, "holds no PEM certificate");
  assert_no_context(certificate, certificate, certificate, "holds no PEM private key");
  assert_no_context(empty, key, empty, "the file is empty");
  assert_no_context(tls_fixture_directory(), key, tls_fixture_directory(), "Is a directory");
  assert_no_context(certificate, encrypted, encrypted, "the key is encrypted");
  /* PEM markers around invalid data, and a key of another type. */
  char broken[128], rsa[128];
  strcpy(broken, tls_fixture_write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  assert_no_context(broken, key, "certificate file ", broken);
  strcpy(rsa, tls_fixture_write("rsa.key", ""));
  write_rsa_key(rsa);
  assert_no_context(certificate, rsa, rsa, "is not the key of the certificate in");
  assert_no_context(certificate, authority.key_file, authority.key_file, "is not the key of the certificate in");
}

#define tls_test(function) cmocka_unit_test_teardown(function, nothing_left_in_the_queue)

int main(void) {
  const struct CMUnitTest tests[] = {
      tls_test(test_valid),
      tls_test(test_the_file_of_trust),
      tls_test(test_the_directory_of_trust),
      tls_test(test_addresses),
      tls_test(test_expired),
      tls_test(test_expired_root),
      tls_test(test_expired_intermediate),
      tls_test(test_the_trust_of_the_system),
      tls_test(test_not_yet_valid),
      tls_test(test_wrong_host),
      tls_test(test_untrusted),
      tls_test(test_wrong_purpose),
      tls_test(test_alert_of_the_peer),
      tls_test(test_garbage_after_the_handshake),
      tls_test(test_not_tls),
      tls_test(test_closed_during_the_handshake),
      tls_test(test_close_notify_during_the_handshake),
      tls_test(test_shutdown_before_the_handshake),
      tls_test(test_a_client_of_another_protocol),
      tls_test(test_versions),
      tls_test(test_server_name),
      tls_test(test_records_and_close_notify),
      tls_test(test_buffers_that_are_kept),
      tls_test(test_key_updates),
      tls_test(test_files_of_a_server),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
