#include "lower_table.h"

#include "lower_string.h"
#include "lower_version.h"

#include <stdlib.h>
#include <string.h>

struct table {
  struct lower lower;
  LLVMTypeRef row;
  LLVMValueRef *rows;
  size_t count;
};

static LLVMValueRef table_text(struct table *table, const char *text) {
  return lower_string_literal(&table->lower, text, strlen(text));
}

/* Adds the function of this symbol, unless none is left of it, and moves its code to the section of the table. */
static void table_add(struct table *table, const struct ast_function *function, const char *symbol) {
  LLVMValueRef ir = LLVMGetNamedFunction(table->lower.module, symbol);
  if (!ir || LLVMIsDeclaration(ir))
    return;
  unsigned line, column;
  source_position(table->lower.program->source, function->place, &line, &column);
  LLVMSetSection(ir, "osprey_code");
  LLVMValueRef members[] = {ir, table_text(table, function->symbol), lower_word(&table->lower, line)};
  table->rows[table->count++] = LLVMConstNamedStruct(table->row, members, 3);
}

/* The body and the code of the cells. */
static void table_add_both(struct table *table, const struct ast_function *function) {
  static const char *const prefixes[] = {"osprey", "fnval"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    char *symbol = NULL;
    if (asprintf(&symbol, "%s.%s", prefixes[i], function->symbol) < 0)
      abort();
    table_add(table, function, symbol);
    free(symbol);
  }
}

/*     @functions = private constant [N x { ptr, ptr, i64 }] [{ ptr @osprey.NAME, ptr @text, i64 LINE }, …]
 *     @osp_rt_program = constant { ptr @path, ptr @functions, i64 N }
 */
void lower_table(const struct ast_program *program, LLVMModuleRef module) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  struct table table = {.lower = {.program = program,
                                  .llvm = llvm,
                                  .module = module,
                                  .word = LLVMInt64TypeInContext(llvm),
                                  .pointer = LLVMPointerTypeInContext(llvm, 0)}};
  LLVMTypeRef members[] = {table.lower.pointer, table.lower.pointer, table.lower.word};
  table.row = LLVMStructTypeInContext(llvm, members, 3, false);
  table.rows = calloc(2 * program->function_count + 1, sizeof *table.rows);
  for (size_t i = 0; i < program->function_count; i++)
    table_add_both(&table, program->functions[i]);
  /* C's main, into which the optimiser moves the program's. */
  table_add(&table, program->main ? program->main : program->init, "main");
  LLVMValueRef rows = LLVMConstArray(table.row, table.rows, (unsigned)table.count);
  LLVMValueRef content[] = {table_text(&table, program->source->path), lower_constant(&table.lower, rows, ".functions"),
                            lower_word(&table.lower, (int64_t)table.count)};
  LLVMValueRef whole = LLVMConstStructInContext(llvm, content, 3, false);
  LLVMValueRef variable = LLVMAddGlobal(module, LLVMTypeOf(whole), "osp_rt_program");
  LLVMSetInitializer(variable, whole);
  LLVMSetGlobalConstant(variable, true);
  free(table.rows);
}
