; CG-8 LOWER-3: websocketServerListen declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerListen(i64)
; CHECK: websocketServerListen.ll:[[#@LINE-1]]: error: 'websocketServerListen' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketServerListen(serverID: Int) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerListen(i64, i32)
; CHECK: websocketServerListen.ll:[[#@LINE-1]]: error: 'wsServerListen' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketServerListen(serverID: Int) -> Result<Success, String>
