#include "origin.h"

#include "attribute.h"
#include "constant.h"
#include "map.h"
#include "type.h"

#include <stdlib.h>
#include <string.h>

enum { CG_NO_EDGE = 0 };

/* A value that is no constant. */
struct cg_node {
  LLVMValueRef value, wrong;
  bool compared;
  bool is_variable;  /* it may be a place in a variable */
  size_t first_edge; /* of the edges to the values that this one may become; CG_NO_EDGE: none */
};

struct cg_edge {
  size_t to, next;
  bool is_place;  /* to a place beside what the value points to */
  bool may_leave; /* the place may be outside of that */
};

struct cg_origins {
  LLVMTypeRef raw_type, code_type;
  struct cg_map by_value; /* the index, counted from 1 */
  struct cg_node *nodes;
  size_t node_count, node_capacity;
  struct cg_edge *edges;
  size_t edge_count, edge_capacity;
  size_t *queue;
  size_t queue_count, queue_capacity;
  bool failed; /* out of memory */
};

/* ---- constants */

enum cg_kind {
  CG_KIND_CELL,
  CG_KIND_PLAIN,   /* a plain function of the handler's type */
  CG_KIND_UNKNOWN, /* an expression that is not looked into, or that may be anywhere */
  CG_KIND_WRONG,   /* neither a function of this type nor a cell */
};

/* A variable is a cell unless it is constant and holds something else: others are filled at run time. */
static bool cg_is_wrong_cell(const struct cg_origins *origins, LLVMValueRef variable) {
  LLVMValueRef code = cg_constant_code_of(variable);
  if (code && cg_constant_is_function(code))
    return LLVMGlobalGetValueType(code) != origins->code_type;
  return code && cg_constant_is_no_address(code);
}

static enum cg_kind cg_kind_of(const struct cg_origins *origins, LLVMValueRef constant) {
  LLVMValueRef value = cg_constant_strip(constant);
  if (cg_constant_is_function(value))
    return LLVMGlobalGetValueType(value) == origins->raw_type && !cg_constant_is_unserved(value) &&
                   !cg_constant_is_signed(constant)
               ? CG_KIND_PLAIN
               : CG_KIND_WRONG;
  bool is_place = false, may_leave = false;
  LLVMValueRef base = cg_constant_base(value, &is_place, &may_leave);
  if (LLVMIsAGlobalVariable(base) && may_leave)
    return CG_KIND_UNKNOWN;
  if (LLVMIsAGlobalVariable(base)) {
    bool shows = !is_place && !cg_constant_is_replaceable_alias(value);
    return shows && cg_is_wrong_cell(origins, base) ? CG_KIND_WRONG : CG_KIND_CELL;
  }
  return cg_constant_is_function(base) || cg_constant_is_no_address(base) ? CG_KIND_WRONG : CG_KIND_UNKNOWN;
}

/* ---- instructions */

/* A metadata kind that LLVM itself defines. Registering a kind would change the bitcode of a module that is refused. */
static unsigned cg_annotation(LLVMContextRef llvm) {
  return LLVMGetMDKindIDInContext(llvm, "annotation", 10);
}

void cg_origin_mark(LLVMValueRef instruction) {
  LLVMContextRef llvm = LLVMGetTypeContext(LLVMTypeOf(instruction));
  LLVMValueRef mark = LLVMMDStringInContext(llvm, CG_ORIGIN_MARK, sizeof CG_ORIGIN_MARK - 1);
  LLVMSetMetadata(instruction, cg_annotation(llvm), LLVMMDNodeInContext(llvm, &mark, 1));
}

bool cg_origin_is_marked(LLVMValueRef instruction) {
  LLVMValueRef node = LLVMGetMetadata(instruction, cg_annotation(LLVMGetTypeContext(LLVMTypeOf(instruction))));
  LLVMValueRef mark;
  unsigned length = 0;
  if (!node || LLVMGetMDNodeNumOperands(node) != 1)
    return false;
  LLVMGetMDNodeOperands(node, &mark);
  const char *text = mark ? LLVMGetMDString(mark, &length) : NULL;
  return text && length == sizeof CG_ORIGIN_MARK - 1 && !memcmp(text, CG_ORIGIN_MARK, length);
}

/* Whether a call returns a new block, or what an earlier lowering made a cell. */
static bool cg_returns_cell(LLVMValueRef call) {
  unsigned noalias = LLVMGetEnumAttributeKindForName("noalias", 7);
  LLVMValueRef callee = LLVMGetCalledValue(call);
  if (LLVMGetCallSiteEnumAttribute(call, LLVMAttributeReturnIndex, noalias))
    return true;
  return LLVMIsAFunction(callee) && (cg_attribute_has(callee, LLVMAttributeReturnIndex, "noalias") ||
                                     cg_attribute_has_text(callee, CG_ORIGIN_MARK));
}

