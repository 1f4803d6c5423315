; CG-8 LOWER-3: websocketServerOnOpen declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerOnOpen(i64, i8*)
; CHECK: websocketServerOnOpen.ll:[[#@LINE-1]]: error: 'websocketServerOnOpen' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketServerOnOpen(serverID: Int, openHandler: fn(WebSocketConnection) -> Result<Success, String>) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerOnOpen(i64, i8*, i32)
; CHECK: websocketServerOnOpen.ll:[[#@LINE-1]]: error: 'wsServerOnOpen' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketServerOnOpen(serverID: Int, openHandler: fn(WebSocketConnection) -> Result<Success, String>) -> Result<Success, String>
