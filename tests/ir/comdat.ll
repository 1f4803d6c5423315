; CG-15: a local handler in a comdat takes its forwarder and its cell along, so that a linker drops all of them.
; RUN: %lower %s -o %t.ll && %opt -passes=verify -S %t.ll | %FileCheck %s
; RUN: sed 's/@one/@two/' %s | %lower - -o %t.2.ll && %clang -w -fPIC -shared %t.ll %t.2.ll -o %t.so

target triple = "x86_64-unknown-linux-gnu"
$shared = comdat any
declare ptr @wsAfter(i64, ptr)
define internal ptr @h(i64 %timer) comdat($shared) {
  ret ptr null
}
define linkonce_odr void @shared() comdat {
  %r = call ptr @wsAfter(i64 5, ptr @h)
  ret void
}
define void @one() {
  call void @shared()
  ret void
}
; CHECK: @osp_ws.cell.h = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.h }, comdat($shared), align 8
; CHECK: define internal ptr @osp_ws.forward.h({{.*}} comdat($shared)
