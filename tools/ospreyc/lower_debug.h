#pragma once
/* Debug information (DWARF): the source line of each instruction, and the names of functions and variables. */
#include "lower.h"

void lower_debug_begin(struct lower *lower);
void lower_debug_end(struct lower *lower);

/* Describes a function, and returns its scope. */
LLVMMetadataRef lower_debug_function(struct lower *lower, const struct ast_function *function, LLVMValueRef ir);

/* Describes a variable whose value is known from here on. */
void lower_debug_variable(struct lower_function *fn, const struct ast_variable *variable);

/* Gives a variable its value, and describes it. */
void lower_debug_bind(struct lower_function *fn, struct ast_variable *variable, LLVMValueRef value);

/* Sets the source position of the instructions built from now on. */
void lower_debug_place(struct lower_function *fn, struct place place);
