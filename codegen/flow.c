#include "flow.h"

#include "attribute.h"
#include "map.h"
#include "memory.h"
#include "part.h"
#include "type.h"

#include <stdlib.h>
#include <string.h>

enum { CG_NO_EDGE = 0 };

/* A value that is not known by itself, a function's result, or a place of a variable (value NULL). */
struct cg_node {
  LLVMValueRef value;
  struct cg_facts facts;
  size_t first_edge; /* of the edges to the nodes that this one flows into; CG_NO_EDGE: none */
};

struct cg_edge {
  size_t to, next;
};

/* The places of a variable: a node for each address that is written. At most CG_MOST_STEPPED addresses with a step are
 * kept apart; further ones share an address that meets every other. */
enum { CG_MOST_STEPPED = 16 };

struct cg_place_node {
  struct cg_address address;
  size_t node;
};

struct cg_variable {
  struct cg_map fixed; /* by offset: the node */
  struct cg_place_node *written;
  size_t written_count, written_capacity;
  struct cg_place_node stepped[CG_MOST_STEPPED + 1]; /* those of `written` with a step */
  struct cg_place_node read[CG_MOST_STEPPED + 1];    /* loads with a step */
  size_t stepped_count, read_count;
  struct cg_writes writes;
  bool has_copies;
};

struct cg_flow {
  LLVMTargetDataRef layout;
  LLVMTypeRef raw_type, code_type;
  struct cg_bases bases;
  struct cg_map by_value, by_variable, by_choice; /* the index, counted from 1 */
  struct cg_node *nodes;
  size_t node_count, node_capacity;
  struct cg_edge *edges;
  size_t edge_count, edge_capacity;
  struct cg_variable *variables;
  size_t variable_count, variable_capacity;
  LLVMValueRef *choices;
  size_t choice_count, choice_capacity;
  size_t *queue;
  size_t queue_count, queue_capacity;
  bool failed;
};

/* ---- constants */

/* dso_local_equivalent, no_cfi and ptrauth have no kind in the C API: constants of pointer type whose first operand is
 * the function. */
static bool cg_is_wrapper(LLVMValueRef value) {
  return LLVMIsAConstant(value) && !LLVMIsAConstantExpr(value) && !LLVMIsAGlobalValue(value) &&
         !LLVMIsABlockAddress(value) && !LLVMIsAConstantPointerNull(value) && !LLVMIsUndef(value) &&
         LLVMGetTypeKind(LLVMTypeOf(value)) == LLVMPointerTypeKind && LLVMGetNumOperands(value) > 0;
}

LLVMValueRef cg_flow_strip(LLVMValueRef value) {
  while (cg_is_wrapper(value) || (LLVMIsAConstantExpr(value) && (LLVMGetConstOpcode(value) == LLVMBitCast ||
                                                                 LLVMGetConstOpcode(value) == LLVMAddrSpaceCast)))
    value = LLVMGetOperand(value, 0);
  return value;
}

/* Returns the pointer that an integer is made of. */
static LLVMValueRef cg_pointer_in(LLVMValueRef constant) {
  while (LLVMIsAConstantExpr(constant) && LLVMGetConstOpcode(constant) == LLVMPtrToInt)
    constant = LLVMGetOperand(constant, 0);
  return constant;
}

bool cg_flow_is_function(LLVMValueRef value) {
  return LLVMIsAFunction(value) || ((LLVMIsAGlobalAlias(value) || LLVMIsAGlobalIFunc(value)) &&
                                    LLVMGetTypeKind(LLVMGlobalGetValueType(value)) == LLVMFunctionTypeKind);
}

LLVMValueRef cg_flow_function_behind(LLVMValueRef value) {
  while (LLVMIsAGlobalAlias(value))
    value = cg_flow_strip(LLVMAliasGetAliasee(value));
  return LLVMIsAFunction(value) ? value : NULL;
}

bool cg_flow_is_unserved(LLVMValueRef value) {
  LLVMValueRef function = cg_flow_function_behind(value);
  return function && cg_attribute_unserved(function);
}

