#include "ir_file.h"

#include <errno.h>
#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir_locate.h"
#include "osprey_ws_codegen.h"

static enum ir_outcome ir_io_error(const char *name, const char *what) {
  fprintf(stderr, "%s: error: cannot %s: %s\n", name, what, strerror(errno));
  return IR_IO;
}

/* ---- reading */

static bool ir_read_all(struct ir_file *file, FILE *stream) {
  size_t capacity = 0;
  do {
    if (capacity - file->size < 2) {
      capacity = capacity ? 2 * capacity : 1 << 16;
      char *bytes = realloc(file->bytes, capacity);
      if (!bytes)
        return false;
      file->bytes = bytes;
    }
    file->size += fread(file->bytes + file->size, 1, capacity - file->size - 1, stream);
  } while (!feof(stream) && !ferror(stream));
  file->bytes[file->size] = '\0';
  return !ferror(stream);
}

/* Bitcode begins with 'BC' C0 DE, or on some systems with the wrapper magic 0B17C0DE. */
static bool ir_is_bitcode(const struct ir_file *file) {
  return file->size >= 4 && (!memcmp(file->bytes, "BC\xC0\xDE", 4) || !memcmp(file->bytes, "\xDE\xC0\x17\x0B", 4));
}

enum ir_outcome ir_file_read(struct ir_file *file, const char *path) {
  bool is_stdin = !strcmp(path, "-");
  *file = (struct ir_file){.name = is_stdin ? "<stdin>" : path};
  FILE *stream = is_stdin ? stdin : fopen(path, "rb");
  bool ok = stream && ir_read_all(file, stream);
  int error = errno;
  if (stream && !is_stdin)
    fclose(stream);
  errno = error;
  if (!ok)
    return ir_io_error(file->name, "read it");
  file->is_bitcode = ir_is_bitcode(file);
  return IR_OK;
}

/* ---- parsing and lowering */

/* What LLVM would say of its own accord, and then exit: the parser returns the same text. */
static void ir_ignore_diagnostic(LLVMDiagnosticInfoRef info, void *context) {
  (void)info;
  (void)context;
}

/* What LLVM says of a file with two modules, if it says anything, does not tell what to do. It says the same of the
 * magic number alone. */
static void ir_explain(const struct ir_file *file, const char *message) {
  enum { MAGIC = 8 };
  if (file->is_bitcode && file->size > MAGIC && strstr(message, "Expected a single module"))
    fprintf(stderr,
            "%s: note: the file was split for ThinLTO: the WebSocket builtins have to be lowered before that, while it "
            "is one module\n",
            file->name);
}

enum ir_outcome ir_file_parse(struct ir_file *file, bool quiet) {
  char *message = NULL;
  file->llvm = LLVMContextCreate();
  LLVMContextSetDiagnosticHandler(file->llvm, ir_ignore_diagnostic, NULL);
  osp_ws_codegen_prepare_context(file->llvm);
  LLVMMemoryBufferRef buffer = LLVMCreateMemoryBufferWithMemoryRange(file->bytes, file->size, file->name, true);
  if (!LLVMParseIRInContext(file->llvm, buffer, &file->module, &message))
    return IR_OK;
  file->module = NULL;
  if (!quiet)
    fprintf(stderr, "%s%s", message, *message && message[strlen(message) - 1] == '\n' ? "" : "\n");
  ir_explain(file, message);
  LLVMDisposeMessage(message);
  return IR_INVALID;
}

/* Each lookup of a line reads the text from its beginning. */
enum { IR_MAX_ERRORS = 20 };

/* Codegen reports errors builtin by builtin; they are printed in the order of their lines. */
struct ir_errors {
  const struct ir_file *file;
  unsigned count; /* of all errors */
  struct ir_error {
    unsigned line; /* 0: unknown */
    char *text;
  } kept[IR_MAX_ERRORS];
};

