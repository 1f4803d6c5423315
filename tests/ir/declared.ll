; CG-3 CG-16: what a declaration may have and a definition may not.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
; RUN: %lower %s | %opt -passes='default<O2>,verify' -S | %FileCheck %s --check-prefix=OPT
; RUN: %if !llvm16 %{ sed 's/ptr nofree)/ptr writable dereferenceable(1))/' %s > %t.ll && %lower %t.ll \
; RUN:   | %opt -passes=verify -S | %FileCheck %s --check-prefix=WRITABLE %}

; clang -O2 -g describes the functions that a file calls.
; CHECK: define linkonce_odr hidden {{.*}}@wsSend(
; CHECK-NOT: !dbg
; CHECK-LABEL: define {{.*}}@wsClose(
; CHECK-NOT: !dbg
declare !dbg !4 ptr @wsSend(i64, ptr)
declare !dbg !4 dllimport ptr @wsClose(i64)
; Attributes that exclude ours stay.
declare extern_weak ptr @wsServerBroadcast(i64, ptr nofree)
declare ptr @wsProtocol(i64)
define void @f(ptr %s) {
  %r = call ptr @wsSend(i64 1, ptr %s)
  %q = call ptr @wsClose(i64 1)
  %p = call ptr @wsServerBroadcast(i64 1, ptr %s)
  ret void
}
; CHECK: define linkonce_odr hidden {{.*}}@wsServerBroadcast({{.*}} nofree {{.*}}readonly
; WRITABLE: define linkonce_odr hidden {{.*}}@wsServerBroadcast({{.*}} writable

; A success without a value is a constant block, and no new one.
declare noalias ptr @wsCancel(i64)
define ptr @cancels() {
  %r = call ptr @wsCancel(i64 1)
  ret ptr %r
}
; CHECK: define linkonce_odr hidden noundef nonnull align 8 dereferenceable(24) ptr @wsCancel(

; A call by another name of a builtin is adapted too.
declare ptr @wsConnect(ptr, ptr)
define void @renamed(ptr %u) {
  %name = bitcast ptr @wsConnect to ptr
  %a = call ptr %name(ptr %u, ptr @handler)
  %b = call ptr no_cfi @wsConnect(ptr %u, ptr @handler)
  ret void
}
; CHECK-LABEL: define void @renamed(
; CHECK: call ptr %name(ptr %u, ptr @osp_ws.cell.handler)
; CHECK: call ptr no_cfi @wsConnect(ptr %u, ptr @osp_ws.cell.handler)

; A look-up makes what a handler wrote visible: the load stays in the loop.
@flag = internal global i64 0
define void @waits() {
  br label %loop
loop:
  %r = call ptr @wsProtocol(i64 1)
  %v = load i64, ptr @flag
  %z = icmp eq i64 %v, 0
  br i1 %z, label %loop, label %end
end:
  ret void
}
define ptr @handler(ptr %m) {
  store i64 1, ptr @flag
  ret ptr null
}
; OPT-LABEL: define {{.*}}void @waits(
; OPT: loop:
; OPT: call {{.*}}@osp_ws_protocol(
; OPT: load i{{[0-9]+}}, ptr @flag
; OPT: br i1

!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2}
!0 = distinct !DICompileUnit(language: DW_LANG_C, file: !1, producer: "clang", isOptimized: true,
      emissionKind: FullDebug)
!1 = !DIFile(filename: "host.c", directory: "/")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = !DISubroutineType(types: !{})
!4 = !DISubprogram(name: "wsSend", scope: !1, file: !1, line: 2, type: !3, spFlags: DISPFlagOptimized)
