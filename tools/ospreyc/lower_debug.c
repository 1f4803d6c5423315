#include "lower_debug.h"

#include "lower_version.h"

#include <stdlib.h>
#include <string.h>

static void debug_flag(struct lower *lower, const char *name, unsigned value) {
  LLVMMetadataRef flag = LLVMValueAsMetadata(LLVMConstInt(LLVMInt32TypeInContext(lower->llvm), value, false));
  LLVMAddModuleFlag(lower->module, LLVMModuleFlagBehaviorWarning, name, strlen(name), flag);
}

void lower_debug_begin(struct lower *lower) {
  static const char producer[] = "ospreyc";
  const char *path = lower->program->source->path;
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  char *directory = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
  debug_flag(lower, "Debug Info Version", LLVMDebugMetadataVersion());
  debug_flag(lower, "Dwarf Version", 4); /* 5 brings an index of this unit alone, and gdb misses the others */
  lower->debug = LLVMCreateDIBuilder(lower->module);
  lower->debug_file = LLVMDIBuilderCreateFile(lower->debug, name, strlen(name), directory, strlen(directory));
  /* DWARF has no number for Osprey. With C's, debuggers read expressions in C syntax. */
  LLVMDIBuilderCreateCompileUnit(lower->debug, LLVMDWARFSourceLanguageC11, lower->debug_file, producer,
                                 strlen(producer), true, "", 0, 0, "", 0, LLVMDWARFEmissionFull, 0, false, false, "", 0,
                                 "", 0);
  lower->debug_type = LLVMDIBuilderCreateSubroutineType(lower->debug, lower->debug_file, NULL, 0, LLVMDIFlagZero);
  free(directory);
}

void lower_debug_end(struct lower *lower) {
  LLVMDIBuilderFinalize(lower->debug);
  LLVMDisposeDIBuilder(lower->debug);
}

LLVMMetadataRef lower_debug_function(struct lower *lower, const struct ast_function *function, LLVMValueRef ir) {
  unsigned line = 0, column = 0;
  source_position(lower->program->source, function->place, &line, &column);
  size_t length = 0;
  const char *symbol = LLVMGetValueName2(ir, &length);
  LLVMMetadataRef scope = LLVMDIBuilderCreateFunction(lower->debug, lower->debug_file, function->symbol,
                                                      strlen(function->symbol), symbol, length, lower->debug_file, line,
                                                      lower->debug_type, true, true, line, LLVMDIFlagZero, true);
  LLVMSetSubprogram(ir, scope);
  return scope;
}

void lower_debug_place(struct lower_function *fn, struct place place) {
  if (!fn->scope)
    return;
  unsigned line = 0, column = 0;
  source_position(fn->lower->program->source, place, &line, &column);
  LLVMMetadataRef location = LLVMDIBuilderCreateDebugLocation(fn->lower->llvm, line, column, fn->scope, NULL);
  LLVMSetCurrentDebugLocation2(fn->lower->builder, location);
}

/* DWARF's numbers for the encodings of scalars. */
enum { DEBUG_BOOLEAN = 2, DEBUG_FLOAT = 4, DEBUG_SIGNED = 5, DEBUG_SIGNED_CHAR = 6 };

static LLVMMetadataRef debug_scalar(struct lower *lower, const char *name, uint64_t bits, unsigned encoding) {
  return LLVMDIBuilderCreateBasicType(lower->debug, name, strlen(name), bits, encoding, LLVMDIFlagZero);
}

static LLVMMetadataRef debug_pointer(struct lower *lower, LLVMMetadataRef to, const char *name) {
  return LLVMDIBuilderCreatePointerType(lower->debug, to, 64, 0, 0, name, strlen(name));
}

static LLVMMetadataRef debug_type(struct lower *lower, const struct type *type, bool nested);

struct debug_block {
  LLVMMetadataRef *members;
  size_t count, bytes;
};

/* Appends a member to a block, as lowering lays it out. Below it, records are only addresses: they may be cyclic. */
static void debug_member(struct lower *lower, struct debug_block *block, const char *name, const struct type *type) {
  uint64_t bits = type->kind == TYPE_BOOL ? 8 : 64;
  type_append(type, &block->bytes);
  block->members[block->count++] =
      LLVMDIBuilderCreateMemberType(lower->debug, lower->debug_file, name, strlen(name), lower->debug_file, 0, bits, 0,
                                    block->bytes * 8 - bits, LLVMDIFlagZero, debug_type(lower, type, true));
}