LLVMValueRef cg_flow_code_of(LLVMValueRef cell) {
  LLVMValueRef word = LLVMGetInitializer(cell);
  while (word && (LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMStructTypeKind ||
                  LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMArrayTypeKind))
    word = LLVMGetAggregateElement(word, 0);
  return word && LLVMGetTypeKind(LLVMTypeOf(word)) == LLVMPointerTypeKind ? word : NULL;
}

/* The code of a constant cell is known, so its type is checked. */
static bool cg_is_wrong_cell(const struct cg_flow *flow, LLVMValueRef cell) {
  if (!LLVMGetInitializer(cell))
    return false;
  LLVMValueRef code = cg_flow_code_of(cell);
  if (!code || !LLVMIsGlobalConstant(cell))
    return !code;
  code = cg_flow_strip(code);
  return LLVMIsNull(code) || LLVMIsUndef(code) ||
         (cg_flow_is_function(code) && LLVMGlobalGetValueType(code) != flow->code_type);
}

/* Whether a value is null, undef, poison, a block's address or an integer cast to a pointer. */
static bool cg_is_no_cell(LLVMValueRef value) {
  return LLVMIsAConstantPointerNull(value) || LLVMIsUndef(value) || LLVMIsABlockAddress(value) ||
         (LLVMIsAConstantExpr(value) && LLVMGetConstOpcode(value) == LLVMIntToPtr);
}

/* Returns the fact about a constant; CG_FACTS for a cell. What a variable holds besides functions may be there for
 * another use of the variable, such as a null that it is initialized with. */
static enum cg_fact cg_classify(const struct cg_flow *flow, LLVMValueRef constant, bool in_memory) {
  LLVMValueRef value = cg_flow_strip(constant);
  if (cg_flow_is_function(value))
    return LLVMGlobalGetValueType(value) == flow->raw_type && !cg_flow_is_unserved(value) ? CG_FACT_RAW : CG_FACT_WRONG;
  while (LLVMIsAGlobalAlias(value))
    value = cg_flow_strip(LLVMAliasGetAliasee(value));
  if (LLVMIsAGlobalVariable(value) && cg_is_wrong_cell(flow, value))
    return in_memory ? CG_FACT_OTHER : CG_FACT_WRONG;
  if (cg_is_no_cell(value))
    return in_memory ? CG_FACTS : CG_FACT_WRONG;
  return CG_FACTS;
}

static bool cg_is_select(LLVMValueRef value) {
  return LLVMIsASelectInst(value) || (LLVMIsAConstantExpr(value) && LLVMGetConstOpcode(value) == LLVMSelect);
}

/* ---- nodes and edges */

static size_t cg_node_new(struct cg_flow *flow, LLVMValueRef value) {
  if (!CG_GROW(flow->nodes, flow->node_count, flow->node_capacity)) {
    flow->failed = true;
    return 0;
  }
  flow->nodes[flow->node_count] = (struct cg_node){.value = value, .first_edge = CG_NO_EDGE};
  return flow->node_count++;
}

/* New nodes are at the end of the array, which serves as the queue of those to expand. */
static size_t cg_node_of(struct cg_flow *flow, LLVMValueRef value) {
  size_t *number = cg_map_at(&flow->by_value, (uintptr_t)value);
  if (!number) {
    flow->failed = true;
    return 0;
  }
  if (!*number)
    *number = cg_node_new(flow, value) + 1;
  return *number - 1;
}

static void cg_mark(struct cg_flow *flow, size_t node, enum cg_fact fact, LLVMValueRef witness) {
  if (!flow->failed && fact != CG_FACTS && !flow->nodes[node].facts.witness[fact])
    flow->nodes[node].facts.witness[fact] = witness;
}

static void cg_connect(struct cg_flow *flow, size_t from, size_t to) {
  if (flow->failed || !CG_GROW(flow->edges, flow->edge_count, flow->edge_capacity)) {
    flow->failed = true;
    return;
  }
  flow->edges[flow->edge_count] = (struct cg_edge){to, flow->nodes[from].first_edge};
  flow->nodes[from].first_edge = flow->edge_count++;
}

