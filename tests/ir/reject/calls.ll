; CG-9 CG-8: a call with another function type, and a name that is not a function.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s
; RUN: %refused %s

; A call by another name has no line in its error.
; CHECK: calls.ll: error: 'wsConnect' is called as i64 (ptr)

declare ptr @wsSend(i64, ptr)
@wsClose = external global i64

define i64 @f(ptr %s) {
  %r = call i64 @wsSend(ptr %s)
  ret i64 %r
}
; CHECK: calls.ll:10: error: 'wsClose' is declared as something other than a function, of type i64
; CHECK-SAME: {{^}}, but the builtin's type is ptr (i64): websocketClose(wsID: Int) -> Result<Success, String>
; CHECK: calls.ll:13: error: 'wsSend' is called as i64 (ptr)
; CHECK-SAME: {{^}}, but the builtin's type is ptr (i64, ptr):
; CHECK-SAME: {{^}} websocketSend(wsID: Int, message: String) -> Result<Success, String>
;
; By another name, and through a statepoint.
declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
declare token @llvm.experimental.gc.statepoint.p0(i64, i32, ptr, i32, i32, ...)
define void @g(ptr %u) gc "statepoint-example" {
  %r = call i64 no_cfi @wsConnect(ptr %u)
  %t = call token (i64, i32, ptr, i32, i32, ...) @llvm.experimental.gc.statepoint.p0(i64 0, i32 0,
      ptr elementtype(ptr (ptr, ptr)) @wsConnect, i32 2, i32 0, ptr %u, ptr @on, i32 0, i32 0)
  ret void
}
; CHECK: calls.ll:[[#@LINE-4]]: error: 'wsConnect' is called by 'llvm.experimental.gc.statepoint.p0', which hides its
; What the declaration has not.
declare ptr @wsPublish(i64, ptr, ptr)
define void @h(i64 %n, ptr %s) {
  %a = call fastcc ptr @wsPublish(i64 %n, ptr %s, ptr %s)
  %b = call ptr @wsPublish(i64 %n, ptr returned %s, ptr %s)
  %c = call ptr @wsPublish(i64 %n, ptr %s, ptr byval([3 x i8]) %s)
  %d = call ptr @wsPublish(i64 inreg %n, ptr %s, ptr %s)
  %e = call ptr @wsPublish(i64 %n, ptr %s, ptr %s) memory(none)
  %f = call ptr @wsPublish(i64 %n, ptr %s, ptr %s) noreturn
  ret void
}
; CHECK: calls.ll:[[#@LINE-8]]: error: 'wsPublish' is called by the calling convention 8, but is declared with 0
; CHECK: calls.ll:[[#@LINE-8]]: error: 'wsPublish' is called with the attribute 'returned', but the builtin has not
; CHECK: calls.ll:[[#@LINE-8]]: error: 'wsPublish' is called with the attribute 'byval', but the builtin has not
; CHECK: calls.ll:[[#@LINE-8]]: error: 'wsPublish' is called with the attribute 'inreg', but the builtin has not
; CHECK: calls.ll:[[#@LINE-8]]: error: 'wsPublish' is called with the attribute 'memory', but the builtin has not
; CHECK: calls.ll:[[#@LINE-8]]: error: 'wsPublish' is called with the attribute 'noreturn', but the builtin has not
