#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>

#include "io/sys.h"

static const int ws_signals[2] = {SIGINT, SIGTERM};
static pthread_mutex_t ws_signals_lock = PTHREAD_MUTEX_INITIALIZER;
static int ws_signals_waiters;
static struct sigaction ws_signals_before[2];
static int ws_signals_pipe[2] = {-1, -1};

static void ws_signals_received(int signal) {
  int saved = errno;
  uint8_t byte = (uint8_t)signal;
  (void)!ws_sys_write(ws_signals_pipe[1], &byte, 1);
  errno = saved;
}

static int ws_signals_begin(void) {
  int outcome = 0;
  pthread_mutex_lock(&ws_signals_lock);
  if (ws_signals_waiters == 0)
    outcome = ws_sys_pipe(ws_signals_pipe);
  if (outcome == 0 && ws_signals_waiters++ == 0) {
    struct sigaction action = {.sa_handler = ws_signals_received, .sa_flags = SA_RESTART};
    for (int i = 0; i < 2; i++)
      sigaction(ws_signals[i], &action, &ws_signals_before[i]);
  }
  pthread_mutex_unlock(&ws_signals_lock);
  return outcome;
}

static void ws_signals_end(void) {
  pthread_mutex_lock(&ws_signals_lock);
  if (--ws_signals_waiters == 0) {
    for (int i = 0; i < 2; i++)
      sigaction(ws_signals[i], &ws_signals_before[i], NULL);
    for (int i = 0; i < 2; i++)
      ws_sys_close(ws_signals_pipe[i]);
  }
  pthread_mutex_unlock(&ws_signals_lock);
}

/* Both are received here, though the program was started with them blocked. */
static void ws_signals_unblock(sigset_t *before) {
  sigset_t both;
  sigemptyset(&both);
  for (int i = 0; i < 2; i++)
    sigaddset(&both, ws_signals[i]);
  pthread_sigmask(SIG_UNBLOCK, &both, before);
}

int ws_signals_wait(int64_t every_ms, void (*meanwhile)(void *context), void *context) {
  if (ws_signals_begin())
    return -1;
  sigset_t before;
  ws_signals_unblock(&before);
  /* The byte stays in the pipe, so that every waiting thread sees it. */
  struct pollfd watched = {.fd = ws_signals_pipe[0], .events = POLLIN};
  while (ws_sys_poll(&watched, 1, (int)every_ms) < 1)
    meanwhile(context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  ws_signals_end();
  return 0;
}
