#include "osprey.h"

#include <dirent.h>

#include "osprey/hooks.h"
#include "peer.h"
#include "test.h"

enum { JOURNAL_LINES = 65536, JOURNAL_PATIENCE_S = 8 };

static pthread_mutex_t journal_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t journal_more = PTHREAD_COND_INITIALIZER;
static char *journal_lines[JOURNAL_LINES];
static size_t journal_read, journal_written;
static char *journal_latest;

void journal_clear(void) {
  pthread_mutex_lock(&journal_lock);
  while (journal_read < journal_written)
    free(journal_lines[journal_read++]);
  journal_read = journal_written = 0;
  free(journal_latest);
  journal_latest = NULL;
  pthread_mutex_unlock(&journal_lock);
}

int journal_setup(void **state) {
  (void)state;
  journal_clear();
  return 0;
}

void journal_write(const char *format, ...) {
  char *line = NULL;
  va_list values;
  va_start(values, format);
  if (vasprintf(&line, format, values) < 0)
    abort();
  va_end(values);
  pthread_mutex_lock(&journal_lock);
  if (journal_written < JOURNAL_LINES)
    journal_lines[journal_written++] = line;
  else
    free(line);
  pthread_cond_broadcast(&journal_more);
  pthread_mutex_unlock(&journal_lock);
}

/* Waits, under the lock, for another line. Returns false at the deadline. */
static bool journal_wait(size_t seen) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += JOURNAL_PATIENCE_S;
  while (journal_written == seen) {
    if (pthread_cond_timedwait(&journal_more, &journal_lock, &until))
      return journal_written != seen;
  }
  return true;
}

const char *journal_next(void) {
  bool got;
  pthread_mutex_lock(&journal_lock);
  got = journal_read < journal_written || journal_wait(journal_read);
  if (got) {
    free(journal_latest);
    journal_latest = journal_lines[journal_read++];
  }
  pthread_mutex_unlock(&journal_lock);
  if (!got)
    fail_msg("nothing more was heard");
  return journal_latest;
}

void journal_expect(const char *line) {
  assert_string_equal(journal_next(), line);
}

void journal_find(const char *line) {
  bool found = false;
  pthread_mutex_lock(&journal_lock);
  for (size_t i = journal_read; !found; i++) {
    if (i == journal_written && !journal_wait(i))
      break;
    if (strcmp(journal_lines[i], line) != 0)
      continue;
    free(journal_lines[i]);
    memmove(journal_lines + journal_read + 1, journal_lines + journal_read, (i - journal_read) * sizeof *journal_lines);
    journal_read++;
    found = true;
  }
  pthread_mutex_unlock(&journal_lock);
  if (!found)
    fail_msg("never heard: %s", line);
}

size_t journal_left(void) {
  pthread_mutex_lock(&journal_lock);
  size_t left = journal_written - journal_read;
  pthread_mutex_unlock(&journal_lock);
  return left;
}

void *closure_new(void *code, void *context) {
  void **cell = osp_alloc_tagged(16, 0);
  cell[0] = code;
  cell[1] = context;
  return cell;
}

void *closure_context(void *cell) {
  return ((void **)cell)[1];
}

struct result {
  int64_t value;
  int8_t discriminant;
  char *message;
};

void *result_success(void) {
  return osp_alloc_tagged(sizeof(struct result), 0x401);
}

void *result_error(const char *message) {
  struct result *result = osp_alloc_tagged(sizeof *result, 0x401);
  result->discriminant = 1;
  if (message) {
    result->message = osp_alloc((int64_t)strlen(message) + 1);
    strcpy(result->message, message);
  }
  return result;
}

void *hear_text(void *cell, const char *text) {
  (void)cell;
  journal_write("text:%s", text);
  return result_success();
}

void *hear_message(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  journal_write("%s:%s", message->type, message->data);
  return result_success();
}

void *hear_open(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  (void)connection;
  journal_write("open");
  return result_success();
}

void *hear_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  journal_write("close:%d:%s", (int)code, reason);
  return result_success();
}

void *echo_message(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *error;
  (void)cell;
  if (message->type[0] == 't')
    osp_ws_send(connection->id, message->data, &error);
  else
    osp_ws_send_binary(connection->id, message->data, &error);
  if (!error)
    return result_success();
  void *result = result_error(error);
  osp_release(error);
  return result;
}

void *learn_id(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  atomic_store(&latest_id, connection->id);
  return result_success();
}

_Atomic int64_t latest_id;
void *on_text[] = {(void *)hear_text};
void *on_message[] = {(void *)hear_message};
void *on_open[] = {(void *)hear_open};
void *on_close[] = {(void *)hear_close};
void *on_echo[] = {(void *)echo_message};
void *on_learn_id[] = {(void *)learn_id};

void expect_success(char *error) {
  if (error)
    fail_msg("%s", error);
}

