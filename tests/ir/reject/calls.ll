; CG-9 CG-8: a call with another function type, and a name that is not a function.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s
; RUN: %refused %s

declare ptr @wsSend(i64, ptr)
@wsClose = external global i64

define i64 @f(ptr %s) {
  %r = call i64 @wsSend(ptr %s)
  ret i64 %r
}
; CHECK: calls.ll:7: error: 'wsClose' is declared as something other than a function, of type i64
; CHECK-SAME: {{^}}, but the builtin's type is ptr (i64): websocketClose(wsID: Int) -> Result<Success, String>
; CHECK: calls.ll:10: error: 'wsSend' is called as i64 (ptr)
; CHECK-SAME: {{^}}, but the builtin's type is ptr (i64, ptr):
; CHECK-SAME: {{^}} websocketSend(wsID: Int, message: String) -> Result<Success, String>
