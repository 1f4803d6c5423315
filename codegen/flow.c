#include "flow.h"

#include "attribute.h"
#include "callers.h"
#include "constant.h"
#include "map.h"
#include "memory.h"
#include "type.h"
#include "writes.h"

#include <stdlib.h>
#include <string.h>

enum { CG_NO_EDGE = 0 };

/* A value that is not known by itself or a part of it, a function's result, or a place of a variable (value NULL). */
struct cg_node {
  LLVMValueRef value;
  cg_path path;
  struct cg_facts facts;
  size_t first_edge; /* of the edges to the nodes that this one flows into; CG_NO_EDGE: none */
  bool is_bits;      /* only the fact CG_FACT_RAW flows on */
};

struct cg_edge {
  size_t to, next;
};

/* A list of pointers, each once. At most CG_MOST_POINTERS are kept, and one more that tells of others. */
enum { CG_MOST_POINTERS = 64, CG_LIST_END = 0 };

struct cg_list {
  size_t id, first, count;
};

struct cg_listed {
  LLVMValueRef value; /* NULL: an unknown one */
  size_t next;
};

/* The places of a variable: a node for each address that is written, and the pointers that are written there. At most
 * CG_MOST_STEPPED addresses with a step are kept apart; further ones share an address that meets every other. */
enum { CG_MOST_STEPPED = 16 };

struct cg_place_node {
  struct cg_address address;
  size_t node;
  struct cg_list held;
};

struct cg_variable {
  struct cg_map fixed; /* by offset: the index in `written`, counted from 1 */
  struct cg_place_node *written;
  size_t written_count, written_capacity;
  struct cg_place_node stepped[CG_MOST_STEPPED + 1]; /* those that are written with a step */
  struct cg_place_node read[CG_MOST_STEPPED + 1];    /* loads with a step */
  size_t stepped_count, read_count;
  struct cg_writes writes;
  struct cg_write copies[CG_MOST_POINTERS]; /* each once */
  size_t copy_count;
  bool unknown, copies_unknown; /* something else may be written, or copied */
};

struct cg_flow {
  LLVMTypeRef raw_type, code_type;
  struct cg_memory memory;
  struct cg_callers callers;
  struct cg_map by_value, by_number, by_path, by_part, by_variable, by_choice, by_merge, by_listed; /* from 1 */
  struct cg_node *nodes;
  size_t node_count, node_capacity;
  struct cg_edge *edges;
  size_t edge_count, edge_capacity;
  struct cg_variable **variables;
  size_t variable_count, variable_capacity;
  struct cg_list *merges; /* what a phi, a select or a parameter may be */
  size_t merge_count, merge_capacity;
  struct cg_listed *listed;
  size_t listed_count, listed_capacity, list_count;
  LLVMValueRef *choices;
  size_t choice_count, choice_capacity;
  size_t *queue;
  size_t queue_count, queue_capacity;
  bool failed;
};

/* ---- constants */

/* The code of a constant cell is known, so its type is checked. */
static bool cg_is_wrong_cell(const struct cg_flow *flow, LLVMValueRef cell) {
  if (!LLVMGetInitializer(cell))
    return false;
  LLVMValueRef code = cg_constant_code_of(cell);
  if (!code || !LLVMIsGlobalConstant(cell))
    return !code;
  code = cg_constant_strip(code);
  return LLVMIsNull(code) || LLVMIsUndef(code) ||
         (cg_constant_is_function(code) && LLVMGlobalGetValueType(code) != flow->code_type);
}

/* Returns the fact about a constant; CG_FACTS for a cell. What a variable holds besides functions may be there for
 * another use of the variable, such as a null that it is initialized with. */
static enum cg_fact cg_classify(const struct cg_flow *flow, LLVMValueRef constant, bool in_memory) {
  LLVMValueRef value = cg_constant_strip(constant);
  if (cg_constant_is_function(value))
    return LLVMGlobalGetValueType(value) == flow->raw_type && !cg_constant_is_unserved(value) &&
                   !cg_constant_is_signed(constant)
               ? CG_FACT_RAW
               : CG_FACT_WRONG;
  while (LLVMIsAGlobalAlias(value))
    value = cg_constant_strip(LLVMAliasGetAliasee(value));
  if (LLVMIsAGlobalVariable(value) && cg_is_wrong_cell(flow, value))
    return in_memory ? CG_FACT_OTHER : CG_FACT_WRONG;
  if (cg_constant_is_no_cell(value))
    return in_memory ? CG_FACTS : CG_FACT_WRONG;
  return CG_FACTS;
}

