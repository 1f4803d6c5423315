; CG-17: added functions live by the rules of their module: they take what its flags ask for, what their callers share, and
; how the handler is called.
; RUN: %split_file %s %t
; RUN: for f in flags callers strangers handler signing features places; do %lower %t/$f.ll | %opt -passes=verify -S | %FileCheck %t/$f.ll || exit 1; done
; RUN: %if llvm22 %{ sed 's/!"frame-pointer", i32 1/!"frame-pointer", i32 4/' %t/flags.ll | %lower - | %opt -passes=verify -S \
; RUN:   | grep 'branch-target.*"frame-pointer"="non-leaf-no-reserve"' %}
; RUN: %lower %t/flags.ll | %opt -passes=verify -o %t/flags.bc
; RUN: %clang -Wno-override-module --target=aarch64-linux-gnu -O0 -S -o - %t/flags.bc | %FileCheck %s --check-prefix=BTI
; RUN: sed '/datalayout/d; /triple/d; /-address/d; /branch-/d; s/^!llvm.module.flags.*/!llvm.module.flags = !{!3, !4}/' \
; RUN:   %t/flags.ll > %t/windows.ll
; RUN: %lower %t/windows.ll -o %t/windows.bc
; RUN: %clang -Wno-override-module --target=x86_64-pc-windows-msvc -O0 -S -o - %t/windows.bc \
; RUN:   | %FileCheck %s --check-prefix=SEH
; RUN: for o in '-passes=verify' '-passes=default<O2>'; do %lower %t/features.ll | %opt "$o" | \
; RUN:   %llc -mtriple=aarch64-linux-gnu -o /dev/null || exit 1; done
; RUN: %lower %t/callers.ll | %opt -passes='default<O2>,verify' -S | %FileCheck %t/callers.ll --check-prefix=OPT

