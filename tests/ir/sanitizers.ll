; CG-17: bodies and forwarders have the sanitizer attributes of their callers, so they are inlined.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s
; RUN: %lower %s | %opt -passes='default<O2>,verify' -S | %FileCheck %s --check-prefix=OPT

declare ptr @wsSend(i64, ptr)
declare ptr @wsConnect(ptr, ptr)

define ptr @on(ptr %m) sanitize_address {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
define ptr @f(ptr %s) sanitize_address {
  %r = call ptr @wsConnect(ptr %s, ptr @on)
  ret ptr %r
}
; CHECK: define linkonce_odr hidden {{.*}}@wsSend({{.*}} #[[#$S:]] comdat
; CHECK: define linkonce_odr hidden {{.*}}@wsConnect({{.*}} #[[#$S]] comdat
; CHECK: define internal ptr @osp_ws.forward.on({{.*}} #[[#$S]] {
; CHECK: attributes #[[#$S]] = { nounwind sanitize_address "osprey-ws-lowered" }
; OPT-LABEL: define {{.*}}ptr @f(
; OPT: call i64 @osp_ws_connect(
; OPT-LABEL: define internal {{.*}}ptr @osp_ws.forward.on(
; OPT: call i64 @osp_ws_send(
