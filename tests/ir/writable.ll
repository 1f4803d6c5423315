; CG-18 CG-3: parameters that the host calls writable are not readonly too, which LLVM refuses.
; UNSUPPORTED: llvm16
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
declare ptr @wsSend(i64, ptr writable dereferenceable(1))
declare i64 @osp_ws_send(i64, ptr writable dereferenceable(1), ptr)
define ptr @f(ptr %s) {
  %r = call ptr @wsSend(i64 1, ptr %s)
  ret ptr %r
}
; CHECK: define linkonce_odr hidden {{.*}}@wsSend({{.*}} writable
; CHECK-NOT: readonly