static void cg_add_choice(struct cg_flow *flow, LLVMValueRef raw) {
  size_t *number = cg_map_at(&flow->by_choice, (uintptr_t)raw);
  if (!number || !CG_GROW(flow->choices, flow->choice_count, flow->choice_capacity)) {
    flow->failed = true;
  } else if (!*number) {
    flow->choices[flow->choice_count++] = raw;
    *number = flow->choice_count;
  }
}

static void cg_reach(struct cg_flow *flow, size_t to, LLVMValueRef from, bool in_memory) {
  if (flow->failed)
    return;
  if (!LLVMIsConstant(from) || cg_is_select(from)) {
    cg_connect(flow, cg_node_of(flow, from), to);
    return;
  }
  from = cg_pointer_in(from);
  enum cg_fact fact = cg_classify(flow, from, in_memory);
  cg_mark(flow, to, fact, from);
  if (fact == CG_FACT_RAW)
    cg_add_choice(flow, from);
}

/* ---- variables */

static size_t cg_fixed_node(struct cg_flow *flow, struct cg_variable *variable, int64_t offset) {
  size_t *number = cg_map_at(&variable->fixed, (uintptr_t)offset << 1 | 1);
  struct cg_place_node *places = variable->written;
  if (!number || !CG_GROW(places, variable->written_count, variable->written_capacity)) {
    flow->failed = true;
    return 0;
  }
  variable->written = places;
  if (!*number) {
    *number = cg_node_new(flow, NULL) + 1;
    variable->written[variable->written_count++] = (struct cg_place_node){{offset, 0}, *number - 1};
  }
  return *number - 1;
}

/* Returns the place with this address among those with a step, or a new one. `added` tells which. */
static size_t cg_stepped_node(struct cg_flow *flow, struct cg_place_node *places, size_t *count,
                              struct cg_address *address, bool *added) {
  if (*count >= CG_MOST_STEPPED)
    *address = (struct cg_address){0, 1};
  for (size_t i = 0; i < *count; i++)
    if (places[i].address.offset == address->offset && places[i].address.step == address->step) {
      *added = false;
      return places[i].node;
    }
  *added = true;
  places[*count] = (struct cg_place_node){*address, cg_node_new(flow, NULL)};
  return places[(*count)++].node;
}

static size_t cg_written_node(struct cg_flow *flow, struct cg_variable *variable, struct cg_address address) {
  bool added;
  if (!address.step)
    return cg_fixed_node(flow, variable, address.offset);
  return cg_stepped_node(flow, variable->stepped, &variable->stepped_count, &address, &added);
}

static struct cg_variable *cg_variable_of(struct cg_flow *flow, LLVMValueRef value) {
  size_t *number = cg_map_at(&flow->by_variable, (uintptr_t)value);
  if (!number || !CG_GROW(flow->variables, flow->variable_count, flow->variable_capacity)) {
    flow->failed = true;
    return NULL;
  }
  if (*number)
    return &flow->variables[*number - 1];
  struct cg_variable *variable = &flow->variables[flow->variable_count++];
  *number = flow->variable_count;
  *variable = (struct cg_variable){.written = NULL};
  cg_memory_writes(flow->layout, value, &variable->writes);
  for (size_t i = 0; i < variable->writes.count && !flow->failed; i++) {
    const struct cg_write *write = &variable->writes.items[i];
    variable->has_copies |= write->copies;
    if (write->copies)
      continue;
    size_t node = cg_written_node(flow, variable, write->address);
    if (write->value)
      cg_reach(flow, node, write->value, true);
    else
      cg_mark(flow, node, CG_FACT_OTHER, value);
  }
  flow->failed |= variable->writes.failed;
  return variable;
}

static void cg_connect_places(struct cg_flow *flow, const struct cg_place_node *places, size_t count,
                              struct cg_address address, size_t to) {
  for (size_t i = 0; i < count; i++)
    if (cg_memory_meet(places[i].address, address))
      cg_connect(flow, places[i].node, to);
}