static bool cg_is_select(LLVMValueRef value) {
  return LLVMIsASelectInst(value) || (LLVMIsAConstantExpr(value) && LLVMGetConstOpcode(value) == LLVMSelect);
}

/* ---- nodes and edges */

static size_t cg_node_new(struct cg_flow *flow, LLVMValueRef value, cg_path path) {
  if (!CG_GROW(flow->nodes, flow->node_count, flow->node_capacity)) {
    flow->failed = true;
    return 0;
  }
  flow->nodes[flow->node_count] = (struct cg_node){.value = value, .path = path, .first_edge = CG_NO_EDGE};
  return flow->node_count++;
}

/* Returns the number of a key, a new one if it has none; 0 if out of memory. */
static uint64_t cg_number(struct cg_flow *flow, struct cg_map *map, uint64_t key) {
  size_t *number = cg_map_at(map, key);
  if (!number) {
    flow->failed = true;
    return 0;
  }
  if (!*number)
    *number = map->count;
  return *number;
}

static uint64_t cg_pair(uint64_t a, uint64_t b) {
  return a << 32 | b;
}

/* New nodes are at the end of the array, which serves as the queue of those to expand. */
static size_t cg_node_of(struct cg_flow *flow, LLVMValueRef value, cg_path path) {
  uint64_t key = (uintptr_t)value;
  if (path)
    key = cg_pair(cg_number(flow, &flow->by_number, key), cg_number(flow, &flow->by_path, path));
  size_t *number = flow->failed ? NULL : cg_map_at(path ? &flow->by_part : &flow->by_value, key);
  if (!number) {
    flow->failed = true;
    return 0;
  }
  if (!*number)
    *number = cg_node_new(flow, value, path) + 1;
  return *number - 1;
}

/* Large aggregates may have a part for each member and each insertvalue. */
enum { CG_MOST_PART_NODES = 1 << 20 };

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

/* Optimizers put undef or poison among choices that are never made. */
static void cg_reach(struct cg_flow *flow, size_t to, LLVMValueRef from, cg_path path, bool in_memory) {
  if (flow->failed || LLVMIsUndef(from))
    return;
  if (path && flow->by_part.count >= CG_MOST_PART_NODES) {
    cg_mark(flow, to, CG_FACT_OTHER, from);
    return;
  }
  if (path || !LLVMIsConstant(from) || cg_is_select(from)) {
    cg_connect(flow, cg_node_of(flow, from, path), to);
    return;
  }
  from = cg_constant_pointer_in(from);
  enum cg_fact fact = cg_classify(flow, from, in_memory);
  cg_mark(flow, to, fact, from);
  if (fact == CG_FACT_RAW)
    cg_add_choice(flow, from);
}

/* What is no pointer may be the bits of one, or a part of them. It is no handler otherwise, whatever its origin. */
static void cg_reach_bits(struct cg_flow *flow, size_t to, LLVMValueRef from, cg_path path) {
  size_t bits = cg_node_new(flow, NULL, 0);
  if (flow->failed)
    return;
  flow->nodes[bits].is_bits = true;
  cg_reach(flow, bits, from, path, true);
  cg_connect(flow, bits, to);
}

/* ---- lists of pointers */

static struct cg_list cg_list_new(struct cg_flow *flow) {
  return (struct cg_list){++flow->list_count, CG_LIST_END, 0};
}

/* Adds a pointer unless it is there. Returns false if the list is full. */
static bool cg_list_add(struct cg_flow *flow, struct cg_list *list, LLVMValueRef value) {
  value = list->count < CG_MOST_POINTERS ? value : NULL;
  uint64_t number = value ? cg_number(flow, &flow->by_number, (uintptr_t)value) : 0;
  size_t *place = flow->failed ? NULL : cg_map_at(&flow->by_listed, cg_pair(list->id, number));
  if (!place || !CG_GROW(flow->listed, flow->listed_count, flow->listed_capacity)) {
    flow->failed = true;
    return false;
  }
  if (!*place) {
    *place = flow->listed_count;
    flow->listed[flow->listed_count] = (struct cg_listed){value, list->first};
    list->first = flow->listed_count++;
    list->count++;
  }
  return list->count <= CG_MOST_POINTERS;
}

