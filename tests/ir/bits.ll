; CG-5: the bits of plain functions: as numbers, in parts, in vectors. A place in a variable is a cell.
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

; Constants that are made of an address, and vectors of one pointer.
@tagged = internal constant i64 add (i64 ptrtoint (ptr @h1 to i64), i64 1)
@pair = internal constant <2 x i64> <i64 0, i64 ptrtoint (ptr @h1 to i64)>
@row = internal constant <{ i32, ptr }> <{ i32 1, ptr @h1 }>
define void @made_of_an_address(ptr %u, i64 %i, i1 %c) {
  %v = load i64, ptr @tagged
  %w = sub i64 %v, 1
  %a = inttoptr i64 %w to ptr
  %ra = call ptr @wsConnect(ptr %u, ptr %a)
  %p = getelementptr i8, ptr @pair, i64 8
  %b = load ptr, ptr %p
  %rb = call ptr @wsConnect(ptr %u, ptr %b)
  %at = alloca ptr
  store double bitcast (i64 ptrtoint (ptr @h1 to i64) to double), ptr %at
  %d = load ptr, ptr %at
  %rd = call ptr @wsConnect(ptr %u, ptr %d)
  %one = select i1 %c, <1 x ptr> <ptr @h1>, <1 x ptr> <ptr @h1>
  %e = bitcast <1 x ptr> %one to ptr
  %re = call ptr @wsConnect(ptr %u, ptr %e)
  %many = insertelement <vscale x 2 x ptr> poison, ptr @h1, i64 0
  %f = extractelement <vscale x 2 x ptr> %many, i64 %i
  %rf = call ptr @wsConnect(ptr %u, ptr %f)
  %bits = atomicrmw or ptr @atomic, i64 0 seq_cst
  %g = inttoptr i64 %bits to ptr
  %rg = call ptr @wsConnect(ptr %u, ptr %g)
  ret void
}
@atomic = internal global i64 ptrtoint (ptr @h1 to i64)
; CHECK-LABEL: define void @made_of_an_address(
; CHECK: call ptr @osp_ws.to_cell(ptr %a)
; CHECK: call ptr @osp_ws.to_cell(ptr %b)
; CHECK: call ptr @osp_ws.to_cell(ptr %d)
; CHECK: call ptr @osp_ws.to_cell(ptr %e)
; CHECK: call ptr @osp_ws.to_cell(ptr %f)
; CHECK: call ptr @osp_ws.to_cell(ptr %g)

; A packed row that is copied in words.
define void @in_words(ptr %u) {
  %v = alloca <{ i32, ptr }>
  %a = load i64, ptr @row
  store i64 %a, ptr %v
  %from = getelementptr i8, ptr @row, i64 8
  %b = load i32, ptr %from
  %to = getelementptr i8, ptr %v, i64 8
  store i32 %b, ptr %to
  %at = getelementptr i8, ptr %v, i64 4
  %h = load ptr, ptr %at, align 4
  %r = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
; CHECK-LABEL: define void @in_words(
; CHECK: call ptr @osp_ws.to_cell(ptr %h)