/* The variables that a load may read. A pointer is followed backwards, like a handler, but with an address. */
enum { CG_MOST_POINTERS = 64 };

struct cg_pointers {
  struct cg_pointer {
    LLVMValueRef value;
    struct cg_address address; /* relative to the value */
  } items[CG_MOST_POINTERS];
  size_t count;
  bool unknown;
};

/* Adds a pointer unless it is there. In a loop its addresses become one with a step. */
static void cg_pointer_add(struct cg_pointers *pointers, LLVMValueRef value, struct cg_address address) {
  if (pointers->unknown && pointers->count == CG_MOST_POINTERS)
    return;
  for (size_t i = 0; i < pointers->count; i++) {
    if (pointers->items[i].value != value)
      continue;
    struct cg_address both = cg_memory_join(pointers->items[i].address, address);
    if (pointers->items[i].address.offset == both.offset && pointers->items[i].address.step == both.step)
      return;
    address = both;
  }
  if (pointers->count < CG_MOST_POINTERS)
    pointers->items[pointers->count++] = (struct cg_pointer){value, address};
  else
    pointers->unknown = true;
}

static void cg_load_variable(struct cg_flow *flow, size_t node, struct cg_variable *variable,
                             struct cg_address address) {
  if (!address.step) {
    cg_connect(flow, cg_fixed_node(flow, variable, address.offset), node);
    cg_connect_places(flow, variable->stepped, variable->stepped_count, address, node);
    return;
  }
  bool added;
  size_t read = cg_stepped_node(flow, variable->read, &variable->read_count, &address, &added);
  if (added) {
    cg_connect_places(flow, variable->written, variable->written_count, address, read);
    cg_connect_places(flow, variable->stepped, variable->stepped_count, address, read);
  }
  cg_connect(flow, read, node);
}

/* Adds what pointers a variable holds at an address, or (`copied`) what was copied to it from elsewhere. */
static void cg_pointers_in(struct cg_flow *flow, LLVMValueRef base, struct cg_address address, struct cg_address after,
                           bool copied, struct cg_pointers *pointers) {
  struct cg_variable *variable = cg_variable_of(flow, base);
  for (size_t i = 0; variable && i < variable->writes.count; i++) {
    const struct cg_write *write = &variable->writes.items[i];
    if (write->copies && copied)
      cg_pointer_add(pointers, write->value, cg_memory_add(cg_memory_subtract(address, write->address), after));
    else if (write->copies || (!write->value && !copied))
      pointers->unknown |= !copied;
    else if (!copied && cg_memory_meet(write->address, address))
      cg_pointer_add(pointers, write->value, after);
  }
}

static bool cg_known_calls(LLVMValueRef parameter, unsigned *index);

static void cg_pointer_follow(struct cg_flow *flow, size_t node, struct cg_pointer pointer,
                              struct cg_pointers *pointers) {
  static const struct cg_address none = {0, 0};
  struct cg_address address;
  unsigned index;
  LLVMValueRef base = cg_memory_base(&flow->bases, flow->layout, pointer.value, &address);
  address = cg_memory_add(address, pointer.address);
  LLVMOpcode opcode = base && LLVMIsAInstruction(base) ? LLVMGetInstructionOpcode(base) : (LLVMOpcode)0;
  if (base && cg_memory_is_variable(base)) {
    struct cg_variable *variable = cg_variable_of(flow, base);
    if (variable)
      cg_load_variable(flow, node, variable, address);
    if (variable && variable->has_copies)
      cg_pointers_in(flow, base, address, none, true, pointers);
  } else if (opcode == LLVMPHI || (base && cg_is_select(base))) {
    for (unsigned i = opcode == LLVMPHI ? 0 : 1; i < (unsigned)LLVMGetNumOperands(base); i++)
      cg_pointer_add(pointers, LLVMGetOperand(base, i), address);
  } else if (opcode == LLVMLoad) {
    struct cg_address inner;
    LLVMValueRef variable = cg_memory_base(&flow->bases, flow->layout, LLVMGetOperand(base, 0), &inner);
    if (variable && cg_memory_is_variable(variable))
      cg_pointers_in(flow, variable, inner, address, false, pointers);
    else
      pointers->unknown = true;
  } else if (base && LLVMIsAArgument(base) && cg_known_calls(base, &index)) {
    LLVMValueRef function = LLVMGetParamParent(base);
    struct cg_variable *variable = cg_attribute_has(function, index + 1, "byval") ? cg_variable_of(flow, base) : NULL;
    if (variable)
      cg_load_variable(flow, node, variable, address);
    for (LLVMUseRef use = LLVMGetFirstUse(function); use; use = LLVMGetNextUse(use))
      cg_pointer_add(pointers, LLVMGetOperand(LLVMGetUser(use), index), address);
  } else {
    pointers->unknown |= !base || !LLVMIsConstant(base) || !cg_is_no_cell(base);
  }
}

