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

struct ir_name {
  const char *bytes;
  size_t length;
};

static struct ir_name ir_name_of(LLVMValueRef global) {
  struct ir_name name;
  name.bytes = LLVMGetValueName2(global, &name.length);
  return name;
}

static int ir_hex(char c) {
  static const char digits[] = "0123456789abcdef";
  const char *at = c ? strchr(digits, c | 0x20) : NULL;
  return at ? (int)(at - digits) : -1;
}

/* Returns what follows the name at `at`, plain or quoted with escapes (\C3), or NULL if this is another name. */
static const char *ir_behind_name(const char *at, struct ir_name name) {
  bool quoted = *at == '"';
  at += quoted;
  for (size_t i = 0; i < name.length; i++) {
    bool escaped = quoted && at[0] == '\\' && ir_hex(at[1]) >= 0 && ir_hex(at[2]) >= 0;
    int byte = escaped ? ir_hex(at[1]) << 4 | ir_hex(at[2]) : (unsigned char)*at;
    if (byte != (unsigned char)name.bytes[i])
      return NULL;
    at += escaped ? 3 : 1;
  }
  return !quoted ? at : *at == '"' ? at + 1 : NULL;
}

/* Returns what follows `@name (` at the @, or NULL. */
static const char *ir_behind_function(const char *at, struct ir_name name) {
  at = ir_behind_name(at + 1, name);
  at += at ? strspn(at, " ") : 0;
  return at && *at == '(' ? at + 1 : NULL;
}

/* Counts the occurrences of @name( in code. */
static unsigned ir_count_name(const char *code, const char *end, struct ir_name name) {
  unsigned count = 0;
  while ((code = memchr(code, '@', (size_t)(end - code))) != NULL) {
    const char *behind = ir_behind_function(code, name);
    count += behind != NULL && behind <= end;
    code++;
  }
  return count;
}

static bool ir_begins_with(const char *line, const char *word) {
  line += strspn(line, " \t");
  return !strncmp(line, word, strlen(word));
}

/* Moves the cursor to the line that declares or defines the function: the first that it names. Returns what follows the
 * name, or NULL. */
static const char *ir_find_function(struct ir_cursor *cursor, struct ir_name name) {
  do {
    bool is_function = ir_begins_with(cursor->at, "declare ") || ir_begins_with(cursor->at, "define ");
    const char *at = is_function ? memchr(cursor->at, '@', ir_code_length(cursor->at)) : NULL;
    const char *behind = at ? ir_behind_function(at, name) : NULL;
    if (!behind)
      continue;
    while (cursor->at + strcspn(cursor->at, "\n") < behind) /* a name may have a newline */
      ir_next_line(cursor);
    return behind;
  } while (ir_next_line(cursor));
  return NULL;
}

/* Returns the line of a variable or an alias: @name = … */
static unsigned ir_locate_variable(struct ir_cursor *cursor, struct ir_name name) {
  do {
    const char *behind = cursor->at[0] == '@' ? ir_behind_name(cursor->at + 1, name) : NULL;
    if (behind && *behind == ' ')
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

/* Searches for the call from the name of the calling function on. A body may be in its line. */
static unsigned ir_locate_call(struct ir_cursor *cursor, const char *from, LLVMValueRef call) {
  struct ir_name callee = ir_name_of(LLVMGetCalledValue(call));
  unsigned before = ir_calls_before(call);
  bool is_head = true;
  do {
    const char *end = from + ir_code_length(from);
    unsigned here = ir_count_name(from, end, callee);
    if (here > before)
      return cursor->line;
    before -= here;
    while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
      end--;
    if (*from == '}' || (is_head && end > from && end[-1] == '}') || !ir_next_line(cursor))
      return 0;
    is_head = false;
    from = cursor->at;
  } while (true);
}

unsigned ir_locate(const char *text, LLVMValueRef value) {
  struct ir_cursor cursor = {text, 1};
  bool is_call = LLVMIsACallInst(value) || LLVMIsAInvokeInst(value);
  if (LLVMIsAGlobalVariable(value) || LLVMIsAGlobalAlias(value) || LLVMIsAGlobalIFunc(value))
    return ir_locate_variable(&cursor, ir_name_of(value));
  LLVMValueRef function = is_call ? ir_function_of(value) : value;
  const char *behind = LLVMIsAFunction(function) ? ir_find_function(&cursor, ir_name_of(function)) : NULL;
  if (!behind)
    return 0;
  return is_call ? ir_locate_call(&cursor, behind, value) : cursor.line;
}
