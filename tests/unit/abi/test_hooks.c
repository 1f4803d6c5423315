/* The memory hooks, implemented by a host of the test's own.
 *
 * This host counts references, knows every block, and computes which blocks a tracing collector would find whose roots
 * are static data, and which follows the words that a block's meta marks as references. The stack and malloc's memory
 * are no roots.
 */
#include <dirent.h>
#include <sys/mman.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum { BLOCKS_MAX = 4096 };

struct block {
  char *at;
  size_t size;
  uint64_t mask; /* bit i: word i is a reference */
  int references;
  bool found;
};

/* Outside static data, so that the table makes nothing reachable. */
static struct block *blocks;
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int threads_when_notified;
static _Atomic bool no_memory;

extern char __data_start[];
extern char _end[];

static int thread_count(void) {
  int count = 0;
  DIR *tasks = opendir("/proc/self/task");
  for (struct dirent *entry; tasks && (entry = readdir(tasks));)
    count += entry->d_name[0] != '.';
  if (tasks)
    closedir(tasks);
  return count;
}

void osp_mem_notify_multithreaded(void) {
  threads_when_notified = thread_count();
}

static struct block *block_of(const void *pointer) {
  for (int i = 0; blocks && i < BLOCKS_MAX; i++) {
    if (blocks[i].at && blocks[i].at == pointer)
      return &blocks[i];
  }
  return NULL;
}

/* A block that is aligned to 8 bytes and to no more: ABI-18 */
static void *new_block(int64_t size, int64_t meta, int filled_with) {
  char *at = (char *)malloc((size_t)size + 8) + 8;
  memset(at, filled_with, (size_t)size);
  pthread_mutex_lock(&blocks_lock);
  if (!blocks)
    blocks = mmap(NULL, BLOCKS_MAX * sizeof *blocks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct block *block = blocks;
  while (block->at)
    block++;
  *block = (struct block){
      .at = at,
      .size = (size_t)size,
      .mask = (meta & 0xFF) == 1 ? (uint64_t)meta >> 8 : 0,
      .references = 1,
  };
  pthread_mutex_unlock(&blocks_lock);
  return at;
}

void *osp_alloc_tagged(int64_t size, int64_t meta) {
  return new_block(size, meta, 0);
}

void *osp_alloc_tagged_noinit(int64_t size, int64_t meta) {
  return no_memory ? NULL : new_block(size, meta, 0xA5);
}

void *osp_alloc(int64_t size) {
  return no_memory ? NULL : new_block(size, 0, 0xA5);
}

void osp_retain(void *pointer) {
  pthread_mutex_lock(&blocks_lock);
  struct block *block = block_of(pointer);
  if (block)
    block->references++;
  pthread_mutex_unlock(&blocks_lock);
}

static void release(void *pointer) {
  struct block *block = block_of(pointer);
  if (!block || --block->references > 0)
    return;
  struct block dead = *block;
  block->at = NULL;
  for (size_t i = 0; i < 56 && (i + 1) * 8 <= dead.size; i++) {
    if (dead.mask >> i & 1)
      release(((void **)(void *)dead.at)[i]);
  }
  memset(dead.at, 0xDD, dead.size);
  free(dead.at - 8);
}

void osp_release(void *pointer) {
  pthread_mutex_lock(&blocks_lock);
  release(pointer);
  pthread_mutex_unlock(&blocks_lock);
}

static void find(void *pointer) {
  struct block *block = block_of(pointer);
  if (!block || block->found)
    return;
  block->found = true;
  for (size_t i = 0; i < 56 && (i + 1) * 8 <= block->size; i++) {
    if (block->mask >> i & 1)
      find(((void **)(void *)block->at)[i]);
  }
}

/* Reads static data, with its red zones, while other threads write it, as a collector would. */
__attribute__((no_sanitize("address", "thread"))) static void find_in_static_data(char *low, char *high) {
  for (char *at = (char *)(((uintptr_t)__data_start + 7) & ~(uintptr_t)7); at + 8 <= _end; at += 8) {
    char *word = *(char **)(void *)at;
    if (word >= low && word <= high)
      find(word);
  }
}

static bool is_found(const void *pointer) {
  char *low = (char *)UINTPTR_MAX;
  char *high = NULL;
  pthread_mutex_lock(&blocks_lock);
  for (int i = 0; i < BLOCKS_MAX; i++) {
    blocks[i].found = false;
    if (blocks[i].at && blocks[i].at < low)
      low = blocks[i].at;
    if (blocks[i].at > high)
      high = blocks[i].at;
  }
  find_in_static_data(low, high);
  struct block *block = block_of(pointer);
  bool found = block && block->found;
  pthread_mutex_unlock(&blocks_lock);
  return found;
}

static int references_of(const void *pointer) {
  pthread_mutex_lock(&blocks_lock);
  struct block *block = block_of(pointer);
  int references = block ? block->references : 0;
  pthread_mutex_unlock(&blocks_lock);
  return references;
}

static size_t live_blocks(void) {
  size_t live = 0;
  pthread_mutex_lock(&blocks_lock);
  for (int i = 0; i < BLOCKS_MAX; i++)
    live += blocks[i].at != NULL;
  pthread_mutex_unlock(&blocks_lock);
  return live;
}

/* A kept string, inverted so that the scan of static data does not find it. */
static uintptr_t kept;

/* Handlers that write whether their arguments are reachable. look_text also keeps the text "keep". */
static void *look_text(void *cell, const char *text) {
  if (strcmp(text, "keep") == 0) {
    osp_retain((void *)(uintptr_t)text);
    kept = ~(uintptr_t)text;
  }
  journal_write("cell %d, text %d, %s", is_found(cell), is_found(text), text);
  return result_success();
}

static void *look_message(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  journal_write("cell %d, connection %d, message %d, data %d", is_found(cell), is_found(connection), is_found(message),
                is_found(message->data));
  return result_success();
}

static void *look_open(void *cell, const struct osprey_connection *connection) {
  journal_write("cell %d, connection %d", is_found(cell), is_found(connection));
  return result_success();
}

static void *look_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  journal_write("cell %d, connection %d, reason %d, code %d", is_found(cell), is_found(connection), is_found(reason),
                (int)code);
  return result_success();
}

