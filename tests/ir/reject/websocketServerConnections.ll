; CG-8 LOWER-3: websocketServerConnections declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerConnections(i64)
; CHECK: websocketServerConnections.ll:[[#@LINE-1]]: error: 'websocketServerConnections' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketServerConnections(serverID: Int) -> Result<Int, String>
declare { i64, i8, i8* }* @wsServerConnections(i64, i32)
; CHECK: websocketServerConnections.ll:[[#@LINE-1]]: error: 'wsServerConnections' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketServerConnections(serverID: Int) -> Result<Int, String>
