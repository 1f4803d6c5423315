; CG-19: the host's declarations are used unchanged.
; RUN: %lower %s | %opt -passes=verify -S | %FileCheck %s

declare { i64, i8, i8* }* @wsSend(i64, i8*)
declare noalias i8* @osp_alloc_tagged(i64, i64) #0
declare i64 @osp_ws_send(i64, i8*, i8** writeonly)
define i8* @own(i64 %n) {
  %b = call i8* @osp_alloc_tagged(i64 %n, i64 0)
  ret i8* %b
}
attributes #0 = { nounwind allockind("alloc,uninitialized") allocsize(0) "alloc-family"="osprey" "mine" }

; CHECK: call ptr @osp_alloc_tagged(i64 ptrtoint
; CHECK: declare noalias ptr @osp_alloc_tagged(i64, i64) #[[#$A:]]
; CHECK-NOT: declare {{.*}}@osp_alloc_tagged
; CHECK: declare noundef i64 @osp_ws_send(i64 noundef,
; CHECK-NOT: declare {{.*}}@osp_ws_send
; CHECK: attributes #[[#$A]] = { {{.*}}"mine" }
