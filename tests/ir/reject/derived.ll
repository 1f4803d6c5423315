; CG-10: what constant arithmetic makes of a plain function, and a choice that may be no handler.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s --implicit-check-not=error:
; RUN: %refused %s

declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
declare i64 @number(ptr)
@text = private constant [2 x i8] c"t\00"
@place = alias i8, getelementptr (i8, ptr @f, i64 16)
define void @f(ptr %url, i1 %bit) {
entry:
  %a = call ptr @wsConnect(ptr %url, ptr getelementptr (i8, ptr @on, i64 8))
; CHECK: derived.ll:[[#@LINE-1]]: error: 'ptr getelementptr (i8, ptr @on, i64 8)' is passed to 'wsConnect' as
; CHECK-SAME: {{^}} messageHandler, but is neither a function nor a closure cell: fn(String) -> Result<Success, String>
  %b = call ptr @wsConnect(ptr %url, ptr inttoptr (i64 add (i64 ptrtoint (ptr @on to i64), i64 8) to ptr))
; CHECK: derived.ll:[[#@LINE-1]]: error: 'ptr inttoptr (i64 add (i64 ptrtoint (ptr @on to i64), i64 8) to ptr)' is passed
  %c = call ptr @wsConnect(ptr %url, ptr inttoptr (i64 sub (i64 0, i64 ptrtoint (ptr @on to i64)) to ptr))
; CHECK: derived.ll:[[#@LINE-1]]: error: 'ptr inttoptr (i64 sub (i64 0, i64 ptrtoint (ptr @on to i64)) to ptr)' is passed
  %d = call ptr @wsConnect(ptr %url, ptr @place)
; CHECK: derived.ll:[[#@LINE-1]]: error: 'place' is passed
  %choice = select i1 %bit, ptr @on, ptr getelementptr (i8, ptr @on, i64 8)
  %frozen = freeze ptr %choice
  br i1 %bit, label %left, label %end
left:
  br label %end
end:
  %merged = phi ptr [ %frozen, %left ], [ @on, %entry ]
  %e = call ptr @wsConnect(ptr %url, ptr %merged)
; CHECK: derived.ll:[[#@LINE-1]]: error: 'ptr getelementptr (i8, ptr @on, i64 8)' is passed
  %or_null = select i1 %bit, ptr @on, ptr null
  %h = call ptr @wsConnect(ptr %url, ptr %or_null)
; CHECK: derived.ll:[[#@LINE-1]]: error: 'ptr null' is passed
  %or_text = select i1 %bit, ptr @text, ptr @on
  %same = getelementptr i8, ptr %or_text, i64 0
  %i = call ptr @wsConnect(ptr %url, ptr %same)
; CHECK: derived.ll:[[#@LINE-1]]: error: '@text = {{.*}}' is passed
; What is beside it may be anything.
  %beside = getelementptr i8, ptr %or_null, i64 8
  %j = call ptr @wsConnect(ptr %url, ptr %beside)
  ret void
}
