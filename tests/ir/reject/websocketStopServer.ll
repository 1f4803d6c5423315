; CG-8 LOWER-3: websocketStopServer declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketStopServer(i64)
; CHECK: websocketStopServer.ll:[[#@LINE-1]]: error: 'websocketStopServer' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketStopServer(serverID: Int) -> Result<Success, String>
declare { i64, i8, i8* }* @wsStopServer(i64, i32)
; CHECK: websocketStopServer.ll:[[#@LINE-1]]: error: 'wsStopServer' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketStopServer(serverID: Int) -> Result<Success, String>
