#include "recently_closed.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "osprey/hooks.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "osprey/call.h"
#include "osprey/value.h"
#include "conn/loop_thread.h"

enum { WS_RECENTLY_CLOSED_MAX = 256 };

struct ws_recently_closed {
  int64_t id; /* 0: unused */
  int code;
  char *text; /* the URL, whose query may hold a secret, NUL, the reason */
};

static pthread_mutex_t ws_recently_closed_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_recently_closed ws_recently_closed_ring[WS_RECENTLY_CLOSED_MAX];
static unsigned ws_recently_closed_next;

static struct ws_recently_closed *ws_recently_closed_find(int64_t id) {
  for (int i = 0; i < WS_RECENTLY_CLOSED_MAX; i++) {
    if (ws_recently_closed_ring[i].id == id)
      return &ws_recently_closed_ring[i];
  }
  return NULL;
}

void ws_recently_closed_add(int64_t id, const char *url, int code, const char *reason) {
  size_t url_size = strlen(url) + 1;
  size_t reason_size = reason ? strlen(reason) + 1 : 1;
  char *text = ws_mem_alloc(url_size + reason_size);
  if (!text)
    return;
  memcpy(text, url, url_size);
  memcpy(text + url_size, reason ? reason : "", reason_size);
  pthread_mutex_lock(&ws_recently_closed_lock);
  struct ws_recently_closed *ended = ws_recently_closed_find(id);
  if (!ended)
    ended = &ws_recently_closed_ring[ws_recently_closed_next++ % WS_RECENTLY_CLOSED_MAX];
  ws_mem_free_secret(ended->text);
  *ended = (struct ws_recently_closed){.id = id, .code = code, .text = text};
  pthread_mutex_unlock(&ws_recently_closed_lock);
}

bool ws_recently_closed_has(int64_t id) {
  pthread_mutex_lock(&ws_recently_closed_lock);
  bool has = id > 0 && ws_recently_closed_find(id);
  pthread_mutex_unlock(&ws_recently_closed_lock);
  return has;
}

static void ws_recently_closed_call_handler(struct ws_loop_thread *thread, const struct ws_recently_closed *ended,
                                            void *cell) {
  const char *reason = ended->text + strlen(ended->text) + 1;
  struct ws_call *call = ws_loop_thread_call_acquire(thread);
  void **root = call ? ws_roots_acquire() : NULL;
  void *record = root ? ws_value_connection(ended->id, ended->text, false) : NULL;
  if (root)
    *root = record;
  enum ws_verdict verdict =
      record ? ws_call_close(call, cell, record, ended->code, reason, strlen(reason)) : WS_VERDICT_NO_MEMORY;
  if (verdict == WS_VERDICT_ERROR)
    ws_log(WS_LOG_WARN, "connection %lld: the close handler failed: %s", (long long)ended->id, call->message);
  ws_roots_release(root);
  if (record)
    osp_release(record);
  if (call)
    ws_loop_thread_call_release(thread, call);
}

void ws_recently_closed_call(struct ws_loop_thread *thread, int64_t id, void *cell) {
  struct ws_recently_closed taken = {0};
  pthread_mutex_lock(&ws_recently_closed_lock);
  struct ws_recently_closed *ended = ws_recently_closed_find(id);
  if (ended) {
    taken = *ended;
    *ended = (struct ws_recently_closed){0};
  }
  pthread_mutex_unlock(&ws_recently_closed_lock);
  if (taken.id)
    ws_recently_closed_call_handler(thread, &taken, cell);
  ws_mem_free_secret(taken.text);
}

void ws_recently_closed_free_all(void) {
  pthread_mutex_lock(&ws_recently_closed_lock);
  for (int i = 0; i < WS_RECENTLY_CLOSED_MAX; i++) {
    ws_mem_free_secret(ws_recently_closed_ring[i].text);
    ws_recently_closed_ring[i] = (struct ws_recently_closed){0};
  }
  pthread_mutex_unlock(&ws_recently_closed_lock);
}