static void cg_list_merge(struct cg_flow *flow, struct cg_list *list, const struct cg_list *other) {
  for (size_t at = other->first; at != CG_LIST_END && !flow->failed; at = flow->listed[at].next)
    if (!cg_list_add(flow, list, flow->listed[at].value))
      return;
}

/* The values that a phi or a select may be, or a parameter whose every call is known. */
static struct cg_list cg_merge_of(struct cg_flow *flow, LLVMValueRef value, unsigned parameter) {
  size_t *number = cg_map_at(&flow->by_merge, (uintptr_t)value);
  if (!number || !CG_GROW(flow->merges, flow->merge_count, flow->merge_capacity)) {
    flow->failed = true;
    return (struct cg_list){0};
  }
  if (*number)
    return flow->merges[*number - 1];
  struct cg_list *list = &flow->merges[flow->merge_count++];
  *number = flow->merge_count;
  *list = cg_list_new(flow);
  if (LLVMIsAArgument(value)) {
    LLVMUseRef use = LLVMGetFirstUse(LLVMGetParamParent(value));
    for (bool more = true; use && more; use = LLVMGetNextUse(use))
      more = !cg_callers_is_call(use) || cg_list_add(flow, list, LLVMGetOperand(LLVMGetUser(use), parameter));
  } else {
    bool more = true;
    for (unsigned i = cg_is_select(value) ? 1 : 0; i < (unsigned)LLVMGetNumOperands(value) && more; i++)
      more = cg_list_add(flow, list, LLVMGetOperand(value, i));
  }
  return *list;
}

/* ---- variables */

static struct cg_place_node cg_place_new(struct cg_flow *flow, struct cg_address address) {
  return (struct cg_place_node){address, cg_node_new(flow, NULL, 0), cg_list_new(flow)};
}

static struct cg_place_node *cg_fixed_place(struct cg_flow *flow, struct cg_variable *variable, int64_t offset) {
  size_t *number = cg_map_at(&variable->fixed, (uint64_t)offset << 1 | 1);
  if (!number || !CG_GROW(variable->written, variable->written_count, variable->written_capacity)) {
    flow->failed = true;
    return NULL;
  }
  if (!*number) {
    variable->written[variable->written_count++] = cg_place_new(flow, (struct cg_address){offset, 0});
    *number = variable->written_count;
  }
  return &variable->written[*number - 1];
}

/* Returns the place with this address among those with a step, or a new one. `added` tells which. */
static struct cg_place_node *cg_stepped_place(struct cg_flow *flow, struct cg_place_node *places, size_t *count,
                                              struct cg_address address, bool *added) {
  if (*count >= CG_MOST_STEPPED)
    address = (struct cg_address){0, 1};
  for (size_t i = 0; i < *count; i++)
    if (places[i].address.offset == address.offset && places[i].address.step == address.step) {
      *added = false;
      return &places[i];
    }
  *added = true;
  places[*count] = cg_place_new(flow, address);
  return &places[(*count)++];
}

static struct cg_place_node *cg_written_place(struct cg_flow *flow, struct cg_variable *variable,
                                              struct cg_address address) {
  bool added;
  if (!address.step)
    return cg_fixed_place(flow, variable, address.offset);
  return cg_stepped_place(flow, variable->stepped, &variable->stepped_count, address, &added);
}

static void cg_add_copy(struct cg_variable *variable, const struct cg_write *write) {
  for (size_t i = 0; i < variable->copy_count; i++)
    if (variable->copies[i].value == write->value && variable->copies[i].address.offset == write->address.offset &&
        variable->copies[i].address.step == write->address.step)
      return;
  if (variable->copy_count < CG_MOST_POINTERS)
    variable->copies[variable->copy_count++] = *write;
  else
    variable->copies_unknown = true;
}

