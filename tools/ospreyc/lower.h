#pragma once
/* The vocabulary of lowering: values and their owners, blocks and targets, calls of the runtime's hooks.
 *
 * Ownership. A value of a managed type (type_is_managed) points to a counted block, or to a constant, which counting
 * ignores. It is either *owned* (this code must give the reference away or release it) or *borrowed*: a constant, a
 * global, the cell, or an entry of the cleanup stack holds the reference. Bindings are immutable, so a borrowed value
 * is valid until the end of the scope it is borrowed from.
 *
 * - A function of the program owns the parameters that its tail calls and its result give away, and borrows the others
 *   (lower_borrow.h), its cell included. This makes tail calls possible: the caller hands its references over and
 *   releases the rest first.
 * - Cells, C functions and builtins borrow their arguments. Every function returns an owned value.
 *
 * The cleanup stack lists the references that the function owns at the current instruction, oldest first. Each path
 * out of a scope (a delivery to a target, a tail call) releases from the top down to the depth of the scope. The
 * entries stay for the other paths, and are popped at the end of the scope's text.
 */
#include "ast.h"
#include "lower_circle.h"

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/Target.h>
#include <stdio.h>

struct lower_value {
  LLVMValueRef ir;
  bool owned; /* true only for a managed type */
};

/* The module that is being built. */
struct lower {
  const struct ast_program *program;
  FILE *err;
  bool failed;
  LLVMContextRef llvm;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMTargetDataRef layout;
  LLVMTypeRef bit, byte, word, real, pointer;
  struct lower_circle circle;
  LLVMDIBuilderRef debug;
  LLVMMetadataRef debug_file, debug_type;
  bool debug_variables; /* describe variables too: not in IR that is printed, where they would be in the reader's way */
  bool splits_blocks;   /* for a compilation without optimisation */
};

struct lower_cleanup {
  LLVMValueRef ir;
  bool moved;  /* given away on the path that is being built */
  bool absent; /* null on the path that is being built */
};

/* The function that is being built. Its first block, entry, holds the allocas and nothing else. */
struct lower_function {
  struct lower *lower;
  const struct ast_function *ast;
  LLVMValueRef ir;
  LLVMValueRef cell; /* the parameter; NULL in a function without captures */
  LLVMBasicBlockRef entry;
  LLVMValueRef parts;    /* the alloca for strings that are joined or printed; NULL if there are none yet */
  LLVMValueRef error;    /* the alloca for the message of a library function that fails; NULL if there is none yet */
  LLVMMetadataRef scope; /* of the debug information; NULL in a function without any */
  struct lower_cleanup *cleanups;
  size_t cleanup_count, cleanup_capacity;
};

/* The destination of an expression's value: the return of the function, or a block that joins several paths. */
struct lower_target {
  bool returns;
  size_t depth; /* a path to the target releases the cleanups above this */
  LLVMBasicBlockRef block;
  LLVMValueRef phi;
};

struct lower_value lower_borrowed(LLVMValueRef ir);

/* A function's result or a new block: owned if its type is managed. */
struct lower_value lower_fresh(const struct type *type, LLVMValueRef ir);

struct lower_value lower_unit(struct lower *lower);
LLVMValueRef lower_word(struct lower *lower, int64_t value);

/* Retain or release, unless the value is a constant. */
void lower_retain(struct lower_function *fn, LLVMValueRef ir);
void lower_release(struct lower_function *fn, LLVMValueRef ir);

/* Returns the value as an owned one: retains it if it is borrowed. */
LLVMValueRef lower_own(struct lower_function *fn, const struct type *type, struct lower_value value);

/* The same on a path that then releases the cleanups above `depth`: if the value's reference is among them, moves it
 * instead of retaining here and releasing there. */
LLVMValueRef lower_own_moving(struct lower_function *fn, const struct type *type, struct lower_value value,
                              size_t depth);

/* Releases an owned value. */
void lower_drop(struct lower_function *fn, struct lower_value value);

/* Returns the value as one borrowed from the current scope: pushes it if it is owned. */
LLVMValueRef lower_keep(struct lower_function *fn, struct lower_value value);

/* The cleanup stack. `release_to` builds the releases above `depth`, except of moved and absent entries; they stay.
 * `leave` also pops them. */
void lower_push(struct lower_function *fn, LLVMValueRef ir);
void lower_release_to(struct lower_function *fn, size_t depth);
void lower_pop_to(struct lower_function *fn, size_t depth);
void lower_leave(struct lower_function *fn, size_t depth);

LLVMBasicBlockRef lower_block_new(struct lower_function *fn, const char *name);

/* Reserves stack for `count` values, a constant, in the entry block. */
LLVMValueRef lower_alloca(struct lower_function *fn, LLVMTypeRef type, LLVMValueRef count, const char *name);

/* Continues in a block, and moves it to the end of the function. */
void lower_block_enter(struct lower_function *fn, LLVMBasicBlockRef block);

/* Makes a target at the current depth, for values of a type. The builder does not move. */
void lower_target_begin(struct lower_function *fn, struct lower_target *target, const struct type *type);

/* Continues at the target, and returns the value that arrives there. */
struct lower_value lower_target_end(struct lower_function *fn, struct lower_target *target, const struct type *type);

/* Releases the cleanups above the target, and ends the current block there with the value. */
void lower_deliver(struct lower_function *fn, const struct type *type, struct lower_value value,
                   const struct lower_target *target);

/* `select` and `or`, folded if a condition is constant. */
LLVMValueRef lower_select(struct lower *lower, LLVMValueRef condition, LLVMValueRef then, LLVMValueRef otherwise);
LLVMValueRef lower_or(struct lower *lower, LLVMValueRef left, LLVMValueRef right);

/* Adds a private constant that may be merged with an equal one. Its name has a dot, which no extern function has. */
LLVMValueRef lower_constant(struct lower *lower, LLVMValueRef content, const char *name);

/* Adds an attribute to a function, by LLVM's name for it. */
void lower_attribute(struct lower *lower, LLVMValueRef function, unsigned at, const char *name, uint64_t value);

/* Calls a C function of the runtime, and declares it with its attributes at the first call. The types of the arguments
 * are those of its parameters; a result type of NULL is void. */
LLVMValueRef lower_call_hook(struct lower *lower, const char *name, LLVMTypeRef result, LLVMValueRef *arguments,
                             unsigned count);

/* Allocates a block of a type. The caller of lower_alloc_record must store every member. */
LLVMValueRef lower_alloc(struct lower *lower, LLVMTypeRef block, int64_t meta);
LLVMValueRef lower_alloc_record(struct lower *lower, LLVMTypeRef block, int64_t meta);
