#pragma once
/* Code generation for Osprey's WebSocket builtins.
 *
 * A compiler emits each use of a builtin as a call to a declared function with the builtin's name or alias:
 *
 *     declare ptr @websocketSend(i64, ptr)
 *
 * A caller that only looks at the Result and releases it can do without the block. It declares the function with the
 * suffix ".unboxed", which returns the value and the error message, null on success; the caller owns both:
 *
 *     declare { i64, ptr } @websocketQueuedBytes.unboxed(i64)
 *
 * The compiler then passes the complete module to osp_ws_codegen_lower_module(). Lowering gives every such declaration
 * a body, and wraps raw functions that are passed as handlers in closure cells. Nothing else in the module changes. The
 * bodies call the runtime, libosprey_ws.a. spec/abi.md describes the layouts of the values.
 *
 * Every function:
 * - uses the C API of LLVM only, and has no global state. Threads may call the library at the same time as long as no
 *   two use the same LLVMContext.
 * - never aborts, exits or prints. Errors are reported to the caller's callback, and the return value indicates
 *   failure.
 * - leaves a module unchanged if it reports an error.
 *
 * Returned strings and tables are constant and live as long as the library. */

#include <llvm-c/Types.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It increases when a function, a field or a meaning changes, but not when a field is
 * added at the end of a struct that the library fills in. A compiler that loads the library at run time compares it
 * with osp_ws_codegen_version(). */
#define OSP_WS_CODEGEN_VERSION 2

#ifndef OSP_WS_CODEGEN_API
#define OSP_WS_CODEGEN_API __attribute__((visibility("default")))
#endif

enum osp_ws_codegen_kind {
  OSP_WS_CODEGEN_INT,     /* i64 */
  OSP_WS_CODEGEN_BOOL,    /* i1 */
  OSP_WS_CODEGEN_STRING,  /* pointer to NUL-terminated bytes */
  OSP_WS_CODEGEN_SUCCESS, /* the unit type: i64 0 */
  OSP_WS_CODEGEN_RECORD,  /* pointer to { i64 tag, members… } */
  OSP_WS_CODEGEN_HANDLER, /* pointer to a closure cell; the function returns Result<Success, String> */
};

/* A type of the builtins. Types are unique: equal types have equal addresses. */
struct osp_ws_codegen_type {
  enum osp_ws_codegen_kind kind;
  const char *name; /* "Int", "Bool", "String", "Success", or the name of the record or handler */
  /* The fields of a record in the order of the layout, or the parameters of a handler. Other types have none. */
  const struct osp_ws_codegen_member *members;
  size_t member_count;
};

/* A parameter or a field. */
struct osp_ws_codegen_member {
  const char *name;
  const struct osp_ws_codegen_type *type;
};

/* A builtin: name(parameters) -> Result<result, String>. */
struct osp_ws_codegen_builtin {
  const char *name;        /* "websocketSend" */
  const char *alias;       /* "wsSend": the same builtin */
  const char *symbol;      /* "osp_ws_send": the C entry point */
  const char *requirement; /* "WS-SEND": the prefix of its requirements in spec/websocket.md */
  const char *doc;         /* one sentence */
  const struct osp_ws_codegen_member *parameters;
  size_t parameter_count;
  const struct osp_ws_codegen_type *result;
};

/* A transparent type alias, such as WebSocketID for Int. */
struct osp_ws_codegen_alias {
  const char *name;
  const struct osp_ws_codegen_type *type;
};

/* The OSP_WS_CODEGEN_VERSION that the library was built with. */
OSP_WS_CODEGEN_API unsigned osp_ws_codegen_version(void);

/* The LLVM_VERSION_MAJOR that the library was built with. The objects of one version are useless to another, in the
 * same process too: a compiler compares this with its own version before it hands over a context or a module. */
OSP_WS_CODEGEN_API unsigned osp_ws_codegen_llvm_version(void);

/* All builtins, records, handlers and aliases, in the order of spec/ws_builtins.def. For a type checker. */
OSP_WS_CODEGEN_API const struct osp_ws_codegen_builtin *osp_ws_codegen_builtins(size_t *count);
OSP_WS_CODEGEN_API const struct osp_ws_codegen_type *osp_ws_codegen_records(size_t *count);
OSP_WS_CODEGEN_API const struct osp_ws_codegen_type *osp_ws_codegen_handlers(size_t *count);
OSP_WS_CODEGEN_API const struct osp_ws_codegen_alias *osp_ws_codegen_aliases(size_t *count);

