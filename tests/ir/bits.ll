; CG-5: the bits of plain functions in memory: as numbers, in parts, in vectors. A place in a variable is a cell.
; RUN: %lower %s -o %t.ll && %opt -passes=verify -S %t.ll | %FileCheck %s

target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsConnect(ptr, ptr)
declare ptr @h1(ptr)
declare ptr @code(ptr, ptr)
@cells = internal constant [2 x { ptr, i64 }] [{ ptr, i64 } { ptr @code, i64 1 }, { ptr, i64 } { ptr @code, i64 2 }]

define void @as_a_number(ptr %u) {
  %from = alloca ptr
  %to = alloca double
  store ptr @h1, ptr %from
  %number = load double, ptr %from
  store double %number, ptr %to
  %h = load ptr, ptr %to
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @as_a_number(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @in_halves(ptr %u) {
  %from = alloca ptr
  %to = alloca ptr
  store ptr @h1, ptr %from
  %low = load i32, ptr %from
  store i32 %low, ptr %to
  %from4 = getelementptr i8, ptr %from, i64 4
  %to4 = getelementptr i8, ptr %to, i64 4
  %high = load i32, ptr %from4
  store i32 %high, ptr %to4
  %h = load ptr, ptr %to
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @in_halves(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @as_a_vector(ptr %u) {
  %from = alloca [2 x ptr]
  %to = alloca [2 x ptr]
  %from8 = getelementptr i8, ptr %from, i64 8
  %to8 = getelementptr i8, ptr %to, i64 8
  store ptr @h1, ptr %from8
  %both = load <4 x i32>, ptr %from
  store <4 x i32> %both, ptr %to
  %h = load ptr, ptr %to8
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @as_a_vector(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

; A number beside a function in a variable is no unknown handler.
define void @number_of_a_union(ptr %u, i32 %number, i1 %c) {
  %v = alloca ptr
  br i1 %c, label %is, label %is_not
is:
  store ptr @h1, ptr %v
  br label %end
is_not:
  store i32 %number, ptr %v
  br label %end
end:
  %h = load ptr, ptr %v
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @number_of_a_union(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @no_offset(ptr %u, ptr %v) {
  %same = getelementptr i8, ptr @h1, i64 0
  %h = freeze ptr %same
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @no_offset(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)

define void @places(ptr %u, i64 %i, i1 %c) {
  %own = alloca { ptr, i64 }
  store { ptr, i64 } { ptr @code, i64 3 }, ptr %own
  %cell = getelementptr [2 x { ptr, i64 }], ptr @cells, i64 0, i64 %i
  %place = select i1 %c, ptr %own, ptr %cell
  %h = select i1 %c, ptr %place, ptr @h1
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @places(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
