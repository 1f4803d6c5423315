/* refused FILE: parses a module of LLVM IR and lowers it. Exits with 0 if it is refused and is the same afterwards, as
 * text and as bitcode. */
#include <llvm-c/BitWriter.h>
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <osprey_ws_codegen.h>
#include <stdio.h>
#include <string.h>

struct form {
  char *text;
  LLVMMemoryBufferRef bitcode;
};

static struct form form_of(LLVMModuleRef module) {
  return (struct form){LLVMPrintModuleToString(module), LLVMWriteBitcodeToMemoryBuffer(module)};
}

static int same(const struct form *a, const struct form *b) {
  size_t size = LLVMGetBufferSize(a->bitcode);
  return !strcmp(a->text, b->text) && size == LLVMGetBufferSize(b->bitcode) &&
         !memcmp(LLVMGetBufferStart(a->bitcode), LLVMGetBufferStart(b->bitcode), size);
}

static void form_free(struct form *form) {
  LLVMDisposeMessage(form->text);
  LLVMDisposeMemoryBuffer(form->bitcode);
}

int main(int argc, char **argv) {
  LLVMContextRef llvm = LLVMContextCreate();
  LLVMMemoryBufferRef buffer;
  LLVMModuleRef module;
  char *message = NULL;
  osp_ws_codegen_prepare_context(llvm);
  if (argc != 2 || LLVMCreateMemoryBufferWithContentsOfFile(argv[1], &buffer, &message) ||
      LLVMParseIRInContext(llvm, buffer, &module, &message)) {
    fprintf(stderr, "refused: %s\n", message ? message : "usage: refused FILE");
    return 2;
  }
  struct form before = form_of(module);
  int refused = osp_ws_codegen_lower_module(module, NULL, NULL, NULL) != 0;
  struct form after = form_of(module);
  int unchanged = same(&before, &after);
  if (!refused || !unchanged)
    fprintf(stderr, "refused: %s: %s\n", argv[1], refused ? "the module was changed" : "the module was lowered");
  form_free(&before);
  form_free(&after);
  LLVMDisposeModule(module);
  LLVMContextDispose(llvm);
  return !refused || !unchanged;
}
