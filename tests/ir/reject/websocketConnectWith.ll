; CG-8 LOWER-3: websocketConnectWith declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketConnectWith(i8*, i8*, i8*)
; CHECK: websocketConnectWith.ll:[[#@LINE-1]]: error: 'websocketConnectWith' is declared as i64 (ptr, ptr, ptr), but the builtin's type is ptr (ptr, ptr, ptr): websocketConnectWith(url: String, options: WebSocketOptions, messageHandler: fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>) -> Result<Int, String>
declare { i64, i8, i8* }* @wsConnectWith(i8*, i8*, i8*, i32)
; CHECK: websocketConnectWith.ll:[[#@LINE-1]]: error: 'wsConnectWith' is declared as ptr (ptr, ptr, ptr, i32), but the builtin's type is ptr (ptr, ptr, ptr): websocketConnectWith(url: String, options: WebSocketOptions, messageHandler: fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>) -> Result<Int, String>
