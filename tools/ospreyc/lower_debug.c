#include "lower_debug.h"

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
  debug_flag(lower, "Dwarf Version", 5);
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
