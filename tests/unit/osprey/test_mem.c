/* The memory hooks. The tests run with OSPREY_MEM_REPORT set, so osp_mem_live() counts. */
#include "osprey/osprey_mem.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { META_RAW = 0, META_WORD_0 = 1 | 1 << 8, META_WORDS_0_2 = 1 | 5 << 8 };

/* RUN-MEM-1 */
static void test_last_release_frees(void **state) {
  (void)state;
  int64_t before = osp_mem_live();
  char *text = osp_alloc(6);
  strcpy(text, "hello");
  assert_int_equal(osp_mem_live(), before + 1);
  osp_retain(text);
  osp_release(text);
  assert_string_equal(text, "hello");
  osp_release(text);
  assert_int_equal(osp_mem_live(), before);
}

/* ABI-17 */
static void test_only_the_last_reference_is_unique(void **state) {
  (void)state;
  char *text = osp_alloc(6);
#if defined(__has_feature)
  bool unique = !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  bool unique = false;
#else
  bool unique = true;
#endif
  assert_int_equal(osp_is_unique(text), unique);
  osp_retain(text);
  assert_false(osp_is_unique(text));
  osp_release(text);
  assert_int_equal(osp_is_unique(text), unique);
  osp_release(text);
  assert_false(osp_is_unique("a literal"));
  assert_false(osp_is_unique(NULL));
}

/* ABI-18, also for a block that was used before */
static void test_block_is_aligned_and_zeroed(void **state) {
  (void)state;
  for (int64_t size = 0; size < 5000; size++) {
    char *bytes = osp_alloc_tagged(size, META_RAW);
    assert_int_equal((uintptr_t)bytes % 16, 0);
    for (int64_t i = 0; i < size; i++)
      assert_int_equal(bytes[i], 0);
    memset(bytes, 0xff, (size_t)size);
    osp_release_unique(bytes);
  }
}

/* RUN-MEM-2, ABI-19 */
static void test_release_follows_marked_words_only(void **state) {
  (void)state;
  int64_t before = osp_mem_live();
  void *marked = osp_alloc(1), *unmarked = osp_alloc(1);
  void **block = osp_alloc_tagged_noinit(24, META_WORDS_0_2);
  block[0] = marked;
  block[1] = unmarked;
  block[2] = NULL;
  osp_release(block);
  assert_int_equal(osp_mem_live(), before + 1);
  osp_release(unmarked);
  assert_int_equal(osp_mem_live(), before);
}

/* ABI-19: the last word that a meta can mark is word 55 of 0 to 55. */
static void test_every_word_can_be_marked(void **state) {
  (void)state;
  enum { WORDS = 56 };
  int64_t before = osp_mem_live();
  void **block = osp_alloc_tagged(8 * (WORDS + 1), (int64_t)(UINT64_MAX << 8 | 1));
  for (int i = 0; i <= WORDS; i++)
    block[i] = osp_alloc(1);
  void *unmarked = block[WORDS];
  osp_release(block);
  assert_int_equal(osp_mem_live(), before + 1);
  osp_release(unmarked);
  assert_int_equal(osp_mem_live(), before);
}

static void test_release_leaves_a_shared_child(void **state) {
  (void)state;
  int64_t before = osp_mem_live();
  void *child = osp_alloc(1);
  void **block = osp_alloc_tagged(8, META_WORD_0);
  block[0] = child;
  osp_retain(child);
  osp_release_unique(block);
  assert_int_equal(osp_mem_live(), before + 1);
  osp_release(child);
  assert_int_equal(osp_mem_live(), before);
}

/* RUN-MEM-3: takes constant stack */
static void test_release_of_a_long_chain(void **state) {
  (void)state;
  int64_t before = osp_mem_live();
  void **head = NULL;
  for (int i = 0; i < 2000000; i++) {
    void **link = osp_alloc_tagged_noinit(8, META_WORD_0);
    link[0] = head;
    head = link;
  }
  osp_release(head);
  assert_int_equal(osp_mem_live(), before);
}

/* RUN-MEM-4, ABI-20 */
static void test_foreign_pointers_are_ignored(void **state) {
  (void)state;
  static const char literal[] = "literal";
  static void *const cell[2] = {(void *)test_foreign_pointers_are_ignored, NULL};
  char *from_malloc = malloc(32);
  void *foreign[] = {NULL, (void *)literal, (void *)cell, (void *)(cell + 1), from_malloc, (void *)&state};
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    osp_retain(foreign[i]);
    osp_release(foreign[i]);
    osp_release_unique(foreign[i]);
  }
  free(from_malloc);
}

