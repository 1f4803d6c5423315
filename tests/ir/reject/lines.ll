; LOWER-3: the line of a call, however its function is written.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s --implicit-check-not=error:

declare ptr @wsSend(i64, ptr)
@text = private constant [40 x i8] c"define void @two() { call ptr @wsSend(  "
define void @"\01mine"() {
  %a = call ptr @wsSend(i32 1)
; CHECK: lines.ll:[[#@LINE-1]]: error: 'wsSend' is called as
  ret void
}
define void @"caf\C3\A9"() {
  %a = call ptr @wsSend(i32 1)
; CHECK: lines.ll:[[#@LINE-1]]: error: 'wsSend' is called as
  ret void
}
define void @one() { %a = call ptr @wsSend(i32 1) ret void }
; CHECK: lines.ll:[[#@LINE-1]]: error: 'wsSend' is called as
define void @two() { %a = call ptr @wsSend(i64 1, ptr null) %b = call ptr
  @wsSend (i32 2) ret void }
; CHECK: lines.ll:[[#@LINE-1]]: error: 'wsSend' is called as
define void @calls_two(ptr byval({ i64, ptr }) %p) {
  call void @two()
  %a = call ptr @wsSend(i32 1)
; CHECK: lines.ll:[[#@LINE-1]]: error: 'wsSend' is called as
  ret void
}
