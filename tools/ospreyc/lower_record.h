#pragma once
/* Records and the variants of unions.
 *
 *     %record = call ptr @osp_alloc_tagged_noinit(i64 SIZE, i64 META)
 *     { i64 tag, fields… }
 */
#include "lower.h"

struct lower_value lower_record_construct(struct lower_function *fn, const struct ast_expr *expr);
struct lower_value lower_record_update(struct lower_function *fn, const struct ast_expr *expr);
struct lower_value lower_record_field(struct lower_function *fn, const struct ast_expr *expr);

/* Loads a field, borrowed from the record. */
LLVMValueRef lower_record_load(struct lower_function *fn, const struct type_constructor *constructor, unsigned index,
                               LLVMValueRef record);
LLVMValueRef lower_record_tag(struct lower_function *fn, LLVMValueRef record);
