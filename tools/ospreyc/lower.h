#pragma once
/* What the files of the lowering share.
 *
 * Ownership. A value of a managed type (type_is_managed) is a pointer to a counted block, or to a constant that counting ignores.
 * In hand it is either *owned* (this code must give its reference away or release it) or *borrowed*: then something that the
 * current scope keeps alive owns it: a constant, a global, the cell, or a value on the cleanup stack. Bindings are immutable,
 * so what was borrowed stays valid until the scope that lent it ends.
 *
 * - Parameters of a function of the program, its cell included, are owned by the callee. That is what allows a tail call: the
 *   caller hands its references over, releases the rest, and is gone.
 * - Cells, C functions and builtins borrow their arguments. All functions return an owned value.
 *
 * The cleanup stack lists what the function owns at this point of the text, in the order in which it came. A way out of a scope
 * (a delivery to a target, a tail call) releases from the top down to the scope's depth; the entries stay for the other ways out
 * and are popped where the text of the scope ends.
 */
#include "lower_program.h"

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>

struct lower_value {
  LLVMValueRef ir;
  bool owned; /* only of a managed type */
};

/* What the IR of an AST_VARIABLE is, by its address: a hash table with open addressing. */
struct lower_bindings {
  const struct ast_variable **keys;
  LLVMValueRef *values;
  size_t capacity; /* 0 or a power of two, more than half of it free */
  size_t count;
};

struct lower {
  const struct ast_program *program;
  FILE *err;
  bool failed;
  LLVMContextRef llvm;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMTargetDataRef layout;
  LLVMTypeRef bit, byte, word, real, pointer;
  struct lower_bindings bindings;
  LLVMDIBuilderRef debug;
  LLVMMetadataRef debug_file, debug_type;
};

struct lower_cleanup {
  LLVMValueRef ir;
  bool moved; /* given away on the way out that is being built */
};

/* The function that is being lowered. Its first block, entry, holds the allocas and nothing else. */
struct lower_function {
  struct lower *lower;
  const struct ast_function *ast;
  LLVMValueRef ir;
  LLVMValueRef cell; /* the parameter; NULL in a function without captures */
  LLVMBasicBlockRef entry;
  LLVMMetadataRef scope;
  struct lower_cleanup *cleanups;
  size_t cleanup_count, cleanup_capacity;
};

/* Where the value of an expression goes: out of the function, or to a block where several ways meet. */
struct lower_target {
  bool returns;
  size_t depth; /* the cleanup stack's height there: what lies above is released on the way */
  LLVMBasicBlockRef block;
  LLVMValueRef phi;
};

/* A Result taken apart: no block need exist. The value may be used where failed is false, the message where it is true; both are
 * borrowed, from blocks that lower_result_open pushed on the cleanup stack. */
struct lower_open {
  LLVMValueRef value;
  LLVMValueRef failed; /* i1 */
  LLVMValueRef message;
  bool counted; /* the message may be a counted block; otherwise it is a constant */
};

/* Something to be called: a function that is known, a cell, or both. The cell is borrowed. */
struct lower_callee {
  const struct ast_function *function;
  LLVMValueRef cell;
  const struct type *type;
};

/* lower_type.c: types and layouts */
LLVMTypeRef lower_type(struct lower *lower, const struct type *type);
LLVMTypeRef lower_type_result(struct lower *lower, const struct type *value);
LLVMTypeRef lower_type_constructor(struct lower *lower, const struct type_constructor *constructor);
LLVMTypeRef lower_type_cell(struct lower *lower, const struct ast_function *function);
LLVMTypeRef lower_type_function(struct lower *lower, const struct type *type, bool with_cell);
int64_t lower_type_meta(struct lower *lower, LLVMTypeRef block, const struct type *const *members, size_t count);
LLVMValueRef lower_type_size(struct lower *lower, LLVMTypeRef block);
LLVMValueRef lower_word(struct lower *lower, int64_t value);

/* lower.c: ownership, cleanups, targets */
struct lower_value lower_borrowed(LLVMValueRef ir);
struct lower_value lower_fresh(const struct type *type, LLVMValueRef ir);
struct lower_value lower_unit(struct lower *lower);
void lower_retain(struct lower_function *fn, LLVMValueRef ir);
void lower_release(struct lower_function *fn, LLVMValueRef ir);
LLVMValueRef lower_own(struct lower_function *fn, const struct type *type, struct lower_value value);
void lower_drop(struct lower_function *fn, struct lower_value value);
LLVMValueRef lower_keep(struct lower_function *fn, struct lower_value value);
void lower_push(struct lower_function *fn, LLVMValueRef ir);
void lower_release_to(struct lower_function *fn, size_t depth);
void lower_pop_to(struct lower_function *fn, size_t depth);
LLVMValueRef lower_own_moving(struct lower_function *fn, const struct type *type, struct lower_value value,
                              size_t depth);
