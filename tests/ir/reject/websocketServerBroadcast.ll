; CG-8 LOWER-3: websocketServerBroadcast declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerBroadcast(i64, i8*)
; CHECK: websocketServerBroadcast.ll:[[#@LINE-1]]: error: 'websocketServerBroadcast' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketServerBroadcast(serverID: Int, message: String) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerBroadcast(i64, i8*, i32)
; CHECK: websocketServerBroadcast.ll:[[#@LINE-1]]: error: 'wsServerBroadcast' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketServerBroadcast(serverID: Int, message: String) -> Result<Success, String>
