; CG-5 CG-10: what is passed as it is, because it is a cell: a variable that its initializer does not show to be something
; else, a place in a variable, a block that was allocated, and what an earlier lowering compared.
; RUN: %lower - < %s > %t.ll && %opt -passes=verify -S %t.ll | %FileCheck %s --implicit-check-not='@osp_ws.to_cell(ptr %{{[^h]}}'
; RUN: %lower - < %t.ll | diff %t.ll -

target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
declare ptr @code(ptr, ptr)
declare ptr @other(ptr, i32)
declare noalias ptr @allocate()
declare ptr @find()
declare i32 @person(...)
@filled = internal global [16 x i8] zeroinitializer, align 8
@packed = internal global <{ [16 x i8] }> undef, align 8
@number = internal constant { i64 } { i64 ptrtoint (ptr @code to i64) }, align 8
@sum = internal constant { i64 } { i64 add (i64 ptrtoint (ptr @code to i64), i64 1) }, align 8
@empty_first = internal constant { [0 x i64], ptr } { [0 x i64] zeroinitializer, ptr @code }, align 8
@elsewhere = external constant { ptr }
@replaced = weak constant { ptr } { ptr @other }
@replaced_null = linkonce constant { ptr } zeroinitializer
@null_cell = internal constant { ptr } { ptr null }
@weak_alias = weak alias { ptr }, ptr @null_cell
@filled_elsewhere = externally_initialized constant { ptr } { ptr null }
@words = internal constant { i64, { ptr, i64 } } { i64 1, { ptr, i64 } { ptr @code, i64 2 } }
@inner = alias { ptr, i64 }, getelementptr ({ i64, { ptr, i64 } }, ptr @words, i64 0, i32 1)
@code_too = alias ptr (ptr, ptr), ptr @defined
@by_alias = constant { ptr } { ptr @code_too }
define ptr @defined(ptr %cell, ptr %m) {
  ret ptr null
}
define void @constants(ptr %u) {
  %a = call ptr @wsConnect(ptr %u, ptr @filled)
  %b = call ptr @wsConnect(ptr %u, ptr @packed)
  %c = call ptr @wsConnect(ptr %u, ptr @number)
  %d = call ptr @wsConnect(ptr %u, ptr @sum)
  %e = call ptr @wsConnect(ptr %u, ptr @empty_first)
  %f = call ptr @wsConnect(ptr %u, ptr @elsewhere)
  %g = call ptr @wsConnect(ptr %u, ptr @inner)
  %h = call ptr @wsConnect(ptr %u, ptr getelementptr (i8, ptr @words, i64 8))
  %i = call ptr @wsConnect(ptr %u, ptr inttoptr (i64 add (i64 ptrtoint (ptr @words to i64), i64 8) to ptr))
  %j = call ptr @wsConnect(ptr %u, ptr @by_alias)
  %k = call ptr @wsConnect(ptr %u, ptr @replaced)
  %l = call ptr @wsConnect(ptr %u, ptr @replaced_null)
  %m = call ptr @wsConnect(ptr %u, ptr @weak_alias)
  %n = call ptr @wsConnect(ptr %u, ptr @filled_elsewhere)
  ret void
}
; CHECK-LABEL: define void @constants(
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @filled)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @packed)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @number)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @sum)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @empty_first)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @elsewhere)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @inner)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr getelementptr
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr inttoptr
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @by_alias)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @replaced)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @replaced_null)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @weak_alias)
; CHECK-NEXT: call ptr @wsConnect(ptr %u, ptr @filled_elsewhere)

define void @values(ptr %u, i64 %n, i1 %c) personality ptr @person {
entry:
  %own = alloca { ptr, i64 }
  %a = call ptr @wsConnect(ptr %u, ptr %own)
  %place = getelementptr inbounds i8, ptr @words, i64 %n
  %b = call ptr @wsConnect(ptr %u, ptr %place)
  %new = call ptr @allocate()
  %header = getelementptr i8, ptr %new, i64 16
  %d = call ptr @wsConnect(ptr %u, ptr %header)
  %found = call noalias ptr @find()
  %e = call ptr @wsConnect(ptr %u, ptr %found)
  %invoked = invoke ptr @allocate() to label %loop unwind label %pad
loop:
  %p = phi ptr [ %own, %entry ], [ %s, %loop ]
  %frozen = freeze ptr %p
  %s = select i1 %c, ptr %frozen, ptr %header
  %f = call ptr @wsConnect(ptr %u, ptr %s)
  %g = call ptr @wsConnect(ptr %u, ptr %invoked)
  br i1 %c, label %loop, label %end
end:
  %handler = select i1 %c, ptr %s, ptr @on
  %h = call ptr @wsConnect(ptr %u, ptr %handler)
  %hidden = call ptr @find()
  %i = call ptr @wsConnect(ptr %u, ptr %hidden)
  %hidden.place = getelementptr i8, ptr %hidden, i64 8
  %j = call ptr @wsConnect(ptr %u, ptr %hidden.place)
  %number = select i1 %c, ptr null, ptr inttoptr (i64 8 to ptr)
  %hidden.number = getelementptr i8, ptr %number, i64 %n
  %k = call ptr @wsConnect(ptr %u, ptr %hidden.number)
  ret void
pad:
  %l = landingpad { ptr, i32 } cleanup
  resume { ptr, i32 } %l
}
; CHECK-LABEL: define void @values(
; CHECK: call ptr @wsConnect(ptr %u, ptr %own)
; CHECK: call ptr @wsConnect(ptr %u, ptr %place)
; CHECK: call ptr @wsConnect(ptr %u, ptr %header)
; CHECK: call ptr @wsConnect(ptr %u, ptr %found)
; CHECK: call ptr @wsConnect(ptr %u, ptr %s)
; CHECK: call ptr @wsConnect(ptr %u, ptr %invoked)
; CHECK: call ptr @osp_ws.to_cell(ptr %handler)
; CHECK: call ptr @osp_ws.to_cell(ptr %hidden)
; CHECK: call ptr @osp_ws.to_cell(ptr %hidden.place)
; CHECK: call ptr @osp_ws.to_cell(ptr %hidden.number)
