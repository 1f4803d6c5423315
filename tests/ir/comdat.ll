; CG-5 CG-15: a local handler in a comdat takes its forwarder, its cell and what compares it along, so that a linker drops
; all of them. Functions outside of the comdat do not name it.
; RUN: %lower - < %s > %t.ll && %opt -passes=verify -S %t.ll | %FileCheck %s
; RUN: %opt -passes=verify -S %t.ll | %FileCheck %s --check-prefix=CELLS
; RUN: %lower - < %t.ll | diff %t.ll -
; RUN: sed 's/@one/@two/' %s | %lower - -o %t.2.ll && %clang -w -fPIC -shared %t.ll %t.2.ll -o %t.so

target triple = "x86_64-unknown-linux-gnu"
$shared = comdat any
$odr = comdat any
declare ptr @wsAfter(i64, ptr)
define internal ptr @h(i64 %timer) comdat($shared) {
  ret ptr null
}
define linkonce_odr ptr @g(i64 %timer) comdat($shared) {
  ret ptr null
}
@local = internal alias ptr (i64), ptr @g
define linkonce_odr ptr @odr(i64 %timer) comdat {
  ret ptr null
}
@table = internal constant ptr @odr
$kept = comdat nodeduplicate
define internal ptr @kept(i64 %timer) comdat {
  ret ptr null
}
@kept_table = internal constant ptr @kept
define internal ptr @everywhere(i64 %timer) {
  ret ptr null
}
define linkonce_odr void @shared(i1 %c) comdat {
  %r = call ptr @wsAfter(i64 5, ptr @h)
  %s = select i1 %c, ptr @h, ptr @local
  %t = select i1 %c, ptr %s, ptr @everywhere
  %q = call ptr @wsAfter(i64 5, ptr %t)
  %p = call ptr @wsAfter(i64 5, ptr %s)
  ret void
}
define void @one_takes(ptr %h) {
  %r = call ptr @wsAfter(i64 5, ptr %h)
  ret void
}
; CHECK-LABEL: define linkonce_odr void @shared(
; CHECK: call ptr @[[$OWN:osp_ws.to_cell[.0-9]*]](ptr %t)
; CHECK: call ptr @[[$OWN]](ptr %s)
; CHECK-LABEL: define void @one_takes(
; CHECK: call ptr @[[$ALL:osp_ws.to_cell[.0-9]*]](ptr %h)
; CHECK: define internal ptr @[[$ALL]](ptr %handler) unnamed_addr #[[#]] {
; CHECK-NEXT: entry:
; CHECK-NEXT: icmp eq ptr %handler, @odr
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @kept
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @everywhere
; CHECK-NEXT: select
; CHECK-NEXT: ret ptr
; CHECK: define internal ptr @[[$OWN]](ptr %handler) unnamed_addr #[[#]] comdat($shared) {
; CHECK-NOT: @everywhere
; CHECK: icmp eq ptr %handler, @h
; CHECK: icmp eq ptr %handler, @local
; CHECK: %[[OR:.*]] = select
; CHECK-NEXT: %[[CELL:.*]] = call ptr @[[$ALL]](ptr %[[OR]])
; CHECK-NEXT: ret ptr %[[CELL]]
define void @one() {
  call void @shared(i1 true)
  ret void
}
; CELLS: @osp_ws.cell.h = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.h }, comdat($shared), align 8
; CELLS: define internal ptr @osp_ws.forward.h({{.*}} comdat($shared)
