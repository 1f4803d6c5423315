/* Two members of a cluster, while each call of the runtime and each operation of their engine fails in turn: FAULT-3
 *
 * Each has a client. What one member sends reaches both clients in order, each message at most once, and the last of it
 * at last, unless a builtin reported an `Err` or a client lost its connection.
 *
 *   cluster_fault_test [FIRST [LAST]]
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "osprey/hooks.h"
#include "support/fault_runs.h"
#include "support/osprey.h"
#include "support/peer.h"

enum {
  MEMBERS = 2,
  MESSAGES = 8, /* of which one travels in parts */
  LARGE = 3,
  LAST = 1000000, /* numbers from here on are the last ones: they are sent until they are heard */
  PATIENCE_MS = 15000,
  AGAIN_MS = 5,
};

static int engine_port;
static int ports[MEMBERS];
static char url[64];

static _Atomic int next_number[MEMBERS][MEMBERS];    /* what a client may hear next, by the sender */
static _Atomic bool heard_last[MEMBERS][MEMBERS][2]; /* published, broadcast */
static bool undisturbed;                             /* no fault is armed */
static bool all_well;

static void complain(const char *what) {
  fprintf(stderr, "%s\n", what);
  _exit(90);
}

/* Releases the error. Returns true if there was none. */
static bool went_well(char *error) {
  if (error)
    osp_release(error);
  all_well &= error == NULL;
  return error == NULL;
}

/* A text is "SENDER NUMBER" and padding. */
static void *hear(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  int hearer = (int)(intptr_t)closure_context(cell);
  int sender, number;
  (void)connection;
  if (sscanf(message->data, "%d %d", &sender, &number) != 2 || sender < 0 || sender >= MEMBERS)
    complain("a message is not what was sent");
  if (number < next_number[hearer][sender])
    complain("a message came twice or out of order");
  next_number[hearer][sender] = number + 1;
  if (number >= LAST)
    heard_last[hearer][sender][number % 2] = true;
  return result_success();
}

static void *subscribe(void *cell, const struct osprey_connection *connection) {
  char *error;
  (void)cell;
  osp_ws_subscribe(connection->id, "room", &error);
  went_well(error);
  return result_success();
}

static void *on_subscribe[] = {(void *)subscribe};

static int64_t serve(int port) {
  char *error;
  int64_t server = osp_ws_create_server(port, "127.0.0.1", "/", &error);
  if (!went_well(error))
    return 0;
  osp_ws_server_on_open(server, on_subscribe, &error);
  went_well(error);
  osp_ws_server_cluster(server, url, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  return server;
}

static int64_t join(int member) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 2000};
  char server_url[64];
  char *error;
  snprintf(server_url, sizeof server_url, "ws://127.0.0.1:%d/", ports[member]);
  void *cell = closure_new((void *)hear, (void *)(intptr_t)member);
  int64_t client = osp_ws_connect_with(server_url, &options, cell, &error);
  osp_release(cell);
  return went_well(error) ? client : 0;
}

static void say(int64_t server, int sender, int number) {
  char text[3000];
  char *error;
  int size = snprintf(text, sizeof text, "%d %d", sender, number);
  if (number == LARGE) {
    memset(text + size, ' ', sizeof text - 1 - (size_t)size);
    text[sizeof text - 1] = '\0';
  }
  if (number % 2)
    osp_ws_server_broadcast(server, text, &error);
  else
    osp_ws_publish(server, "room", text, &error);
  went_well(error);
}

static bool is_connected(int64_t client) {
  char *error;
  struct osprey_connection *record = osp_ws_connection(client, &error);
  bool connected = went_well(error) && record->is_connected;
  osp_release(error ? NULL : record);
  return connected;
}

static bool all_heard(void) {
  for (int hearer = 0; hearer < MEMBERS; hearer++)
    for (int sender = 0; sender < MEMBERS; sender++)
      if (!heard_last[hearer][sender][0] || !heard_last[hearer][sender][1])
        return false;
  return true;
}

/* Sends numbers from LAST on until each client has heard both kinds from each member: a subscription takes effect
 * elsewhere a moment later. */
static void await_last(const int64_t *servers, const int64_t *clients) {
  for (int n = 0; !all_heard() && all_well; n++) {
    if (n > PATIENCE_MS / AGAIN_MS)
      complain("a member does not hear another one, though every call was a success");
    for (int sender = 0; sender < MEMBERS; sender++) {
      say(servers[sender], sender, LAST + n);
      all_well &= is_connected(clients[sender]);
    }
    poll(NULL, 0, AGAIN_MS);
  }
}

static void talk(void) {
  int64_t servers[MEMBERS];
  int64_t clients[MEMBERS];
  char *error;
  undisturbed = atomic_load(&ws_fault_target) == 0;
  all_well = true;
  for (int member = 0; member < MEMBERS; member++)
    servers[member] = serve(ports[member]);
  for (int member = 0; member < MEMBERS; member++)
    clients[member] = join(member);
  for (int number = 0; number < MESSAGES; number++)
    for (int sender = 0; sender < MEMBERS; sender++)
      say(servers[sender], sender, number);
  await_last(servers, clients);
  if (undisturbed && !all_well)
    complain("something failed without a fault");
  for (int member = 0; member < MEMBERS; member++) {
    osp_ws_stop_server(servers[member], &error);
    went_well(error);
  }
}

static void choose(void) {
  for (int member = 0; member < MEMBERS; member++)
    ports[member] = peer_free_port();
  snprintf(url, sizeof url, "nats://127.0.0.1:%d/run%d", engine_port, (int)getpid());
}

/* ---- the engine */

static pid_t engine;
static char folder[] = "/tmp/cluster-faults-XXXXXX";

static bool engine_accepts(void) {
  struct peer peer = peer_connect_tolerant(engine_port);
  char line[8];
  bool accepts = peer.fd >= 0 && peer_receive(&peer, line, 4) > 0;
  peer_close(&peer);
  return accepts;
}

static int start_engine(void **state) {
  char port[16];
  char config[64];
  (void)state;
  engine_port = peer_free_port();
  snprintf(port, sizeof port, "%d", engine_port);
  if (!mkdtemp(folder))
    return -1;
  snprintf(config, sizeof config, "%s/nats.conf", folder);
  FILE *file = fopen(config, "w");
  if (!file)
    return -1;
  fputs("max_payload: 1024\n", file);
  fclose(file);
  engine = fork();
  if (engine == 0) {
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 1);
    dup2(nowhere, 2);
    execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port, "-c", config, (char *)NULL);
    execl("/usr/sbin/nats-server", "nats-server", "-a", "127.0.0.1", "-p", port, "-c", config, (char *)NULL);
    _exit(127);
  }
  WAIT_UNTIL(engine_accepts());
  unlink(config);
  rmdir(folder);
  return 0;
}

static int stop_engine(void **state) {
  (void)state;
  kill(engine, SIGKILL);
  return waitpid(engine, NULL, 0) == engine ? 0 : -1;
}

static void test_every_call_fails_in_turn_of_members(void **state) {
  (void)state;
  fault_runs(choose, talk);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_call_fails_in_turn_of_members)};
  fault_runs_between(argc, argv);
  return cmocka_run_group_tests_name("cluster faults", tests, start_engine, stop_engine);
}
