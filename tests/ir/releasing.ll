; CG-4 CG-27 ABI-5: a caller that matches on the Result of a send and releases it. The path of success allocates nothing.
; RUN: %split_file %s %t
; RUN: %lower %t/f.ll | %opt -passes=verify -S | %FileCheck %t/f.ll
; RUN: %lower %t/f.ll | %opt -passes='default<O2>,verify' -S | %FileCheck %t/f.ll --check-prefix=OPT
; RUN: %lower %t/taken.ll | %opt -passes=verify -S | %FileCheck %t/taken.ll --check-prefix=TAKEN
; RUN: %lower %t/unboxed.ll | %opt -passes='default<O2>,verify' -S | %FileCheck %t/unboxed.ll --check-prefix=UNBOXED
; RUN: %lower %t/defined.ll | %lower - | %opt -passes=verify -S | %FileCheck %t/defined.ll --check-prefix=DEFINED
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

;--- unboxed.ll
; CG-27: the same with a value, in a host that releases what it gets: no block at all. A handler is adapted as always.
declare { i64, ptr } @wsConnect.unboxed(ptr, ptr)
declare { ptr, ptr } @websocketValue.unboxed(i64, ptr)
declare void @osp_release(ptr)
declare void @use(i64)
declare void @failed(ptr)
declare ptr @on(ptr)
define void @connect(ptr %s) {
  %r = call { i64, ptr } @wsConnect.unboxed(ptr %s, ptr @on)
  %m = extractvalue { i64, ptr } %r, 1
  %c = icmp eq ptr %m, null
  br i1 %c, label %success, label %failure
success:
  %v = extractvalue { i64, ptr } %r, 0
  call void @use(i64 %v)
  ret void
failure:
  call void @failed(ptr %m)
  call void @osp_release(ptr %m)
  ret void
}
define ptr @value(ptr %s) {
  %r = call { ptr, ptr } @websocketValue.unboxed(i64 1, ptr %s)
  %v = extractvalue { ptr, ptr } %r, 0
  ret ptr %v
}
; UNBOXED-NOT: osp_alloc
; UNBOXED-LABEL: define void @connect(
; UNBOXED: %[[VALUE:.*]] = call i64 @osp_ws_connect(ptr {{.*}}%s, ptr {{.*}}@osp_ws.cell.on, ptr
; UNBOXED: call void @use(i64 %[[VALUE]])
; UNBOXED-LABEL: define {{.*}}ptr @value(
; UNBOXED: %[[TEXT:.*]] = call ptr @osp_ws_value(i64 1, ptr {{.*}}%s, ptr
; UNBOXED: ret ptr %[[TEXT]]
; UNBOXED-NOT: osp_alloc

;--- defined.ll
; A function of the program is not a form of a builtin. A lowered body is one.
; DEFINED-LABEL: define { i64, ptr } @wsSend.unboxed(i64 %id, ptr %s) {
; DEFINED-NEXT: ret { i64, ptr } zeroinitializer
; DEFINED: define linkonce_odr hidden {{.*}} @wsClose.unboxed(
; DEFINED-NOT: @wsClose.unboxed.
define { i64, ptr } @wsSend.unboxed(i64 %id, ptr %s) {
  ret { i64, ptr } zeroinitializer
}
declare { i64, ptr } @wsClose.unboxed(i64)
