; CG-5 CG-10 ABI-8: every form of a handler operand.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s --implicit-check-not=bitcast

declare { i64, i8, i8* }* @wsConnect(i8*, i8*)
declare { i64, i8, i8* }* @wsServerOnMessage(i64, i8*)
declare { i64, i8, i8* }* @onText(i8*)
declare { i64, i8, i8* }* @other(i8*)
declare { i64, i8, i8* }* @onMessage(i8*, i8*)
declare fastcc { i64, i8, i8* }* @fast(i8*)
declare { i64, i8, i8* }* @code(i8*, i8*)
@renamed = alias { i64, i8, i8* }* (i8*), { i64, i8, i8* }* (i8*)* @here
@cell = private constant { i8* } { i8* bitcast ({ i64, i8, i8* }* (i8*, i8*)* @code to i8*) }
@elsewhere = external global { i8* }

; A function that is passed twice has one cell.
; CHECK-DAG: @osp_ws.cell.onText = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.onText }, align 8
; CHECK-DAG: @osp_ws.cell.other = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.other }, align 8
; CHECK-DAG: @osp_ws.cell.onMessage = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.onMessage }, align 8
; CHECK-DAG: @osp_ws.cell.fast = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.fast }, align 8
; CHECK-DAG: @osp_ws.cell.renamed = private unnamed_addr constant { ptr } { ptr @osp_ws.forward.renamed }, align 8
; CHECK-DAG: @"osp_ws.cell.odd name" = {{.*}}@"osp_ws.forward.odd name"
; CHECK-NOT: @osp_ws.cell.{{.*}}.1

define { i64, i8, i8* }* @here(i8* %message) {
  ret { i64, i8, i8* }* null
}
define { i64, i8, i8* }* @"odd name"(i8* %message) {
  ret { i64, i8, i8* }* null
}

; The public compiler emits a bitcast instruction. It is erased.
define void @behind_an_instruction(i8* %url) {
  %r1 = bitcast { i64, i8, i8* }* (i8*)* @onText to i8*
  %r2 = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* %r1)
  ret void
}
; CHECK-LABEL: define void @behind_an_instruction(
; CHECK-NEXT: %r2 = call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.onText)
; CHECK-NEXT: ret void

define void @behind_a_constant_expression(i8* %url) {
  %r = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* bitcast ({ i64, i8, i8* }* (i8*)* @onText to i8*))
  ret void
}
; CHECK-LABEL: define void @behind_a_constant_expression(
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.onText)

define void @directly(ptr %url, i64 %server) {
  %r = call ptr @wsConnect(ptr %url, ptr @other)
  %s = call ptr @wsServerOnMessage(i64 %server, ptr @onMessage)
  %t = call ptr @wsConnect(ptr %url, ptr @fast)
  %u = call ptr @wsConnect(ptr %url, ptr @renamed)
  %v = call ptr @wsConnect(ptr %url, ptr @"odd name")
  ret void
}
; CHECK-LABEL: define void @directly(
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.other)
; CHECK-NEXT: call ptr @wsServerOnMessage(i64 %server, ptr @osp_ws.cell.onMessage)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.fast)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.renamed)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr @"osp_ws.cell.odd name")

; A bitcast with another use stays. The operand is replaced.
define i8* @shared_cast(i8* %url) {
  %r1 = inttoptr i64 ptrtoint ({ i64, i8, i8* }* (i8*)* @onText to i64) to i8*
  %r2 = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* bitcast ({ i64, i8, i8* }* (i8*)* @onText to i8*))
  ret i8* %r1
}
; CHECK-LABEL: define ptr @shared_cast(
; CHECK: inttoptr i64 ptrtoint (ptr @onText to i64) to ptr
; CHECK: call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.onText)

; Cells are not changed. What may be a plain function is compared: a parameter, a loaded value.
define void @cells(i8* %url, i8* %parameter, i8** %slot) {
  %loaded = load i8*, i8** %slot
  %a = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* bitcast ({ i8* }* @cell to i8*))
  %b = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* bitcast ({ i8* }* @elsewhere to i8*))
  %c = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* %parameter)
  %d = call { i64, i8, i8* }* @wsConnect(i8* %url, i8* %loaded)
  ret void
}
; CHECK-LABEL: define void @cells(
; CHECK: call ptr @wsConnect(ptr %url, ptr @cell)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr @elsewhere)
; CHECK-NEXT: %cell = call ptr @osp_ws.to_cell(ptr %parameter)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr %cell)
; CHECK-NEXT: %cell1 = call ptr @osp_ws.to_cell(ptr %loaded)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr %cell1)

