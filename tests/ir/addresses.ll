; CG-5: a handler is compared with the other addresses that a function has by name. It has one cell.
; UNSUPPORTED: llvm16
; RUN: %lower - < %s > %t.ll && %opt -passes=verify -S %t.ll | %FileCheck %s --implicit-check-not='icmp eq ptr %handler'
; RUN: %lower - < %t.ll | diff %t.ll -
; RUN: %opt -passes='default<O2>,verify' -disable-output %t.ll

target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsAfter(i64, ptr)
declare ptr @near(i64)
declare ptr @direct(i64)
declare ptr @called(i64)
@local = private constant ptr dso_local_equivalent @near
@raw = private constant ptr no_cfi @direct
define void @later(i64 %n, ptr %h, i1 %c) {
  %r = call ptr @wsAfter(i64 %n, ptr %h)
  %s = select i1 %c, ptr no_cfi @direct, ptr dso_local_equivalent @near
  %t = call ptr @wsAfter(i64 %n, ptr %s)
  %u = call ptr no_cfi @called(i64 %n)
  ret void
}
; CHECK: define internal ptr @osp_ws.to_cell(
; CHECK-NEXT: entry:
; CHECK-NEXT: icmp eq ptr %handler, @near
; CHECK-NEXT: select i1 {{.*}}, ptr @osp_ws.cell.near,
; CHECK-NEXT: icmp eq ptr %handler, dso_local_equivalent @near
; CHECK-NEXT: select i1 {{.*}}, ptr @osp_ws.cell.near,
; CHECK-NEXT: icmp eq ptr %handler, @direct
; CHECK-NEXT: select i1 {{.*}}, ptr @osp_ws.cell.direct,
; CHECK-NEXT: icmp eq ptr %handler, no_cfi @direct
; CHECK-NEXT: select i1 {{.*}}, ptr @osp_ws.cell.direct,
; CHECK-NEXT: ret ptr
