; CG-10 LOWER-3: handlers of another type than the parameter's are refused with both types, wherever they come from.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare ptr @wsConnect(ptr, ptr)
declare ptr @websocketServerOnClose(i64, ptr)
declare i64 @number(ptr)
declare ptr @two(ptr, ptr)
declare ptr @one(ptr)
declare ptr @variadic(ptr, ...)
@raw_in_a_cell = private constant { ptr } { ptr @one }

define void @f(ptr %url, i1 %c) {
  ; a comment that says call ptr @wsConnect( is not one
  %a = call ptr @wsConnect(ptr %url, ptr @number)
; CHECK-DAG: handlers.ll:[[#@LINE-1]]: error: 'number' is passed to 'wsConnect' as messageHandler, but number has type i64 (ptr); expected ptr (ptr): fn(String) -> Result<Success, String>
  %r = bitcast ptr @two to ptr
  %b = call ptr @wsConnect(ptr %url, ptr %r)
; CHECK-DAG: handlers.ll:[[#@LINE-1]]: error: 'two' is passed to 'wsConnect' as messageHandler, but two has type ptr (ptr, ptr); expected ptr (ptr): fn(String) -> Result<Success, String>
  %d = call ptr @wsConnect(ptr %url, ptr @variadic)
; CHECK-DAG: handlers.ll:[[#@LINE-1]]: error: 'variadic' is passed {{.*}} ptr (ptr, ...); expected ptr (ptr)
  %e = call ptr @wsConnect(ptr %url, ptr @raw_in_a_cell)
; CHECK-DAG: handlers.ll:[[#@LINE-1]]: error: 'one' is passed to 'wsConnect' as messageHandler, but the code of its cell, one has type ptr (ptr); expected ptr (ptr, ptr): fn(String) -> Result<Success, String>
  %g = call ptr @wsConnect(ptr %url, ptr null)
; CHECK-DAG: handlers.ll:[[#@LINE-1]]: error: null is passed to 'wsConnect' as messageHandler, which must be a function
  %s = select i1 %c, ptr @one, ptr @two
  %h = call ptr @wsConnect(ptr %url, ptr %s)
; CHECK-DAG: handlers.ll:[[#@LINE-1]]: error: 'two' is passed
  ret void
}

define void @g() {
  %a = call ptr @websocketServerOnClose(i64 1, ptr @two)
; CHECK-DAG: handlers.ll:[[#@LINE-1]]: error: 'two' is passed to 'websocketServerOnClose' as closeHandler, but two has type ptr (ptr, ptr); expected ptr (ptr, i64, ptr): fn(WebSocketConnection, Int, String) -> Result<Success, String>
  ret void
}