static void cg_expand_load(struct cg_flow *flow, size_t node, LLVMValueRef load) {
  struct cg_pointers pointers = {.count = 1};
  pointers.items[0] = (struct cg_pointer){LLVMGetOperand(load, 0), {0, 0}};
  for (size_t i = 0; i < pointers.count && !flow->failed; i++)
    cg_pointer_follow(flow, node, pointers.items[i], &pointers);
  flow->failed |= flow->bases.failed;
  if (pointers.unknown)
    cg_mark(flow, node, CG_FACT_OTHER, load);
}

/* ---- functions of the module */

static bool cg_is_marked(LLVMValueRef function) {
  return LLVMGetStringAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, CG_FLOW_MARK,
                                       sizeof CG_FLOW_MARK - 1);
}

/* A metadata kind that LLVM itself defines. Registering a kind would change the bitcode of a module that is refused. */
static unsigned cg_annotation(LLVMContextRef llvm) {
  return LLVMGetMDKindIDInContext(llvm, "annotation", 10);
}

void cg_flow_mark(LLVMValueRef instruction) {
  LLVMContextRef llvm = LLVMGetTypeContext(LLVMTypeOf(instruction));
  LLVMValueRef mark = LLVMMDStringInContext(llvm, CG_FLOW_MARK, sizeof CG_FLOW_MARK - 1);
  LLVMSetMetadata(instruction, cg_annotation(llvm), LLVMMDNodeInContext(llvm, &mark, 1));
}

static bool cg_is_marked_instruction(LLVMValueRef instruction) {
  LLVMValueRef node = LLVMGetMetadata(instruction, cg_annotation(LLVMGetTypeContext(LLVMTypeOf(instruction))));
  LLVMValueRef mark;
  unsigned length = 0;
  if (!node || LLVMGetMDNodeNumOperands(node) != 1)
    return false;
  LLVMGetMDNodeOperands(node, &mark);
  const char *text = mark ? LLVMGetMDString(mark, &length) : NULL;
  return text && length == sizeof CG_FLOW_MARK - 1 && !memcmp(text, CG_FLOW_MARK, length);
}

/* Whether the use of a function is a call of it, which passes what its parameters receive. */
static bool cg_is_plain_call(LLVMUseRef use, LLVMValueRef function) {
  LLVMValueRef user = LLVMGetUser(use);
  if (!(LLVMIsACallInst(user) || LLVMIsAInvokeInst(user) || LLVMIsACallBrInst(user)) ||
      LLVMGetCalledValue(user) != function || LLVMGetCalledFunctionType(user) != LLVMGlobalGetValueType(function))
    return false;
  for (unsigned i = 0; i < LLVMGetNumArgOperands(user); i++)
    if (LLVMGetOperand(user, i) == function)
      return false;
  return true;
}

/* Whether every call of the parameter's function is known. */
static bool cg_known_calls(LLVMValueRef parameter, unsigned *index) {
  LLVMValueRef function = LLVMGetParamParent(parameter);
  for (*index = 0; LLVMGetParam(function, *index) != parameter;)
    ++*index;
  bool known = cg_memory_is_local(function) && !cg_is_marked(function);
  for (LLVMUseRef use = LLVMGetFirstUse(function); use && known; use = LLVMGetNextUse(use))
    known = cg_is_plain_call(use, function);
  return known;
}