static void cg_add_write(struct cg_flow *flow, struct cg_variable *variable, LLVMValueRef base,
                         const struct cg_write *write) {
  struct cg_place_node *place = cg_written_place(flow, variable, write->address);
  variable->unknown |= !write->value;
  if (place && write->is_bits) {
    cg_reach_bits(flow, place->node, write->value, write->path);
  } else if (place && write->value) {
    cg_reach(flow, place->node, write->value, write->path, true);
    cg_list_add(flow, &place->held, write->path ? NULL : write->value);
  } else if (place) {
    cg_mark(flow, place->node, CG_FACT_OTHER, base);
  }
}

static struct cg_variable *cg_variable_of(struct cg_flow *flow, LLVMValueRef value) {
  size_t *number = cg_map_at(&flow->by_variable, (uintptr_t)value);
  if (!number || !CG_GROW(flow->variables, flow->variable_count, flow->variable_capacity)) {
    flow->failed = true;
    return NULL;
  }
  if (*number)
    return flow->variables[*number - 1];
  struct cg_variable *variable = calloc(1, sizeof *variable);
  if (!variable) {
    flow->failed = true;
    return NULL;
  }
  flow->variables[flow->variable_count++] = variable;
  *number = flow->variable_count;
  cg_writes_list(&flow->memory, value, &variable->writes);
  for (size_t i = 0; i < variable->writes.count && !flow->failed; i++)
    if (variable->writes.items[i].kind == CG_WRITE_COPY)
      cg_add_copy(variable, &variable->writes.items[i]);
    else
      cg_add_write(flow, variable, value, &variable->writes.items[i]);
  flow->failed |= variable->writes.failed || flow->memory.failed;
  return variable;
}

/* Returns the place that stands for all that a load with a step may read. */
static struct cg_place_node *cg_read_place(struct cg_flow *flow, struct cg_variable *variable,
                                           struct cg_address address) {
  bool added;
  struct cg_place_node *read = cg_stepped_place(flow, variable->read, &variable->read_count, address, &added);
  const struct cg_place_node *groups[] = {variable->written, variable->stepped};
  const size_t counts[] = {variable->written_count, variable->stepped_count};
  for (size_t group = 0; added && group < 2; group++)
    for (size_t i = 0; i < counts[group] && !flow->failed; i++)
      if (cg_address_meet(groups[group][i].address, read->address)) {
        cg_connect(flow, groups[group][i].node, read->node);
        cg_list_merge(flow, &read->held, &groups[group][i].held);
      }
  return read;
}

static void cg_load_variable(struct cg_flow *flow, size_t node, struct cg_variable *variable,
                             struct cg_address address) {
  if (address.step) {
    cg_connect(flow, cg_read_place(flow, variable, address)->node, node);
    return;
  }
  const struct cg_place_node *fixed = cg_fixed_place(flow, variable, address.offset);
  if (fixed)
    cg_connect(flow, fixed->node, node);
  for (size_t i = 0; i < variable->stepped_count; i++)
    if (cg_address_meet(variable->stepped[i].address, address))
      cg_connect(flow, variable->stepped[i].node, node);
}

/* The variables that a load may read. A pointer is followed backwards, like a handler, but with an address. */
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
  for (size_t i = 0; value && i < pointers->count; i++) {
    if (pointers->items[i].value != value)
      continue;
    struct cg_address both = cg_address_join(pointers->items[i].address, address);
    if (pointers->items[i].address.offset == both.offset && pointers->items[i].address.step == both.step)
      return;
    address = both;
  }
  if (value && pointers->count < CG_MOST_POINTERS)
    pointers->items[pointers->count++] = (struct cg_pointer){value, address};
  else
    pointers->unknown = true;
}

static void cg_pointers_add(const struct cg_flow *flow, struct cg_pointers *pointers, const struct cg_list *list,
                            struct cg_address address) {
  for (size_t at = list->first; at != CG_LIST_END; at = flow->listed[at].next)
    cg_pointer_add(pointers, flow->listed[at].value, address);
}

/* Adds what pointers a variable holds at an address. */
static void cg_pointers_in(struct cg_flow *flow, LLVMValueRef base, struct cg_address address, struct cg_address after,
                           struct cg_pointers *pointers) {
  struct cg_variable *variable = cg_variable_of(flow, base);
  if (!variable)
    return;
  pointers->unknown |= variable->unknown || variable->copy_count;
  if (address.step) {
    cg_pointers_add(flow, pointers, &cg_read_place(flow, variable, address)->held, after);
    return;
  }
  const struct cg_place_node *fixed = cg_fixed_place(flow, variable, address.offset);
  if (fixed)
    cg_pointers_add(flow, pointers, &fixed->held, after);
  for (size_t i = 0; i < variable->stepped_count; i++)
    if (cg_address_meet(variable->stepped[i].address, address))
      cg_pointers_add(flow, pointers, &variable->stepped[i].held, after);
}

