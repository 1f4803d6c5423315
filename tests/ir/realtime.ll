; CG-17: a builtin that its host declares as blocking does not become a realtime function like its callers.
; REQUIRES: llvm22
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
declare ptr @wsSend(i64, ptr) sanitize_realtime_blocking
define ptr @realtime(ptr %m) sanitize_realtime {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
; CHECK: define linkonce_odr hidden {{.*}} @wsSend({{.*}} #[[#S:]] comdat
; CHECK: attributes #[[#S]] = { nounwind sanitize_realtime_blocking "osprey-ws-lowered" }