static void cg_expand_parameter(struct cg_flow *flow, size_t node, LLVMValueRef parameter) {
  LLVMValueRef function = LLVMGetParamParent(parameter);
  unsigned index;
  bool known = cg_known_calls(parameter, &index);
  if (!known)
    cg_mark(flow, node, CG_FACT_OTHER, parameter);
  for (LLVMUseRef use = LLVMGetFirstUse(function); use && known; use = LLVMGetNextUse(use))
    cg_reach(flow, node, LLVMGetOperand(LLVMGetUser(use), index), false);
}

/* The node of a function stands for its results. */
static void cg_expand_function(struct cg_flow *flow, size_t node, LLVMValueRef function) {
  for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block; block = LLVMGetNextBasicBlock(block)) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    if (end && LLVMIsAReturnInst(end) && LLVMGetNumOperands(end) == 1)
      cg_reach(flow, node, LLVMGetOperand(end, 0), false);
  }
}

static void cg_expand_call(struct cg_flow *flow, size_t node, LLVMValueRef call) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  bool is_function = LLVMIsAFunction(callee);
  if (is_function && cg_is_marked(callee))
    return;
  if (is_function && cg_memory_is_local(callee) && LLVMGetCalledFunctionType(call) == LLVMGlobalGetValueType(callee))
    cg_connect(flow, cg_node_of(flow, callee), node);
  else
    cg_mark(flow, node, CG_FACT_OTHER, call);
}

/* The other members of an aggregate are no handlers, and neither is a null that it begins with. */
static void cg_expand_extract(struct cg_flow *flow, size_t node, LLVMValueRef extract) {
  struct cg_parts parts;
  cg_parts_of(extract, cg_known_calls, &parts);
  for (size_t i = 0; i < parts.count; i++)
    if (!parts.items[i].levels)
      cg_reach(flow, node, parts.items[i].value, true);
  if (parts.unknown)
    cg_mark(flow, node, CG_FACT_OTHER, extract);
}

static void cg_expand(struct cg_flow *flow, size_t node) {
  LLVMValueRef value = flow->nodes[node].value;
  LLVMOpcode opcode = value && LLVMIsAInstruction(value) ? LLVMGetInstructionOpcode(value) : (LLVMOpcode)0;
  if (!value)
    return;
  if (LLVMIsAFunction(value)) {
    cg_expand_function(flow, node, value);
  } else if (LLVMIsAArgument(value)) {
    cg_expand_parameter(flow, node, value);
  } else if (opcode == LLVMLoad ||
             (opcode == LLVMAtomicRMW && LLVMGetAtomicRMWBinOp(value) == LLVMAtomicRMWBinOpXchg)) {
    cg_expand_load(flow, node, value);
  } else if (opcode == LLVMBitCast || opcode == LLVMAddrSpaceCast || opcode == LLVMFreeze || opcode == LLVMPtrToInt ||
             opcode == LLVMIntToPtr || cg_memory_is_same_pointer(value)) {
    cg_reach(flow, node, LLVMGetOperand(value, 0), false);
  } else if (opcode == LLVMCall || opcode == LLVMInvoke || opcode == LLVMCallBr) {
    cg_expand_call(flow, node, value);
  } else if (opcode == LLVMExtractValue) {
    cg_expand_extract(flow, node, value);
  } else if (opcode == LLVMSelect && cg_is_marked_instruction(value)) {
    return;
  } else if (opcode == LLVMPHI || cg_is_select(value)) {
    for (unsigned i = opcode == LLVMPHI ? 0 : 1; i < (unsigned)LLVMGetNumOperands(value); i++)
      cg_reach(flow, node, LLVMGetOperand(value, i), false);
  } else {
    cg_mark(flow, node, CG_FACT_OTHER, value);
  }
}

/* ---- the whole */