/* ---- the walk */

/* New nodes are at the end of the array, which serves as the queue of those to expand. */
static size_t cg_node_of(struct cg_origins *origins, LLVMValueRef value) {
  size_t *number = origins->failed ? NULL : cg_map_at(&origins->by_value, (uintptr_t)value);
  if (!number || !CG_GROW(origins->nodes, origins->node_count, origins->node_capacity)) {
    origins->failed = true;
    return 0;
  }
  if (!*number) {
    origins->nodes[origins->node_count++] = (struct cg_node){.value = value, .first_edge = CG_NO_EDGE};
    *number = origins->node_count;
  }
  return *number - 1;
}

static void cg_connect(struct cg_origins *origins, size_t from, size_t to, bool is_place, bool may_leave) {
  if (origins->failed || !CG_GROW(origins->edges, origins->edge_count, origins->edge_capacity)) {
    origins->failed = true;
    return;
  }
  origins->edges[origins->edge_count] = (struct cg_edge){to, origins->nodes[from].first_edge, is_place, may_leave};
  origins->nodes[from].first_edge = origins->edge_count++;
}

/* Optimizers put undef or poison among choices that are never made. */
static void cg_reach_constant(struct cg_origins *origins, struct cg_node *to, LLVMValueRef from, bool is_place) {
  bool beside = false, may_leave = false;
  LLVMValueRef base = cg_constant_base(from, &beside, &may_leave);
  to->is_variable |= LLVMIsAGlobalVariable(base) != NULL;
  if (is_place) {
    to->compared |= may_leave || !LLVMIsAGlobalVariable(base);
  } else if (!LLVMIsUndef(from)) {
    enum cg_kind kind = cg_kind_of(origins, from);
    to->compared |= kind == CG_KIND_PLAIN || kind == CG_KIND_UNKNOWN;
    if (kind == CG_KIND_WRONG)
      to->wrong = from;
  }
}

static void cg_reach_place(struct cg_origins *origins, size_t to, LLVMValueRef from, bool is_place, bool may_leave) {
  if (!LLVMIsConstant(from))
    cg_connect(origins, cg_node_of(origins, from), to, is_place, may_leave);
  else
    cg_reach_constant(origins, &origins->nodes[to], from, is_place);
}

static void cg_reach(struct cg_origins *origins, size_t to, LLVMValueRef from) {
  cg_reach_place(origins, to, from, false, false);
}

/* Without inbounds an address may leave its variable: a table may hold the distances of functions from itself. */
static void cg_expand_place(struct cg_origins *origins, size_t node, LLVMValueRef gep) {
  LLVMValueRef base = LLVMGetOperand(gep, 0);
  bool is_place = !cg_constant_has_no_offset(gep);
  bool may_leave = is_place && !LLVMIsInBounds(gep);
  cg_reach_place(origins, node, base, is_place, may_leave);
  origins->nodes[node].compared |= may_leave && LLVMIsConstant(base);
}

static void cg_expand(struct cg_origins *origins, size_t node) {
  LLVMValueRef value = origins->nodes[node].value;
  LLVMOpcode opcode = LLVMIsAInstruction(value) ? LLVMGetInstructionOpcode(value) : (LLVMOpcode)0;
  LLVMValueRef first = LLVMIsAInstruction(value) && LLVMGetNumOperands(value) ? LLVMGetOperand(value, 0) : NULL;
  switch ((int)opcode) {
  case LLVMAlloca:
    break;
  case LLVMBitCast:
    if (LLVMGetTypeKind(LLVMTypeOf(first)) == LLVMPointerTypeKind)
      cg_reach(origins, node, first);
    else
      origins->nodes[node].compared = true;
    break;
  case LLVMFreeze:
    cg_reach(origins, node, first);
    break;
  case LLVMGetElementPtr:
    cg_expand_place(origins, node, value);
    break;
  case LLVMPHI:
    for (unsigned i = 0; i < LLVMCountIncoming(value) && !origins->failed; i++)
      cg_reach(origins, node, LLVMGetIncomingValue(value, i));
    break;
  case LLVMSelect:
    for (unsigned i = 1; i <= 2 && !origins->failed && !cg_origin_is_marked(value); i++)
      cg_reach(origins, node, LLVMGetOperand(value, i));
    break;
  case LLVMCall:
  case LLVMInvoke:
    origins->nodes[node].compared = !cg_returns_cell(value);
    break;
  default:
    origins->nodes[node].compared = true;
  }
}

/* ---- the whole */

