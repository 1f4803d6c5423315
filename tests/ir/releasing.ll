; CG-4 ABI-5: a caller that matches on the Result of a send and releases it. The path of success allocates nothing.
; RUN: %split_file %s %t
; RUN: %lower %t/f.ll | %opt -passes=verify -S | %FileCheck %t/f.ll
; RUN: %lower %t/f.ll | %opt -passes='default<O2>,verify' -S | %FileCheck %t/f.ll --check-prefix=OPT
; RUN: %lower %t/taken.ll | %opt -passes=verify -S | %FileCheck %t/taken.ll --check-prefix=TAKEN
; RUN: %lower %t/f.ll -o %t.1.bc && sed 's/@f[(]/@g(/' %t/f.ll | %lower - -o %t.2.ll
; RUN: %llvm_link %t.1.bc %t.2.ll -S | %FileCheck %t/f.ll --check-prefix=LINKED

;--- f.ll
; CHECK: @osp_ws.success = linkonce_odr hidden unnamed_addr constant { i64, i8, ptr } zeroinitializer
; LINKED: @osp_ws.success = linkonce_odr hidden
; LINKED-NOT: @osp_ws.success{{.*}} =
declare ptr @wsSend(i64, ptr)
declare void @osp_release(ptr)
declare void @sent()
declare void @failed(ptr)
define void @f(ptr %s) {
  %r = call ptr @wsSend(i64 1, ptr %s)
  %p = getelementptr { i64, i8, ptr }, ptr %r, i32 0, i32 1
  %d = load i8, ptr %p
  %c = icmp eq i8 %d, 0
  br i1 %c, label %success, label %failure
success:
  call void @sent()
  call void @osp_release(ptr %r)
  ret void
failure:
  %q = getelementptr { i64, i8, ptr }, ptr %r, i32 0, i32 2
  %m = load ptr, ptr %q
  call void @failed(ptr %m)
  call void @osp_release(ptr %r)
  ret void
}
; OPT-LABEL: define void @f(
; OPT: %[[FAILURE:.*]] = load ptr, ptr %
; OPT: %[[C:.*]] = icmp eq ptr %[[FAILURE]], null
; OPT: br i1 %[[C]], label %[[SUCCESS:.*]], label %[[FAILED:.*]]
; OPT: [[SUCCESS]]:
; OPT-NOT: @osp_alloc_tagged
; OPT: call void @sent()
; OPT: [[FAILED]]:
; OPT: call {{.*}}@osp_alloc_tagged(i64 24, i64 1025)
; OPT: call void @failed(ptr nonnull %[[FAILURE]])

;--- taken.ll
; The block is found by what it is.
declare ptr @wsSend(i64, ptr)
@osp_ws.success = global { i64, i8, ptr } zeroinitializer
define ptr @f(ptr %s) {
  %r = call ptr @wsSend(i64 1, ptr %s)
  ret ptr %r
}
; TAKEN: @[[BLOCK:osp_ws.success.[0-9]+]] = private unnamed_addr constant { i64, i8, ptr } zeroinitializer
; TAKEN: ret ptr @[[BLOCK]]