/* A load from a variable also reads what was copied to it from elsewhere. */
static void cg_pointer_to_variable(struct cg_flow *flow, size_t node, LLVMValueRef base, struct cg_address address,
                                   struct cg_pointers *pointers) {
  struct cg_variable *variable = cg_variable_of(flow, base);
  if (!variable)
    return;
  cg_load_variable(flow, node, variable, address);
  pointers->unknown |= variable->copies_unknown;
  for (size_t i = 0; i < variable->copy_count; i++)
    cg_pointer_add(pointers, variable->copies[i].value, cg_address_subtract(address, variable->copies[i].address));
}

static void cg_pointer_follow(struct cg_flow *flow, size_t node, struct cg_pointer pointer,
                              struct cg_pointers *pointers) {
  struct cg_address address;
  unsigned index = 0;
  LLVMValueRef base = cg_memory_base(&flow->memory, pointer.value, &address);
  address = cg_address_add(address, pointer.address);
  LLVMOpcode opcode = base && LLVMIsAInstruction(base) ? LLVMGetInstructionOpcode(base) : (LLVMOpcode)0;
  bool passed = base && LLVMIsAArgument(base) && cg_callers_known(&flow->callers, base, &index);
  if (passed && cg_attribute_has(LLVMGetParamParent(base), index + 1, "byval"))
    cg_pointer_to_variable(flow, node, base, address, pointers);
  if (base && cg_memory_is_variable(base)) {
    cg_pointer_to_variable(flow, node, base, address, pointers);
  } else if (passed || opcode == LLVMPHI || (base && cg_is_select(base))) {
    struct cg_list list = cg_merge_of(flow, base, index);
    cg_pointers_add(flow, pointers, &list, address);
  } else if (opcode == LLVMLoad) {
    struct cg_address inner;
    LLVMValueRef variable = cg_memory_base(&flow->memory, LLVMGetOperand(base, 0), &inner);
    if (variable && cg_memory_is_variable(variable))
      cg_pointers_in(flow, variable, inner, address, pointers);
    else
      pointers->unknown = true;
  } else {
    pointers->unknown |= !base || !LLVMIsConstant(base) || !cg_constant_is_no_cell(base);
  }
}

/* The result of an instruction that reads memory, or the part of it. */
static void cg_expand_load(struct cg_flow *flow, size_t node, LLVMValueRef load, LLVMTypeRef type, cg_path path) {
  struct cg_pointers pointers = {.count = 1};
  pointers.items[0] = (struct cg_pointer){LLVMGetOperand(load, 0), {0, 0}};
  if (!cg_memory_part(&flow->memory, type, path, &pointers.items[0].address)) {
    cg_mark(flow, node, CG_FACT_OTHER, load);
    return;
  }
  for (size_t i = 0; i < pointers.count && !flow->failed; i++)
    cg_pointer_follow(flow, node, pointers.items[i], &pointers);
  flow->failed |= flow->memory.failed || flow->callers.failed;
  if (pointers.unknown)
    cg_mark(flow, node, CG_FACT_OTHER, load);
}

/* ---- functions of the module */

static void cg_expand_parameter(struct cg_flow *flow, size_t node, LLVMValueRef parameter, cg_path path) {
  unsigned index;
  if (!cg_callers_known(&flow->callers, parameter, &index)) {
    cg_mark(flow, node, CG_FACT_OTHER, parameter);
    return;
  }
  for (LLVMUseRef use = LLVMGetFirstUse(LLVMGetParamParent(parameter)); use; use = LLVMGetNextUse(use))
    if (cg_callers_is_call(use))
      cg_reach(flow, node, LLVMGetOperand(LLVMGetUser(use), index), path, false);
}

