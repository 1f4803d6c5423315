/* Connections counted per address. */
#include "server/address_quota.h"
#include "support/test.h"

static struct ws_address address_of(const char *text) {
  struct ws_address address;
  assert_true(ws_address_parse(text, 80, &address));
  return address;
}

static void test_peers(void **state) {
  enum { MANY = 200 };
  struct ws_address_quota peers;
  struct ws_address_quota_entry *made[MANY];
  uint32_t count;
  (void)state;
  ws_address_quota_init(&peers);
  struct ws_address mapped = address_of("::ffff:10.0.0.1");
  struct ws_address plain = address_of("10.0.0.1");
  struct ws_address six = address_of("2001:db8::1");
  struct ws_address_quota_entry *a = ws_address_quota_add(&peers, &mapped, &count);
  assert_int_equal(count, 1);
  assert_ptr_equal(ws_address_quota_add(&peers, &plain, &count), a); /* the same host */
  assert_int_equal(count, 2);
  assert_ptr_not_equal(ws_address_quota_add(&peers, &six, &count), a);
  assert_int_equal(count, 1);
  /* Of one network each address is its own peer, and all are counted together: WS-LIMIT-9 */
  static const struct {
    const char *text;
    uint32_t count;
  } others[] = {{"2001:db8::2", 2}, {"2001:db8::ffff:0:0:1", 3}, {"2001:db8::", 4}, {"2001:db8:0:1::1", 1}};
  struct ws_address_quota_entry *six_made[4];
  for (int i = 0; i < 4; i++) {
    struct ws_address other = address_of(others[i].text);
    six_made[i] = ws_address_quota_add(&peers, &other, &count);
    assert_int_equal(count, others[i].count);
    assert_memory_equal(&six_made[i]->address.v6.sin6_addr, &other.v6.sin6_addr, 16);
  }
  for (int i = 0; i < 4; i++)
    ws_address_quota_remove(&peers, six_made[i]);
  struct ws_address_quota_entry *again = ws_address_quota_add(&peers, &six, &count);
  assert_int_equal(count, 2);
  ws_address_quota_remove(&peers, again);
  for (int i = 0; i < MANY; i++) {
    char text[32];
    snprintf(text, sizeof text, "10.1.%d.%d", i / 50, i % 50);
    struct ws_address address = address_of(text);
    made[i] = ws_address_quota_add(&peers, &address, &count);
    assert_int_equal(count, 1);
  }
  for (int i = 0; i < MANY; i++)
    ws_address_quota_remove(&peers, made[i]);
  ws_address_quota_remove(&peers, a);
  assert_ptr_equal(ws_address_quota_add(&peers, &plain, &count), a);
  assert_int_equal(count, 2);
  ws_address_quota_deinit(&peers); /* whoever is left */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_peers),
  };
  return cmocka_run_group_tests_name("address quota", tests, NULL, NULL);
}
