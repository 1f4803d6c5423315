#include "ir_locate.h"

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <string.h>

struct ir_cursor {
  const char *at; /* the start of a line */
  unsigned line;
};

static bool ir_next_line(struct ir_cursor *cursor) {
  cursor->at += strcspn(cursor->at, "\n");
  if (!*cursor->at)
    return false;
  cursor->at++;
  cursor->line++;
  return true;
}

/* Returns the length of the line without its comment. A semicolon in a quoted string starts no comment. */
static size_t ir_code_length(const char *line) {
  bool quoted = false;
  size_t i = 0;
  for (; line[i] && line[i] != '\n' && (quoted || line[i] != ';'); i++)
    quoted ^= line[i] == '"';
  return i;
}

/* Counts the occurrences of @name( and @"name"( in code of the given length. */
static unsigned ir_count_name(const char *code, size_t length, const char *name) {
  size_t name_length = strlen(name);
  unsigned count = 0;
  for (size_t i = 0; i + name_length + 1 < length; i++) {
    if (code[i] != '@')
      continue;
    size_t quote = code[i + 1] == '"';
    size_t end = i + 1 + quote + name_length;
    if (end + quote < length && !strncmp(code + i + 1 + quote, name, name_length) && (!quote || code[end] == '"') &&
        code[end + quote] == '(')
      count++;
  }
  return count;
}

static bool ir_begins_with(const char *line, const char *word) {
  line += strspn(line, " \t");
  return !strncmp(line, word, strlen(word));
}

/* Moves the cursor to the line that declares or defines the function. */
static bool ir_find_function(struct ir_cursor *cursor, const char *name) {
  do {
    if ((ir_begins_with(cursor->at, "declare ") || ir_begins_with(cursor->at, "define ")) &&
        ir_count_name(cursor->at, ir_code_length(cursor->at), name))
      return true;
  } while (ir_next_line(cursor));
  return false;
}

/* Returns the line of a variable or an alias: @name = … */
static unsigned ir_locate_variable(struct ir_cursor *cursor, const char *name) {
  size_t length = strlen(name);
  do {
    const char *at = cursor->at;
    size_t quote = at[0] == '@' && at[1] == '"';
    if (at[0] == '@' && !strncmp(at + 1 + quote, name, length) && at[1 + quote + length] == (quote ? '"' : ' '))
      return cursor->line;
  } while (ir_next_line(cursor));
  return 0;
}

static LLVMValueRef ir_function_of(LLVMValueRef instruction) {
  return LLVMGetBasicBlockParent(LLVMGetInstructionParent(instruction));
}

static bool ir_calls(LLVMValueRef instruction, LLVMValueRef callee) {
  return (LLVMIsACallInst(instruction) || LLVMIsAInvokeInst(instruction)) && LLVMGetCalledValue(instruction) == callee;
}

/* Counts the calls of the same callee before this one in its function. Text and module have the same order. */
static unsigned ir_calls_before(LLVMValueRef call) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  unsigned count = 0;
  LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(ir_function_of(call));
  for (; block; block = LLVMGetNextBasicBlock(block))
    for (LLVMValueRef i = LLVMGetFirstInstruction(block); i; i = LLVMGetNextInstruction(i)) {
      if (i == call)
        return count;
      count += ir_calls(i, callee);
    }
  return count;
}

/* Searches from the line of the calling function for the call. */
static unsigned ir_locate_call(struct ir_cursor *cursor, LLVMValueRef call) {
  size_t length;
  const char *callee = LLVMGetValueName2(LLVMGetCalledValue(call), &length);
  unsigned before = ir_calls_before(call);
  while (ir_next_line(cursor) && *cursor->at != '}') {
    unsigned here = ir_count_name(cursor->at, ir_code_length(cursor->at), callee);
    if (here > before)
      return cursor->line;
    before -= here;
  }
  return 0;
}

unsigned ir_locate(const char *text, LLVMValueRef value) {
  size_t length;
  struct ir_cursor cursor = {text, 1};
  bool is_call = LLVMIsACallInst(value) || LLVMIsAInvokeInst(value);
  if (LLVMIsAGlobalVariable(value) || LLVMIsAGlobalAlias(value) || LLVMIsAGlobalIFunc(value))
    return ir_locate_variable(&cursor, LLVMGetValueName2(value, &length));
  LLVMValueRef function = is_call ? ir_function_of(value) : value;
  if (!LLVMIsAFunction(function) || !ir_find_function(&cursor, LLVMGetValueName2(function, &length)))
    return 0;
  return is_call ? ir_locate_call(&cursor, value) : cursor.line;
}
