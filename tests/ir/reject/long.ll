; CG-14: a message quotes the beginning of what is long, in whole characters.
; RUN: awk 'function many(s, n, all) { while (n--) all = all s; return all } \
; RUN:   { sub("aaa", many("a", 1000)); sub("CCC", many("\\C3\\A4", 150)); sub("i8,", many("i64,", 1000)); print }' %s > %t.ll
; RUN: %opt -passes=verify -disable-output %t.ll
; RUN: (%not %lower %t.ll 2>&1; true) > %t.out && %FileCheck %s < %t.out && test $(wc -c < %t.out) -lt 2500
; RUN: %refused %t.ll
; RUN: awk 'function many(s, n, all) { while (n--) all = all s; return all } \
; RUN:   sub("^;bad ", "") { sub("i64 7,", many("i64 7,", 1000)); print }' %s > %t.bad.ll
; RUN: (%not %lower %t.bad.ll 2>&1; true) > %t.out && %FileCheck %s --check-prefix=BAD < %t.out && \
; RUN:   test $(wc -c < %t.out) -lt 2500

; CHECK: error: 'wsClose' is declared as ptr ({ {{((i64, ){38}i64)}}…, but the builtin's type is ptr (i64): websocketClose(
declare ptr @wsConnect(ptr, ptr)
declare ptr @wsClose({i8, i64})
@text = private constant [1000 x i8] c"aaa"
declare i64 @"xCCC"(ptr)
define void @f(ptr %url) {
  %a = call ptr @wsConnect(ptr %url, ptr @text)
; CHECK: error: 'text' is passed to 'wsConnect' as messageHandler, but is neither
  %b = call ptr @wsConnect(ptr %url, ptr @"xCCC")
; CHECK: error: 'x{{((ä){99})}}…' is passed to 'wsConnect' as messageHandler, but has type i64 (ptr); expected ptr (ptr): fn
  ret void
}
; BAD: error: the module is not valid: Instruction does not dominate all uses!
; BAD: {{(i64 7, ){250}.*…$}}
;bad declare ptr @wsSend(i64, ptr)
;bad declare void @g(i64, [1001 x i64])
;bad define void @f(i1 %c) {
;bad   br i1 %c, label %a, label %b
;bad a:
;bad   %x = add i64 1, 2
;bad   br label %b
;bad b:
;bad   call void @g(i64 %x, [1001 x i64] [i64 7, i64 0])
;bad   ret void
;bad }
