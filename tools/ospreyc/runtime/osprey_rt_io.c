#include "osprey_rt.h"
#include "osprey_rt_crash.h"
#include "osprey_rt_result.h"
#include "osprey_rt_text.h"

#include "osprey/osprey_mem.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_ON_STACK = 1024 };

static int io_argc;
static char **io_argv;
static pthread_mutex_t io_print_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t io_input_lock = PTHREAD_MUTEX_INITIALIZER;

void osp_rt_boot(int argc, char **argv) {
  io_argc = argc;
  io_argv = argv;
  osprey_rt_crash_boot();
}

/* Bypasses stdio, whose buffer would split a line between threads or between processes that share the pipe. Drops
 * output that cannot be written (a full disk, a closed descriptor), because print cannot fail. */
void osp_rt_print(const struct osp_rt_part *parts, int64_t count) {
  char on_stack[LINE_ON_STACK];
  size_t size = osprey_rt_text_bound(parts, count) + sizeof "\n";
  char *line = size <= sizeof on_stack ? on_stack : osprey_rt_text_alloc(size);
  char *end = osprey_rt_text_put(line, parts, count);
  *end++ = '\n';
  pthread_mutex_lock(&io_print_lock);
  for (const char *at = line; at < end;) {
    ssize_t written = write(STDOUT_FILENO, at, (size_t)(end - at));
    if (written < 0 && errno != EINTR)
      break;
    at += written > 0 ? written : 0;
  }
  pthread_mutex_unlock(&io_print_lock);
  if (line != on_stack)
    osp_release(line);
}

char *osp_rt_input(void) {
  char *line = NULL;
  size_t capacity = 0;
  pthread_mutex_lock(&io_input_lock);
  ssize_t length = getline(&line, &capacity, stdin);
  pthread_mutex_unlock(&io_input_lock);
  if (length > 0 && line[length - 1] == '\n')
    length--;
  char *text = osprey_rt_text_of(line, length > 0 ? (size_t)length : 0);
  free(line);
  return text;
}

/* Only programs that use WebSockets are linked with the runtime whose end interrupts a sleep. */
__attribute__((weak)) void osp_ws_sleep(int64_t milliseconds);

void osp_rt_sleep(int64_t milliseconds) {
  if (milliseconds < 0)
    return;
  if (osp_ws_sleep) {
    osp_ws_sleep(milliseconds);
    return;
  }
  struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) < 0 && errno == EINTR)
    continue;
}

_Noreturn void osp_rt_null_result(const char *line) {
  sigset_t set; /* the threads of the runtime block signals */
  dprintf(STDERR_FILENO, "%s\n", line);
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  raise(SIGSEGV);
  abort();
}

char *osp_rt_argument(int64_t n) {
  const char *argument = n >= 1 && n < io_argc ? io_argv[n] : "";
  return osprey_rt_text_of(argument, strlen(argument));
}

/* Makes a block of a Result<T, string>. */
static void *io_result(int64_t meta, int64_t value, char *message) {
  struct rt_word_result *result = osp_alloc_tagged(sizeof *result, meta);
  result->value = value;
  result->discriminant = message != NULL;
  result->message = message;
  return result;
}

void *osp_rt_environment(const char *name) {
  const char *value = getenv(name);
  if (value)
    return io_result(RT_RESULT_META_BOTH, (int64_t)(intptr_t)osprey_rt_text_of(value, strlen(value)), NULL);
  struct osp_rt_part why[] = {{.pointer = name}, {.pointer = " is not set in the environment"}};
  return io_result(RT_RESULT_META_BOTH, 0, osp_rt_format(why, 2));
}
