; CG-16: a body inlined into a function with debug information is valid, whether or not the call has a location. Its
; instructions get the location of the call.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
; RUN: %lower %s | %opt -passes='default<O2>,verify' -S 2>&1 | %FileCheck %s --check-prefix=OPT

declare ptr @wsSend(i64, ptr)

; CHECK: define linkonce_odr hidden {{.*}}@wsSend(
; CHECK-NOT: !dbg
; CHECK-LABEL: define ptr @located(
; OPT-NOT: invalid
; OPT-LABEL: define {{.*}}ptr @located(
; OPT: call i64 @osp_ws_send({{.*}}), !dbg ![[#$CALL:]]
; OPT: call {{.*}}ptr @osp_alloc_tagged({{.*}}), !dbg ![[#$CALL]]
define ptr @located(ptr %s) !dbg !4 {
  %r = call ptr @wsSend(i64 1, ptr %s), !dbg !7
  ret ptr %r, !dbg !8
}

; OPT-LABEL: define {{.*}}ptr @unlocated(
; OPT: call i64 @osp_ws_send(
define ptr @unlocated(ptr %s) !dbg !9 {
  %r = call ptr @wsSend(i64 1, ptr %s)
  ret ptr %r, !dbg !10
}

; OPT: ![[#$CALL]] = !DILocation(line: 3, column: 5, scope: ![[#]])

!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2}
!0 = distinct !DICompileUnit(language: DW_LANG_C, file: !1, producer: "osprey", isOptimized: false,
      emissionKind: FullDebug)
!1 = !DIFile(filename: "chat.osp", directory: "/")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = !DISubroutineType(types: !{})
!4 = distinct !DISubprogram(name: "located", scope: !1, file: !1, line: 2, type: !3, unit: !0,
      spFlags: DISPFlagDefinition)
!7 = !DILocation(line: 3, column: 5, scope: !4)
!8 = !DILocation(line: 4, column: 1, scope: !4)
!9 = distinct !DISubprogram(name: "unlocated", scope: !1, file: !1, line: 6, type: !3, unit: !0,
      spFlags: DISPFlagDefinition)
!10 = !DILocation(line: 8, column: 1, scope: !9)
