// Runs osp_ws_codegen_lower_module() as a pass of LLVM's tools. C++, because LLVM has no C API for pass plugins.

#include "osprey_ws_codegen.h"

#include <llvm/Config/llvm-config.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PassManager.h>
#include <llvm/Passes/PassBuilder.h>
#if LLVM_VERSION_MAJOR < 22
#include <llvm/Passes/PassPlugin.h>
#else
#include <llvm/Plugins/PassPlugin.h>
#endif

namespace {

class LoweringDiagnostic : public llvm::DiagnosticInfo {
public:
  LoweringDiagnostic(const char *text, llvm::DiagnosticSeverity severity)
      : DiagnosticInfo(kind(), severity), message(text) {
  }
  void print(llvm::DiagnosticPrinter &printer) const override {
    printer << message;
  }

private:
  static int kind() {
    static const int number = llvm::getNextAvailablePluginDiagnosticKind();
    return number;
  }
  const char *message;
};

void report(const osp_ws_codegen_diagnostic *diagnostic, void *context) {
  auto severity = diagnostic->severity == OSP_WS_CODEGEN_ERROR ? llvm::DS_Error : llvm::DS_Warning;
  static_cast<llvm::LLVMContext *>(context)->diagnose(LoweringDiagnostic(diagnostic->message, severity));
}

struct LowerWebSocket : llvm::PassInfoMixin<LowerWebSocket> {
  static bool isRequired() {
    return true;
  } // at -O0 and in functions marked optnone too

  llvm::PreservedAnalyses run(llvm::Module &module, llvm::ModuleAnalysisManager &) {
    osp_ws_codegen_lower_module(llvm::wrap(&module), nullptr, report, &module.getContext());
    return llvm::PreservedAnalyses::none();
  }
};

void registerPasses(llvm::PassBuilder &builder) {
  builder.registerPipelineParsingCallback(
      [](llvm::StringRef name, llvm::ModulePassManager &passes, llvm::ArrayRef<llvm::PassBuilder::PipelineElement>) {
        if (name != "osprey-websocket")
          return false;
        passes.addPass(LowerWebSocket());
        return true;
      });
  builder.registerPipelineStartEPCallback(
      [](llvm::ModulePassManager &passes, auto) { passes.addPass(LowerWebSocket()); });
}

} // namespace

extern "C" OSP_WS_CODEGEN_API llvm::PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "osprey-websocket", "1", registerPasses};
}