static LLVMMetadataRef debug_struct(struct lower *lower, const struct debug_block *block, const char *name) {
  LLVMMetadataRef type = LLVMDIBuilderCreateStructType(lower->debug, lower->debug_file, name, strlen(name),
                                                       lower->debug_file, 0, block->bytes * 8, 64, LLVMDIFlagZero, NULL,
                                                       block->members, (unsigned)block->count, 0, NULL, "", 0);
  return debug_pointer(lower, type, name);
}

static LLVMMetadataRef debug_record(struct lower *lower, const struct type *type) {
  const struct type_constructor *constructor = &type->named.constructors[0];
  LLVMMetadataRef *members = calloc(constructor->field_count + 1, sizeof(LLVMMetadataRef));
  struct debug_block block = {.members = members, .bytes = sizeof(int64_t)}; /* the tag */
  for (size_t i = 0; i < constructor->field_count; i++)
    debug_member(lower, &block, constructor->fields[i].name ? constructor->fields[i].name : "_",
                 constructor->fields[i].type);
  LLVMMetadataRef record = debug_struct(lower, &block, type->named.name);
  free(members);
  return record;
}

/* { T value, i8 discriminant, ptr message }: a debugger shows `failed` as true or false. */
static LLVMMetadataRef debug_result(struct lower *lower, const struct type *type) {
  static const struct type boolean = {.kind = TYPE_BOOL}, string = {.kind = TYPE_STRING};
  LLVMMetadataRef members[3];
  struct debug_block block = {.members = members};
  debug_member(lower, &block, "value", type->result.value);
  debug_member(lower, &block, "failed", &boolean);
  debug_member(lower, &block, "message", &string);
  return debug_struct(lower, &block, "Result");
}

static LLVMMetadataRef debug_type(struct lower *lower, const struct type *type, bool nested) {
  switch (type->kind) {
  case TYPE_INT:
    return debug_scalar(lower, "Int", 64, DEBUG_SIGNED);
  case TYPE_UNIT:
    return debug_scalar(lower, "Unit", 64, DEBUG_SIGNED);
  case TYPE_FLOAT:
    return debug_scalar(lower, "Float", 64, DEBUG_FLOAT);
  case TYPE_BOOL:
    return debug_scalar(lower, "Bool", 8, DEBUG_BOOLEAN);
  case TYPE_STRING:
    return debug_pointer(lower, debug_scalar(lower, "char", 8, DEBUG_SIGNED_CHAR), "String");
  case TYPE_RECORD:
    return nested ? debug_pointer(lower, NULL, type->named.name) : debug_record(lower, type);
  case TYPE_RESULT:
    return nested ? debug_pointer(lower, NULL, "Result") : debug_result(lower, type);
  case TYPE_UNION:
    return debug_pointer(lower, NULL, type->named.name);
  default:
    return debug_pointer(lower, NULL, "fn");
  }
}

/* A copy on the stack keeps the value for the debugger. The optimiser removes it, and describes the value itself. */
void lower_debug_variable(struct lower_function *fn, const struct ast_variable *variable) {
  struct lower *lower = fn->lower;
  LLVMMetadataRef location = LLVMGetCurrentDebugLocation2(lower->builder), description;
  if (!lower->debug_variables || !fn->scope || !location || !variable->ir || strcmp(variable->name, "_") == 0)
    return;
  unsigned line, column;
  source_position(lower->program->source, variable->place, &line, &column);
  LLVMMetadataRef type = debug_type(lower, variable->type, false);
  const char *name = variable->name;
  if (variable->kind == AST_PARAMETER)
    description = LLVMDIBuilderCreateParameterVariable(lower->debug, fn->scope, name, strlen(name), variable->index + 1,
                                                       lower->debug_file, line, type, true, LLVMDIFlagZero);
  else
    description = LLVMDIBuilderCreateAutoVariable(lower->debug, fn->scope, name, strlen(name), lower->debug_file, line,
                                                  type, true, LLVMDIFlagZero, 0);
  LLVMValueRef address = lower_alloca(fn, LLVMTypeOf(variable->ir), lower_word(lower, 1), name);
  LLVMBuildStore(lower->builder, variable->ir, address);
  lower_version_debug_declare(lower->debug, address, description, LLVMDIBuilderCreateExpression(lower->debug, NULL, 0),
                              location, LLVMGetInsertBlock(lower->builder));
}

void lower_debug_bind(struct lower_function *fn, struct ast_variable *variable, LLVMValueRef value) {
  variable->ir = value;
  lower_debug_variable(fn, variable);
}