void lower_target_begin(struct lower_function *fn, struct lower_target *target, const struct type *type);
struct lower_value lower_target_end(struct lower_function *fn, struct lower_target *target, const struct type *type);
void lower_deliver(struct lower_function *fn, const struct type *type, struct lower_value value,
                   const struct lower_target *target);
LLVMValueRef lower_select(struct lower *lower, LLVMValueRef condition, LLVMValueRef then, LLVMValueRef otherwise);
LLVMValueRef lower_or(struct lower *lower, LLVMValueRef left, LLVMValueRef right);
LLVMBasicBlockRef lower_block_new(struct lower_function *fn, const char *name);
void lower_block_enter(struct lower_function *fn, LLVMBasicBlockRef block);
void lower_bind(struct lower *lower, const struct ast_variable *variable, LLVMValueRef ir);
LLVMValueRef lower_binding(const struct lower *lower, const struct ast_variable *variable);

/* lower_hook.c: the C functions that compiled code calls */
LLVMValueRef lower_call_hook(struct lower *lower, const char *name, LLVMTypeRef result, LLVMValueRef *arguments,
                             unsigned count);
LLVMValueRef lower_alloc(struct lower *lower, LLVMTypeRef block, int64_t meta);
LLVMValueRef lower_alloc_record(struct lower *lower, LLVMTypeRef block, int64_t meta);

/* lower_function.c: functions of the program, and their forwarders */
LLVMValueRef lower_program_function(struct lower *lower, const struct ast_function *function);
void lower_function_body(struct lower *lower, const struct ast_function *function);
void lower_main(struct lower *lower);

/* lower_closure.c: functions as values */
LLVMValueRef lower_closure_code(struct lower *lower, const struct ast_function *function);
struct lower_value lower_closure(struct lower_function *fn, const struct ast_function *function);
LLVMValueRef lower_closure_capture(struct lower_function *fn, size_t index);
struct lower_value lower_closure_self(struct lower_function *fn);

/* lower_call.c */
struct lower_value lower_call(struct lower_function *fn, const struct ast_expr *expr);
bool lower_call_is_tail(const struct ast_expr *expr);
void lower_call_tail(struct lower_function *fn, const struct ast_expr *expr);
struct lower_callee lower_call_open(struct lower_function *fn, const struct ast_expr *expr);
struct lower_value lower_call_callee(struct lower_function *fn, const struct lower_callee *callee,
                                     const struct lower_value *arguments);

/* lower_result.c */
LLVMValueRef lower_result_block(struct lower_function *fn, const struct type *type, const struct lower_open *open,
                                size_t moving);
struct lower_value lower_result(struct lower_function *fn, const struct ast_expr *expr);
void lower_result_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open);
void lower_result_open_block(struct lower_function *fn, const struct type *type, struct lower_value block,
                             struct lower_open *open);

/* lower_arithmetic.c */
struct lower_value lower_arithmetic(struct lower_function *fn, const struct ast_expr *expr);
bool lower_arithmetic_is(const struct ast_expr *expr);
void lower_arithmetic_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open);

/* lower_record.c */
struct lower_value lower_record_construct(struct lower_function *fn, const struct ast_expr *expr);
struct lower_value lower_record_update(struct lower_function *fn, const struct ast_expr *expr);
struct lower_value lower_record_field(struct lower_function *fn, const struct ast_expr *expr);
LLVMValueRef lower_record_load(struct lower_function *fn, const struct type_constructor *constructor, unsigned index,
                               LLVMValueRef record);
LLVMValueRef lower_record_tag(struct lower_function *fn, LLVMValueRef record);

/* lower_string.c */
LLVMValueRef lower_string_literal(struct lower *lower, const char *bytes, size_t length);
struct lower_value lower_string_format(struct lower_function *fn, const struct ast_expr *expr);
struct lower_value lower_string_print(struct lower_function *fn, const struct ast_expr *expr);
LLVMValueRef lower_string_compare(struct lower *lower, LLVMValueRef left, LLVMValueRef right);

/* lower_match.c */
void lower_match(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target);

/* lower_loop.c */
struct lower_value lower_loop(struct lower_function *fn, const struct ast_expr *expr);

/* lower_expr.c: expressions, and those that choose between others */
struct lower_value lower_expr(struct lower_function *fn, const struct ast_expr *expr);
void lower_expr_to(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target);

/* lower_version.c: where versions of LLVM differ */
void lower_version_must_tail(LLVMValueRef call);
LLVMValueRef lower_version_string(LLVMContextRef llvm, const char *bytes, size_t length);
LLVMTypeRef lower_version_array(LLVMTypeRef element, size_t count);

/* lower_debug.c: DWARF */
void lower_debug_begin(struct lower *lower);
void lower_debug_end(struct lower *lower);
LLVMMetadataRef lower_debug_function(struct lower *lower, const struct ast_function *function, LLVMValueRef ir);
void lower_debug_place(struct lower_function *fn, struct place place);
