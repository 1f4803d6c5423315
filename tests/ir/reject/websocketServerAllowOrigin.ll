; CG-8 LOWER-3: websocketServerAllowOrigin declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerAllowOrigin(i64, i8*)
; CHECK: websocketServerAllowOrigin.ll:[[#@LINE-1]]: error: 'websocketServerAllowOrigin' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketServerAllowOrigin(serverID: Int, origin: String) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerAllowOrigin(i64, i8*, i32)
; CHECK: websocketServerAllowOrigin.ll:[[#@LINE-1]]: error: 'wsServerAllowOrigin' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketServerAllowOrigin(serverID: Int, origin: String) -> Result<Success, String>
