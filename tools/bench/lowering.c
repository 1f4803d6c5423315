/* The cost of lowering: the time to parse, lower and print a module, relative to the time to parse and print it.
 *
 *     lowering [CALLS]
 *
 * The module has CALLS calls of builtins (default: 100,000), eight per function, and a raw handler in every other
 * function. Prints the CPU times at a quarter, a half and all of that size, each the best of several rounds. Exits with
 * 1 if the ratio at full size exceeds 1.5, the limit of LOWER-5.
 */
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "osprey_ws_codegen.h"

enum { CALLS_PER_FUNCTION = 8, ROUNDS = 3 };
static const double most = 1.5;

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

/* ---- timing */

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Measures parsing and printing, with or without lowering. */
static double measure_once(const struct text *text, int lower) {
  LLVMModuleRef module;
  char *message = NULL;
  double start = cpu_seconds();
  LLVMContextRef llvm = LLVMContextCreate();
  osp_ws_codegen_prepare_context(llvm);
  LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRange(text->bytes, text->size, "bench", 1);
  if (LLVMParseIRInContext(llvm, buffer, &module, &message) ||
      (lower && osp_ws_codegen_lower_module(module, NULL, NULL, NULL)))
    exit(2);
  char *printed = LLVMPrintModuleToString(module);
  double seconds = cpu_seconds() - start;
  LLVMDisposeMessage(printed);
  LLVMDisposeModule(module);
  LLVMContextDispose(llvm);
  return seconds;
}

/* Alternates the two measurements, so that other load affects both. */
static double compare(unsigned calls) {
  struct text text = make_module(calls);
  double without = 0, with = 0;
  for (int i = 0; i < ROUNDS; i++) {
    double seconds = measure_once(&text, 0);
    without = i && without < seconds ? without : seconds;
    seconds = measure_once(&text, 1);
    with = i && with < seconds ? with : seconds;
  }
  printf("%7u calls, %5.1f MB: parse and print %.3f s, with lowering %.3f s, ratio %.2f\n", calls,
         (double)text.size / 1e6, without, with, with / without);
  free(text.bytes);
  return with / without;
}

int main(int argc, char **argv) {
  unsigned calls = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
  compare(calls / 4);
  compare(calls / 2);
  return compare(calls) > most;
}
