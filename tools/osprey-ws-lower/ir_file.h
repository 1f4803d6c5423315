#pragma once
/* A file of LLVM IR, textual or bitcode: read, parse, lower, write.
 *
 * The first bytes determine the format. The bytes are kept beside the parsed module, so that diagnostics can name a
 * line. Errors go to standard error as `file:line: error: message`, or `file: error: message` without a line.
 */
#include <llvm-c/Types.h>
#include <stdbool.h>
#include <stddef.h>

/* Also the exit codes of osprey-ws-lower. */
enum ir_outcome {
  IR_OK = 0,
  IR_INVALID = 1, /* not LLVM IR, or a builtin is misused */
  IR_IO = 3,      /* a file could not be read or written */
};

struct ir_file {
  const char *name; /* for diagnostics: the path, or <stdin>; borrowed */
  char *bytes;      /* NUL-terminated; owned */
  size_t size;
  bool is_bitcode;
  LLVMContextRef llvm;
  LLVMModuleRef module; /* NULL until parsed */
};

/* Reads the file; "-" is standard input. Call ir_file_deinit whatever the outcome. */
enum ir_outcome ir_file_read(struct ir_file *file, const char *path);
void ir_file_deinit(struct ir_file *file);

/* Parses the bytes. `quiet` suppresses the parser's message. */
enum ir_outcome ir_file_parse(struct ir_file *file, bool quiet);

/* Lowers the builtins in the module. */
enum ir_outcome ir_file_lower(struct ir_file *file);

/* Writes the module; "-" is standard output. Removes a regular file that could not be written completely. */
enum ir_outcome ir_file_write(const struct ir_file *file, const char *path, bool as_text);

/* Writes the bytes as they were read. */
enum ir_outcome ir_file_write_bytes(const struct ir_file *file, const char *path);