; Forwarders, bodies and to_cell are called through pointers, or may be.
; BTI: wsConnect:
; BTI: {{hint #(34|25|27)|bti c|paci[ab]sp}}
; BTI: osp_ws.forward.on:
; BTI: {{hint #34|bti c}}
; BTI: osp_ws.to_cell:
; BTI: {{hint #34|bti c}}
; SEH: .seh_proc wsConnect

;--- flags.ll
target datalayout = "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128"
target triple = "aarch64-unknown-linux-gnu"
declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
declare ptr @other(ptr)
define void @f(ptr %u, i1 %c) noinline {
  %r = call ptr @wsConnect(ptr %u, ptr @on)
  %s = select i1 %c, ptr @on, ptr @other
  %q = call ptr @wsConnect(ptr %u, ptr %s)
  ret void
}
!llvm.module.flags = !{!0, !1, !2, !3, !4, !5}
!0 = !{i32 8, !"branch-target-enforcement", i32 1}
!1 = !{i32 8, !"sign-return-address", i32 1}
!2 = !{i32 8, !"sign-return-address-all", i32 0}
!3 = !{i32 7, !"uwtable", i32 2}
!4 = !{i32 7, !"frame-pointer", i32 1}
!5 = !{i32 8, !"sign-return-address-with-bkey", i32 1}
; CHECK-DAG: define internal ptr @osp_ws.forward.on({{.*}} #[[#N:]] {
; CHECK-DAG: define internal ptr @osp_ws.to_cell({{.*}} #[[#N]] {
; CHECK-DAG: define linkonce_odr hidden {{.*}} @wsConnect({{.*}} #[[#N]] comdat
; CHECK-DAG: attributes #[[#N]] = { nounwind uwtable "branch-target-enforcement"{{(="true")?}} "frame-pointer"="non-leaf" "osprey-ws-lowered" "sign-return-address"="non-leaf" "sign-return-address-key"="b_key" }
;--- callers.ll
; What all callers share is the body's, or it could not be inlined. What only some have is not.
declare ptr @wsConnect(ptr, ptr)
declare ptr @wsSend(i64, ptr)
define ptr @on(ptr %m) #0 {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
define ptr @f(ptr %u) #0 {
  %r = call ptr @wsConnect(ptr %u, ptr @on)
  ret ptr %r
}
define ptr @g(ptr %u) #1 {
  %r = call ptr @wsConnect(ptr %u, ptr @on)
  ret ptr %r
}
attributes #0 = { cold noredzone noimplicitfloat safestack shadowcallstack noprofile "denormal-fp-math"="preserve-sign,preserve-sign" "mine" "target-cpu"="haswell" "target-features"="+avx2" }
attributes #1 = { noredzone safestack noprofile "denormal-fp-math"="preserve-sign,preserve-sign" "target-cpu"="haswell" }
; CHECK-DAG: define internal ptr @osp_ws.forward.on({{.*}} #[[#F:]] {
; CHECK-DAG: define linkonce_odr hidden {{.*}} @wsConnect({{.*}} #[[#C:]] comdat
; CHECK-DAG: define linkonce_odr hidden {{.*}} @wsSend({{.*}} #[[#F]] comdat
; CHECK-DAG: attributes #[[#F]] = { noimplicitfloat noprofile noredzone nounwind safestack shadowcallstack "denormal-fp-math"="preserve-sign,preserve-sign" "osprey-ws-lowered" "target-cpu"="haswell" "target-features"="+avx2" }
; CHECK-DAG: attributes #[[#C]] = { noprofile noredzone nounwind safestack "denormal-fp-math"="preserve-sign,preserve-sign" "osprey-ws-lowered" "target-cpu"="haswell" }
; OPT-LABEL: define {{.*}}ptr @on(
; OPT: call i64 @osp_ws_send(
;--- strangers.ll
; Nothing tells how a declared function is compiled: its forwarder has what all callers share, whichever comes first. So
; does what compares.
declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
define void @wide(ptr %u, ptr %h) #0 {
  %r = call ptr @wsConnect(ptr %u, ptr @on)
  %s = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
define void @narrow(ptr %u, ptr %h) #1 {
  %r = call ptr @wsConnect(ptr %u, ptr @on)
  %s = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}
attributes #0 = { noredzone sanitize_address "target-cpu"="haswell" "target-features"="+avx2" }
attributes #1 = { noredzone "target-cpu"="haswell" }
; CHECK-DAG: define internal ptr @osp_ws.forward.on({{.*}} #[[#S:]] {
; CHECK-DAG: define internal ptr @osp_ws.to_cell({{.*}} #[[#S]] {
; CHECK-DAG: attributes #[[#S]] = { noredzone nounwind "osprey-ws-lowered" "target-cpu"="haswell" }
;--- handler.ll
; A handler is called with the attributes of its parameters, some of which say where an argument is.
declare ptr @wsConnect(ptr, ptr)
declare fastcc nonnull ptr @on(ptr inreg noundef)
declare ptr @by_value(ptr byval(i64) align 8)
define void @f(ptr %u) {
  %r = call ptr @wsConnect(ptr %u, ptr @on)
  %q = call ptr @wsConnect(ptr %u, ptr @by_value)
  ret void
}
; CHECK: define internal ptr @osp_ws.forward.on(ptr %cell, ptr %message) unnamed_addr
; CHECK: %result = tail call fastcc nonnull ptr @on(ptr inreg noundef %message)
; CHECK: %result = {{.*}}call ptr @by_value(ptr byval(i64) align 8 %message)
;--- signing.ll
; Callers that share the key and not which return addresses are signed.
declare ptr @wsSend(i64, ptr)
define ptr @all(ptr %m) #0 {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
define ptr @some(ptr %m) #1 {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
attributes #0 = { "branch-protection-pauth-lr" "sign-return-address"="all" "sign-return-address-key"="a_key" }
attributes #1 = { "branch-protection-pauth-lr" "sign-return-address"="non-leaf" "sign-return-address-key"="a_key" }
; CHECK: define linkonce_odr hidden {{.*}} @wsSend({{.*}} #[[#S:]] comdat
; CHECK: attributes #[[#S]] = { nounwind "osprey-ws-lowered" }
;--- features.ll
; Callers that share some features: other attributes that they share need them, or the code generator stops. What one of
; them lacks the processor must not bring. The last entry for a feature holds.
declare ptr @wsSend(i64, ptr)
declare ptr @wsClose(i64)
define ptr @base(ptr %m) #0 {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
define ptr @fast(ptr %m) #1 {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
define ptr @again(ptr %m) #0 {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
define ptr @one() #2 {
  %r = call ptr @wsClose(i64 1)
  ret ptr %r
}
define ptr @other() #3 {
  %r = call ptr @wsClose(i64 1)
  ret ptr %r
}
attributes #0 = { shadowcallstack "target-features"="+fp-armv8,+dit,+neon,+reserve-x18,-sve" }
attributes #1 = { shadowcallstack "target-features"="+reserve-x18,+fp-armv8,+sve,+sve2,+crc,+crc,-crc,+neon,-dit" }
attributes #2 = { "target-features"="+crc,-crc" }
attributes #3 = { "target-features"="+crc" }
; CHECK-DAG: define linkonce_odr hidden {{.*}} @wsSend({{.*}} #[[#S:]] comdat
; CHECK-DAG: define linkonce_odr hidden {{.*}} @wsClose({{.*}} #[[#C:]] comdat
; CHECK-DAG: attributes #[[#S]] = { nounwind shadowcallstack "osprey-ws-lowered" "target-features"="+fp-armv8,+neon,+reserve-x18,-sve,-crc,-dit" }
; CHECK-DAG: attributes #[[#C]] = { nounwind "osprey-ws-lowered" "target-features"="-crc" }
;--- places.ll
; What a call says of a plain function's address does not hold of the cell: it is gone.
target datalayout = "e-m:e-i64:64-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsConnect(ptr, ptr align 32 dereferenceable(64) dereferenceable_or_null(128))
declare ptr @on(ptr)
declare ptr @find()
define void @f(ptr %u) {
  %r = call ptr @wsConnect(ptr align 4 %u, ptr nonnull align 16 dereferenceable(32) dereferenceable_or_null(64) @on)
  %h = call ptr @find()
  %s = call ptr @wsConnect(ptr %u, ptr noundef align 16 %h)
  ret void
}
; CHECK: define linkonce_odr hidden {{.*}} @wsConnect(ptr {{.*}}%url, ptr noundef nonnull align 8 dereferenceable(8) %messageHandler)
; CHECK: call ptr @wsConnect(ptr align 4 %u, ptr nonnull @osp_ws.cell.on)
; CHECK: call ptr @wsConnect(ptr %u, ptr noundef %cell)
