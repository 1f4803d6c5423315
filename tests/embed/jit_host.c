/* A compiler that builds calls of WebSocket builtins through the codegen library, and runs them in its own process with
 * ORC.
 *
 * CG-21: in Osprey, the module is
 *
 *     fn serve(port: int) -> Result<int, string> = websocketCreateServer(port: port, address: "127.0.0.1", path: "/")
 *     fn listen(server: int) = websocketServerListen(serverID: server)
 *     fn meet(url: string) -> Result<int, string> = websocketConnect(url: url, messageHandler: onText)
 *     fn broadcast(server: int, text: string) = websocketServerBroadcast(serverID: server, message: text)
 *     fn stop(server: int) = websocketStopServer(serverID: server)
 *
 * where onText is a C function of this file. It is passed raw, as a compiler passes a top-level function.
 */

#include <arpa/inet.h>
#include <assert.h>
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm/Config/llvm-config.h>
#include <netinet/in.h>
#include <osp_ws.h>
#include <osprey_ws_codegen.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *osp_alloc_tagged(int64_t size, int64_t meta);
void osp_release(void *block);

/* Result<Int, String> and Result<Success, String>. */
struct result {
  int64_t value;
  int8_t is_error;
  char *message;
};

static sem_t heard;
static char heard_text[64];

/* fn onText(message: string) -> Result<Success, String> */
static void *on_text(const char *message) {
  struct result *success = osp_alloc_tagged(sizeof *success, 1025);
  *success = (struct result){0};
  snprintf(heard_text, sizeof heard_text, "%s", message);
  sem_post(&heard);
  return success;
}

static void report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  (void)context;
  fprintf(stderr, "error: %s\n", diagnostic->message);
}

struct builder {
  LLVMContextRef llvm;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
};

/* Adds the function `ptr name(parameter, …)` and positions the builder in its body. */
static LLVMValueRef begin(struct builder *b, const char *name, LLVMTypeRef *parameters, unsigned count) {
  LLVMTypeRef type = LLVMFunctionType(LLVMPointerTypeInContext(b->llvm, 0), parameters, count, 0);
  LLVMValueRef function = LLVMAddFunction(b->module, name, type);
  LLVMPositionBuilderAtEnd(b->builder, LLVMAppendBasicBlockInContext(b->llvm, function, "entry"));
  return function;
}

/* Ends the function: returns the Result of a builtin. */
static void end(struct builder *b, const char *builtin, LLVMValueRef *arguments, size_t count) {
  LLVMValueRef result = osp_ws_codegen_build_call(b->builder, builtin, arguments, count, report, NULL);
  assert(result);
  LLVMBuildRet(b->builder, result);
}

static void build_module(struct builder *b) {
  LLVMTypeRef number = LLVMInt64TypeInContext(b->llvm), pointer = LLVMPointerTypeInContext(b->llvm, 0);
  LLVMTypeRef both[] = {number, pointer};
  LLVMValueRef f = begin(b, "serve", &number, 1);
  end(b, "websocketCreateServer",
      (LLVMValueRef[]){LLVMGetParam(f, 0), LLVMBuildGlobalStringPtr(b->builder, "127.0.0.1", "address"),
                       LLVMBuildGlobalStringPtr(b->builder, "/", "path")},
      3);
  f = begin(b, "listen", &number, 1);
  end(b, "websocketServerListen", (LLVMValueRef[]){LLVMGetParam(f, 0)}, 1);
  f = begin(b, "meet", &pointer, 1);
  LLVMValueRef handler = LLVMAddFunction(b->module, "onText", LLVMFunctionType(pointer, &pointer, 1, 0));
  end(b, "websocketConnect", (LLVMValueRef[]){LLVMGetParam(f, 0), handler}, 2);
  f = begin(b, "broadcast", both, 2);
  end(b, "wsServerBroadcast", (LLVMValueRef[]){LLVMGetParam(f, 0), LLVMGetParam(f, 1)}, 2);
  f = begin(b, "stop", &number, 1);
  end(b, "websocketStopServer", (LLVMValueRef[]){LLVMGetParam(f, 0)}, 1);
}

static void check(LLVMErrorRef error) {
  if (!error)
    return;
  fprintf(stderr, "error: %s\n", LLVMGetErrorMessage(error));
  exit(1);
}

/* Makes a function of this process visible to compiled code. */
static void define(LLVMOrcLLJITRef jit, const char *name, void *address) {
  LLVMOrcCSymbolMapPair symbol = {LLVMOrcLLJITMangleAndIntern(jit, name),
                                  {(LLVMOrcExecutorAddress)(uintptr_t)address, {LLVMJITSymbolGenericFlagsExported, 0}}};
  check(LLVMOrcJITDylibDefine(LLVMOrcLLJITGetMainJITDylib(jit), LLVMOrcAbsoluteSymbols(&symbol, 1)));
}

