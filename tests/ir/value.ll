; CG-3: a builtin can be used as a value: stored, selected, called through a pointer.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
; RUN: %lower %s | %opt -passes='default<O2>,verify' -S | %FileCheck %s --check-prefix=OPT

declare ptr @websocketSend(i64, ptr)
@table = constant [1 x ptr] [ptr @websocketSend]

define ptr @through_a_pointer(ptr %f, i64 %n, ptr %s) {
  %r = call ptr %f(i64 %n, ptr %s)
  ret ptr %r
}
define ptr @f(i64 %n, ptr %s) {
  %r = call ptr @through_a_pointer(ptr @websocketSend, i64 %n, ptr %s)
  ret ptr %r
}
; CHECK: @table = constant [1 x ptr] [ptr @websocketSend]
; CHECK: define linkonce_odr hidden {{.*}} @websocketSend(
; CHECK: call ptr @through_a_pointer(ptr @websocketSend, i64 %n, ptr %s)
; OPT-LABEL: define {{.*}}ptr @f(
; OPT: call i64 @osp_ws_send(i64 {{.*}}%n, ptr {{.*}}%s