/* Returns the builtin with this name or alias, or NULL. */
OSP_WS_CODEGEN_API const struct osp_ws_codegen_builtin *osp_ws_codegen_find(const char *name);

/* Writes a type or a builtin's signature in Osprey, such as "websocketSend(wsID: Int, message: String) ->
 * Result<Success, String>". Truncates it to `size` bytes, including the NUL, and returns the full length, as snprintf
 * does. */
OSP_WS_CODEGEN_API size_t osp_ws_codegen_spell_type(const struct osp_ws_codegen_type *type, char *text, size_t size);
OSP_WS_CODEGEN_API size_t osp_ws_codegen_spell_builtin(const struct osp_ws_codegen_builtin *builtin, char *text,
                                                       size_t size);

enum osp_ws_codegen_severity {
  OSP_WS_CODEGEN_ERROR,
  OSP_WS_CODEGEN_WARNING,
};

struct osp_ws_codegen_diagnostic {
  enum osp_ws_codegen_severity severity;
  const char *message; /* one sentence without a trailing newline; valid until the callback returns */
  LLVMValueRef value;  /* the function or instruction that it refers to, or NULL */
};

/* Receives each diagnostic. Must not modify the module. May be NULL. */
typedef void osp_ws_codegen_report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context);

/* Makes a new context read typed pointers as opaque pointers. LLVM 16 needs this before the first module is parsed;
 * later versions have opaque pointers only. */
OSP_WS_CODEGEN_API void osp_ws_codegen_prepare_context(LLVMContextRef llvm);

/* Options. NULL means the defaults: all zero but the size. Fields may be added at the end; the size tells the library
 * which of them the caller knows. */
struct osp_ws_codegen_options {
  size_t size;           /* sizeof(struct osp_ws_codegen_options) */
  int no_verify;         /* skip LLVM's verifier, for a caller that runs it itself, before and afterwards */
  unsigned llvm_version; /* the caller's LLVM_VERSION_MAJOR; another version than the library's is an error */
};

/* Gives every declared builtin a body and adapts handlers. Functions that are already defined, by an earlier lowering
 * or by the program, keep their bodies, so lowering twice has no further effect.
 *
 * Returns 0, or -1 after an error. All errors are reported before the module is modified: a module that LLVM's
 * verifier rejects, or that is not loaded completely; pointers that do not have 8 bytes; a declaration or call with a
 * type other than the builtin's; a handler with a type other than the parameter's, or that is neither a function nor a
 * cell; a symbol of the runtime with another type. Lowering does not make a valid module invalid. */
OSP_WS_CODEGEN_API int osp_ws_codegen_lower_module(LLVMModuleRef module, const struct osp_ws_codegen_options *options,
                                                   osp_ws_codegen_report *report, void *context);

/* The LLVM types of a builtin's function, `ptr (parameters…)`; of its unboxed form, `{ T, ptr } (parameters…)`, where T
 * is i64 if there is no value; of the Result block, `{ T, i8, ptr }`; of a record's block, `{ i64, fields… }`; of the
 * code in a handler's closure cell, `ptr (ptr cell, parameters…)`. */
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_function_type(LLVMContextRef llvm,
                                                            const struct osp_ws_codegen_builtin *builtin);
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_unboxed_type(LLVMContextRef llvm,
                                                           const struct osp_ws_codegen_builtin *builtin);
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_result_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *value);
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_record_type(LLVMContextRef llvm,
                                                          const struct osp_ws_codegen_type *record);
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_handler_type(LLVMContextRef llvm,
                                                           const struct osp_ws_codegen_type *handler);

/* Returns the function of a builtin under its name or alias, with or without ".unboxed", and declares it if necessary.
 * Reports an error and returns NULL if there is no such builtin, or if the name is already used for something else. */
OSP_WS_CODEGEN_API LLVMValueRef osp_ws_codegen_declare(LLVMModuleRef module, const char *name,
                                                       osp_ws_codegen_report *report, void *context);

/* Builds a call to a builtin at the builder's position. Declares the function and checks the arguments. A handler may
 * be a plain function: lowering wraps it in a closure cell. Returns the pointer to the Result block, or the value and
 * message of a name with ".unboxed", which the caller owns; or NULL after an error. The module still has to be
 * lowered. */
OSP_WS_CODEGEN_API LLVMValueRef osp_ws_codegen_build_call(LLVMBuilderRef builder, const char *name,
                                                          LLVMValueRef *arguments, size_t count,
                                                          osp_ws_codegen_report *report, void *context);

#ifdef __cplusplus
}
#endif
