#include "ended.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "osprey/hooks.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "osprey/value.h"
#include "conn/worker.h"

enum { WS_ENDED_MAX = 256 };

struct ws_ended {
  int64_t id; /* 0: unused */
  int code;
  char *text; /* the URL, whose query may hold a secret, NUL, the reason */
};

static pthread_mutex_t ws_ended_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_ended ws_ended_ring[WS_ENDED_MAX];
static unsigned ws_ended_next;

void ws_ended_add(int64_t id, const char *url, int code, const char *reason) {
  size_t url_size = strlen(url) + 1;
  size_t reason_size = reason ? strlen(reason) + 1 : 1;
  char *text = ws_sys_malloc(url_size + reason_size);
  if (!text)
    return;
  memcpy(text, url, url_size);
  memcpy(text + url_size, reason ? reason : "", reason_size);
  pthread_mutex_lock(&ws_ended_lock);
  struct ws_ended *ended = &ws_ended_ring[ws_ended_next++ % WS_ENDED_MAX];
  ws_sys_free_secret(ended->text);
  *ended = (struct ws_ended){.id = id, .code = code, .text = text};
  pthread_mutex_unlock(&ws_ended_lock);
}

static struct ws_ended *ws_ended_find(int64_t id) {
  for (int i = 0; i < WS_ENDED_MAX; i++) {
    if (ws_ended_ring[i].id == id)
      return &ws_ended_ring[i];
  }
  return NULL;
}

bool ws_ended_has(int64_t id) {
  pthread_mutex_lock(&ws_ended_lock);
  bool has = id > 0 && ws_ended_find(id);
  pthread_mutex_unlock(&ws_ended_lock);
  return has;
}

static void ws_ended_call_handler(struct ws_worker *worker, const struct ws_ended *ended, void *cell) {
  const char *reason = ended->text + strlen(ended->text) + 1;
  struct ws_call *call = ws_worker_take_call(worker);
  void **root = call ? ws_root_take() : NULL;
  void *record = root ? ws_value_connection(ended->id, ended->text, false) : NULL;
  if (root)
    *root = record;
  enum ws_verdict verdict =
      record ? ws_call_close(call, cell, record, ended->code, reason, strlen(reason)) : WS_VERDICT_NO_MEMORY;
  if (verdict == WS_VERDICT_ERROR)
    ws_log(WS_LOG_WARN, "connection %lld: the close handler failed: %s", (long long)ended->id, call->message);
  ws_root_give(root);
  if (record)
    osp_release(record);
  if (call)
    ws_worker_give_call(worker, call);
}

void ws_ended_call(struct ws_worker *worker, int64_t id, void **handler) {
  struct ws_ended taken = {0};
  pthread_mutex_lock(&ws_ended_lock);
  struct ws_ended *ended = ws_ended_find(id);
  if (ended) {
    taken = *ended;
    *ended = (struct ws_ended){0};
  }
  pthread_mutex_unlock(&ws_ended_lock);
  if (taken.id)
    ws_ended_call_handler(worker, &taken, *handler);
  ws_sys_free_secret(taken.text);
  ws_root_drop(handler);
}

void ws_ended_free_all(void) {
  pthread_mutex_lock(&ws_ended_lock);
  for (int i = 0; i < WS_ENDED_MAX; i++) {
    ws_sys_free_secret(ws_ended_ring[i].text);
    ws_ended_ring[i] = (struct ws_ended){0};
  }
  pthread_mutex_unlock(&ws_ended_lock);
}
