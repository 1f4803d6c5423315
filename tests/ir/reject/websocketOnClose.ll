; CG-8 LOWER-3: websocketOnClose declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketOnClose(i64, i8*)
; CHECK: websocketOnClose.ll:[[#@LINE-1]]: error: 'websocketOnClose' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketOnClose(wsID: Int, closeHandler: fn(WebSocketConnection, Int, String) -> Result<Success, String>) -> Result<Success, String>
declare { i64, i8, i8* }* @wsOnClose(i64, i8*, i32)
; CHECK: websocketOnClose.ll:[[#@LINE-1]]: error: 'wsOnClose' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketOnClose(wsID: Int, closeHandler: fn(WebSocketConnection, Int, String) -> Result<Success, String>) -> Result<Success, String>
