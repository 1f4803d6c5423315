; CG-18 ABI-18: a module that is linked behind a lowered one gets its declaration of osp_alloc_tagged, and may read bytes
; that it has not written, which are zero.
; RUN: %split_file %s %t
; RUN: %lower %t/a.ll -o %t/a.bc
; RUN: %llvm_link %t/a.bc %t/b.ll -S | %opt -passes='default<O2>' -S | %FileCheck %s

; CHECK-LABEL: define {{.*}}i64 @read(
; CHECK-NOT: undef
; CHECK-NOT: poison
; CHECK: ret i64 {{[0%]}}

;--- a.ll
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @websocketQueuedBytes(i64)
define ptr @f(i64 %id) {
  %r = call ptr @websocketQueuedBytes(i64 %id)
  ret ptr %r
}
;--- b.ll
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"
declare ptr @osp_alloc_tagged(i64, i64)
define i64 @read() {
  %p = call ptr @osp_alloc_tagged(i64 24, i64 1)
  %at = getelementptr i8, ptr %p, i64 8
  %n = load i64, ptr %at
  ret i64 %n
}
