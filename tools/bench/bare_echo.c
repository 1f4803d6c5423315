/* The baseline: an echo server that makes only the system calls (accept, recv, send, epoll) and parses nothing.
 *
 *   bare_echo [--broadcast | --tls CERTIFICATE KEY]
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses, prints the port, and runs until a signal ends it. With
 * --broadcast, sends received bytes to every connection; with --tls, it is OpenSSL's calls that receive and send.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024, EVENTS = 256, MOST = 65536 };

/* Bytes that the socket has not accepted yet. */
struct backlog {
  uint8_t *bytes;
  size_t length;
};

static int epoll;
static uint8_t buffer[BUFFER];
static struct backlog backlogs[MOST];
static int connections[MOST];
static int connection_count;
static bool broadcast;
static SSL_CTX *tls_context;
static SSL *sessions[MOST];

static _Noreturn void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int fd, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(epoll, operation, fd, &event))
    die("epoll_ctl");
}

static void close_connection(int fd) {
  for (int i = 0; broadcast && i < connection_count; i++)
    if (connections[i] == fd)
      connections[i--] = connections[--connection_count];
  free(backlogs[fd].bytes);
  backlogs[fd] = (struct backlog){0};
  SSL_free(sessions[fd]);
  sessions[fd] = NULL;
  close(fd);
}

static void keep(int fd, const uint8_t *bytes, size_t length) {
  struct backlog *backlog = &backlogs[fd];
  if (backlog->length == 0)
    watch(fd, EPOLL_CTL_MOD, broadcast ? EPOLLIN | EPOLLOUT : EPOLLOUT);
  backlog->bytes = realloc(backlog->bytes, backlog->length + length);
  if (!backlog->bytes)
    die("realloc");
  memcpy(backlog->bytes + backlog->length, bytes, length);
  backlog->length += length;
}

static void send_or_keep(int fd, const uint8_t *bytes, size_t length) {
  ssize_t sent = backlogs[fd].length ? 0 : send(fd, bytes, length, MSG_NOSIGNAL);
  size_t done = sent > 0 ? (size_t)sent : 0;
  if (done < length && (sent >= 0 || errno == EAGAIN))
    keep(fd, bytes + done, length - done);
}

static void send_backlog(int fd) {
  struct backlog *backlog = &backlogs[fd];
  ssize_t sent = send(fd, backlog->bytes, backlog->length, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) {
    close_connection(fd);
    return;
  }
  size_t done = sent > 0 ? (size_t)sent : 0;
  memmove(backlog->bytes, backlog->bytes + done, backlog->length - done);
  backlog->length -= done;
  if (backlog->length == 0)
    watch(fd, EPOLL_CTL_MOD, EPOLLIN);
}

static void send_to_all(size_t length) {
  for (int i = 0; i < connection_count; i++)
    send_or_keep(connections[i], buffer, length);
}

static void receive(int fd) {
  ssize_t count = recv(fd, buffer, BUFFER, 0);
  if (count == 0 || (count < 0 && errno != EAGAIN))
    close_connection(fd);
  else if (count > 0 && broadcast)
    send_to_all((size_t)count);
  else if (count > 0)
    send_or_keep(fd, buffer, (size_t)count);
}

/* What is echoed over TLS is small: a socket that takes none of it ends the connection. */
static void receive_tls(int fd) {
  SSL *tls = sessions[fd];
  int count;
  while ((count = SSL_read(tls, buffer, BUFFER)) > 0)
    if (SSL_write(tls, buffer, count) != count)
      break;
  if (count > 0 || SSL_get_error(tls, count) != SSL_ERROR_WANT_READ)
    close_connection(fd);
}

static void accept_all(int listening) {
  int fd;
  while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    if (tls_context) {
      sessions[fd] = SSL_new(tls_context);
      SSL_set_fd(sessions[fd], fd);
      SSL_set_accept_state(sessions[fd]);
    }
    if (broadcast)
      connections[connection_count++] = fd;
  }
}

static int open_listener(void) {
  int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
      bind(fd, (struct sockaddr *)&address, length) || listen(fd, 4096) ||
      getsockname(fd, (struct sockaddr *)&address, &length))
    die("listen");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void prepare_tls(const char *certificate, const char *key) {
  tls_context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(tls_context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls_context, key, SSL_FILETYPE_PEM) != 1)
    die("certificate");
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "--tls") == 0)
    prepare_tls(argv[2], argv[3]);
  broadcast = argc == 2 && strcmp(argv[1], "--broadcast") == 0;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max < MOST ? limit.rlim_max : MOST;
  setrlimit(RLIMIT_NOFILE, &limit);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  int listening = open_listener();
  watch(listening, EPOLL_CTL_ADD, EPOLLIN);
  for (;;) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == listening)
        accept_all(listening);
      else if (events[i].events & EPOLLOUT)
        send_backlog(fd);
      else if (sessions[fd])
        receive_tls(fd);
      else
        receive(fd);
    }
  }
}