/* The node of a function stands for its results. */
static void cg_expand_function(struct cg_flow *flow, size_t node, LLVMValueRef function, cg_path path) {
  for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(function); block; block = LLVMGetNextBasicBlock(block)) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    if (end && LLVMIsAReturnInst(end) && LLVMGetNumOperands(end) == 1)
      cg_reach(flow, node, LLVMGetOperand(end, 0), path, false);
  }
}

/* Returns the argument that a function of another module is declared to return, or NULL. */
static LLVMValueRef cg_returned_argument(LLVMValueRef call, LLVMValueRef callee) {
  unsigned returned = LLVMGetEnumAttributeKindForName("returned", 8);
  for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++)
    if (LLVMGetCallSiteEnumAttribute(call, i + 1, returned) ||
        (LLVMIsAFunction(callee) && i < LLVMCountParams(callee) && cg_attribute_has(callee, i + 1, "returned")))
      return LLVMGetOperand(call, i);
  return NULL;
}

/* The operands of arithmetic, of an intrinsic or of assembly. Its result is unknown; if a plain function is among what
 * it is made of, it is refused. */
static void cg_expand_derived(struct cg_flow *flow, size_t node, LLVMValueRef value, unsigned operands) {
  cg_mark(flow, node, CG_FACT_OTHER, value);
  for (unsigned i = 0; i < operands; i++) {
    LLVMValueRef operand = LLVMGetOperand(value, i);
    LLVMTypeKind kind = LLVMGetTypeKind(LLVMTypeOf(operand));
    if (kind == LLVMVectorTypeKind)
      cg_reach_bits(flow, node, operand, CG_PATH_ANY);
    else if (kind == LLVMPointerTypeKind || kind == LLVMIntegerTypeKind || kind == LLVMDoubleTypeKind)
      cg_reach_bits(flow, node, operand, 0);
  }
}

static void cg_expand_call(struct cg_flow *flow, size_t node, LLVMValueRef call, cg_path path) {
  LLVMValueRef callee = LLVMGetCalledValue(call), returned = cg_returned_argument(call, callee);
  bool is_function = LLVMIsAFunction(callee);
  if (is_function && cg_attribute_has_text(callee, CG_FLOW_MARK))
    return;
  if (is_function && cg_memory_is_closed(callee) && LLVMGetCalledFunctionType(call) == LLVMGlobalGetValueType(callee))
    cg_connect(flow, cg_node_of(flow, callee, path), node);
  else if (returned)
    cg_reach(flow, node, returned, path, false);
  else if (LLVMIsAInlineAsm(callee) || (is_function && LLVMGetIntrinsicID(callee)))
    cg_expand_derived(flow, node, call, LLVMGetNumArgOperands(call));
  else
    cg_mark(flow, node, CG_FACT_OTHER, call);
}

/* ---- instructions */

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

/* Whether an element or member with this step may be the one that the path begins with. */
static bool cg_may_begin(cg_path path, unsigned step) {
  return step == CG_PATH_ANY || cg_path_first(path) == CG_PATH_ANY || cg_path_first(path) == step;
}

static bool cg_is_surely(cg_path path, unsigned step) {
  return step != CG_PATH_ANY && cg_path_first(path) == step;
}

/* The other members of an aggregate are no handlers, and neither is a null that it begins with. */
static void cg_expand_constant(struct cg_flow *flow, size_t node, LLVMValueRef constant, cg_path path) {
  unsigned step = cg_path_first(path);
  if (LLVMIsNull(constant) || LLVMIsUndef(constant))
    return;
  LLVMValueRef part = LLVMGetAggregateElement(constant, step == CG_PATH_ANY ? 0 : step - 1);
  if (!part)
    cg_mark(flow, node, CG_FACT_OTHER, constant);
  for (unsigned i = 1; part; part = step == CG_PATH_ANY ? LLVMGetAggregateElement(constant, i++) : NULL)
    cg_reach(flow, node, part, cg_path_rest(path), true);
}

static void cg_expand_extract(struct cg_flow *flow, size_t node, LLVMValueRef extract, cg_path path) {
  bool fits = true;
  for (unsigned i = LLVMGetNumIndices(extract); i-- > 0;)
    fits = fits && cg_path_prepend(&path, cg_path_step(LLVMGetIndices(extract)[i]));
  if (fits)
    cg_reach(flow, node, LLVMGetOperand(extract, 0), path, true);
  else
    cg_mark(flow, node, CG_FACT_OTHER, extract);
}

