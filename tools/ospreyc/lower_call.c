#include "lower_call.h"

#include "lower_closure.h"
#include "lower_debug.h"
#include "lower_expr.h"
#include "lower_library.h"
#include "lower_program.h"
#include "lower_string.h"
#include "lower_type.h"
#include "lower_version.h"

#include "osprey_ws_codegen.h"

#include <stdlib.h>
#include <string.h>

static void call_report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  struct lower *lower = context;
  fprintf(lower->err, "error: %s\n", diagnostic->message);
  lower->failed = true;
}

/* Evaluates the arguments, in order. */
static struct lower_value *call_arguments(struct lower_function *fn, const struct ast_list *list) {
  struct lower_value *values = calloc(list->count + 1, sizeof *values);
  for (size_t i = 0; i < list->count; i++)
    values[i] = lower_expr(fn, list->items[i]);
  return values;
}

/* T @osprey.NAME(cell, arguments…). Releases the cleanups above `moving`. The caller still owns what it passes to a
 * parameter that borrows. */
static LLVMValueRef call_function(struct lower_function *fn, const struct lower_callee *callee,
                                  const struct lower_value *arguments, size_t moving) {
  const struct ast_function *function = callee->function;
  LLVMValueRef *values = calloc(function->parameter_count + 1, sizeof *values);
  unsigned count = 0;
  if (function->capture_count > 0)
    values[count++] = function->cell_borrowed
                          ? callee->cell
                          : lower_own_moving(fn, callee->type, lower_borrowed(callee->cell), moving);
  for (size_t i = 0; i < function->parameter_count; i++) {
    const struct ast_variable *parameter = function->parameters[i];
    values[count++] =
        parameter->borrowed ? arguments[i].ir : lower_own_moving(fn, parameter->type, arguments[i], moving);
  }
  lower_release_to(fn, moving);
  lower_circle_add(fn->lower, fn->ast, function);
  LLVMValueRef ir = lower_program_function(fn->lower, function);
  LLVMValueRef value = LLVMBuildCall2(fn->lower->builder, LLVMGlobalGetValueType(ir), ir, values, count, "");
  LLVMSetInstructionCallConv(value, LLVMGetFunctionCallConv(ir));
  free(values);
  return value;
}

/* C's type of an extern's parameter, or of its result: of an int that is declared as CInt, i32. */
static LLVMTypeRef call_c_type(struct lower *lower, const struct type *type, bool is_c_int) {
  return is_c_int ? LLVMInt32TypeInContext(lower->llvm) : lower_type(lower, type);
}

static LLVMTypeRef call_external_type(struct lower *lower, const struct ast_extern *external) {
  const struct type *type = external->type;
  size_t count = type->function.parameter_count;
  LLVMTypeRef *parameters = calloc(count + 1, sizeof *parameters);
  for (size_t i = 0; i < count; i++)
    parameters[i] = call_c_type(lower, type->function.parameters[i], external->is_c_int[i]);
  LLVMTypeRef result = call_c_type(lower, type->function.result, external->is_c_int[count]);
  LLVMTypeRef function = LLVMFunctionType(result, parameters, (unsigned)count, false);
  free(parameters);
  return function;
}

/* A call in the C convention. The callee borrows the arguments; the owned ones are dropped afterwards. */
static LLVMValueRef call_borrowing(struct lower_function *fn, LLVMTypeRef type, LLVMValueRef callee, LLVMValueRef cell,
                                   const struct lower_value *arguments, size_t argument_count) {
  LLVMValueRef *values = calloc(argument_count + 1, sizeof *values);
  unsigned count = 0;
  if (cell)
    values[count++] = cell;
  for (size_t i = 0; i < argument_count; i++)
    values[count++] = arguments[i].ir;
  LLVMValueRef value = LLVMBuildCall2(fn->lower->builder, type, callee, values, count, "");
  for (size_t i = 0; i < argument_count; i++)
    lower_drop(fn, arguments[i]);
  free(values);
  return value;
}

/*     %code = load ptr, ptr %cell
 *     %value = call T %code(ptr %cell, arguments…)
 * if the function is unknown. */
