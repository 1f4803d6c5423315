; CG-11 CG-6: a module that defines the runtime, as bitcode that is linked in does. It is lowered, and again.
; RUN: %lower %s -o %t.once.ll && %opt -passes=verify -S %t.once.ll | %FileCheck %s
; RUN: %lower %t.once.ll -o %t.twice.ll && sed 1d %t.once.ll > %t.1 && sed 1d %t.twice.ll | diff %t.1 -
; RUN: %opt -passes='internalize,default<O2>' -internalize-public-api-list=f,g -S %t.once.ll -o %t.opt.ll
; RUN: %lower %t.opt.ll | %opt -passes=verify -S | %FileCheck %s --check-prefix=OPT
; CHECK: define linkonce_odr hidden {{.*}}@wsClose(
; CHECK: call fastcc i64 @osp_ws_close(i64 %wsID, ptr %error)
declare ptr @wsClose(i64)
declare ptr @wsProtocol(i64)
define ptr @f(i64 %n) {
  %r = call ptr @wsClose(i64 %n)
  %q = call ptr @wsProtocol(i64 %n)
  ret ptr %r
}
; The runtime's functions keep their attributes.
; CHECK: define fastcc i64 @osp_ws_close(i64 %n, ptr %error) {
define fastcc i64 @osp_ws_close(i64 %n, ptr %error) {
  store ptr null, ptr %error
  ret i64 0
}
; CHECK: define ptr @osp_ws_protocol(i64 %n, ptr %error) {
define ptr @osp_ws_protocol(i64 %n, ptr %error) {
  store ptr null, ptr %error
  ret ptr null
}
@heap = global ptr null
define ptr @osp_alloc_tagged(i64 %size, i64 %meta) {
  %p = load ptr, ptr @heap
  ret ptr %p
}
; OPT: define {{.*}}ptr @f(
