/* The cost of lowering: the time to parse, lower and print a module, relative to the time to parse, verify and print
 * it. Lowering verifies before and after.
 *
 *     lowering [CALLS]
 *
 * The module has CALLS calls of builtins (default: 100,000), eight per function, and a raw handler in every other
 * function. A second module has as many selects and phis in one chain, each of which chooses between the one before and
 * itself, and every eighth of which is passed as a handler. In a third one many handlers come by one way: through the
 * parameters of a function, a parameter that points to them, a variable that many pointers are written to, a large
 * aggregate. Prints the CPU times, each the best of several rounds, and
 * without CALLS also those at a quarter and a half of the size. Exits with 1 if a ratio at full size exceeds the limit
 * of LOWER-5.
 */
#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "osprey_ws_codegen.h"

enum { CALLS_PER_FUNCTION = 8, ROUNDS = 3, MOST_ROUNDS = 12 };
static const double most = 1.5, most_for_ways = 2;

/* ---- module */

struct text {
  char *bytes;
  size_t size;
};

static void print_function(FILE *out, unsigned number) {
  fprintf(out,
          "define { i64, i8, i8* }* @handler%u(i8* %%m) {\n  ret { i64, i8, i8* }* null\n}\n"
          "define i64 @f%u(i64 %%id, i8* %%text) {\n",
          number, number);
  for (unsigned i = 0; i + 1 < CALLS_PER_FUNCTION; i++)
    fprintf(out,
            "  %%r%u = call { i64, i8, i8* }* @websocketSend(i64 %%id, i8* %%text)\n"
            "  %%p%u = getelementptr { i64, i8, i8* }, { i64, i8, i8* }* %%r%u, i32 0, i32 1\n"
            "  %%d%u = load i8, i8* %%p%u\n",
            i, i, i, i, i);
  if (number % 2)
    fprintf(out,
            "  %%h = bitcast { i64, i8, i8* }* (i8*)* @handler%u to i8*\n"
            "  %%c = call { i64, i8, i8* }* @websocketConnect(i8* %%text, i8* %%h)\n",
            number);
  else
    fputs("  %c = call { i64, i8, i8* }* @websocketClose(i64 %id)\n", out);
  fputs("  ret i64 0\n}\n", out);
}

static struct text make_module(unsigned calls) {
  struct text text;
  FILE *out = open_memstream(&text.bytes, &text.size);
  if (!out)
    exit(2);
  fputs("declare { i64, i8, i8* }* @websocketSend(i64, i8*)\n"
        "declare { i64, i8, i8* }* @websocketClose(i64)\n"
        "declare { i64, i8, i8* }* @websocketConnect(i8*, i8*)\n",
        out);
  for (unsigned i = 0; i < calls / CALLS_PER_FUNCTION; i++)
    print_function(out, i);
  fclose(out);
  return text;
}

/* A chain of selects, then a chain of addresses with a load from each, then a ladder of phis. A walk without memory
 * takes exponential time, and one by recursion overflows the stack. */
static struct text make_chain(unsigned choices) {
  struct text text;
  FILE *out = open_memstream(&text.bytes, &text.size);
  if (!out)
    exit(2);
  fputs("declare ptr @websocketConnect(ptr, ptr)\ndeclare ptr @a(ptr)\ndeclare ptr @b(ptr)\n"
        "@g0 = internal global [2 x ptr] [ptr @a, ptr @b]\n"
        "define void @chain(ptr %url, i1 %c) {\n  %h0 = select i1 %c, ptr @a, ptr @b\n",
        out);
  for (unsigned i = 1; i < choices / 2; i++) {
    fprintf(out, "  %%h%u = select i1 %%c, ptr %%h%u, ptr %%h%u\n", i, i - 1, i - 1);
    if (i % CALLS_PER_FUNCTION == 0)
      fprintf(out, "  %%c%u = call ptr @websocketConnect(ptr %%url, ptr %%h%u)\n", i, i);
  }
  for (unsigned i = 1; i < choices / 8; i++)
    fprintf(out,
            "  %%g%u = getelementptr i8, ptr %cg%u, i64 8\n  %%v%u = load ptr, ptr %%g%u\n"
            "  %%d%u = call ptr @websocketConnect(ptr %%url, ptr %%v%u)\n",
            i, i > 1 ? '%' : '@', i - 1, i, i, i, i);
  fputs("  br i1 %c, label %l0, label %r0\n", out);
  for (unsigned i = 0; i < choices / 2; i++) {
    fprintf(out, "l%u:\n  br label %%b%u\nr%u:\n  br label %%b%u\nb%u:\n", i, i, i, i, i);
    if (i)
      fprintf(out, "  %%p%u = phi ptr [ %%p%u, %%l%u ], [ %%p%u, %%r%u ]\n", i, i - 1, i, i - 1, i);
    else
      fputs("  %p0 = phi ptr [ @a, %l0 ], [ @b, %r0 ]\n", out);
    fprintf(out, "  br i1 %%c, label %%l%u, label %%r%u\n", i + 1, i + 1);
  }
  fprintf(out, "l%u:\n  %%d = call ptr @websocketConnect(ptr %%url, ptr %%p%u)\n  ret void\nr%u:\n  ret void\n}\n",
          choices / 2, choices / 2 - 1, choices / 2);
  fclose(out);
  return text;
}