static void give(int64_t (*set)(int64_t, void *, char **), int64_t id, void *code) {
  char *error;
  void *cell = closure_new(code, NULL);
  set(id, cell, &error);
  expect_success(error);
  osp_release(cell); /* only the runtime refers to it now */
}

/* Everything that the runtime keeps is reachable from its roots: ABI-9 ABI-10 ABI-12 ABI-13 ABI-14. The hooks do only
 * what they must: ABI-18 ABI-19 ABI-20 */
static void test_kept_values_are_reachable(void **state) {
  char url[64];
  char text[32];
  char *error;
  (void)state;
  void *loose = osp_alloc(8);
  assert_false(is_found(loose)); /* the search can fail */
  osp_release(loose);
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  assert_int_equal(threads_when_notified, 1);
  give(osp_ws_server_on_message, server, (void *)look_message);
  give(osp_ws_server_on_open, server, (void *)look_open);
  give(osp_ws_server_on_close, server, (void *)look_close);
  must_listen(server);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  void *cell = closure_new((void *)look_text, NULL);
  int64_t client = osp_ws_connect(url, cell, &error);
  expect_success(error);
  assert_int_equal(references_of(cell), 2);
  osp_release(cell);
  memset(url, '!', sizeof url); /* the URL was only lent */
  give(osp_ws_on_close, client, (void *)look_close);
  journal_expect("cell 1, connection 1");
  strcpy(text, "lent");
  must_send(client, text);
  memset(text, '!', sizeof text);
  journal_expect("cell 1, connection 1, message 1, data 1");
  size_t live = live_blocks();
  for (int i = 0; i < 20; i++) {
    osp_ws_server_broadcast(server, "all", &error);
    expect_success(error);
    journal_expect("cell 1, text 1, all");
  }
  WAIT_UNTIL(live_blocks() <= live);
  osp_ws_server_broadcast(server, "keep", &error);
  expect_success(error);
  journal_expect("cell 1, text 1, keep");
  void *text_kept = (void *)~kept;
  WAIT_UNTIL(references_of(text_kept) == 1); /* the handler's */
  assert_string_equal((char *)text_kept, "keep");
  osp_release(text_kept);
  must_close(client);
  journal_expect("cell 1, connection 1, reason 1, code 1000");
  journal_expect("cell 1, connection 1, reason 1, code 1000");
  must_stop(server);
}

