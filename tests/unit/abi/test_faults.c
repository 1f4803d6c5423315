/* Every allocation and every system call of the runtime fails in turn during a conversation: WS-SEC-11 WS-SEC-12
 *
 *   abi_fault_test [FIRST [LAST]]
 */
#include "fault_conversations.h"
#include "support/fault_runs.h"
#include "support/peer.h"
#include "support/test.h"

static void choose_ports(void) {
  plain_port = peer_free_port();
  secure_port = peer_free_port();
}

static void fail_every_call_of(void (*conversation)(void)) {
  fault_runs(choose_ports, conversation);
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
  fault_runs_between(argc, argv);
  return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