struct cg_origins *cg_origins_new(LLVMModuleRef module, const struct osp_ws_codegen_type *handler) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  struct cg_origins *origins = calloc(1, sizeof *origins);
  if (!origins)
    return NULL;
  origins->raw_type = cg_type_raw_handler(llvm, handler);
  origins->code_type = osp_ws_codegen_handler_type(llvm, handler);
  origins->failed = !CG_GROW(origins->edges, origins->edge_count, origins->edge_capacity);
  if (!origins->failed)
    origins->edges[origins->edge_count++] = (struct cg_edge){0, 0, false, false}; /* the edge CG_NO_EDGE */
  return origins;
}

void cg_origins_free(struct cg_origins *origins) {
  if (!origins)
    return;
  cg_map_free(&origins->by_value);
  free(origins->nodes);
  free(origins->edges);
  free(origins->queue);
  free(origins);
}

/* Returns the value behind the bitcasts of an operand: the public compiler emits one. Unreachable code may have a
 * circle of bitcasts. The walk takes care of it, and of longer chains. */
static LLVMValueRef cg_behind_bitcasts(LLVMValueRef operand) {
  for (int i = 0; i < 4 && LLVMIsABitCastInst(operand); i++)
    operand = LLVMGetOperand(operand, 0);
  return operand;
}

void cg_origins_add(struct cg_origins *origins, LLVMValueRef operand) {
  operand = cg_behind_bitcasts(operand);
  if (!LLVMIsConstant(operand))
    cg_node_of(origins, operand);
}

static void cg_enqueue(struct cg_origins *origins, size_t node) {
  if (CG_GROW(origins->queue, origins->queue_count, origins->queue_capacity))
    origins->queue[origins->queue_count++] = node;
  else
    origins->failed = true;
}

/* Carries wrong constants forward. What is beside a wrong constant is unknown. Each node enters the queue once. */
static void cg_spread_wrong(struct cg_origins *origins) {
  origins->queue_count = 0;
  for (size_t i = 0; i < origins->node_count; i++)
    if (origins->nodes[i].wrong)
      cg_enqueue(origins, i);
  for (size_t i = 0; i < origins->queue_count && !origins->failed; i++) {
    const struct cg_node *node = &origins->nodes[origins->queue[i]];
    for (size_t edge = node->first_edge; edge != CG_NO_EDGE; edge = origins->edges[edge].next) {
      size_t at = origins->edges[edge].to;
      struct cg_node *to = &origins->nodes[at];
      if (origins->edges[edge].is_place) {
        to->compared = true;
      } else if (!to->wrong) {
        to->wrong = node->wrong;
        cg_enqueue(origins, at);
      }
    }
  }
}

/* Carries variables forward. What may leave one is compared. */
static void cg_spread_variables(struct cg_origins *origins) {
  origins->queue_count = 0;
  for (size_t i = 0; i < origins->node_count; i++)
    if (origins->nodes[i].is_variable)
      cg_enqueue(origins, i);
  for (size_t i = 0; i < origins->queue_count && !origins->failed; i++)
    for (size_t edge = origins->nodes[origins->queue[i]].first_edge; edge != CG_NO_EDGE;
         edge = origins->edges[edge].next) {
      size_t at = origins->edges[edge].to;
      struct cg_node *to = &origins->nodes[at];
      to->compared |= origins->edges[edge].may_leave;
      if (!to->is_variable) {
        to->is_variable = true;
        cg_enqueue(origins, at);
      }
    }
}

static void cg_spread_compared(struct cg_origins *origins) {
  origins->queue_count = 0;
  for (size_t i = 0; i < origins->node_count; i++)
    if (origins->nodes[i].compared)
      cg_enqueue(origins, i);
  for (size_t i = 0; i < origins->queue_count && !origins->failed; i++)
    for (size_t edge = origins->nodes[origins->queue[i]].first_edge; edge != CG_NO_EDGE;
         edge = origins->edges[edge].next) {
      size_t to = origins->edges[edge].to;
      if (!origins->nodes[to].compared) {
        origins->nodes[to].compared = true;
        cg_enqueue(origins, to);
      }
    }
}

bool cg_origins_solve(struct cg_origins *origins) {
  for (size_t i = 0; i < origins->node_count && !origins->failed; i++)
    cg_expand(origins, i);
  cg_spread_wrong(origins);
  cg_spread_variables(origins);
  cg_spread_compared(origins);
  return !origins->failed;
}

struct cg_origin cg_origins_get(const struct cg_origins *origins, LLVMValueRef operand) {
  operand = cg_behind_bitcasts(operand);
  if (!LLVMIsConstant(operand)) {
    const struct cg_node *node = &origins->nodes[cg_map_find(&origins->by_value, (uintptr_t)operand) - 1];
    return (struct cg_origin){NULL, node->wrong, node->compared};
  }
  enum cg_kind kind = cg_kind_of(origins, operand);
  return (struct cg_origin){kind == CG_KIND_PLAIN ? cg_constant_strip(operand) : NULL,
                            kind == CG_KIND_WRONG ? operand : NULL, kind == CG_KIND_UNKNOWN};
}
