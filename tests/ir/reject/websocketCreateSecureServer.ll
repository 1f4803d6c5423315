; CG-8 LOWER-3: websocketCreateSecureServer declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketCreateSecureServer(i64, i8*, i8*, i8*, i8*)
; CHECK: websocketCreateSecureServer.ll:[[#@LINE-1]]: error: 'websocketCreateSecureServer' is declared as i64 (i64, ptr, ptr, ptr, ptr), but the builtin's type is ptr (i64, ptr, ptr, ptr, ptr): websocketCreateSecureServer(port: Int, address: String, path: String, certificateFile: String, keyFile: String) -> Result<Int, String>
declare { i64, i8, i8* }* @wsCreateSecureServer(i64, i8*, i8*, i8*, i8*, i32)
; CHECK: websocketCreateSecureServer.ll:[[#@LINE-1]]: error: 'wsCreateSecureServer' is declared as ptr (i64, ptr, ptr, ptr, ptr, i32), but the builtin's type is ptr (i64, ptr, ptr, ptr, ptr): websocketCreateSecureServer(port: Int, address: String, path: String, certificateFile: String, keyFile: String) -> Result<Int, String>
