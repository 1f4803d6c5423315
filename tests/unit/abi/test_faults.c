/* Every allocation and every system call of the runtime fails in turn during a conversation: WS-SEC-11 WS-SEC-12
 *
 * Each run is a process of its own, in which one call fails, or every allocation from one on (FAULT-2). Every builtin
 * reports a success or an error, no message arrives twice or out of order, and the process ends by itself in time and,
 * under a sanitizer, without a leak. Runs spend most of their time waiting for deadlines, so many run at once.
 *
 *   abi_fault_test [FIRST [LAST]]
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "fault_conversations.h"
#include "support/peer.h"
#include "support/test.h"

enum { PATIENCE_S = 60, LANES = 16 };

/* Arms a fault: the nth call fails, alone or with every allocation after it. */
typedef void arm(long nth);

struct run {
  long nth;
  pid_t pid;
  int counted; /* pipe on which the run reports its number of calls */
};

static void start_run(struct run *run, void (*conversation)(void), arm *arm_fault, long nth) {
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  *run = (struct run){.nth = nth, .pid = fork(), .counted = ends[0]};
  if (run->pid == 0) {
    alarm(PATIENCE_S);
    plain_port = peer_free_port();
    secure_port = peer_free_port();
    arm_fault(nth);
    conversation();
    long calls = ws_fault_count();
    if (write(ends[1], &calls, sizeof calls) != sizeof calls)
      _exit(91);
    exit(0);
  }
  close(ends[1]);
}

