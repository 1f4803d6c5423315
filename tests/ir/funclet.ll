; CG-5: a call in a Windows funclet has a bundle, and another call beside it would be removed without one.
; RUN: %lower - < %s > %t.ll && %opt -passes=verify -S %t.ll | %FileCheck %s
; RUN: %opt -passes='default<O2>,verify' -S %t.ll | %FileCheck %s --check-prefix=OPT
; RUN: %lower - < %t.ll | diff %t.ll -

target triple = "x86_64-pc-windows-msvc"
declare ptr @wsConnect(ptr, ptr)
declare ptr @h1(ptr)
declare ptr @h2(ptr)
declare void @use(ptr)
define void @in_a_funclet(ptr %u, i1 %c) personality ptr @__CxxFrameHandler3 {
  %s = select i1 %c, ptr @h1, ptr @h2
  invoke void @use(ptr %u) to label %end unwind label %pad
pad:
  %p = cleanuppad within none []
  %r = call ptr @wsConnect(ptr %u, ptr %s) [ "deopt"(i64 1), "funclet"(token %p) ]
  cleanupret from %p unwind to caller
end:
  ret void
}
declare i32 @__CxxFrameHandler3(...)
; LLVM 16 compares at the call.
; CHECK-LABEL: define void @in_a_funclet(
; CHECK: cleanuppad
; CHECK-NEXT: {{call ptr @osp_ws.to_cell\(ptr %s\) \[ "funclet"\(token %p\) \]|icmp eq ptr %s, @h1}}
; CHECK: call ptr @wsConnect(ptr %u, ptr %cell{{.*}}) [ "deopt"(i64 1), "funclet"(token %p) ]
; OPT-LABEL: define void @in_a_funclet(
; OPT: @osp_ws.cell.h1
; OPT: call {{.*}}@{{wsC|osp_ws_c}}onnect(
