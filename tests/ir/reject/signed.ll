; CG-10: a plain function by a signed pointer. A cell may hold one.
; UNSUPPORTED: llvm16
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s --implicit-check-not=error:
; RUN: %refused %s
target triple = "arm64e-apple-macosx"
declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
declare ptr @code(ptr, ptr)
@cell = constant { ptr } { ptr ptrauth (ptr @code, i32 0) }
define void @f(ptr %u, i1 %c) {
  %r = call ptr @wsConnect(ptr %u, ptr ptrauth (ptr @on, i32 0))
; CHECK: signed.ll:[[#@LINE-1]]: error: the plain function 'on' is passed to 'wsConnect' as messageHandler by a
; CHECK-SAME: {{^}} signed pointer, which needs a closure cell: fn(String) -> Result<Success, String>
  %h = select i1 %c, ptr ptrauth (ptr @on, i32 0), ptr @cell
  %s = call ptr @wsConnect(ptr %u, ptr %h)
; CHECK: signed.ll:[[#@LINE-1]]: error: the plain function 'on' is passed to 'wsConnect'
  %t = call ptr @wsConnect(ptr %u, ptr @cell)
  ret void
}
