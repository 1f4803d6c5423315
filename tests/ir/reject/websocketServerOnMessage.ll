; CG-8 LOWER-3: websocketServerOnMessage declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerOnMessage(i64, i8*)
; CHECK: websocketServerOnMessage.ll:[[#@LINE-1]]: error: 'websocketServerOnMessage' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketServerOnMessage(serverID: Int, messageHandler: fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerOnMessage(i64, i8*, i32)
; CHECK: websocketServerOnMessage.ll:[[#@LINE-1]]: error: 'wsServerOnMessage' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketServerOnMessage(serverID: Int, messageHandler: fn(WebSocketConnection, WebSocketMessage) -> Result<Success, String>) -> Result<Success, String>
