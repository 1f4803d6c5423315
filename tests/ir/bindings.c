/* Prints the declarations of spec/osprey-bindings.osp from the library's tables, or with an argument those of
 * spec/osprey-websocket.osp. */
#include "osprey_ws_codegen.h"

#include <stdio.h>

static void print_type(const struct osp_ws_codegen_type *type) {
  static const char *const names[] = {
      [OSP_WS_CODEGEN_INT] = "int",
      [OSP_WS_CODEGEN_BOOL] = "bool",
      [OSP_WS_CODEGEN_STRING] = "string",
      [OSP_WS_CODEGEN_SUCCESS] = "Unit",
  };
  if (type->kind == OSP_WS_CODEGEN_RECORD) {
    fputs(type->name, stdout);
  } else if (type->kind == OSP_WS_CODEGEN_HANDLER) {
    fputs("fn(", stdout);
    for (size_t i = 0; i < type->member_count; i++) {
      fputs(i ? ", " : "", stdout);
      print_type(type->members[i].type);
    }
    fputs(") -> Result<Unit, string>", stdout);
  } else {
    fputs(names[type->kind], stdout);
  }
}

static void print_members(const struct osp_ws_codegen_member *members, size_t count) {
  for (size_t i = 0; i < count; i++) {
    printf("%s%s: ", i ? ", " : "", members[i].name);
    print_type(members[i].type);
  }
}

int main(int argc, char **argv) {
  (void)argv;
  size_t record_count, builtin_count;
  const struct osp_ws_codegen_type *records = osp_ws_codegen_records(&record_count);
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&builtin_count);
  for (size_t i = 0; i < record_count; i++) {
    printf("type %s = { ", records[i].name);
    print_members(records[i].members, records[i].member_count);
    puts(" }");
  }
  for (size_t i = 0; i < builtin_count; i++) {
    printf("\n// %s\nextern fn %s(", builtins[i].doc, argc > 1 ? builtins[i].name : builtins[i].alias);
    print_members(builtins[i].parameters, builtins[i].parameter_count);
    fputs(") -> Result<", stdout);
    print_type(builtins[i].result);
    puts(", string>");
  }
  return 0;
}
