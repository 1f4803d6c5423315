; CG-11: a function of the runtime is declared with another type, or defined by the program.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s -o %t 2>&1 | %FileCheck %s
; RUN: %not ls %t

declare ptr @wsSend(i64, ptr)
declare ptr @wsClose(i64)
declare i64 @osp_ws_send(i64)
declare ptr @osp_alloc_tagged(i64)
define i64 @osp_ws_close(i64 %n, ptr %error) {
  ret i64 0
}
; CHECK-DAG: runtime.ll:8: error: 'osp_ws_send' is declared as i64 (i64), but the runtime's type is i64 (i64, ptr, ptr)
; CHECK-DAG: runtime.ll:9: error: 'osp_alloc_tagged' is declared as ptr (i64), but the runtime's type is ptr (i64, i64)
; CHECK-DAG: runtime.ll:10: error: 'osp_ws_close' is defined by the program, but it is the runtime's
