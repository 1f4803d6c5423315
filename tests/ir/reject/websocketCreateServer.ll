; CG-8 LOWER-3: websocketCreateServer declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketCreateServer(i64, i8*, i8*)
; CHECK: websocketCreateServer.ll:[[#@LINE-1]]: error: 'websocketCreateServer' is declared as i64 (i64, ptr, ptr), but the builtin's type is ptr (i64, ptr, ptr): websocketCreateServer(port: Int, address: String, path: String) -> Result<Int, String>
declare { i64, i8, i8* }* @wsCreateServer(i64, i8*, i8*, i32)
; CHECK: websocketCreateServer.ll:[[#@LINE-1]]: error: 'wsCreateServer' is declared as ptr (i64, ptr, ptr, i32), but the builtin's type is ptr (i64, ptr, ptr): websocketCreateServer(port: Int, address: String, path: String) -> Result<Int, String>
