; CG-15: llvm-link and ThinLTO link two lowered modules that use the same builtin. The result exports neither the body
; nor the cells.
; RUN: %split_file %s %t
; RUN: %lower %t/a.ll -o %t/a.bc && %opt -passes=verify -disable-output %t/a.bc
; RUN: %lower %t/b.ll -o %t/b.bc && %opt -passes=verify -disable-output %t/b.bc
; RUN: %llvm_link %t/a.bc %t/b.bc -S | %opt -passes=verify -S | %FileCheck %s
; RUN: %llvm_link %t/a.ll %t/b.ll -S -o %t/ab.ll \
; RUN:   && %lower %t/ab.ll | %opt -passes=verify -S | %FileCheck %s --check-prefix=LATE
; RUN: %opt -thinlto-bc %t/a.bc -o %t/a.thin && %opt -thinlto-bc %t/b.bc -o %t/b.thin
; RUN: %llvm_lto2 run %t/a.thin %t/b.thin -o %t/out -save-temps \
; RUN:   -r=%t/a.thin,f,px -r=%t/a.thin,wsConnect,pl -r=%t/a.thin,osp_ws_connect, -r=%t/a.thin,osp_alloc_tagged, \
; RUN:   -r=%t/b.thin,g,px -r=%t/b.thin,wsConnect, -r=%t/b.thin,osp_ws_connect, -r=%t/b.thin,osp_alloc_tagged, \
; RUN:   -r=%t/b.thin,f,
; RUN: %llvm_nm %t/out.1 %t/out.2 | %FileCheck %s --check-prefix=NM

; CHECK: define linkonce_odr hidden {{.*}}@wsConnect(
; CHECK-NOT: define {{.*}}@wsConnect(
; CHECK: @osp_ws.forward.on(
; CHECK: @osp_ws.forward.on{{\.[0-9]+}}(
; LATE: define linkonce_odr hidden {{.*}}@wsConnect(
; LATE-NOT: define {{.*}}@wsConnect(
; NM: T f
; NM: W wsConnect
; NM-NOT: {{ [TW] }}wsConnect
; NM: T g
; NM-NOT: {{ [TW] }}wsConnect

;--- a.ll
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsConnect(ptr, ptr)
define internal ptr @on(ptr %m) {
  ret ptr null
}
define ptr @f(ptr %s) {
  %r = call ptr @wsConnect(ptr %s, ptr @on)
  ret ptr %r
}
;--- b.ll
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @wsConnect(ptr, ptr)
declare ptr @f(ptr)
define internal ptr @on(ptr %m) {
  ret ptr %m
}
define ptr @g(ptr %s) {
  %r = call ptr @wsConnect(ptr %s, ptr @on)
  %q = call ptr @f(ptr %s)
  ret ptr %r
}
