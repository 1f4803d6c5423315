; CG-8 LOWER-3: websocketServerLimit declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerLimit(i64, i8*, i64)
; CHECK: websocketServerLimit.ll:[[#@LINE-1]]: error: 'websocketServerLimit' is declared as i64 (i64, ptr, i64), but the builtin's type is ptr (i64, ptr, i64): websocketServerLimit(serverID: Int, limit: String, value: Int) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerLimit(i64, i8*, i64, i32)
; CHECK: websocketServerLimit.ll:[[#@LINE-1]]: error: 'wsServerLimit' is declared as ptr (i64, ptr, i64, i32), but the builtin's type is ptr (i64, ptr, i64): websocketServerLimit(serverID: Int, limit: String, value: Int) -> Result<Success, String>
