; CG-17: what is reached by an indirect branch begins with a landing pad, as everything does that clang compiles with
; -mbranch-protection=standard: a forwarder, whether its function is in the module or not, and a body, which the program
; can use as a value.
; RUN: %lower %s | %llc -mtriple=aarch64-linux-gnu -mattr=+bti,+pauth -o - | %FileCheck %s
; RUN: %lower %s | %opt -passes='default<O2>' | %llc -mtriple=aarch64-linux-gnu -mattr=+bti,+pauth -o - | \
; RUN:   %FileCheck %s --check-prefix=OPT

declare ptr @wsConnect(ptr, ptr)
declare ptr @wsSend(i64, ptr)
declare ptr @outside(ptr)
@send = global ptr @wsSend

define internal ptr @inside(ptr %m) #0 {
  %r = call ptr @wsSend(i64 1, ptr %m)
  ret ptr %r
}
define void @f(ptr %u, i1 %c) #0 {
  %r = call ptr @wsConnect(ptr %u, ptr @outside)
  %h = select i1 %c, ptr @inside, ptr @outside
  %t = call ptr @wsConnect(ptr %u, ptr %h)
  ret void
}

; CHECK-LABEL: {{^}}wsConnect:
; CHECK: {{bti c|paciasp}}
; CHECK-LABEL: {{^}}wsSend:
; CHECK: {{bti c|paciasp}}
; CHECK-LABEL: {{^}}osp_ws.forward.outside:
; CHECK: {{bti c|paciasp}}
; CHECK-LABEL: {{^}}osp_ws.forward.inside:
; CHECK: {{bti c|paciasp}}
; OPT-LABEL: {{^}}wsSend:
; OPT: {{bti c|paciasp}}
; OPT-LABEL: {{^}}osp_ws.forward.outside:
; OPT: {{bti c|paciasp}}
; OPT-LABEL: {{^}}osp_ws.forward.inside:
; OPT: {{bti c|paciasp}}

attributes #0 = { "branch-target-enforcement"="true" "sign-return-address"="non-leaf" }
!llvm.module.flags = !{!0, !1}
!0 = !{i32 8, !"branch-target-enforcement", i32 1}
!1 = !{i32 8, !"sign-return-address", i32 1}
