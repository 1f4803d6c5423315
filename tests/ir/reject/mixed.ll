; CG-10: a plain function or an unknown value. Both are named.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s
; RUN: %refused %s

declare ptr @wsConnect(ptr, ptr)
declare ptr @on(ptr)
declare i64 @number(ptr)
declare ptr @get()
@table = constant [2 x ptr] [ptr @on, ptr @number]
define void @f(ptr %url, i1 %c, ptr %parameter, i128 %wide) {
  %s = select i1 %c, ptr @on, ptr %parameter
  %a = call ptr @wsConnect(ptr %url, ptr %s)
; CHECK: mixed.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'parameter' is passed to
; CHECK-SAME: {{^}} 'wsConnect' as messageHandler, and nothing tells which needs a closure cell: fn(String) ->
  %v = alloca ptr
  store ptr @on, ptr %v
  call void @fill(ptr %v)
  %h = load ptr, ptr %v
  %b = call ptr @wsConnect(ptr %url, ptr %h)
; CHECK: mixed.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'v' is passed
  %p = getelementptr [2 x ptr], ptr @table, i64 0, i1 %c
  %t = load ptr, ptr %p
  %d = call ptr @wsConnect(ptr %url, ptr %t)
; CHECK: mixed.ll:[[#@LINE-1]]: error: 'number' is passed to 'wsConnect' as messageHandler, but has type i64 (ptr)
  %w = alloca { ptr, ptr }
  store ptr @on, ptr %w
  store i128 %wide, ptr %w
  %x = load ptr, ptr %w
  %e = call ptr @wsConnect(ptr %url, ptr %x)
; CHECK: mixed.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'w' is passed
  %n = call ptr @naked(ptr @on)
  %m = select i1 %c, ptr %n, ptr @on
  %i = call ptr @wsConnect(ptr %url, ptr %m)
; CHECK: mixed.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'n' is passed
  call void @passes_on(ptr %url, ptr @on)
  %g = call ptr @get()
  call void @passes_on(ptr %url, ptr %g)
  ret void
}
declare void @fill(ptr)
define internal ptr @naked(ptr %h) naked {
  call void asm sideeffect "ret", ""()
  unreachable
}
define internal void @passes_on(ptr %url, ptr %handler) {
  %b = call ptr @wsConnect(ptr %url, ptr %handler)
; CHECK: mixed.ll:[[#@LINE-1]]: error: either the plain function 'on' or the unknown value 'g' is passed
  ret void
}