/* An insertvalue replaces the part, or leaves it as it is, or may do either. */
static void cg_expand_insert(struct cg_flow *flow, size_t node, LLVMValueRef insert, cg_path path) {
  cg_path rest = path;
  bool may = true, surely = true;
  for (unsigned i = 0; i < LLVMGetNumIndices(insert); i++, rest = cg_path_rest(rest)) {
    unsigned step = cg_path_step(LLVMGetIndices(insert)[i]);
    may = may && rest && cg_may_begin(rest, step);
    surely = surely && cg_is_surely(rest, step);
  }
  if (may)
    cg_reach(flow, node, LLVMGetOperand(insert, 1), rest, true);
  if (!surely)
    cg_reach(flow, node, LLVMGetOperand(insert, 0), path, true);
}

static unsigned cg_element_step(LLVMValueRef index) {
  return LLVMIsAConstantInt(index) ? cg_path_step(LLVMConstIntGetZExtValue(index)) : CG_PATH_ANY;
}

static void cg_expand_insert_element(struct cg_flow *flow, size_t node, LLVMValueRef insert, cg_path path) {
  unsigned step = cg_element_step(LLVMGetOperand(insert, 2));
  if (cg_may_begin(path, step))
    cg_reach(flow, node, LLVMGetOperand(insert, 1), cg_path_rest(path), true);
  if (!cg_is_surely(path, step))
    cg_reach(flow, node, LLVMGetOperand(insert, 0), path, true);
}

static void cg_expand_shuffle(struct cg_flow *flow, size_t node, LLVMValueRef shuffle, cg_path path) {
  LLVMValueRef from = LLVMGetOperand(shuffle, 0);
  unsigned first = cg_path_first(path) == CG_PATH_ANY ? 0 : cg_path_first(path) - 1;
  unsigned end = cg_path_first(path) == CG_PATH_ANY ? LLVMGetNumMaskElements(shuffle) : first + 1;
  int size = (int)LLVMGetVectorSize(LLVMTypeOf(from));
  if (LLVMGetTypeKind(LLVMTypeOf(from)) != LLVMVectorTypeKind || end > LLVMGetNumMaskElements(shuffle)) {
    cg_mark(flow, node, CG_FACT_OTHER, shuffle);
    return;
  }
  for (unsigned i = first; i < end; i++) {
    int element = LLVMGetMaskValue(shuffle, i);
    if (element >= 0)
      cg_reach(flow, node, LLVMGetOperand(shuffle, element >= size), cg_path_step((unsigned)(element % size)), true);
  }
}

/* A place in a variable is no function. A pointer elsewhere may be a function with an offset. */
static void cg_expand_address(struct cg_flow *flow, size_t node, LLVMValueRef pointer) {
  struct cg_address address;
  LLVMValueRef base = cg_memory_base(&flow->memory, pointer, &address);
  flow->failed |= flow->memory.failed;
  if (base && cg_memory_is_variable(base))
    return;
  if (base && !address.offset && !address.step)
    cg_reach(flow, node, base, 0, false);
  else
    cg_expand_derived(flow, node, pointer, 1);
}

/* A value that is the same as its operand, as a whole or in each part. */
static bool cg_is_same(LLVMValueRef value, LLVMOpcode opcode, cg_path path) {
  if (opcode == LLVMBitCast && LLVMGetTypeKind(LLVMTypeOf(LLVMGetOperand(value, 0))) == LLVMVectorTypeKind)
    return false;
  return opcode == LLVMFreeze || opcode == LLVMAddrSpaceCast || opcode == LLVMPtrToInt || opcode == LLVMIntToPtr ||
         (opcode == LLVMBitCast && !path) || (opcode == LLVMCall && cg_memory_is_same_pointer(value));
}

