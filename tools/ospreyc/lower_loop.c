#include "lower_loop.h"

#include "lower_call.h"
#include "lower_expr.h"

#include <stdlib.h>

struct loop {
  const struct ast_loop *ast;
  LLVMBasicBlockRef head, body, step, done;
  LLVMValueRef index;            /* phi in head */
  LLVMValueRef accumulator;      /* phi in head; NULL for forEach */
  LLVMValueRef next_accumulator; /* phi in step */
  struct lower_callee *stages;
  struct lower_callee function;
};

static void phi_add(LLVMValueRef phi, LLVMValueRef value, LLVMBasicBlockRef from) {
  if (phi)
    LLVMAddIncoming(phi, &value, &from, 1);
}

/* Branches to the next element, with the present accumulator. */
static void loop_continue(struct lower_function *fn, struct loop *loop, LLVMValueRef accumulator) {
  phi_add(loop->next_accumulator, accumulator, LLVMGetInsertBlock(fn->lower->builder));
  LLVMBuildBr(fn->lower->builder, loop->step);
}

static void loop_body(struct lower_function *fn, struct loop *loop) {
  LLVMBuilderRef builder = fn->lower->builder;
  struct lower_value element = lower_borrowed(loop->index);
  for (size_t i = 0; i < loop->ast->stage_count; i++) {
    if (loop->ast->stages[i].kind == AST_STAGE_MAP) {
      element = lower_call_callee(fn, &loop->stages[i], &element);
      continue;
    }
    /* A filter: the call only borrows the element. */
    struct lower_value seen = lower_borrowed(element.ir);
    LLVMValueRef passes = lower_call_callee(fn, &loop->stages[i], &seen).ir;
    LLVMBasicBlockRef pass = lower_block_new(fn, "pass"), skip = lower_block_new(fn, "skip");
    LLVMBuildCondBr(builder, passes, pass, skip);
    lower_block_enter(fn, skip);
    lower_drop(fn, element);
    loop_continue(fn, loop, loop->accumulator);
    lower_block_enter(fn, pass);
  }
  if (!loop->accumulator) {
    lower_drop(fn, lower_call_callee(fn, &loop->function, &element));
    loop_continue(fn, loop, NULL);
    return;
  }
  const struct type *type = loop->ast->initial->type;
  struct lower_value arguments[] = {lower_fresh(type, loop->accumulator), element};
  loop_continue(fn, loop, lower_call_callee(fn, &loop->function, arguments).ir);
}

/* Evaluates the operands that are evaluated once, in order, and builds the head. */
static void loop_begin(struct lower_function *fn, struct loop *loop) {
  struct lower *lower = fn->lower;
  const struct ast_loop *ast = loop->ast;
  LLVMValueRef start = lower_expr(fn, ast->start).ir, end = lower_expr(fn, ast->end).ir, initial = NULL;
  loop->stages = calloc(ast->stage_count + 1, sizeof *loop->stages);
  for (size_t i = 0; i < ast->stage_count; i++)
    loop->stages[i] = lower_call_open(fn, ast->stages[i].function);
  if (ast->initial)
    initial = lower_own(fn, ast->initial->type, lower_expr(fn, ast->initial));
  loop->function = lower_call_open(fn, ast->function);
  loop->head = lower_block_new(fn, "head");
  loop->body = lower_block_new(fn, "body");
  loop->step = lower_block_new(fn, "step");
  loop->done = lower_block_new(fn, "done");
  LLVMBasicBlockRef before = LLVMGetInsertBlock(lower->builder);
  LLVMBuildBr(lower->builder, loop->head);
  lower_block_enter(fn, loop->head);
  loop->index = LLVMBuildPhi(lower->builder, lower->word, "i");
  phi_add(loop->index, start, before);
  if (initial) {
    loop->accumulator = LLVMBuildPhi(lower->builder, LLVMTypeOf(initial), "accumulator");
    phi_add(loop->accumulator, initial, before);
  }
  LLVMValueRef more = LLVMBuildICmp(lower->builder, LLVMIntSLT, loop->index, end, "more");
  LLVMBuildCondBr(lower->builder, more, loop->body, loop->done);
}

struct lower_value lower_loop(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower *lower = fn->lower;
  struct loop loop = {.ast = &expr->loop};
  size_t depth = fn->cleanup_count;
  loop_begin(fn, &loop);
  lower_block_enter(fn, loop.step);
  if (loop.accumulator)
    loop.next_accumulator = LLVMBuildPhi(lower->builder, LLVMTypeOf(loop.accumulator), "");
  lower_block_enter(fn, loop.body);
  loop_body(fn, &loop);
  lower_block_enter(fn, loop.step);
  /* The index is below the end, so adding 1 cannot overflow. */
  phi_add(loop.index, LLVMBuildNSWAdd(lower->builder, loop.index, lower_word(lower, 1), ""), loop.step);
  phi_add(loop.accumulator, loop.next_accumulator, loop.step);
  LLVMBuildBr(lower->builder, loop.head);
  lower_block_enter(fn, loop.done);
  lower_leave(fn, depth);
  free(loop.stages);
  return loop.accumulator ? lower_fresh(expr->type, loop.accumulator) : lower_unit(lower);
}
