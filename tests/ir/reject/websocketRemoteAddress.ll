; CG-8 LOWER-3: websocketRemoteAddress declared as something else is refused, by name and by alias, with both types.
; RUN: %opt -passes=verify -disable-output %s
; RUN: %not %lower %s 2>&1 | %FileCheck %s

declare i64 @websocketRemoteAddress(i64)
; CHECK: websocketRemoteAddress.ll:[[#@LINE-1]]: error: 'websocketRemoteAddress' is declared as i64 (i64), but the builtin's type is ptr (i64): websocketRemoteAddress(wsID: Int) -> Result<String, String>
declare { i8*, i8, i8* }* @wsRemoteAddress(i64, i32)
; CHECK: websocketRemoteAddress.ll:[[#@LINE-1]]: error: 'wsRemoteAddress' is declared as ptr (i64, i32), but the builtin's type is ptr (i64): websocketRemoteAddress(wsID: Int) -> Result<String, String>
