; CG-6 CG-7: lowering twice has the effect of lowering once. The program's own definitions and modules without builtins
; are not changed.
; RUN: %split_file %s %t
; RUN: %lower %t/uses.ll | %opt -passes=verify -S -o %t/once.ll
; RUN: %lower - -o %t/twice.ll < %t/once.ll && %opt -passes=verify -disable-output %t/twice.ll
; RUN: diff %t/once.ll %t/twice.ll
; RUN: cp %t/once.ll %t/more.ll && cat %t/another_call.ll >> %t/more.ll
; RUN: %lower %t/more.ll | %opt -passes=verify -S | %FileCheck %t/another_call.ll
; RUN: %opt -passes=verify -S -o %t/own.before < %t/own.ll
; RUN: %lower - -o %t/own.after -S < %t/own.before && diff %t/own.before %t/own.after
; RUN: %opt -passes=verify -S -o %t/none.before < %t/none.ll
; RUN: %lower - -o %t/none.after -S < %t/none.before && diff %t/none.before %t/none.after

;--- uses.ll
declare ptr @wsConnect(ptr, ptr)
declare ptr @websocketSend(i64, ptr)
declare ptr @on(ptr)
define ptr @f(ptr %url) {
  %r = call ptr @wsConnect(ptr %url, ptr @on)
  %s = call ptr @websocketSend(i64 1, ptr %url)
  ret ptr %s
}
;--- another_call.ll
define ptr @g(ptr %url) {
  %r = call ptr @websocketConnect(ptr %url, ptr @on)
  ret ptr %r
}
declare ptr @websocketConnect(ptr, ptr)
define ptr @h(ptr %url) {
  %r = call ptr @wsConnect(ptr %url, ptr @on)
  ret ptr %r
}
; Linking adds a call to an existing body. Each lowering has a cell of its own for the function: an existing one cannot be
; told from what a linker has renamed.
; CHECK: call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.on)
; CHECK: call ptr @websocketConnect(ptr %url, ptr @osp_ws.cell.on.[[#N:]])
; CHECK: call ptr @wsConnect(ptr %url, ptr @osp_ws.cell.on.[[#N]])
; CHECK: define internal ptr @osp_ws.forward.on.
; CHECK-NOT: define internal ptr @osp_ws.forward.on.
;--- own.ll
define i64 @wsSend(i64 %n) {
  ret i64 %n
}
declare ptr @on(ptr)
define linkonce_odr ptr @wsConnect(ptr %url, ptr %handler) {
  ret ptr %handler
}
define hidden ptr @websocketConnect(ptr %url, ptr %handler) {
  ret ptr %handler
}
define ptr @g(ptr %url) {
  %r = call ptr @wsConnect(ptr %url, ptr @on)
  %s = call ptr @websocketConnect(ptr %url, ptr @on)
  ret ptr %s
}
define i64 @f() {
  %r = call i64 @wsSend(i64 1)
  ret i64 %r
}
;--- none.ll
target triple = "wasm32-unknown-unknown"
define i64 @f(i64 %n) {
  ret i64 %n
}
