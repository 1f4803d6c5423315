; LOWER-5: LLVM's optimiser leaves a long chain of comparisons alone, for which it would take quadratic time.
; RUN: awk '/^@table/ { for (i = 0; i < 300; i++) { print "@at" i " = global ptr @h" i; \
; RUN:     print "define internal ptr @h" i "(i64 %%t) {\n  ret ptr null\n}" } next } { print }' %s > %t.ll
; RUN: %lower %t.ll | %opt -passes=verify -S | %FileCheck %s --check-prefixes=CHECK,MANY
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s --check-prefixes=CHECK,FEW

; CHECK: define internal ptr @osp_ws.to_cell(ptr %handler){{.*}} #[[#TO_CELL:]]
; FEW-NOT: optnone
; MANY: attributes #[[#TO_CELL]] = { {{.*}}noinline{{.*}}optnone

declare ptr @websocketAfter(i64, ptr)
@table = global ptr @one
define internal ptr @one(i64 %timer) {
  ret ptr null
}
define ptr @f(ptr %handler) {
  %r = call ptr @websocketAfter(i64 1, ptr %handler)
  ret ptr %r
}