struct lower_value lower_call_callee(struct lower_function *fn, const struct lower_callee *callee,
                                     const struct lower_value *arguments) {
  struct lower *lower = fn->lower;
  const struct type *result = callee->type->function.result;
  if (callee->function) {
    LLVMValueRef value = call_function(fn, callee, arguments, fn->cleanup_count);
    for (size_t i = 0; i < callee->function->parameter_count; i++)
      if (callee->function->parameters[i]->borrowed)
        lower_drop(fn, arguments[i]);
    return lower_fresh(result, value);
  }
  LLVMValueRef code = LLVMBuildLoad2(lower->builder, lower->pointer, callee->cell, "code");
  LLVMTypeRef type = lower_type_function(lower, callee->type, true);
  size_t count = callee->type->function.parameter_count;
  return lower_fresh(result, call_borrowing(fn, type, code, callee->cell, arguments, count));
}

struct lower_callee lower_call_open(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower_callee callee = {.type = expr->type};
  if (expr->kind == AST_CLOSURE)
    callee.function = expr->function;
  if (callee.function && callee.function->capture_count > 0 && callee.function->cell_borrowed)
    callee.cell = lower_closure_called(fn, callee.function);
  else if (!callee.function || callee.function->capture_count > 0)
    callee.cell = lower_keep(fn, lower_expr(fn, expr));
  return callee;
}

static struct lower_callee call_callee(struct lower_function *fn, const struct ast_call *call) {
  struct lower_callee callee = {.function = call->function};
  if (call->callee == AST_CALL_VALUE) {
    callee = lower_call_open(fn, call->value);
    callee.function = call->function ? call->function : callee.function;
  } else {
    callee.type = call->function->type;
    callee.cell = fn->cell;
  }
  return callee;
}

/* C passes a bool as a byte that is 0 or 1. */
static void call_extend(struct lower *lower, LLVMValueRef function, unsigned at, const struct type *type) {
  if (type->kind == TYPE_BOOL)
    lower_attribute(lower, function, at, "zeroext", 0);
}

/*     %null = icmp eq ptr %value, null
 *     br i1 %null, label %null, label %there
 *   null:
 *     call void @osp_rt_null_result(ptr LINE)        noreturn
 *     unreachable
 *   there:
 */
static void call_check_null(struct lower_function *fn, const struct ast_expr *expr, LLVMValueRef value) {
  struct lower *lower = fn->lower;
  const struct source *source = lower->program->source;
  LLVMBasicBlockRef null = lower_block_new(fn, "null"), there = lower_block_new(fn, "there");
  unsigned line, column;
  char *text = NULL;
  source_position(source, expr->place, &line, &column);
  if (asprintf(&text, "%s:%u:%u: extern fn '%s' returned NULL instead of a %s", source->path, line, column,
               expr->call.external->name, expr->type->kind == TYPE_STRING ? "string" : "value") < 0)
    abort();
  LLVMBuildCondBr(lower->builder, LLVMBuildIsNull(lower->builder, value, ""), null, there);
  lower_block_enter(fn, null);
  LLVMValueRef argument = lower_string_literal(lower, text, strlen(text));
  lower_call_hook(lower, "osp_rt_null_result", NULL, &argument, 1);
  LLVMBuildUnreachable(lower->builder);
  lower_block_enter(fn, there);
  free(text);
}

/* The int for a CInt loses its upper half before the call, and that from one gets it from its sign. */
static LLVMValueRef call_declared(struct lower_function *fn, const struct ast_expr *expr, LLVMTypeRef type,
                                  LLVMValueRef function) {
  struct lower *lower = fn->lower;
  const struct ast_call *call = &expr->call;
  const bool *is_c_int = call->callee == AST_CALL_EXTERN ? call->external->is_c_int : NULL;
  struct lower_value *arguments = call_arguments(fn, &call->arguments);
  size_t count = call->arguments.count;
  lower_debug_place(fn, expr->place);
  for (size_t i = 0; is_c_int && i < count; i++)
    if (is_c_int[i])
      arguments[i].ir = LLVMBuildTrunc(lower->builder, arguments[i].ir, LLVMInt32TypeInContext(lower->llvm), "");
  for (size_t i = 0; call->callee == AST_CALL_EXTERN && call->external->frees && i < count; i++)
    arguments[i].owned = false;
  LLVMValueRef value = call_borrowing(fn, type, function, NULL, arguments, count);
  if (is_c_int && is_c_int[count])
    value = LLVMBuildSExt(lower->builder, value, lower->word, "");
  free(arguments);
  return value;
}

