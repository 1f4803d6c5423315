#include "connect.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client.h"
#include "conn/args.h"
#include "osprey/log.h"
#include "protocol/client_headers.h"
#include "protocol/url.h"

enum {
  WS_CONNECT_NESTING = 32,
  WS_CONNECT_OPTION_MAX = 1 << 30,
};

/* ---- validation */

static int ws_connect_check_number(const char *op, const char *option, int64_t value, int64_t high,
                                   struct ws_error *error) {
  if (value >= 0 && value <= high)
    return 0;
  ws_error_option_range(error, op, option, value, high);
  return -1;
}

static int ws_connect_check_headers(const char *op, const char *headers, struct ws_error *error) {
  char name[128];
  struct ws_slice wrong;
  enum ws_client_headers_problem problem = ws_client_headers_check(headers, &wrong);
  if (problem == WS_CLIENT_HEADERS_OK)
    return 0;
  /* Cut at the colon: the value may be a secret. */
  int size = 0;
  while (size < (int)sizeof name - 1 && (size_t)size < wrong.size && !strchr(":\r", wrong.data[size]))
    size++;
  snprintf(name, sizeof name, "%.*s", size, wrong.data);
  ws_error_connect_headers(error, op, name, ws_client_headers_problem_text(problem));
  return -1;
}

static int ws_connect_check_options(const char *op, const struct ws_options_record *options, struct ws_error *error) {
  if (ws_connect_check_headers(op, options->headers, error) || ws_args_protocols(op, options->protocols, error) ||
      ws_connect_check_number(op, "maxMessageBytes", options->max_message_bytes, WS_CONNECT_OPTION_MAX, error) ||
      ws_connect_check_number(op, "timeoutMs", options->timeout_ms, INT32_MAX, error) ||
      ws_connect_check_number(op, "keepAliveMs", options->keep_alive_ms, WS_CONNECT_OPTION_MAX, error))
    return -1;
  return 0;
}

/* ---- connecting */

/* Handlers that wait on one loop thread return innermost first. So an inner connect gets no more time than the one
 * around it; otherwise the outermost would wait for the sum of all. */
static int64_t ws_connect_deadline(const struct ws_loop_thread *here, int64_t now, int64_t timeout_ms) {
  int64_t deadline_ms = now + timeout_ms;
  if (here && here->nesting > 0 && here->nested_deadline < deadline_ms)
    deadline_ms = here->nested_deadline;
  return deadline_ms > now ? deadline_ms : now + 1;
}

static int64_t ws_connect_run(const char *url, const char *shown, const struct ws_options_record *options,
                              void *handler, struct ws_error *error) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  struct ws_pending_connect *connect = ws_pending_connect_new();
  struct ws_why why = {.text = "out of memory"};
  struct ws_client *client = connect ? ws_client_new(url, options, handler, connect, &why) : NULL;
  if (!client) {
    ws_pending_connect_free(connect);
    ws_error_connect(error, shown, why.text);
    return 0;
  }
  int64_t now = ws_clock_ms();
  int64_t deadline_ms = ws_connect_deadline(here, now, ws_client_timeout_ms(client));
  int64_t timeout_ms = deadline_ms - now;
  ws_client_start(client, ws_loop_thread_next(), deadline_ms, timeout_ms);
  int64_t id = ws_pending_connect_await(connect, here, deadline_ms, error);
  if (!id && !ws_error_is_set(error))
    ws_error_connect_timeout(error, shown, timeout_ms, "a handler keeps the loop from going on");
  return id;
}

int64_t ws_connect(const char *url, const struct ws_options_record *options, void *handler, struct ws_error *error) {
  const struct ws_loop_thread *here = ws_loop_thread_current();
  char shown[512];
  char op[sizeof shown + 16];
  struct ws_url parsed;
  ws_log_url(shown, sizeof shown, url);
  snprintf(op, sizeof op, "connect %s", shown);
  enum ws_url_problem problem = ws_url_parse(&parsed, url, strlen(url));
  if (problem != WS_URL_OK)
    ws_error_connect(error, shown, ws_url_problem_text(problem));
  else if (ws_loop_threads_are_ending())
    ws_error_connect(error, shown, WS_END_OF_PROGRAM);
  else if (options && ws_connect_check_options(op, options, error))
    return 0;
  else if (here && here->nesting >= WS_CONNECT_NESTING)
    ws_error_too_deep(error, op, WS_CONNECT_NESTING);
  else if (here && here->nesting > 0 && ws_clock_ms() >= here->nested_deadline)
    ws_error_connect(error, shown, "the time of an earlier connect, whose handler still waits, ran out");
  else
    return ws_connect_run(url, shown, options, handler, error);
  return 0;
}
