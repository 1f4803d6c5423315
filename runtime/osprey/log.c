#include "log.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "printable.h"

enum {
  WS_LOG_PATIENCE_MS = 50, /* to wait for the reader of the log, until lines are dropped */
  WS_LOG_KINDS = 64,
  WS_LOG_PER_SECOND = 100, /* lines of one kind */
};

/* How often a kind of line came in its present second. A kind is the format that the line is made with. */
struct ws_log_kind {
  const char *format; /* NULL: unused */
  enum ws_log_level level;
  int64_t second;
  unsigned long count;
  char latest[96]; /* the line last written, cut */
};

static pthread_mutex_t ws_log_lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static struct ws_log_kind ws_log_kinds[WS_LOG_KINDS];
static unsigned long ws_log_lost; /* lines that nobody read */
static bool ws_log_torn;          /* the last of them was written in part */
static _Thread_local bool ws_log_waits_never;

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
  ws_log(WS_LOG_WARN, "OSPREY_WS_LOG is off, error, warn, info or debug, not \"%s\"; warn is used", wanted);
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

/* A write that follows poll() may block all the same: a terminal has room for a part of the line, or another process
 * has filled the pipe meanwhile. So these are opened again for it: O_NONBLOCK on the descriptor itself would hold for
 * every process that shares it. */
static ssize_t ws_log_write_now(const char *bytes, size_t size) {
  struct stat kind = {0};
  fstat(STDERR_FILENO, &kind);
  if (S_ISSOCK(kind.st_mode))
    return send(STDERR_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  int again = -1;
  if (S_ISFIFO(kind.st_mode) || isatty(STDERR_FILENO))
    again = open("/dev/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  ssize_t written = write(again < 0 ? STDERR_FILENO : again, bytes, size);
  if (again >= 0)
    close(again);
  return written;
}

/* Under the lock. What was written in part counts as not written. */
static bool ws_log_write_all(const char *bytes, size_t size) {
  ssize_t written = ws_log_write_now(bytes, size);
  bool all = written == (ssize_t)size;
  ws_log_torn = !all && (written > 0 || ws_log_torn);
  return all;
}

/* Writes a line under the lock. An unread log must not stop the program: the line is dropped and counted. */
static void ws_log_put(const char *line, size_t size) {
  char note[128] = "\n";
  bool writable = ws_log_is_writable(ws_log_lost || ws_log_waits_never ? 0 : WS_LOG_PATIENCE_MS);
  if (writable && ws_log_lost) {
    size_t used = ws_log_torn;
    used += ws_log_prefix(note + used, sizeof note - used, WS_LOG_WARN);
    used += (size_t)snprintf(note + used, sizeof note - used, "%lu lines were dropped because the log was not read\n",
                             ws_log_lost);
    writable = ws_log_write_all(note, used);
    if (writable) {
      ws_log_lost = 0;
      writable = ws_log_is_writable(0);
    }
  }
  if (!writable || !ws_log_write_all(line, size))
    ws_log_lost++;
}

static void ws_log_write(enum ws_log_level level, const char *text) {
  char line[PIPE_BUF]; /* written atomically; a writable pipe has room for it */
  size_t used = ws_log_prefix(line, sizeof line, level);
  used += ws_printable(line + used, sizeof line - used - 1, text);
  line[used++] = '\n';
  ws_log_put(line, used);
}

/* ---- lines of one kind */

/* Says how many lines were left out, and starts another second. */
static void ws_log_end_second(struct ws_log_kind *kind, int64_t second) {
  char text[256];
  if (kind->count > WS_LOG_PER_SECOND) {
    snprintf(text, sizeof text, "and %lu more like this: %s", kind->count - WS_LOG_PER_SECOND, kind->latest);
    ws_log_write(kind->level, text);
  }
  kind->second = second;
  kind->count = 0;
}

/* The kind of a format; NULL if there are too many kinds. */
static struct ws_log_kind *ws_log_kind_of(const char *format, enum ws_log_level level) {
  for (int i = 0; i < WS_LOG_KINDS; i++) {
    struct ws_log_kind *kind = &ws_log_kinds[i];
    if (!kind->format)
      *kind = (struct ws_log_kind){.format = format, .level = level};
    if (kind->format == format)
      return kind;
  }
  return NULL;
}

/* Returns false if this second has had enough lines of the kind. */
static bool ws_log_admits(const char *format, enum ws_log_level level, const char *text) {
  int64_t second = ws_clock_ms() / 1000;
  struct ws_log_kind *kind = ws_log_kind_of(format, level);
  if (!kind)
    return true;
  if (kind->second != second)
    ws_log_end_second(kind, second);
  if (++kind->count > WS_LOG_PER_SECOND)
    return false;
  snprintf(kind->latest, sizeof kind->latest, "%.95s", text);
  return true;
}

void ws_log_note_omitted(bool all) {
  int64_t second = ws_clock_ms() / 1000;
  pthread_mutex_lock(&ws_log_lock);
  for (int i = 0; i < WS_LOG_KINDS && ws_log_kinds[i].format; i++) {
    if (all || ws_log_kinds[i].second != second)
      ws_log_end_second(&ws_log_kinds[i], second);
  }
  pthread_mutex_unlock(&ws_log_lock);
}

void ws_log_never_wait(void) {
  ws_log_waits_never = true;
}

void ws_log(enum ws_log_level level, const char *format, ...) {
  if (!ws_log_wants(level))
    return;
  char text[1024];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  pthread_mutex_lock(&ws_log_lock);
  if (level > WS_LOG_WARN || ws_log_admits(format, level, text))
    ws_log_write(level, text);
  pthread_mutex_unlock(&ws_log_lock);
}

const char *ws_log_url(char *to, size_t room, const char *url) {
  const char *scheme_end = strstr(url, "://");
  size_t host = scheme_end ? (size_t)(scheme_end - url) + 3 : 0;
  size_t shown = host + strcspn(url + host, "?#");
  size_t authority = strcspn(url + host, "/?#");
  const char *at = NULL;
  for (size_t i = host; i < host + authority; i++)
    at = url[i] == '@' ? url + i : at;
  const char *rest = url[shown] == '?' ? "?…" : url[shown] == '#' ? "#…" : "";
  if (scheme_end && at)
    snprintf(to, room, "%.*s…%.*s%s", (int)host, url, (int)(shown - (size_t)(at - url)), at, rest);
  else
    snprintf(to, room, "%.*s%s", (int)shown, url, rest);
  return to;
}
