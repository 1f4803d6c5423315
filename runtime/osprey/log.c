#include "log.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "printable.h"

enum { WS_LOG_PATIENCE_MS = 50 }; /* to wait for the reader of the log, until lines are dropped */

static const char *const ws_log_names[] = {"off", "error", "warn", "info", "debug"};
static enum ws_log_level ws_log_level = WS_LOG_WARN;

void ws_log_init(void) {
  const char *wanted = getenv("OSPREY_WS_LOG");
  if (!wanted || !*wanted)
    return;
  for (size_t i = 0; i < sizeof ws_log_names / sizeof *ws_log_names; i++) {
    if (strcmp(wanted, ws_log_names[i]) == 0) {
      ws_log_level = (enum ws_log_level)i;
      return;
    }
  }
  ws_log(WS_LOG_WARN, "OSPREY_WS_LOG is off, error, warn, info or debug, not \"%s\": using warn", wanted);
}

bool ws_log_wants(enum ws_log_level level) {
  return level <= ws_log_level;
}

/* "2026-01-31T12:00:00.123Z websocket warn: " */
static size_t ws_log_prefix(char *to, size_t room, enum ws_log_level level) {
  struct timespec now;
  struct tm utc;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  size_t used = strftime(to, room, "%Y-%m-%dT%H:%M:%S", &utc);
  used +=
      (size_t)snprintf(to + used, room - used, ".%03ldZ websocket %s: ", now.tv_nsec / 1000000, ws_log_names[level]);
  return used;
}

/* Returns true if a write neither blocks (a full pipe) nor raises SIGPIPE (a pipe without a reader). */
static bool ws_log_is_writable(int patience_ms) {
  struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
  return poll(&out, 1, patience_ms) == 1 && out.revents == POLLOUT;
}

/* An unread log must not stop the program: the line is dropped and counted. */
static void ws_log_put(const char *line, size_t size) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static unsigned long lost;
  char note[128];
  ssize_t ignored = 0;
  pthread_mutex_lock(&lock);
  bool writable = ws_log_is_writable(lost ? 0 : WS_LOG_PATIENCE_MS);
  if (writable && lost) {
    size_t used = ws_log_prefix(note, sizeof note, WS_LOG_WARN);
    used += (size_t)snprintf(note + used, sizeof note - used, "%lu lines dropped: standard error was blocked\n", lost);
    ignored = write(STDERR_FILENO, note, used);
    writable = ws_log_is_writable(0);
    lost = 0;
  }
  if (writable)
    ignored = write(STDERR_FILENO, line, size);
  else
    lost++;
  pthread_mutex_unlock(&lock);
  (void)ignored;
}

void ws_log(enum ws_log_level level, const char *format, ...) {
  if (!ws_log_wants(level))
    return;
  char text[1024];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  char line[PIPE_BUF]; /* written atomically; a writable pipe has room for it */
  size_t used = ws_log_prefix(line, sizeof line, level);
  used += ws_printable(line + used, sizeof line - used - 1, text);
  line[used++] = '\n';
  ws_log_put(line, used);
}

const char *ws_log_url(char *to, size_t room, const char *url) {
  const char *scheme_end = strstr(url, "://");
  size_t host = scheme_end ? (size_t)(scheme_end - url) + 3 : 0;
  size_t shown = host + strcspn(url + host, "?#");
  size_t authority = strcspn(url + host, "/?#");
  const char *at = memrchr(url + host, '@', authority);
  const char *rest = url[shown] == '?' ? "?…" : url[shown] == '#' ? "#…" : "";
  if (scheme_end && at)
    snprintf(to, room, "%.*s…%.*s%s", (int)host, url, (int)(shown - (size_t)(at - url)), at, rest);
  else
    snprintf(to, room, "%.*s%s", (int)shown, url, rest);
  return to;
}