static void cg_expand_instruction(struct cg_flow *flow, size_t node, LLVMValueRef value, cg_path path) {
  LLVMOpcode opcode = LLVMGetInstructionOpcode(value);
  if (opcode == LLVMLoad || opcode == LLVMAtomicCmpXchg ||
      (opcode == LLVMAtomicRMW && LLVMGetAtomicRMWBinOp(value) == LLVMAtomicRMWBinOpXchg)) {
    cg_expand_load(flow, node, value, LLVMTypeOf(value), path);
  } else if (cg_is_same(value, opcode, path)) {
    cg_reach(flow, node, LLVMGetOperand(value, 0), path, false);
  } else if (opcode == LLVMCall || opcode == LLVMInvoke || opcode == LLVMCallBr) {
    cg_expand_call(flow, node, value, path);
  } else if (opcode == LLVMExtractValue) {
    cg_expand_extract(flow, node, value, path);
  } else if (opcode == LLVMInsertValue) {
    cg_expand_insert(flow, node, value, path);
  } else if (opcode == LLVMExtractElement) {
    cg_reach(flow, node, LLVMGetOperand(value, 0), cg_element_step(LLVMGetOperand(value, 1)), true);
  } else if (opcode == LLVMInsertElement) {
    cg_expand_insert_element(flow, node, value, path);
  } else if (opcode == LLVMShuffleVector) {
    cg_expand_shuffle(flow, node, value, path);
  } else if (opcode == LLVMPHI || (opcode == LLVMSelect && !cg_is_marked_instruction(value))) {
    for (unsigned i = opcode == LLVMPHI ? 0 : 1; i < (unsigned)LLVMGetNumOperands(value); i++)
      cg_reach(flow, node, LLVMGetOperand(value, i), path, false);
  } else if (opcode == LLVMAlloca || opcode == LLVMGetElementPtr) {
    cg_expand_address(flow, node, value);
  } else if (LLVMIsABinaryOperator(value) || LLVMIsACastInst(value)) {
    cg_expand_derived(flow, node, value, (unsigned)LLVMGetNumOperands(value));
  } else if (opcode != LLVMSelect) {
    cg_mark(flow, node, CG_FACT_OTHER, value);
  }
}

static void cg_expand(struct cg_flow *flow, size_t node) {
  LLVMValueRef value = flow->nodes[node].value;
  cg_path path = flow->nodes[node].path;
  if (!value)
    return;
  if (LLVMIsAFunction(value)) {
    cg_expand_function(flow, node, value, path);
  } else if (LLVMIsAArgument(value)) {
    cg_expand_parameter(flow, node, value, path);
  } else if (LLVMIsAInstruction(value)) {
    cg_expand_instruction(flow, node, value, path);
  } else if (LLVMIsAConstantExpr(value) && cg_is_select(value)) {
    cg_reach(flow, node, LLVMGetOperand(value, 1), path, false);
    cg_reach(flow, node, LLVMGetOperand(value, 2), path, false);
  } else if (LLVMIsConstant(value)) {
    cg_expand_constant(flow, node, value, path);
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
  flow->memory.layout = LLVMGetModuleDataLayout(module);
  flow->raw_type = cg_type_raw_handler(llvm, handler);
  flow->code_type = osp_ws_codegen_handler_type(llvm, handler);
  if (CG_GROW(flow->edges, flow->edge_count, flow->edge_capacity) &&
      CG_GROW(flow->listed, flow->listed_count, flow->listed_capacity)) {
    flow->edges[flow->edge_count++] = (struct cg_edge){0, 0};         /* the edge CG_NO_EDGE */
    flow->listed[flow->listed_count++] = (struct cg_listed){NULL, 0}; /* the end CG_LIST_END */
  } else {
    flow->failed = true;
  }
  return flow;
}

void cg_flow_free(struct cg_flow *flow) {
  if (!flow)
    return;
  struct cg_map *maps[] = {&flow->by_value,    &flow->by_number, &flow->by_path,  &flow->by_part,
                           &flow->by_variable, &flow->by_choice, &flow->by_merge, &flow->by_listed};
  for (size_t i = 0; i < flow->variable_count; i++) {
    cg_map_free(&flow->variables[i]->fixed);
    free(flow->variables[i]->written);
    free(flow->variables[i]->writes.items);
    free(flow->variables[i]);
  }
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
    cg_map_free(maps[i]);
  cg_memory_free(&flow->memory);
  cg_callers_free(&flow->callers);
  free(flow->nodes);
  free(flow->edges);
  free(flow->variables);
  free(flow->merges);
  free(flow->listed);
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
    cg_node_of(flow, operand, 0);
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
    if (node->is_bits && fact != CG_FACT_RAW)
      continue;
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
