#pragma once

/* A file of LLVM IR: read, lowered and written.
 *
 * The file holds text or bitcode; its first bytes tell which. Its bytes are kept beside the module that was parsed from
 * them, so that a diagnostic about the module can name a line. Whatever goes wrong is written to standard error as
 * `file:line: error: message`, or `file: error: message` where there is no line, and the outcome says what kind it was. */

#include <llvm-c/Types.h>
#include <stdbool.h>
#include <stddef.h>

/* Outcomes. They are the exit codes of osprey-ws-lower too. */
enum ir_outcome {
  IR_OK = 0,
  IR_INVALID = 1, /* not LLVM IR, or its WebSocket builtins are not used as they should be */
  IR_IO = 3,      /* a file could not be read or written */
};

struct ir_file {
  const char *name; /* what diagnostics call it: the path, or <stdin> */
  char *bytes;      /* NUL-terminated; owned */
  size_t size;
  bool is_bitcode;
  LLVMContextRef llvm;
  LLVMModuleRef module; /* NULL until it is parsed */
};

/* Reads the file; "-" is standard input. The file must be given to ir_file_deinit afterwards, whatever the outcome. */
enum ir_outcome ir_file_read(struct ir_file *file, const char *path);

/* Parses what was read. quiet keeps the parser's message to itself. */
enum ir_outcome ir_file_parse(struct ir_file *file, bool quiet);

/* Gives the builtins their bodies. */
enum ir_outcome ir_file_lower(struct ir_file *file);

/* Writes the module; "-" is standard output. What could not be written whole is removed. */
enum ir_outcome ir_file_write(const struct ir_file *file, const char *path, bool as_text);

/* Writes what was read, as it was. */
enum ir_outcome ir_file_write_bytes(const struct ir_file *file, const char *path);

void ir_file_deinit(struct ir_file *file);
