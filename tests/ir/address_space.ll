; CG-5: a handler may be a function of another address space, whose address the module takes as a plain pointer.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s

; CHECK-LABEL: define internal ptr @osp_ws.to_cell(
; CHECK: icmp eq ptr %handler, addrspacecast (ptr addrspace(1) @far to ptr)
; CHECK: icmp eq ptr %handler, @near

declare ptr @websocketAfter(i64, ptr)
@far_address = global ptr addrspacecast (ptr addrspace(1) @far to ptr)
@near_address = global ptr @near
define ptr @far(i64 %timer) addrspace(1) {
  ret ptr null
}
define ptr @near(i64 %timer) {
  ret ptr null
}
define ptr @f(ptr %handler) {
  %r = call ptr @websocketAfter(i64 1, ptr %handler)
  ret ptr %r
}