/* Defines the entry points of the used builtins, the memory hook and the handler. A host that exports its symbols
 * (-rdynamic) could let the JIT search the process instead. */
static void define_runtime(LLVMOrcLLJITRef jit) {
#define DEFINE(function) define(jit, #function, (void *)(uintptr_t)(function))
  DEFINE(osp_ws_create_server);
  DEFINE(osp_ws_server_listen);
  DEFINE(osp_ws_server_broadcast);
  DEFINE(osp_ws_stop_server);
  DEFINE(osp_ws_connect);
  DEFINE(osp_alloc_tagged);
#undef DEFINE
  define(jit, "onText", (void *)(uintptr_t)on_text);
}

static uintptr_t look_up(LLVMOrcLLJITRef jit, const char *name) {
  LLVMOrcExecutorAddress address;
  check(LLVMOrcLLJITLookup(jit, &address, name));
  return (uintptr_t)address;
}

/* Prints and releases a Result. Returns its value, or -1 for an Error. */
static int64_t finish(const char *what, struct result *result) {
  int64_t value = result->is_error ? -1 : result->value;
  printf("%s: %s\n", what, result->is_error ? result->message : "Success");
  osp_release(result);
  return value;
}

static int free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) || getsockname(fd, (struct sockaddr *)&address, &length))
    exit(1);
  close(fd);
  return ntohs(address.sin_port);
}

static int converse(LLVMOrcLLJITRef jit) {
  struct result *(*serve)(int64_t) = (struct result * (*)(int64_t)) look_up(jit, "serve");
  struct result *(*listen)(int64_t) = (struct result * (*)(int64_t)) look_up(jit, "listen");
  struct result *(*meet)(const char *) = (struct result * (*)(const char *)) look_up(jit, "meet");
  struct result *(*broadcast)(int64_t, const char *) =
      (struct result * (*)(int64_t, const char *)) look_up(jit, "broadcast");
  struct result *(*stop)(int64_t) = (struct result * (*)(int64_t)) look_up(jit, "stop");
  char url[64];
  int port = free_port();
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t server = finish("serve", serve(port));
  finish("listen", listen(server));
  finish("meet", meet(url));
  finish("broadcast", broadcast(server, "hello from a JIT"));
  while (sem_wait(&heard)) {
  }
  printf("heard: %s\n", heard_text);
  finish("stop", stop(server));
  int64_t again = finish("stop again", stop(server));
  return strcmp(heard_text, "hello from a JIT") || again != -1;
}

/* Creates a context for ORC, and stores the same context for building. LLVM 21 reversed which is created first. */
static LLVMOrcThreadSafeContextRef new_context(LLVMContextRef *llvm) {
#if LLVM_VERSION_MAJOR < 21
  LLVMOrcThreadSafeContextRef safe = LLVMOrcCreateNewThreadSafeContext();
  *llvm = LLVMOrcThreadSafeContextGetContext(safe);
#else
  *llvm = LLVMContextCreate();
  LLVMOrcThreadSafeContextRef safe = LLVMOrcCreateNewThreadSafeContextFromLLVMContext(*llvm);
#endif
  osp_ws_codegen_prepare_context(*llvm);
  return safe;
}

int main(void) {
  LLVMOrcLLJITRef jit;
  struct builder b;
  sem_init(&heard, 0, 0);
  LLVMInitializeNativeTarget();
  LLVMInitializeNativeAsmPrinter();
  check(LLVMOrcCreateLLJIT(&jit, LLVMOrcCreateLLJITBuilder()));
  define_runtime(jit);

  LLVMOrcThreadSafeContextRef safe = new_context(&b.llvm);
  b.module = LLVMModuleCreateWithNameInContext("host", b.llvm);
  b.builder = LLVMCreateBuilderInContext(b.llvm);
  LLVMSetDataLayout(b.module, LLVMOrcLLJITGetDataLayoutStr(jit));
  LLVMSetTarget(b.module, LLVMOrcLLJITGetTripleString(jit));
  build_module(&b);
  LLVMDisposeBuilder(b.builder);
  if (osp_ws_codegen_lower_module(b.module, NULL, report, NULL))
    return 1;
  check(LLVMOrcLLJITAddLLVMIRModule(jit, LLVMOrcLLJITGetMainJITDylib(jit),
                                    LLVMOrcCreateNewThreadSafeModule(b.module, safe)));
  LLVMOrcDisposeThreadSafeContext(safe);

  int status = converse(jit);
  check(LLVMOrcDisposeLLJIT(jit));
  return status;
}
