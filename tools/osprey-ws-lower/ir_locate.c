#include "ir_locate.h"

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <string.h>

/* A place in the text, and the number of its line. */
struct ir_cursor {
  const char *at;
  unsigned line;
};

static size_t ir_line_length(const char *line) {
  return strcspn(line, "\n");
}

static bool ir_next_line(struct ir_cursor *cursor) {
  cursor->at += ir_line_length(cursor->at);
  if (!*cursor->at)
    return false;
  cursor->at++;
  cursor->line++;
  return true;
}

/* The length of what comes before a comment. A semicolon inside a quoted string begins none. */
static size_t ir_code_length(const char *line) {
  bool quoted = false;
  size_t i = 0;
  for (; line[i] && line[i] != '\n' && (quoted || line[i] != ';'); i++)
    quoted ^= line[i] == '"';
  return i;
}

/* Counts the times that code, of this length, names the function in front of a list in parentheses: @name( or
 * @"name"(. */
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

/* Moves to the line that declares or defines a function. */
static bool ir_find_function(struct ir_cursor *cursor, const char *name) {
  do {
    if ((ir_begins_with(cursor->at, "declare ") || ir_begins_with(cursor->at, "define ")) &&
        ir_count_name(cursor->at, ir_code_length(cursor->at), name))
      return true;
  } while (ir_next_line(cursor));
  return false;
}

/* The line on which a variable or an alias begins: @name = … */
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

/* How many calls of the same function come before this one in its own: text and module have them in the same order. */
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

/* From the line that begins the calling function to the call. */
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
  if (LLVMIsAGlobalVariable(value) || LLVMIsAGlobalAlias(value))
    return ir_locate_variable(&cursor, LLVMGetValueName2(value, &length));
  LLVMValueRef function = is_call ? ir_function_of(value) : value;
  if (!LLVMIsAFunction(function) || !ir_find_function(&cursor, LLVMGetValueName2(function, &length)))
    return 0;
  return is_call ? ir_locate_call(&cursor, value) : cursor.line;
}
