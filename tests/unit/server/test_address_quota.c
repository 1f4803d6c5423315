/* Connections counted per address. */
#include "server/address_quota.h"
#include "support/test.h"

static struct ws_address_quota quota;

static int set_up(void **state) {
  (void)state;
  ws_address_quota_init(&quota);
  return 0;
}

/* A test leaves no connection, so no entry is left. */
static int tear_down(void **state) {
  (void)state;
  assert_null(quota.entries.root);
  ws_address_quota_deinit(&quota);
  return 0;
}

static struct ws_address address_of(const char *text) {
  struct ws_address address;
  assert_true(ws_address_parse(text, 80, &address));
  return address;
}

/* Adds a connection of this address, which must be the nth of its quota. */
static struct ws_address_quota_entry *add(const char *text, uint32_t nth) {
  uint32_t count;
  struct ws_address address = address_of(text);
  struct ws_address_quota_entry *entry = ws_address_quota_add(&quota, &address, &count);
  assert_int_equal(count, nth);
  return entry;
}

static void test_a_mapped_address_is_its_ipv4_address(void **state) {
  (void)state;
  struct ws_address_quota_entry *entry = add("::ffff:10.0.0.1", 1);
  assert_ptr_equal(add("10.0.0.1", 2), entry);
  struct ws_address_quota_entry *other = add("2001:db8::1", 1);
  assert_ptr_not_equal(other, entry);
  ws_address_quota_remove(&quota, other);
  ws_address_quota_remove(&quota, entry);
  ws_address_quota_remove(&quota, entry);
}

/* The addresses of one /64 have entries of their own and one count: WS-LIMIT-9 */
static void test_the_addresses_of_a_network_count_as_one(void **state) {
  static const struct {
    const char *text;
    uint32_t count;
  } rows[] = {{"2001:db8::2", 2}, {"2001:db8::ffff:0:0:1", 3}, {"2001:db8::", 4}, {"2001:db8:0:1::1", 1}};
  enum { ROWS = sizeof rows / sizeof *rows };
  struct ws_address_quota_entry *entries[ROWS];
  (void)state;
  struct ws_address_quota_entry *first = add("2001:db8::1", 1);
  for (int i = 0; i < ROWS; i++) {
    struct ws_address address = address_of(rows[i].text);
    entries[i] = add(rows[i].text, rows[i].count);
    assert_memory_equal(&entries[i]->address.v6.sin6_addr, &address.v6.sin6_addr, 16);
  }
  for (int i = 0; i < ROWS; i++)
    ws_address_quota_remove(&quota, entries[i]);
  assert_ptr_equal(add("2001:db8::1", 2), first);
  ws_address_quota_remove(&quota, first);
  ws_address_quota_remove(&quota, first);
}

static void test_an_address_is_found_among_many(void **state) {
  enum { MANY = 200 };
  struct ws_address_quota_entry *made[MANY];
  (void)state;
  struct ws_address_quota_entry *entry = add("10.0.0.1", 1);
  add("10.0.0.1", 2);
  for (int i = 0; i < MANY; i++) {
    char text[32];
    snprintf(text, sizeof text, "10.1.%d.%d", i / 50, i % 50);
    made[i] = add(text, 1);
  }
  for (int i = 0; i < MANY; i++)
    ws_address_quota_remove(&quota, made[i]);
  ws_address_quota_remove(&quota, entry);
  assert_ptr_equal(add("10.0.0.1", 2), entry);
  ws_address_quota_remove(&quota, entry);
  ws_address_quota_remove(&quota, entry);
}

#define quota_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      quota_test(test_a_mapped_address_is_its_ipv4_address),
      quota_test(test_the_addresses_of_a_network_count_as_one),
      quota_test(test_an_address_is_found_among_many),
  };
  return cmocka_run_group_tests_name("address quota", tests, NULL, NULL);
}