void expect_error(char *error, const char *sentence) {
  if (!error)
    fail_msg("no error, instead of: %s", sentence);
  assert_string_equal(error, sentence);
  osp_release(error);
}

void expect_error_with(char *error, const char *part) {
  if (!error)
    fail_msg("no error, instead of one with: %s", part);
  if (!strstr(error, part))
    fail_msg("\"%s\" does not hold \"%s\"", error, part);
  osp_release(error);
}

int64_t must_connect(const char *url) {
  char *error;
  int64_t id = osp_ws_connect(url, on_text, &error);
  expect_success(error);
  assert_true(id > 0);
  return id;
}

int64_t must_connect_with(const char *url, const struct osprey_options *options, void *handler) {
  char *error;
  int64_t id = osp_ws_connect_with(url, options, handler, &error);
  expect_success(error);
  assert_true(id > 0);
  return id;
}

int64_t must_create(int port, const char *path) {
  char *error;
  int64_t server = osp_ws_create_server(port, "127.0.0.1", path, &error);
  expect_success(error);
  assert_true(server > 0);
  return server;
}

void must_listen(int64_t server) {
  char *error;
  osp_ws_server_listen(server, &error);
  expect_success(error);
}

int64_t must_serve(int *port) {
  *port = peer_free_port();
  return must_serve_on(*port);
}

int64_t must_serve_on(int port) {
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_message, server, on_echo);
  must_set(osp_ws_server_on_open, server, on_open);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  return server;
}

static int64_t create_with(int *port, va_list limits) {
  const char *name;
  *port = peer_free_port();
  int64_t server = must_create(*port, "/");
  while ((name = va_arg(limits, const char *)))
    must_limit(server, name, va_arg(limits, int));
  return server;
}

int64_t must_serve_with(int *port, ...) {
  va_list limits;
  va_start(limits, port);
  int64_t server = create_with(port, limits);
  va_end(limits);
  must_set(osp_ws_server_on_message, server, on_echo);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  return server;
}

int64_t must_handle(int *port, int64_t (*set)(int64_t id, void *handler, char **error), void *handler, ...) {
  va_list limits;
  va_start(limits, handler);
  int64_t server = create_with(port, limits);
  va_end(limits);
  must_set(set, server, handler);
  must_listen(server);
  return server;
}

void must_set(int64_t (*set)(int64_t id, void *handler, char **error), int64_t id, void *handler) {
  char *error;
  set(id, handler, &error);
  expect_success(error);
}

void must_stop(int64_t server) {
  char *error;
  osp_ws_stop_server(server, &error);
  expect_success(error);
}

void must_send(int64_t id, const char *text) {
  char *error;
  osp_ws_send(id, text, &error);
  expect_success(error);
}

void must_close(int64_t id) {
  char *error;
  osp_ws_close(id, &error);
  expect_success(error);
}

void must_limit(int64_t server, const char *limit, int64_t value) {
  char *error;
  osp_ws_server_limit(server, limit, value, &error);
  expect_success(error);
}

static void *connecting_run(void *context) {
  struct connecting *c = context;
  void *handler = c->handler ? c->handler : (void *)on_text;
  c->id = c->options ? osp_ws_connect_with(c->url, c->options, handler, &c->error)
                     : osp_ws_connect(c->url, handler, &c->error);
  return NULL;
}

static void connecting_start_to(struct connecting *c, const char *scheme, int port, const char *target) {
  snprintf(c->url, sizeof c->url, "%s://127.0.0.1:%d%s", scheme, port, target);
  assert_int_equal(pthread_create(&c->thread, NULL, connecting_run, c), 0);
}

void connecting_start(struct connecting *c, int port, const char *target) {
  connecting_start_to(c, "ws", port, target);
}

void connecting_start_secure(struct connecting *c, int port, const char *target) {
  connecting_start_to(c, "wss", port, target);
}

int64_t connecting_join(struct connecting *c) {
  pthread_join(c->thread, NULL);
  return c->id;
}

_Atomic int handlers_port;

int listen_for_handlers(void) {
  int port;
  int listener = peer_listen(&port);
  handlers_port = port;
  return listener;
}

long elapsed_ms(const struct timespec *since) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

int count_descriptors(void) {
  int count = 0;
  DIR *directory = opendir("/proc/self/fd");
  assert_non_null(directory);
  while (readdir(directory))
    count++;
  closedir(directory);
  return count;
}

static void *broadcast_elsewhere(void *server) {
  char *error;
  osp_ws_server_broadcast(*(const int64_t *)server, "elsewhere", &error);
  expect_success(error);
  return NULL;
}

void fall_behind(int64_t server) {
  char *error;
  pthread_t elsewhere;
  assert_int_equal(pthread_create(&elsewhere, NULL, broadcast_elsewhere, &server), 0);
  pthread_join(elsewhere, NULL);
  osp_ws_server_broadcast(server, "here", &error);
  expect_success(error);
}
