/* DEFLATE-11: the memory of compression. The linker wraps the allocator (--wrap). */
#include "support.h"

#include "protocol/deflate.h"
#include "protocol/deflater.h"
#include "protocol/inflater.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static size_t taken;

void *__wrap_malloc(size_t size) {
  taken += size;
  return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  taken += count * size;
  return __real_calloc(count, size);
}

enum { MESSAGE = 100000 };

static uint8_t message[MESSAGE];
static uint8_t packed[2 * MESSAGE];
static uint8_t unpacked[MESSAGE];

static void fill(void) {
  uint32_t random = 1;
  for (size_t i = 0; i < MESSAGE; i++) {
    random = random * 1664525 + 1013904223;
    message[i] = (uint8_t)(random >> 28);
  }
}

static size_t deflate_once(struct ws_deflater *deflater) {
  assert_true(ws_deflater_bound(deflater, MESSAGE) <= sizeof packed);
  return ws_deflater_run(deflater, packed, message, MESSAGE);
}

static void test_deflater_memory_is_bounded(void **state) {
  (void)state;
  fill();
  for (uint8_t bits = 9; bits <= 15; bits++) {
    taken = 0;
    struct ws_deflater *deflater = ws_deflater_new(bits, false);
    assert_non_null(deflater);
    for (int i = 0; i < 3; i++)
      deflate_once(deflater);
    assert_in_range(taken, ws_deflater_memory(bits) / 2, ws_deflater_memory(bits));
    ws_deflater_free(deflater);
  }
  assert_int_equal(ws_deflater_memory(15), 200 * 1024);
}

static void test_inflater_memory_is_bounded(void **state) {
  (void)state;
  fill();
  for (uint8_t bits = 9; bits <= 15; bits++) {
    struct ws_deflater *deflater = ws_deflater_new(bits, false);
    taken = 0;
    struct ws_inflater *inflater = ws_inflater_new(bits);
    assert_non_null(inflater);
    for (int i = 0; i < 3; i++) {
      size_t before = taken;
      size_t size = deflate_once(deflater);
      taken = before; /* without the deflater's allocations */
      struct ws_inflater_buffers step = {.in = packed, .in_size = size, .to = unpacked, .room = sizeof unpacked};
      assert_int_equal(ws_inflater_step(inflater, &step), WS_VIOLATION_NONE);
      step = (struct ws_inflater_buffers){.in = WS_DEFLATE_TAIL, .in_size = 4, .to = step.to, .room = step.room};
      assert_int_equal(ws_inflater_step(inflater, &step), WS_VIOLATION_NONE);
      assert_true(step.room == 0 && memcmp(unpacked, message, MESSAGE) == 0);
    }
    assert_in_range(taken, (size_t)1 << bits, ws_inflater_memory(bits));
    ws_inflater_free(inflater);
    ws_deflater_free(deflater);
  }
  assert_int_equal(ws_inflater_memory(15), 40 * 1024);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_deflater_memory_is_bounded),
      cmocka_unit_test(test_inflater_memory_is_bounded),
  };
  return cmocka_run_group_tests_name("deflate memory", tests, NULL, NULL);
}
