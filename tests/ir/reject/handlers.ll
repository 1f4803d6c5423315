; CG-10 LOWER-3: a handler with a type other than the parameter's, in every form. The error states both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s
; RUN: %refused %s

declare ptr @wsConnect(ptr, ptr)
declare ptr @websocketServerOnClose(i64, ptr)
declare i64 @number(ptr)
declare ptr @two(ptr, ptr)
declare ptr @one(ptr)
declare ptr @variadic(ptr, ...)
@text = private constant [3 x i8] c"no\00"
@no_code = private constant { ptr, i64 } zeroinitializer
@raw_in_a_cell = private constant { ptr } { ptr @one }
@raw_as_a_number = private constant { i64, ptr } { i64 ptrtoint (ptr @one to i64), ptr @two }
@numbers = private constant <2 x i64> <i64 1, i64 2>
@many_numbers = private constant [9 x i64] [i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9]

define void @f(ptr %url, i1 %c) {
  ; a comment that says call ptr @wsConnect( is not one
  %a = call ptr @wsConnect(ptr %url, ptr @number)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'number' is passed to 'wsConnect' as messageHandler
; CHECK-SAME: {{^}}, but has type i64 (ptr); expected ptr (ptr): fn(String) -> Result<Success, String>
  %r = bitcast ptr @two to ptr
  %b = call ptr @wsConnect(ptr %url, ptr %r)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'two' is passed to 'wsConnect' as messageHandler
; CHECK-SAME: {{^}}, but has type ptr (ptr, ptr); expected ptr (ptr): fn(String) -> Result<Success, String>
  %d = call ptr @wsConnect(ptr %url, ptr @variadic)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'variadic' is passed {{.*}} ptr (ptr, ...); expected ptr (ptr)
  %e = call ptr @wsConnect(ptr %url, ptr @raw_in_a_cell)
; CHECK: handlers.ll:[[#@LINE-1]]: error: the cell 'raw_in_a_cell' is passed to 'wsConnect' as messageHandler,
; CHECK-SAME: {{^}} but its code 'one' has type ptr (ptr); expected ptr (ptr, ptr):
; CHECK-SAME: {{^}} fn(String) -> Result<Success, String>
  %g = call ptr @wsConnect(ptr %url, ptr null)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'ptr null' is passed to 'wsConnect' as messageHandler
; CHECK-SAME: {{^}}, but is neither a function nor a closure cell: fn(String) -> Result<Success, String>
  %block = call ptr @wsConnect(ptr %url, ptr blockaddress(@to, %there))
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'ptr blockaddress(@to, %there)' is passed to 'wsConnect'
  %i = call ptr @wsConnect(ptr %url, ptr @text)
; CHECK: handlers.ll:[[#@LINE-1]]: error: '@text = private constant [3 x i8] c"no\00"' is passed to 'wsConnect'
; CHECK-SAME: {{^}} as messageHandler, but is neither
  %j = call ptr @wsConnect(ptr %url, ptr @no_code)
; CHECK: handlers.ll:[[#@LINE-1]]: error: '@no_code = private constant { ptr, i64 } zeroinitializer' is passed
  %n = call ptr @wsConnect(ptr %url, ptr @raw_as_a_number)
; CHECK: handlers.ll:[[#@LINE-1]]: error: the cell 'raw_as_a_number' is passed {{.*}} but its code 'one' has type ptr (ptr)
  %o = call ptr @wsConnect(ptr %url, ptr @numbers)
; CHECK: handlers.ll:[[#@LINE-1]]: error: '@numbers = private constant <2 x i64> <i64 1, i64 2>' is passed
  %q = call ptr @wsConnect(ptr %url, ptr @many_numbers)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'many_numbers' is passed to 'wsConnect' as messageHandler, but is neither
  %k = call ptr @wsConnect(ptr %url, ptr undef)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'ptr undef' is passed
  %l = call ptr @wsConnect(ptr %url, ptr poison)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'ptr poison' is passed
  %m = call ptr @wsConnect(ptr %url, ptr inttoptr (i64 77 to ptr))
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'ptr inttoptr (i64 77 to ptr)' is passed
  %s = select i1 %c, ptr @one, ptr @two
  %h = call ptr @wsConnect(ptr %url, ptr %s)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'two' is passed
  ret void
}

define void @g() {
  %a = call ptr @websocketServerOnClose(i64 1, ptr @two)
; CHECK: handlers.ll:[[#@LINE-1]]: error: 'two' is passed to 'websocketServerOnClose' as closeHandler
; CHECK-SAME: {{^}}, but has type ptr (ptr, ptr); expected ptr (ptr, i64, ptr):
; CHECK-SAME: {{^}} fn(WebSocketConnection, Int, String) -> Result<Success, String>
  ret void
}
define void @to() {
  ret void
there:
  ret void
}