static struct lower_value call_extern(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower *lower = fn->lower;
  const struct type *external = expr->call.external->type;
  LLVMTypeRef type = call_external_type(lower, expr->call.external);
  LLVMValueRef function = LLVMGetNamedFunction(lower->module, expr->call.external->name);
  if (!function) {
    function = LLVMAddFunction(lower->module, expr->call.external->name, type);
    call_extend(lower, function, LLVMAttributeReturnIndex, external->function.result);
    for (unsigned i = 0; i < external->function.parameter_count; i++)
      call_extend(lower, function, i + 1, external->function.parameters[i]);
  }
  LLVMValueRef value = call_declared(fn, expr, type, function);
  if (type_is_managed(expr->type))
    call_check_null(fn, expr, value);
  return lower_fresh(expr->type, value);
}

/* %result = call ptr @websocketSend(i64 %id, ptr %message) */
static LLVMValueRef call_builtin(struct lower_function *fn, const struct ast_expr *expr, const char *name,
                                 LLVMTypeRef result) {
  struct lower *lower = fn->lower;
  LLVMValueRef function = osp_ws_codegen_declare(lower->module, name, call_report, lower);
  if (!function)
    return LLVMGetPoison(result);
  return call_declared(fn, expr, LLVMGlobalGetValueType(function), function);
}

bool lower_call_is_builtin(const struct ast_expr *expr) {
  return expr->kind == AST_CALL && expr->call.callee == AST_CALL_BUILTIN;
}

LLVMValueRef lower_call_unboxed(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower *lower = fn->lower;
  LLVMTypeRef members[] = {lower_type(lower, expr->type->result.value), lower->pointer};
  char *name = NULL;
  if (asprintf(&name, "%s.unboxed", expr->call.name) < 0)
    abort();
  LLVMValueRef pair = call_builtin(fn, expr, name, LLVMStructTypeInContext(lower->llvm, members, 2, false));
  free(name);
  return pair;
}

struct lower_value lower_call(struct lower_function *fn, const struct ast_expr *expr) {
  const struct ast_call *call = &expr->call;
  if (call->callee == AST_CALL_EXTERN)
    return call_extern(fn, expr);
  if (call->callee == AST_CALL_BUILTIN)
    return lower_fresh(expr->type, call_builtin(fn, expr, call->name, fn->lower->pointer));
  if (call->callee == AST_CALL_LIBRARY)
    return expr->type->kind == TYPE_RESULT ? lower_result(fn, expr) : lower_library(fn, expr);
  size_t depth = fn->cleanup_count;
  struct lower_callee callee = call_callee(fn, call);
  struct lower_value *arguments = call_arguments(fn, &call->arguments);
  lower_debug_place(fn, expr->place);
  struct lower_value value = lower_call_callee(fn, &callee, arguments);
  lower_leave(fn, depth);
  free(arguments);
  return value;
}

bool lower_call_is_tail(const struct ast_expr *expr) {
  return expr->kind == AST_CALL && expr->call.tail && expr->call.function &&
         (expr->call.callee == AST_CALL_FUNCTION || expr->call.callee == AST_CALL_SELF ||
          expr->call.callee == AST_CALL_VALUE);
}

void lower_call_tail(struct lower_function *fn, const struct ast_expr *expr) {
  size_t depth = fn->cleanup_count;
  struct lower_callee callee = call_callee(fn, &expr->call);
  struct lower_value *arguments = call_arguments(fn, &expr->call.arguments);
  lower_debug_place(fn, expr->place);
  LLVMValueRef value = call_function(fn, &callee, arguments, 0);
  lower_version_must_tail(value);
  LLVMBuildRet(fn->lower->builder, value);
  lower_pop_to(fn, depth);
  free(arguments);
}