/* A builtin that fails returns 0 or NULL, and sets the error, on any thread: ABI-16 WS-THREAD-1 */
static void *fail_everything(void *context) {
  char *error = (char *)"not written";
  struct osprey_options options = {.headers = "", .protocols = ""};
  (void)context;
#define FAILS(call, value)                                                                                             \
  error = (char *)"not written";                                                                                       \
  assert_true((call) == (value));                                                                                      \
  expect_error_with(error, ": ")
  FAILS(osp_ws_connect("x", on_text, &error), 0);
  FAILS(osp_ws_connect_with("x", &options, on_message, &error), 0);
  FAILS(osp_ws_send(0, "x", &error), 0);
  FAILS(osp_ws_send_binary(0, "", &error), 0);
  FAILS(osp_ws_close(0, &error), 0);
  FAILS(osp_ws_close_with(0, 1, "", &error), 0);
  FAILS(osp_ws_connection(0, &error), NULL);
  FAILS(osp_ws_remote_address(0, &error), NULL);
  FAILS(osp_ws_request_header(0, "x", &error), NULL);
  FAILS(osp_ws_request_path(0, &error), NULL);
  FAILS(osp_ws_request_query(0, "x", &error), NULL);
  FAILS(osp_ws_protocol(0, &error), NULL);
  FAILS(osp_ws_queued_bytes(0, &error), 0);
  FAILS(osp_ws_on_close(0, on_close, &error), 0);
  FAILS(osp_ws_create_server(0, "", "", &error), 0);
  FAILS(osp_ws_create_secure_server(0, "", "", "", "", &error), 0);
  FAILS(osp_ws_server_listen(0, &error), 0);
  FAILS(osp_ws_server_connections(0, &error), 0);
  FAILS(osp_ws_server_broadcast(0, "x", &error), 0);
  FAILS(osp_ws_server_send(0, 0, "x", &error), 0);
  FAILS(osp_ws_server_on_message(0, on_message, &error), 0);
  FAILS(osp_ws_server_on_open(0, on_open, &error), 0);
  FAILS(osp_ws_server_on_close(0, on_close, &error), 0);
  FAILS(osp_ws_server_allow_origin(0, "*", &error), 0);
  FAILS(osp_ws_server_limit(0, "x", 0, &error), 0);
  FAILS(osp_ws_server_protocols(0, "", &error), 0);
  FAILS(osp_ws_stop_server(0, &error), 0);
  return NULL;
}

static void test_failures_return_nothing(void **state) {
  pthread_t thread;
  (void)state;
  fail_everything(NULL);
  assert_int_equal(pthread_create(&thread, NULL, fail_everything, NULL), 0);
  pthread_join(thread, NULL);
}

/* ABI-21: a builtin fails if a hook has no memory, and if there is none for its error either. */
static void test_hooks_without_memory(void **state) {
  char *error;
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  no_memory = true;
  assert_null(osp_ws_protocol(server, &error));
  no_memory = false;
  assert_string_equal(error, "out of memory");
  osp_release(error); /* static: ABI-15 ABI-20 */
  assert_string_equal(error, "out of memory");
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kept_values_are_reachable),
      cmocka_unit_test(test_failures_return_nothing),
      cmocka_unit_test(test_hooks_without_memory),
  };
  return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
