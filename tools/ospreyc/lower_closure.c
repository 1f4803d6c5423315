#include "lower_closure.h"

#include "lower_expr.h"
#include "layout.h"
#include "lower_program.h"
#include "lower_type.h"

#include <stdlib.h>

static char *closure_name(const char *prefix, const struct ast_function *function) {
  char *name = NULL;
  if (asprintf(&name, "%s.%s", prefix, function->symbol) < 0)
    abort();
  return name;
}

/* The code that the cells of a function point to. */
static LLVMValueRef closure_code(struct lower *lower, const struct ast_function *function) {
  char *name = closure_name("fnval", function);
  LLVMValueRef ir = LLVMGetNamedFunction(lower->module, name);
  if (ir) {
    free(name);
    return ir;
  }
  LLVMBasicBlockRef here = LLVMGetInsertBlock(lower->builder);
  LLVMMetadataRef place = LLVMGetCurrentDebugLocation2(lower->builder);
  ir = LLVMAddFunction(lower->module, name, lower_type_function(lower, function->type, true));
  free(name);
  LLVMSetLinkage(ir, LLVMInternalLinkage);
  struct lower_function fn = {.lower = lower, .ast = function, .ir = ir};
  LLVMValueRef *arguments = calloc(function->parameter_count + 1, sizeof *arguments);
  unsigned count = 0;
  LLVMPositionBuilderAtEnd(lower->builder, lower_block_new(&fn, "entry"));
  LLVMSetCurrentDebugLocation2(lower->builder, NULL);
  if (function->capture_count > 0) {
    arguments[count++] = LLVMGetParam(ir, 0);
    if (!function->cell_borrowed)
      lower_retain(&fn, arguments[0]);
  }
  for (size_t i = 0; i < function->parameter_count; i++) {
    LLVMValueRef argument = LLVMGetParam(ir, (unsigned)i + 1);
    if (!function->parameters[i]->borrowed)
      lower_own(&fn, function->parameters[i]->type, lower_borrowed(argument));
    arguments[count++] = argument;
  }
  LLVMValueRef body = lower_program_function(lower, function);
  LLVMValueRef value = LLVMBuildCall2(lower->builder, LLVMGlobalGetValueType(body), body, arguments, count, "value");
  LLVMSetInstructionCallConv(value, LLVMGetFunctionCallConv(body));
  LLVMBuildRet(lower->builder, value);
  free(arguments);
  LLVMPositionBuilderAtEnd(lower->builder, here);
  LLVMSetCurrentDebugLocation2(lower->builder, place);
  return ir;
}

/* The constant cell of a function without captures. */
static LLVMValueRef closure_constant(struct lower *lower, const struct ast_function *function) {
  char *name = closure_name("cell", function);
  LLVMValueRef cell = LLVMGetNamedGlobal(lower->module, name);
  if (!cell) {
    LLVMValueRef code = closure_code(lower, function);
    LLVMValueRef content = LLVMConstStructInContext(lower->llvm, &code, 1, false);
    cell = lower_constant(lower, content, name);
  }
  free(name);
  return cell;
}

/* %cell = call ptr @osp_alloc_tagged(i64 SIZE, i64 META), then stores of the code and the captured values. */
static LLVMValueRef closure_fresh(struct lower_function *fn, const struct ast_function *function) {
  struct lower *lower = fn->lower;
  LLVMTypeRef type = lower_type_cell(lower, function);
  size_t count = LAYOUT_CELL_captures + function->capture_count;
  const struct type **members = calloc(count, sizeof *members);
  LLVMValueRef *values = calloc(count, sizeof *values);
  values[LAYOUT_CELL_code] = closure_code(lower, function);
  for (size_t i = 0; i < function->capture_count; i++) {
    size_t at = LAYOUT_CELL_captures + i;
    members[at] = function->captures[i].variable->type;
    values[at] = lower_own(fn, members[at], lower_expr(fn, function->captures[i].value));
  }
  LLVMValueRef cell = lower_alloc(lower, type, lower_type_meta(lower, type, members, count));
  for (size_t i = 0; i < count; i++)
    LLVMBuildStore(lower->builder, values[i], LLVMBuildStructGEP2(lower->builder, type, cell, (unsigned)i, ""));
  free(members);
  free(values);
  return cell;
}

LLVMValueRef lower_closure_called(struct lower_function *fn, const struct ast_function *function) {
  struct lower *lower = fn->lower;
  LLVMTypeRef type = lower_type_cell(lower, function);
  LLVMValueRef cell = lower_alloca(fn, type, lower_word(lower, 1), "called");
  for (size_t i = 0; i < function->capture_count; i++) {
    LLVMValueRef value = lower_keep(fn, lower_expr(fn, function->captures[i].value));
    unsigned at = LAYOUT_CELL_captures + (unsigned)i;
    LLVMBuildStore(lower->builder, value, LLVMBuildStructGEP2(lower->builder, type, cell, at, ""));
  }
  return cell;
}

struct lower_value lower_closure(struct lower_function *fn, const struct ast_function *function) {
  lower_circle_add(fn->lower, fn->ast, function);
  if (function->capture_count == 0)
    return lower_borrowed(closure_constant(fn->lower, function));
  return lower_fresh(function->type, closure_fresh(fn, function));
}

LLVMValueRef lower_closure_capture(struct lower_function *fn, size_t index) {
  struct lower *lower = fn->lower;
  const struct ast_variable *variable = fn->ast->captures[index].variable;
  LLVMTypeRef cell = lower_type_cell(lower, fn->ast);
  LLVMValueRef slot = LLVMBuildStructGEP2(lower->builder, cell, fn->cell, LAYOUT_CELL_captures + (unsigned)index, "");
  return LLVMBuildLoad2(lower->builder, lower_type(lower, variable->type), slot, variable->name);
}

struct lower_value lower_closure_self(struct lower_function *fn) {
  return lower_borrowed(fn->cell ? fn->cell : closure_constant(fn->lower, fn->ast));
}
