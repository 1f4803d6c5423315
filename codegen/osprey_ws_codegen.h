#pragma once

/* Code generation for Osprey's WebSocket builtins.
 *
 * A compiler emits each use of a builtin as a call of a declared function of the builtin's name (or alias):
 *
 *     declare ptr @websocketSend(i64, ptr)
 *
 * and hands the finished module to osp_ws_codegen_lower_module(), which gives every such declaration its body and wraps
 * raw functions passed as handlers in closure cells. Nothing else of the module changes. The runtime behind the bodies
 * is libosprey_ws.a; the values that cross are laid out as spec/abi.md says.
 *
 * Contract, for every function here:
 * - It only speaks to LLVM through the C API, keeps no global state and may be used from several threads as long as
 *   each LLVMContext is used by one at a time.
 * - It never aborts, exits or prints: whatever is wrong is reported through the caller's callback, and the return value
 *   says that something was.
 * - A module that is refused is left as it was.
 *
 * Strings and tables returned are constant and live as long as the library. */

#include <llvm-c/Types.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It grows when a function, a field or a meaning changes; additions at the end of a
 * struct that the library fills in do not count. Compare with osp_ws_codegen_version() when the library is loaded at
 * run time. */
#define OSP_WS_CODEGEN_VERSION 1

#ifndef OSP_WS_CODEGEN_API
#define OSP_WS_CODEGEN_API __attribute__((visibility("default")))
#endif

/* ---- The builtins, for a type checker ---- */

enum osp_ws_codegen_kind {
  OSP_WS_CODEGEN_INT,     /* Int,     i64 */
  OSP_WS_CODEGEN_BOOL,    /* Bool,    i1 */
  OSP_WS_CODEGEN_STRING,  /* String,  pointer to NUL-terminated bytes */
  OSP_WS_CODEGEN_SUCCESS, /* Success, the unit-like type: i64 0 */
  OSP_WS_CODEGEN_RECORD,  /* pointer to { i64 tag, members… } */
  OSP_WS_CODEGEN_HANDLER, /* pointer to a closure cell; the function returns Result<Success, String> */
};

/* A type as the builtins use it. Each type is one object: types are equal when their addresses are. */
struct osp_ws_codegen_type {
  enum osp_ws_codegen_kind kind;
  const char *name; /* "Int", "Bool", "String", "Success", or the name of the record or handler */
  /* A record's fields in the order of the layout, or a handler's parameters; none for the others. */
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
  const char *alias;       /* "wsSend": means the same */
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

/* The interface's version in the library that was loaded. */
OSP_WS_CODEGEN_API unsigned osp_ws_codegen_version(void);

/* The tables of all builtins, records, handlers and aliases, in the order of spec/ws_builtins.def. */
OSP_WS_CODEGEN_API const struct osp_ws_codegen_builtin *osp_ws_codegen_builtins(size_t *count);
OSP_WS_CODEGEN_API const struct osp_ws_codegen_type *osp_ws_codegen_records(size_t *count);
OSP_WS_CODEGEN_API const struct osp_ws_codegen_type *osp_ws_codegen_handlers(size_t *count);
OSP_WS_CODEGEN_API const struct osp_ws_codegen_alias *osp_ws_codegen_aliases(size_t *count);

/* The builtin of this name or alias, or NULL. */
OSP_WS_CODEGEN_API const struct osp_ws_codegen_builtin *osp_ws_codegen_find(const char *name);

/* Writes a type or a builtin's signature as Osprey spells it ("websocketSend(wsID: Int, message: String) ->
 * Result<Success, String>"), cut to size bytes with its NUL. Returns the length uncut, as snprintf does. */
OSP_WS_CODEGEN_API size_t osp_ws_codegen_spell_type(const struct osp_ws_codegen_type *type, char *text, size_t size);
OSP_WS_CODEGEN_API size_t osp_ws_codegen_spell_builtin(const struct osp_ws_codegen_builtin *builtin, char *text,
                                                       size_t size);

/* ---- Diagnostics ---- */

enum osp_ws_codegen_severity {
  OSP_WS_CODEGEN_ERROR,
  OSP_WS_CODEGEN_WARNING,
};

struct osp_ws_codegen_diagnostic {
  enum osp_ws_codegen_severity severity;
  const char *message; /* one sentence, without a newline at its end; lives until the callback returns */
  LLVMValueRef value;  /* what it is about: a function or an instruction of the module; NULL if neither */
};

/* Receives each diagnostic. It must not change the module. A NULL callback discards them. */
typedef void osp_ws_codegen_report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context);

/* ---- Lowering a module ---- */

/* Makes a new context read pointers as opaque ones, whatever the text spells: LLVM 16 needs to be told before a module
 * is parsed into it, later versions do it anyway. */
OSP_WS_CODEGEN_API void osp_ws_codegen_prepare_context(LLVMContextRef llvm);

/* Options; NULL stands for all zero, the default. */
struct osp_ws_codegen_options {
  int no_verify; /* skip LLVM's verifier at the end, for a caller that runs it anyway */
};

/* Gives every builtin that the module declares its body, adapts handlers and verifies the module. Builtins that are
 * defined already, by an earlier lowering or by the program itself, are left alone: lowering twice changes nothing.
 *
 * Errors, all of them reported before anything is changed: pointers that are not 8 bytes; a declaration, or a call,
 * whose type is not the builtin's; a handler whose type is not the parameter's; a symbol of the runtime declared with
 * another type. Returns 0, or -1 if there was an error. A module that LLVM's verifier refuses is an error too; it was
 * wrong before, for lowering itself does not break a module. */
OSP_WS_CODEGEN_API int osp_ws_codegen_lower_module(LLVMModuleRef module, const struct osp_ws_codegen_options *options,
                                                   osp_ws_codegen_report *report, void *context);

/* ---- Building calls ---- */

/* The LLVM types of a builtin: its function, `ptr (parameters…)`; its Result block, `{ T, i8, ptr }`, to which the
 * function returns a pointer; the block of a record, `{ i64, fields… }`; the code of a handler as a closure cell holds
 * it, `ptr (ptr cell, parameters…)`. */
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_function_type(LLVMContextRef llvm,
                                                            const struct osp_ws_codegen_builtin *builtin);
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_result_type(LLVMContextRef llvm, const struct osp_ws_codegen_type *value);
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_record_type(LLVMContextRef llvm,
                                                          const struct osp_ws_codegen_type *record);
OSP_WS_CODEGEN_API LLVMTypeRef osp_ws_codegen_handler_type(LLVMContextRef llvm,
                                                           const struct osp_ws_codegen_type *handler);

/* The function of a builtin, declared in the module if it is not there yet, under the name given (its name or its
 * alias). NULL, and a diagnostic, if there is no such builtin or the module has something else of that name. */
OSP_WS_CODEGEN_API LLVMValueRef osp_ws_codegen_declare(LLVMModuleRef module, const char *name,
                                                       osp_ws_codegen_report *report, void *context);

/* Builds a call of a builtin at the builder's position: declares the function, checks the arguments, wraps a handler
 * that is a raw function in a closure cell. Returns the pointer to the Result block, which the caller owns, or NULL
 * after a diagnostic. Finish the module with osp_ws_codegen_lower_module(). */
OSP_WS_CODEGEN_API LLVMValueRef osp_ws_codegen_build_call(LLVMBuilderRef builder, const char *name,
                                                          LLVMValueRef *arguments, size_t count,
                                                          osp_ws_codegen_report *report, void *context);

#ifdef __cplusplus
}
#endif
