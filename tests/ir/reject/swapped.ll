; CG-9: named arguments in the wrong order, which the public compiler casts. Both parameters are named.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s --implicit-check-not='error:'
; RUN: %refused %s

declare ptr @wsSend(i64, ptr)
declare ptr @wsServerAllowOrigin(i64, ptr)
@text = private constant [2 x i8] c"t\00"
define void @f(i64 %id, ptr %message) {
  %r1 = ptrtoint ptr %message to i64
  %r2 = inttoptr i64 %id to ptr
  %r3 = call ptr @wsSend(i64 %r1, ptr %r2)
; CHECK: swapped.ll:[[#@LINE-1]]: error: 'wsSend' is given a pointer cast to an integer as wsID and an integer cast to a
; CHECK-SAME: {{^}} pointer as message: websocketSend(wsID: Int, message: String) -> Result<Success, String>
  %r4 = call ptr @wsServerAllowOrigin(i64 ptrtoint (ptr @text to i64), ptr %r2)
; CHECK: swapped.ll:[[#@LINE-1]]: error: 'wsServerAllowOrigin' is given {{.*}} as serverID and {{.*}} as origin:
  %r5 = inttoptr i64 7 to ptr
  %r6 = call ptr @wsSend(i64 %r1, ptr %r5)
; CHECK: swapped.ll:[[#@LINE-1]]: error: 'wsSend' is given
  ret void
}
; A JIT passes addresses of its own.
define void @jit(i64 %id, ptr %p) {
  %r0 = call ptr @wsSend(i64 %id, ptr inttoptr (i64 4096 to ptr))
  %r1 = inttoptr i64 %id to ptr
  %r2 = call ptr @wsSend(i64 %id, ptr %r1)
  %r3 = ptrtoint ptr %p to i64
  %r4 = call ptr @wsSend(i64 %r3, ptr %p)
  %r5 = call ptr @wsSend(i64 ptrtoint (ptr @text to i64), ptr inttoptr (i64 4096 to ptr))
  ret void
}
