#pragma once
/* The table of the program's functions, by which the runtime says where a program crashed (struct osp_rt_program of
 * runtime/osprey_rt.h). To be added after optimisation, since a function whose address is taken is optimised less. */
#include "lower.h"

void lower_table(const struct ast_program *program, LLVMModuleRef module);