/* Returns the number of calls. */
static long end_run(const struct run *run) {
  long calls = -1;
  int status;
  ssize_t n = read(run->counted, &calls, sizeof calls);
  close(run->counted);
  assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
  if (n != sizeof calls || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    fail_msg("with call %ld failing: %s %d", run->nth, WIFEXITED(status) ? "status" : "signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
  return calls;
}

static long first_fault = 1;
static long last_fault = 100000;

/* The number of calls in a conversation varies with its timing, so this stops when LANES runs one after the other have
 * not reached their faults. LANES runs are always on their way. Returns the number of faults that were reached. */
static long fail_in_turn(void (*conversation)(void), arm *arm_fault) {
  struct run runs[LANES];
  long failed = 0, begun = 0, ended = 0, missed = 0;
  while (missed < LANES && first_fault + ended <= last_fault) {
    for (; begun < ended + LANES && first_fault + begun <= last_fault; begun++)
      start_run(&runs[begun % LANES], conversation, arm_fault, first_fault + begun);
    const struct run *oldest = &runs[ended++ % LANES];
    bool reached = end_run(oldest) >= oldest->nth;
    failed += reached;
    missed = reached ? 0 : missed + 1;
  }
  while (ended < begun)
    end_run(&runs[ended++ % LANES]);
  return failed;
}

static void fail_every_call_of(void (*conversation)(void)) {
  struct run run;
  start_run(&run, conversation, ws_fault_arm, 0);
  print_message("%ld calls\n", end_run(&run));
  print_message("%ld calls failed in turn\n", fail_in_turn(conversation, ws_fault_arm));
  print_message("%ld calls failed in turn, with all memory after them\n",
                fail_in_turn(conversation, ws_fault_arm_drought));
}

static void test_every_call_fails_in_turn(void **state) {
  (void)state;
  fail_every_call_of(converse);
}

static void test_every_call_fails_in_turn_with_two_loops(void **state) {
  (void)state;
  fail_every_call_of(start_two_loops);
}

static void test_every_call_fails_in_turn_within_a_handler(void **state) {
  (void)state;
  fail_every_call_of(converse_within);
}

static void test_every_call_fails_in_turn_until_a_signal(void **state) {
  (void)state;
  fail_every_call_of(wait_for_a_signal);
}

static void test_every_call_fails_in_turn_compressed(void **state) {
  (void)state;
  fail_every_call_of(compress);
}

static void test_every_call_fails_in_turn_of_values_and_timers(void **state) {
  (void)state;
  fail_every_call_of(keep_and_tick);
}

static void test_every_call_fails_in_turn_of_clients_that_come_back(void **state) {
  (void)state;
  fail_every_call_of(come_back);
}

static void test_every_call_fails_in_turn_of_topics(void **state) {
  (void)state;
  fail_every_call_of(meet_in_rooms);
}

static void test_every_call_fails_in_turn_of_pages(void **state) {
  (void)state;
  fail_every_call_of(ask_for_pages);
}

static void test_every_call_fails_in_turn_of_a_refusal(void **state) {
  (void)state;
  fail_every_call_of(connect_in_vain);
}

static void test_every_call_fails_in_turn_of_a_flood(void **state) {
  (void)state;
  fail_every_call_of(flood);
}

static void test_every_call_fails_in_turn_without_roots(void **state) {
  (void)state;
  fail_every_call_of(run_out_of_roots);
}

static void test_every_call_fails_in_turn_in_a_crowd(void **state) {
  (void)state;
  fail_every_call_of(converse_in_a_crowd);
}

static void test_every_call_fails_in_turn_when_a_ping_comes_first(void **state) {
  (void)state;
  fail_every_call_of(answer_a_ping);
}

static void test_every_call_fails_in_turn_of_an_idle_client(void **state) {
  (void)state;
  fail_every_call_of(ask_when_idle);
}

static void test_every_call_fails_in_turn_of_a_look_up(void **state) {
  (void)state;
  fail_every_call_of(resolve);
}

static void test_every_call_fails_in_turn_behind_a_full_socket(void **state) {
  (void)state;
  fail_every_call_of(send_too_much);
}

static void test_every_call_fails_in_turn_in_pieces(void **state) {
  (void)state;
  tls_fixture_issue(&identity, &(struct tls_request){.name = "localhost",
                                                     .alternatives = "DNS:localhost,IP:127.0.0.1",
                                                     .from_days = -1,
                                                     .to_days = 10,
                                                     .authority = 1});
  setenv("SSL_CERT_FILE", identity.certificate_file, 1);
  fail_every_call_of(converse_in_pieces);
  tls_fixture_free(&identity);
  tls_fixture_remove();
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_call_fails_in_turn),
      cmocka_unit_test(test_every_call_fails_in_turn_with_two_loops),
      cmocka_unit_test(test_every_call_fails_in_turn_within_a_handler),
      cmocka_unit_test(test_every_call_fails_in_turn_until_a_signal),
      cmocka_unit_test(test_every_call_fails_in_turn_compressed),
      cmocka_unit_test(test_every_call_fails_in_turn_of_values_and_timers),
      cmocka_unit_test(test_every_call_fails_in_turn_of_clients_that_come_back),
      cmocka_unit_test(test_every_call_fails_in_turn_of_topics),
      cmocka_unit_test(test_every_call_fails_in_turn_of_pages),
      cmocka_unit_test(test_every_call_fails_in_turn_of_a_refusal),
      cmocka_unit_test(test_every_call_fails_in_turn_of_a_flood),
      cmocka_unit_test(test_every_call_fails_in_turn_without_roots),
      cmocka_unit_test(test_every_call_fails_in_turn_in_a_crowd),
      cmocka_unit_test(test_every_call_fails_in_turn_when_a_ping_comes_first),
      cmocka_unit_test(test_every_call_fails_in_turn_of_an_idle_client),
      cmocka_unit_test(test_every_call_fails_in_turn_of_a_look_up),
      cmocka_unit_test(test_every_call_fails_in_turn_behind_a_full_socket),
      cmocka_unit_test(test_every_call_fails_in_turn_in_pieces),
  };
  if (argc > 1)
    first_fault = atol(argv[1]);
  if (argc > 2)
    last_fault = atol(argv[2]);
  setenv("OSPREY_WS_LOG", "off", 0);
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