/* Ways that many handlers go. To look at a whole way for each handler takes quadratic time. */
static struct text make_ways(unsigned size) {
  struct text text;
  FILE *out = open_memstream(&text.bytes, &text.size);
  unsigned count = size / 8;
  if (!out)
    exit(2);
  fputs("declare ptr @websocketConnect(ptr, ptr)\ndeclare ptr @a(ptr)\n"
        "@table = internal constant ptr @a\n"
        "define internal void @wide(ptr %h0",
        out);
  for (unsigned i = 1; i < count; i++)
    fprintf(out, ", ptr %%h%u", i);
  fputs(") {\n", out);
  for (unsigned i = 0; i < count; i++)
    fprintf(out, "  %%r%u = call ptr @websocketConnect(ptr @websocketConnect, ptr %%h%u)\n", i, i);
  fputs("  ret void\n}\ndefine internal void @pointed(ptr %p) {\n", out);
  for (unsigned i = 0; i < count; i++)
    fprintf(out, "  %%h%u = load ptr, ptr %%p\n  %%r%u = call ptr @websocketConnect(ptr %%h%u, ptr %%h%u)\n", i, i, i,
            i);
  fputs("  ret void\n}\ndefine void @f() {\n  %a = alloca ptr\n  store ptr @a, ptr %a\n  %p = alloca ptr\n"
        "  %i0 = insertvalue [2 x ptr] zeroinitializer, ptr @a, 1\n"
        "  %s0 = getelementptr i8, ptr @table, i64 0\n  %s1 = getelementptr i8, ptr @table, i64 0\n  call void "
        "@wide(ptr @a",
        out);
  for (unsigned i = 1; i < count; i++)
    fputs(", ptr @a", out);
  fputs(")\n", out);
  for (unsigned i = 0; i < count; i++)
    fprintf(out,
            "  call void @pointed(ptr %%a)\n"
            "  store ptr %%s%u, ptr %%p\n  %%q%u = load ptr, ptr %%p\n  %%h%u = load ptr, ptr %%q%u\n"
            "  %%r%u = call ptr @websocketConnect(ptr @table, ptr %%h%u)\n"
            "  %%i%u = insertvalue [2 x ptr] %%i%u, ptr %%h%u, %u\n  %%e%u = extractvalue [2 x ptr] %%i%u, %u\n"
            "  %%t%u = call ptr @websocketConnect(ptr @table, ptr %%e%u)\n",
            i % 2, i, i, i, i, i, i + 1, i, i, i % 2, i, i + 1, (i + 1) % 2, i, i);
  fputs("  ret void\n}\n", out);
  fclose(out);
  return text;
}

/* ---- timing */

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Measures parsing and printing, with lowering or with verifying alone. */
static double measure_once(const struct text *text, int lower) {
  LLVMModuleRef module;
  char *message = NULL;
  double start = cpu_seconds();
  LLVMContextRef llvm = LLVMContextCreate();
  osp_ws_codegen_prepare_context(llvm);
  LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRange(text->bytes, text->size, "bench", 1);
  if (LLVMParseIRInContext(llvm, buffer, &module, &message) ||
      (lower ? osp_ws_codegen_lower_module(module, NULL, NULL, NULL)
             : LLVMVerifyModule(module, LLVMReturnStatusAction, NULL)))
    exit(2);
  char *printed = LLVMPrintModuleToString(module);
  double seconds = cpu_seconds() - start;
  LLVMDisposeMessage(printed);
  LLVMDisposeModule(module);
  LLVMContextDispose(llvm);
  return seconds;
}

/* Alternates the two measurements, so that other load affects both. A ratio over the limit is measured for longer. */
static double compare(const char *what, struct text (*make)(unsigned size), unsigned size) {
  struct text text = make(size);
  double without = 0, with = 0;
  for (int i = 0; i < ROUNDS || (i < MOST_ROUNDS && with > most * without); i++) {
    double seconds = measure_once(&text, 0);
    without = i && without < seconds ? without : seconds;
    seconds = measure_once(&text, 1);
    with = i && with < seconds ? with : seconds;
  }
  printf("%7u %s, %5.1f MB: parse, verify and print %.3f s, with lowering %.3f s, ratio %.2f\n", size, what,
         (double)text.size / 1e6, without, with, with / without);
  free(text.bytes);
  return with / without;
}

int main(int argc, char **argv) {
  unsigned size = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
  double calls = 0, choices = 0, ways = 0;
  for (unsigned part = argc > 1 ? 1 : 4; part; part /= 2) {
    calls = compare("calls", make_module, size / part);
    choices = compare("choices", make_chain, size / part);
    ways = compare("ways", make_ways, size / part);
  }
  return calls > most || choices > most || ways > most_for_ways;
}
