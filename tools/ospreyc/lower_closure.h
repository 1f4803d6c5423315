#pragma once
/* Functions as values: cells, and the code they point to (spec/abi.md).
 *
 *     @cell.NAME = private unnamed_addr constant { ptr } { ptr @fnval.NAME }
 *
 *     define internal T @fnval.NAME(ptr %cell, parameters…) {
 *       call void @osp_retain(ptr …)                    what @osprey.NAME owns: counted parameters, the cell
 *       %value = call tailcc T @osprey.NAME(…)
 *       ret T %value
 *     }
 *
 * The code of a cell borrows its arguments, as every caller of a cell expects, and passes references of its own to
 * @osprey.NAME. A function without captures has one constant cell, and @osprey.NAME then takes none.
 */
#include "lower.h"

/* The cell of a lambda that is only called, directly, in the current scope: it is on the stack, and borrows what it
 * captures. */
LLVMValueRef lower_closure_called(struct lower_function *fn, const struct ast_function *function);

struct lower_value lower_closure(struct lower_function *fn, const struct ast_function *function);

/* Inside the function: a captured value, borrowed from the cell. */
LLVMValueRef lower_closure_capture(struct lower_function *fn, size_t index);

/* The cell of the function that is being built. */
struct lower_value lower_closure_self(struct lower_function *fn);