static void ir_report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  struct ir_errors *errors = context;
  const struct ir_file *file = errors->file;
  if (errors->count++ >= IR_MAX_ERRORS)
    return;
  struct ir_error *error = &errors->kept[errors->count - 1];
  error->line = diagnostic->value && !file->is_bitcode ? ir_locate(file->bytes, diagnostic->value) : 0;
  error->text = strdup(diagnostic->message);
}

static int ir_compare_lines(const void *left, const void *right) {
  unsigned a = ((const struct ir_error *)left)->line, b = ((const struct ir_error *)right)->line;
  return (a > b) - (a < b);
}

static void ir_print_errors(struct ir_errors *errors) {
  const char *name = errors->file->name;
  unsigned kept = errors->count < IR_MAX_ERRORS ? errors->count : IR_MAX_ERRORS;
  qsort(errors->kept, kept, sizeof *errors->kept, ir_compare_lines);
  for (unsigned i = 0; i < kept; i++) {
    const struct ir_error *error = &errors->kept[i];
    const char *text = error->text ? error->text : "out of memory";
    if (error->line)
      fprintf(stderr, "%s:%u: error: %s\n", name, error->line, text);
    else
      fprintf(stderr, "%s: error: %s\n", name, text);
    free(error->text);
  }
  if (errors->count > kept)
    fprintf(stderr, "%s: error: %u more errors\n", name, errors->count - kept);
}

enum ir_outcome ir_file_lower(struct ir_file *file) {
  struct ir_errors errors = {.file = file};
  int status = osp_ws_codegen_lower_module(file->module, NULL, ir_report, &errors);
  ir_print_errors(&errors);
  return status ? IR_INVALID : IR_OK;
}

/* ---- writing */

static bool ir_write_text(const struct ir_file *file, FILE *stream) {
  char *text = LLVMPrintModuleToString(file->module);
  size_t length = strlen(text);
  bool ok = fwrite(text, 1, length, stream) == length;
  LLVMDisposeMessage(text);
  return ok;
}

static bool ir_write_bitcode(const struct ir_file *file, FILE *stream) {
  LLVMMemoryBufferRef buffer = LLVMWriteBitcodeToMemoryBuffer(file->module);
  size_t size = LLVMGetBufferSize(buffer);
  bool ok = fwrite(LLVMGetBufferStart(buffer), 1, size, stream) == size;
  LLVMDisposeMemoryBuffer(buffer);
  return ok;
}

/* Removes an incomplete file, but no device or pipe. */
static void ir_remove_file(const char *path) {
  struct stat status;
  if (!lstat(path, &status) && S_ISREG(status.st_mode))
    unlink(path);
}

static bool ir_write_bytes(const struct ir_file *file, FILE *stream) {
  return fwrite(file->bytes, 1, file->size, stream) == file->size;
}

static enum ir_outcome ir_write(const struct ir_file *file, const char *path,
                                bool (*write)(const struct ir_file *file, FILE *stream)) {
  bool is_stdout = !strcmp(path, "-");
  FILE *stream = is_stdout ? stdout : fopen(path, "wb");
  if (!stream)
    return ir_io_error(path, "write it");
  bool ok = write(file, stream);
  ok = (is_stdout ? fflush(stream) : fclose(stream)) == 0 && ok;
  if (ok)
    return IR_OK;
  enum ir_outcome outcome = ir_io_error(is_stdout ? "<stdout>" : path, "write it");
  if (!is_stdout)
    ir_remove_file(path);
  return outcome;
}

enum ir_outcome ir_file_write(const struct ir_file *file, const char *path, bool as_text) {
  return ir_write(file, path, as_text ? ir_write_text : ir_write_bitcode);
}

enum ir_outcome ir_file_write_bytes(const struct ir_file *file, const char *path) {
  return ir_write(file, path, ir_write_bytes);
}

void ir_file_deinit(struct ir_file *file) {
  if (file->module)
    LLVMDisposeModule(file->module);
  if (file->llvm)
    LLVMContextDispose(file->llvm);
  free(file->bytes);
  *file = (struct ir_file){0};
}
