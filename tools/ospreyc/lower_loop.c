/* range(start, end) with its maps and filters, and the forEach or fold at its end.
 *
 *   head:   %i = phi … ; %accumulator = phi …          the accumulator is owned
 *           br i1 %more, label %body, label %done
 *   body:   …                                          the stages; a filter may go to step
 *   step:   %accumulator.next = phi …
 *           br label %head
 *   done:
 */
#include "lower.h"

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

/* Goes to the next element, with the accumulator as it is now. */
static void loop_continue(struct lower_function *fn, struct loop *loop, LLVMValueRef accumulator) {
  phi_add(loop->next_accumulator, accumulator, LLVMGetInsertBlock(fn->lower->builder));
  LLVMBuildBr(fn->lower->builder, loop->step);
}

static struct lower_value loop_map(struct lower_function *fn, const struct lower_callee *function,
                                   struct lower_value element) {
  return lower_call_callee(fn, function, &element);
}

/* The function gets to see the element; the element stays in hand. */
static void loop_filter(struct lower_function *fn, struct loop *loop, const struct lower_callee *function,
                        struct lower_value element) {
  LLVMBuilderRef builder = fn->lower->builder;
  struct lower_value seen = lower_borrowed(element.ir);
  LLVMValueRef passes = lower_call_callee(fn, function, &seen).ir;
  LLVMBasicBlockRef pass = lower_block_new(fn, "pass"), skip = lower_block_new(fn, "skip");
  LLVMBuildCondBr(builder, passes, pass, skip);
  lower_block_enter(fn, skip);
  lower_drop(fn, element);
  loop_continue(fn, loop, loop->accumulator);
  lower_block_enter(fn, pass);
}

static void loop_body(struct lower_function *fn, struct loop *loop) {
  struct lower_value element = lower_borrowed(loop->index);
  for (size_t i = 0; i < loop->ast->stage_count; i++) {
    if (loop->ast->stages[i].kind == AST_STAGE_MAP)
      element = loop_map(fn, &loop->stages[i], element);
    else
      loop_filter(fn, loop, &loop->stages[i], element);
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

/* Evaluates everything that is evaluated once, in order, and makes the blocks. */
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

/* The index is below the end, so adding 1 cannot overflow. */
static void loop_step(struct lower_function *fn, struct loop *loop) {
  LLVMBuilderRef builder = fn->lower->builder;
  LLVMValueRef next = LLVMBuildNSWAdd(builder, loop->index, lower_word(fn->lower, 1), "");
  phi_add(loop->index, next, loop->step);
  phi_add(loop->accumulator, loop->next_accumulator, loop->step);
  LLVMBuildBr(builder, loop->head);
}

struct lower_value lower_loop(struct lower_function *fn, const struct ast_expr *expr) {
  struct loop loop = {.ast = &expr->loop};
  size_t depth = fn->cleanup_count;
  loop_begin(fn, &loop);
  lower_block_enter(fn, loop.step);
  if (loop.accumulator)
    loop.next_accumulator = LLVMBuildPhi(fn->lower->builder, LLVMTypeOf(loop.accumulator), "");
  lower_block_enter(fn, loop.body);
  loop_body(fn, &loop);
  lower_block_enter(fn, loop.step);
  loop_step(fn, &loop);
  lower_block_enter(fn, loop.done);
  lower_release_to(fn, depth);
  lower_pop_to(fn, depth);
  free(loop.stages);
  return loop.accumulator ? lower_fresh(expr->type, loop.accumulator) : lower_unit(fn->lower);
}
