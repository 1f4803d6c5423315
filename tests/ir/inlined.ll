; CG-5 CG-6: what a later pass puts into functions that lowering added, or does to their names, is the program's.
; RUN: %split_file %s %t
; RUN: %lower %t/into.ll | %opt -passes=verify -S | %FileCheck %t/into.ll
; RUN: %lower %t/before.ll -o %t/before.bc && %opt -passes='default<O2>' %t/before.bc -o %t/before.opt.bc
; RUN: %llvm_link %t/before.opt.bc %t/behind.ll | %opt -passes='default<O2>' | %lower - | %opt -passes=verify -S | %FileCheck %t/before.ll
; RUN: %lower %t/renamed.ll | %opt -passes=verify -S | %FileCheck %t/renamed.ll
; RUN: %lower %t/relative.ll | %opt -passes=verify -S | %FileCheck %t/relative.ll

;--- into.ll
; A handler was inlined into its forwarder.
declare ptr @wsAfter(i64, ptr)
declare ptr @tick(i64)
define internal ptr @osp_ws.forward.h(ptr %cell, ptr %m) #0 {
  %q = call ptr @wsAfter(i64 2, ptr @tick)
  ret ptr %q
}
@osp_ws.cell.h = private constant { ptr } { ptr @osp_ws.forward.h }
define ptr @keeps() {
  ret ptr @osp_ws.cell.h
}
attributes #0 = { nounwind "osprey-ws-lowered" }
; CHECK: define internal ptr @osp_ws.forward.h(
; CHECK-NEXT: call ptr @wsAfter(i64 2, ptr @osp_ws.cell.tick)
;--- before.ll
; The same by LLVM's own passes, with a function of another module between.
declare ptr @wsConnect(ptr, ptr)
declare ptr @register(ptr)
declare void @work(i64)
define internal ptr @tick(i64 %n) {
  call void @work(i64 %n)
  ret ptr null
}
define internal ptr @h(ptr %m) {
  %x = call ptr @register(ptr @tick)
  ret ptr %x
}
define ptr @main(ptr %u) {
  %q = call ptr @wsConnect(ptr %u, ptr @h)
  ret ptr %q
}
; CHECK: define internal {{.*}}ptr @osp_ws.forward.h(
; CHECK: call ptr @wsAfter(i64 2, ptr {{.*}}@osp_ws.cell.tick)
;--- behind.ll
declare ptr @wsAfter(i64, ptr)
define ptr @register(ptr %f) {
  %q = call ptr @wsAfter(i64 2, ptr %f)
  ret ptr %q
}
;--- renamed.ll
; The body of an earlier lowering was made internal and got another name. It is a handler all the same.
declare ptr @wsAfter(i64, ptr)
define internal ptr @wsClose.4(i64 %wsID) #0 {
  ret ptr null
}
@table = global ptr @wsClose.4
define ptr @register() {
  %f = load ptr, ptr @table
  %q = call ptr @wsAfter(i64 2, ptr %f)
  ret ptr %q
}
attributes #0 = { nounwind "osprey-ws-lowered" }
; CHECK: define internal ptr @osp_ws.to_cell(
; CHECK: icmp eq ptr %handler, @wsClose.4
;--- relative.ll
; The address of a function beside that of its table is no place in the table.
@table = internal constant [1 x i32] [i32 trunc (i64 sub (i64 ptrtoint (ptr @tick to i64), i64 ptrtoint (ptr @table to i64)) to i32)]
declare ptr @wsAfter(i64, ptr)
define internal ptr @tick(i64 %n) {
  ret ptr null
}
define ptr @register(i64 %i) {
  %entry = getelementptr [1 x i32], ptr @table, i64 0, i64 %i
  %offset = load i32, ptr %entry
  %f = getelementptr i8, ptr @table, i32 %offset
  %q = call ptr @wsAfter(i64 2, ptr %f)
  ret ptr %q
}
@other = internal constant [1 x i32] [i32 trunc (i64 sub (i64 ptrtoint (ptr @tick to i64), i64 ptrtoint (ptr @other to i64)) to i32)]
define void @chosen(i1 %c, i64 %distance) {
  %t = select i1 %c, ptr @table, ptr @other
  %g = getelementptr i8, ptr %t, i64 %distance
  %q = call ptr @wsAfter(i64 2, ptr %g)
  %p = call ptr @wsAfter(i64 3, ptr getelementptr (i8, ptr @table, i64 sub (i64 ptrtoint (ptr @tick to i64), i64 ptrtoint (ptr @table to i64))))
  %r = call ptr @wsAfter(i64 4, ptr inttoptr (i64 add (i64 ptrtoint (ptr @table to i64), i64 sub (i64 ptrtoint (ptr @tick to i64), i64 ptrtoint (ptr @table to i64))) to ptr))
  %s = select i1 %c, ptr getelementptr (i8, ptr @table, i64 sub (i64 ptrtoint (ptr @tick to i64), i64 ptrtoint (ptr @table to i64))), ptr @other
  %h = getelementptr inbounds i8, ptr %s, i64 8
  %v = call ptr @wsAfter(i64 5, ptr %h)
  %k = getelementptr inbounds i8, ptr getelementptr (i8, ptr @table, i64 sub (i64 ptrtoint (ptr @tick to i64), i64 ptrtoint (ptr @table to i64))), i64 %distance
  %w = call ptr @wsAfter(i64 6, ptr %k)
  ret void
}
; CHECK: %cell = call ptr @osp_ws.to_cell(ptr %f)
; CHECK-LABEL: define void @chosen(
; CHECK: call ptr @osp_ws.to_cell(ptr %g)
; CHECK: call ptr @osp_ws.to_cell(ptr getelementptr (i8, ptr @table, i64 sub
; CHECK: call ptr @osp_ws.to_cell(ptr inttoptr
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
; CHECK: call ptr @osp_ws.to_cell(ptr %k)
; CHECK: icmp eq ptr %handler, @tick
