#pragma once
/* Types in IR, and the layouts of blocks (spec/abi.md). */
#include "lower.h"

/* The type of a value: i64 for int and Unit, double, i1, or a pointer. */
LLVMTypeRef lower_type(struct lower *lower, const struct type *type);

/* The blocks of a Result of `value`, of a record or variant, and of a closure's cell. */
LLVMTypeRef lower_type_result(struct lower *lower, const struct type *value);
LLVMTypeRef lower_type_constructor(struct lower *lower, const struct type_constructor *constructor);
LLVMTypeRef lower_type_cell(struct lower *lower, const struct ast_function *function);

LLVMTypeRef lower_type_function(struct lower *lower, const struct type *type, bool with_cell);

/* The meta word of a block whose members have these types; NULL for a member that is never counted. Reports a program
 * with a reference beyond the 56th word of a block, which the meta word cannot describe. */
int64_t lower_type_meta(struct lower *lower, LLVMTypeRef block, const struct type *const *members, size_t count);

LLVMValueRef lower_type_size(struct lower *lower, LLVMTypeRef block);
