; CG-8 LOWER-3: websocketServerProtocols declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketServerProtocols(i64, i8*)
; CHECK: websocketServerProtocols.ll:[[#@LINE-1]]: error: 'websocketServerProtocols' is declared as i64 (i64, ptr), but the builtin's type is ptr (i64, ptr): websocketServerProtocols(serverID: Int, protocols: String) -> Result<Success, String>
declare { i64, i8, i8* }* @wsServerProtocols(i64, i8*, i32)
; CHECK: websocketServerProtocols.ll:[[#@LINE-1]]: error: 'wsServerProtocols' is declared as ptr (i64, ptr, i32), but the builtin's type is ptr (i64, ptr): websocketServerProtocols(serverID: Int, protocols: String) -> Result<Success, String>
