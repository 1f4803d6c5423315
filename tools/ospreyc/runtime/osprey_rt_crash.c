#include "osprey_rt_crash.h"
#include "osprey_rt.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* How far from the lowest address of a stack an overflow faults: a frame may reach over the guard page. How much of the
 * stack is searched for a return address. */
enum { CRASH_BELOW = 256 * 1024, CRASH_ABOVE = 4096, CRASH_SEARCHED = 64 * 1024 };
enum { CRASH_STACK_SIZE = 32 * 1024, CRASH_LINE_SIZE = 1024 };

static const int crash_signals[] = {SIGSEGV, SIGBUS};
enum { CRASH_SIGNALS = sizeof crash_signals / sizeof *crash_signals };

/* Handlers run here when the thread's stack is full. Part of the thread, so it needs no allocation and no release. */
static _Thread_local _Alignas(16) char crash_stack[CRASH_STACK_SIZE];
static _Thread_local uintptr_t crash_low, crash_high; /* of the thread's stack; 0: not known */

/* The bounds of the section that has all functions of the program. Its linker makes these symbols. */
extern const char crash_code_start[] __asm__("__start_osprey_code") __attribute__((weak, visibility("hidden")));
extern const char crash_code_end[] __asm__("__stop_osprey_code") __attribute__((weak, visibility("hidden")));

/* ---- the functions of the program */

static bool crash_is_code(uintptr_t address) {
  return address >= (uintptr_t)crash_code_start && address < (uintptr_t)crash_code_end;
}

static const struct osp_rt_function *crash_find(uintptr_t address) {
  const struct osp_rt_function *found = NULL;
  if (!&osp_rt_program || !crash_is_code(address))
    return NULL;
  for (int64_t i = 0; i < osp_rt_program.count; i++) {
    const struct osp_rt_function *function = &osp_rt_program.functions[i];
    if ((uintptr_t)function->code <= address && (!found || function->code > found->code))
      found = function;
  }
  return found;
}

/* The program counter and the stack pointer at the fault; 0 on machines that are not listed. */
static void crash_registers(const ucontext_t *context, uintptr_t *pc, uintptr_t *sp) {
#if defined(__x86_64__)
  *pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
  *sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
  *pc = (uintptr_t)context->uc_mcontext.pc;
  *sp = (uintptr_t)context->uc_mcontext.sp;
#else
  (void)context;
  *pc = *sp = 0;
#endif
}

/* The function of the program that was running, or that called the C function that was. After an overflow the stack is
 * full of its return addresses, so the first word that is one tells. */
static const struct osp_rt_function *crash_caller(uintptr_t sp) {
  uintptr_t from = sp < crash_low ? crash_low : sp & -sizeof(uintptr_t);
  uintptr_t to = crash_high - from < CRASH_SEARCHED ? crash_high : from + CRASH_SEARCHED;
  for (uintptr_t at = from; at + sizeof(uintptr_t) <= to; at += sizeof(uintptr_t)) {
    const struct osp_rt_function *function = crash_find(*(const uintptr_t *)at);
    if (function)
      return function;
  }
  return NULL;
}

/* ---- the line */

/* A line that is put together without stdio, which a signal handler must not call. What does not fit is cut. */
struct crash_line {
  char text[CRASH_LINE_SIZE];
  size_t length;
};

static void crash_put(struct crash_line *line, const char *text) {
  size_t length = strlen(text), room = sizeof line->text - 1 - line->length;
  if (length > room)
    length = room;
  memcpy(line->text + line->length, text, length);
  line->length += length;
}

static void crash_put_number(struct crash_line *line, int64_t number) {
  char digits[24], *first = digits + sizeof digits - 1;
  *first = '\0';
  do
    *--first = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  crash_put(line, first);
}

static void crash_write(struct crash_line *line) {
  line->text[line->length++] = '\n';
  (void)!write(STDERR_FILENO, line->text, line->length);
}

static void crash_put_place(struct crash_line *line, const struct osp_rt_function *function) {
  crash_put(line, function ? osp_rt_program.path : "osprey");
  if (function) {
    crash_put(line, ":");
    crash_put_number(line, function->line);
  }
  crash_put(line, ": ");
}

static void crash_put_name(struct crash_line *line, const struct osp_rt_function *function, const char *otherwise) {
  if (!function) {
    crash_put(line, otherwise);
    return;
  }
  crash_put(line, "'");
  crash_put(line, function->name);
  crash_put(line, "'");
}

/* ---- signals */

static bool crash_is_overflow(uintptr_t address) {
  return crash_low && address >= crash_low - CRASH_BELOW && address < crash_low + CRASH_ABOVE;
}

static void crash_say(uintptr_t address, const ucontext_t *context) {
  struct crash_line line = {.length = 0};
  uintptr_t pc, sp;
  crash_registers(context, &pc, &sp);
  const struct osp_rt_function *function = crash_find(pc);
  if (crash_is_overflow(address)) {
    if (!function && sp)
      function = crash_caller(sp);
    crash_put_place(&line, function);
    crash_put(&line, "stack overflow in ");
    crash_put(&line, getpid() == gettid() ? "the main thread: " : "another thread: ");
    crash_put_name(&line, function, "a function");
    crash_put(&line, " calls itself too deeply");
  } else {
    crash_put_place(&line, function);
    crash_put(&line, "invalid memory access in ");
    crash_put_name(&line, function, "a C function");
  }
  crash_write(&line);
}

/* Back to the default, so that the instruction, which runs again, ends the process. A signal that was sent (by a
 * process, or by raise) would not come again, so it is raised. */
static void crash_received(int number, siginfo_t *info, void *context) {
  bool sent = info->si_code <= 0;
  if (!sent)
    crash_say((uintptr_t)info->si_addr, context);
  signal(number, SIG_DFL);
  if (sent)
    raise(number);
}

static void crash_learn_stack(void) {
  pthread_attr_t attributes;
  void *low = NULL;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes))
    return;
  if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
    crash_low = (uintptr_t)low;
    crash_high = crash_low + size;
  }
  pthread_attr_destroy(&attributes);
}

void osprey_rt_crash_thread_begins(void) {
  stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof crash_stack}, before;
  sigset_t set;
  crash_learn_stack();
  if (sigaltstack(NULL, &before) == 0 && before.ss_flags & SS_DISABLE)
    sigaltstack(&stack, NULL);
  sigemptyset(&set);
  for (int i = 0; i < CRASH_SIGNALS; i++)
    sigaddset(&set, crash_signals[i]);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void osprey_rt_crash_boot(void) {
  struct sigaction action = {.sa_sigaction = crash_received, .sa_flags = SA_SIGINFO | SA_ONSTACK}, before;
  osprey_rt_crash_thread_begins();
  for (int i = 0; i < CRASH_SIGNALS; i++) {
    if (sigaction(crash_signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
      sigaction(crash_signals[i], &action, NULL);
  }
}
