; CG-9: calls are reported in the order of the module.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare ptr @wsClose(i64)

define void @f() {
  %a = call i32 @wsClose()
  %b = call i32 @wsClose()
  %c = call i32 @wsClose()
  ret void
}
; CHECK: order.ll:8: error: 'wsClose' is called as i32 ()
; CHECK: order.ll:9: error: 'wsClose' is called as i32 ()
; CHECK: order.ll:10: error: 'wsClose' is called as i32 ()