static void test_foreign_pointers_after_an_inaccessible_page(void **state) {
  (void)state;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(pages, MAP_FAILED);
  assert_int_equal(mprotect(pages, page, PROT_NONE), 0);
  for (size_t offset = 0; offset < 64; offset++) {
    osp_retain(pages + page + offset);
    osp_release(pages + page + offset);
  }
  munmap(pages, 2 * page);
}

static void test_no_block_starts_a_page(void **state) {
  (void)state;
  enum { BLOCKS = 20000 };
  void **blocks = calloc(BLOCKS, sizeof *blocks);
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = osp_alloc_tagged(i % 700, META_RAW);
    assert_int_not_equal((uintptr_t)blocks[i] % 4096, 0);
  }
  for (int i = 0; i < BLOCKS; i++)
    osp_release(blocks[i]);
  free(blocks);
}

/* RUN-MEM-5, ABI-21 */
static void test_out_of_memory(void **state) {
  (void)state;
  assert_null(osp_alloc(INT64_MAX));
  assert_null(osp_alloc(-1));
  pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    osp_alloc_tagged(INT64_MAX, META_RAW);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void *share(void *block) {
  for (int i = 0; i < 200000; i++) {
    osp_retain(block);
    void **mine = osp_alloc_tagged_noinit(8, META_WORD_0);
    mine[0] = block;
    osp_release(mine);
  }
  osp_release(block);
  return NULL;
}

/* RUN-MEM-6, ABI-22 */
static void test_threads_share_a_block(void **state) {
  (void)state;
  enum { THREADS = 4 };
  int64_t before = osp_mem_live();
  pthread_t threads[THREADS];
  osp_mem_notify_multithreaded();
  void *block = osp_alloc(8);
  for (int i = 0; i < THREADS; i++) {
    osp_retain(block);
    assert_int_equal(pthread_create(&threads[i], NULL, share, block), 0);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(osp_mem_live(), before + 1);
  osp_release(block);
  assert_int_equal(osp_mem_live(), before);
}

/* A reused block has only the marks of its new allocation. */
static void test_reused_block_has_new_marks(void **state) {
  (void)state;
  int64_t before = osp_mem_live();
  void *kept = osp_alloc(1);
  for (int64_t size = 8; size < 200; size += 8) {
    void **marked = osp_alloc_tagged(size, META_WORD_0);
    osp_release(marked);
    void **raw = osp_alloc(size);
    raw[0] = kept;
    osp_release(raw);
    assert_int_equal(osp_mem_live(), before + 1);
  }
  osp_release(kept);
}

/* Blocks of all sizes up to beyond the small ones, allocated and freed together. */
enum { MANY = 50000, MANY_SIZES = 200 };

static void *free_many(void *its_blocks) {
  void **blocks = its_blocks;
  for (int i = 0; i < MANY; i++)
    osp_release(blocks[i]);
  return NULL;
}

static void allocate_many(void **blocks) {
  for (int i = 0; i < MANY; i++)
    blocks[i] = osp_alloc_tagged(i % MANY_SIZES, META_RAW);
}

static int64_t allocated_bytes(void) {
  return (int64_t)mallinfo2().uordblks;
}

/* RUN-MEM-8 */
static void test_freed_memory_is_returned(void **state) {
  (void)state;
  void **blocks = calloc(MANY, sizeof *blocks);
  int64_t before = allocated_bytes();
  allocate_many(blocks);
  free_many(blocks);
  assert_in_range(allocated_bytes() - before + 65536, 0, 2 * 65536);
  free(blocks);
}

/* RUN-MEM-8: one thread allocates, other threads free and end. */
static void test_spares_are_freed_with_their_thread(void **state) {
  (void)state;
  enum { THREADS = 30 };
  void **blocks = calloc(MANY, sizeof *blocks);
  osp_mem_notify_multithreaded();
  int64_t before = 0;
  for (int i = 0; i <= THREADS; i++) {
    pthread_t thread;
    allocate_many(blocks);
    assert_int_equal(pthread_create(&thread, NULL, free_many, blocks), 0);
    pthread_join(thread, NULL);
    if (i == 0) /* the C library has allocated its own data */
      before = allocated_bytes();
  }
  assert_in_range(allocated_bytes() - before + 65536, 0, 2 * 65536);
  free(blocks);
}

/* RUN-FN-9: a NUL that is written later is not noticed, so nothing is counted again. */
static void test_a_string_is_counted_once(void **state) {
  (void)state;
  for (size_t length = 0; length < 300; length++) {
    char *text = osp_alloc((int64_t)length + 20);
    memset(text, 'x', length + 20);
    text[length] = '\0';
    assert_int_equal(osp_mem_strnlen(text, SIZE_MAX), length);
    text[length / 2] = '\0';
    assert_int_equal(osp_mem_strnlen(text, SIZE_MAX), length);
    assert_int_equal(osp_mem_strnlen(text, length / 3), length / 3);
    osp_release(text);
  }
}

/* RUN-FN-9, ABI-17: the runtime fills a string anew that nobody else has. */
static void test_a_string_that_may_change_is_counted_again(void **state) {
  (void)state;
  char *text = osp_alloc(10);
  strcpy(text, "first");
  assert_int_equal(osp_mem_strnlen(text, SIZE_MAX), 5);
  osp_retain(text);
  assert_false(osp_is_unique(text));
  osp_release(text);
  if (osp_is_unique(text)) {
    strcpy(text, "a second");
    assert_int_equal(osp_mem_strnlen(text, SIZE_MAX), 8);
    assert_true(osp_is_unique(text));
    strcpy(text, "");
    assert_int_equal(osp_mem_strnlen(text, SIZE_MAX), 0);
  }
  osp_release(text);
}

/* RUN-FN-9 */
static void test_other_memory_is_counted_up_to_the_index(void **state) {
  (void)state;
  static char literal[] = "literal";
  assert_int_equal(osp_mem_strnlen(literal, SIZE_MAX), 7);
  literal[4] = '\0';
  assert_int_equal(osp_mem_strnlen(literal, SIZE_MAX), 4);
  static const char unterminated[3] = {'a', 'b', 'c'};
  assert_int_equal(osp_mem_strnlen(unterminated, sizeof unterminated), sizeof unterminated);
}

/* The counted length is no mark: RUN-MEM-2. A block that is used again is counted again. */
static void test_a_counted_string_is_freed_and_its_block_counted_again(void **state) {
  (void)state;
  int64_t before = osp_mem_live();
  for (int i = 0; i < 3; i++) {
    void **text = osp_alloc_tagged(32, META_RAW);
    void *child = osp_alloc(1);
    text[0] = text[1] = child;
    memset(&text[2], 'x', (size_t)i + 1);
    size_t length = strlen((char *)text);
    assert_int_equal(osp_mem_strnlen((char *)text, SIZE_MAX), length);
    osp_release(text);
    osp_release(child);
  }
  void **marked = osp_alloc_tagged(8, META_WORD_0);
  marked[0] = osp_alloc(1);
  assert_int_equal(osp_mem_strnlen((char *)marked, SIZE_MAX), strlen((char *)marked));
  osp_release(marked);
  assert_int_equal(osp_mem_live(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_last_release_frees),
      cmocka_unit_test(test_only_the_last_reference_is_unique),
      cmocka_unit_test(test_block_is_aligned_and_zeroed),
      cmocka_unit_test(test_release_follows_marked_words_only),
      cmocka_unit_test(test_every_word_can_be_marked),
      cmocka_unit_test(test_release_leaves_a_shared_child),
      cmocka_unit_test(test_release_of_a_long_chain),
      cmocka_unit_test(test_foreign_pointers_are_ignored),
      cmocka_unit_test(test_foreign_pointers_after_an_inaccessible_page),
      cmocka_unit_test(test_no_block_starts_a_page),
      cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_threads_share_a_block),
      cmocka_unit_test(test_reused_block_has_new_marks),
      cmocka_unit_test(test_a_string_is_counted_once),
      cmocka_unit_test(test_a_string_that_may_change_is_counted_again),
      cmocka_unit_test(test_other_memory_is_counted_up_to_the_index),
      cmocka_unit_test(test_a_counted_string_is_freed_and_its_block_counted_again),
      cmocka_unit_test(test_freed_memory_is_returned),
      cmocka_unit_test(test_spares_are_freed_with_their_thread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
