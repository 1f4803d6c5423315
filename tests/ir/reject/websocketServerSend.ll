; CG-8 LOWER-3: websocketServerSend declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerSend(i64, i64, i8*)
; CHECK: websocketServerSend.ll:[[#@LINE-1]]: error: 'websocketServerSend' is declared as i64 (i64, i64, ptr), but the builtin's type is ptr (i64, i64, ptr): websocketServerSend(serverID: Int, wsID: Int, message: String) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerSend(i64, i64, i8*, i32)
; CHECK: websocketServerSend.ll:[[#@LINE-1]]: error: 'wsServerSend' is declared as ptr (i64, i64, ptr, i32), but the builtin's type is ptr (i64, i64, ptr): websocketServerSend(serverID: Int, wsID: Int, message: String) -> Result<Success, String>
