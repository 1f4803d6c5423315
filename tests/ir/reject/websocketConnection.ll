; CG-8 LOWER-3: websocketConnection declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketConnection(i64)
; CHECK: websocketConnection.ll:[[#@LINE-1]]: error: 'websocketConnection' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketConnection(wsID: Int) -> Result<WebSocketConnection, String>
declare { i8*, i8, i8* }* @wsConnection(i64, i32)
; CHECK: websocketConnection.ll:[[#@LINE-1]]: error: 'wsConnection' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketConnection(wsID: Int) -> Result<WebSocketConnection, String>