struct cg_flow *cg_flow_new(LLVMModuleRef module, const struct osp_ws_codegen_type *handler) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  struct cg_flow *flow = calloc(1, sizeof *flow);
  if (!flow)
    return NULL;
  flow->layout = LLVMGetModuleDataLayout(module);
  flow->raw_type = cg_type_raw_handler(llvm, handler);
  flow->code_type = osp_ws_codegen_handler_type(llvm, handler);
  if (CG_GROW(flow->edges, flow->edge_count, flow->edge_capacity))
    flow->edges[flow->edge_count++] = (struct cg_edge){0, 0}; /* the edge CG_NO_EDGE */
  else
    flow->failed = true;
  return flow;
}

void cg_flow_free(struct cg_flow *flow) {
  if (!flow)
    return;
  for (size_t i = 0; i < flow->variable_count; i++) {
    cg_map_free(&flow->variables[i].fixed);
    free(flow->variables[i].written);
    free(flow->variables[i].writes.items);
  }
  cg_memory_free(&flow->bases);
  cg_map_free(&flow->by_value);
  cg_map_free(&flow->by_variable);
  cg_map_free(&flow->by_choice);
  free(flow->nodes);
  free(flow->edges);
  free(flow->variables);
  free(flow->choices);
  free(flow->queue);
  free(flow);
}

static bool cg_has_node(LLVMValueRef operand) {
  return !LLVMIsConstant(operand) || cg_is_select(operand);
}

/* Unreachable code may have a circle of bitcasts. The walk takes care of it, and of longer chains. */
LLVMValueRef cg_flow_operand(LLVMValueRef operand) {
  for (int i = 0; i < 4 && LLVMIsABitCastInst(operand); i++)
    operand = LLVMGetOperand(operand, 0);
  return operand;
}

void cg_flow_add(struct cg_flow *flow, LLVMValueRef operand) {
  operand = cg_flow_operand(operand);
  if (cg_has_node(operand))
    cg_node_of(flow, operand);
}

static void cg_enqueue(struct cg_flow *flow, size_t node) {
  if (CG_GROW(flow->queue, flow->queue_count, flow->queue_capacity))
    flow->queue[flow->queue_count++] = node;
  else
    flow->failed = true;
}

/* Carries one fact forward. Each node enters the queue once. */
static void cg_spread(struct cg_flow *flow, enum cg_fact fact) {
  flow->queue_count = 0;
  for (size_t i = 0; i < flow->node_count; i++)
    if (flow->nodes[i].facts.witness[fact])
      cg_enqueue(flow, i);
  for (size_t i = 0; i < flow->queue_count && !flow->failed; i++) {
    const struct cg_node *node = &flow->nodes[flow->queue[i]];
    for (size_t edge = node->first_edge; edge != CG_NO_EDGE; edge = flow->edges[edge].next) {
      struct cg_facts *facts = &flow->nodes[flow->edges[edge].to].facts;
      if (facts->witness[fact])
        continue;
      facts->witness[fact] = node->facts.witness[fact];
      cg_enqueue(flow, flow->edges[edge].to);
    }
  }
}

bool cg_flow_solve(struct cg_flow *flow) {
  for (size_t i = 0; i < flow->node_count && !flow->failed; i++)
    cg_expand(flow, i);
  for (int fact = 0; fact < CG_FACTS && !flow->failed; fact++)
    cg_spread(flow, (enum cg_fact)fact);
  return !flow->failed;
}

struct cg_facts cg_flow_facts(const struct cg_flow *flow, LLVMValueRef operand) {
  struct cg_facts facts = {{NULL}};
  operand = cg_flow_operand(operand);
  if (cg_has_node(operand))
    return flow->nodes[cg_map_find(&flow->by_value, (uintptr_t)operand) - 1].facts;
  enum cg_fact fact = cg_classify(flow, operand, false);
  if (fact != CG_FACTS)
    facts.witness[fact] = operand;
  return facts;
}

const LLVMValueRef *cg_flow_choices(const struct cg_flow *flow, size_t *count) {
  *count = flow->choice_count;
  return flow->choices;
}
