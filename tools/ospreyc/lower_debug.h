#pragma once
/* Debug information (DWARF): the source line of each instruction, and the names of functions. */
#include "lower.h"

void lower_debug_begin(struct lower *lower);
void lower_debug_end(struct lower *lower);

/* Describes a function, and returns its scope. */
LLVMMetadataRef lower_debug_function(struct lower *lower, const struct ast_function *function, LLVMValueRef ir);

/* Sets the source position of the instructions built from now on. */
void lower_debug_place(struct lower_function *fn, struct place place);
