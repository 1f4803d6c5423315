; CG-9: a callbr is a call, and its type is checked, though LLVM allows callbr of assembly only.
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare ptr @wsClose(i64)

define void @f() {
  callbr void @wsClose() to label %next []
next:
  ret void
}
; CHECK: callbr.ll: error: 'wsClose' is called as void ()
