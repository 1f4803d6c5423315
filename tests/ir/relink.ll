; CG-5 CG-6 CG-15: modules are linked and lowered in turns. Each has a handler of the same name, and each call gets its own.
; RUN: %split_file %s %t
; RUN: for m in a b c; do sed s/MODULE/$m/ %t/module.ll > %t/$m.ll; done
; RUN: %lower %t/a.ll -o %t/a.bc && %lower %t/b.ll -o %t/b.bc
; RUN: %llvm_link %t/a.bc %t/b.bc %t/c.ll %t/runtime.ll -o %t/abc.bc
; RUN: %lower %t/abc.bc -o %t/abc.ll && %opt -passes='default<O2>,verify' -S %t/abc.ll -o %t/abc.opt
; RUN: for m in a b c; do %FileCheck %t/module.ll -DM=$m < %t/abc.opt || exit 1; done
; RUN: %lower %t/c.ll -o %t/c.bc && %llvm_link %t/c.bc %t/a.ll -o %t/ca.bc && %lower %t/ca.bc -o %t/ca2.bc
; RUN: %llvm_link %t/b.bc %t/ca2.bc %t/runtime.ll | %lower - | %opt -passes='default<O2>,verify' -S -o %t/bca.opt
; RUN: for m in a b c; do %FileCheck %t/module.ll -DM=$m < %t/bca.opt || exit 1; done
; RUN: %lower %t/abc.ll -o %t/again.ll && sed 1d %t/abc.ll > %t/1 && sed 1d %t/again.ll | diff %t/1 -

; RUN: %lower %t/taken.ll | %opt -passes=verify -S | %FileCheck %t/taken.ll --check-prefix=TAKEN
; RUN: %lower %t/inline.ll | %opt -passes=verify -S | %FileCheck %t/inline.ll

;--- module.ll
declare ptr @wsConnect(ptr, ptr)
@MODULE = constant i8 0
define internal ptr @h(ptr %m) {
  ret ptr @MODULE
}
define i64 @MODULE_uses(ptr %u) {
  %r = call ptr @wsConnect(ptr %u, ptr @h)
  %v = load i64, ptr %r
  ret i64 %v
}
; CHECK: define {{.*}}i64 @[[M]]_uses(
; CHECK-NOT: define
; CHECK: ret i64 ptrtoint (ptr @[[M]] to i64)
;--- runtime.ll
; A runtime in the module: connecting calls the handler, and gives what it returns as the ID.
define i64 @osp_ws_connect(ptr %u, ptr %cell, ptr %error) alwaysinline {
  store ptr null, ptr %error
  %code = load ptr, ptr %cell
  %r = call ptr %code(ptr %cell, ptr %u)
  %n = ptrtoint ptr %r to i64
  ret i64 %n
}
;--- taken.ll
; Names that lowering would choose are taken, by a cell with another function's code, and by other things.
declare ptr @wsConnect(ptr, ptr)
declare ptr @wsSend(i64, ptr)
declare ptr @h(ptr)
declare ptr @code(ptr, ptr)
@osp_ws.cell.h = private constant { ptr } { ptr @code }
@osp_ws.to_cell = external global i8
define ptr @osp_ws.forward.h(ptr %cell, ptr %message) {
  ret ptr null
}
define ptr @f(ptr %u, i1 %c) {
  %s = select i1 %c, ptr @h, ptr @osp_ws.cell.h
  %r = call ptr @wsConnect(ptr %u, ptr %s)
  %q = call ptr @wsConnect(ptr %u, ptr @h)
  ret ptr %r
}
; TAKEN: @osp_ws.cell.h = private constant { ptr } { ptr @code }
; TAKEN: @[[CELL:osp_ws.cell.h.[0-9]+]] = {{.*}}constant { ptr } { ptr @[[FORWARDER:osp_ws.forward.h.[0-9]+]] }
; TAKEN: %cell = call ptr @[[TO_CELL:osp_ws.to_cell.[0-9]+]](ptr %s)
; TAKEN-NEXT: call ptr @wsConnect(ptr %u, ptr %cell)
; TAKEN-NEXT: call ptr @wsConnect(ptr %u, ptr @[[CELL]])
; TAKEN: define internal ptr @[[TO_CELL]](
; TAKEN: select i1 %is, ptr @[[CELL]], ptr %handler
; TAKEN: define internal ptr @[[FORWARDER]](
;--- inline.ll
; The program's own function, as an inline function of C++ is, is not one that lowering made.
declare ptr @on(ptr)
define linkonce_odr hidden ptr @wsConnect(ptr %u, ptr %h) {
  %r = call ptr %h(ptr %u)
  ret ptr %r
}
define ptr @f(ptr %u) {
  %r = call ptr @wsConnect(ptr %u, ptr @on)
  ret ptr %r
}
; CHECK: call ptr @wsConnect(ptr %u, ptr @on)
