; CG-11: a function of the runtime is declared or defined with another type, or is not a function.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s -o %t 2>&1 | %FileCheck %s
; RUN: %refused %s
; RUN: %not ls %t

declare ptr @wsSend(i64, ptr)
declare ptr @wsClose(i64)
declare ptr @wsStopServer(i64)
declare i64 @osp_ws_send(i64)
declare ptr @osp_alloc_tagged(i64)
define i64 @osp_ws_close(i64 %n) {
  ret i64 0
}
; CHECK-DAG: runtime.ll:10: error: 'osp_ws_send' is declared as i64 (i64), but the runtime's type is i64 (i64, ptr, ptr)
; CHECK-DAG: runtime.ll:11: error: 'osp_alloc_tagged' is declared as ptr (i64), but the runtime's type is ptr (i64, i64)
; CHECK-DAG: runtime.ll:12: error: 'osp_ws_close' is declared as i64 (i64), but the runtime's type is i64 (i64, ptr)
@osp_ws_stop_server = ifunc i64 (i64, ptr), ptr @resolve
define ptr @resolve() {
  ret ptr null
}
; CHECK-DAG: runtime.ll:18: error: 'osp_ws_stop_server' is declared as something other than a function, of type i64 (i64
