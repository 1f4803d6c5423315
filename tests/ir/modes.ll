; CG-5: the call of a handler through an alias is in the mode of AArch64 that the handler asks for.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
target triple = "aarch64-unknown-linux-gnu"
declare ptr @wsEvery(i64, ptr)
@other = alias ptr (i64), ptr @handler
define ptr @handler(i64 %x) "aarch64_pstate_sm_enabled" "target-features"="+sme" {
  ret ptr null
}
define ptr @f() {
  %q = call ptr @wsEvery(i64 1, ptr @other)
  ret ptr %q
}
; CHECK: define internal ptr @osp_ws.forward.other(
; CHECK: call ptr @other(i64 %{{.*}}) #[[#MODE:]]
; CHECK: attributes #[[#MODE]] = { "aarch64_pstate_sm_enabled" }