declare noalias ptr @allocate()
define void @selected_cells(ptr %url, i1 %c) {
  %new = call ptr @allocate()
  %s = select i1 %c, ptr @cell, ptr %new
  %r = call ptr @wsConnect(ptr %url, ptr %s)
  ret void
}
; CHECK-LABEL: define void @selected_cells(
; CHECK: %s = select i1 %c, ptr @cell, ptr %new
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr %s)

; A choice is turned into a cell where it is passed. A phi that is also called as a plain function stays.
define ptr @chosen(ptr %url, i1 %c) {
entry:
  br i1 %c, label %left, label %right
left:
  br label %end
right:
  br label %end
end:
  %p = phi ptr [ @onText, %left ], [ @other, %right ]
  %r = call ptr @wsConnect(ptr %url, ptr %p)
  %q = call ptr %p(ptr %url)
  ret ptr %q
}
; CHECK-LABEL: define ptr @chosen(
; CHECK: %p = phi ptr [ @onText, %left ], [ @other, %right ]
; CHECK-NEXT: %cell = call ptr @osp_ws.to_cell(ptr %p)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr %cell)
; CHECK-NEXT: call ptr %p(ptr %url)

; A function or a cell.
define void @mixed(ptr %url, i1 %c) {
  %s = select i1 %c, ptr @other, ptr @cell
  %r = call ptr @wsConnect(ptr %url, ptr %s)
  ret void
}
; CHECK-LABEL: define void @mixed(
; CHECK: %cell = call ptr @osp_ws.to_cell(ptr %s)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr %cell)

define void @in_a_loop(ptr %url, i1 %c) {
entry:
  br label %again
again:
  %p = phi ptr [ @onText, %entry ], [ %s, %again ]
  %s = select i1 %c, ptr %p, ptr @other
  %r = call ptr @wsConnect(ptr %url, ptr %s)
  br i1 %c, label %again, label %end
end:
  ret void
}
; CHECK-LABEL: define void @in_a_loop(
; CHECK: %cell = call ptr @osp_ws.to_cell(ptr %s)
; CHECK-NEXT: call ptr @wsConnect(ptr %url, ptr %cell)

define void @invoked(ptr %url) personality ptr @person {
  %r = invoke ptr @wsConnect(ptr %url, ptr @onText) to label %end unwind label %pad
end:
  ret void
pad:
  %l = landingpad { ptr, i32 } cleanup
  resume { ptr, i32 } %l
}
declare i32 @person(...)
; CHECK-LABEL: define void @invoked(
; CHECK-NEXT: invoke ptr @wsConnect(ptr %url, ptr @osp_ws.cell.onText)

; A forwarder calls with the function's calling convention.
; CHECK-LABEL: define internal ptr @osp_ws.forward.fast(
; CHECK: %result = tail call fastcc ptr @fast(ptr %message)
; An alias may be replaced by the linker, so it is called by its own name.
; CHECK-LABEL: define internal ptr @osp_ws.forward.renamed(
; CHECK: %result = tail call ptr @renamed(ptr %message)
; CHECK-LABEL: define internal ptr @osp_ws.to_cell(ptr %handler) unnamed_addr
; CHECK-NEXT: entry:
; CHECK-NEXT: %is = icmp eq ptr %handler, @onText
; CHECK-NEXT: %cell = select i1 %is, ptr @osp_ws.cell.onText, ptr %handler
; CHECK-NEXT: %[[IS:.*]] = icmp eq ptr %handler, @other
; CHECK-NEXT: %[[CELL:.*]] = select i1 %[[IS]], ptr @osp_ws.cell.other, ptr %cell
; CHECK-NEXT: icmp eq ptr %handler, @fast
; CHECK-NEXT: select i1 {{.*}}, ptr @osp_ws.cell.fast, ptr %[[CELL]]
; CHECK-NEXT: icmp eq ptr %handler, @"odd name"
; CHECK-NEXT: select
; CHECK-NEXT: icmp eq ptr %handler, @renamed
; CHECK-NEXT: %[[LAST:.*]] = select i1 {{.*}}, ptr @osp_ws.cell.renamed,
; CHECK-NEXT: ret ptr %[[LAST]]

; CHECK-LABEL: define internal ptr @osp_ws.forward.onMessage(ptr %cell, ptr %connection, ptr %message) unnamed_addr
; CHECK-NEXT: entry:
; CHECK-NEXT: %result = tail call ptr @onMessage(ptr %connection, ptr %message)
; CHECK-NEXT: ret ptr %result
